/*
 * slipway/cancel.h - cancellation tokens.
 *
 * A token is either live or cancelled, never live again. Children are cancelled with
 * their parent. Whoever blocks checks the token, waits on its descriptor beside his own
 * (poll), or registers a callback. Counted; every function from any thread. NULL is
 * allowed everywhere and stands for a token that is never cancelled (so that a wait on it
 * needs a timeout).
 */
#ifndef SLIPWAY_CANCEL_H
#define SLIPWAY_CANCEL_H

#include <slipway/error.h>

SW_BEGIN_DECLS

/* A blocking call returns within this many ms of cancellation. */
#define SW_CANCEL_GRACE_MS 1000

typedef struct sw_cancel sw_cancel;

/** sw_cancel_new - @parent may be NULL; it is kept alive by the child. */
SW_API sw_cancel *sw_cancel_new(sw_cancel *parent);
SW_API sw_cancel *sw_cancel_ref(sw_cancel *c); /* one more reference; returned */
SW_API void sw_cancel_unref(sw_cancel *c);     /* never blocks */

/** sw_cancel_now - cancel the token and its children. @reason: copied, may be NULL; the
 *  first one stays. Safe from any thread, not from a signal handler. */
SW_API void sw_cancel_now(sw_cancel *c, const char *reason);
/** sw_cancelled - cheap. */
SW_API bool sw_cancelled(const sw_cancel *c);
/** sw_cancel_check - SW_OK, or SW_E_CANCELLED with the reason. */
SW_API SW_NODISCARD sw_err *sw_cancel_check(const sw_cancel *c);
/** sw_cancel_fd - readable once cancelled; borrowed; made on first use. -1 and an error
 *  when no descriptor is left. */
SW_API SW_NODISCARD sw_err *sw_cancel_fd(sw_cancel *c, int *fd);
/** sw_cancel_wait - sleep until cancelled or @timeout_ns passed (-1: for ever); returns
 *  whether it was cancelled. */
SW_API bool sw_cancel_wait(sw_cancel *c, int64_t timeout_ns);

/** sw_cancel_on - run @fn once on the cancelling thread (at once when cancelled already).
 *  @fn must not block nor touch this token's callbacks. Returns a handle, never 0. */
SW_API uint64_t sw_cancel_on(sw_cancel *c, void (*fn)(void *), void *arg);
/** sw_cancel_off - forget a callback; when it returns, @fn is not running and won't. */
SW_API void sw_cancel_off(sw_cancel *c, uint64_t handle);

SW_DEFINE_AUTOPTR(sw_cancel, sw_cancel_unref)

SW_END_DECLS
#endif
