/*
 * tests/unit/core/solver/solver_test.c - jobs and solves, on threads, with fake ops.
 *
 * What is right in every order of events is the model test's; here are the promises of
 * solver.h one by one.
 */
#include <slipway/time.h>

#include "core/solver/host.h"
#include "tests/unit/core/solver/fake.h"

/* Catches an op run again, or an input evaluated, although all is cached. */
START_TEST(builds_once)
{
        struct lab lab;
        struct fake f[] = { { .name = "image" },
                            { .name = "local" },
                            { .name = "copy", .n_in = 2, .in = { 0, 1 } },
                            { .name = "run", .n_in = 1, .in = { 2 } } };

        lab_open(&lab, 2, 0);
        builds_to(&lab, f, 4, "run(copy(image,local))");
        builds_to(&lab, f, 4, "run(copy(image,local))");
        for (int i = 0; i < 4; i++)
                ck_assert_uint_eq(f[i].runs, 1);
        ck_assert_uint_eq(lab.loads, 1); /* the root alone */
        lab_close(&lab);
}
END_TEST

/* Catches content keys not looked up, or the consumer run again for the same content. */
START_TEST(finds_by_content)
{
        struct lab lab;
        struct fake f[] = {
                { .name = "image" },
                { .name = "local-1", .map = { "random:1" } },
                { .name = "copy", .n_in = 2, .in = { 0, 1 }, .content = { NULL, "same" } },
                { .name = "run", .n_in = 1, .in = { 2 } }
        };

        lab_open(&lab, 2, 0);
        builds_to(&lab, f, 4, "run(copy(image,local-1))");
        f[1].map[0] = "random:2"; /* never found again: the client sends it anew */
        builds_to(&lab, f, 4, "run(copy(image,local-1))");
        ck_assert_uint_eq(f[1].runs, 2);
        ck_assert_uint_eq(f[2].runs, 1);
        ck_assert_uint_eq(f[3].runs, 1);
        ck_assert_uint_eq(f[2].contents, 2);
        ck_assert_uint_eq(lab.loads, 1); /* copy is keyed, never loaded */
        lab_close(&lab);
}
END_TEST

/* Catches a content key computed where the other input already rules a record out. */
START_TEST(skips_content_that_cannot_match)
{
        struct lab lab;
        struct fake f[] = {
                { .name = "image" },
                { .name = "local", .map = { "random:1" } },
                { .name = "copy", .n_in = 2, .in = { 0, 1 }, .content = { NULL, "same" } }
        };
        sw_job *job;
        sw_solve *solve;

        lab_open(&lab, 2, 0);
        f[0].gated = true; /* the image is new and takes long */
        job = lab_job(&lab, NULL, NULL);
        solve = lab_start(&lab, job, f, 3);
        until_now(&f[0], 1);
        until(&f[1].runs, 1); /* evaluated beside it, for the run */
        lab_gate(&lab, true);
        ok(sw__solve_wait(solve));
        sw__solve_free(solve);
        sw__job_close(job);
        ck_assert_uint_eq(f[2].contents, 1);
        lab_close(&lab);
}
END_TEST

/* Catches another cache map not asked for, or the result not stored under it. */
START_TEST(finds_by_alternative_maps)
{
        struct lab lab;
        struct fake f[] = { { .name = "image", .map = { "manifest-1", "chain" } },
                            { .name = "run", .n_in = 1, .in = { 0 } } };

        lab_open(&lab, 2, 0);
        builds_to(&lab, f, 2, "run(image)");
        f[0].map[0] = "manifest-2"; /* another label, the same layers */
        builds_to(&lab, f, 2, "run(image)");
        ck_assert_uint_eq(f[0].runs, 1);
        ck_assert_uint_eq(f[1].runs, 1);
        ck_assert_uint_eq(f[0].maps, 4);
        lab_close(&lab);
}
END_TEST

/* Catches a dead record trusted, or tried again for ever. */
START_TEST(runs_when_results_are_gone)
{
        struct lab lab;
        struct fake f[] = { { .name = "image" },
                            { .name = "run", .n_in = 1, .in = { 0 } } };

        lab_open(&lab, 2, 0);
        builds_to(&lab, f, 2, "run(image)");
        fake_lose_all(&lab);
        builds_to(&lab, f, 2, "run(image)");
        ck_assert_uint_eq(f[0].runs, 2);
        ck_assert_uint_eq(f[1].runs, 2);
        builds_to(&lab, f, 2, "run(image)");
        ck_assert_uint_eq(f[1].runs, 2);
        ck_assert_uint_eq(lab.loads, 3); /* two dead, one alive */
        fake_lose_all(&lab);
        builds_to(&lab, f, 2, "run(image)");
        ck_assert_uint_eq(lab.loads, 5); /* those that died first are not tried again */
        lab_close(&lab);
}
END_TEST

/* Catches ignore_cache looking up, not storing, or being mixed up with its namesake. */
START_TEST(ignores_the_cache)
{
        struct lab lab;
        struct fake f[] = { { .name = "image" },
                            { .name = "run", .n_in = 1, .in = { 0 } },
                            { .name = "top", .n_in = 1, .in = { 1 } } };

        lab_open(&lab, 2, 0);
        builds_to(&lab, f, 3, "top(run(image))");
        f[1].ignore = true;
        builds_to(&lab, f, 3, "top(run(image))");
        ck_assert_uint_eq(f[0].runs, 1);
        ck_assert_uint_eq(f[1].runs, 2);
        ck_assert_uint_eq(f[2].runs, 1); /* its input has the key it had before */
        f[1].ignore = false;
        builds_to(&lab, f, 2, "run(image)");
        ck_assert_uint_eq(f[1].runs, 2);
        lab_close(&lab);
}
END_TEST

