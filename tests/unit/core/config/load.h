/*
 * tests/unit/core/config/load.h - what the tests of the configuration share.
 */
#ifndef SLIPWAY_TESTS_CONFIG_LOAD_H
#define SLIPWAY_TESTS_CONFIG_LOAD_H

#include <slipway/buf.h>
#include <slipway/config.h>

#include "tests/unit/unit.h"

/* The text is accepted on top of what @c holds. */
static inline void
load(sw_config *c, const char *yaml)
{
        ok(sw_config_load_text(c, "f.yaml", yaml, strlen(yaml)));
}

/* The text is refused with exactly these lines. */
static inline void
refuses_bytes(const char *yaml, size_t len, const char *lines)
{
        sw_autoptr(sw_config) c = sw_config_new();
        sw_err *err = sw_config_load_text(c, "f.yaml", yaml, len);

        ck_assert_msg(err != NULL, "accepted: %s", yaml);
        ck_assert_int_eq(sw_err_code(err), SW_E_CONFIG);
        ck_assert_str_eq(sw_err_message(err), lines);
        sw_err_free(err);
}

static inline void
refuses(const char *yaml, const char *lines)
{
        refuses_bytes(yaml, strlen(yaml), lines);
}

/* The key is shown as @text, from that place. */
static inline void
shows(const sw_config *c, const char *key, const char *text, enum sw_config_origin origin,
      const char *where)
{
        struct sw_config_value v;

        ck_assert_msg(sw_config_value(c, key, &v), "no key %s", key);
        ck_assert_msg(v.set, "%s is unset", key);
        ck_assert_str_eq(v.text, text);
        ck_assert_msg(v.origin == origin, "%s comes from %d", key, (int) v.origin);
        ck_assert_str_eq(v.where, where);
}

#endif
