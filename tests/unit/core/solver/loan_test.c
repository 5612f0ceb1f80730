/*
 * tests/unit/core/solver/loan_test.c - jobs on loan to ops that several jobs share.
 */
#include "tests/unit/core/solver/fake.h"

/* What a job of these tests brings. */
struct client {
        const char *name;
        sw_err *(*say)(const struct client *c); /* or NULL: success */
        bool stays;                             /* until its ctx is cancelled */
        atomic_bool gone;                       /* the job was closed */
        atomic_uint inside;                     /* calls that use it */
        atomic_uint calls;
};

static atomic_uint late; /* calls with a job that was closed, or still there at its end */

static sw_err *
visit(void *arg, sw_ctx *ctx, const struct sw_op_job *job)
{
        struct client *c = job->client;
        sw_err *err = SW_OK;

        (void) arg;
        atomic_fetch_add(&late, atomic_load(&c->gone));
        atomic_fetch_add(&c->calls, 1);
        atomic_fetch_add(&c->inside, 1);
        if (c->stays) {
                (void) sw_cancel_wait(sw_ctx_cancel(ctx), -1);
                usleep(5000); /* it takes its time: who closes has to wait */
                err = sw_ctx_check(ctx);
        }
        if (!err && c->say)
                err = c->say(c);
        sw_progress_note(ctx, "with %s", c->name);
        atomic_fetch_sub(&c->inside, 1);
        atomic_fetch_add(&late, atomic_load(&c->gone));
        return err;
}

static void
close_client(sw_job *job, struct client *c)
{
        sw__job_close(job);
        atomic_store(&c->gone, true);
        ck_assert_uint_eq(c->inside, 0);
}

static sw_err *
not_here(const struct client *c)
{
        return sw_err_new(SW_E_NOT_FOUND, "%s has no such secret", c->name);
}

static sw_err *
refused(const struct client *c)
{
        return sw_err_new(SW_E_REMOTE, "%s is told that the registry is on fire", c->name);
}

/* Two jobs that share a vertex whose op is held up until both have named it. */
struct pair {
        struct lab lab;
        struct fake f[2];
        struct client a, b;
        sw_cancel *cancel_a;
        sw_job *ja, *jb;
        sw_solve *sa, *sb;
};

static void
pair_open(struct pair *p)
{
        p->f[0] = (struct fake){ .name = "first", .gated = true };
        p->f[1] = (struct fake){ .name = "shared", .n_in = 1, .with = visit };
        p->a.name = "a";
        p->b.name = "b";
        atomic_store(&late, 0);
        lab_open(&p->lab, 2, 0);
        p->cancel_a = sw_cancel_new(NULL);
        p->ja = lab_job_of(&p->lab, NULL, p->cancel_a, NULL, &p->a);
        p->jb = lab_job_of(&p->lab, NULL, NULL, NULL, &p->b);
        p->sa = lab_start(&p->lab, p->ja, p->f, 2);
        p->sb = lab_start(&p->lab, p->jb, p->f, 2);
        until_now(&p->f[0], 1);
        lab_gate(&p->lab, true);
}

static void
pair_close(struct pair *p)
{
        sw__solve_free(p->sa);
        sw__solve_free(p->sb);
        if (p->ja)
                close_client(p->ja, &p->a);
        close_client(p->jb, &p->b);
        ck_assert_uint_eq(late, 0);
        sw_cancel_unref(p->cancel_a);
        lab_close(&p->lab);
}

/* Catches an op that is only ever given the job that brought it. */
START_TEST(asks_the_other_job)
{
        struct pair p = { .a.say = not_here };

        pair_open(&p);
        ok(sw__solve_wait(p.sa));
        ok(sw__solve_wait(p.sb));
        ck_assert_uint_eq(p.a.calls, 1);
        ck_assert_uint_eq(p.b.calls, 1);
        pair_close(&p);
}
END_TEST

