/*
 * lib/janitor/janitor.c - one thread and a queue.
 *
 * Thread: see the header. Everything is guarded by the lock; no job runs under it.
 */
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>

#include <slipway/array.h>
#include <slipway/mem.h>

#include "lib/janitor/janitor.h"

struct job {
        void (*fn)(void *arg);
        void *arg;
};

struct janitor {
        const char *name;
        pthread_mutex_t lock;
        pthread_cond_t more, done;
        SW_ARRAY(struct job) jobs;
        pthread_t thread;
        bool running; /* there is a thread */
        bool busy;    /* it does jobs */
        bool closing;
};

static void *
janitor_main(void *arg)
{
        struct janitor *j = arg;

        (void) pthread_setname_np(pthread_self(), j->name);
        pthread_mutex_lock(&j->lock);
        while (j->jobs.n || !j->closing) {
                __typeof__(j->jobs) now = j->jobs;

                if (!now.n) {
                        pthread_cond_wait(&j->more, &j->lock);
                        continue;
                }
                j->jobs = (__typeof__(j->jobs)){ 0 };
                j->busy = true;
                pthread_mutex_unlock(&j->lock);
                for (size_t i = 0; i < now.n; i++)
                        now.v[i].fn(now.v[i].arg);
                sw_array_release(&now);
                pthread_mutex_lock(&j->lock);
                j->busy = false;
                pthread_cond_broadcast(&j->done);
        }
        pthread_mutex_unlock(&j->lock);
        return NULL;
}

struct janitor *
janitor_new(const char *name)
{
        struct janitor *j = sw_new(struct janitor);

        j->name = name;
        pthread_mutex_init(&j->lock, NULL);
        pthread_cond_init(&j->more, NULL);
        pthread_cond_init(&j->done, NULL);
        return j;
}

/* The thread takes no signals. */
static bool
start_locked(struct janitor *j)
{
        sigset_t all, before;

        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        j->running = j->running || pthread_create(&j->thread, NULL, janitor_main, j) == 0;
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        return j->running;
}

void
janitor_add(struct janitor *j, void (*job)(void *arg), void *arg)
{
        pthread_mutex_lock(&j->lock);
        bool queued = start_locked(j);
        if (queued) {
                sw_array_push(&j->jobs, (struct job){ job, arg });
                pthread_cond_signal(&j->more);
        }
        pthread_mutex_unlock(&j->lock);
        if (!queued)
                job(arg);
}

void
janitor_wait(struct janitor *j)
{
        pthread_mutex_lock(&j->lock);
        while (j->busy || j->jobs.n)
                pthread_cond_wait(&j->done, &j->lock);
        pthread_mutex_unlock(&j->lock);
}

void
janitor_free(struct janitor *j)
{
        if (!j)
                return;
        pthread_mutex_lock(&j->lock);
        j->closing = true;
        pthread_cond_signal(&j->more);
        pthread_mutex_unlock(&j->lock);
        if (j->running)
                pthread_join(j->thread, NULL);
        pthread_cond_destroy(&j->more);
        pthread_cond_destroy(&j->done);
        pthread_mutex_destroy(&j->lock);
        free(j);
}
