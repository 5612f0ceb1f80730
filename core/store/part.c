/*
 * core/store/part.c - parts of a root that can be made again: emptying them.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include <slipway/path.h>

#include "core/store/content_priv.h"
#include "core/store/prune_priv.h"
#include "core/store/worker_priv.h"

sw_err *
sw__alone(sw_worker *w, bool *out)
{
        bool others = false, own = false;
        sw_err *err = sw__lease_others(w->leases_fd, w->lease.fd < 0 ? NULL : w->lease.id,
                                       &others);

        pthread_mutex_lock(&w->lock);
        struct sw_map_iter it = SW_MAP_ITER(w->held);
        while (!own && sw_map_next(&it))
                own = ((const struct sw__held *) it.value)->users > 0;
        pthread_mutex_unlock(&w->lock);
        *out = !err && !others && !own;
        return err;
}

struct emptying {
        sw_content *content;
        sw_err *err;
};

static bool
remove_blob(void *arg, const struct sw_blob_info *info)
{
        struct emptying *e = arg;

        e->err = sw_content_remove(e->content, &info->digest);
        return !e->err;
}

/* What is on its way in stays. */
static sw_err *
empty_content(sw_worker *w, sw_ctx *ctx)
{
        struct emptying e = { w->content, NULL };
        sw_err *err = sw_content_walk(w->content, ctx, remove_blob, &e);

        if (!err)
                err = sw_steal(e.err);
        sw_err_drop(e.err, "the first one is told");
        return err ? err : sw__content_sweep(w->content, 0);
}

sw_err *
sw__part_empty(sw_worker *w, sw_ctx *ctx, const char *path)
{
        if (strcmp(path, "content") == 0)
                return empty_content(w, ctx);
        sw_auto(sw_fd) dirfd =
                openat(w->rootfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        sw_auto(sw_fd) listfd = dirfd < 0 ? -1 : openat(dirfd, ".", O_RDONLY | O_CLOEXEC);
        DIR *d = listfd < 0 ? NULL : fdopendir(listfd);
        struct dirent *e;
        sw_err *err = SW_OK;

        if (!d)
                return errno == ENOENT ? SW_OK
                                       : sw_err_sys(SW_E_IO, errno, "list %s", path);
        listfd = -1; /* the stream's now */
        while (!err && (e = readdir(d))) {
                if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
                        continue;
                err = sw_ctx_check(ctx);
                if (!err)
                        err = sw_path_remove(dirfd, e->d_name);
        }
        (void) closedir(d);
        return err;
}
