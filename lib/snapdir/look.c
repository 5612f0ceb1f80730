/*
 * lib/snapdir/look.c - the tree of several layers, asked path by path without a mount.
 *
 * A directory is the list of the layers that have it, top first, cut after one that is
 * opaque or where something else hides it; lists that were found are kept. Every prefix of
 * a path was seen to be a directory in a layer before more of it is looked up there, and
 * committed layers do not change: so no lookup goes through a symlink.
 *
 * Thread: any number at once; the lock is over the map of lists, which only grows.
 */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "lib/snapdir/snapdir.h"

/* More directories than that are not remembered. */
enum { REMEMBERED = 20000 };

/* The layers that have a directory. Never changed once it can be seen by others. */
struct layers {
        uint32_t n;
        uint32_t v[];
};

struct snapdir_look {
        struct snapdir *s;
        sw_strlist dirs; /* directories of the layers, top first */
        struct layers *root;
        pthread_mutex_t lock;
        sw_map *known; /* path -> struct layers, owned */
};

/* An entry of the tree. */
struct found {
        struct stat st;
        uint32_t layer;        /* it comes from there */
        struct layers *layers; /* of a directory, from malloc; else NULL */
};

sw_err *
snapdir_look_open(struct snapdir *s, sw_strlist *dirs, struct snapdir_look **out)
{
        struct snapdir_look *l = sw_new(struct snapdir_look);

        l->s = s;
        l->dirs = *dirs;
        *dirs = (sw_strlist){ 0 };
        if (!l->dirs.n)
                sw_strlist_add(&l->dirs, "e/0");
        l->root = sw_alloc(sizeof(*l->root) + l->dirs.n * sizeof(uint32_t));
        l->root->n = (uint32_t) l->dirs.n;
        for (uint32_t i = 0; i < l->root->n; i++)
                l->root->v[i] = i;
        pthread_mutex_init(&l->lock, NULL);
        l->known = sw_map_new(free);
        *out = l;
        return SW_OK;
}

void
snapdir_look_close(struct snapdir_look *l)
{
        sw_strlist_release(&l->dirs);
        sw_map_free(l->known);
        pthread_mutex_destroy(&l->lock);
        free(l->root);
        free(l);
}

/* ---- one layer --------------------------------------------------------------------- */

/* Where an entry is: @name in @dirfd. */
struct spot {
        int dirfd;
        sw_fd own;
        char *name;
};

static void
spot_release(struct spot *sp)
{
        sw_fd_clear(&sp->own);
        free(sp->name);
}
typedef struct spot spot;
SW_DEFINE_AUTO(spot, spot_release)

/* -1 and errno. Paths the kernel does not take at once are gone down. */
static int
locate(const struct snapdir_look *l, uint32_t layer, const char *path, struct spot *out)
{
        out->name = sw_asprintf("%s%s%s", l->dirs.v[layer], *path ? "/" : "", path);
        out->dirfd = l->s->dirfd;
        if (strlen(out->name) < PATH_MAX - 40)
                return 0;
        char *slash = strrchr(out->name, '/');
        *slash = '\0';
        out->own = out->dirfd = snapdir_open_dir(l->s->dirfd, out->name);
        char *base = sw_strdup(slash + 1);
        free(out->name);
        out->name = base;
        return out->dirfd < 0 ? -1 : 0;
}

/* What the layer has under @path, seen from those above: added to @f. *done: layers below
 * do not matter. */
