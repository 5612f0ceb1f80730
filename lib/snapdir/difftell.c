/*
 * lib/snapdir/difftell.c - tell a layer writer what was found to differ.
 *
 * Parents come before what is in them, names of one directory in order of their bytes.
 * Thread: any; all state is on the stack of the caller.
 */
#include <fcntl.h>
#include <string.h>

#include "lib/snapdir/diff_priv.h"

/* The next one in order: parents first, then by names; NULL at the end. */
static struct change *
change_next(const struct change *c)
{
        if (c->child)
                return c->child;
        while (c && !c->next)
                c = c->parent;
        return c ? c->next : NULL;
}

/* ---- links ------------------------------------------------------------------------- */

/* A file of the upper tree with several names. */
struct link_key {
        uint64_t layer, ino;
};

struct link_group {
        const struct change *first;
        size_t names;
        bool tell; /* a name changed, or in the lower tree they are not one file */
};

static bool
has_links(const struct change *c)
{
        return !c->gone && !S_ISDIR(c->meta.mode) && c->meta.nlink > 1;
}

static struct link_group *
group_of(sw_map *groups, const struct change *c, bool make)
{
        const struct link_key key = { c->layer, c->meta.ino };
        struct link_group *g = sw_map_get_bytes(groups, &key, sizeof(key));

        if (!g && make) {
                g = sw_new(struct link_group);
                g->first = c;
                (void) sw_map_set_bytes(groups, &key, sizeof(key), g);
        }
        return g;
}

void
diff_links(struct diff *d)
{
        sw_autoptr(sw_map) groups = sw_map_new(free);

        for (struct change *c = d->root; c; c = change_next(c)) {
                if (!has_links(c))
                        continue;
                struct link_group *g = group_of(groups, c, true);

                g->names++;
                g->tell |= c->tell || c->lower_layer != g->first->lower_layer ||
                           c->lower_ino != g->first->lower_ino;
        }
        for (struct change *c = d->root; c; c = change_next(c)) {
                if (has_links(c)) {
                        const struct link_group *g = group_of(groups, c, false);

                        c->tell |= g->names > 1 && g->tell;
                }
                for (struct change *p = c->tell ? c->parent : NULL; p && !p->tell;
                     p = p->parent)
                        p->tell = true;
        }
}

/* ---- telling ----------------------------------------------------------------------- */

/* Open directories of layers, those last used. */
enum { N_CACHED = 8 };
struct cached {
        const struct change *dir;
        uint32_t layer;
        int fd;
        unsigned used;
};

struct teller {
        struct diff *d;
        const struct sw_layer_ops *ops;
        void *w;
        sw_buf path;
        sw_map *links; /* link_key -> path that was told, owned */
        struct cached cache[N_CACHED];
        unsigned clock;
};

/* The directory that holds @c in the layer it comes from; borrowed until the next call. */
static sw_err *
dir_of(struct teller *t, const struct change *c, int *fd)
{
        struct cached *at = &t->cache[0];

        for (size_t i = 0; i < N_CACHED; i++) {
                struct cached *e = &t->cache[i];

                if (e->fd >= 0 && e->dir == c->parent && e->layer == c->layer) {
                        e->used = ++t->clock;
                        *fd = e->fd;
                        return SW_OK;
                }
                if (e->used < at->used)
                        at = e;
        }
        sw_fd_clear(&at->fd);
        sw_err *err = diff_open_dir(t->d, c->layer, c->parent, &at->fd);
        at->dir = c->parent;
        at->layer = c->layer;
        at->used = ++t->clock;
        *fd = at->fd;
        return err;
}

/* The attributes of what was just told: @name in @fd, or @fd itself. */
static sw_err *
tell_attrs(struct teller *t, int fd, const char *name)
{
        sw_auto(sw_strlist) names = { 0 };
        sw_err *err = snapdir_attr_list(fd, name, &names);

        for (size_t i = 0; i < names.n && !err; i++) {
                sw_auto(sw_buf) value = SW_BUF_INIT;

                err = snapdir_attr_get(fd, name, names.v[i], &value);
                if (!err)
                        err = t->ops->xattr(t->w, t->path.data, names.v[i], value.data,
                                            value.len);
        }
        return err;
}