/* Catches a job asked for ever, or the first answer lost where no job has it. */
START_TEST(asks_each_job_once)
{
        struct pair p = { .a.say = not_here, .b.say = not_here };

        pair_open(&p);
        fails(sw__solve_wait(p.sb), SW_E_NOT_FOUND, "no such secret");
        fails(sw__solve_wait(p.sa), SW_E_NOT_FOUND, "no such secret");
        ck_assert_uint_eq(p.a.calls, 1);
        ck_assert_uint_eq(p.b.calls, 1);
        pair_close(&p);
}
END_TEST

/* Catches work done again for each job where it fails for all the same. */
START_TEST(real_failures_end_it)
{
        struct pair p = { .a.say = refused, .b.say = refused };

        pair_open(&p);
        fails(sw__solve_wait(p.sa), SW_E_REMOTE, "on fire");
        ck_assert_uint_eq(p.a.calls + p.b.calls, 1);
        pair_close(&p);
}
END_TEST

/* Catches what belongs to a job used after the job was closed, and a step that fails for
 * one job because another one leaves. */
START_TEST(survives_the_lender)
{
        struct pair p = { .a.stays = true, .b.stays = true };

        pair_open(&p);
        for (int i = 0; i < 60000 && !p.a.inside && !p.b.inside; i++)
                usleep(1000);
        if (!p.a.inside) { /* b was lent: then a is the one that remains */
                p.a.stays = false;
                sw_job *b = p.jb;
                close_client(b, &p.b);
                ok(sw__solve_wait(p.sa));
                fails(sw__solve_wait(p.sb), SW_E_CANCELLED, "closed");
                p.jb = lab_job_of(&p.lab, NULL, NULL, NULL, &p.a);
        } else {
                p.b.stays = false;
                close_client(p.ja, &p.a);
                p.ja = NULL;
                ok(sw__solve_wait(p.sb));
                fails(sw__solve_wait(p.sa), SW_E_CANCELLED, "closed");
        }
        ck_assert_uint_eq(p.a.calls, 1);
        ck_assert_uint_eq(p.b.calls, 1);
        ck_assert_uint_eq(late, 0);
        pair_close(&p);
}
END_TEST

/* Catches a cancelled job that waits for what another one still wants. */
START_TEST(gives_cancelled_jobs_back)
{
        struct pair p = { .a.stays = true };

        pair_open(&p);
        for (int i = 0; i < 60000 && !p.a.inside && !p.b.calls; i++)
                usleep(1000);
        sw_cancel_now(p.cancel_a, "ctrl-c");
        ok(sw__solve_wait(p.sb));
        ck_assert_uint_eq(p.b.calls, 1);
        close_client(p.ja, &p.a); /* comes back although a's call waits for cancellation */
        p.ja = NULL;
        pair_close(&p);
}
END_TEST

struct hold {
        sw_solver *solver;
        atomic_bool held, release;
};

static void
hold(void *arg)
{
        struct hold *h = arg;

        atomic_store(&h->held, true);
        while (!atomic_load(&h->release))
                usleep(1000);
}

static void *
hold_main(void *arg)
{
        struct hold *h = arg;

        sw__solver_call(h->solver, hold, h);
        return NULL;
}

struct starter {
        struct lab *lab;
        sw_job *job;
        struct fake *f;
        sw_solve *solve;
};

static void *
starter_main(void *arg)
{
        struct starter *s = arg;

        s->solve = lab_start(s->lab, s->job, s->f, 1);
        return NULL;
}

/* Catches the cancellation of a job that leaves told to one that comes at that moment: the
 * scheduler hears of the first job's end, of the op that asks for a job, and of the second
 * job's solve all at once, in this order. */
