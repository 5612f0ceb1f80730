/*
 * core/solver/solver.c - the scheduler's thread, and the interface of solver.h to it.
 *
 * The thread takes messages, lets the core step until nothing is left, commits and tells,
 * and sleeps. It never waits for anything else. Whoever calls from outside sends a message
 * and, where the function says so, waits for the answer.
 *
 * Invariant: only the scheduler's thread touches the core and what it hands out, between
 * thread_main's first line and its last.
 * Thread: as solver.h says.
 */
#include <assert.h>
#include <signal.h>
#include <unistd.h>

#include "core/base/spin.h"
#include "core/solver/host.h"

/* ---- the scheduler's thread ---- */

static void
take_messages(sw_solver *s)
{
        struct sw__message *m = sw__inbox_take(&s->inbox);

        while (m) {
                struct sw__message *next = m->next; /* m may be gone after */

                m->fn(s, m);
                m = next;
        }
}

static void
work_off(sw_solver *s)
{
        while (sw__core_step(s->core)) {
                if (sw__core_group_due(s->core))
                        sw__core_flush(s->core);
                if (sw__inbox_has(&s->inbox))
                        take_messages(s);
        }
        sw__core_flush(s->core);
        sw__host_sweep(s);
}

static void
work_off_now(void *arg)
{
        work_off(arg);
}

void
sw__solver_settle(sw_solver *s)
{
        sw__solver_call(s, work_off_now, s); /* the janitor has it then */
        sw__host_await_sweep(s);
}

static void *
thread_main(void *arg)
{
        sw_solver *s = arg;

        pthread_setname_np(pthread_self(), "sw-scheduler");
        while (!s->stopping) {
                take_messages(s);
                work_off(s);
                if (!s->stopping && !sw__inbox_has(&s->inbox))
                        sw__inbox_wait(&s->inbox);
        }
        return NULL;
}

/* ---- calls into it ---- */

struct call {
        struct sw__message message;
        void (*fn)(void *arg);
        void *arg;
        bool done; /* under lock */
};

static void
call_arrived(void *reader, struct sw__message *m)
{
        struct call *c = (struct call *) m;
        sw_solver *s = reader;

        c->fn(c->arg);
        pthread_mutex_lock(&s->lock);
        c->done = true;
        pthread_cond_broadcast(&s->ended);
        pthread_mutex_unlock(&s->lock);
}

static void
wait_for(sw_solver *s, const bool *flag)
{
        pthread_mutex_lock(&s->lock);
        while (!*flag)
                pthread_cond_wait(&s->ended, &s->lock);
        pthread_mutex_unlock(&s->lock);
}

void
sw__solver_call(sw_solver *s, void (*fn)(void *arg), void *arg)
{
        struct call c = { .message.fn = call_arrived, .fn = fn, .arg = arg };

        assert(!pthread_equal(pthread_self(), s->thread));
        sw__inbox_push(&s->inbox, &c.message);
        wait_for(s, &c.done);
}

/* ---- life ---- */

static void
free_limits(sw_limit *l)
{
        while (l) {
                sw_limit *next = l->next;

                free(l->name);
                free(l);
                l = next;
        }
}

static void
free_parts(sw_solver *s)
{
        sw_pool_free(s->waits);
        sw_pool_free(s->runs);
        sw_pool_free(s->work);
        if (s->core)
                sw__core_free(s->core);
        sw_pool_free(s->janitor);
        if (s->story)
                sw__story_free(s->story);
        sw_ctx_free(s->fast_ctx);
        sw__cacheset_unref(s->cache);
        free_limits(s->limits);
        pthread_mutex_destroy(&s->lock);
        pthread_cond_destroy(&s->ended);
        free(s);
}

static sw_err *
make_pools(sw_solver *s, unsigned max_running)
{
        sw_err *err = sw_pool_new("sw-run", max_running, &s->runs);

        if (!err)
                err = sw_pool_new("sw-work", SW__WORK_MAX, &s->work);
        if (!err)
                err = sw_pool_new("sw-wait", 1024, &s->waits);
        if (!err)
                err = sw_pool_new("sw-janitor", 1, &s->janitor);
        return err;
}

