/*
 * lib/snapdir/writerdirs.c - the directories a layer writer was told, and how they are
 * reached.
 *
 * Each is opened by its name in its parent, O_NOFOLLOW, so that no path is ever looked up
 * through a link; as many as OPEN_MAX of those last used stay open, so that a tree told in
 * order costs one openat per directory.
 *
 * Invariants: a directory with users is open; a parent comes before its children in
 * `order`; what is gone is in no map and no list.
 * Thread: any; under the writer's lock.
 */
#include <fcntl.h>
#include <limits.h>
#include <string.h>

#include "lib/snapdir/writer_priv.h"

enum { OPEN_MAX_DIRS = 32, PATH_LIMIT = 64 << 10 };

/* ---- paths ---- */

static sw_err *
check_path(const char *path)
{
        const char *p = path;

        if (strnlen(path, PATH_LIMIT + 1) > PATH_LIMIT)
                return sw_err_new(SW_E_LIMIT, "a path of more than %d bytes", PATH_LIMIT);
        while (*p) {
                size_t n = strcspn(p, "/");

                if (n > NAME_MAX)
                        return snapdir_err(ENAMETOOLONG, "write", path);
                if (n == 0 || (n == 1 && p[0] == '.') ||
                    (n == 2 && p[0] == '.' && p[1] == '.'))
                        break;
                p += n;
                if (*p == '/' && p[1])
                        p++;
        }
        return *p ? snapdir_err(EINVAL, "path is not clean:", path) : SW_OK;
}

/* ---- open directories ---- */

static void
unlink_open(struct writer *w, struct wdir *d)
{
        *(d->newer ? &d->newer->older : &w->newest) = d->older;
        *(d->older ? &d->older->newer : &w->oldest) = d->newer;
        d->newer = d->older = NULL;
        w->n_open--;
}

static void
link_newest(struct writer *w, struct wdir *d)
{
        d->older = w->newest;
        d->newer = NULL;
        *(w->newest ? &w->newest->newer : &w->oldest) = d;
        w->newest = d;
        w->n_open++;
}

static void
close_dir(struct writer *w, struct wdir *d)
{
        unlink_open(w, d);
        sw_fd_clear(&d->fd);
        sw_fd_clear(&d->twin);
}

/* Close what was not used for longest, but for @keep and what is in use. */
static void
close_oldest(struct writer *w, const struct wdir *keep)
{
        struct wdir *newer;

        for (struct wdir *d = w->oldest; d && w->n_open >= OPEN_MAX_DIRS; d = newer) {
                newer = d->newer;
                if (!d->users && d != keep)
                        close_dir(w, d);
        }
}

static sw_err *
open_dir_locked(struct writer *w, struct wdir *d)
{
        while (d->fd < 0) {
                struct wdir *step = d; /* the closed one nearest to the root */

                while (step->parent->fd < 0)
                        step = step->parent;
                close_oldest(w, step->parent);
                step->fd = openat(step->parent->fd, step->base,
                                  O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
                if (step->fd < 0)
                        return snapdir_err(errno, "open", step->path);
                link_newest(w, step);
        }
        if (d->parent && w->newest != d) {
                unlink_open(w, d);
                link_newest(w, d);
        }
        return SW_OK;
}

static sw_err *
get_dir(struct writer *w, const char *path, size_t len, struct wdir **out)
{
        pthread_mutex_lock(&w->lock);
        struct wdir *d = len ? sw_map_get_bytes(w->dirs, path, len) : &w->root;
        sw_err *err = d ? open_dir_locked(w, d) : SW_OK;
        if (d && !err)
                d->users++;
        pthread_mutex_unlock(&w->lock);
        if (d || err) {
                *out = d;
                return err;
        }
        sw_auto(sw_str) name = sw_strndup(path, len);
        return snapdir_err(ENOENT, "the directory was not told before:", name);
}

sw_err *
writer_dir(struct writer *w, const char *path, struct wdir **out)
{
        sw_err *err = check_path(path);

        return err ? err : get_dir(w, path, strlen(path), out);
}

void
writer_dir_put(struct writer *w, struct wdir *d)
{
        pthread_mutex_lock(&w->lock);
        d->users--;
        if (d->gone && !d->users && d->fd >= 0)
                close_dir(w, d);
        pthread_mutex_unlock(&w->lock);
}

sw_err *
writer_enter(struct writer *w, const char *path, struct place *at)
{
        sw_err *err = check_path(path);

        if (err)
                return err;
        if (!*path)
                return sw_err_new(SW_E_INVALID,
                                  "the root of a layer is always a directory");
        const char *slash = strrchr(path, '/');
        at->base = slash ? slash + 1 : path;
        return get_dir(w, path, slash ? (size_t) (slash - path) : 0, &at->dir);
}

void
writer_leave(struct writer *w, struct place *at)
{
        writer_dir_put(w, at->dir);
}

/* ---- coming and going ---- */

struct wdir *
writer_dir_add(struct writer *w, const struct place *at, const char *path)
{
        pthread_mutex_lock(&w->lock);
        struct wdir *d = sw_map_get(w->dirs, path);
        if (!d) {
                d = sw_new(struct wdir);
                d->fd = d->twin = -1;
                d->path = sw_strdup(path);
                d->base = d->path + (at->base - path);
                d->parent = at->dir;
                d->next = at->dir->child;
                at->dir->child = d;
                (void) sw_map_set(w->dirs, path, d);
                sw_array_push(&w->order, d);
        }
        pthread_mutex_unlock(&w->lock);
        return d;
}

/* Forget @top and all below it. */
static void
forget_locked(struct writer *w, struct wdir *top)
{
        struct wdir *d = top;

        for (;;) {
                while (d->child)
                        d = d->child;
                struct wdir *parent = d->parent;
                d->gone = true;
                (void) sw_map_remove(w->dirs, d->path);
                if (d->fd >= 0 && !d->users)
                        close_dir(w, d);
                if (d == top)
                        break;
                parent->child = d->next;
                d = parent;
        }
        for (struct wdir **p = &top->parent->child; *p; p = &(*p)->next)
                if (*p == top) {
                        *p = top->next;
                        break;
                }
}

sw_err *
writer_clear(struct writer *w, const struct place *at, const char *path)
{
        pthread_mutex_lock(&w->lock);
        struct wdir *d = sw_map_get(w->dirs, path);
        if (d)
                forget_locked(w, d);
        pthread_mutex_unlock(&w->lock);
        if (!d && unlinkat(at->dir->fd, at->base, 0) == 0)
                return SW_OK;
        return sw_err_wrap(sw_path_remove(at->dir->fd, at->base), "replace %s", at->base);
}

void
writer_dirs_release(struct writer *w)
{
        for (size_t i = 0; i < w->order.n; i++) {
                sw_fd_clear(&w->order.v[i]->fd);
                sw_fd_clear(&w->order.v[i]->twin);
                free(w->order.v[i]->path);
                free(w->order.v[i]);
        }
        sw_array_release(&w->order);
        sw_map_free(w->dirs);
        sw_fd_clear(&w->root.fd);
        sw_fd_clear(&w->root.twin);
        sw_fd_clear(&w->partnerfd);
}
