/*
 * core/solver/inbox.c - messages to the scheduler's thread.
 *
 * Sleeping: the reader sets asleep, looks at the stack once more, then waits for asleep to
 * change. A writer pushes, then clears asleep, and wakes when it was set. Both orders are
 * sequentially consistent, so either the reader sees the push or the writer sees the reader
 * asleep.
 */
#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/base/spin.h"
#include "core/solver/inbox.h"

static void
futex(atomic_int *word, int op, int value)
{
        (void) syscall(SYS_futex, word, op | FUTEX_PRIVATE_FLAG, value, NULL, NULL, 0);
}

void
sw__inbox_push(struct sw__inbox *in, struct sw__message *m)
{
        struct sw__message *top = atomic_load(&in->top);

        do
                m->next = top;
        while (!atomic_compare_exchange_weak(&in->top, &top, m));
        if (atomic_load(&in->asleep) && atomic_exchange(&in->asleep, 0))
                futex(&in->asleep, FUTEX_WAKE, 1);
}

struct sw__message *
sw__inbox_take(struct sw__inbox *in)
{
        struct sw__message *m = atomic_exchange(&in->top, NULL), *first = NULL;

        while (m) {
                struct sw__message *next = m->next;

                m->next = first;
                first = m;
                m = next;
        }
        return first;
}

void
sw__inbox_wait(struct sw__inbox *in)
{
        int64_t end = sw_time_mono() + in->spin_ns;

        while (sw__spin(end))
                if (sw__inbox_has(in))
                        return;
        for (;;) {
                atomic_store(&in->asleep, 1);
                if (atomic_load(&in->top)) {
                        atomic_store(&in->asleep, 0);
                        return;
                }
                futex(&in->asleep, FUTEX_WAIT, 1); /* may wake for no reason */
                if (atomic_load(&in->top)) {
                        atomic_store(&in->asleep, 0);
                        return;
                }
        }
}
