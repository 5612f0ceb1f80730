/*
 * plugins/source-local/walk.c - a directory as the patterns want it, by several threads.
 *
 * A directory is one piece of work: it is read, its names are sorted and matched, what may
 * have something wanted in it becomes further pieces, the rest is looked at with stat. A
 * large directory is looked at in several pieces. What vanishes meanwhile is not there;
 * what cannot be read is an error, unless it was not wanted anyway.
 *
 * Directories that are not wanted themselves are kept until it is known whether something
 * below them is (list.c).
 * Thread: the caller's, and those of a pool that ends with the call. A found_dir belongs to
 * the piece of work that reads it, an entry to the one that looks at it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>

#include <slipway/path.h>
#include <slipway/pool.h>
#include <slipway/text.h>

#include "plugins/source-local/local.h"

#define AT_ONCE     2048 /* entries of a directory that are one piece of work */
#define MAX_THREADS 4

struct walk {
        sw_ctx *ctx;
        int root;
        const sw_patterns *include, *exclude;
        sw_pool *pool;
        pthread_mutex_t lock;
        sw_err *err; /* the first one */
        atomic_bool stop;
};

/* A directory being walked; released when its last piece of work is done. */
struct piece {
        struct walk *w;
        struct found_dir *dir;
        struct sw_pattern_state include, exclude; /* of the directory itself */
        sw_fd fd;
        atomic_uint users;
};

struct range {
        struct piece *p;
        size_t first, end;
};

void
found_dir_free(struct found_dir *d)
{
        if (!d)
                return;
        for (size_t i = 0; i < d->v.n; i++)
                found_dir_free(d->v.v[i].in);
        sw_array_release(&d->v);
        sw_buf_release(&d->text);
        free(d->path);
        free(d);
}

static struct found_dir *
found_dir_new(char *path)
{
        struct found_dir *d = sw_new(struct found_dir);

        d->path = path;
        sw_buf_init(&d->text);
        sw_buf_addc(&d->text, '\0'); /* offset 0 is no text */
        return d;
}

static void
piece_done(struct piece *p)
{
        if (atomic_fetch_sub(&p->users, 1) != 1)
                return;
        sw_pattern_state_release(&p->include);
        sw_pattern_state_release(&p->exclude);
        sw_fd_clear(&p->fd);
        free(p);
}

static void
fail(struct walk *w, sw_err *err)
{
        (void) pthread_mutex_lock(&w->lock);
        if (!w->err)
                w->err = sw_steal(err);
        (void) pthread_mutex_unlock(&w->lock);
        sw_err_drop(err, "something else failed before");
        atomic_store(&w->stop, true);
}

static sw_err *
walk_error(int err, const char *doing, const char *dir, const char *name)
{
        sw_auto(sw_str) path = sw_path_join(dir, name);
        sw_auto(sw_buf) shown = SW_BUF_INIT;

        sw_buf_add_quoted(&shown, *path ? path : ".", strlen(*path ? path : "."), 300);
        if (err == EACCES || err == EPERM)
                return sw_err_sys(SW_E_DENIED, err,
                                  "%s %s (make it readable, or exclude it)", doing,
                                  shown.data);
        return sw_err_sys(SW_E_IO, err, "%s %s", doing, shown.data);
}

/* ---- entries ---- */

static const char *
name_of(const struct found_dir *d, const struct found *f)
{
        return d->text.data + f->name;
}

/* The target of a symlink goes behind the names: only the thread that has the whole
 * directory may add it. */
static sw_err *
read_link(struct piece *p, struct found *f)
{
        char target[4097];
        ssize_t n = readlinkat(p->fd, name_of(p->dir, f), target, sizeof(target) - 1);

        if (n < 0 && errno == ENOENT) {
                f->gone = true;
                return SW_OK;
        }
        if (n < 0 || n == (ssize_t) sizeof(target) - 1)
                return walk_error(n < 0 ? errno : ENAMETOOLONG, "read symlink",
                                  p->dir->path, name_of(p->dir, f));
        target[n] = '\0';
        f->link = (uint32_t) p->dir->text.len;
        sw_buf_add(&p->dir->text, target, (size_t) n + 1);
        return SW_OK;
}

