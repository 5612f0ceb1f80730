/*
 * tests/unit/core/solver/ahead_test.c - what does not depend on each other runs side by
 * side, in a first build and in those that follow, and nothing runs for that alone.
 *
 * The graph is that of a Dockerfile: stages over one base, and an image that copies from
 * each of them, one COPY onto the other. That ops run side by side is shown by a meeting:
 * each waits in its op until all are there, and fails when they do not come.
 */
#include <errno.h>
#include <limits.h>
#include <time.h>

#include "tests/unit/core/solver/fake.h"

#define PATIENCE_S 20
#define STAGES     10 /* at most */

/* ---- meetings ---- */

struct meeting {
        pthread_mutex_t lock;
        pthread_cond_t change;
        unsigned expected, here;
};

static void
meeting_init(struct meeting *m, unsigned expected)
{
        pthread_mutex_init(&m->lock, NULL);
        pthread_cond_init(&m->change, NULL);
        m->expected = expected;
        m->here = 0;
}

static sw_err *
meet(void *arg, sw_ctx *ctx, const struct sw_op_job *job)
{
        struct meeting *m = arg;
        struct timespec end;
        int rc = 0;

        (void) ctx, (void) job;
        clock_gettime(CLOCK_REALTIME, &end);
        end.tv_sec += PATIENCE_S;
        pthread_mutex_lock(&m->lock);
        m->here++;
        pthread_cond_broadcast(&m->change);
        while (m->here < m->expected && rc != ETIMEDOUT)
                rc = pthread_cond_timedwait(&m->change, &m->lock, &end);
        rc = m->here < m->expected;
        pthread_mutex_unlock(&m->lock);
        return rc ? sw_err_new(SW_E_STEP, "the others do not come") : SW_OK;
}

/* ---- stages and copies ---- */

/* 0: base; 1 to n: stages over it; n+1 to 2n: copies, each onto the one before. */
struct image {
        unsigned n;
        struct fake f[1 + 2 * STAGES];
        char text[2 * STAGES][16], map[STAGES][16];
        struct meeting meeting;
};

static void
image_init(struct image *im, unsigned n)
{
        memset(im, 0, sizeof(*im));
        im->n = n;
        im->f[0].name = "base";
        for (unsigned k = 1; k <= n; k++) {
                struct fake *stage = &im->f[k], *copy = &im->f[n + k];

                stage->name = im->text[k - 1];
                snprintf(im->text[k - 1], sizeof(im->text[0]), "stage%u", k);
                stage->n_in = 1;
                copy->name = im->text[n + k - 1];
                snprintf(im->text[n + k - 1], sizeof(im->text[0]), "copy%u", k);
                copy->n_in = 2;
                copy->in[0] = k == 1 ? 0 : n + k - 1;
                copy->in[1] = k;
                copy->content[1] = "=";
        }
}

/* The instruction of a stage is another one now, and so is what it makes. */
static void
edit_stage(struct image *im, unsigned k, unsigned version)
{
        snprintf(im->text[k - 1], sizeof(im->text[0]), "stage%u-%u", k, version);
}

/* Those of @stages (bits from 1 on) that run have to meet. */
static void
expect_meeting(struct image *im, unsigned stages)
{
        meeting_init(&im->meeting, (unsigned) __builtin_popcount(stages));
        for (unsigned k = 1; k <= im->n; k++) {
                im->f[k].with = stages & (1u << k) ? meet : NULL;
                im->f[k].arg = &im->meeting;
        }
}

static void
builds(struct lab *lab, struct image *im)
{
        sw_auto(sw_buf) want = SW_BUF_INIT;

        for (unsigned k = im->n; k >= 1; k--)
                sw_buf_addf(&want, "copy%u(", k);
        sw_buf_adds(&want, "base");
        for (unsigned k = 1; k <= im->n; k++)
                sw_buf_addf(&want, ",%s(base))", im->f[k].name);
        builds_to(lab, im->f, 1 + 2 * im->n, want.data);
}

/* Since the last time: which stages ran, from which copy on copies did. */
static void
ran(struct image *im, unsigned stages, unsigned first_copy)
{
        for (unsigned k = 1; k <= im->n; k++) {
                ck_assert_uint_eq(im->f[k].runs, !!(stages & (1u << k)));
                ck_assert_uint_eq(im->f[im->n + k].runs, k >= first_copy);
                im->f[k].runs = im->f[im->n + k].runs = 0;
                im->f[im->n + k].contents = 0;
        }
}

static const unsigned sizes[] = { 2, STAGES };

#define ALL(n)  ((2u << (n)) - 2)
#define NEVER   UINT_MAX
#define RUNNING (STAGES + 2)

/* ---- side by side ---- */

