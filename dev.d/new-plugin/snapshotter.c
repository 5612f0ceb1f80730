/*
 * plugins/snapshotter-@NAME@/plugin.c - snapshotter "@NAME@": a layer is the list of calls
 * its writer got; a tree is made by doing them again, layer after layer, in a new directory.
 * Correct and slow: a place to start from.
 *
 * Below the store's directory, where X is "active" or, once committed, "layer":
 *      X-KEY/log, data   the calls; what files contain
 *      X-KEY/lower       the keys it was prepared on, each with a NUL
 *      X-KEY/tree        the layer on top of those, while it is mounted and until its
 *                        changes were put into the log
 *      temp-ID           being made: a view, a tree, a layer; flocked by who makes it
 */
#include <dirent.h>
#include <fcntl.h>
#include <fts.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <slipway/id.h>
#include <slipway/io.h>
#include <slipway/map.h>
#include <slipway/path.h>
#include <slipway/snapshotter.h>
#include <slipway/text.h>
#include <slipway/time.h>

enum { LOG_MAX = 1 << 30, OPEN_DIR = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC };

struct store {
        int dirfd;
};

#define fail(what, path)                                                                   \
        sw_err_sys(errno == ENOENT ? SW_E_NOT_FOUND : SW_E_IO, errno, "%s %s", what, path)

/* ---- temporary directories -------------------------------------------------------------- */

static sw_err *
make_temp(struct store *s, char name[64], int *fd)
{
        char id[SW_ID_SIZE];
        struct stat st;

        for (;;) { /* until nobody sweeps it before we have the lock */
                snprintf(name, 64, "temp-%s", sw_id_new(id));
                if (mkdirat(s->dirfd, name, 0755) < 0)
                        return fail("make", name);
                *fd = openat(s->dirfd, name, OPEN_DIR);
                if (*fd >= 0 && flock(*fd, LOCK_EX | LOCK_NB) == 0 && fstat(*fd, &st) == 0 &&
                    st.st_nlink)
                        return SW_OK;
                if (*fd < 0 && errno != ENOENT)
                        return fail("open", name);
                sw_fd_clear(fd);
        }
}

static sw_err *
@ID@_open(void *self, sw_ctx *ctx, int dirfd, void **store)
{
        DIR *dir = fdopendir(openat(dirfd, ".", OPEN_DIR));
        sw_err *err = SW_OK;
        struct dirent *e;

        (void) self;
        (void) ctx;
        if (!dir)
                return fail("read", "the store");
        while (!err && (e = readdir(dir))) {
                if (strncmp(e->d_name, "temp-", 5) != 0)
                        continue;
                sw_auto(sw_fd) fd = openat(dirfd, e->d_name, OPEN_DIR);
                if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
                        err = sw_path_remove(dirfd, e->d_name);
        }
        closedir(dir);
        if (err)
                return err;
        struct store *s = sw_new(struct store);
        s->dirfd = dirfd;
        *store = s;
        return SW_OK;
}

static void
@ID@_close(void *self, void *store)
{
        (void) self;
        free(store);
}

static sw_err *
@ID@_probe(void *self, sw_ctx *ctx, int dirfd)
{
        (void) self;
        (void) ctx;
        if (faccessat(dirfd, ".", W_OK, 0) < 0)
                return sw_err_sys(SW_E_UNSUPPORTED, errno, "the directory cannot be written");
        return SW_OK;
}

/* ---- the log ------------------------------------------------------------------------------ */

/* One call. In the log: this, then path and arg with their NULs, then a value. */
struct record {
        uint32_t op; /* 'd' 'f' 's' 'h' 'n' 'w' 'o' 'x' */
        uint32_t mode, uid, gid;
        int64_t mtime;
        int64_t offset, size; /* of a file, in data */
        uint64_t dev;
        uint32_t path_len, arg_len, value_len;
};

struct writer {
        int log, data;
        sw_map *told;         /* path -> "d" or "f" */
        pthread_mutex_t lock; /* over all of it: files may come from several threads */
        sw_err *broken;
};

static sw_err *
write_all(int fd, const void *p, size_t n)
{
        int err = sw_write_all(fd, p, n);

        return err ? sw_err_sys(SW_E_IO, err, "write") : SW_OK;
}

static sw_err *
check_path(struct writer *w, const char *path)
{
        sw_auto(sw_str) clean = sw_path_clean(path);
        const char *slash = strrchr(path, '/');
        sw_auto(sw_str) parent = sw_strndup(path, slash ? (size_t) (slash - path) : 0);

        if (!*path)
                return SW_OK;
        if (strcmp(clean, path) != 0 || *path == '/' || strcmp(path, ".") == 0 ||
            strcmp(path, "..") == 0 || strncmp(path, "../", 3) == 0)
                return sw_err_new(SW_E_INVALID, "path %s is not clean", path);
        if (strlen(path) >= PATH_MAX || strlen(slash ? slash + 1 : path) > NAME_MAX)
                return sw_err_new(SW_E_LIMIT, "path %.50s... is too long", path);
        const char *kind = *parent ? sw_map_get(w->told, parent) : "d";
        if (!kind || *kind != 'd')
                return sw_err_new(SW_E_NOT_FOUND, "directory %s was not told", parent);
        return SW_OK;
}

/* What was told under a path is replaced. */
static void
forget(struct writer *w, const char *path)
{
        struct sw_map_iter it = SW_MAP_ITER(w->told);
        const char *was = sw_map_get(w->told, path);
        const size_t n = strlen(path);

        while (was && *was == 'd' && sw_map_next(&it))
                if (strncmp(it.key, path, n) == 0 && ((const char *) it.key)[n] == '/')
                        (void) sw_map_remove(w->told, it.key);
        (void) sw_map_remove(w->told, path);
}