/* Catches what an imported cache offers not used, or not kept for later without it. */
START_TEST(adopts_imported_results)
{
        struct lab lab;
        struct fake f[] = { { .name = "image" },
                            { .name = "run", .n_in = 1, .in = { 0 } },
                            { .name = "top", .n_in = 1, .in = { 1 } } };
        struct sw_cache_place elsewhere;
        sw_cacheset *set;

        lab_open(&lab, 2, 0);
        elsewhere = (struct sw_cache_place){ lab.far_keys, &lab.loader };
        set = sw__cacheset_new(&elsewhere, 1);
        struct sw_solver_opts opts = { .cache = set, .max_running = 1, .spool_dirfd = -1 };
        sw_solver *here = lab.solver;
        ok(sw__solver_new(&opts, &lab.solver)); /* another machine */
        builds_to(&lab, f, 3, "top(run(image))");
        sw__solver_free(lab.solver);
        lab.solver = here;

        sw_auto(sw_str) imported = lab_build(&lab, lab.far_set, f, 3);
        ck_assert_str_eq(imported, "top(run(image))");
        builds_to(&lab, f, 3, "top(run(image))"); /* without the import */
        for (int i = 0; i < 3; i++)
                ck_assert_uint_eq(f[i].runs, 1);
        sw__cacheset_unref(set);
        lab_close(&lab);
}
END_TEST

/* Catches an error without its vertex, or one that waits for other branches. */
START_TEST(fails_at_once)
{
        struct lab lab;
        struct fake f[] = { { .name = "long", .gated = true },
                            { .name = "bad", .error = "exit status 7" },
                            { .name = "top", .n_in = 2, .in = { 0, 1 } } };
        sw_job *job;
        sw_solve *solve;
        sw_digest bad = fake_digest(&f[1]);
        char digest[SW_DIGEST_STR_SIZE];

        lab_open(&lab, 2, 0);
        job = lab_job(&lab, NULL, NULL);
        solve = lab_start(&lab, job, f, 3);
        sw_err *err = sw__solve_wait(solve); /* the gate stays shut */
        ck_assert_int_eq(sw_err_code(err), SW_E_STEP);
        ck_assert_str_eq(sw_err_message(err), "exit status 7");
        ck_assert_str_eq(sw_err_vertex(err), sw_digest_str(&bad, digest));
        ck_assert_ptr_null(sw__solve_result(solve, 0));
        sw_err_free(err);
        until_now(&f[0], 0); /* the other branch is cancelled */
        ck_assert_uint_eq(f[2].runs, 0);
        sw__solve_free(solve);
        sw__job_close(job);
        lab_close(&lab);
}
END_TEST

/* Catches a failure that sticks: the next job must try again. */
START_TEST(tries_again_after_failure)
{
        struct lab lab;
        struct fake f[] = { { .name = "bad", .error = "no network" },
                            { .name = "top", .n_in = 1, .in = { 0 } } };
        sw_job *job;
        sw_solve *solve;

        lab_open(&lab, 2, 0);
        job = lab_job(&lab, NULL, NULL);
        solve = lab_start(&lab, job, f, 2);
        fails(sw__solve_wait(solve), SW_E_STEP, "no network");
        f[0].error = NULL;
        builds_to(&lab, f, 2, "top(bad)"); /* the first job still holds the failed one */
        sw__solve_free(solve);
        solve = lab_start(&lab, job, f, 2);
        ok(sw__solve_wait(solve));
        sw__solve_free(solve);
        sw__job_close(job);
        lab_close(&lab);
}
END_TEST

/* Catches a cancelled job whose op goes on, or that takes another job's op with it. */
START_TEST(cancels_what_nobody_wants)
{
        struct lab lab;
        struct fake f[] = { { .name = "shared", .gated = true },
                            { .name = "mine", .gated = true },
                            { .name = "top", .n_in = 2, .in = { 0, 1 } } };
        sw_cancel *cancel = sw_cancel_new(NULL);
        sw_job *a, *b;
        sw_solve *sa, *sb;

        lab_open(&lab, 4, 0);
        a = lab_job(&lab, NULL, cancel);
        b = lab_job(&lab, NULL, NULL);
        sa = lab_start(&lab, a, f, 3);
        sb = lab_start(&lab, b, f, 1);
        until_now(&f[0], 1);
        until_now(&f[1], 1);
        sw_cancel_now(cancel, "ctrl-c");
        fails(sw__solve_wait(sa), SW_E_CANCELLED, "ctrl-c");
        until(&f[1].stops, 1);
        ck_assert_int_eq(f[0].now, 1);
        sw__solve_free(sa);
        sw__job_close(a);
        lab_gate(&lab, true);
        ok(sw__solve_wait(sb));
        ck_assert_uint_eq(f[0].stops, 0);
        sw__solve_free(sb);
        sw__job_close(b);
        sw_cancel_unref(cancel);
        lab_close(&lab);
}
END_TEST

