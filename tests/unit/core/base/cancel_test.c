/*
 * tests/unit/core/base/cancel_test.c - tokens: propagation, callbacks, waiting, races.
 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>

#include <slipway/cancel.h>
#include <slipway/time.h>

static void
count(void *arg)
{
        atomic_fetch_add((atomic_int *) arg, 1);
}

/* Catches: the reason lost, replaced by a later one, or a live token reported cancelled. */
START_TEST(first_reason_stays)
{
        sw_autoptr(sw_cancel) c = sw_cancel_new(NULL);

        ok(sw_cancel_check(c));
        ck_assert(!sw_cancelled(c));
        sw_cancel_now(c, "the user asked");
        sw_cancel_now(c, "too late");
        ck_assert(sw_cancelled(c));
        fails(sw_cancel_check(c), SW_E_CANCELLED, "the user asked");
}
END_TEST

/* Catches: a crash or a made-up reason where none was given, and NULL tokens. */
START_TEST(nothing_is_allowed)
{
        sw_autoptr(sw_cancel) c = sw_cancel_new(NULL);
        int fd;

        sw_cancel_now(c, NULL);
        fails(sw_cancel_check(c), SW_E_CANCELLED, "cancelled");
        ck_assert(!sw_cancelled(NULL));
        ok(sw_cancel_check(NULL));
        ok(sw_cancel_fd(NULL, &fd));
        ck_assert_int_eq(fd, -1);
        ck_assert(!sw_cancel_wait(NULL, 1));
        sw_cancel_off(NULL, sw_cancel_on(NULL, count, NULL));
        sw_cancel_now(NULL, "x");
        sw_cancel_unref(NULL);
}
END_TEST

/* Catches: children, grandchildren or later children missed; the parent touched. */
START_TEST(children_follow)
{
        sw_autoptr(sw_cancel) top = sw_cancel_new(NULL);
        sw_autoptr(sw_cancel) a = sw_cancel_new(top);
        sw_autoptr(sw_cancel) b = sw_cancel_new(top);
        sw_autoptr(sw_cancel) aa = sw_cancel_new(a);

        sw_cancel_now(b, "b alone");
        ck_assert(!sw_cancelled(top) && !sw_cancelled(a) && !sw_cancelled(aa));
        sw_cancel_now(top, "all");
        ck_assert(sw_cancelled(a) && sw_cancelled(aa));
        fails(sw_cancel_check(aa), SW_E_CANCELLED, "all");
        fails(sw_cancel_check(b), SW_E_CANCELLED, "b alone");
        sw_autoptr(sw_cancel) late = sw_cancel_new(aa);
        fails(sw_cancel_check(late), SW_E_CANCELLED, "all");
}
END_TEST

/* Catches: recursion over the chain when it is cancelled or freed. */
START_TEST(long_line_of_children)
{
        sw_cancel *top = sw_cancel_new(NULL), *last = sw_cancel_ref(top);

        for (int i = 0; i < 200000; i++) {
                sw_cancel *c = sw_cancel_new(last);

                sw_cancel_unref(last);
                last = c;
        }
        sw_cancel_now(top, "deep");
        ck_assert(sw_cancelled(last));
        sw_cancel_unref(top);
        sw_cancel_unref(last);
}
END_TEST

/* Catches: a descriptor that is readable too early, not at all, or only once. */
START_TEST(descriptor_becomes_readable)
{
        sw_autoptr(sw_cancel) c = sw_cancel_new(NULL);
        struct pollfd p = { .events = POLLIN };
        int again;

        ok(sw_cancel_fd(c, &p.fd));
        ok(sw_cancel_fd(c, &again));
        ck_assert_int_eq(p.fd, again);
        ck_assert_int_eq(poll(&p, 1, 0), 0);
        sw_cancel_now(c, NULL);
        ck_assert_int_eq(poll(&p, 1, 0), 1);
        ck_assert_int_eq(poll(&p, 1, 0), 1);
        /* and one that is asked for afterwards */
        sw_autoptr(sw_cancel) late = sw_cancel_new(c);
        ok(sw_cancel_fd(late, &p.fd));
        ck_assert_int_eq(poll(&p, 1, 0), 1);
}
END_TEST

/* Catches: callbacks run twice, run after being forgotten, or not run when late. */
START_TEST(callbacks_run_once)
{
        sw_autoptr(sw_cancel) c = sw_cancel_new(NULL);
        atomic_int a = 0, b = 0, late = 0;

        ck_assert(sw_cancel_on(c, count, &a) != 0);
        uint64_t forgotten = sw_cancel_on(c, count, &b);
        sw_cancel_off(c, forgotten);
        sw_cancel_off(c, forgotten);
        sw_cancel_now(c, NULL);
        sw_cancel_now(c, NULL);
        ck_assert_int_eq(a, 1);
        ck_assert_int_eq(b, 0);
        ck_assert(sw_cancel_on(c, count, &late) != 0);
        ck_assert_int_eq(late, 1);
}
END_TEST

struct self_off {
        sw_cancel *c;
        uint64_t handle;
        int runs;
};

static void
forget_myself(void *arg)
{
        struct self_off *s = arg;

        s->runs++;
        sw_cancel_off(s->c, s->handle);
}

/* Catches: a callback that forgets itself waiting for itself for ever. */
START_TEST(callback_may_forget_itself)
{
        sw_autoptr(sw_cancel) c = sw_cancel_new(NULL);
        struct self_off s = { .c = c };

        s.handle = sw_cancel_on(c, forget_myself, &s);
        sw_cancel_now(c, NULL);
        ck_assert_int_eq(s.runs, 1);
}
END_TEST