static sw_err *
look_at(struct piece *p, struct found *f)
{
        const char *name = name_of(p->dir, f);

        if (fstatat(p->fd, name, &f->st, AT_SYMLINK_NOFOLLOW) == 0)
                return SW_OK;
        if (errno != ENOENT && errno != ENOTDIR)
                return walk_error(errno, "look at", p->dir->path, name);
        f->gone = true;
        return SW_OK;
}

static void
look_at_range(void *arg)
{
        struct range *r = arg;
        sw_err *err = SW_OK;

        for (size_t i = r->first; i < r->end && !err; i++) {
                if (i % 256 == 0 && atomic_load(&r->p->w->stop))
                        break;
                err = look_at(r->p, &r->p->dir->v.v[i]);
        }
        if (err)
                fail(r->p->w, err);
        piece_done(r->p);
        free(r);
}

/* ---- a directory ---- */

static void walk_piece(void *arg);

/* Something may be wanted in the directory @f: a piece of work of its own. */
static sw_err *
descend(struct piece *p, struct found *f, char *path, struct sw_pattern_state *include,
        struct sw_pattern_state *exclude)
{
        struct piece *next = sw_new(struct piece);

        next->w = p->w;
        next->fd = -1;
        next->include = *include;
        next->exclude = *exclude;
        include->bits = exclude->bits = NULL;
        atomic_init(&next->users, 1);
        next->dir = f->in = found_dir_new(path);
        sw_err *err = sw_pool_submit(p->w->pool, walk_piece, next);
        if (err)
                piece_done(next);
        return err;
}

/* Match an entry. *below: something in it may be wanted. */
static bool
match(const struct piece *p, const char *path, bool is_dir,
      struct sw_pattern_state *include, struct sw_pattern_state *exclude, bool *below)
{
        const struct walk *w = p->w;
        bool wanted = true;

        *below = is_dir;
        if (w->include &&
            !sw_patterns_match(w->include, path, &p->include, is_dir ? include : NULL)) {
                wanted = false;
                *below = *below && sw_patterns_may_match_below(w->include, path);
        }
        if (w->exclude &&
            sw_patterns_match(w->exclude, path, &p->exclude, is_dir ? exclude : NULL)) {
                wanted = false;
                *below = *below && sw_patterns_may_except_below(w->exclude, path);
        }
        return wanted;
}

/* Keep the entry @f if it, or something in it, may be wanted. */
static sw_err *
take(struct piece *p, struct found *f, bool *keep)
{
        struct sw_pattern_state include = { NULL }, exclude = { NULL };
        bool below = f->is_dir;
        char *path = NULL;
        sw_err *err = SW_OK;

        f->wanted = true;
        if (f->is_dir || p->w->include || p->w->exclude) {
                path = *p->dir->path
                               ? sw_asprintf("%s/%s", p->dir->path, name_of(p->dir, f))
                               : sw_strdup(name_of(p->dir, f));
                f->wanted = match(p, path, f->is_dir, &include, &exclude, &below);
        }
        *keep = f->wanted || below;
        if (below)
                err = descend(p, f, sw_steal(path), &include, &exclude);
        free(path);
        sw_pattern_state_release(&include);
        sw_pattern_state_release(&exclude);
        return err;
}

static int
by_name(const void *a, const void *b, void *arg)
{
        const char *text = arg;

        return strcmp(text + ((const struct found *) a)->name,
                      text + ((const struct found *) b)->name);
}

/* The type, where the directory does not tell it. */
static sw_err *
know_type(struct piece *p, struct found *f, unsigned char type, bool *is_link)
{
        if (type == DT_UNKNOWN) {
                sw_err *err = look_at(p, f);

                if (err || f->gone)
                        return err;
                type = (unsigned char) IFTODT(f->st.st_mode);
        }
        f->is_dir = type == DT_DIR;
        *is_link = type == DT_LNK;
        return SW_OK;
}