/* Catches a vertex that does not start again after it was cancelled. */
START_TEST(restarts_what_was_cancelled)
{
        struct lab lab;
        struct fake f[] = { { .name = "slow", .gated = true } };
        sw_job *job;

        lab_open(&lab, 2, 0);
        job = lab_job(&lab, NULL, NULL);
        for (int i = 0; i < 20; i++) {
                sw_solve *solve = lab_start(&lab, job, f, 1);

                until_now(&f[0], 1);
                sw__solve_cancel(solve, "changed my mind");
                fails(sw__solve_wait(solve), SW_E_CANCELLED, "changed my mind");
                sw__solve_free(solve);
        }
        sw_solve *solve = lab_start(&lab, job, f, 1);
        lab_gate(&lab, true);
        ok(sw__solve_wait(solve));
        ck_assert_str_eq(fake_value(sw__solve_result(solve, 0)), "slow");
        ck_assert_uint_eq(f[0].runs, 1);
        sw__solve_free(solve);
        sw__job_close(job);
        lab_close(&lab);
}
END_TEST

/* Catches a job that is closed before its ops are dead. */
START_TEST(closing_waits_for_ops)
{
        struct lab lab;
        struct fake f[] = { { .name = "slow", .gated = true } };

        lab_open(&lab, 2, 0);
        sw_job *job = lab_job(&lab, NULL, NULL);
        sw_solve *solve = lab_start(&lab, job, f, 1);
        until_now(&f[0], 1);
        sw__job_close(job);
        ck_assert_int_eq(f[0].now, 0);
        fails(sw__solve_wait(solve), SW_E_CANCELLED, "closed");
        sw__solve_free(solve);
        lab_close(&lab);
}
END_TEST

/* Catches two vertices with one key run side by side: equal ops under other digests. */
START_TEST(claims_keys)
{
        struct lab lab;
        struct fake a[] = { { .name = "image-a", .map = { "image" }, .gated = true },
                            { .name = "run-a", .map = { "run" }, .n_in = 1, .in = { 0 } } };
        struct fake b[] = { { .name = "image-b", .map = { "image" } },
                            { .name = "run-b", .map = { "run" }, .n_in = 1, .in = { 0 } } };
        sw_job *ja, *jb;
        sw_solve *sa, *sb;

        lab_open(&lab, 4, 0);
        ja = lab_job(&lab, NULL, NULL);
        jb = lab_job(&lab, NULL, NULL);
        sa = lab_start(&lab, ja, a, 2);
        until_now(&a[0], 1);
        sb = lab_start(&lab, jb, b, 2);
        until(&b[0].maps, 1);
        usleep(20000);
        lab_gate(&lab, true);
        ok(sw__solve_wait(sa));
        ok(sw__solve_wait(sb));
        ck_assert_ptr_nonnull(strstr(fake_value(sw__solve_result(sb, 0)), "(image-a)"));
        ck_assert_uint_eq(b[0].runs, 0);
        ck_assert_uint_eq(a[1].runs + b[1].runs, 1); /* whoever came first */
        sw__solve_free(sa);
        sw__solve_free(sb);
        sw__job_close(ja);
        sw__job_close(jb);
        lab_close(&lab);
}
END_TEST

/* A key store that knows "name" over @below by the id "7", with a result. */
static void
know_as_seven(struct lab *lab, sw_keystore *ks, const char *below, const char *name)
{
        struct sw_key_link link = { .digest = name, .selector = "" };
        sw_auto(sw_str) value = sw_asprintf("%s(%s)", name, below);
        sw_result *r = fake_store(lab, "far", value);
        struct sw_key_record rec = { .result = sw__result_id(r), .created_at = 1 };
        sw_key_id root;

        sw__key_root(below, 0, &root);
        ok(ks->ops->add_link(ks, root.s, &link, "7"));
        ok(ks->ops->add_record(ks, "7", &rec));
        ok(ks->ops->commit(ks));
        sw__result_unref(r);
}

/* Catches ids of derived keys compared across stores: "7" of one import is not "7" of
 * another, and an op with the same cache map over each must not get the other's result. */
START_TEST(tells_stores_apart)
{
        struct lab lab;
        struct fake a[] = { { .name = "a" },
                            { .name = "left", .n_in = 1, .in = { 0 } },
                            { .name = "over-left",
                              .map = { "top" },
                              .n_in = 1,
                              .in = { 1 },
                              .gated = true } };
        struct fake b[] = { { .name = "b" },
                            { .name = "right", .n_in = 1, .in = { 0 } },
                            { .name = "over-right",
                              .map = { "top" },
                              .n_in = 1,
                              .in = { 1 },
                              .gated = true } };

        lab_open(&lab, 4, 0);
        sw_keystore *third = sw__keystore_mem_new();
        struct sw_cache_place places[] = { { lab.keys, &lab.loader },
                                           { lab.far_keys, &lab.far_loader },
                                           { third, &lab.far_loader } };
        sw_cacheset *set = sw__cacheset_new(places, 3);
        know_as_seven(&lab, lab.far_keys, "a", "left");
        know_as_seven(&lab, third, "b", "right");

        sw_job *job = lab_job(&lab, set, NULL);
        sw_solve *sa = lab_start(&lab, job, a, 3), *sb = lab_start(&lab, job, b, 3);
        until_now(&a[2], 1);
        until_now(&b[2], 1); /* neither waits for the other */
        lab_gate(&lab, true);
        ok(sw__solve_wait(sa));
        ok(sw__solve_wait(sb));
        ck_assert_uint_eq(a[1].runs + b[1].runs, 0);
        ck_assert_str_eq(fake_value(sw__solve_result(sa, 0)), "over-left(left(a))");
        ck_assert_str_eq(fake_value(sw__solve_result(sb, 0)), "over-right(right(b))");
        sw__solve_free(sa);
        sw__solve_free(sb);
        sw__job_close(job);
        lab_close(&lab);
        sw__cacheset_unref(set);
        sw__keystore_free(third);
}
END_TEST