/* Catches: a wait that ignores its timeout, or a cancelled token. */
START_TEST(wait_ends)
{
        sw_autoptr(sw_cancel) c = sw_cancel_new(NULL);
        int64_t start = sw_time_mono();

        ck_assert(!sw_cancel_wait(c, 0));
        ck_assert(!sw_cancel_wait(c, 20 * 1000 * 1000));
        ck_assert_int_ge(sw_time_mono() - start, 20 * 1000 * 1000);
        sw_cancel_now(c, NULL);
        ck_assert(sw_cancel_wait(c, 0));
        ck_assert(sw_cancel_wait(c, -1));
        ck_assert(sw_cancel_wait(c, INT64_MAX));
}
END_TEST

static void *
cancel_thread(void *arg)
{
        sw_cancel_now(arg, "thread");
        return NULL;
}

/* Catches: a lost wake-up, with and without a (far) deadline. */
START_TEST(wait_is_woken)
{
        for (int i = 0; i < 200; i++) {
                sw_autoptr(sw_cancel) top = sw_cancel_new(NULL);
                sw_autoptr(sw_cancel) c = sw_cancel_new(top);
                pthread_t t;

                ck_assert_int_eq(pthread_create(&t, NULL, cancel_thread, top), 0);
                ck_assert(sw_cancel_wait(c, i % 2 ? -1 : INT64_MAX));
                pthread_join(t, NULL);
        }
}
END_TEST

struct gate {
        atomic_int entered, leave, left;
};

static void
slow_callback(void *arg)
{
        struct gate *g = arg;

        atomic_store(&g->entered, 1);
        while (!atomic_load(&g->leave))
                sched_yield();
        atomic_store(&g->left, 1);
}

static void *
open_gate(void *arg)
{
        struct gate *g = arg;
        struct timespec ms = { .tv_nsec = 5 * 1000 * 1000 };

        nanosleep(&ms, NULL); /* give sw_cancel_off the chance to return too early */
        atomic_store(&g->leave, 1);
        return NULL;
}

/* Catches: sw_cancel_off returning while the callback still runs on another thread. */
START_TEST(off_waits_for_a_running_callback)
{
        sw_autoptr(sw_cancel) c = sw_cancel_new(NULL);
        struct gate g = { 0 };
        uint64_t handle = sw_cancel_on(c, slow_callback, &g);
        pthread_t canceller, opener;

        ck_assert_int_eq(pthread_create(&canceller, NULL, cancel_thread, c), 0);
        while (!atomic_load(&g.entered))
                sched_yield();
        ck_assert_int_eq(pthread_create(&opener, NULL, open_gate, &g), 0);
        sw_cancel_off(c, handle);
        ck_assert_int_eq(atomic_load(&g.left), 1);
        pthread_join(canceller, NULL);
        pthread_join(opener, NULL);
}
END_TEST

struct freed {
        int value;
};

static void
touch(void *arg)
{
        ((struct freed *) arg)->value++;
}

/* Catches (with a sanitizer): a callback that touches its argument after sw_cancel_off
 * returned and the argument was freed. */
START_TEST(argument_may_be_freed_after_off)
{
        for (int i = 0; i < 500; i++) {
                sw_autoptr(sw_cancel) c = sw_cancel_new(NULL);
                struct freed *f = calloc(1, sizeof(*f));
                uint64_t handle = sw_cancel_on(c, touch, f);
                pthread_t t;

                ck_assert_int_eq(pthread_create(&t, NULL, cancel_thread, c), 0);
                sw_cancel_off(c, handle);
                f->value = -1;
                free(f);
                pthread_join(t, NULL);
        }
}
END_TEST

struct churn {
        sw_cancel *top;
        atomic_bool stop;
        atomic_int missed;
};

/* Makes and drops children while the parent is cancelled by another thread. */
static void *
churn_children(void *arg)
{
        struct churn *ch = arg;

        while (!atomic_load(&ch->stop)) {
                bool before = sw_cancelled(ch->top);
                sw_autoptr(sw_cancel) c = sw_cancel_new(ch->top);
                sw_autoptr(sw_cancel) cc = sw_cancel_new(c);

                if (before && !sw_cancelled(cc))
                        atomic_fetch_add(&ch->missed, 1);
        }
        return NULL;
}

/* Catches: a child freed while its parent propagates (use after free), and a child made
 * during propagation that stays live for ever. */
START_TEST(propagation_races_with_birth_and_death)
{
        for (int i = 0; i < 100; i++) {
                struct churn ch = { .top = sw_cancel_new(NULL) };
                sw_autoptr(sw_cancel) kept = sw_cancel_new(ch.top);
                pthread_t t[3];

                for (size_t j = 0; j < 3; j++)
                        ck_assert_int_eq(pthread_create(&t[j], NULL, churn_children, &ch),
                                         0);
                sched_yield();
                sw_cancel_now(ch.top, "race");
                atomic_store(&ch.stop, true);
                for (size_t j = 0; j < 3; j++)
                        pthread_join(t[j], NULL);
                ck_assert_int_eq(ch.missed, 0);
                ck_assert(sw_cancelled(kept));
                sw_cancel_unref(ch.top);
        }
}
END_TEST

UNIT_MAIN("cancel", first_reason_stays, nothing_is_allowed, children_follow,
          long_line_of_children, descriptor_becomes_readable, callbacks_run_once,
          callback_may_forget_itself, wait_ends, wait_is_woken,
          off_waits_for_a_running_callback, argument_may_be_freed_after_off,
          propagation_races_with_birth_and_death)
