/*
 * core/store/stack.h - stacks of layers in memory: counted, immutable arrays of keys.
 *
 * A stack borrows the keys of those it was made from and keeps them alive, so that a chain
 * of n refs takes n arrays of pointers and n keys.
 * Thread: any.
 */
#ifndef SLIPWAY_CORE_STORE_STACK_H
#define SLIPWAY_CORE_STORE_STACK_H

#include <slipway/snapshotter.h>

#include "core/store/record.h"

/* Layers in one stack; more is SW_E_LIMIT. */
enum { SW__STACK_MAX = 65536 };

typedef struct sw__stack sw__stack;

sw__stack *sw__stack_ref(sw__stack *s); /* NULL is the empty one, here and below */
void sw__stack_unref(sw__stack *s);
struct sw_stack sw__stack_of(const sw__stack *s); /* borrowed */
size_t sw__stack_height(const sw__stack *s);
SW_DEFINE_AUTOPTR(sw__stack, sw__stack_unref)

/** sw__stack_push - @below with @key on top. */
SW_NODISCARD sw_err *sw__stack_push(sw__stack *below, const char *key, sw__stack **out);
SW_NODISCARD sw_err *sw__stack_concat(sw__stack *const *parts, size_t n, sw__stack **out);
/** sw__stack_slice - without the lowest @skip layers. */
sw__stack *sw__stack_slice(sw__stack *s, size_t skip);
/** sw__stack_lazy - whether a layer of it may have no files here; see unpack.h. */
bool sw__stack_lazy(const sw__stack *s);
void sw__stack_set_lazy(sw__stack *s, bool lazy);

/** sw__stack_extends - whether @low is the lower part of @s. */
bool sw__stack_extends(const sw__stack *s, const sw__stack *low);

/** sw__stack_read - that of a stored ref. SW_E_NOT_FOUND: a record on the way down is not
 *  there; SW_E_CORRUPT: they make no stack. */
SW_NODISCARD sw_err *sw__stack_read(sw__tx *tx, const char *id, sw__stack **out);

#endif
