/*
 * lib/snapdir/flat.c - several layers as one directory.
 *
 * The layers of a slice of a stack are put together in a new directory: directories are
 * made anew, everything else is another name of what is in the layers, so that it takes no
 * space but for directories. The result is a layer by itself, in diff form: whiteouts are
 * kept for what is below the slice, and a directory is opaque when something in the slice
 * hides what is below it. Or, as a whole tree, it has neither.
 *
 * It is found by a digest of the keys, belongs to the top one of them (c/<top>/f.<digest>),
 * and each part has a note of it (c/<part>/p.<digest>): removing
 * any part removes it. Notes come first: a flat that can be seen is known to all its parts.
 *
 * A copy (snapdir_copy_tree) is made the same way, as a whole tree whose files are copies;
 * files with several names in a layer are one file again.
 *
 * Thread: any; several may make the same one at once, the first one stays.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>

#include <slipway/digest.h>

#include "lib/snapdir/snapdir.h"

/* A directory yet to be put together. */
struct job {
        char *path;
        SW_ARRAY(uint32_t) from; /* sources that have it, top first */
        bool opaque;             /* it hides what is below the slice */
};

struct flat {
        struct snapdir *s;
        sw_ctx *ctx;
        char *const *sources; /* directories, top first */
        size_t n_sources;
        bool whole;
        const char *root;              /* where it is made */
        struct snapdir_copied *copied; /* NULL: files are linked */
        sw_map *links;                 /* of a copy: origin -> its first path, owned */
        atomic_bool no_clone;
        SW_ARRAY(struct job) jobs;
};

/* One name of a directory. */
struct name {
        bool closed, opaque;
        bool dir, whiteout;
        SW_ARRAY(uint32_t) from;
};

static void
name_free(void *p)
{
        struct name *n = p;

        sw_array_release(&n->from);
        free(n);
}

static void
job_release(struct job *j)
{
        free(j->path);
        sw_array_release(&j->from);
}

static sw_err *
open_source(const struct flat *f, uint32_t i, const char *path, int *fd)
{
        sw_auto(sw_str) full = sw_asprintf("%s/%s", f->sources[i], path);

        *fd = snapdir_open_dir(f->s->dirfd, full);
        return *fd < 0 ? snapdir_err(errno, "open", full) : SW_OK;
}

/* ---- names ------------------------------------------------------------------------- */