static sw_err *
see(const struct snapdir_look *l, uint32_t layer, const char *path, struct found *f,
    uint32_t most, bool *done)
{
        sw_auto(spot) sp = { .own = -1 };
        struct stat st;

        if (locate(l, layer, path, &sp) < 0 ||
            fstatat(sp.dirfd, sp.name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? SW_OK : snapdir_err(errno, "look at", path);
        if (!S_ISDIR(st.st_mode)) {
                *done = true;
                if (!f->layers && !snapdir_is_whiteout(l->s, sp.dirfd, sp.name, &st)) {
                        f->st = st;
                        f->layer = layer;
                }
                return SW_OK;
        }
        if (!f->layers) {
                f->st = st;
                f->layer = layer;
                f->layers = sw_alloc(sizeof(*f->layers) + most * sizeof(uint32_t));
                f->layers->n = 0;
        }
        f->layers->v[f->layers->n++] = layer;
        return snapdir_is_opaque(l->s, sp.dirfd, sp.name, done);
}

/* ---- paths ------------------------------------------------------------------------- */

/* Look @path up in the layers that have its parent. SW_E_NOT_FOUND. */
static sw_err *
step(const struct snapdir_look *l, const struct layers *parent, const char *path,
     struct found *f)
{
        bool done = false;
        sw_err *err = SW_OK;

        *f = (struct found){ .layer = UINT32_MAX };
        for (uint32_t i = 0; i < parent->n && !done && !err; i++)
                err = see(l, parent->v[i], path, f, parent->n - i, &done);
        if (!err && f->layer == UINT32_MAX)
                err = snapdir_err(ENOENT, "look at", path);
        if (err) {
                free(f->layers);
                f->layers = NULL;
        }
        return err;
}

static const struct layers *
recall(struct snapdir_look *l, const char *path, size_t len)
{
        if (!len)
                return l->root;
        pthread_mutex_lock(&l->lock);
        const struct layers *known = sw_map_get_bytes(l->known, path, len);
        pthread_mutex_unlock(&l->lock);
        return known;
}

/* Keep a list; @layers: given. What is remembered instead, or NULL: @layers is the
 * caller's still. */
static const struct layers *
remember(struct snapdir_look *l, const char *path, struct layers *layers)
{
        const struct layers *kept;

        pthread_mutex_lock(&l->lock);
        kept = sw_map_get(l->known, path);
        if (kept) {
                free(layers);
        } else if (sw_map_count(l->known) < REMEMBERED) {
                (void) sw_map_set(l->known, path, layers);
                kept = layers;
        }
        pthread_mutex_unlock(&l->lock);
        return kept;
}

/* The layers that have the directory path[0, len). *own: to be freed. */
static sw_err *
find_dir(struct snapdir_look *l, const char *path, size_t len, const struct layers **out,
         struct layers **own)
{
        size_t at = len;

        *own = NULL;
        while (!(*out = recall(l, path, at))) { /* the longest part that is known */
                while (at > 0 && path[at - 1] != '/')
                        at--;
                at -= at > 0;
        }
        while (at < len) {
                size_t next = at + (at > 0);

                next += strcspn(path + next, "/");
                next = next < len ? next : len;
                sw_auto(sw_str) part = sw_strndup(path, next);
                struct found f;
                sw_err *err = step(l, *out, part, &f);
                if (err)
                        return err;
                if (!f.layers)
                        return snapdir_err(ENOTDIR, "look into", part);
                free(*own);
                *own = NULL;
                *out = remember(l, part, f.layers);
                if (!*out)
                        *out = *own = f.layers;
                at = next;
        }
        return SW_OK;
}

/* @f: its layers are to be freed. */
static sw_err *
find(struct snapdir_look *l, const char *path, struct found *f)
{
        const char *slash = strrchr(path, '/');
        const struct layers *parent = l->root;
        struct layers *own = NULL;
        sw_err *err = SW_OK;

        if (slash)
                err = find_dir(l, path, (size_t) (slash - path), &parent, &own);
        if (!err)
                err = step(l, parent, path, f);
        free(own);
        return err;
}

sw_err *
snapdir_look_stat(struct snapdir_look *l, const char *path, struct stat *st)
{
        struct found f = { .layers = NULL };
        sw_err *err = find(l, path, &f);

        if (!err)
                *st = f.st;
        free(f.layers);
        return err;
}

sw_err *
snapdir_look_at(struct snapdir_look *l, const char *path, int flags, int *fd)
{
        struct found f = { .layers = NULL };
        sw_auto(spot) sp = { .own = -1 };
        sw_err *err = find(l, path, &f);

        free(f.layers);
        if (err)
                return err;
        if (locate(l, f.layer, path, &sp) < 0)
                return snapdir_err(errno, "open", path);
        const int opened = openat(sp.dirfd, sp.name, flags | O_NOFOLLOW | O_CLOEXEC);
        if (opened < 0)
                return snapdir_err(errno, "open", path);
        *fd = opened;
        return SW_OK;
}

/* ---- names ------------------------------------------------------------------------- */

/* Add what a layer has in the directory; @seen: names that higher ones have. */
static sw_err *
add_names(struct snapdir_look *l, uint32_t layer, const char *path, sw_map *seen,
          sw_strlist *out)
{
        sw_auto(sw_str) full =
                sw_asprintf("%s%s%s", l->dirs.v[layer], *path ? "/" : "", path);
        sw_auto(sw_fd) fd = snapdir_open_dir(l->s->dirfd, full);
        const struct dirent *e;
        sw_err *err = SW_OK;

        DIR *dir = fd < 0 ? NULL : fdopendir(fd);
        if (!dir)
                return snapdir_err(errno, "read", path);
        const int dirfd = sw_fd_steal(&fd);
        for (errno = 0; !err && (e = readdir(dir)); errno = 0) {
                struct stat st;
                bool gone = false;

                if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 ||
                    !sw_map_set(seen, e->d_name, seen))
                        continue;
                if (e->d_type == DT_CHR || e->d_type == DT_UNKNOWN ||
                    (e->d_type == DT_REG && l->s->file_whiteouts)) {
                        if (fstatat(dirfd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                                err = snapdir_err(errno, "look at", e->d_name);
                        else
                                gone = snapdir_is_whiteout(l->s, dirfd, e->d_name, &st);
                }
                if (!err && !gone)
                        sw_strlist_add(out, e->d_name);
        }
        if (!err && errno)
                err = snapdir_err(errno, "read", path);
        (void) closedir(dir);
        return err;
}

sw_err *
snapdir_look_names(struct snapdir_look *l, const char *path, sw_strlist *out)
{
        sw_autoptr(sw_map) seen = sw_map_new(NULL);
        const struct layers *in = NULL;
        struct layers *own = NULL;
        sw_err *err = find_dir(l, path, strlen(path), &in, &own);

        for (uint32_t i = 0; !err && i < in->n; i++)
                err = add_names(l, in->v[i], path, seen, out);
        free(own);
        if (!err)
                sw_strlist_sort(out);
        return err;
}
