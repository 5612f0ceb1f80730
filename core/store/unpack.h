/*
 * core/store/unpack.h - making lazy layers ready. See unpack.c.
 */
#ifndef SLIPWAY_CORE_STORE_UNPACK_H
#define SLIPWAY_CORE_STORE_UNPACK_H

#include "core/store/worker_priv.h"

/** sw__stack_ready - have the files of every layer of @s here (NULL: there are none). Costs
 *  nothing where they are. Who calls holds the ref. Blocks: on the network. */
SW_NODISCARD sw_err *sw__stack_ready(sw_worker *w, sw_ctx *ctx, sw__stack *s);
/** sw__unpack_one - one layer, whose record was lazy a moment ago. @below: gives the stack
 *  it was made on, ready, when it is asked; borrowed by the caller. */
struct sw__below {
        sw_err *(*get)(void *arg, sw_ctx *ctx, sw__stack **out); /* NULL: nothing */
        void *arg;
};
SW_NODISCARD sw_err *sw__unpack_one(sw_worker *w, sw_ctx *ctx, const char *id,
                                    const struct sw__below *below);
/** sw__unpack_clear - a layer that somebody began to unpack, and died: removed, unless
 *  somebody is at it again. *done false: somebody is. */
SW_NODISCARD sw_err *sw__unpack_clear(sw_worker *w, sw_ctx *ctx, const char *id,
                                      bool *done);
/** sw__rec_make_lazy - in a transaction: the files of a layer that once was lazy may be
 *  damaged or gone. */
SW_NODISCARD sw_err *sw__rec_make_lazy(sw__tx *tx, const char *id, sw__rec *rec);

/* ---- implied.c ---- */
/** sw__imply - directories that a layer has only because of what is in them get the
 *  metadata that @below (ready) has for them. */
SW_NODISCARD sw_err *sw__imply(sw_worker *w, sw_ctx *ctx, const sw__stack *below,
                               const sw_strlist *dirs, const struct sw_layer_ops *ops,
                               void *writer);

/* ---- origin.c ---- */
/** sw__origin_ops - the source plugin @name. @ops, @self: borrowed until the root closes.
 *  Errors: of looking for a plugin; SW_E_UNSUPPORTED: it makes no lazy layers. */
SW_NODISCARD sw_err *sw__origin_ops(sw_worker *w, const char *name,
                                    const struct sw_source_ops **ops, void **self);
/** sw__origin_fetch - have the bytes of @blob, which has an origin, in the content store.
 */
SW_NODISCARD sw_err *sw__origin_fetch(sw_worker *w, sw_ctx *ctx,
                                      const struct sw_blob *blob);

#endif