/* An entry of the directory as it was read. */
static sw_err *
add(struct piece *p, const struct dirent64 *d)
{
        struct found f = { .name = (uint32_t) p->dir->text.len };
        bool is_link = false, keep = false;

        sw_buf_add(&p->dir->text, d->d_name, strlen(d->d_name) + 1);
        sw_err *err = know_type(p, &f, d->d_type, &is_link);
        if (!err && !f.gone)
                err = take(p, &f, &keep);
        if (!err && keep && is_link)
                err = read_link(p, &f);
        if (!err && keep && !f.gone)
                sw_array_push(&p->dir->v, f);
        else
                found_dir_free(f.in);
        return err;
}

static sw_err *
read_names(struct piece *p)
{
        enum { SIZE = 32768 };
        union {
                struct dirent64 align;
                char bytes[SIZE];
        } buf;

        for (;;) {
                ssize_t n = getdents64(p->fd, buf.bytes, SIZE);

                if (n == 0 || (n < 0 && errno == ENOENT)) /* removed while it was read */
                        return SW_OK;
                if (n < 0)
                        return walk_error(errno, "read directory", p->dir->path, "");
                sw_err *err = sw_ctx_check(p->w->ctx);
                for (ssize_t at = 0; at < n && !err;) {
                        const struct dirent64 *d = (const void *) (buf.bytes + at);

                        at += d->d_reclen;
                        if (strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0)
                                err = add(p, d);
                }
                if (err)
                        return err;
        }
}

/* Look at everything that was kept, a large directory in pieces. */
static sw_err *
look_at_all(struct piece *p)
{
        for (size_t i = 0; i < p->dir->v.n; i += AT_ONCE) {
                struct range *r = sw_new(struct range);
                size_t end = i + AT_ONCE;

                r->p = p;
                r->first = i;
                r->end = end < p->dir->v.n ? end : p->dir->v.n;
                (void) atomic_fetch_add(&p->users, 1);
                if (r->end == p->dir->v.n) {
                        look_at_range(r);
                        break;
                }
                sw_err *err = sw_pool_submit(p->w->pool, look_at_range, r);
                if (err) {
                        piece_done(p);
                        free(r);
                        return err;
                }
        }
        return SW_OK;
}

static sw_err *
walk_dir(struct piece *p)
{
        struct found_dir *d = p->dir;
        sw_err *err = sw_path_open(p->w->root, d->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW,
                                   0, &p->fd);

        if (err && sw_err_code(err) == SW_E_NOT_FOUND) {
                sw_err_drop(err, "it vanished during the walk: it is not there");
                return SW_OK;
        }
        if (err && sw_err_code(err) == SW_E_DENIED)
                return sw_err_wrap(err, "make %s readable, or exclude it", d->path);
        if (!err)
                err = read_names(p);
        if (err)
                return err;
        if (d->v.n > 1)
                qsort_r(d->v.v, d->v.n, sizeof(*d->v.v), by_name, d->text.data);
        return look_at_all(p);
}

static void
walk_piece(void *arg)
{
        struct piece *p = arg;

        if (!atomic_load(&p->w->stop)) {
                sw_err *err = walk_dir(p);

                if (err)
                        /* The last reference is dropped below. */
                        /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
                        fail(p->w, err);
        }
        piece_done(p);
}

static unsigned
threads(void)
{
        long n = sysconf(_SC_NPROCESSORS_ONLN);

        return n < 1 ? 1 : n > MAX_THREADS ? MAX_THREADS : (unsigned) n;
}

sw_err *
walk_directory(sw_ctx *ctx, int root, const sw_patterns *include,
               const sw_patterns *exclude, struct found_dir **out)
{
        struct walk w = {
                .ctx = ctx, .root = root, .include = include, .exclude = exclude
        };
        struct piece *p = sw_new(struct piece);
        struct found_dir *dir = found_dir_new(sw_strdup(""));
        sw_err *err = sw_pool_new("walk", threads(), &w.pool);

        (void) pthread_mutex_init(&w.lock, NULL);
        p->w = &w;
        p->fd = -1;
        p->dir = dir;
        atomic_init(&p->users, 1);
        if (err) {
                piece_done(p);
        } else {
                walk_piece(p);
                sw_pool_drain(w.pool);
        }
        sw_pool_free(w.pool);
        (void) pthread_mutex_destroy(&w.lock);
        if (!err)
                err = sw_steal(w.err);
        if (err)
                found_dir_free(dir);
        else
                *out = dir;
        return err;
}
