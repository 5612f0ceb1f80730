/*
 * core/ops/kept.h - the roots of failed commands that are kept for a while.
 *
 *      <root>/kept/<ref>.json    the ref of the root, the command's op (which has no values
 *                                of secrets), and the trees that were mounted
 *
 * The refs are of the store's, as any others; prune may take them earlier. Files whose time
 * is over go with the refs made for them at the next start of an engine. Thread: any;
 * several processes at once.
 */
#ifndef SLIPWAY_CORE_OPS_KEPT_H
#define SLIPWAY_CORE_OPS_KEPT_H

#include <slipway/array.h>
#include <slipway/id.h>

#include "core/store/root.h"

SW_BEGIN_DECLS

/* What one mount showed in the end. */
struct sw__kept_tree {
        char ref[SW_ID_SIZE]; /* "": none */
        bool own;             /* made to be kept */
};

typedef struct sw__kept {
        char ref[SW_ID_SIZE];                 /* of the root */
        char *vertex;                         /* digest of the command's */
        int64_t expires;                      /* ns since the epoch */
        sw_buf op;                            /* a packed pb.ExecOp */
        SW_ARRAY(struct sw__kept_tree) trees; /* one for each mount of it */
} sw__kept;
void sw__kept_release(sw__kept *k);

/** sw__kept_write - Errors: SW_E_IO, SW_E_INVALID (a text that is no UTF-8). */
SW_NODISCARD sw_err *sw__kept_write(sw_root *root, const sw__kept *k);
/** sw__kept_read - by the id of its ref. Errors: SW_E_NOT_FOUND, also when its time is
 *  over; SW_E_INVALID. */
SW_NODISCARD sw_err *sw__kept_read(sw_root *root, const char *ref, sw__kept *out);
/** sw__kept_of_vertex - the newest one of the vertex @digest; false: there is none. */
SW_API bool sw__kept_of_vertex(sw_root *root, const char *digest, char ref[SW_ID_SIZE]);
/** sw__kept_sweep - remove those whose time is over, and their refs unless they are used.
 */
SW_API void sw__kept_sweep(sw_root *root, sw_log *log);

SW_DEFINE_AUTO(sw__kept, sw__kept_release)

SW_END_DECLS
#endif
