/*
 * core/base/pool.c - a pool of worker threads.
 *
 *   a thread:  WORKING <-> IDLE -> LEFT        (IDLE -> LEFT after idle_ns, or at the end)
 *
 * One lock covers everything; it is not held while work runs. A thread that leaves puts
 * itself on the list of those to be joined, which the next submit or sw_pool_free does:
 * it has nothing more to do then, so that joining it takes no time.
 * Invariants:
 *   I1  queued > 0 implies threads > 0
 *   I2  a thread leaves only while the queue is empty
 * Thread: any, except where pool.h says otherwise.
 */
#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include <slipway/mem.h>
#include <slipway/time.h>

#include "core/base/pool.h"
#include "core/base/spin.h"

#define IDLE_NS  (10 * SW_NS_PER_SEC)
#define MAX_NAME 11

struct work {
        struct work *next;
        void (*fn)(void *);
        void *arg;
};

struct worker {
        struct worker *next; /* among those that left */
        struct sw_pool *pool;
        pthread_t thread;
        unsigned number;
};

struct sw_pool {
        pthread_mutex_t lock;
        pthread_cond_t work;  /* something is queued, or it ends */
        pthread_cond_t quiet; /* nothing is queued or running, or a thread left */
        struct work *first, **last;
        atomic_uint queued;              /* pieces of work; written under the lock */
        unsigned running;                /* pieces of work */
        unsigned threads, idle, started; /* now, waiting, ever */
        bool spinning;                   /* one that waits is about to look again */
        unsigned max;
        struct worker *left;
        bool ending;
        int64_t idle_ns, spin_ns;
        char name[MAX_NAME + 1];
};

sw_err *
sw_pool_new(const char *name, unsigned max_threads, sw_pool **out)
{
        pthread_condattr_t attr;

        if (strlen(name) > MAX_NAME)
                return sw_err_new(SW_E_INVALID, "thread pool name \"%s\" is over %d bytes",
                                  name, MAX_NAME);
        if (max_threads < 1)
                return sw_err_new(SW_E_INVALID, "thread pool %s without threads", name);
        sw_pool *p = sw_new(sw_pool);
        memcpy(p->name, name, strlen(name)); /* the rest is zeroed */
        p->max = max_threads;
        p->idle_ns = IDLE_NS;
        p->spin_ns = sw__spin_ns();
        p->last = &p->first;
        pthread_mutex_init(&p->lock, NULL);
        pthread_condattr_init(&attr);
        pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
        pthread_cond_init(&p->work, &attr);
        pthread_condattr_destroy(&attr);
        pthread_cond_init(&p->quiet, NULL);
        *out = p;
        return SW_OK;
}

static struct work *
take_work_locked(sw_pool *p)
{
        struct work *w = p->first;

        p->first = w->next;
        if (!p->first)
                p->last = &p->first;
        p->queued--;
        return w;
}

/* One at a time looks for more work for a moment; it need not be woken. */
static void
spin_locked(sw_pool *p)
{
        if (p->spinning || !p->spin_ns)
                return;
        p->spinning = true;
        pthread_mutex_unlock(&p->lock);
        int64_t end = sw_time_mono() + p->spin_ns;
        while (!atomic_load_explicit(&p->queued, memory_order_relaxed) && sw__spin(end))
                ;
        pthread_mutex_lock(&p->lock);
        p->spinning = false;
}

/* Wait for work; false when the thread is to leave. */
static bool
wait_for_work_locked(sw_pool *p)
{
        struct timespec at = sw_time_to_spec(sw_time_mono() + p->idle_ns);
        int rc = 0;

        p->idle++;
        spin_locked(p);
        while (!p->first && !p->ending && rc != ETIMEDOUT)
                rc = pthread_cond_timedwait(&p->work, &p->lock, &at);
        p->idle--;
        return p->first;
}

