/*
 * core/store/ref.c - refs and views of their trees.
 *
 * A ref counts its users; a tree, which is one look at it, holds the ref. What stands
 * behind a ref is known to its provider alone, through a table that may be of an older
 * header: members beyond its size are not there.
 * Thread: any; a tree belongs to one thread at a time.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>

#include <slipway/mem.h>
#include <slipway/ref.h>

#include "core/store/refs.h"

struct sw_ref {
        atomic_uint refs;
        char *id;
        const struct sw_ref_ops *ops;
        void *self;
        _Atomic(void *) attached; /* what the core knows of the tree; once set, it stays */
        void (*free_attached)(void *);
};

struct sw_tree {
        sw_ref *ref;
        int dirfd;
        void *view; /* the provider's */
};

/* The member of the ref's table, or NULL when the provider lacks it. */
#define REF_OP(r, member)                                                                  \
        ((r)->ops->size >= offsetof(struct sw_ref_ops, member) + sizeof((r)->ops->member)  \
                 ? (r)->ops->member                                                        \
                 : NULL)

sw_ref *
sw_ref_new(const char *id, const struct sw_ref_ops *ops, void *self)
{
        sw_ref *r = sw_new(sw_ref);

        atomic_init(&r->refs, 1);
        r->id = sw_strdup(id);
        r->ops = ops;
        r->self = self;
        return r;
}

sw_ref *
sw_ref_ref(sw_ref *r)
{
        if (r)
                atomic_fetch_add_explicit(&r->refs, 1, memory_order_relaxed);
        return r;
}

void
sw_ref_unref(sw_ref *r)
{
        if (!r || atomic_fetch_sub_explicit(&r->refs, 1, memory_order_acq_rel) != 1)
                return;
        void (*release)(void *) = REF_OP(r, release);
        void *attached = atomic_load(&r->attached);
        if (attached)
                r->free_attached(attached);
        if (release)
                release(r->self);
        free(r->id);
        free(r);
}

void *
sw__ref_attached(const sw_ref *r)
{
        return atomic_load(&r->attached);
}

void *
sw__ref_attach(sw_ref *r, void *p, void (*free_p)(void *))
{
        void *none = NULL;

        if (!atomic_compare_exchange_strong(&r->attached, &none, p)) {
                free_p(p);
                return none;
        }
        r->free_attached = free_p;
        return p;
}

const char *
sw_ref_id(const sw_ref *r)
{
        return r->id;
}

void *
sw__ref_self(const sw_ref *r, const struct sw_ref_ops *ops)
{
        return r && r->ops == ops ? r->self : NULL;
}

const struct sw_listing *
sw_ref_listing(const sw_ref *r)
{
        const struct sw_listing *(*listing)(void *) = REF_OP(r, listing);

        return listing ? listing(r->self) : NULL;
}

sw_err *
sw_ref_stored(sw_ctx *ctx, sw_ref *r, sw_ref **out)
{
        sw_err *(*stored)(void *, sw_ctx *, sw_ref **) = REF_OP(r, stored);

        if (stored)
                return sw_err_wrap(stored(r->self, ctx, out), "store ref %s", r->id);
        *out = sw_ref_ref(r);
        return SW_OK;
}

/* A look at the stored ref that stands for @r. */
static sw_err *
open_stored(sw_ctx *ctx, sw_ref *r, sw_tree **out)
{
        sw_autoptr(sw_ref) stored = NULL;
        sw_err *err = sw_ref_stored(ctx, r, &stored);

        if (!err && stored == r)
                err = sw_err_new(SW_E_INTERNAL, "ref %s stands for itself", r->id);
        return err ? err : sw_ref_open(ctx, stored, out);
}

/* Ask the provider. */
static sw_err *
open_view(sw_ctx *ctx, sw_ref *r, sw_tree *t)
{
        sw_err *(*open_tree)(void *, sw_ctx *, int *, void **) = REF_OP(r, open_tree);

        if (!open_tree)
                return sw_err_new(SW_E_UNSUPPORTED, "ref %s cannot be looked at", r->id);
        sw_err *err = sw_ctx_check(ctx);
        if (!err)
                err = open_tree(r->self, ctx, &t->dirfd, &t->view);
        return sw_err_wrap(err, "open ref %s", r->id);
}

int
sw_tree_fd(const sw_tree *t)
{
        return t->dirfd;
}

sw_err *
sw_tree_close(sw_tree *t)
{
        sw_err *err = SW_OK;

        if (!t)
                return SW_OK;
        sw_err *(*close_tree)(void *, void *) = REF_OP(t->ref, close_tree);
        if (t->dirfd >= 0)
                (void) close(t->dirfd); /* first: it keeps what is behind it busy */
        if (close_tree)
                err = sw_err_wrap(close_tree(t->ref->self, t->view), "close ref %s",
                                  t->ref->id);
        sw_ref_unref(t->ref);
        free(t);
        return err;
}

void
sw_tree_drop(sw_tree *t)
{
        sw_err_drop(sw_tree_close(t), "the caller is failing already");
}

sw_err *
sw_ref_open(sw_ctx *ctx, sw_ref *r, sw_tree **out)
{
        if (!REF_OP(r, open_tree) && REF_OP(r, stored))
                return open_stored(ctx, r, out);
        sw_tree *t = sw_new(sw_tree);

        t->dirfd = -1;
        sw_err *err = open_view(ctx, r, t);
        if (err) {
                free(t);
                return err;
        }
        t->ref = sw_ref_ref(r);
        if (t->dirfd < 0) { /* hold the provider to handing back a directory */
                err = sw_err_new(SW_E_INTERNAL, "ref %s was opened without a directory",
                                 r->id);
                sw_tree_drop(t);
                return err;
        }
        *out = t;
        return SW_OK;
}

/* ---- a ref over a plain directory ---- */

struct dir {
        int fd; /* owned */
};

static sw_err *
open_dir(void *self, sw_ctx *ctx, int *dirfd, void **view)
{
        const struct dir *d = self;
        /* a description of its own, or two lookers would share one reading position */
        int fd = openat(d->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        (void) ctx;
        (void) view;
        if (fd < 0)
                return sw_err_sys(SW_E_IO, errno, "open the directory");
        *dirfd = fd;
        return SW_OK;
}

static void
release_dir(void *self)
{
        struct dir *d = self;

        (void) close(d->fd);
        free(d);
}

static const struct sw_ref_ops dir_ops = {
        .size = sizeof(dir_ops),
        .open_tree = open_dir,
        .release = release_dir,
};

sw_ref *
sw_ref_new_dir(const char *id, int dirfd)
{
        struct dir *d = sw_new(struct dir);

        d->fd = dirfd;
        return sw_ref_new(id, &dir_ops, d);
}
