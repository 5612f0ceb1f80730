/*
 * core/ops/draft_priv.h - a draft from the inside: draft.c keeps the tree, draftcopy.c
 * copies what was gathered.
 */
#ifndef SLIPWAY_CORE_OPS_DRAFT_PRIV_H
#define SLIPWAY_CORE_OPS_DRAFT_PRIV_H

#include <slipway/array.h>
#include <slipway/pool.h>

#include "core/ops/draft.h"

struct sw__draft_job {
        struct sw__draft_copy copy;
        struct sw__draft_node *node;
        sw_digest mark; /* former.h */
        bool marked;
};

struct sw__draft_alias {
        struct sw__draft_node *node, *existing;
};

/* An extended attribute's. */
struct sw__draft_value {
        size_t len;
        char bytes[];
};

struct sw__draft {
        sw_ctx *ctx;
        const struct sw__view *base;
        const struct sw_layer_ops *ops;
        void *w;
        int64_t now;
        struct sw__draft_node *root;
        SW_ARRAY(struct sw__draft_job) jobs;
        SW_ARRAY(struct sw__draft_alias) aliases;
        int64_t bytes;      /* of the jobs, about */
        int spool_dirfd;    /* -1: none */
        sw_pool *pool;      /* NULL until there was much to copy */
        sw__former *former; /* or NULL */
        const char *shared; /* the layer to share files with; NULL: none */
};

/* draftcopy.c: a directory's attributes, after it was told again. */
sw_err *sw__draft_tell_xattrs(sw__draft *d, struct sw__draft_node *n);

#endif
