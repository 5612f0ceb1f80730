/*
 * core/ops/draft.c - see draft.h: the tree and what the writer is told of it.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include <slipway/text.h>
#include <slipway/time.h>

#include "core/ops/draft_priv.h"

/* Files gathered before they are copied at the latest: bounds memory, not order. */
#define MAX_JOBS 65536

/* ---- nodes -------------------------------------------------------------------------- */

static struct sw__draft_node *
new_node(struct sw__draft_node *parent, const char *name, mode_t type)
{
        size_t up = parent && parent->path[0] ? strlen(parent->path) + 1 : 0;
        size_t len = strlen(name);
        struct sw__draft_node *n = sw_alloc(sizeof(*n) + up + len + 1);

        n->parent = parent;
        n->type = type;
        if (up) {
                memcpy(n->path, parent->path, up - 1);
                n->path[up - 1] = '/';
        }
        memcpy(n->path + up, name, len);
        return n;
}

static const char *
name_of(const struct sw__draft_node *n)
{
        const char *slash = strrchr(n->path, '/');

        return slash ? slash + 1 : n->path;
}

/* Trees are as deep as paths are long, so this does not recurse far. */
static void
free_node(void *p)
{
        struct sw__draft_node *n = p;

        if (!n)
                return;
        sw_map_free(n->children);
        sw_map_free(n->xattrs);
        free(n->link);
        free(n);
}

static void
add_child(struct sw__draft_node *dir, const char *name, struct sw__draft_node *n)
{
        if (!dir->children)
                dir->children = sw_map_new(free_node);
        (void) sw_map_set(dir->children, name, n);
}

static void
take_meta(struct sw__draft_node *n, const struct stat *st)
{
        n->meta = (struct sw_layer_meta){
                .mode = st->st_mode & 07777,
                .uid = st->st_uid,
                .gid = st->st_gid,
                .mtime = sw_time_from_spec(&st->st_mtim),
        };
}

sw__draft *
sw__draft_new(sw_ctx *ctx, const struct sw__view *base, const struct sw_layer_ops *ops,
              void *w, int64_t now)
{
        sw__draft *d = sw_new(sw__draft);

        d->ctx = ctx;
        d->base = base;
        d->ops = ops;
        d->w = w;
        d->now = now;
        d->spool_dirfd = -1;
        return d;
}

void
sw__draft_free(sw__draft *d)
{
        if (!d)
                return;
        if (d->pool)
                sw_pool_free(d->pool);
        for (size_t i = 0; i < d->jobs.n; i++)
                free(d->jobs.v[i].copy.path);
        sw_array_release(&d->jobs);
        sw_array_release(&d->aliases);
        free_node(d->root);
        free(d);
}

int64_t
sw__draft_now(const sw__draft *d)
{
        return d->now;
}

const struct sw__view *
sw__draft_base(const sw__draft *d)
{
        return d->base;
}

void
sw__draft_set_spool(sw__draft *d, int dirfd)
{
        d->spool_dirfd = dirfd;
}

void
sw__draft_set_former(sw__draft *d, sw__former *f)
{
        d->former = f;
}

