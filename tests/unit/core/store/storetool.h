/*
 * tests/unit/core/store/storetool.h - what tests of a root with a fake snapshotter share: a
 * root of its own for each test, and ways to fill it.
 */
#ifndef SLIPWAY_TESTS_STORETOOL_H
#define SLIPWAY_TESTS_STORETOOL_H

#include <slipway/mem.h>

#include "tests/unit/core/store/fakesnap.h"
#include "tests/unit/tmp.h"

static char dir[256];
static struct fake fake;
static sw_root *root;
static sw_worker *w;

static inline void
open_root(void)
{
        root = fake_root(dir, &fake);
        w = sw__root_worker(root);
}

static inline void
before(void)
{
        unit_mkdtemp(dir, sizeof(dir), "worker");
        open_root();
}

static inline void
after(void)
{
        sw_auto(sw_fd) slash = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

        sw__root_close(root);
        ok(sw_path_remove(slash, dir));
}

static inline void
reopen(void)
{
        sw__root_close(root);
        open_root();
}

/* A committed layer on @parent with one file. */
static inline sw_ref *
make_with(sw_ref *parent, const char *text, const char *type)
{
        const struct sw_layer_ops *ops;
        const struct sw_layer_meta m = { .mode = 0644 };
        sw_layer *l;
        sw_ref *ref;
        void *writer;

        ok(sw_worker_layer(w, NULL, parent, SW_REF_DESC(.description = text, .type = type),
                           &l));
        ok(sw_layer_write(l, NULL, &ops, &writer));
        ok(ops->data(writer, "file", &m, text, strlen(text)));
        ok(ops->finish(writer));
        ok(sw_layer_commit(l, NULL, &ref));
        return ref;
}

static inline sw_ref *
make(sw_ref *parent, const char *text)
{
        return make_with(parent, text, NULL);
}

static inline sw_ref *
make_typed(const char *type)
{
        return make_with(NULL, type, type);
}

/* Have what is idle let go of. */
static inline void
tool_settle(void)
{
        sw__worker_let_go(w);
}

#endif