static void
first_build_of(unsigned n)
{
        struct lab lab;
        struct image im;

        image_init(&im, n);
        lab_open(&lab, RUNNING, 0);
        expect_meeting(&im, ALL(im.n));
        builds(&lab, &im);
        ran(&im, ALL(im.n), 1);
        lab_close(&lab);
}

/* Catches stages of a first build that wait for each other. */
START_TEST(first_build)
{
        for (size_t i = 0; i < SW_COUNT(sizes); i++)
                first_build_of(sizes[i]);
}
END_TEST

static void
rebuild_of(unsigned n)
{
        struct lab lab;
        struct image im;

        image_init(&im, n);
        lab_open(&lab, RUNNING, 0);
        builds(&lab, &im);
        ran(&im, ALL(im.n), 1);
        for (unsigned k = 1; k <= im.n; k++)
                edit_stage(&im, k, 2);
        expect_meeting(&im, ALL(im.n));
        builds(&lab, &im);
        ran(&im, ALL(im.n), 1);
        lab_close(&lab);
}

/* Catches the same of a build after all of them were edited: there each copy has to know
 * the content of the one below before it can look for itself. */
START_TEST(rebuild)
{
        for (size_t i = 0; i < SW_COUNT(sizes); i++)
                rebuild_of(sizes[i]);
}
END_TEST

static void
rebuild_of_one_of(unsigned n)
{
        struct lab lab;
        struct image im;

        image_init(&im, n);
        lab_open(&lab, RUNNING, 0);
        builds(&lab, &im);
        ran(&im, ALL(im.n), 1);
        for (unsigned k = 1; k <= im.n; k++) {
                edit_stage(&im, k, 2);
                atomic_store(&lab.loads, 0);
                builds(&lab, &im);
                ran(&im, 1u << k, k);
                /* base for the stage, the copy below, stages of the copies above */
                ck_assert_uint_eq(lab.loads, 1 + (k > 1) + im.n - k);
        }
        lab_close(&lab);
}

/* Catches a stage evaluated that is known and did not change. */
START_TEST(rebuild_of_one)
{
        for (size_t i = 0; i < SW_COUNT(sizes); i++)
                rebuild_of_one_of(sizes[i]);
}
END_TEST

/* Catches a stage that ignores the cache and waits for one that was edited. */
START_TEST(one_ignores_the_cache)
{
        struct lab lab;
        struct image im;

        image_init(&im, 2);
        lab_open(&lab, RUNNING, 0);
        builds(&lab, &im);
        ran(&im, ALL(2), 1);
        edit_stage(&im, 1, 2);
        im.f[2].ignore = true;
        expect_meeting(&im, ALL(2));
        builds(&lab, &im);
        ran(&im, ALL(2), 1);
        lab_close(&lab);
}
END_TEST

/* Catches ops that wait for the solver left out, or given places. */
START_TEST(waiting_ops)
{
        struct lab lab;
        struct image im;

        image_init(&im, STAGES);
        for (unsigned k = 1; k <= STAGES; k++)
                im.f[k].waits = true;
        lab_open(&lab, 1, 0);
        builds(&lab, &im);
        ran(&im, ALL(STAGES), 1);
        for (unsigned k = 1; k <= STAGES; k++)
                edit_stage(&im, k, 2);
        expect_meeting(&im, ALL(STAGES));
        builds(&lab, &im);
        ran(&im, ALL(STAGES), 1);
        lab_close(&lab);
}
END_TEST

/* Catches a base that was edited and waits for what is copied onto it, although no key can
 * be found any more; and what is under the copied stage waiting for that base. */
START_TEST(edited_base)
{
        struct lab lab;
        struct meeting m;
        struct fake f[] = {
                { .name = "image" },
                { .name = "deps", .n_in = 1, .in = { 0 } },
                { .name = "copy-deps",
                  .n_in = 2,
                  .in = { 0, 1 },
                  .content = { NULL, "=" } },
                { .name = "tool", .n_in = 1, .in = { 2 } },
                { .name = "base", .n_in = 1, .in = { 0 } },
                { .name = "copy-tool", .n_in = 2, .in = { 4, 3 }, .content = { NULL, "=" } }
        };

        lab_open(&lab, RUNNING, 0);
        builds_to(&lab, f, 6, "copy-tool(base(image),tool(copy-deps(image,deps(image))))");
        meeting_init(&m, 2);
        f[1].name = "deps-2";
        f[4].name = "base-2";
        f[1].with = f[4].with = meet;
        f[1].arg = f[4].arg = &m;
        builds_to(&lab, f, 6,
                  "copy-tool(base-2(image),tool(copy-deps(image,deps-2(image))))");
        lab_close(&lab);
}
END_TEST