/* Catches selectors left out of keys or of claims: ops with one cache map that use
 * different parts of one input are different. */
START_TEST(tells_selectors_apart)
{
        struct lab lab;
        struct fake a[] = { { .name = "image" },
                            { .name = "copy-usr",
                              .map = { "copy" },
                              .n_in = 2,
                              .in = { 0, 0 },
                              .selector = { NULL, "/usr" },
                              .gated = true } };
        struct fake b[] = { { .name = "image" },
                            { .name = "copy-etc",
                              .map = { "copy" },
                              .n_in = 2,
                              .in = { 0, 0 },
                              .selector = { NULL, "/etc" },
                              .gated = true } };

        lab_open(&lab, 4, 0);
        sw_job *job = lab_job(&lab, NULL, NULL);
        sw_solve *sa = lab_start(&lab, job, a, 2), *sb = lab_start(&lab, job, b, 2);
        until_now(&a[1], 1);
        until_now(&b[1], 1); /* neither waits for the other */
        lab_gate(&lab, true);
        ok(sw__solve_wait(sa));
        ok(sw__solve_wait(sb));
        sw__solve_free(sa);
        sw__solve_free(sb);
        sw__job_close(job);
        builds_to(&lab, a, 2, "copy-usr(image,image)");
        builds_to(&lab, b, 2, "copy-etc(image,image)");
        ck_assert_uint_eq(a[1].runs, 1);
        ck_assert_uint_eq(b[1].runs, 1);
        lab_close(&lab);
}
END_TEST

static bool
count_link(void *arg, const char *id)
{
        (void) id;
        ++*(unsigned *) arg;
        return true;
}

struct volatile_look {
        sw_keystore *keys;
        unsigned links;
        bool root, content;
};

static void
look_for_volatile(void *arg)
{
        struct volatile_look *l = arg;
        struct sw_key_link link = { .digest = "random:2", .selector = "" };
        sw_key_id id;

        sw__key_root("image", 0, &id);
        ok(l->keys->ops->walk_links(l->keys, id.s, &link, count_link, &l->links));
        sw__key_root("random:1", 0, &id);
        ok(l->keys->ops->exists(l->keys, id.s, &l->root));
        sw__key_root("random:3", SW_KEY_OUTPUT_CONTENT, &id);
        ok(l->keys->ops->exists(l->keys, id.s, &l->content));
}

/* Catches what is never to be found again written to the store: cache maps and content keys
 * that start with "random:". */
START_TEST(keeps_volatile_keys_out)
{
        struct lab lab;
        struct fake f[] = {
                { .name = "image" },
                { .name = "local", .map = { "random:1" } },
                { .name = "step", .map = { "random:2", "step" }, .n_in = 1, .in = { 0 } },
                { .name = "copy",
                  .n_in = 3,
                  .in = { 0, 1, 2 },
                  .content = { "random:3", NULL, NULL } }
        };

        lab_open(&lab, 2, 0);
        builds_to(&lab, f, 4, "copy(image,local,step(image))");
        f[3].n_in = 1; /* of volatile content alone */
        f[3].name = "other";
        builds_to(&lab, f, 4, "other(image)");
        struct volatile_look l = { .keys = lab.keys };
        sw__solver_call(lab.solver, look_for_volatile, &l);
        ck_assert_uint_eq(l.links, 0);
        ck_assert(!l.root);
        ck_assert(!l.content);
        lab_close(&lab);
}
END_TEST

/* Catches a vertex that ignores the cache being given the result of one that does not, only
 * because that one was running. */
START_TEST(ignoring_waits_but_runs)
{
        struct lab lab;
        struct fake a[] = { { .name = "a", .map = { "m" }, .gated = true } };
        struct fake b[] = { { .name = "b", .map = { "m" }, .ignore = true } };

        lab_open(&lab, 4, 0);
        sw_job *job = lab_job(&lab, NULL, NULL);
        sw_solve *sa = lab_start(&lab, job, a, 1);
        until_now(&a[0], 1);
        sw_solve *sb = lab_start(&lab, job, b, 1);
        until(&b[0].maps, 1);
        usleep(20000);
        ck_assert_uint_eq(b[0].runs, 0); /* one key, one op at a time */
        lab_gate(&lab, true);
        ok(sw__solve_wait(sa));
        ok(sw__solve_wait(sb));
        ck_assert_str_eq(fake_value(sw__solve_result(sb, 0)), "b");
        sw__solve_free(sa);
        sw__solve_free(sb);
        sw__job_close(job);
        lab_close(&lab);
}
END_TEST

