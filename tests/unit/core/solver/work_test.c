/*
 * tests/unit/core/solver/work_test.c - jobs share the workers that call cache maps.
 */
#include "core/solver/host.h"
#include "tests/unit/core/solver/fake.h"

#define MANY 100

/* A job with MANY cache maps that wait for the gate, each an input of one vertex. */
struct crowd {
        struct fake f[MANY + 4];
        char names[MANY + 4][24];
        uint32_t n;
        sw_job *job;
        sw_solve *solve;
};

static void
crowd_fill(struct crowd *c, int number)
{
        memset(c, 0, sizeof(*c));
        c->n = MANY + 4;
        for (uint32_t i = 0; i < c->n; i++) {
                snprintf(c->names[i], sizeof(c->names[i]), "c%d-%u", number, i);
                c->f[i].name = c->names[i];
                c->f[i].gated_map = i < MANY;
        }
        for (uint32_t i = 0; i < MANY; i++) { /* three of FAKE_IN, and one on top */
                struct fake *f = &c->f[MANY + i / FAKE_IN];
                f->in[f->n_in++] = i;
        }
}

static unsigned
crowd_maps(struct crowd *c)
{
        unsigned n = 0;

        for (uint32_t i = 0; i < MANY; i++)
                n += atomic_load(&c->f[i].maps);
        return n;
}

static void
until_maps(struct crowd *c, unsigned n)
{
        for (int i = 0; i < 60000 && crowd_maps(c) < n; i++)
                usleep(1000);
        usleep(2000); /* more would be a mistake */
        ck_assert_uint_eq(crowd_maps(c), n);
}

/* All vertices below @top: its inputs are the crowd's. */
static void
crowd_start(struct lab *lab, struct crowd *c, sw_job *job)
{
        struct fake *top = &c->f[c->n - 1];

        top->n_in = 0;
        for (uint32_t i = MANY; i + 1 < c->n; i++)
                top->in[top->n_in++] = i;
        for (uint32_t i = 96; i < MANY; i++) /* what the three did not take */
                top->in[top->n_in++] = i;
        c->job = job;
        c->solve = lab_start(lab, job, c->f, c->n);
}

static void
crowd_end(struct crowd *c)
{
        sw__solve_free(c->solve);
        sw__job_close(c->job);
}

/* Catches a job with slow calls that takes all workers from the others, and calls made that
 * were cancelled while they waited. */
START_TEST(leaves_room_for_others)
{
        struct lab lab;
        struct crowd c;
        struct fake small[] = { { .name = "image" },
                                { .name = "run", .n_in = 1, .in = { 0 } } };

        lab_open(&lab, 2, 0);
        crowd_fill(&c, 0);
        crowd_start(&lab, &c, lab_job(&lab, NULL, NULL));
        until_maps(&c, SW__WORK_JOB_MAX);
        builds_to(&lab, small, 2, "run(image)"); /* while the gate is shut */
        crowd_end(&c);
        ck_assert_uint_eq(crowd_maps(&c), SW__WORK_JOB_MAX);
        lab_close(&lab);
}
END_TEST

static void
look(void *arg)
{
        sw_job *job = arg;

        ck_assert_uint_eq(job->work.n_going, 0);
        if (job->work.n_waiting == 0)
                usleep(1000);
}

/* Catches workers given out by who came first, where all are busy. */
START_TEST(takes_turns)
{
        enum { N = SW__WORK_MAX / SW__WORK_JOB_MAX };
        struct lab lab;
        struct crowd *c = sw_alloc_array(N, sizeof(*c));
        struct fake small[] = { { .name = "late" } };

        lab_open(&lab, 2, 0);
        for (int i = 0; i < N; i++) {
                crowd_fill(&c[i], i);
                crowd_start(&lab, &c[i], lab_job(&lab, NULL, NULL));
                until_maps(&c[i], SW__WORK_JOB_MAX);
        }
        sw_job *job = lab_job(&lab, NULL, NULL);
        sw_solve *solve = lab_start(&lab, job, small, 1);
        for (int i = 0; i < 100; i++) /* it waits, and goes on waiting */
                sw__solver_call(lab.solver, look, job);
        lab_gate(&lab, true);
        ok(sw__solve_wait(solve));
        for (int i = 0; i < N; i++)
                ok(sw__solve_wait(c[i].solve));
        /* Not behind the 272 that waited before it, give or take what workers do at once,
         * and those that the machine lets run before others. */
        ck_assert_uint_gt(small[0].map_at, SW__WORK_MAX);
        ck_assert_uint_le(small[0].map_at, SW__WORK_MAX + 200);
        sw__solve_free(solve);
        sw__job_close(job);
        for (int i = 0; i < N; i++)
                crowd_end(&c[i]);
        free(c);
        lab_close(&lab);
}
END_TEST

/* Catches calls lost with the job they were counted for, although another one wants them,
 * and counts that never come down. */
START_TEST(hands_work_over)
{
        struct lab lab;
        struct crowd c;

        lab_open(&lab, 2, 0);
        crowd_fill(&c, 0);
        sw_job *first = lab_job(&lab, NULL, NULL);
        crowd_start(&lab, &c, first);
        until_maps(&c, SW__WORK_JOB_MAX);
        sw_solve *solve = c.solve;
        crowd_start(&lab, &c, lab_job(&lab, NULL, NULL));
        sw__solve_free(solve);
        sw__job_close(first);
        lab_gate(&lab, true);
        ok(sw__solve_wait(c.solve));
        ck_assert_uint_eq(crowd_maps(&c), MANY);
        ck_assert_uint_eq(c.job->work.n_going, 0);
        ck_assert_uint_eq(lab.solver->n_work, 0);
        ck_assert_ptr_null(lab.solver->turns);
        crowd_end(&c);
        lab_close(&lab);
}
END_TEST

UNIT_MAIN("work", leaves_room_for_others, takes_turns, hands_work_over)
