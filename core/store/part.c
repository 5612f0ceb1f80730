/*
 * core/store/part.c - parts of a root that nothing stands on: emptying them, and removing
 * what is old.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <slipway/path.h>
#include <slipway/time.h>

#include "core/store/blobhold.h"
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
        sw_worker *w;
        int64_t bytes;
        sw_err *err;
};

static bool
remove_blob(void *arg, const struct sw_blob_info *info)
{
        struct emptying *e = arg;
        char text[SW_DIGEST_STR_SIZE];

        e->err = sw__blob_drop(e->w, sw_digest_str(&info->digest, text), &e->bytes);
        return !e->err;
}

/* What is on its way in stays. */
static sw_err *
empty_content(sw_worker *w, sw_ctx *ctx, int64_t *bytes)
{
        struct emptying e = { .w = w };
        sw_err *err = sw_content_walk(w->content, ctx, remove_blob, &e);

        if (!err)
                err = sw_steal(e.err);
        sw_err_drop(e.err, "the first one is told");
        *bytes = e.bytes;
        return err ? err : sw__content_sweep(w->content, 0);
}

sw_err *
sw__part_empty(sw_worker *w, sw_ctx *ctx, const char *path, int64_t *size)
{
        if (strcmp(path, "content") == 0)
                return empty_content(w, ctx, size);
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

/* ---- logs of builds, a directory each ---- */

struct old_log {
        char *name;
        int64_t time;
};

static int
newest_first(const void *a, const void *b)
{
        const struct old_log *x = a, *y = b;

        return (x->time < y->time) - (x->time > y->time);
}

typedef SW_ARRAY(struct old_log) log_list;

static void
list_logs(int dirfd, log_list *out)
{
        sw_auto(sw_fd) listfd = openat(dirfd, ".", O_RDONLY | O_CLOEXEC);
        DIR *d = listfd < 0 ? NULL : fdopendir(listfd);
        struct dirent *e;
        struct stat st;

        if (!d)
                return;
        listfd = -1; /* the stream's now */
        while ((e = readdir(d))) {
                if (e->d_name[0] == '.' ||
                    fstatat(dirfd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                        continue;
                struct old_log l = { sw_strdup(e->d_name), sw_time_from_spec(&st.st_mtim) };
                sw_array_push(out, l);
        }
        (void) closedir(d);
        if (out->n)
                qsort(out->v, out->n, sizeof(*out->v), newest_first);
}

sw_err *
sw__logs_age(sw_worker *w, size_t keep, int64_t max_age)
{
        sw_auto(sw_fd) dirfd =
                openat(w->rootfd, "logs", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        const int64_t now = sw_time_now();
        log_list logs = { 0 };
        sw_err *err = SW_OK;

        if (dirfd < 0)
                return errno == ENOENT ? SW_OK : sw_err_sys(SW_E_IO, errno, "open logs");
        list_logs(dirfd, &logs);
        for (size_t i = 0; i < logs.n; i++) {
                if (!err && i >= keep && now - logs.v[i].time > max_age)
                        err = sw_path_remove(dirfd, logs.v[i].name);
                free(logs.v[i].name);
        }
        sw_array_release(&logs);
        return err;
}