static struct sw_layer_meta
layer_meta(const struct meta *m)
{
        return (struct sw_layer_meta){
                .mode = m->mode & 07777, .uid = m->uid, .gid = m->gid, .mtime = m->mtime
        };
}

static sw_err *
tell_dir(struct teller *t, const struct change *c)
{
        const struct sw_layer_meta m = layer_meta(&c->meta);
        sw_auto(sw_fd) fd = -1;
        sw_err *err = t->ops->mkdir(t->w, t->path.data, &m);

        if (!err)
                err = diff_open_dir(t->d, c->layer, c, &fd);
        if (!err)
                err = tell_attrs(t, fd, NULL);
        return err || !c->opaque ? err : t->ops->opaque(t->w, t->path.data);
}

static sw_err *
tell_file(struct teller *t, const struct change *c, int dirfd)
{
        const struct sw_layer_meta m = layer_meta(&c->meta);
        sw_auto(sw_fd) fd = openat(dirfd, c->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

        if (fd < 0)
                return snapdir_err(errno, "open", t->path.data);
        sw_err *err = t->ops->file(t->w, t->path.data, &m, fd, 0, c->meta.size);
        return err ? err : tell_attrs(t, fd, NULL);
}

static sw_err *
tell_other(struct teller *t, const struct change *c, int dirfd)
{
        const struct sw_layer_meta m = layer_meta(&c->meta);
        sw_err *err;

        if (S_ISLNK(c->meta.mode)) {
                sw_auto(sw_str) target = NULL;

                err = sw_path_readlink(dirfd, c->name, &target);
                if (!err)
                        err = t->ops->symlink(t->w, t->path.data, &m, target);
        } else {
                err = t->ops->node(t->w, t->path.data, &m, c->meta.mode & S_IFMT,
                                   c->meta.rdev);
        }
        return err ? err : tell_attrs(t, dirfd, c->name);
}

static sw_err *
tell_one(struct teller *t, const struct change *c)
{
        const struct link_key key = { c->layer, c->meta.ino };
        int dirfd;

        change_path(c, &t->path);
        if (c->gone)
                return t->ops->whiteout(t->w, t->path.data);
        if (S_ISDIR(c->meta.mode))
                return tell_dir(t, c);
        if (c->meta.nlink > 1) {
                const struct sw_layer_meta m = layer_meta(&c->meta);
                const char *first = sw_map_get_bytes(t->links, &key, sizeof(key));

                if (first)
                        return t->ops->hardlink(t->w, t->path.data, first, &m);
                (void) sw_map_set_bytes(t->links, &key, sizeof(key),
                                        sw_strdup(t->path.data));
        }
        sw_err *err = dir_of(t, c, &dirfd);
        if (err)
                return err;
        return S_ISREG(c->meta.mode) ? tell_file(t, c, dirfd) : tell_other(t, c, dirfd);
}

sw_err *
diff_tell(struct diff *d, const struct sw_layer_ops *ops, void *w)
{
        sw_autoptr(sw_map) links = sw_map_new(free);
        struct teller t = {
                .d = d, .ops = ops, .w = w, .path = SW_BUF_INIT, .links = links
        };
        sw_err *err = SW_OK;

        for (size_t i = 0; i < N_CACHED; i++)
                t.cache[i].fd = -1;
        for (const struct change *c = d->root; c && !err; c = change_next(c)) {
                if (!c->tell)
                        continue;
                err = sw_ctx_check(d->ctx);
                if (!err)
                        err = sw_err_wrap(tell_one(&t, c), "tell the change of %s",
                                          c->name);
        }
        for (size_t i = 0; i < N_CACHED; i++)
                sw_fd_clear(&t.cache[i].fd);
        sw_buf_release(&t.path);
        return err;
}
