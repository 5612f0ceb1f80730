/*
 * core/llb/state/definition.h - entries to the message pb.Definition.
 */
#ifndef SLIPWAY_CORE_LLB_STATE_DEFINITION_H
#define SLIPWAY_CORE_LLB_STATE_DEFINITION_H

#include "core/llb/state/making.h"

/* Append a field: its number, and so many bytes. */
void sw__llb_write_field(sw_buf *out, unsigned number, const void *bytes, size_t n);

/* Append what stands behind the ops: metadata and sources. The last entry is that of the
 * last op. @opts, @nested: for the definitions that source maps refer to. */
SW_NODISCARD sw_err *sw__llb_write_rest(struct making *m, const struct sw_llb_opts *opts,
                                        int nested, sw_buf *out);

/* sw_state_marshal(), @nested levels down. */
SW_NODISCARD sw_err *sw__llb_marshal_nested(const sw_state *s,
                                            const struct sw_llb_opts *opts, int nested,
                                            sw_buf *out);

#endif
