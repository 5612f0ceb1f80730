/*
 * core/ops/kept.h - the roots of failed commands that are kept for a while.
 *
 *      <root>/kept/<ref>.json    the ref that is kept, and what is needed to run something
 *                                in it: directory, user, environment (no secrets), network
 *
 * The ref itself is one of the store's, as any other; prune may take it earlier. Files
 * whose time is over go with their refs at the next start of an engine. Thread: any;
 * several processes at once.
 */
#ifndef SLIPWAY_CORE_OPS_KEPT_H
#define SLIPWAY_CORE_OPS_KEPT_H

#include <slipway/array.h>
#include <slipway/id.h>

#include "core/store/root.h"

SW_BEGIN_DECLS

typedef struct sw__kept {
        char ref[SW_ID_SIZE];
        char *vertex;                /* digest of the command's */
        int64_t expires;             /* ns since the epoch */
        char *cwd, *user, *hostname; /* "" where none is named */
        char *network;               /* as in struct sw_exec_container */
        bool insecure;
        sw_strlist args, env; /* without a NULL at the end */
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