int
sw__draft_spool(const sw__draft *d)
{
        int fd = -1;

        if (d->spool_dirfd >= 0)
                fd = openat(d->spool_dirfd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
        return fd >= 0 ? fd : memfd_create("slipway", MFD_CLOEXEC);
}

/* ---- looking ------------------------------------------------------------------------ */

/* The root is there whatever the base is; that of the empty tree has no time yet. */
static void
make_root(sw__draft *d)
{
        struct sw__view_entry e;
        sw_err *err;

        if (d->root)
                return;
        d->root = new_node(NULL, "", S_IFDIR);
        d->root->below = true;
        d->root->meta.mode = 0755;
        err = sw__view_lstat(d->base, "", &e);
        if (!err)
                take_meta(d->root, &e.st);
        sw_err_drop(err, "what is in it is asked for next, and says what is wrong");
}

struct sw__draft_node *
sw__draft_root(sw__draft *d)
{
        make_root(d);
        return d->root;
}

static sw_err *
from_base(sw__draft *d, struct sw__draft_node *dir, const char *name,
          struct sw__draft_node **out)
{
        struct sw__draft_node *n = new_node(dir, name, 0);
        struct sw__view_entry e;
        sw_err *err = sw__view_lstat(d->base, n->path, &e);

        if (!err && S_ISLNK(e.st.st_mode))
                err = sw__view_readlink(d->base, n->path, &n->link);
        if (err) {
                free_node(n);
                if (sw_err_code(err) != SW_E_NOT_FOUND)
                        return err;
                sw_err_drop(err, "nothing is there");
                *out = NULL;
                return SW_OK;
        }
        n->type = e.st.st_mode & S_IFMT;
        n->below = S_ISDIR(n->type);
        take_meta(n, &e.st);
        add_child(dir, name, n);
        *out = n;
        return SW_OK;
}

/* The node of a name, of type 0 too. */
static sw_err *
slot(sw__draft *d, struct sw__draft_node *dir, const char *name,
     struct sw__draft_node **out)
{
        *out = dir->children ? sw_map_get(dir->children, name) : NULL;
        if (*out || !dir->below)
                return SW_OK;
        return from_base(d, dir, name, out);
}

sw_err *
sw__draft_child(sw__draft *d, struct sw__draft_node *dir, const char *name,
                struct sw__draft_node **out)
{
        sw_err *err = slot(d, dir, name, out);

        if (!err && *out && !(*out)->type)
                *out = NULL;
        return err;
}

sw_err *
sw__draft_find(sw__draft *d, const char *path, struct sw__draft_node **out)
{
        struct sw__draft_node *n = sw__draft_root(d);
        sw_auto(sw_str) copy = sw_strdup(path);
        char *rest = copy, *name;
        sw_err *err = SW_OK;

        while (!err && n && (name = strsep(&rest, "/")) && *name) {
                if (S_ISDIR(n->type))
                        err = sw__draft_child(d, n, name, &n);
                else
                        n = NULL;
        }
        *out = n;
        return err;
}

static sw_err *
link_at(void *arg, const char *path, char **target)
{
        sw__draft *d = arg;
        struct sw__draft_node *n;
        sw_err *err = sw__draft_find(d, path, &n);

        if (!err && n && S_ISLNK(n->type))
                *target = sw_strdup(n->link);
        return err;
}

sw_err *
sw__draft_resolve(sw__draft *d, const char *path, bool follow_last, char **out)
{
        return sw__resolve(path, follow_last, link_at, d, out);
}

sw_err *
sw__draft_names(sw__draft *d, struct sw__draft_node *dir, sw_strlist *out)
{
        sw_auto(sw_strlist) base = { 0 };
        sw_err *err = dir->below ? sw__view_names(d->base, dir->path, &base) : SW_OK;
        struct sw_map_iter it;

        for (size_t i = 0; !err && i < base.n; i++)
                if (!dir->children || !sw_map_has(dir->children, base.v[i]))
                        sw_strlist_add(out, base.v[i]);
        if (err || !dir->children)
                return err;
        for (it = SW_MAP_ITER(dir->children); sw_map_next(&it);)
                if (((struct sw__draft_node *) it.value)->type)
                        sw_strlist_add(out, it.key);
        sw_strlist_sort(out);
        return SW_OK;
}

/* ---- telling ------------------------------------------------------------------------ */

/* A directory of the base, with its extended attributes, before something in it changes. */
static sw_err *
tell_from_base(sw__draft *d, struct sw__draft_node *n)
{
        sw_auto(sw_fd) fd = -1;
        struct sw__view_entry e = { .index = 0 };
        sw_err *err = d->ops->mkdir(d->w, n->path, &n->meta);

        n->told = true;
        if (!err)
                err = sw__view_open_node(d->base, n->path, &e, &fd);
        if (!err && fd >= 0)
                err = sw__draft_xattrs(d, n, d->base, fd, NULL);
        return err;
}

static sw_err *
tell_dir(sw__draft *d, struct sw__draft_node *n)
{
        sw_err *err;

        if (n->told)
                return SW_OK;
        err = n->parent ? tell_dir(d, n->parent) : SW_OK;
        return err ? err : tell_from_base(d, n);
}

/* Make room for a new node under a name: what is there goes. The writer was told of the
 * parent. @hides: whether the base has something there. */
static sw_err *
clear_slot(sw__draft *d, struct sw__draft_node *dir, const char *name, bool *hides)
{
        struct sw__draft_node *old;
        sw_err *err = sw_ctx_check(d->ctx);

        if (!err)
                err = tell_dir(d, dir);
        if (!err)
                err = slot(d, dir, name, &old);
        if (err)
                return err;
        *hides = old && (old->hides || old->below || !old->told);
        if (old && old->told && d->former)
                sw__former_spoil(d->former); /* what was copied may be gone */
        if (old && old->told && (d->jobs.n || d->aliases.n))
                err = sw__draft_flush(d);
        return err;
}

static sw_err *
put(sw__draft *d, struct sw__draft_node *dir, const char *name, mode_t type,
    const struct sw_layer_meta *m, struct sw__draft_node **out)
{
        struct sw__draft_node *n;
        bool hides;
        sw_err *err = clear_slot(d, dir, name, &hides);

        if (err)
                return err;
        n = new_node(dir, name, type);
        n->hides = hides;
        n->told = true;
        n->meta = *m;
        add_child(dir, n->path + (strlen(n->path) - strlen(name)), n);
        *out = n;
        return SW_OK;
}

sw_err *
sw__draft_mkdir(sw__draft *d, struct sw__draft_node *dir, const char *name,
                const struct sw_layer_meta *m, struct sw__draft_node **out)
{
        struct sw__draft_node *n;
        sw_err *err = put(d, dir, name, S_IFDIR, m, &n);

        if (!err)
                err = d->ops->mkdir(d->w, n->path, m);
        if (!err && n->hides)
                err = d->ops->opaque(d->w, n->path);
        if (!err)
                *out = n;
        return err;
}

static sw_err *
not_a_directory(const char *path)
{
        sw_auto(sw_buf) shown = SW_BUF_INIT;

        sw_buf_add_quoted(&shown, path, strlen(path), 300);
        return sw_err_sys(SW_E_NOT_FOUND, ENOTDIR, "%s", shown.data);
}

sw_err *
sw__draft_mkdirs(sw__draft *d, const char *path, const struct sw_layer_meta *m,
                 struct sw__draft_node **out)
{
        struct sw__draft_node *dir = sw__draft_root(d), *n;
        sw_auto(sw_str) copy = sw_strdup(path);
        char *rest = copy, *name;

        while ((name = strsep(&rest, "/")) && *name) {
                sw_err *err = sw__draft_child(d, dir, name, &n);

                if (!err && !n)
                        err = sw__draft_mkdir(d, dir, name, m, &n);
                if (err)
                        return err;
                if (!S_ISDIR(n->type))
                        return not_a_directory(n->path);
                dir = n;
        }
        *out = dir;
        return SW_OK;
}

sw_err *
sw__draft_set_meta(sw__draft *d, struct sw__draft_node *n, const struct sw_layer_meta *m)
{
        bool told = n->told;
        sw_err *err = SW_OK;

        if (told && n->meta.mode == m->mode && n->meta.uid == m->uid &&
            n->meta.gid == m->gid && n->meta.mtime == m->mtime)
                return SW_OK;
        if (!told) {
                err = n->parent ? tell_dir(d, n->parent) : SW_OK;
                n->meta = *m;
                return err ? err : tell_from_base(d, n);
        }
        n->meta = *m;
        err = d->ops->mkdir(d->w, n->path, m);
        return err ? err : sw__draft_tell_xattrs(d, n);
}

sw_err *
sw__draft_data(sw__draft *d, struct sw__draft_node *dir, const char *name,
               const struct sw_layer_meta *m, const void *p, size_t len,
               struct sw__draft_node **out)
{
        struct sw__draft_node *n;
        sw_err *err = put(d, dir, name, S_IFREG, m, &n);

        if (!err)
                err = d->ops->data(d->w, n->path, m, p, len);
        if (!err)
                *out = n;
        return err;
}

sw_err *
sw__draft_range(sw__draft *d, struct sw__draft_node *dir, const char *name,
                const struct sw_layer_meta *m, int fd, int64_t off, int64_t len,
                struct sw__draft_node **out)
{
        struct sw__draft_node *n;
        sw_err *err = put(d, dir, name, S_IFREG, m, &n);

        if (!err)
                err = d->ops->file(d->w, n->path, m, fd, off, len);
        if (!err)
                *out = n;
        return err;
}

sw_err *
sw__draft_symlink(sw__draft *d, struct sw__draft_node *dir, const char *name,
                  const struct sw_layer_meta *m, const char *target,
                  struct sw__draft_node **out)
{
        struct sw__draft_node *n;
        sw_err *err = put(d, dir, name, S_IFLNK, m, &n);

        if (err)
                return err;
        n->link = sw_strdup(target);
        err = d->ops->symlink(d->w, n->path, m, target);
        if (!err)
                *out = n;
        return err;
}

sw_err *
sw__draft_device(sw__draft *d, struct sw__draft_node *dir, const char *name,
                 const struct sw_layer_meta *m, mode_t type, dev_t dev,
                 struct sw__draft_node **out)
{
        struct sw__draft_node *n;
        sw_err *err = put(d, dir, name, type, m, &n);

        if (!err)
                err = d->ops->node(d->w, n->path, m, type, dev);
        if (!err)
                *out = n;
        return err;
}

sw_err *
sw__draft_file(sw__draft *d, struct sw__draft_node *dir, const char *name,
               const struct sw_layer_meta *m, struct sw__draft_copy *copy,
               struct sw__draft_node **out)
{
        struct sw__draft_node *n;
        sw_err *err = d->jobs.n >= MAX_JOBS ? sw__draft_flush(d) : SW_OK;

        if (!err)
                err = put(d, dir, name, S_IFREG, m, &n);
        if (err) {
                free(copy->path);
                return err;
        }
        sw_array_push(&d->jobs, (struct sw__draft_job){ *copy, n });
        d->bytes += copy->entry.st.st_size;
        *out = n;
        return SW_OK;
}

sw_err *
sw__draft_link(sw__draft *d, struct sw__draft_node *dir, const char *name,
               struct sw__draft_node *existing, struct sw__draft_node **out)
{
        struct sw__draft_node *n;
        sw_err *err = put(d, dir, name, existing->type, &existing->meta, &n);

        if (err)
                return err;
        if (existing->link)
                n->link = sw_strdup(existing->link);
        sw_array_push(&d->aliases, (struct sw__draft_alias){ n, existing });
        *out = n;
        return SW_OK;
}

sw_err *
sw__draft_remove(sw__draft *d, struct sw__draft_node *n)
{
        struct sw__draft_node *dir = n->parent, *gone;
        sw_auto(sw_str) name = sw_strdup(name_of(n));
        bool hides;
        sw_err *err = clear_slot(d, dir, name, &hides);

        if (err)
                return err;
        gone = new_node(dir, name, 0);
        gone->hides = hides;
        gone->told = true;
        add_child(dir, name, gone);
        return d->ops->whiteout(d->w, gone->path);
}

/* Copied up as it is. */
static sw_err *
own_file(sw__draft *d, struct sw__draft_node *old, const struct sw__view_entry *e,
         struct sw__draft_node **out)
{
        struct sw__draft_copy copy = { .view = d->base,
                                       .path = sw_strdup(old->path),
                                       .entry = *e };
        sw_auto(sw_str) name = sw_strdup(name_of(old));
        struct sw_layer_meta m = old->meta;

        return sw__draft_file(d, old->parent, name, &m, &copy, out);
}

sw_err *
sw__draft_own(sw__draft *d, struct sw__draft_node **n)
{
        struct sw__draft_node *old = *n;
        sw_auto(sw_str) name = NULL, target = NULL;
        struct sw_layer_meta m = old->meta;
        struct sw__view_entry e;
        sw_err *err;

        if (old->told)
                return SW_OK;
        err = sw__view_lstat(d->base, old->path, &e);
        if (err || S_ISREG(old->type))
                return err ? err : own_file(d, old, &e, n);
        name = sw_strdup(name_of(old));
        if (!S_ISLNK(old->type))
                return sw__draft_device(d, old->parent, name, &m, old->type, e.st.st_rdev,
                                        n);
        target = sw_strdup(old->link);
        return sw__draft_symlink(d, old->parent, name, &m, target, n);
}
