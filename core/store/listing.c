/*
 * core/store/listing.c - looking things up in a listing, and opening what it lists.
 *
 * A listing is sorted by path with '/' before every other byte, so that what is in a
 * directory follows it in one run. Files are opened with no symlink followed on the way,
 * and only while they are what was listed or, since, hashed: a cache key that was made of
 * one content never stands for another.
 * Thread: any.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>

#include <slipway/path.h>
#include <slipway/ref.h>
#include <slipway/text.h>

#include "core/base/pathwalk.h"
#include "core/store/listing.h"

/* The first entry that does not sort before @path. */
static size_t
lower_bound(const struct sw_listing *l, const char *path)
{
        size_t lo = 0, hi = l->n;

        while (lo < hi) {
                size_t mid = lo + (hi - lo) / 2;

                if (sw_path_cmp(l->v[mid].path, path) < 0)
                        lo = mid + 1;
                else
                        hi = mid;
        }
        return lo;
}

const struct sw_entry *
sw_listing_find(const struct sw_listing *l, const char *path)
{
        size_t i = lower_bound(l, path);

        return i < l->n && strcmp(l->v[i].path, path) == 0 ? &l->v[i] : NULL;
}

size_t
sw_listing_below(const struct sw_listing *l, const char *dir, size_t *first)
{
        size_t len = strlen(dir), lo, hi;

        *first = len ? lower_bound(l, dir) : 0;
        if (!len)
                return l->n;
        if (*first >= l->n || strcmp(l->v[*first].path, dir) != 0)
                return 0;
        lo = *first + 1;
        hi = l->n;
        while (lo < hi) { /* the end of the run that begins with "dir/" */
                size_t mid = lo + (hi - lo) / 2;
                const char *p = l->v[mid].path;

                if (strncmp(p, dir, len) == 0 && p[len] == '/')
                        lo = mid + 1;
                else
                        hi = mid;
        }
        return lo - *first;
}

int
sw__open_beneath(int dirfd, const char *path, int flags)
{
        struct open_how how = {
                .flags = (unsigned) (flags | O_NOFOLLOW | O_CLOEXEC),
                .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
        };
        int fd, err;

        do
                fd = (int) syscall(SYS_openat2, dirfd, path, &how, sizeof(how));
        while (fd < 0 && (errno == EINTR || errno == EAGAIN));
        if (fd >= 0 || errno != ENOSYS)
                return fd;
        err = sw__walk_open(dirfd, path, flags | O_NOFOLLOW | O_CLOEXEC, 0, &fd);
        if (!err)
                return fd;
        errno = err;
        return -1;
}

static sw_err *
open_error(int err, const char *path)
{
        sw_auto(sw_buf) name = SW_BUF_INIT;

        sw_buf_add_quoted(&name, path, strlen(path), 300);
        if (err == ENOENT || err == ENOTDIR || err == ELOOP || err == ESTALE)
                return sw_err_new(SW_E_BUSY, "%s was %s during the build", name.data,
                                  err == ESTALE ? "changed" : "removed or replaced");
        if (err == EACCES || err == EPERM)
                return sw_err_sys(SW_E_DENIED, err,
                                  "open %s (make it readable, or exclude it)", name.data);
        return sw_err_sys(SW_E_IO, err, "open %s", name.data);
}

static bool
same_state(const struct stat *a, const struct stat *b)
{
        return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
               a->st_mode == b->st_mode && a->st_size == b->st_size &&
               a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
               a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
               a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
               a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

sw_err *
sw_listing_check(const struct sw_listing *l, size_t i, int fd, const struct stat *st)
{
        struct stat now;

        if (fstat(fd, &now) != 0)
                return open_error(errno, l->v[i].path);
        /* what is in a directory may come and go: the listing says what is in the tree */
        if (S_ISDIR(st->st_mode) ? st->st_ino == now.st_ino && st->st_dev == now.st_dev
                                 : same_state(st, &now))
                return SW_OK;
        return open_error(ESTALE, l->v[i].path);
}

sw_err *
sw_listing_open(const struct sw_listing *l, size_t i, int *out, struct stat *st)
{
        const char *path = l->v[i].path;
        sw_auto(sw_fd) fd =
                sw__open_beneath(l->dirfd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);

        if (fd < 0)
                return open_error(errno, path);
        l->stat(l->self, i, st);
        sw_err *err = sw_listing_check(l, i, fd, st);
        if (!err)
                *out = sw_fd_steal(&fd);
        return err;
}