/* Catches a vertex that stands in the queue of a job that is closed, and of no other,
 * although another wants it by now. */
START_TEST(queues_follow_who_wants)
{
        struct lab lab;
        struct fake f[] = { { .name = "wanted" }, { .name = "other" } };
        struct fake x[] = { { .name = "x" } };
        struct fake busy[] = { { .name = "busy", .gated = true } };

        lab_open(&lab, 1, 1);
        sw_job *a = lab_job(&lab, NULL, NULL), *b = lab_job(&lab, NULL, NULL),
               *c = lab_job(&lab, NULL, NULL);
        sw_solve *first = lab_start(&lab, b, f, 2); /* names it, does not want it */
        ok(sw__solve_wait(first));
        ck_assert_uint_eq(f[0].runs, 0);
        sw_solve *place = lab_start(&lab, c, busy, 1);
        until_now(&busy[0], 1);
        sw_solve *sa = lab_start(&lab, a, f, 1);
        until(&f[0].maps, 1);
        usleep(20000); /* it is ready: for job a alone */
        sw_solve *sx = lab_start(&lab, b, x, 1), *sb = lab_start(&lab, b, f, 1);
        sw__job_close(a);
        lab_gate(&lab, true);
        ok(sw__solve_wait(sb));
        ok(sw__solve_wait(sx));
        ok(sw__solve_wait(place));
        ck_assert_uint_eq(f[0].runs, 1);
        sw__solve_free(first);
        sw__solve_free(place);
        sw__solve_free(sa);
        sw__solve_free(sx);
        sw__solve_free(sb);
        sw__job_close(b);
        sw__job_close(c);
        lab_close(&lab);
}
END_TEST

/* Build @n gated ops below one; the most that ran at once. */
static int
peak_of(struct lab *lab, sw_limit *limit, uint64_t units, int expected)
{
        enum { N = FAKE_IN };
        struct fake f[N + 1];
        sw_job *job = lab_job(lab, NULL, NULL);
        sw_solve *solve;

        memset(f, 0, sizeof(f));
        for (uint32_t i = 0; i < N; i++) {
                f[i].name = sw_asprintf("%d of %d", i, expected);
                f[i].gated = true;
                f[i].limit = limit;
                f[i].units = units;
                f[N].in[i] = i;
        }
        f[N].name = "top";
        f[N].n_in = N;
        lab_gate(lab, false);
        atomic_store(&lab->peak, 0);
        solve = lab_start(lab, job, f, N + 1);
        for (int i = 0; i < 60000 && atomic_load(&lab->running) < expected; i++)
                usleep(1000);
        usleep(20000); /* time for one too many */
        lab_gate(lab, true);
        ok(sw__solve_wait(solve));
        sw__solve_free(solve);
        sw__job_close(job);
        for (uint32_t i = 0; i < N; i++) {
                ck_assert_uint_eq(f[i].runs, 1);
                free((char *) f[i].name);
        }
        return atomic_load(&lab->peak);
}

/* Catches bounds on running ops that do not hold, or that hold too much back. */
START_TEST(keeps_to_bounds)
{
        struct lab lab;
        sw_limit *memory;

        lab_open(&lab, 6, 4);
        memory = sw__limit_new(lab.solver, "memory", 5);
        ck_assert_int_eq(peak_of(&lab, NULL, 0, 4), 4);    /* of one job */
        ck_assert_int_eq(peak_of(&lab, memory, 2, 2), 2);  /* 2 + 2 units of 5 */
        ck_assert_int_eq(peak_of(&lab, memory, 99, 1), 1); /* more than there is: alone */
        sw__limit_set(lab.solver, memory, 6);
        ck_assert_int_eq(peak_of(&lab, memory, 2, 3), 3);
        lab_close(&lab);
}
END_TEST

/* Catches one job's many ops keeping another job's single op from its turn. */
START_TEST(jobs_take_turns)
{
        enum { N = FAKE_IN };
        struct lab lab;
        struct fake many[N + 1], one[] = { { .name = "single" } };

        lab_open(&lab, 1, 0);
        memset(many, 0, sizeof(many));
        for (uint32_t i = 0; i < N; i++) {
                many[i].name = sw_asprintf("many %u", i);
                many[i].gated = i == 0;
                many[N].in[i] = i;
        }
        many[N].name = "top";
        many[N].n_in = N;
        sw_job *ja = lab_job(&lab, NULL, NULL), *jb = lab_job(&lab, NULL, NULL);
        sw_solve *sa = lab_start(&lab, ja, many, N + 1);
        until_now(&many[0], 1);
        sw_solve *sb = lab_start(&lab, jb, one, 1);
        until(&one[0].maps, 1);
        usleep(20000); /* it is in the queue */
        lab_gate(&lab, true);
        ok(sw__solve_wait(sb));
        ck_assert_uint_lt(one[0].at, N / 2); /* not behind all of them */
        ok(sw__solve_wait(sa));
        sw__solve_free(sa);
        sw__solve_free(sb);
        sw__job_close(ja);
        sw__job_close(jb);
        lab_close(&lab);
        for (uint32_t i = 0; i < N; i++)
                free((char *) many[i].name);
}
END_TEST

/* ---- why ---- */

struct reasons {
        char text[512];
};

