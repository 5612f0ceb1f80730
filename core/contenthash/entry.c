/*
 * core/contenthash/entry.c - the digest of one entry: SHA-256 over a header, written like
 * the first version of Docker's tarsum, and the content of a file.
 *
 * The header has name (always empty: that is up to the directory), mode without file type,
 * owner, size of regular files, type, link target, device numbers, extended attributes; no
 * times. Sockets count as regular files.
 *
 * A file that changes while it is read is read again, a few times; then it is an error. Of
 * a listing, the state it had is learnt along with the digest.
 * Thread: any; a worker belongs to one.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include <slipway/text.h>

#include "core/contenthash/tree.h"
#include "core/store/listing.h"

#define READ_SIZE  (size_t)(256 * 1024)
#define MAX_XATTRS 65536 /* the kernel's own limit of a list, and of a value */
#define MAX_TRIES  3

void
sw__hworker_init(struct sw__hworker *w, struct sw__hview *v)
{
        *w = (struct sw__hworker){ .view = v, .dirfd = -1, .hasher = sw_hasher_new() };
        sw_buf_init(&w->path);
}

void
sw__hworker_release(struct sw__hworker *w)
{
        sw_hasher_free(w->hasher);
        sw_buf_release(&w->path);
        free(w->buf);
        if (w->dirfd >= 0)
                (void) close(w->dirfd);
}

static sw_err *
entry_error(enum sw_code code, int err, const struct sw__hnode *n, const char *doing,
            const char *remedy)
{
        sw_auto(sw_buf) path = SW_BUF_INIT;
        sw_auto(sw_buf) shown = SW_BUF_INIT;

        sw__hpath(n, &path);
        sw_buf_add_quoted(&shown, path.data, path.len, 300);
        if (!err)
                return sw_err_new(code, "%s %s%s", doing, shown.data, remedy);
        return sw_err_sys(code, err, "%s %s%s", doing, shown.data, remedy);
}

static sw_err *
open_entry_error(int err, const struct sw__hnode *n, bool foreign)
{
        if (err == EACCES || err == EPERM)
                return entry_error(SW_E_DENIED, err, n, "open",
                                   foreign ? " (make it readable, or exclude it)" : "");
        if (foreign && (err == ENOENT || err == ENOTDIR || err == ELOOP))
                return entry_error(SW_E_BUSY, 0, n,
                                   "it was removed or replaced during the "
                                   "build:",
                                   "");
        return entry_error(SW_E_IO, err, n, "open", "");
}

/* The directory that @n is in, kept open for the next one. */
static sw_err *
enter(struct sw__hworker *w, const struct sw__hnode *n)
{
        const struct sw__hnode *dir = n->parent ? n->parent : n;
        int root;
        sw_err *err = sw__hview_fd(w->view, &root);

        if (err || w->dir == dir)
                return err;
        sw_buf_clear(&w->path);
        sw__hpath(dir, &w->path);
        int fd = sw__open_beneath(root, w->path.data, O_PATH | O_DIRECTORY);
        if (fd < 0)
                return open_entry_error(errno, dir, w->view->tree->listing != NULL);
        if (w->dirfd >= 0)
                (void) close(w->dirfd);
        w->dirfd = fd;
        w->dir = dir;
        return SW_OK;
}

/* ---- the header ---- */

static char
type_flag(mode_t mode)
{
        switch (mode & S_IFMT) {
        case S_IFDIR: return '5';
        case S_IFLNK: return '2';
        case S_IFCHR: return '3';
        case S_IFBLK: return '4';
        case S_IFIFO: return '6';
        default: return '0';
        }
}

static void
add_header(struct sw__hworker *w, const struct stat *st, const char *link)
{
        bool dev = S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode);
        bool sized = S_ISREG(st->st_mode) || S_ISSOCK(st->st_mode);
        unsigned mode = st->st_mode & 07777U;
        sw_buf *b = &w->path; /* free by now */

        if (S_ISLNK(st->st_mode))
                mode |= 0777;
        sw_buf_clear(b);
        sw_buf_addf(b, "namemode%uuid%ugid%usize%lldtypeflag%clinkname", mode,
                    (unsigned) st->st_uid, (unsigned) st->st_gid,
                    sized ? (long long) st->st_size : 0, type_flag(st->st_mode));
        sw_buf_adds(b, link ? link : "");
        sw_buf_addf(b, "unamegnamedevmajor%udevminor%u", dev ? major(st->st_rdev) : 0,
                    dev ? minor(st->st_rdev) : 0);
        sw_hasher_add(w->hasher, b->data, b->len);
}