static sw_err *
append_locked(struct writer *w, struct record *r, const char *path, const char *arg,
              const void *value, size_t n)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;
        sw_err *err = check_path(w, path);

        if (!err && !*path && r->op != 'd' && r->op != 'o' && r->op != 'x')
                err = sw_err_new(SW_E_INVALID, "the root is always a directory");
        if (!err && (r->mode & ~07777u))
                err = sw_err_new(SW_E_INVALID, "%s: mode %o", path, r->mode);
        if (err)
                return err;
        r->path_len = (uint32_t) strlen(path);
        r->arg_len = (uint32_t) strlen(arg);
        r->value_len = (uint32_t) n;
        sw_buf_add(&b, r, sizeof(*r));
        sw_buf_add(&b, path, r->path_len + 1);
        sw_buf_add(&b, arg, r->arg_len + 1);
        sw_buf_add(&b, value, n);
        if (strchr("fshnw", (int) r->op) || (r->op == 'd' && !sw_str_eq(sw_map_get(w->told, path), "d")))
                forget(w, path);
        if (*path && strchr("dfshn", (int) r->op))
                (void) sw_map_set(w->told, path, r->op == 'd' ? "d" : "f");
        return write_all(w->log, b.data, b.len);
}

static sw_err *
append(struct writer *w, char op, const char *path, const struct sw_layer_meta *m,
       struct record r, const char *arg, const void *value, size_t n)
{
        r.op = (uint32_t) op;
        if (m) {
                r.mode = m->mode;
                r.uid = m->uid;
                r.gid = m->gid;
                r.mtime = m->mtime;
        }
        pthread_mutex_lock(&w->lock);
        sw_err *err = append_locked(w, &r, path, arg, value, n);
        pthread_mutex_unlock(&w->lock);
        return err;
}

static sw_err *
w_mkdir(void *w, const char *path, const struct sw_layer_meta *m)
{
        return append(w, 'd', path, m, (struct record){ 0 }, "", NULL, 0);
}

/* Append @len bytes of a file, or of memory, to data. */
static sw_err *
add_data(struct writer *w, struct record *r, int fd, int64_t off, int64_t len, const void *p)
{
        sw_err *err = SW_OK;

        pthread_mutex_lock(&w->lock);
        r->offset = lseek(w->data, 0, SEEK_END);
        r->size = len;
        if (r->offset < 0)
                err = sw_err_sys(SW_E_IO, errno, "find the end of data");
        if (!err && fd < 0)
                err = write_all(w->data, p, (size_t) len);
        while (!err && fd >= 0 && len > 0) {
                char block[32768];
                ssize_t n = pread(fd, block,
                                  len < (int64_t) sizeof(block) ? (size_t) len : sizeof(block),
                                  off);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0)
                        err = sw_err_sys(SW_E_IO, n ? errno : EIO, "the file ends early");
                else
                        err = write_all(w->data, block, (size_t) n);
                off += n > 0 ? n : 0;
                len -= n > 0 ? n : 0;
        }
        pthread_mutex_unlock(&w->lock);
        return err;
}

static sw_err *
w_file(void *w, const char *path, const struct sw_layer_meta *m, int fd, int64_t off,
       int64_t len)
{
        struct record r = { 0 };
        sw_err *err;

        if (fd < 0 || off < 0 || len < 0)
                return sw_err_new(SW_E_INVALID, "file %s: range", path);
        err = add_data(w, &r, fd, off, len, NULL);
        return err ? err : append(w, 'f', path, m, r, "", NULL, 0);
}

static sw_err *
w_data(void *w, const char *path, const struct sw_layer_meta *m, const void *p, size_t n)
{
        struct record r = { 0 };
        sw_err *err = add_data(w, &r, -1, 0, (int64_t) n, p);

        return err ? err : append(w, 'f', path, m, r, "", NULL, 0);
}

static sw_err *
w_symlink(void *w, const char *path, const struct sw_layer_meta *m, const char *target)
{
        if (!*target || strlen(target) >= PATH_MAX)
                return sw_err_new(*target ? SW_E_LIMIT : SW_E_INVALID, "target of %s", path);
        return append(w, 's', path, m, (struct record){ 0 }, target, NULL, 0);
}

static sw_err *
w_hardlink(void *arg, const char *path, const char *existing, const struct sw_layer_meta *m)
{
        struct writer *w = arg;
        const char *kind = sw_map_get(w->told, existing);

        if (!kind)
                return sw_err_new(SW_E_NOT_FOUND, "%s was not told", existing);
        if (*kind == 'd' || strcmp(path, existing) == 0)
                return kind[0] == 'd' ? sw_err_new(SW_E_INVALID, "%s is a directory", existing)
                                      : SW_OK;
        return append(w, 'h', path, m, (struct record){ 0 }, existing, NULL, 0);
}

static sw_err *
w_node(void *w, const char *path, const struct sw_layer_meta *m, mode_t type, dev_t dev)
{
        struct record r = { .dev = dev, .size = type };

        if ((type != S_IFCHR && type != S_IFBLK && type != S_IFIFO && type != S_IFSOCK) ||
            (type == S_IFCHR && dev == makedev(0, 0)))
                return sw_err_new(SW_E_INVALID, "node %s: type or device", path);
        return append(w, 'n', path, m, r, "", NULL, 0);
}

static sw_err *
w_whiteout(void *w, const char *path)
{
        return append(w, 'w', path, NULL, (struct record){ 0 }, "", NULL, 0);
}

static bool
was_told(struct writer *w, const char *path, bool dir)
{
        pthread_mutex_lock(&w->lock);
        const char *kind = sw_map_get(w->told, path);
        pthread_mutex_unlock(&w->lock);
        return !*path || (kind && (!dir || *kind == 'd'));
}