static bool
add_reason(void *arg, const struct sw_progress_vertex *v)
{
        struct reasons *r = arg;
        size_t n = strlen(r->text);

        n += (size_t) snprintf(r->text + n, sizeof(r->text) - n, "%s: %s %u", v->name,
                               sw_why_name(v->why), v->why_input);
        for (size_t i = 0; i < v->n_why_paths; i++)
                n += (size_t) snprintf(r->text + n, sizeof(r->text) - n, " %s",
                                       v->why_paths[i]);
        snprintf(r->text + n, sizeof(r->text) - n, "; ");
        return true;
}

static void
whys(struct lab *lab, struct fake *f, uint32_t n, const char *expected)
{
        sw_job *job = lab_job(lab, NULL, NULL);
        sw_solve *solve = lab_start(lab, job, f, n);
        struct reasons r = { "" };

        ok(sw__solve_wait(solve));
        sw__job_why(job, add_reason, &r);
        ck_assert_str_eq(r.text, expected);
        sw__solve_free(solve);
        sw__job_close(job);
}

/* Catches a wrong explanation, or none. */
START_TEST(says_why)
{
        struct lab lab;
        struct fake f[] = { { .name = "image" },
                            { .name = "local", .map = { "random:1" } },
                            { .name = "copy",
                              .n_in = 2,
                              .in = { 0, 1 },
                              .content = { NULL, "v1" },
                              .paths = "a.c,b.c" },
                            { .name = "run", .n_in = 1, .in = { 2 } } };

        lab_open(&lab, 1, 0);
        f[1].n_in = 1; /* so that the order is one */
        f[1].in[0] = 0;
        whys(&lab, f, 4,
             "image: no-record 0; copy: no-record 0; run: no-record "
             "0; ");
        whys(&lab, f, 4, ""); /* random: its key is new each time */
        f[1].map[0] = "random:2";
        f[2].content[1] = "v2";
        whys(&lab, f, 4,
             "copy: input-content-changed 1 a.c b.c; "
             "run: input-key-new 0; ");
        f[3].ignore = true;
        whys(&lab, f, 4, "run: ignored 0; ");
        f[3].ignore = false;
        fake_lose_all(&lab);
        f[1].map[0] = "random:2";
        whys(&lab, f, 1, "image: result-gone 0; ");
        lab_close(&lab);
}
END_TEST

/* ---- nesting ---- */

struct nested {
        struct lab *lab;
        struct fake *inner;
        atomic_uint ran;
};

static sw_err *
nested_execute(void *p, sw_op_call *call, sw_ctx *ctx, sw_result *const *in, size_t n_in,
               sw_result **out, size_t n_out)
{
        struct nested *n = p;
        sw_auto(sw_str) value = lab_build(n->lab, NULL, n->inner, 1);

        (void) call, (void) ctx, (void) in, (void) n_in, (void) n_out;
        out[0] = fake_store(n->lab, "here", value);
        atomic_fetch_add(&n->ran, 1);
        return SW_OK;
}

static sw_err *
nested_map(void *p, sw_op_call *call, sw_ctx *ctx, unsigned index, struct sw_cache_map *out)
{
        (void) p, (void) call, (void) ctx, (void) index;
        strcpy(out->digest, "nested");
        return SW_OK;
}

/* Catches a build inside a build that waits for a place which it holds itself. */
START_TEST(builds_inside_builds)
{
        static const struct sw_op_ops ops = { .size = sizeof(ops),
                                              .flags = SW_OP_WAITS_FOR_SOLVER,
                                              .cache_map = nested_map,
                                              .execute = nested_execute };
        struct lab lab;
        struct fake inner[] = { { .name = "inner" } };
        struct nested n = { .lab = &lab, .inner = inner };
        struct sw_vertex v = {
                .digest = sw_digest_of("outer", 5), .ops = &ops, .op = &n, .n_outputs = 1
        };
        struct sw_vertex_input root = { 0, 0 };
        struct sw_graph g = {
                .vertices = &v, .n_vertices = 1, .roots = &root, .n_roots = 1
        };
        sw_solve *solve;

        lab_open(&lab, 1, 1);
        sw_job *job = lab_job(&lab, NULL, NULL);
        ok(sw__solve_start(job, &g, &solve));
        ok(sw__solve_wait(solve));
        ck_assert_str_eq(fake_value(sw__solve_result(solve, 0)), "inner");
        sw__solve_free(solve);
        sw__job_close(job);
        lab_close(&lab);
}
END_TEST

/* Catches a build inside a build that waits for units which it holds itself. */
START_TEST(builds_inside_builds_with_limits)
{
        static const struct sw_op_ops ops = { .size = sizeof(ops),
                                              .flags = SW_OP_WAITS_FOR_SOLVER,
                                              .cache_map = nested_map,
                                              .execute = nested_execute };
        struct lab lab;

        lab_open(&lab, 4, 4);
        sw_limit *one = sw__limit_new(lab.solver, "execs", 1);
        struct fake inner[] = { { .name = "inner", .limit = one, .units = 1 } };
        struct nested n = { .lab = &lab, .inner = inner };
        struct sw_vertex v = { .digest = sw_digest_of("outer", 5),
                               .ops = &ops,
                               .op = &n,
                               .n_outputs = 1,
                               .limit = one,
                               .units = 1 };
        struct sw_vertex_input root = { 0, 0 };
        struct sw_graph g = {
                .vertices = &v, .n_vertices = 1, .roots = &root, .n_roots = 1
        };
        sw_solve *solve;

        sw_job *job = lab_job(&lab, NULL, NULL);
        ok(sw__solve_start(job, &g, &solve));
        ok(sw__solve_wait(solve));
        sw__solve_free(solve);
        sw__job_close(job);
        lab_close(&lab);
}
END_TEST

