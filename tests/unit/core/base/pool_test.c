/*
 * tests/unit/core/base/pool_test.c - worker threads: order, number, coming and going.
 */
#include "tests/unit/unit.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <slipway/time.h>

#include "core/base/pool.h"

/* Holds workers until it is opened; knows how many it holds. */
struct gate {
        pthread_mutex_t lock;
        pthread_cond_t changed;
        unsigned inside;
        bool open;
};
#define GATE_INIT                                                                          \
        {                                                                                  \
                PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, false              \
        }

static void
pass_gate(void *arg)
{
        struct gate *g = arg;

        pthread_mutex_lock(&g->lock);
        g->inside++;
        pthread_cond_broadcast(&g->changed);
        while (!g->open)
                pthread_cond_wait(&g->changed, &g->lock);
        pthread_mutex_unlock(&g->lock);
}

static void
wait_inside(struct gate *g, unsigned n)
{
        pthread_mutex_lock(&g->lock);
        while (g->inside < n)
                pthread_cond_wait(&g->changed, &g->lock);
        pthread_mutex_unlock(&g->lock);
}

static void
open_gate(struct gate *g)
{
        pthread_mutex_lock(&g->lock);
        g->open = true;
        pthread_cond_broadcast(&g->changed);
        pthread_mutex_unlock(&g->lock);
}

static void
count(void *arg)
{
        atomic_fetch_add((atomic_uint *) arg, 1);
}

/* Catches: more threads than allowed, or fewer than the work needs. */
START_TEST(as_many_threads_as_work)
{
        sw_autoptr(sw_pool) p = NULL;
        struct gate g = GATE_INIT;

        ok(sw_pool_new("test", 3, &p));
        ck_assert_uint_eq(sw__pool_threads(p), 0);
        for (int i = 0; i < 8; i++) {
                ok(sw_pool_submit(p, pass_gate, &g));
                ck_assert_uint_le(sw__pool_threads(p), 3);
        }
        wait_inside(&g, 3);
        ck_assert_uint_eq(sw__pool_threads(p), 3);
        open_gate(&g);
        sw_pool_drain(p);
        ck_assert_uint_eq(g.inside, 8);
}
END_TEST

/* Catches: a thread for each piece of work although one is waiting for it. */
START_TEST(idle_threads_are_used_again)
{
        sw_autoptr(sw_pool) p = NULL;
        atomic_uint n = 0;

        ok(sw_pool_new("test", 16, &p));
        for (unsigned i = 0; i < 50; i++) {
                ok(sw_pool_submit(p, count, &n));
                sw_pool_drain(p);
        }
        /* drain may see the work done before its thread waits again: not quite one */
        ck_assert_uint_lt(sw__pool_threads(p), 8);
        ck_assert_uint_eq(n, 50);
}
END_TEST

static unsigned numbers[100], order[100], n_order;

static void
note_order(void *arg)
{
        order[n_order++] = *(unsigned *) arg;
}

/* Catches: work taken out of order. */
START_TEST(first_in_first_out)
{
        sw_autoptr(sw_pool) p = NULL;

        ok(sw_pool_new("test", 1, &p));
        for (unsigned i = 0; i < 100; i++) {
                numbers[i] = i;
                ok(sw_pool_submit(p, note_order, &numbers[i]));
        }
        sw_pool_drain(p);
        ck_assert_uint_eq(n_order, 100);
        for (unsigned i = 0; i < 100; i++)
                ck_assert_uint_eq(order[i], i);
}
END_TEST

struct seen {
        char name[32];
        sigset_t mask;
};

static void
look_around(void *arg)
{
        struct seen *s = arg;

        pthread_getname_np(pthread_self(), s->name, sizeof(s->name));
        pthread_sigmask(SIG_SETMASK, NULL, &s->mask);
}

/* Catches: threads without a name; signals of the program taken by a worker. */
START_TEST(name_and_signals)
{
        sw_autoptr(sw_pool) p = NULL;
        struct seen s;
        sigset_t mine;

        ok(sw_pool_new("elevenbytes", 1, &p));
        ok(sw_pool_submit(p, look_around, &s));
        sw_pool_drain(p);
        ck_assert_str_eq(s.name, "elevenbytes/0");
        ck_assert(sigismember(&s.mask, SIGINT) && sigismember(&s.mask, SIGTERM) &&
                  sigismember(&s.mask, SIGCHLD) && sigismember(&s.mask, SIGPIPE));
        ck_assert(!sigismember(&s.mask, SIGSEGV));
        pthread_sigmask(SIG_SETMASK, NULL, &mine);
        ck_assert(!sigismember(&mine, SIGINT));
}
END_TEST

