/*
 * core/store/counted.h - a layer writer that passes everything on, and knows whether
 * anything was told, and the root. finish() and abandon() are the caller's, on the inner
 * writer.
 */
#ifndef SLIPWAY_CORE_STORE_COUNTED_H
#define SLIPWAY_CORE_STORE_COUNTED_H

#include <stdatomic.h>

#include <slipway/layer.h>

struct sw__counted {
        struct sw_layer_ops ops;
        const struct sw_layer_ops *inner;
        void *w;
        atomic_bool any, root;
};

void sw__counted_init(struct sw__counted *c, const struct sw_layer_ops *inner, void *w);
bool sw__counted_any(const struct sw__counted *c);
bool sw__counted_root(const struct sw__counted *c);

#endif