struct queue_length {
        const sw_job *job;
        size_t n;
};

static void
queue_length(void *arg)
{
        struct queue_length *q = arg;

        q->n = q->job->core->ready_n;
}

/* Catches queues that grow by everything that waits with every job that is closed. */
START_TEST(queues_stay_short)
{
        struct lab lab;
        struct fake long_one[] = { { .name = "long", .gated = true } };
        struct fake f[] = { { .name = "a" },
                            { .name = "b" },
                            { .name = "top", .n_in = 2, .in = { 0, 1 } } };
        sw_job *jobs[20];
        sw_solve *solves[20];

        lab_open(&lab, 1, 0);
        for (int i = 0; i < 20; i++)
                jobs[i] = lab_job(&lab, NULL, NULL);
        sw_solve *first = lab_start(&lab, jobs[0], long_one, 1);
        until_now(&long_one[0], 1);
        for (int i = 0; i < 20; i++)
                solves[i] = lab_start(&lab, jobs[i], f, 3);
        struct queue_length q = { jobs[0], 0 };
        for (int i = 0; i < 60000 && q.n < 2; i++) {
                usleep(1000);
                sw__solver_call(lab.solver, queue_length, &q);
        }
        for (int i = 19; i > 0; i--) {
                sw__solve_free(solves[i]);
                sw__job_close(jobs[i]);
        }
        sw__solver_call(lab.solver, queue_length, &q);
        ck_assert_uint_eq(q.n, 2);
        lab_gate(&lab, true);
        ok(sw__solve_wait(first));
        ok(sw__solve_wait(solves[0]));
        sw__solve_free(first);
        sw__solve_free(solves[0]);
        sw__job_close(jobs[0]);
        lab_close(&lab);
}
END_TEST

struct late {
        struct lab *lab;
        sw_job *job;
        struct fake *inner;
        atomic_uint running;
        atomic_uint refused;
};

/* Waits to be cancelled, then comes with one more solve for the job. */
static sw_err *
late_execute(void *p, sw_op_call *call, sw_ctx *ctx, sw_result *const *in, size_t n_in,
             sw_result **out, size_t n_out)
{
        struct late *l = p;
        struct fake_op *op = sw_new(struct fake_op);
        struct sw_vertex_input root = { 0, 0 };
        sw_solve *solve;

        (void) call, (void) in, (void) n_in, (void) out, (void) n_out;
        atomic_store(&l->running, 1);
        (void) sw_cancel_wait(sw_ctx_cancel(ctx), -1);
        *op = (struct fake_op){ l->lab, l->inner };
        atomic_fetch_add(&l->lab->ops, 1);
        struct sw_vertex v = { .digest = fake_digest(l->inner),
                               .ops = fake_ops(l->inner),
                               .op = op,
                               .n_outputs = 1 };
        struct sw_graph g = {
                .vertices = &v, .n_vertices = 1, .roots = &root, .n_roots = 1
        };
        sw_err *err = sw__solve_start(l->job, &g, &solve);
        if (!err) {
                err = sw__solve_wait(solve);
                sw__solve_free(solve);
        }
        atomic_fetch_add(&l->refused, sw_err_code(err) == SW_E_CANCELLED);
        return err ? err : sw_err_new(SW_E_INTERNAL, "it was taken");
}

/* Catches a solve that comes while its job is being closed ending the program, leaking its
 * ops, or keeping the job from its end. */
START_TEST(refuses_solves_of_closed_jobs)
{
        static const struct sw_op_ops ops = { .size = sizeof(ops),
                                              .flags = SW_OP_WAITS_FOR_SOLVER,
                                              .cache_map = nested_map,
                                              .execute = late_execute };
        struct lab lab;
        struct fake inner[] = { { .name = "inner" } };
        struct late l = { .lab = &lab, .inner = inner };
        struct sw_vertex v = {
                .digest = sw_digest_of("outer", 5), .ops = &ops, .op = &l, .n_outputs = 1
        };
        struct sw_vertex_input root = { 0, 0 };
        struct sw_graph g = {
                .vertices = &v, .n_vertices = 1, .roots = &root, .n_roots = 1
        };
        sw_solve *solve;

        lab_open(&lab, 1, 1);
        l.job = lab_job(&lab, NULL, NULL);
        ok(sw__solve_start(l.job, &g, &solve));
        until(&l.running, 1);
        sw__job_close(l.job);
        ck_assert_uint_eq(l.refused, 1);
        ck_assert_uint_eq(inner[0].runs, 0);
        sw__solve_free(solve);
        lab_close(&lab);
}
END_TEST