static void
run_work(sw_pool *p)
{
        struct work *w = take_work_locked(p);

        p->running++;
        pthread_mutex_unlock(&p->lock);
        w->fn(w->arg);
        free(w);
        pthread_mutex_lock(&p->lock);
        p->running--;
        if (p->queued == 0 && p->running == 0)
                pthread_cond_broadcast(&p->quiet);
}

static void *
worker_main(void *arg)
{
        struct worker *me = arg;
        sw_pool *p = me->pool;
        char name[32];

        snprintf(name, sizeof(name), "%.*s/%u", MAX_NAME, p->name, me->number % 1000);
        (void) pthread_setname_np(pthread_self(), name);
        pthread_mutex_lock(&p->lock);
        while (p->first || wait_for_work_locked(p))
                run_work(p);
        p->threads--;
        me->next = p->left;
        p->left = me;
        pthread_cond_broadcast(&p->quiet);
        pthread_mutex_unlock(&p->lock);
        return NULL;
}

/* Start a thread that takes no signal but those that report its own faults. */
static int
start_thread_locked(sw_pool *p)
{
        static const int faults[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS };
        struct worker *w = sw_new(struct worker);
        sigset_t all, before;

        w->pool = p;
        w->number = p->started;
        sigfillset(&all);
        for (size_t i = 0; i < SW_COUNT(faults); i++)
                sigdelset(&all, faults[i]);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        int err = pthread_create(&w->thread, NULL, worker_main, w);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        if (err) {
                free(w);
                return err;
        }
        p->started++;
        p->threads++;
        return 0;
}

static void
join_all(struct worker *left)
{
        while (left) {
                struct worker *w = left;

                left = w->next;
                pthread_join(w->thread, NULL);
                free(w);
        }
}

sw_err *
sw_pool_submit(sw_pool *p, void (*fn)(void *), void *arg)
{
        struct work *w = sw_new(struct work);
        int err = 0;

        *w = (struct work){ .fn = fn, .arg = arg };
        pthread_mutex_lock(&p->lock);
        assert(!p->ending);
        struct worker *left = sw_steal(p->left);
        if (p->queued + 1 > p->idle && p->threads < p->max)
                err = start_thread_locked(p);
        if (p->threads > 0) {
                *p->last = w;
                p->last = &w->next;
                p->queued++;
                if (p->queued > p->spinning)
                        pthread_cond_signal(&p->work);
                err = 0; /* those that are there will come to it */
        }
        pthread_mutex_unlock(&p->lock);
        join_all(left);
        if (!err)
                return SW_OK;
        free(w);
        return sw_err_sys(SW_E_INTERNAL, err, "start the first thread of pool %s", p->name);
}

void
sw_pool_drain(sw_pool *p)
{
        pthread_mutex_lock(&p->lock);
        while (p->queued > 0 || p->running > 0)
                pthread_cond_wait(&p->quiet, &p->lock);
        pthread_mutex_unlock(&p->lock);
}

void
sw_pool_free(sw_pool *p)
{
        if (!p)
                return;
        pthread_mutex_lock(&p->lock);
        /* work may submit more work until the last of it is done */
        while (p->queued > 0 || p->running > 0)
                pthread_cond_wait(&p->quiet, &p->lock);
        p->ending = true;
        pthread_cond_broadcast(&p->work);
        while (p->threads > 0)
                pthread_cond_wait(&p->quiet, &p->lock);
        pthread_mutex_unlock(&p->lock);
        join_all(p->left);
        pthread_cond_destroy(&p->quiet);
        pthread_cond_destroy(&p->work);
        pthread_mutex_destroy(&p->lock);
        free(p);
}

void
sw__pool_set_idle(sw_pool *p, int64_t ns)
{
        pthread_mutex_lock(&p->lock);
        p->idle_ns = ns;
        pthread_mutex_unlock(&p->lock);
}

unsigned
sw__pool_threads(sw_pool *p)
{
        pthread_mutex_lock(&p->lock);
        unsigned n = p->threads;
        pthread_mutex_unlock(&p->lock);
        return n;
}
