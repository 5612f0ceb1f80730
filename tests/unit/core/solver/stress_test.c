/*
 * tests/unit/core/solver/stress_test.c - many jobs started, cancelled and read at random,
 * on real threads. For ThreadSanitizer first of all; everywhere it catches a hang, a leak,
 * a wrong value or an op that runs twice at once for one key.
 *
 * SW_STRESS_SECONDS=60 makes it long.
 */
#include <fcntl.h>
#include <malloc.h>

#include <slipway/time.h>

#include "tests/unit/core/solver/fake.h"

#if UNIT_SANITIZED
#include <sanitizer/allocator_interface.h>
#endif

#define THREADS  6
#define VERTICES 24

struct stress {
        struct lab lab;
        struct fake f[VERTICES];
        char *names[VERTICES];
        int64_t until;
        atomic_uint builds, cancelled, items;
};

struct worker {
        struct stress *s;
        pthread_t thread;
        uint64_t rng;
};

static unsigned
rnd(struct worker *w, unsigned n)
{
        w->rng = w->rng * 6364136223846793005u + 1442695040888963407u;
        return (unsigned) (w->rng >> 33) % n;
}

/* Depth-first value, as fake_execute makes it. */
static void
expect(const struct fake *f, uint32_t v, sw_buf *out)
{
        sw_buf_adds(out, f[v].name);
        for (uint32_t i = 0; i < f[v].n_in; i++) {
                sw_buf_addc(out, i ? ',' : '(');
                expect(f, f[v].in[i], out);
        }
        sw_buf_adds(out, f[v].n_in ? ")" : "");
}

/* The solve takes the vertices up to and with @root. */
static void
check_result(struct stress *s, sw_solve *solve, uint32_t root)
{
        sw_auto(sw_buf) want = SW_BUF_INIT;

        expect(s->f, root, &want);
        ck_assert_str_eq(fake_value(sw__solve_result(solve, 0)), want.data);
}

static void
read_story(struct worker *w, sw_job *job)
{
        sw_subscription *sub = sw__job_subscribe(job);
        struct sw_progress_batch b;
        int fd;

        if (rnd(w, 2))
                ok(sw_progress_fd(sub, &fd));
        for (unsigned i = rnd(w, 3); i; i--) {
                (void) sw_progress_next(sub, rnd(w, 2) * 100000, &b);
                atomic_fetch_add(&w->s->items, (unsigned) (b.n_vertices + b.n_logs));
                sw_progress_batch_release(&b);
        }
        sw_subscription_free(sub);
}

static void
one_solve(struct worker *w, sw_job *job, sw_cancel *cancel)
{
        struct stress *s = w->s;
        uint32_t root = rnd(w, VERTICES);
        sw_solve *solve = lab_start(&s->lab, job, s->f, root + 1);
        unsigned what = rnd(w, 8);
        sw_err *err;

        if (what == 0)
                sw__solve_cancel(solve, "stress");
        if (what == 1)
                usleep(rnd(w, 800));
        if (what <= 1)
                sw_cancel_now(cancel, "stress");
        if (what == 2) { /* nobody waits for it */
                sw__solve_free(solve);
                return;
        }
        read_story(w, job);
        err = sw__solve_wait(solve);
        if (!err)
                check_result(s, solve, root);
        else if (sw_err_code(err) == SW_E_CANCELLED)
                atomic_fetch_add(&s->cancelled, 1);
        else
                ck_abort_msg("%s", sw_err_message(err));
        sw_err_free(err);
        sw__solve_free(solve);
}

static bool
count_why(void *arg, const struct sw_progress_vertex *y)
{
        (void) y;
        ++*(unsigned *) arg;
        return true;
}

static void *
work(void *arg)
{
        struct worker *w = arg;
        struct stress *s = w->s;

        while (sw_time_mono() < s->until) {
                sw_cancel *cancel = sw_cancel_new(NULL);
                sw_job *job = lab_job(&s->lab, NULL, cancel);
                unsigned n = 0;

                for (unsigned i = 1 + rnd(w, 3); i; i--)
                        one_solve(w, job, cancel);
                if (rnd(w, 4) == 0)
                        sw__job_why(job, count_why, &n);
                sw__job_close(job);
                sw_cancel_unref(cancel);
                atomic_fetch_add(&s->builds, 1);
        }
        return NULL;
}

static void
make_ops(struct stress *s)
{
        uint64_t rng = 42;

        for (uint32_t i = 0; i < VERTICES; i++) {
                struct fake *f = &s->f[i];

                s->names[i] = sw_asprintf("v%u", i);
                f->name = s->names[i];
                f->fast = i % 3 == 0;
                f->log = i % 4 == 0 ? "some text\n" : NULL;
                f->ignore = i % 7 == 3;
                for (uint32_t k = 0; i && k < i % 4; k++) {
                        rng = rng * 6364136223846793005u + 1442695040888963407u;
                        f->in[k] = (uint32_t) (rng >> 33) % i;
                        f->content[k] = (rng >> 20) % 3 == 0 ? "=" : NULL;
                        f->n_in++;
                }
        }
        /* Values grow with the number of paths: keep it a graph of modest depth. */
        for (uint32_t i = 12; i < VERTICES; i++)
                for (uint32_t k = 0; k < s->f[i].n_in; k++)
                        s->f[i].in[k] %= 12;
}

