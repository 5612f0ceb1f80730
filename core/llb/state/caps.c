/*
 * core/llb/state/caps.c - names of capabilities, sorted.
 */
#include "core/llb/state/caps.h"

const char *const sw__llb_cap_names[CAP_COUNT] = {
#define X(id, name) [CAP_##id] = (name),
        CAPS(X)
#undef X
};