START_TEST(comes_as_the_last_one_goes)
{
        struct lab lab;
        struct client a = { .name = "a" }, b = { .name = "b" };
        struct fake f[] = { { .name = "shared", .gated = true, .with = visit } };
        sw_cancel *cancel = sw_cancel_new(NULL);
        pthread_t holder, starter;

        lab_open(&lab, 2, 0);
        sw_job *ja = lab_job_of(&lab, NULL, cancel, NULL, &a);
        sw_job *jb = lab_job_of(&lab, NULL, NULL, NULL, &b);
        sw_solve *sa = lab_start(&lab, ja, f, 1);
        struct hold h = { .solver = lab.solver };
        struct starter st = { &lab, jb, f, NULL };
        until_now(&f[0], 1);
        pthread_create(&holder, NULL, hold_main, &h);
        while (!atomic_load(&h.held))
                usleep(1000);
        sw_cancel_now(cancel, "ctrl-c");
        lab_gate(&lab, true);
        usleep(20000);
        pthread_create(&starter, NULL, starter_main, &st);
        usleep(20000); /* too short, and there is less to be seen, that is all */
        atomic_store(&h.release, true);
        pthread_join(holder, NULL);
        pthread_join(starter, NULL);

        ok(sw__solve_wait(st.solve));
        fails(sw__solve_wait(sa), SW_E_CANCELLED, "ctrl-c");
        ck_assert_uint_eq(a.calls, 0);
        ck_assert_uint_eq(b.calls, 1);
        sw__solve_free(sa);
        sw__solve_free(st.solve);
        sw__job_close(ja);
        sw__job_close(jb);
        sw_cancel_unref(cancel);
        lab_close(&lab);
}
END_TEST

static sw_err *
look(void *arg, sw_ctx *ctx, const struct sw_op_job *job)
{
        struct sw_op_job *seen = arg;

        (void) ctx;
        *seen = *job;
        return SW_OK;
}

/* Catches an op that could wait for a solve while it holds a place others wait for, and one
 * that is to solve and has nothing to solve in. */
START_TEST(lends_the_job_to_solve_in)
{
        struct lab lab;
        struct client c = { .name = "c" };
        struct sw_op_job plain = { 0 }, waits = { 0 };
        struct fake f[] = {
                { .name = "plain", .with = look, .arg = &plain },
                { .name = "waits", .waits = true, .n_in = 1, .with = look, .arg = &waits }
        };
        static const struct sw_session_ops none = { .size = sizeof(none) };
        sw_session *session = sw_session_new("s", &none, NULL);

        lab_open(&lab, 1, 0);
        sw_job *job = lab_job_of(&lab, NULL, NULL, session, &c);
        sw_solve *solve = lab_start(&lab, job, f, 2);
        ok(sw__solve_wait(solve));
        ck_assert_ptr_null(plain.job);
        ck_assert_ptr_eq(plain.client, &c);
        ck_assert_ptr_eq(plain.session, session);
        ck_assert_ptr_eq(waits.job, job);
        sw__solve_free(solve);
        sw__job_close(job);
        lab_close(&lab);
        sw_session_free(session);
}
END_TEST

static unsigned
notes(sw_subscription *sub)
{
        struct sw_progress_batch b;
        unsigned n = 0;
        bool more;

        do {
                more = sw_progress_next(sub, -1, &b);
                for (size_t i = 0; i < b.n_statuses; i++)
                        n += strncmp(b.statuses[i].id, "with ", 5) == 0;
                sw_progress_batch_release(&b);
        } while (more);
        sw_subscription_free(sub);
        return n;
}

/* Catches progress that only the job on loan is told of. */
START_TEST(tells_all_jobs)
{
        struct pair p = { .a.say = not_here };

        pair_open(&p);
        sw_subscription *of_a = sw__job_subscribe(p.ja), *of_b = sw__job_subscribe(p.jb);
        ok(sw__solve_wait(p.sa));
        ok(sw__solve_wait(p.sb));
        sw_subscription *after = sw__job_subscribe(p.jb);
        pair_close(&p);
        ck_assert_uint_eq(notes(of_a), 2);
        ck_assert_uint_eq(notes(of_b), 2);
        ck_assert_uint_eq(notes(after), 2);
}
END_TEST

UNIT_MAIN("loan", asks_the_other_job, asks_each_job_once, real_failures_end_it,
          survives_the_lender, gives_cancelled_jobs_back, comes_as_the_last_one_goes,
          lends_the_job_to_solve_in, tells_all_jobs)
