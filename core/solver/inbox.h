/*
 * core/solver/inbox.h - messages to the scheduler's thread: many writers, one reader.
 *
 * Writers push onto a stack with one compare-and-swap and wake the reader only when it
 * sleeps; the reader takes the whole stack and turns it round, so messages of one writer
 * arrive in their order. Nothing is allocated: a message is embedded in what it is about.
 */
#ifndef SLIPWAY_CORE_SOLVER_INBOX_H
#define SLIPWAY_CORE_SOLVER_INBOX_H

#include <stdatomic.h>

#include <slipway/api.h>

struct sw__message {
        struct sw__message *next;
        void (*fn)(void *reader, struct sw__message *m); /* on the reader's thread */
};

struct sw__inbox {
        _Atomic(struct sw__message *) top;
        atomic_int asleep; /* the futex */
        int64_t spin_ns;   /* fixed: how long the reader looks before it sleeps */
};

/* Thread: any; also from a cancellation callback. After it the message is the reader's. */
void sw__inbox_push(struct sw__inbox *in, struct sw__message *m);
/* All that is there, oldest first, or NULL. Thread: the reader's. */
struct sw__message *sw__inbox_take(struct sw__inbox *in);
static inline bool
sw__inbox_has(struct sw__inbox *in)
{
        return atomic_load_explicit(&in->top, memory_order_acquire) != NULL;
}
/* Sleep until there is something. Thread: the reader's. */
void sw__inbox_wait(struct sw__inbox *in);

#endif