/* Signals are the main thread's; those that report a fault of this one cannot be. */
static int
start_thread(sw_solver *s)
{
        static const int faults[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS };
        sigset_t all, before;
        int rc;

        sigfillset(&all);
        for (size_t i = 0; i < SW_COUNT(faults); i++)
                sigdelset(&all, faults[i]);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        rc = pthread_create(&s->thread, NULL, thread_main, s);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        return rc;
}

static unsigned
processors(void)
{
        long n = sysconf(_SC_NPROCESSORS_ONLN);

        return n > 0 && n < 4096 ? (unsigned) n : 1;
}

sw_err *
sw__solver_new(const struct sw_solver_opts *opts, sw_solver **out)
{
        sw_solver *s = sw_new(sw_solver);
        struct sw__core_opts core_opts = {
                .max_running = opts->max_running ? opts->max_running : processors(),
                .trace_events = opts->trace_events,
        };
        sw_err *err;
        int rc;

        pthread_mutex_init(&s->lock, NULL);
        pthread_cond_init(&s->ended, NULL);
        s->inbox.spin_ns = sw__spin_ns();
        s->log = opts->log;
        s->max_per_job = opts->max_running_per_job;
        s->cache = sw__cacheset_ref(opts->cache);
        s->fast_ctx = sw_ctx_new(NULL, s->log, NULL, NULL, NULL);
        s->story = core_opts.story = sw__story_new(opts->spool_dirfd);
        sw__story_limit_logs(s->story, opts->log_max ? opts->log_max : SW_LOG_MAX_DEFAULT,
                             opts->log_speed ? opts->log_speed : SW_LOG_SPEED_DEFAULT);
        err = make_pools(s, core_opts.max_running);
        if (err) {
                free_parts(s);
                return sw_err_wrap(err, "start the solver");
        }
        s->core = sw__core_new(&sw__thread_host, s, &core_opts);
        rc = start_thread(s);
        if (rc) {
                free_parts(s);
                return sw_err_sys(SW_E_INTERNAL, rc, "start the scheduler's thread");
        }
        *out = s;
        return SW_OK;
}

static void
stop(void *arg)
{
        sw_solver *s = arg;

        s->stopping = true;
}

void
sw__solver_free(sw_solver *s)
{
        if (!s)
                return;
        sw__solver_call(s, stop, s);
        pthread_join(s->thread, NULL);
        free_parts(s);
}

/* ---- limits ---- */

sw_limit *
sw__limit_new(sw_solver *s, const char *name, uint64_t units)
{
        sw_limit *l = sw_new(sw_limit);

        l->name = sw_strdup(name);
        l->units = units;
        pthread_mutex_lock(&s->lock);
        l->next = s->limits;
        s->limits = l;
        pthread_mutex_unlock(&s->lock);
        return l;
}

struct limit_call {
        sw_solver *s;
        sw_limit *l;
        uint64_t units;
};

static void
limit_set(void *arg)
{
        struct limit_call *c = arg;

        sw__core_limit_set(c->s->core, c->l, c->units);
}

void
sw__limit_set(sw_solver *s, sw_limit *l, uint64_t units)
{
        struct limit_call c = { s, l, units };

        sw__solver_call(s, limit_set, &c);
}

/* ---- trace ---- */

struct trace_call {
        sw_solver *s;
        struct sw__trace *copy;
};

static void
trace_copy(void *arg)
{
        struct trace_call *c = arg;

        c->copy = sw__trace_copy(c->s->core->trace);
}

sw_err *
sw__solver_dump_trace(sw_solver *s, int fd)
{
        struct trace_call c = { s, NULL };
        sw_err *err;

        sw__solver_call(s, trace_copy, &c);
        err = sw__trace_dump(c.copy, fd);
        sw__trace_free(c.copy);
        return err;
}
