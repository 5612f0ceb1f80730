/*
 * core/store/counted.c - a layer writer that passes everything on. See counted.h.
 * Thread: as the inner writer.
 */
#include "core/store/counted.h"

static struct sw__counted *
told(void *w)
{
        struct sw__counted *c = w;

        atomic_store_explicit(&c->any, true, memory_order_relaxed);
        return c;
}

static sw_err *
pass_mkdir(void *w, const char *path, const struct sw_layer_meta *m)
{
        struct sw__counted *c = told(w);

        if (!*path)
                atomic_store_explicit(&c->root, true, memory_order_relaxed);
        return c->inner->mkdir(c->w, path, m);
}

static sw_err *
pass_file(void *w, const char *path, const struct sw_layer_meta *m, int fd, int64_t off,
          int64_t len)
{
        struct sw__counted *c = told(w);

        return c->inner->file(c->w, path, m, fd, off, len);
}

static sw_err *
pass_data(void *w, const char *path, const struct sw_layer_meta *m, const void *p, size_t n)
{
        struct sw__counted *c = told(w);

        return c->inner->data(c->w, path, m, p, n);
}

static sw_err *
pass_symlink(void *w, const char *path, const struct sw_layer_meta *m, const char *target)
{
        struct sw__counted *c = told(w);

        return c->inner->symlink(c->w, path, m, target);
}

static sw_err *
pass_hardlink(void *w, const char *path, const char *existing,
              const struct sw_layer_meta *m)
{
        struct sw__counted *c = told(w);

        return c->inner->hardlink(c->w, path, existing, m);
}

static sw_err *
pass_node(void *w, const char *path, const struct sw_layer_meta *m, mode_t type, dev_t dev)
{
        struct sw__counted *c = told(w);

        return c->inner->node(c->w, path, m, type, dev);
}

static sw_err *
pass_whiteout(void *w, const char *path)
{
        struct sw__counted *c = told(w);

        return c->inner->whiteout(c->w, path);
}

static sw_err *
pass_opaque(void *w, const char *dir)
{
        struct sw__counted *c = told(w);

        return c->inner->opaque(c->w, dir);
}

static sw_err *
pass_xattr(void *w, const char *path, const char *name, const void *p, size_t n)
{
        struct sw__counted *c = told(w);

        return c->inner->xattr(c->w, path, name, p, n);
}

static sw_err *
pass_stream(void *w, const char *path, const struct sw_layer_meta *m,
            sw_err *(*read)(void *arg, void *p, size_t n, size_t *got), void *arg,
            int64_t len)
{
        struct sw__counted *c = told(w);

        return c->inner->stream(c->w, path, m, read, arg, len);
}

static sw_err *
pass_finish(void *w)
{
        (void) w;
        return SW_OK;
}

static void
pass_abandon(void *w)
{
        (void) w;
}

void
sw__counted_init(struct sw__counted *c, const struct sw_layer_ops *inner, void *w)
{
        c->ops = (struct sw_layer_ops){
                .hdr = SW_OPS_SIZE(struct sw_layer_ops),
                .mkdir = pass_mkdir,
                .file = pass_file,
                .data = pass_data,
                .symlink = pass_symlink,
                .hardlink = pass_hardlink,
                .node = pass_node,
                .whiteout = pass_whiteout,
                .opaque = pass_opaque,
                .xattr = pass_xattr,
                .finish = pass_finish,
                .abandon = pass_abandon,
        };
        if (SW_OPS_HAS(inner, struct sw_layer_ops, stream))
                c->ops.stream = pass_stream;
        c->inner = inner;
        c->w = w;
        atomic_init(&c->any, false);
        atomic_init(&c->root, false);
}

bool
sw__counted_any(const struct sw__counted *c)
{
        return atomic_load_explicit(&c->any, memory_order_relaxed);
}

bool
sw__counted_root(const struct sw__counted *c)
{
        return atomic_load_explicit(&c->root, memory_order_relaxed);
}
