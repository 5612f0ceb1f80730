/*
 * core/base/ctxpriv.h - contexts made from others.
 */
#ifndef SLIPWAY_CORE_BASE_CTXPRIV_H
#define SLIPWAY_CORE_BASE_CTXPRIV_H

#include <slipway/ctx.h>

/** sw__ctx_with_cancel - as @from, but cancelled by @cancel, which its maker derived from
 *  that of @from; both borrowed for its life. @from: may be NULL. */
sw_ctx *sw__ctx_with_cancel(const sw_ctx *from, sw_cancel *cancel);

#endif