/* Catches an image that waits for all copies, though the content of one says already that
 * it is a new one; and that content computed only after what the lower copy waits for. */
START_TEST(content_rules_out)
{
        struct lab lab;
        struct meeting m;
        struct fake f[] = {
                { .name = "base" },
                { .name = "low", .n_in = 1, .in = { 0 } },
                { .name = "high", .n_in = 1, .in = { 0 } },
                { .name = "other", .n_in = 1, .in = { 0 } },
                { .name = "copy-low", .n_in = 2, .in = { 0, 1 }, .content = { NULL, "=" } },
                { .name = "copy-high",
                  .n_in = 2,
                  .in = { 4, 2 },
                  .content = { NULL, "=" } },
                { .name = "merge", .n_in = 2, .in = { 5, 3 } }
        };

        lab_open(&lab, RUNNING, 0);
        builds_to(&lab, f, 7,
                  "merge(copy-high(copy-low(base,low(base)),high(base)),other(base))");
        fake_lose_all(&lab); /* so that the other one is known, and has to run */
        meeting_init(&m, 2);
        f[1].name = "low-2";
        f[2].name = "high-2";
        f[1].with = f[3].with = meet;
        f[1].arg = f[3].arg = &m;
        builds_to(&lab, f, 7,
                  "merge(copy-high(copy-low(base,low-2(base)),high-2(base)),other(base))");
        lab_close(&lab);
}
END_TEST

/* Catches a content key that waits for the copy below, or that is forgotten where many take
 * from one result: those are made one after the other. */
START_TEST(many_of_one)
{
        struct lab lab;
        struct image im;
        sw_job *job;

        image_init(&im, STAGES);
        for (unsigned k = 2; k <= STAGES; k++)
                im.f[STAGES + k].in[1] = 2;
        lab_open(&lab, RUNNING, 0);
        char *first = lab_build(&lab, NULL, im.f, 1 + 2 * STAGES);
        ran(&im, 1 << 1 | 1 << 2, 1);
        edit_stage(&im, 1, 2);
        edit_stage(&im, 2, 2);
        im.f[1].gated = true;
        job = lab_job(&lab, NULL, NULL);
        sw_solve *solve = lab_start(&lab, job, im.f, 1 + 2 * STAGES);
        for (unsigned k = 2; k <= STAGES; k++)
                until(&im.f[STAGES + k].contents, 1);
        until_now(&im.f[1], 1); /* still there */
        lab_gate(&lab, true);
        ok(sw__solve_wait(solve));
        ck_assert_str_ne(fake_value(sw__solve_result(solve, 0)), first);
        ran(&im, 1 << 1 | 1 << 2, 1);
        sw__solve_free(solve);
        sw__job_close(job);
        free(first);
        lab_close(&lab);
}
END_TEST

/* ---- no more than needed ---- */

static void
same_content_of(unsigned n)
{
        struct lab lab;
        struct image im;

        image_init(&im, n);
        for (unsigned k = 1; k <= im.n; k++) { /* never found again */
                snprintf(im.map[k - 1], sizeof(im.map[0]), "random:%u", k);
                im.f[k].map[0] = im.map[k - 1];
        }
        lab_open(&lab, RUNNING, 0);
        builds(&lab, &im);
        ran(&im, ALL(im.n), 1);
        atomic_store(&lab.loads, 0);
        expect_meeting(&im, ALL(im.n));
        builds(&lab, &im);
        for (unsigned k = 1; k <= im.n; k++)
                ck_assert_uint_eq(im.f[im.n + k].contents, 1);
        ran(&im, ALL(im.n), NEVER);
        ck_assert_uint_eq(lab.loads, 2); /* base for the stages, and the result */
        ck_assert_uint_eq(im.f[0].runs, 1);
        lab_close(&lab);
}

/* Catches copies made again though what was evaluated ahead has its old content. */
START_TEST(same_content)
{
        for (size_t i = 0; i < SW_COUNT(sizes); i++)
                same_content_of(sizes[i]);
}
END_TEST

/* Catches a stage evaluated that is found slowly, by the content of what it was made of:
 *
 *      sources (new each time) -> copied -> stage -> copied from
 */