static sw_err *
see(struct flat *f, struct name *n, uint32_t source, int dirfd, const struct dirent *e)
{
        bool dir = e->d_type == DT_DIR, whiteout = false, opaque = false;
        struct stat st;
        sw_err *err = SW_OK;

        if (n->closed)
                return SW_OK;
        if (e->d_type == DT_CHR || e->d_type == DT_UNKNOWN ||
            (f->s->file_whiteouts && e->d_type == DT_REG)) {
                if (fstatat(dirfd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                        return snapdir_err(errno, "look at", e->d_name);
                dir = S_ISDIR(st.st_mode);
                whiteout = snapdir_is_whiteout(f->s, dirfd, e->d_name, &st);
        }
        if (dir)
                err = snapdir_is_opaque(f->s, dirfd, e->d_name, &opaque);
        n->closed = !dir || opaque;
        if (!n->from.n) {
                n->dir = dir;
                n->whiteout = whiteout;
        } else if (!dir) {
                opaque = true; /* hides what is below a directory above it */
        }
        n->opaque = opaque;
        if (dir || !n->from.n)
                sw_array_push(&n->from, source);
        return err;
}

static sw_err *
read_source(struct flat *f, const struct job *j, uint32_t source, sw_map *names)
{
        sw_auto(sw_fd) fd = -1;
        const struct dirent *e;
        sw_err *err = open_source(f, source, j->path, &fd);

        if (err)
                return err;
        const int dirfd = fd;
        DIR *dir = fdopendir(fd);
        if (!dir)
                return snapdir_err(errno, "read", j->path);
        (void) sw_fd_steal(&fd);
        for (errno = 0; !err && (e = readdir(dir)); errno = 0) {
                if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
                        continue;
                struct name *n = sw_map_get(names, e->d_name);
                if (!n) {
                        n = sw_new(struct name);
                        (void) sw_map_set(names, e->d_name, n);
                }
                err = see(f, n, source, dirfd, e);
        }
        if (!err && errno)
                err = snapdir_err(errno, "read", j->path);
        (void) closedir(dir);
        return err ? err : sw_ctx_check(f->ctx);
}

/* ---- entries ----------------------------------------------------------------------- */

static sw_err *
copy_attrs(int from, int to, const char *name)
{
        sw_auto(sw_strlist) names = { 0 };
        char path[300];
        sw_err *err = snapdir_attr_list(from, name, &names);

        snapdir_proc_path(path, to, name);
        for (size_t i = 0; i < names.n && !err; i++) {
                sw_auto(sw_buf) value = SW_BUF_INIT;

                err = snapdir_attr_get(from, name, names.v[i], &value);
                if (!err && lsetxattr(path, names.v[i], value.data, value.len, 0) < 0)
                        err = snapdir_err(errno, "set attribute", names.v[i]);
        }
        return err;
}

static sw_err *
copy_contents(struct flat *f, int from, int to, const char *name, int64_t size)
{
        sw_auto(sw_fd) in = openat(from, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        sw_auto(sw_fd) out =
                openat(to, name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);

        if (in < 0 || out < 0)
                return snapdir_err(errno, "copy", name);
        return snapdir_copy(in, 0, size, out, &f->no_clone, sw_ctx_cancel(f->ctx));
}

/* Copy an entry that is no directory, with all it has. */
static sw_err *
copy_entry(struct flat *f, int from, int to, const char *name, const struct stat *st)
{
        const struct timespec times[2] = { st->st_atim, st->st_mtim };
        sw_err *err = SW_OK;

        if (S_ISREG(st->st_mode)) {
                err = copy_contents(f, from, to, name, st->st_size);
        } else if (S_ISLNK(st->st_mode)) {
                sw_auto(sw_str) target = NULL;

                err = sw_path_readlink(from, name, &target);
                if (!err && symlinkat(target, to, name) < 0)
                        err = snapdir_err(errno, "copy", name);
        } else if (mknodat(to, name, (st->st_mode & S_IFMT) | 0600, st->st_rdev) < 0) {
                err = snapdir_err(errno, "copy", name);
        }
        if (!err && fchownat(to, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0)
                err = snapdir_err(errno, "set the owner of", name);
        /* attributes of user.* need a file that its owner may write */
        if (!err)
                err = copy_attrs(from, to, name);
        if (!err && !S_ISLNK(st->st_mode) && fchmodat(to, name, st->st_mode & 07777, 0) < 0)
                err = snapdir_err(errno, "set the mode of", name);
        if (!err && utimensat(to, name, times, AT_SYMLINK_NOFOLLOW) < 0)
                err = snapdir_err(errno, "set the time of", name);
        return err;
}

/* ---- links and copies -------------------------------------------------------------- */

/* A file of a layer. */
struct origin {
        uint64_t source, ino;
};

/* What one of a copy was made of, and how it was then. */
struct copied_file {
        struct origin from;
        struct timespec ctime;
};

void
snapdir_copied_release(struct snapdir_copied *c)
{
        sw_map_free(c->files);
        c->files = NULL;
}

bool
snapdir_copied_same(const struct snapdir_copied *c, ino_t ino, const struct timespec *ctime,
                    uint32_t source, ino_t from_ino)
{
        const uint64_t key = ino;
        const struct copied_file *f = sw_map_get_bytes(c->files, &key, sizeof(key));

        /* what was changed within the same tick of the clock cannot be told by it */
        return f && f->from.source == source && f->from.ino == from_ino &&
               f->ctime.tv_sec == ctime->tv_sec && f->ctime.tv_nsec == ctime->tv_nsec &&
               (ctime->tv_sec < c->when.tv_sec ||
                (ctime->tv_sec == c->when.tv_sec && ctime->tv_nsec < c->when.tv_nsec));
}

static sw_err *
note_copy(struct flat *f, struct origin from, int to, const char *name)
{
        struct stat st;

        if (fstatat(to, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return snapdir_err(errno, "look at", name);
        const uint64_t key = st.st_ino;
        struct copied_file *c = sw_new(struct copied_file);
        c->from = from;
        c->ctime = st.st_ctim;
        (void) sw_map_set_bytes(f->copied->files, &key, sizeof(key), c);
        return SW_OK;
}

/* Another name of what was copied to @first before. */
static sw_err *
link_copy(struct flat *f, const char *first, int to, const char *name)
{
        const char *slash = strrchr(first, '/');
        sw_auto(sw_str) dir =
                sw_asprintf("%s/%.*s", f->root, slash ? (int) (slash - first) : 0, first);
        sw_auto(sw_fd) from = snapdir_open_dir(f->s->dirfd, dir);

        if (from < 0 || linkat(from, slash ? slash + 1 : first, to, name, 0) < 0)
                return snapdir_err(errno, "link", name);
        return SW_OK;
}

static sw_err *
place_copy(struct flat *f, const struct job *j, uint32_t source, int from, int to,
           const char *name)
{
        struct stat st;
        sw_err *err;

        if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return snapdir_err(errno, "look at", name);
        const struct origin key = { source, st.st_ino };
        const char *first =
                st.st_nlink > 1 ? sw_map_get_bytes(f->links, &key, sizeof(key)) : NULL;
        if (first) {
                err = link_copy(f, first, to, name);
        } else {
                err = copy_entry(f, from, to, name, &st);
                if (!err && st.st_nlink > 1)
                        (void) sw_map_set_bytes(f->links, &key, sizeof(key),
                                                *j->path ? sw_asprintf("%s/%s", j->path,
                                                                       name)
                                                         : sw_strdup(name));
        }
        return err ? err : note_copy(f, key, to, name);
}

/* Another name of a file; a copy where it cannot have one more. */
static sw_err *
place_link(struct flat *f, int from, int to, const char *name, bool whiteout)
{
        struct stat st;

        if (linkat(from, name, to, name, 0) == 0)
                return SW_OK;
        if (errno != EMLINK && errno != EPERM)
                return snapdir_err(errno, "link", name);
        if (whiteout)
                return snapdir_make_whiteout(f->s, to, name) == 0
                               ? SW_OK
                               : snapdir_err(errno, "make whiteout", name);
        if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return snapdir_err(errno, "look at", name);
        return copy_entry(f, from, to, name, &st);
}

static sw_err *
add_job(struct flat *f, const struct job *in, const char *name, struct name *n)
{
        struct job j = { .path = *in->path ? sw_asprintf("%s/%s", in->path, name)
                                           : sw_strdup(name),
                         .opaque = n->opaque && !f->whole };

        j.from.v = n->from.v; /* given */
        j.from.n = n->from.n;
        j.from.cap = n->from.cap;
        n->from.v = NULL;
        n->from.n = n->from.cap = 0;
        sw_array_push(&f->jobs, j);
        return SW_OK;
}

/* Marks of the diff form on the directory that was made. */
static sw_err *
set_marks(const struct flat *f, const struct job *j, int fd, bool whiteouts)
{
        if (j->opaque && fsetxattr(fd, snapdir_attr_opaque(f->s), "y", 1, 0) < 0)
                return snapdir_err(errno, "make opaque", j->path);
        if (whiteouts && fsetxattr(fd, snapdir_attr_origin(f->s), "", 0, 0) < 0)
                return snapdir_err(errno, "mark as having whiteouts:", j->path);
        return SW_OK;
}

/* Make the entries of a directory. Sources are opened one at a time. */
static sw_err *
make_entries(struct flat *f, const struct job *j, sw_map *names, int to, bool *whiteouts)
{
        sw_err *err = SW_OK;

        for (size_t i = 0; i < j->from.n && !err; i++) {
                struct sw_map_iter it = SW_MAP_ITER(names);
                sw_auto(sw_fd) from = -1;

                err = open_source(f, j->from.v[i], j->path, &from);
                while (!err && sw_map_next(&it)) {
                        struct name *n = it.value;

                        if (!n->from.n || n->from.v[0] != j->from.v[i])
                                continue;
                        if (n->dir) {
                                if (mkdirat(to, it.key, 0700) < 0)
                                        err = snapdir_err(errno, "make", it.key);
                                else
                                        err = add_job(f, j, it.key, n);
                        } else if (!n->whiteout || !f->whole) {
                                err = f->copied ? place_copy(f, j, j->from.v[i], from, to,
                                                             it.key)
                                                : place_link(f, from, to, it.key,
                                                             n->whiteout);
                                *whiteouts |= n->whiteout;
                        }
                }
        }
        return err;
}

static sw_err *
do_job(struct flat *f, const struct job *j)
{
        sw_autoptr(sw_map) names = sw_map_new(name_free);
        sw_auto(sw_str) full = sw_asprintf("%s/%s", f->root, j->path);
        sw_auto(sw_fd) like = -1;
        bool whiteouts = false;
        sw_err *err = SW_OK;

        sw_auto(sw_fd) to = snapdir_open_dir(f->s->dirfd, full);
        if (to < 0)
                return snapdir_err(errno, "open", full);
        for (size_t i = 0; i < j->from.n && !err; i++)
                err = read_source(f, j, j->from.v[i], names);
        if (!err)
                err = make_entries(f, j, names, to, &whiteouts);
        if (!err)
                /* A directory comes from somewhere. */
                /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference) */
                err = open_source(f, j->from.v[0], j->path, &like);
        if (!err)
                err = set_marks(f, j, to, whiteouts);
        return err ? err : snapdir_like(to, like);
}

static sw_err *
fill(struct flat *f)
{
        struct job first = { .path = sw_strdup("") };
        sw_err *err = SW_OK;

        for (size_t i = 0; i < f->n_sources; i++)
                sw_array_push(&first.from, (uint32_t) i);
        sw_array_push(&f->jobs, first);
        while (f->jobs.n) {
                struct job j = f->jobs.v[--f->jobs.n];

                if (!err)
                        err = do_job(f, &j);
                job_release(&j);
        }
        sw_array_release(&f->jobs);
        return err;
}

/* ---- slices ------------------------------------------------------------------------ */

void
snapdir_slice_release(struct snapdir_slice *sl)
{
        for (size_t i = 0; i < sl->sources.n; i++)
                free(sl->sources.v[i]);
        sw_array_release(&sl->sources);
}

/* c/<top>/f.<digest>; @digest also by itself. */
static void
flat_name(const struct snapdir_slice *sl, char path[SNAPDIR_PATH], char digest[33])
{
        sw_auto(sw_buf) text = SW_BUF_INIT;
        char hex[SW_DIGEST_HEX_LEN + 1];

        sw_buf_adds(&text, sl->whole ? "whole" : "slice");
        for (size_t i = 0; i < sl->n; i++) {
                sw_buf_addc(&text, '\n');
                sw_buf_adds(&text, sl->keys[i]);
        }
        const sw_digest d = sw_digest_of(text.data, text.len);
        memcpy(digest, sw_digest_hex(&d, hex), 32);
        digest[32] = '\0';
        (void) snprintf(path, SNAPDIR_PATH, "c/%s/f.%s", sl->keys[sl->n - 1], digest);
}

bool
snapdir_slice_find(struct snapdir *s, const struct snapdir_slice *sl,
                   char out[SNAPDIR_PATH])
{
        char digest[33];

        flat_name(sl, out, digest);
        if (faccessat(s->dirfd, out, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
                return false;
        (void) strncat(out, "/fs", SNAPDIR_PATH - strlen(out) - 1);
        return true;
}

static sw_err *
note_parts(struct snapdir *s, const struct snapdir_slice *sl, const char *digest)
{
        const char *top = sl->keys[sl->n - 1];

        for (size_t i = 0; i + 1 < sl->n; i++) {
                char path[SNAPDIR_PATH];

                (void) snprintf(path, sizeof(path), "c/%s/p.%s", sl->keys[i], digest);
                if (symlinkat(top, s->dirfd, path) < 0 && errno != EEXIST)
                        return snapdir_err(errno, "make", path);
        }
        return SW_OK;
}

sw_err *
snapdir_slice_make(struct snapdir *s, sw_ctx *ctx, const struct snapdir_slice *sl,
                   char out[SNAPDIR_PATH])
{
        char temp[SNAPDIR_PATH], root[SNAPDIR_PATH + 4], digest[33];
        struct flat f = { .s = s,
                          .ctx = ctx,
                          .sources = sl->sources.v,
                          .n_sources = sl->sources.n,
                          .whole = sl->whole,
                          .root = root };

        flat_name(sl, out, digest);
        snapdir_temp(s, temp);
        (void) snprintf(root, sizeof(root), "%s/fs", temp);
        if (mkdirat(s->dirfd, temp, 0700) < 0 || mkdirat(s->dirfd, root, 0700) < 0)
                return snapdir_err(errno, "make", root);
        sw_err *err = fill(&f);
        if (!err)
                err = note_parts(s, sl, digest);
        if (!err && renameat2(s->dirfd, temp, s->dirfd, out, RENAME_NOREPLACE) < 0) {
                if (errno != EEXIST)
                        err = snapdir_err(errno, "make", out);
                sw_err_drop(sw_path_remove(s->dirfd, temp), "somebody else was quicker");
        } else if (err) {
                sw_err_drop(sw_path_remove(s->dirfd, temp), "the first error is told");
        }
        (void) strncat(out, "/fs", SNAPDIR_PATH - strlen(out) - 1);
        return sw_err_wrap(err, "put %zu layers together", sl->n);
}

/* ---- copies ------------------------------------------------------------------------ */

/* The time of now as the file system has it. */
static sw_err *
file_time(struct snapdir *s, struct timespec *out)
{
        char path[SNAPDIR_PATH];
        struct stat st;

        snapdir_temp(s, path);
        sw_auto(sw_fd) fd =
                openat(s->dirfd, path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
        if (fd < 0 || fstat(fd, &st) < 0 || unlinkat(s->dirfd, path, 0) < 0)
                return snapdir_err(errno, "make", path);
        *out = st.st_ctim;
        return SW_OK;
}

sw_err *
snapdir_copy_tree(struct snapdir *s, sw_ctx *ctx, const sw_strlist *sources,
                  const char *root, struct snapdir_copied *copied)
{
        sw_autoptr(sw_map) links = sw_map_new(free);
        struct flat f = { .s = s,
                          .ctx = ctx,
                          .sources = sources->v,
                          .n_sources = sources->n,
                          .whole = true,
                          .root = root,
                          .copied = copied,
                          .links = links };

        copied->files = sw_map_new(free);
        sw_err *err = fill(&f);
        return err ? err : file_time(s, &copied->when);
}

/* ---- sizes ------------------------------------------------------------------------- */

/* Add the entries of a directory to *n; directories in it to @todo. */
static sw_err *
count_dir(struct snapdir *s, const char *path, size_t limit, size_t *n, sw_strlist *todo)
{
        sw_auto(sw_fd) fd = snapdir_open_dir(s->dirfd, path);
        const struct dirent *e;

        DIR *dir = fd < 0 ? NULL : fdopendir(fd);
        if (!dir)
                return snapdir_err(errno, "read", path);
        (void) sw_fd_steal(&fd);
        while (*n <= limit && (e = readdir(dir))) {
                if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
                        continue;
                ++*n;
                if (e->d_type == DT_DIR)
                        sw_strlist_take(todo, sw_asprintf("%s/%s", path, e->d_name));
        }
        (void) closedir(dir);
        return SW_OK;
}

sw_err *
snapdir_slice_entries(struct snapdir *s, const struct snapdir_slice *sl, size_t limit,
                      size_t *n)
{
        sw_err *err = SW_OK;

        *n = 0;
        for (size_t i = 0; i < sl->sources.n && !err && *n <= limit; i++) {
                sw_auto(sw_strlist) todo = { 0 };

                sw_strlist_add(&todo, sl->sources.v[i]);
                while (todo.n && !err && *n <= limit) {
                        sw_auto(sw_str) path = todo.v[--todo.n];

                        err = count_dir(s, path, limit, n, &todo);
                }
        }
        return err;
}
