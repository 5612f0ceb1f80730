/*
 * lib/dockerfile/said.h - errors that show what somebody wrote: control bytes and broken
 * UTF-8 as \xNN, long text cut. Private to lib/dockerfile.
 */
#ifndef SLIPWAY_LIB_DOCKERFILE_SAID_H
#define SLIPWAY_LIB_DOCKERFILE_SAID_H

#include <slipway/error.h>

/* As sw_err_new() and sw_err_wrap(). */
#define sw_df_err(code, ...) SW__SURE(sw_df_err_at(SW_HERE, code, __VA_ARGS__))
#define sw_df_wrap(err, ...) sw_df_wrap_at(SW_HERE, err, __VA_ARGS__)

SW_NODISCARD sw_err *sw_df_err_at(struct sw_place place, enum sw_code code, const char *fmt,
                                  ...) SW_PRINTF(3, 4);
SW_NODISCARD sw_err *sw_df_wrap_at(struct sw_place place, sw_err *err, const char *fmt, ...)
        SW_PRINTF(3, 4);

#endif
