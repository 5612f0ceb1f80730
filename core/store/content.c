/*
 * core/store/content.c - blobs by digest: open, look, remove, walk. See content_priv.h.
 * Thread: any; there is no state but directories.
 */
#include "core/store/content_priv.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>

#include <slipway/mem.h>
#include <slipway/path.h>
#include <slipway/time.h>

#define INGEST_AGE (24 * 3600 * SW_NS_PER_SEC)

sw_err *
sw__content_err(int e, const char *what, const char *name)
{
        int code = SW_E_IO;

        if (e == ENOENT)
                code = SW_E_NOT_FOUND;
        else if (e == EACCES || e == EPERM || e == EROFS)
                code = SW_E_DENIED;
        return sw_err_sys((enum sw_code) code, e, "%s %s", what, name);
}

/* ---- open and close ---- */

static sw_err *
open_dir(int rootfd, const char *path, bool read_only, int *fd)
{
        if (!read_only)
                return sw_path_mkdirs(rootfd, path, 0700, fd);
        *fd = openat(rootfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return *fd < 0 && errno != ENOENT ? sw__content_err(errno, "open", path) : SW_OK;
}

/* Nobody else needs to come in: who knows a digest could read a private layer. Those that
 * were made with mode 0711 are closed. */
static sw_err *
make_private(int rootfd)
{
        sw_auto(sw_fd) fd = -1;
        struct stat st;
        sw_err *err = sw_path_mkdirs(rootfd, "content", 0700, &fd);

        if (err)
                return err;
        if (fstat(fd, &st) < 0 || ((st.st_mode & 0077) && fchmod(fd, 0700) < 0))
                return sw__content_err(errno, "close to others", "content");
        return SW_OK;
}

sw_err *
sw__content_open(int rootfd, sw_log *log, bool read_only, sw_content **out)
{
        sw_content *c = sw_new(sw_content);

        c->log = log;
        c->blobs = c->ingests = -1;
        sw_err *err = read_only ? SW_OK : make_private(rootfd);
        if (!err)
                err = open_dir(rootfd, "content/blobs/sha256", read_only, &c->blobs);
        if (!err)
                err = open_dir(rootfd, "content/ingest", read_only, &c->ingests);
        if (!err && !read_only)
                err = sw__content_sweep(c, INGEST_AGE);
        if (err) {
                sw__content_close(c);
                return sw_err_wrap(err, "content store");
        }
        *out = c;
        return SW_OK;
}

void
sw__content_close(sw_content *c)
{
        if (!c)
                return;
        sw_fd_clear(&c->blobs);
        sw_fd_clear(&c->ingests);
        free(c);
}

/* ---- listing ---- */

/* @fn for each name of a digest; false ends it. */
static sw_err *
each_name(int dirfd, bool (*fn)(void *arg, const char *name), void *arg)
{
        sw_auto(sw_fd) fd =
                dirfd < 0 ? -1 : openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        struct dirent *e;

        if (dirfd < 0)
                return SW_OK;
        DIR *d = fd < 0 ? NULL : fdopendir(fd);
        if (!d)
                return sw__content_err(errno, "list", "blobs");
        fd = -1; /* the stream's now */
        do {
                errno = 0;
                e = readdir(d);
        } while (e && (strlen(e->d_name) != SW_DIGEST_HEX_LEN || fn(arg, e->d_name)));
        const int failed = e ? 0 : errno;
        (void) closedir(d);
        return failed ? sw__content_err(failed, "list", "blobs") : SW_OK;
}

struct sweep {
        int dirfd;
        int64_t before;
};

static bool
sweep_one(void *arg, const char *name)
{
        const struct sweep *s = arg;
        struct stat st;
        sw_auto(sw_fd) fd = openat(s->dirfd, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);

        if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0 && fstat(fd, &st) == 0 &&
            st.st_nlink > 0 && sw_time_from_spec(&st.st_mtim) <= s->before)
                (void) unlinkat(s->dirfd, name, 0);
        return true;
}

sw_err *
sw__content_sweep(sw_content *c, int64_t age)
{
        struct sweep s = { c->ingests, sw_time_now() - age };

        return each_name(c->ingests, sweep_one, &s);
}

struct walk {
        sw_content *c;
        sw_ctx *ctx;
        sw_blob_fn *fn;
        void *arg;
        sw_err *err;
};

static bool
walk_one(void *arg, const char *name)
{
        struct walk *w = arg;
        struct sw_blob_info info;
        char text[SW_DIGEST_STR_SIZE] = "sha256:";

        memcpy(text + 7, name, SW_DIGEST_HEX_LEN + 1);
        if (!sw_digest_is(text, SIZE_MAX))
                return true; /* not ours */
        w->err = sw_ctx_check(w->ctx);
        if (!w->err)
                w->err = sw_digest_parse(text, SIZE_MAX, &info.digest);
        if (!w->err)
                w->err = sw_content_info(w->c, &info.digest, &info);
        if (sw_err_code(w->err) == SW_E_NOT_FOUND) { /* removed meanwhile */
                sw_err_drop(sw_steal(w->err), "nothing to tell");
                return true;
        }
        return !w->err && w->fn(w->arg, &info);
}

sw_err *
sw_content_walk(sw_content *c, sw_ctx *ctx, sw_blob_fn *fn, void *arg)
{
        struct walk w = { c, ctx, fn, arg, NULL };
        sw_err *err = each_name(c->blobs, walk_one, &w);

        if (w.err)
                sw_err_drop(err, "the first one is told");
        return w.err ? w.err : err;
}

/* ---- one blob ---- */

sw_err *
sw_content_info(sw_content *c, const sw_digest *d, struct sw_blob_info *out)
{
        char hex[SW_DIGEST_HEX_LEN + 1];
        struct stat st;

        if (c->blobs < 0 ||
            fstatat(c->blobs, sw_digest_hex(d, hex), &st, AT_SYMLINK_NOFOLLOW) < 0)
                return sw__content_err(c->blobs < 0 ? ENOENT : errno,
                                       "blob sha256:", sw_digest_hex(d, hex));
        *out = (struct sw_blob_info){ *d, st.st_size, sw_time_from_spec(&st.st_mtim) };
        return SW_OK;
}

sw_err *
sw_content_open(sw_content *c, const sw_digest *d, int *out, struct sw_blob_info *info)
{
        char hex[SW_DIGEST_HEX_LEN + 1];
        struct stat st;
        sw_auto(sw_fd) fd = c->blobs < 0 ? -1
                                         : openat(c->blobs, sw_digest_hex(d, hex),
                                                  O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

        if (fd < 0 || fstat(fd, &st) < 0)
                return sw__content_err(c->blobs < 0 ? ENOENT : errno,
                                       "blob sha256:", sw_digest_hex(d, hex));
        if (info)
                *info = (struct sw_blob_info){ *d, st.st_size,
                                               sw_time_from_spec(&st.st_mtim) };
        *out = sw_fd_steal(&fd);
        return SW_OK;
}

sw_err *
sw_content_remove(sw_content *c, const sw_digest *d)
{
        char hex[SW_DIGEST_HEX_LEN + 1];

        if (c->blobs < 0 || unlinkat(c->blobs, sw_digest_hex(d, hex), 0) == 0 ||
            errno == ENOENT)
                return SW_OK;
        return sw__content_err(errno, "remove blob sha256:", hex);
}