static sw_err *
w_opaque(void *w, const char *dir)
{
        if (!was_told(w, dir, true))
                return sw_err_new(SW_E_NOT_FOUND, "directory %s was not told", dir);
        return append(w, 'o', dir, NULL, (struct record){ 0 }, "", NULL, 0);
}

static bool
private_attr(const char *name)
{
        return sw_str_has_prefix(name, "trusted.overlay.") ||
               sw_str_has_prefix(name, "user.overlay.");
}

static sw_err *
w_xattr(void *w, const char *path, const char *name, const void *p, size_t n)
{
        if (private_attr(name))
                return sw_err_new(SW_E_INVALID, "attribute %s is overlayfs's own", name);
        if (!was_told(w, path, false))
                return sw_err_new(SW_E_NOT_FOUND, "%s was not told", path);
        return append(w, 'x', path, NULL, (struct record){ 0 }, name, p, n);
}

static void
w_abandon(void *arg)
{
        struct writer *w = arg;

        sw_fd_clear(&w->log);
        sw_fd_clear(&w->data);
        sw_map_free(w->told);
        pthread_mutex_destroy(&w->lock);
        free(w);
}

static sw_err *
w_finish(void *w)
{
        w_abandon(w);
        return SW_OK;
}

static const struct sw_layer_ops writer_ops = {
        .hdr = SW_OPS_SIZE(struct sw_layer_ops),
        .mkdir = w_mkdir,
        .file = w_file,
        .data = w_data,
        .symlink = w_symlink,
        .hardlink = w_hardlink,
        .node = w_node,
        .whiteout = w_whiteout,
        .opaque = w_opaque,
        .xattr = w_xattr,
        .finish = w_finish,
        .abandon = w_abandon,
};

static sw_err *
open_writer(int dirfd, struct writer **out)
{
        struct writer *w = sw_new(struct writer);
        const int flags = O_CREAT | O_RDWR | O_APPEND | O_CLOEXEC;

        w->log = openat(dirfd, "log", flags, 0600);
        w->data = openat(dirfd, "data", flags, 0600);
        w->told = sw_map_new(NULL);
        pthread_mutex_init(&w->lock, NULL);
        if (w->log < 0 || w->data < 0) {
                sw_err *err = fail("open", "log");

                w_abandon(w);
                return err;
        }
        *out = w;
        return SW_OK;
}

/* ---- doing the calls again ----------------------------------------------------------------- */

/* Remove what is in a directory. */
static sw_err *
empty_dir(int rootfd, const char *path)
{
        sw_auto(sw_fd) fd = -1;
        sw_err *err = sw_path_open(rootfd, path, OPEN_DIR, 0, &fd);
        struct dirent *e;

        if (err)
                return err;
        DIR *dir = fdopendir(openat(fd, ".", OPEN_DIR));
        if (!dir)
                return fail("read", path);
        while (!err && (e = readdir(dir)))
                if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
                        err = sw_path_remove(fd, e->d_name);
        closedir(dir);
        return err;
}

