/*
 * core/llb/state/definition.h - entries to the message pb.Definition.
 */
#ifndef SLIPWAY_CORE_LLB_STATE_DEFINITION_H
#define SLIPWAY_CORE_LLB_STATE_DEFINITION_H

#include "core/llb/state/making.h"

/* Append the definition; the last entry is that of the last op. @opts, @nested: for the
 * definitions that source maps refer to. */
SW_NODISCARD sw_err *sw__llb_write_definition(struct making *m,
                                              const struct sw_llb_opts *opts, int nested,
                                              sw_buf *out);

/* sw_state_marshal(), @nested levels down. */
SW_NODISCARD sw_err *sw__llb_marshal_nested(const sw_state *s,
                                            const struct sw_llb_opts *opts, int nested,
                                            sw_buf *out);

#endif
