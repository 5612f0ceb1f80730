/*
 * core/llb/state/source.h - putting a source vertex together.
 */
#ifndef SLIPWAY_CORE_LLB_STATE_SOURCE_H
#define SLIPWAY_CORE_LLB_STATE_SOURCE_H

#include "core/llb/state/state.h"

/* A source while it is described. {0}: nothing yet. */
struct draft {
        SW_ARRAY(struct pair) attrs;
        capset caps;
        bool want_unique;
};

/* Add an attribute; nothing when @value is NULL or "". Returns whether it was added. */
bool sw__llb_draft_text(struct draft *d, const char *key, const char *value);
bool sw__llb_draft_flag(struct draft *d, const char *key, bool on); /* "true" when on */
void sw__llb_draft_release(struct draft *d);

/* The state over the source: takes what is in @d. @identifier: given. */
SW_NODISCARD sw_err *sw__llb_draft_end(struct draft *d, char *identifier,
                                       const struct sw_llb_opts *opts, sw_state **out);

typedef struct draft draft;
SW_DEFINE_AUTO(draft, sw__llb_draft_release)

#endif