/* Catches: names cut silently, pools that can never work. */
START_TEST(wrong_arguments)
{
        sw_pool *p = NULL;

        fails(sw_pool_new("twelve bytes", 1, &p), SW_E_INVALID, "twelve bytes");
        fails(sw_pool_new("none", 0, &p), SW_E_INVALID, "none");
        ck_assert_ptr_null(p);
        sw_pool_free(NULL);
}
END_TEST

/* Catches: threads that never leave; work lost while they do; joins forgotten (leaks). */
START_TEST(idle_threads_leave)
{
        sw_autoptr(sw_pool) p = NULL;
        atomic_uint n = 0;

        ok(sw_pool_new("test", 4, &p));
        sw__pool_set_idle(p, 1000 * 1000);
        for (unsigned round = 0; round < 20; round++) {
                for (unsigned i = 0; i < 8; i++)
                        ok(sw_pool_submit(p, count, &n));
                sw_pool_drain(p);
                for (int i = 0; i < 5000 && sw__pool_threads(p) > 0; i++)
                        nanosleep(&(struct timespec){ .tv_nsec = 1000 * 1000 }, NULL);
                ck_assert_uint_eq(sw__pool_threads(p), 0);
        }
        /* and with a pause that is about as long as they stay */
        for (unsigned i = 0; i < 200; i++) {
                ok(sw_pool_submit(p, count, &n));
                nanosleep(&(struct timespec){ .tv_nsec = 1000 * 1000 }, NULL);
        }
        sw_pool_drain(p);
        ck_assert_uint_eq(n, 20 * 8 + 200);
}
END_TEST

struct chain {
        sw_pool *p;
        atomic_uint n;
};

static void
submit_next(void *arg)
{
        struct chain *c = arg;

        if (atomic_fetch_add(&c->n, 1) < 999)
                ok(sw_pool_submit(c->p, submit_next, c));
}

/* Catches: work that is submitted by work lost when the pool ends. */
START_TEST(free_waits_for_work_of_work)
{
        struct chain c = { 0 };

        ok(sw_pool_new("test", 2, &c.p));
        ok(sw_pool_submit(c.p, submit_next, &c));
        sw_pool_free(c.p);
        ck_assert_uint_eq(c.n, 1000);
}
END_TEST

static void *
submit_many(void *arg)
{
        struct chain *c = arg;

        for (int i = 0; i < 2000; i++)
                ok(sw_pool_submit(c->p, count, &c->n));
        return NULL;
}

/* Catches: lost or doubled work, and races, with several submitters. */
START_TEST(many_submitters)
{
        struct chain c = { 0 };
        pthread_t t[4];

        ok(sw_pool_new("test", 3, &c.p));
        sw__pool_set_idle(c.p, 100 * 1000);
        for (size_t i = 0; i < 4; i++)
                ck_assert_int_eq(pthread_create(&t[i], NULL, submit_many, &c), 0);
        for (size_t i = 0; i < 4; i++)
                pthread_join(t[i], NULL);
        sw_pool_free(c.p);
        ck_assert_uint_eq(c.n, 8000);
}
END_TEST

/* Catches: work queued that nobody will ever take, when no thread can be made. */
START_TEST(no_thread_at_all)
{
        sw_autoptr(sw_pool) p = NULL;
        atomic_uint n = 0;
        struct rlimit before, none;

        if (geteuid() == 0) /* root is not limited; this process is the test's own */
                ck_assert_int_eq(setuid(65533), 0);
        ck_assert_int_eq(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0), 0); /* for leak checkers */
        ck_assert_int_eq(getrlimit(RLIMIT_NPROC, &before), 0);
        none = (struct rlimit){ 0, before.rlim_max };
        ck_assert_int_eq(setrlimit(RLIMIT_NPROC, &none), 0);
        ok(sw_pool_new("test", 1, &p));
        fails(sw_pool_submit(p, count, &n), SW_E_INTERNAL, "pool test");
        sw_pool_drain(p);
        ck_assert_uint_eq(n, 0);
        ck_assert_int_eq(setrlimit(RLIMIT_NPROC, &before), 0);
}
END_TEST

UNIT_MAIN("pool", as_many_threads_as_work, idle_threads_are_used_again, first_in_first_out,
          name_and_signals, wrong_arguments, idle_threads_leave,
          free_waits_for_work_of_work, many_submitters, no_thread_at_all)