/* Whether an extended attribute counts. */
static bool
counts(const char *name)
{
        if (strcmp(name, "security.capability") == 0)
                return true;
        return strncmp(name, "security.", 9) != 0 && strncmp(name, "system.", 7) != 0;
}

/* Where the attributes are: a descriptor, or a path through /proc for what cannot be
 * opened (a symlink, a device). */
struct xattrs {
        int fd;
        char path[64 + 256];
};

static ssize_t
list_xattrs(const struct xattrs *x, char *buf, size_t n)
{
        return x->fd >= 0 ? flistxattr(x->fd, buf, n) : llistxattr(x->path, buf, n);
}

static ssize_t
get_xattr(const struct xattrs *x, const char *name, void *buf, size_t n)
{
        return x->fd >= 0 ? fgetxattr(x->fd, name, buf, n)
                          : lgetxattr(x->path, name, buf, n);
}

static int
add_xattr(struct sw__hworker *w, const struct xattrs *x, const char *name)
{
        char *value = sw_alloc(MAX_XATTRS);
        ssize_t n = get_xattr(x, name, value, MAX_XATTRS);
        int err = n < 0 ? errno : 0;

        if (n >= 0) {
                sw_hasher_add(w->hasher, name, strlen(name));
                sw_hasher_add(w->hasher, value, (size_t) n);
        }
        free(value);
        return err == ENODATA ? 0 : err; /* gone since it was listed */
}

/* 0 or an errno. */
static int
add_xattrs(struct sw__hworker *w, const struct xattrs *x)
{
        char small[512], *list = small;
        sw_auto(sw_strlist) names = { 0 };
        ssize_t n = list_xattrs(x, small, sizeof(small));
        int err = 0;

        if (n < 0 && errno == ERANGE) {
                list = sw_alloc(MAX_XATTRS);
                n = list_xattrs(x, list, MAX_XATTRS);
        }
        if (n < 0)
                err = errno == ENOTSUP ? 0 : errno;
        for (ssize_t i = 0; i < n; i += (ssize_t) strlen(list + i) + 1) {
                if (counts(list + i))
                        sw_strlist_add(&names, list + i);
        }
        sw_strlist_sort(&names);
        for (size_t i = 0; i < names.n && !err; i++)
                err = add_xattr(w, x, names.v[i]);
        if (list != small)
                free(list);
        return err;
}

/* ---- files ---- */

static sw_err *
add_content(struct sw__hworker *w, const struct sw__hnode *n, int fd, int64_t *size)
{
        size_t since = 0;

        if (!w->buf)
                w->buf = sw_alloc(READ_SIZE);
        for (*size = 0;;) {
                ssize_t got = read(fd, w->buf, READ_SIZE);

                if (got < 0 && errno == EINTR)
                        continue;
                if (got < 0)
                        return entry_error(SW_E_IO, errno, n, "read", "");
                if (got == 0)
                        return SW_OK;
                sw_hasher_add(w->hasher, w->buf, (size_t) got);
                *size += got;
                since += (size_t) got;
                if (since < 32 * READ_SIZE)
                        continue;
                since = 0;
                sw_err *err = sw_ctx_check(w->view->ctx);
                if (err)
                        return err;
        }
}