/* What happens to results meanwhile. */
static void
forget(void *arg)
{
        struct stress *s = arg;
        char id[64];

        pthread_mutex_lock(&s->lab.lock);
        for (unsigned i = 1; i <= s->lab.n_values; i += 3) {
                snprintf(id, sizeof(id), "here::%u", i);
                sw_map_remove(s->lab.values, id);
        }
        pthread_mutex_unlock(&s->lab.lock);
}

static int64_t
seconds(void)
{
        const char *s = getenv("SW_STRESS_SECONDS");

        return s ? atoi(s) : 3;
}

START_TEST(many_jobs)
{
        static struct stress s;
        struct worker w[THREADS];
        unsigned rounds = 0;

        lab_open(&s.lab, 4, 2);
        lab_gate(&s.lab, true);
        make_ops(&s);
        s.until = sw_time_mono() + seconds() * SW_NS_PER_SEC;
        for (unsigned i = 0; i < THREADS; i++) {
                w[i] = (struct worker){ .s = &s, .rng = i + 1 };
                ck_assert_int_eq(pthread_create(&w[i].thread, NULL, work, &w[i]), 0);
        }
        while (sw_time_mono() < s.until) {
                usleep(50000);
                sw__solver_call(s.lab.solver, forget, &s);
                if (rounds++ % 8 == 0) {
                        sw_auto(sw_fd) fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
                        ok(sw__solver_dump_trace(s.lab.solver, fd));
                }
        }
        for (unsigned i = 0; i < THREADS; i++)
                ck_assert_int_eq(pthread_join(w[i].thread, NULL), 0);
        printf("# %u jobs, %u solves cancelled, %u items read\n", s.builds, s.cancelled,
               s.items);
        ck_assert_uint_gt(s.builds, 20);
        ck_assert_uint_gt(s.cancelled, 0);
        lab_close(&s.lab);
        for (unsigned i = 0; i < VERTICES; i++) {
                ck_assert_uint_eq(s.f[i].twice, 0);
                free(s.names[i]);
        }
}
END_TEST

#if !UNIT_SANITIZED
/*
 * What malloc keeps back for each thread counts as in use and never comes to rest: begin
 * anew without it. It is chosen before main, and Check must not see two processes.
 */
__attribute__((constructor)) static void
without_thread_caches(int argc, char **argv)
{
        (void) argc;
        if (getenv("GLIBC_TUNABLES"))
                return;
        setenv("GLIBC_TUNABLES", "glibc.malloc.tcache_count=0", 1);
        (void) execv("/proc/self/exe", argv); /* as it is, then: the counts are rougher */
}
#endif

/*
 * Bytes in use. The sanitizers bring their own malloc, which mallinfo2 knows nothing of.
 * Under valgrind nothing can be counted; it finds what is lost by itself.
 */
static size_t
in_use(void)
{
#if UNIT_SANITIZED
        return __sanitizer_get_current_allocated_bytes();
#else
        return mallinfo2().uordblks;
#endif
}

/* The same, once the janitor has let go of everything. */
static size_t
settled(struct lab *lab)
{
        fake_lose_all(lab);
        for (int i = 0; i < 60000 && (lab->results || lab->ops); i++)
                usleep(1000);
        ck_assert_int_eq(lab->results, 0);
        ck_assert_int_eq(lab->ops, 0);
        usleep(10000); /* its own list goes after the last of them */
        return in_use();
}

/* One that succeeds, is cached, fails or is cancelled, read to its end by a subscriber. */
static void
short_job(struct lab *lab, struct fake *f, uint32_t n, unsigned round)
{
        sw_job *job = lab_job(lab, NULL, NULL);
        sw_subscription *sub = sw__job_subscribe(job);
        sw_solve *solve;
        struct sw_progress_batch b;

        f[1].error = round % 4 == 3 ? "now and then" : NULL;
        if (round % 2) /* records are of no use: all of it runs */
                fake_lose_all(lab);
        solve = lab_start(lab, job, f, n);
        if (round % 5 == 4)
                sw__solve_cancel(solve, "short");
        sw_err_drop(sw__solve_wait(solve), "any end will do");
        sw__solve_free(solve);
        sw__job_close(job);
        while (sw_progress_next(sub, -1, &b))
                sw_progress_batch_release(&b);
        sw_progress_batch_release(&b);
        sw_subscription_free(sub);
}

#define BATCH 150

/*
 * Catches what a finished job leaves in a solver that lives long. What is lost with each
 * job, or with each kind of job, makes every batch need more than the one before; what is
 * let go of late does not.
 */
START_TEST(finished_jobs_leave_nothing)
{
        struct lab lab;
        struct fake f[] = { { .name = "image", .log = "pulling\n" },
                            { .name = "copy", .n_in = 1, .in = { 0 }, .content = { "=" } },
                            { .name = "run",
                              .n_in = 2,
                              .in = { 1, 0 },
                              .log = "some lines of output\n" } };
        int64_t least = INT64_MAX;
        size_t before = 0;

        lab_open(&lab, 2, 0);
        lab_gate(&lab, true);
        for (unsigned batch = 0; batch < 7; batch++) {
                for (unsigned i = 0; i < BATCH; i++)
                        short_job(&lab, f, 3, i);

                size_t now = settled(&lab);
                int64_t grown = (int64_t) now - (int64_t) before;

                printf("# after %u jobs %zu bytes are in use\n", (batch + 1) * BATCH, now);
                before = now;
                if (batch > 1 && grown < least) /* the first ones fill what is kept */
                        least = grown;
        }
        ck_assert_int_lt(least, BATCH);
        lab_close(&lab);
}
END_TEST

UNIT_MAIN("stress", many_jobs, finished_jobs_leave_nothing)