/* A directory takes the place of what is no directory; its attributes go. */
static sw_err *
redo_dir(int dirfd, const char *base)
{
        struct stat st;
        char full[300], names[4096];
        sw_err *err = SW_OK;

        snprintf(full, sizeof(full), "/proc/self/fd/%d/%s", dirfd, base);
        if (fstatat(dirfd, base, &st, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISDIR(st.st_mode))
                err = sw_path_remove(dirfd, base);
        if (!err && mkdirat(dirfd, base, 0700) < 0 && errno != EEXIST)
                err = fail("make", base);
        ssize_t n = llistxattr(full, names, sizeof(names));
        for (const char *p = names; !err && p < names + n; p += strlen(p) + 1)
                (void) lremovexattr(full, p);
        return err;
}

static sw_err *
redo_file(int dirfd, const char *base, const struct record *r, int data)
{
        sw_auto(sw_fd) fd = openat(dirfd, base, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
        off_t off = r->offset;

        if (fd < 0)
                return fail("make", base);
        for (int64_t left = r->size; left > 0;) {
                ssize_t n = copy_file_range(data, &off, fd, NULL, (size_t) left, 0);

                if (n <= 0 && !(n < 0 && errno == EINTR))
                        return sw_err_sys(SW_E_IO, n ? errno : EIO, "write %s", base);
                left -= n > 0 ? n : 0;
        }
        return SW_OK;
}

static sw_err *
redo_link(int rootfd, const char *from, int dirfd, const char *base)
{
        sw_auto(sw_fd) fd = -1;
        sw_auto(sw_str) name = NULL;
        sw_err *err = sw_path_open_parent(rootfd, from, &fd, &name);

        if (!err && linkat(fd, name, dirfd, base, 0) < 0)
                err = fail("link", base);
        return err;
}

static sw_err *
redo(int rootfd, int data, const struct record *r, const char *path, const char *arg,
     const void *value)
{
        const struct timespec t = sw_time_to_spec(r->mtime);
        const struct timespec times[2] = { t, t };
        sw_auto(sw_fd) fd = -1;
        sw_auto(sw_str) name = NULL;
        char full[300];
        sw_err *err = SW_OK;

        if (*path)
                err = sw_path_open_parent(rootfd, path, &fd, &name);
        const int dirfd = *path ? fd : rootfd;
        const char *base = *path ? name : ".";
        if (!err && r->op != 'd' && r->op != 'x')
                err = sw_path_remove(dirfd, base);
        if (err || r->op == 'w')
                return err;
        if (r->op == 'x') {
                snprintf(full, sizeof(full), "/proc/self/fd/%d/%s", dirfd, base);
                return lsetxattr(full, arg, value, r->value_len, 0) < 0 ? fail("set", arg) : SW_OK;
        }
        if (r->op == 'h')
                return redo_link(rootfd, arg, dirfd, base);
        if (r->op == 'd')
                err = redo_dir(dirfd, base);
        else if (r->op == 'f')
                err = redo_file(dirfd, base, r, data);
        else if (r->op == 's' ? symlinkat(arg, dirfd, base) < 0
                              : mknodat(dirfd, base, (mode_t) r->size | 0600, r->dev) < 0)
                err = fail("make", base);
        if (!err && (fchownat(dirfd, base, r->uid, r->gid, AT_SYMLINK_NOFOLLOW) < 0 ||
                     (r->op != 's' && fchmodat(dirfd, base, r->mode, 0) < 0) ||
                     utimensat(dirfd, base, times, AT_SYMLINK_NOFOLLOW) < 0))
                err = fail("set the metadata of", base);
        return err;
}

/* What a layer says of its directories' times, once all is there: later ones count. */
static void
set_times(int rootfd, const sw_map *times)
{
        struct sw_map_iter it = SW_MAP_ITER(times);

        while (sw_map_next(&it)) {
                sw_auto(sw_fd) fd = -1;
                const struct timespec *t = it.value, both[2] = { *t, *t };
                sw_err *err = sw_path_open(rootfd, it.key, OPEN_DIR, 0, &fd);

                if (!err)
                        (void) !futimens(fd, both);
                sw_err_drop(err, "it was removed by a higher layer");
        }
}

/* Do the calls of one log in the tree @rootfd. */
static sw_err *
redo_layer(struct store *s, sw_ctx *ctx, const char *name, int rootfd, sw_map *times)
{
        sw_auto(sw_str) log = sw_asprintf("%s/log", name);
        sw_auto(sw_str) data = sw_asprintf("%s/data", name);
        sw_auto(sw_fd) fd = openat(s->dirfd, data, O_RDONLY | O_CLOEXEC);
        sw_auto(sw_buf) b = SW_BUF_INIT;
        sw_err *err = sw_buf_read_file(&b, s->dirfd, log, LOG_MAX);

        for (int pass = 0; pass < 2; pass++) /* what is opaque is so from the beginning */
                for (size_t at = 0; !err && at + sizeof(struct record) < b.len;) {
                        struct record r;
                        struct stat st;

                        memcpy(&r, b.data + at, sizeof(r));
                        const char *path = b.data + at + sizeof(r);
                        const char *arg = path + r.path_len + 1;
                        at += sizeof(r) + r.path_len + r.arg_len + 2 + r.value_len;
                        err = sw_ctx_check(ctx);
                        if (err || pass == (r.op == 'o'))
                                continue;
                        if (r.op != 'o') {
                                err = redo(rootfd, fd, &r, path, arg, arg + r.arg_len + 1);
                        } else {
                                sw_err *no = sw_path_stat(rootfd, path, false, &st);

                                if (!no && S_ISDIR(st.st_mode))
                                        err = empty_dir(rootfd, path);
                                sw_err_drop(no, "nothing is there to be hidden");
                        }
                        if (r.op == 'd') {
                                struct timespec t = sw_time_to_spec(r.mtime);

                                (void) sw_map_set(times, path, sw_memdup(&t, sizeof(t)));
                        }
                }
        return err;
}

/* Make the tree of a stack, and of an active layer on it (@key; may be NULL), below
 * temp/tree. The temporary directory stays locked as long as *lock is open. */
static sw_err *
make_tree(struct store *s, sw_ctx *ctx, const struct sw_stack *st, const char *key,
          char temp[64], int *lock, int *rootfd)
{
        const struct timespec epoch[2] = { { 0, 0 }, { 0, 0 } };
        sw_autoptr(sw_map) times = sw_map_new(free);
        sw_err *err = make_temp(s, temp, lock);

        if (err)
                return err;
        if (mkdirat(*lock, "tree", 0755) < 0 || (*rootfd = openat(*lock, "tree", OPEN_DIR)) < 0)
                return fail("make", "tree");
        (void) sw_map_set(times, "", sw_memdup(epoch, sizeof(*epoch)));
        for (size_t i = 0; i < st->n && !err; i++) {
                sw_auto(sw_str) name = sw_asprintf("layer-%s", st->keys[i]);

                err = sw_id_check("layer", st->keys[i]);
                if (!err && faccessat(s->dirfd, name, F_OK, 0) < 0)
                        err = sw_err_new(SW_E_NOT_FOUND, "there is no layer %s", st->keys[i]);
                if (!err)
                        err = redo_layer(s, ctx, name, *rootfd, times);
        }
        if (!err && key) {
                sw_auto(sw_str) name = sw_asprintf("active-%s", key);

                err = redo_layer(s, ctx, name, *rootfd, times);
        }
        if (!err)
                set_times(*rootfd, times);
        if (err)
                sw_err_drop(sw_path_remove(s->dirfd, temp), "the first error is told");
        return err;
}

/* ---- diff of two directories --------------------------------------------------------------- */

struct level {
        struct level *up;
        char *path;
        int fd;         /* of the directory in the upper tree */
        struct stat st; /* the same */
        bool told;
};
struct link {
        ino_t lower; /* of the first name */
        size_t names;
        bool tell;
        char *first; /* path that was told */
};
struct diff {
        sw_ctx *ctx;
        const struct sw_layer_ops *ops;
        void *w;
        sw_map *links;
        bool telling; /* second pass */
};

static void
link_free(void *p)
{
        free(((struct link *) p)->first);
        free(p);
}

static struct sw_layer_meta
meta_of(const struct stat *st)
{
        return (struct sw_layer_meta){ st->st_mode & 07777, st->st_uid, st->st_gid,
                                       sw_time_from_spec(&st->st_mtim) };
}

/* Call @fn for each attribute of @name in @dirfd, in order. */
static sw_err *
each_attr(int dirfd, const char *name,
          sw_err *(*fn)(void *arg, const char *path, const char *attr, const void *p, size_t n),
          void *arg, const char *path)
{
        char full[300], list[8192], value[8192];
        sw_auto(sw_strlist) names = { 0 };
        sw_err *err = SW_OK;

        snprintf(full, sizeof(full), "/proc/self/fd/%d/%s", dirfd, name);
        ssize_t n = llistxattr(full, list, sizeof(list));
        for (const char *p = list; p < list + n; p += strlen(p) + 1)
                if (!private_attr(p) && strcmp(p, "security.selinux") != 0)
                        sw_strlist_add(&names, p);
        sw_strlist_sort(&names);
        for (size_t i = 0; i < names.n && !err; i++) {
                ssize_t len = lgetxattr(full, names.v[i], value, sizeof(value));

                err = len < 0 ? fail("read", names.v[i])
                              : fn(arg, path, names.v[i], value, (size_t) len);
        }
        return err;
}

static sw_err *
note_attr(void *arg, const char *path, const char *attr, const void *p, size_t n)
{
        (void) path;
        sw_buf_addf(arg, "%s=%zu:", attr, n);
        sw_buf_add(arg, p, n);
        return SW_OK;
}

static bool
same_bytes(int a, int b, const char *name)
{
        sw_auto(sw_fd) fa = openat(a, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        sw_auto(sw_fd) fb = openat(b, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        char ba[16384], bb[16384];

        for (off_t off = 0;; off += sizeof(ba)) {
                ssize_t n = pread(fa, ba, sizeof(ba), off), m = pread(fb, bb, sizeof(bb), off);

                if (n != m || n < 0 || memcmp(ba, bb, (size_t) n) != 0)
                        return false;
                if (n < (ssize_t) sizeof(ba))
                        return true;
        }
}

static sw_err *
same_entry(int a, const struct stat *sa, int b, const struct stat *sb, const char *name,
           bool *same)
{
        sw_auto(sw_buf) attrs_a = SW_BUF_INIT;
        sw_auto(sw_buf) attrs_b = SW_BUF_INIT;
        const struct sw_layer_meta ma = meta_of(sa), mb = meta_of(sb);
        sw_auto(sw_str) ta = NULL;
        sw_auto(sw_str) tb = NULL;

        *same = sa->st_mode == sb->st_mode && ma.uid == mb.uid && ma.gid == mb.gid &&
                ma.mtime == mb.mtime && sa->st_rdev == sb->st_rdev &&
                (S_ISDIR(sa->st_mode) || sa->st_size == sb->st_size);
        sw_err *err = *same ? each_attr(a, name, note_attr, &attrs_a, "") : SW_OK;
        if (!err && *same)
                err = each_attr(b, name, note_attr, &attrs_b, "");
        *same = *same && attrs_a.len == attrs_b.len &&
                memcmp(attrs_a.data, attrs_b.data, attrs_a.len) == 0;
        if (!err && *same && S_ISLNK(sa->st_mode)) {
                err = sw_path_readlink(a, name, &ta);
                if (!err)
                        err = sw_path_readlink(b, name, &tb);
                *same = sw_str_eq(ta, tb);
        }
        if (!err && *same && S_ISREG(sa->st_mode))
                *same = same_bytes(a, b, name);
        return err;
}

/* Tell a directory, after those it is in; once. */
static sw_err *
tell_dir(struct diff *d, struct level *l)
{
        const struct sw_layer_meta m = meta_of(&l->st);
        sw_err *err = l->told || !l->up ? SW_OK : tell_dir(d, l->up);

        if (err || l->told)
                return err;
        l->told = true;
        err = d->ops->mkdir(d->w, l->path, &m);
        return err ? err : each_attr(l->fd, ".", d->ops->xattr, d->w, l->path);
}

static sw_err *
tell_entry(struct diff *d, struct level *l, const char *name, const char *path,
           const struct stat *st, struct link *link)
{
        const struct sw_layer_meta m = meta_of(st);
        sw_auto(sw_str) target = NULL;
        sw_err *err = tell_dir(d, l);

        if (err)
                return err;
        if (link && link->first)
                return d->ops->hardlink(d->w, path, link->first, &m);
        if (link)
                link->first = sw_strdup(path);
        if (S_ISREG(st->st_mode)) {
                sw_auto(sw_fd) fd = openat(l->fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

                err = fd < 0 ? fail("open", path)
                             : d->ops->file(d->w, path, &m, fd, 0, st->st_size);
        } else if (S_ISLNK(st->st_mode)) {
                err = sw_path_readlink(l->fd, name, &target);
                if (!err)
                        err = d->ops->symlink(d->w, path, &m, target);
        } else {
                err = d->ops->node(d->w, path, &m, st->st_mode & S_IFMT, st->st_rdev);
        }
        return err ? err : each_attr(l->fd, name, d->ops->xattr, d->w, path);
}

static sw_err *
read_names(int fd, sw_strlist *names)
{
        DIR *dir = fd < 0 ? NULL : fdopendir(openat(fd, ".", OPEN_DIR));
        struct dirent *e;

        if (fd >= 0 && !dir)
                return fail("read", "a directory");
        while (dir && (e = readdir(dir)))
                if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
                        sw_strlist_add(names, e->d_name);
        if (dir)
                closedir(dir);
        return SW_OK;
}

static sw_err *diff_dir(struct diff *d, int lower, struct level *l);

static sw_err *
diff_entry(struct diff *d, int lower, struct level *l, const char *name)
{
        sw_auto(sw_str) path = *l->path ? sw_asprintf("%s/%s", l->path, name) : sw_strdup(name);
        struct stat a = { 0 }, b = { 0 };
        const bool in_a = lower >= 0 && fstatat(lower, name, &a, AT_SYMLINK_NOFOLLOW) == 0;
        const bool in_b = fstatat(l->fd, name, &b, AT_SYMLINK_NOFOLLOW) == 0;
        bool same = false;
        sw_err *err = sw_ctx_check(d->ctx);

        if (!err && in_a && in_b)
                err = same_entry(lower, &a, l->fd, &b, name, &same);
        if (err)
                return err;
        if (!in_b) {
                err = d->telling ? tell_dir(d, l) : SW_OK;
                return err || !d->telling ? err : d->ops->whiteout(d->w, path);
        }
        if (S_ISDIR(b.st_mode)) {
                sw_auto(sw_fd) below = in_a && S_ISDIR(a.st_mode) ? openat(lower, name, OPEN_DIR)
                                                                  : -1;
                sw_auto(sw_fd) fd = openat(l->fd, name, OPEN_DIR);
                struct level next = { .up = l, .path = path, .fd = fd, .st = b };

                if (fd < 0)
                        return fail("open", path);
                if (!same && d->telling)
                        err = tell_dir(d, &next);
                return err ? err : diff_dir(d, below, &next);
        }
        struct link *link = NULL;
        if (b.st_nlink > 1) {
                link = sw_map_get_bytes(d->links, &b.st_ino, sizeof(b.st_ino));
                if (!link) {
                        link = sw_new(struct link);
                        link->lower = a.st_ino;
                        (void) sw_map_set_bytes(d->links, &b.st_ino, sizeof(b.st_ino), link);
                }
        }
        if (link && !d->telling) {
                link->names++;
                link->tell |= !same || link->lower != a.st_ino;
        }
        if (!d->telling || (same && !(link && link->names > 1 && link->tell)))
                return SW_OK;
        return tell_entry(d, l, name, path, &b, link);
}

static sw_err *
diff_dir(struct diff *d, int lower, struct level *l)
{
        sw_auto(sw_strlist) names = { 0 };
        sw_err *err = read_names(lower, &names);

        if (!err)
                err = read_names(l->fd, &names);
        sw_strlist_sort(&names);
        for (size_t i = 0; i < names.n && !err; i++)
                if (i == 0 || strcmp(names.v[i], names.v[i - 1]) != 0)
                        err = diff_entry(d, lower, l, names.v[i]);
        return err;
}

static sw_err *
diff_trees(sw_ctx *ctx, int lower, int upper, const struct sw_layer_ops *ops, void *w)
{
        sw_autoptr(sw_map) links = sw_map_new(link_free);
        struct diff d = { .ctx = ctx, .ops = ops, .w = w, .links = links };
        sw_err *err = SW_OK;
        struct stat below;
        bool same;

        for (int pass = 0; pass < 2 && !err; pass++) {
                struct level root = { .path = (char *) "", .fd = upper };

                d.telling = pass == 1;
                if (fstat(upper, &root.st) < 0 || fstat(lower, &below) < 0)
                        return fail("look at", "the roots");
                err = same_entry(lower, &below, upper, &root.st, ".", &same);
                if (!err && !same && d.telling)
                        err = tell_dir(&d, &root);
                if (!err)
                        err = diff_dir(&d, lower, &root);
        }
        return err;
}

static sw_err *
@ID@_diff(void *store, sw_ctx *ctx, const struct sw_stack *lower, const struct sw_stack *upper,
          const struct sw_layer_ops *ops, void *w)
{
        int locks[2] = { -1, -1 }, roots[2] = { -1, -1 };
        char temps[2][64];
        struct store *s = store;
        sw_err *err = make_tree(s, ctx, lower, NULL, temps[0], &locks[0], &roots[0]);

        if (!err) {
                err = make_tree(s, ctx, upper, NULL, temps[1], &locks[1], &roots[1]);
                if (!err) {
                        err = diff_trees(ctx, roots[0], roots[1], ops, w);
                        sw_err_drop(sw_path_remove(s->dirfd, temps[1]), "open() sweeps it");
                }
                sw_err_drop(sw_path_remove(s->dirfd, temps[0]), "open() sweeps it");
        }
        for (int i = 0; i < 2; i++) {
                sw_fd_clear(&roots[i]);
                sw_fd_clear(&locks[i]);
        }
        return err;
}

/* ---- layers ---------------------------------------------------------------------------------- */

/* What an active layer was prepared on; the stack is borrowed from @text and @keys. */
static sw_err *
read_lower(struct store *s, const char *key, sw_buf *text, sw_strlist *keys, struct sw_stack *st)
{
        sw_auto(sw_str) path = sw_asprintf("active-%s/lower", key);
        sw_err *err = sw_id_check("layer", key);

        if (!err)
                err = sw_buf_read_file(text, s->dirfd, path, LOG_MAX);
        if (err && sw_err_code(err) == SW_E_NOT_FOUND) {
                sw_err_free(err);
                return sw_err_new(SW_E_NOT_FOUND, "there is no active layer %s", key);
        }
        for (size_t at = 0; !err && at < text->len; at += strlen(text->data + at) + 1)
                sw_strlist_add(keys, text->data + at);
        *st = (struct sw_stack){ (const char *const *) keys->v, keys->n };
        return err;
}

static sw_err *
@ID@_prepare(void *store, sw_ctx *ctx, const char *key, const struct sw_stack *lower)
{
        struct store *s = store;
        sw_auto(sw_str) name = sw_asprintf("active-%s", key);
        sw_auto(sw_str) done = sw_asprintf("layer-%s", key);
        sw_auto(sw_fd) fd = -1;
        sw_auto(sw_buf) keys = SW_BUF_INIT;
        struct writer *w;
        char temp[64];
        sw_err *err = sw_id_check("layer", key);

        (void) ctx;
        for (size_t i = 0; !err && i < lower->n; i++) {
                sw_auto(sw_str) below = sw_asprintf("layer-%s", lower->keys[i]);

                err = sw_id_check("layer", lower->keys[i]);
                if (!err && faccessat(s->dirfd, below, F_OK, 0) < 0)
                        err = sw_err_new(SW_E_NOT_FOUND, "there is no layer %s", lower->keys[i]);
                sw_buf_add(&keys, lower->keys[i], strlen(lower->keys[i]) + 1);
        }
        if (!err && faccessat(s->dirfd, done, F_OK, 0) == 0)
                err = sw_err_new(SW_E_EXISTS, "there is a layer %s already", key);
        if (!err)
                err = make_temp(s, temp, &fd);
        if (err)
                return err;
        err = open_writer(fd, &w);
        if (!err) {
                w_abandon(w);
                sw_auto(sw_fd) lower = openat(fd, "lower", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
                err = lower < 0 ? fail("make", "lower") : write_all(lower, keys.data, keys.len);
        }
        if (!err && renameat2(s->dirfd, temp, s->dirfd, name, RENAME_NOREPLACE) < 0)
                err = sw_err_sys(errno == EEXIST ? SW_E_EXISTS : SW_E_IO, errno, "make %s", name);
        if (err)
                sw_err_drop(sw_path_remove(s->dirfd, temp), "the first error is told");
        return err;
}

/* The log becomes what the mounted tree has over the lower ones. It and its data are written
 * to the side; the tree is what counts until it is gone, so a crash loses nothing. */
static sw_err *
fold(struct store *s, sw_ctx *ctx, const char *key)
{
        sw_auto(sw_str) name = sw_asprintf("active-%s", key);
        sw_auto(sw_fd) dir = openat(s->dirfd, name, OPEN_DIR);
        sw_auto(sw_fd) tree = dir < 0 ? -1 : openat(dir, "tree", OPEN_DIR);
        sw_auto(sw_fd) fd = -1;
        sw_auto(sw_fd) lock = -1;
        sw_auto(sw_fd) below = -1;
        sw_auto(sw_buf) text = SW_BUF_INIT;
        sw_auto(sw_strlist) keys = { 0 };
        struct sw_stack st;
        struct writer *w = NULL;
        char temp[64], side[64];
        sw_err *err = read_lower(s, key, &text, &keys, &st);

        if (err || tree < 0)
                return err;
        err = make_tree(s, ctx, &st, NULL, temp, &lock, &below);
        if (!err)
                err = make_temp(s, side, &fd);
        if (!err)
                err = open_writer(fd, &w);
        if (!err)
                err = diff_trees(ctx, below, tree, &writer_ops, w);
        if (w)
                w_abandon(w);
        if (!err && (renameat(fd, "log", dir, "log") < 0 || renameat(fd, "data", dir, "data") < 0 ||
                     renameat(dir, "tree", fd, "tree") < 0))
                err = fail("put back the changes of", key);
        sw_err_drop(sw_path_remove(s->dirfd, temp), "open() sweeps it");
        sw_err_drop(sw_path_remove(s->dirfd, side), "open() sweeps it");
        return err;
}

static sw_err *
@ID@_commit(void *store, sw_ctx *ctx, const char *key)
{
        struct store *s = store;
        sw_auto(sw_str) from = sw_asprintf("active-%s", key);
        sw_auto(sw_str) to = sw_asprintf("layer-%s", key);
        sw_err *err = fold(s, ctx, key);

        if (!err && renameat(s->dirfd, from, s->dirfd, to) < 0)
                err = fail("commit", key);
        return err;
}

static sw_err *
@ID@_mount(void *store, sw_ctx *ctx, const char *key, struct sw_snapshot_mount *out)
{
        struct store *s = store;
        sw_auto(sw_str) path = sw_asprintf("active-%s/tree", key);
        sw_auto(sw_buf) text = SW_BUF_INIT;
        sw_auto(sw_strlist) keys = { 0 };
        sw_auto(sw_fd) lock = -1;
        struct sw_stack st;
        char temp[64];
        sw_err *err = read_lower(s, key, &text, &keys, &st);

        if (err)
                return err;
        int fd = openat(s->dirfd, path, OPEN_DIR);
        if (fd < 0) {
                err = make_tree(s, ctx, &st, key, temp, &lock, &fd);
                if (err)
                        return err;
                if (renameat(lock, "tree", s->dirfd, path) < 0) {
                        err = fail("mount", key);
                        sw_fd_clear(&fd);
                }
                sw_err_drop(sw_path_remove(s->dirfd, temp), "open() sweeps it");
        }
        *out = (struct sw_snapshot_mount){ .size = out->size, .dirfd = fd, .treefd = -1 };
        return err;
}

/* A view lives in a temporary directory; the handle keeps its name and its lock. */
struct view {
        char temp[64];
        int lock;
};

static sw_err *
@ID@_view(void *store, sw_ctx *ctx, const struct sw_stack *st, struct sw_snapshot_mount *out)
{
        struct view *v = sw_new(struct view);
        int fd = -1;

        v->lock = -1;
        sw_err *err = make_tree(store, ctx, st, NULL, v->temp, &v->lock, &fd);
        if (err) {
                sw_fd_clear(&fd);
                sw_fd_clear(&v->lock);
                free(v);
                return err;
        }
        *out = (struct sw_snapshot_mount){
                .size = out->size, .dirfd = fd, .treefd = -1, .handle = v
        };
        return SW_OK;
}

static sw_err *
@ID@_unmount(void *store, struct sw_snapshot_mount *m)
{
        struct store *s = store;
        struct view *v = m->handle;
        sw_err *err = v ? sw_path_remove(s->dirfd, v->temp) : SW_OK;

        close(m->dirfd);
        if (v)
                close(v->lock);
        free(v);
        return err;
}

static sw_err *
@ID@_write(void *store, sw_ctx *ctx, const char *key, const struct sw_layer_ops **ops, void **w)
{
        struct store *s = store;
        sw_auto(sw_str) name = sw_asprintf("active-%s", key);
        struct writer *writer;
        sw_err *err = fold(s, ctx, key);

        if (err)
                return err;
        sw_auto(sw_fd) fd = openat(s->dirfd, name, OPEN_DIR);
        err = fd < 0 ? fail("open", key) : open_writer(fd, &writer);
        if (err)
                return err;
        *ops = &writer_ops;
        *w = writer;
        return SW_OK;
}

/* What files take below @path, each once; @rest: but for layers. */
static sw_err *
count_below(sw_ctx *ctx, char *path, bool rest, struct sw_snapshot_usage *out)
{
        char *const roots[] = { path, NULL };
        sw_autoptr(sw_map) seen = sw_map_new(NULL);
        sw_err *err = SW_OK;
        FTSENT *e;

        FTS *fts = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
        *out = (struct sw_snapshot_usage){ .bytes = 0 };
        while (fts && !err && (e = fts_read(fts))) {
                err = sw_ctx_check(ctx);
                if (rest && e->fts_level == 1 &&
                    (sw_str_has_prefix(e->fts_name, "active-") ||
                     sw_str_has_prefix(e->fts_name, "layer-"))) {
                        fts_set(fts, e, FTS_SKIP);
                        continue;
                }
                if (e->fts_info == FTS_DP || e->fts_info == FTS_NS ||
                    (e->fts_statp->st_nlink > 1 && e->fts_info != FTS_D &&
                     !sw_map_set_bytes(seen, &e->fts_statp->st_ino, sizeof(ino_t), out)))
                        continue;
                out->bytes += (int64_t) e->fts_statp->st_blocks * 512;
                out->inodes++;
        }
        if (fts)
                fts_close(fts);
        return err;
}

static sw_err *
@ID@_usage(void *store, sw_ctx *ctx, const char *key, struct sw_snapshot_usage *out)
{
        struct store *s = store;
        char path[200];
        struct stat st;

        snprintf(path, sizeof(path), "/proc/self/fd/%d/.", s->dirfd);
        if (!*key) /* what there is besides layers */
                return count_below(ctx, path, true, out);
        sw_err *err = sw_id_check("layer", key);
        if (err)
                return err;
        snprintf(path, sizeof(path), "/proc/self/fd/%d/active-%s", s->dirfd, key);
        if (lstat(path, &st) < 0)
                snprintf(path, sizeof(path), "/proc/self/fd/%d/layer-%s", s->dirfd, key);
        if (lstat(path, &st) < 0)
                return sw_err_new(SW_E_NOT_FOUND, "there is no layer %s", key);
        return count_below(ctx, path, false, out);
}

static sw_err *
@ID@_remove(void *store, sw_ctx *ctx, const char *key)
{
        static const char *const states[] = { "active", "layer" };
        struct store *s = store;
        sw_err *err = sw_id_check("layer", key);

        (void) ctx;
        for (int i = 0; i < 2 && !err; i++) {
                sw_auto(sw_str) name = sw_asprintf("%s-%s", states[i], key);
                sw_auto(sw_fd) lock = -1;
                char temp[64];

                if (faccessat(s->dirfd, name, F_OK, 0) < 0)
                        continue;
                err = make_temp(s, temp, &lock); /* it goes at once, then is removed */
                if (!err && renameat(s->dirfd, name, lock, "gone") < 0 && errno != ENOENT)
                        err = fail("remove", key);
                if (!err)
                        err = sw_path_remove(s->dirfd, temp);
        }
        return err;
}

static sw_err *
@ID@_list(void *store, sw_ctx *ctx, sw_snapshot_fn *fn, void *arg)
{
        struct store *s = store;
        sw_auto(sw_strlist) names = { 0 };
        sw_err *err = read_names(s->dirfd, &names);

        for (size_t i = 0; i < names.n && !err; i++) {
                const bool active = sw_str_has_prefix(names.v[i], "active-");
                const char *dash = strchr(names.v[i], '-');

                err = sw_ctx_check(ctx);
                if (!err && dash && (active || sw_str_has_prefix(names.v[i], "layer-")) &&
                    !fn(arg, dash + 1, !active))
                        break;
        }
        return err;
}

static const struct sw_snapshotter_ops ops = {
        .hdr = SW_OPS_SIZE(struct sw_snapshotter_ops),
        .probe = @ID@_probe,
        .open = @ID@_open,
        .close = @ID@_close,
        .prepare = @ID@_prepare,
        .commit = @ID@_commit,
        .mount = @ID@_mount,
        .view = @ID@_view,
        .unmount = @ID@_unmount,
        .write = @ID@_write,
        .diff = @ID@_diff,
        .usage = @ID@_usage,
        .remove = @ID@_remove,
        .list = @ID@_list,
};

SW_PLUGIN(snapshotter_@ID@) = {
        SW_PLUGIN_V1(SW_KIND_SNAPSHOTTER, "@NAME@"),
        .summary = "layers as lists of calls",
        .ops = &ops.hdr,
};