static bool
same(const struct stat *a, const struct stat *b)
{
        return a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
               a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
               a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
               a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* As the tree has it: the owner of a listed entry is not that of the file. */
static void
put_owner(const struct sw__hworker *w, const struct sw__hnode *n, struct stat *st)
{
        const struct sw_listing *l = w->view->tree->listing;

        if (!l || n->listed == SW__H_UNLISTED)
                return;
        st->st_uid = l->v[n->listed].uid;
        st->st_gid = l->v[n->listed].gid;
}

/* Once, from the start. *again: it changed meanwhile. */
static sw_err *
read_file(struct sw__hworker *w, struct sw__hnode *n, int fd, struct stat *st, bool *again)
{
        struct xattrs x = { .fd = fd };
        struct stat before, after;
        int64_t size = 0;

        if (lseek(fd, 0, SEEK_SET) != 0 || fstat(fd, &before) != 0)
                return entry_error(SW_E_IO, errno, n, "read", "");
        *st = before;
        put_owner(w, n, &before);
        add_header(w, &before, NULL);
        int failed = add_xattrs(w, &x);
        if (failed)
                return entry_error(SW_E_IO, failed, n, "read the attributes of", "");
        sw_err *err = st->st_size > 0 ? add_content(w, n, fd, &size) : SW_OK;
        if (err)
                return err;
        if (fstat(fd, &after) != 0)
                return entry_error(SW_E_IO, errno, n, "read", "");
        w->bytes += size;
        *again = size != st->st_size || !same(st, &after);
        n->own = sw_hasher_finish(w->hasher);
        return SW_OK;
}

static sw_err *
hash_file(struct sw__hworker *w, struct sw__hnode *n, mode_t listed)
{
        bool foreign = w->view->tree->listing != NULL, again = true;
        struct stat st;
        sw_auto(sw_fd) fd =
                openat(w->dirfd, n->name,
                       O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        sw_err *err = SW_OK;

        if (fd < 0)
                return open_entry_error(errno, n, foreign);
        if (fstat(fd, &st) != 0)
                return entry_error(SW_E_IO, errno, n, "stat", "");
        if (st.st_mode != listed)
                return open_entry_error(ENOENT, n, foreign);
        if (st.st_size > (off_t) READ_SIZE)
                (void) posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
        for (int i = 0; i < MAX_TRIES && again && !err; i++)
                err = read_file(w, n, fd, &st, &again);
        if (!err && again)
                err = entry_error(SW_E_BUSY, 0, n, "it changes while it is read:",
                                  " (stop what writes it, or exclude it)");
        if (err) {
                (void) sw_hasher_finish(w->hasher); /* fresh for the next one */
                return err;
        }
        if (foreign)
                w->view->tree->listing->learn(w->view->tree->listing->self, n->listed, &st,
                                              &n->own);
        return SW_OK;
}

/* A directory, symlink or device: its header is all there is. */
static sw_err *
hash_header(struct sw__hworker *w, struct sw__hnode *n, const struct stat *st)
{
        const struct sw_listing *l = w->view->tree->listing;
        struct stat shown = *st;
        struct xattrs x = { .fd = -1 };

        put_owner(w, n, &shown);
        (void) snprintf(x.path, sizeof(x.path), "/proc/self/fd/%d/%s", w->dirfd,
                        n->parent ? n->name : ".");
        add_header(w, &shown, n->link);
        int failed = add_xattrs(w, &x);
        n->own = sw_hasher_finish(w->hasher);
        if (failed)
                return entry_error(SW_E_IO, failed, n, "read the attributes of", "");
        if (l && n->listed != SW__H_UNLISTED)
                l->learn(l->self, n->listed, st, &n->own);
        return SW_OK;
}

/* What the entry is: of a listing, as it was listed. */
static sw_err *
stat_entry(struct sw__hworker *w, const struct sw__hnode *n, struct stat *st)
{
        const struct sw_listing *l = w->view->tree->listing;

        if (l && n->listed != SW__H_UNLISTED) {
                l->stat(l->self, n->listed, st);
                return SW_OK;
        }
        if (fstatat(w->dirfd, n->parent ? n->name : ".", st, AT_SYMLINK_NOFOLLOW) == 0)
                return SW_OK;
        return open_entry_error(errno, n, l != NULL);
}

sw_err *
sw__hworker_hash(struct sw__hworker *w, struct sw__hnode *n)
{
        struct stat st;
        sw_err *err = enter(w, n);

        if (!err)
                err = stat_entry(w, n, &st);
        if (err)
                return err;
        err = S_ISREG(st.st_mode) ? hash_file(w, n, st.st_mode) : hash_header(w, n, &st);
        if (!err)
                n->hashed = true;
        return err;
}