/* Catches a graph with a hole taken on, or its ops not freed. */
START_TEST(refuses_bad_graphs)
{
        struct lab lab;
        struct sw_vertex v[2] = { { .n_outputs = 1 }, { .n_outputs = 1 } };
        struct sw_vertex_input in[2] = { { 0, 0 }, { 0, 0 } }, root = { 1, 0 };
        struct sw_graph g = {
                .vertices = v, .n_vertices = 2, .roots = &root, .n_roots = 1
        };
        struct fake f = { .name = "x" };
        sw_solve *solve;

        lab_open(&lab, 1, 0);
        sw_job *job = lab_job(&lab, NULL, NULL);
        v[1].inputs = in;
        v[1].n_inputs = 1;
        for (int c = 0; c < 5; c++) {
                for (int i = 0; i < 2; i++) {
                        struct fake_op *op = sw_new(struct fake_op);

                        *op = (struct fake_op){ &lab, &f };
                        lab.ops++;
                        v[i].ops = fake_ops(&f);
                        v[i].op = op;
                        v[i].n_outputs = 1;
                }
                in[0] = (struct sw_vertex_input){ c == 0 ? 1 : c == 1 ? 7 : 0, c == 2 };
                root = (struct sw_vertex_input){ c == 3 ? 2 : 1, 0 };
                v[0].n_outputs = c == 4 ? 0 : 1;
                fails(sw__solve_start(job, &g, &solve), SW_E_INVALID,
                      c == 0   ? "input 0 of vertex 1 sha256:0"
                      : c == 1 ? "vertex 7, which is not there"
                      : c == 2 ? "output 1 of vertex 0, which has 1"
                      : c == 3 ? "root 0"
                               : "vertex 0 has no output");
        }
        sw__job_close(job);
        lab_close(&lab);
}
END_TEST

#ifdef __has_feature
#if __has_feature(thread_sanitizer)
#define CHAIN 20000 /* it is slow there */
#endif
#endif
#ifndef CHAIN
#define CHAIN 100000
#endif

/* Catches recursion: a chain of 100,000 must not need more stack than one of ten. */
START_TEST(walks_long_chains)
{
        enum { N = CHAIN };
        struct lab lab;
        struct fake *f = sw_alloc_array(N, sizeof(*f));

        lab_open(&lab, 1, 0);
        for (int i = 0; i < N; i++) {
                f[i].name = sw_asprintf("%d", i);
                f[i].fast = true;
                f[i].n_in = i > 0;
                f[i].in[0] = i > 0 ? (uint32_t) i - 1 : 0;
                f[i].n_out = 1;
        }
        f[0].error = "at the bottom"; /* the failure goes all the way up */
        builds_to(&lab, f, N, "at the bottom");
        lab_close(&lab);
        for (int i = 0; i < N; i++)
                free((char *) f[i].name);
        free(f);
}
END_TEST

/* Catches a job that writes to a store that nobody commits. */
START_TEST(refuses_foreign_stores)
{
        struct lab lab;
        sw_job *job;

        lab_open(&lab, 1, 0);
        struct sw_cache_place place = { lab.far_keys, &lab.loader };
        sw_cacheset *set = sw__cacheset_new(&place, 1);
        struct sw_job_opts opts = { .id = "j1", .cache = set };
        fails(sw__job_new(lab.solver, &opts, &job), SW_E_INVALID, "local store");
        sw__cacheset_unref(set);
        lab_close(&lab);
}
END_TEST

static void
slow_done(void *arg, sw_solve *solve)
{
        (void) solve;
        usleep(20000);
        atomic_store((atomic_uint *) arg, 1);
}

/* Catches a callback that comes when whoever waited has gone on, and what it uses with him.
 */
START_TEST(tells_before_waiting_ends)
{
        struct lab lab;
        struct fake f[] = { { .name = "image" } };
        struct fake_op *op = sw_new(struct fake_op);
        struct sw_vertex_input root = { 0, 0 };
        atomic_uint told = 0;
        sw_solve *solve;

        lab_open(&lab, 1, 0);
        *op = (struct fake_op){ &lab, f };
        atomic_fetch_add(&lab.ops, 1);
        struct sw_vertex v = {
                .digest = fake_digest(f), .ops = fake_ops(f), .op = op, .n_outputs = 1
        };
        struct sw_graph g = { .vertices = &v,
                              .n_vertices = 1,
                              .roots = &root,
                              .n_roots = 1,
                              .done = slow_done,
                              .arg = &told };
        sw_job *job = lab_job(&lab, NULL, NULL);
        ok(sw__solve_start(job, &g, &solve));
        ok(sw__solve_wait(solve));
        ck_assert_uint_eq(told, 1);
        sw__solve_free(solve);
        sw__job_close(job);
        lab_close(&lab);
}
END_TEST

UNIT_MAIN("solver", builds_once, finds_by_content, skips_content_that_cannot_match,
          finds_by_alternative_maps, runs_when_results_are_gone, ignores_the_cache,
          adopts_imported_results, fails_at_once, tries_again_after_failure,
          cancels_what_nobody_wants, restarts_what_was_cancelled, closing_waits_for_ops,
          claims_keys, tells_stores_apart, tells_selectors_apart, keeps_volatile_keys_out,
          ignoring_waits_but_runs, queues_follow_who_wants, keeps_to_bounds,
          jobs_take_turns, says_why, builds_inside_builds, builds_inside_builds_with_limits,
          refuses_solves_of_closed_jobs, queues_stay_short, refuses_bad_graphs,
          refuses_foreign_stores, tells_before_waiting_ends, walks_long_chains)