START_TEST(found_slowly)
{
        struct lab lab;
        struct fake f[] = {
                { .name = "base" },
                { .name = "src1", .map = { "random:1" } },
                { .name = "src2", .map = { "random:2" } },
                { .name = "add1", .n_in = 2, .in = { 0, 1 }, .content = { NULL, "=" } },
                { .name = "add2", .n_in = 2, .in = { 0, 2 }, .content = { NULL, "=" } },
                { .name = "run1", .n_in = 1, .in = { 3 } },
                { .name = "run2", .n_in = 1, .in = { 4 } },
                { .name = "copy1", .n_in = 2, .in = { 0, 5 }, .content = { NULL, "=" } },
                { .name = "copy2", .n_in = 2, .in = { 7, 6 }, .content = { NULL, "=" } },
        };
        static const char value[] =
                "copy2(copy1(base,run1(add1(base,src1))),run2(add2(base,src2)))";

        lab_open(&lab, RUNNING, 0);
        builds_to(&lab, f, 9, value);
        ck_assert_uint_eq(lab.loads, 0);
        builds_to(&lab, f, 9, value);
        for (unsigned i = 0; i < 9; i++)
                ck_assert_uint_eq(f[i].runs, i == 1 || i == 2 ? 2 : 1);
        for (unsigned i = 3; i < 9; i++) /* of what was copied from nothing is asked */
                ck_assert_uint_eq(f[i].contents, i < 5 ? 2 : i < 7 ? 0 : 1);
        ck_assert_uint_eq(lab.loads, 1);
        lab_close(&lab);
}
END_TEST

/* ---- ends ---- */

/* Catches a failure of what was begun ahead that is noticed only when its turn has come. */
START_TEST(fails_ahead)
{
        struct lab lab;
        struct image im;

        image_init(&im, 2);
        lab_open(&lab, RUNNING, 0);
        builds(&lab, &im);
        edit_stage(&im, 1, 2);
        edit_stage(&im, 2, 2);
        im.f[1].gated = true; /* and the gate stays shut */
        im.f[2].error = "exit status 3";
        sw_auto(sw_str) got = lab_build(&lab, NULL, im.f, 5);
        ck_assert_str_eq(got, "exit status 3");
        ck_assert_int_eq(im.f[1].now, 0);
        lab_close(&lab);
}
END_TEST

/* Catches what was begun ahead that goes on when nobody wants the build any more, or does
 * not begin anew with the next. */
START_TEST(cancelled_ahead)
{
        struct lab lab;
        struct image im;
        sw_job *job;

        image_init(&im, STAGES);
        lab_open(&lab, RUNNING, 0);
        builds(&lab, &im);
        ran(&im, ALL(STAGES), 1);
        job = lab_job(&lab, NULL, NULL);
        for (unsigned k = 1; k <= STAGES; k++) {
                edit_stage(&im, k, 2);
                im.f[k].gated = true;
        }
        for (unsigned round = 1; round <= 5; round++) {
                sw_solve *solve = lab_start(&lab, job, im.f, 1 + 2 * STAGES);

                for (unsigned k = 1; k <= STAGES; k++)
                        until_now(&im.f[k], 1);
                sw__solve_cancel(solve, "enough");
                fails(sw__solve_wait(solve), SW_E_CANCELLED, "enough");
                sw__solve_free(solve);
                for (unsigned k = 1; k <= STAGES; k++)
                        until(&im.f[k].stops, round);
        }
        lab_gate(&lab, true);
        builds(&lab, &im);
        ran(&im, ALL(STAGES), 1);
        sw__job_close(job);
        lab_close(&lab);
}
END_TEST

/* Catches a stage that another job began ahead and took along when it left. */
START_TEST(one_of_two_leaves)
{
        struct lab lab;
        struct image im;
        sw_job *a, *b;

        image_init(&im, 2);
        lab_open(&lab, RUNNING, 0);
        builds(&lab, &im);
        ran(&im, ALL(2), 1);
        a = lab_job(&lab, NULL, NULL);
        b = lab_job(&lab, NULL, NULL);
        for (unsigned k = 1; k <= 2; k++) {
                edit_stage(&im, k, 2);
                im.f[k].gated = true;
        }
        sw_solve *sa = lab_start(&lab, a, im.f, 5);
        until_now(&im.f[1], 1);
        until_now(&im.f[2], 1);
        sw_solve *sb = lab_start(&lab, b, im.f, 5);
        sw__solve_cancel(sa, "enough");
        fails(sw__solve_wait(sa), SW_E_CANCELLED, "enough");
        sw__solve_free(sa);
        sw__job_close(a);
        lab_gate(&lab, true);
        ok(sw__solve_wait(sb));
        sw__solve_free(sb);
        sw__job_close(b);
        ran(&im, ALL(2), 1);
        ck_assert_uint_eq(im.f[1].stops + im.f[2].stops, 0);
        lab_close(&lab);
}
END_TEST

UNIT_MAIN("ahead", first_build, rebuild, rebuild_of_one, one_ignores_the_cache, waiting_ops,
          edited_base, content_rules_out, many_of_one, same_content, found_slowly,
          fails_ahead, cancelled_ahead, one_of_two_leaves)
