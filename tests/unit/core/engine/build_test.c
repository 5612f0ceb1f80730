/*
 * A build by its parts, without steps that need a runtime. Catches: requests that are
 * taken though they are wrong, exporters that see wrong attributes or start before all
 * agreed, a story without the exports or without its end, builds that cannot be cancelled
 * or leave something running, an engine that cannot be opened again.
 */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <slipway/engine.h>
#include <slipway/mem.h>
#include <slipway/path.h>

#include "tests/unit/unit.h"

static char root[] = "/tmp/slipway-engine-XXXXXX";
static sw_host *host;
static sw_engine *engine;

static void
before(void)
{
        const char *build = getenv("top_builddir");
        sw_auto(sw_str) dir = sw_asprintf("%s/plugins/.libs", build ? build : ".");
        const char *dirs[] = { dir, NULL };
        const struct sw_host_opts opts = { .dirs = dirs, .no_default_dir = true };

        ck_assert(mkdtemp(root));
        ok(sw_host_new(&opts, &host));
        ok(sw_engine_open(SW_ENGINE_OPTS(.host = host, .root = root), &engine));
}

static void
after(void)
{
        int tmp = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        sw_engine_close(engine);
        sw_host_free(host);
        ok(sw_path_remove(tmp, root + 5));
        close(tmp);
}

/* Build it; the error is handed back, *b too when it is wanted. */
static sw_err *
build(const struct sw_build_request *req, sw_build **b)
{
        sw_autoptr(sw_build) made = NULL;
        sw_err *err;

        ok(sw_build_start(engine, req, &made));
        err = sw_build_wait(made);
        if (b)
                *b = sw_steal(made);
        return err;
}

START_TEST(nothing_to_export)
{
        sw_autoptr(sw_build) b = NULL;

        ok(build(SW_BUILD_REQUEST(.id = "given"), &b));
        ck_assert_str_eq(sw_build_id(b), "given");
        ck_assert_ptr_null(sw_build_response(b, 0));
        ck_assert(!sw_build_failed_step(
                b, &(struct sw_build_failure){ .size = sizeof(struct sw_build_failure) }));
}
END_TEST

START_TEST(exports_are_steps_of_the_story)
{
        const struct sw_build_output outs[] = { { .type = "discard" },
                                                { .type = "discard" } };
        sw_autoptr(sw_build) b = NULL;
        struct sw_progress_batch batch;
        size_t ended = 0;

        ok(build(SW_BUILD_REQUEST(.outputs = outs, .n_outputs = 2), &b));
        ck_assert_ptr_nonnull(sw_build_response(b, 1));
        ck_assert_ptr_null(sw_build_response(b, 2));
        sw_subscription *sub = sw_build_subscribe(b); /* late: all of it comes */
        while (sw_progress_next(sub, -1, &batch)) {
                for (size_t i = 0; i < batch.n_vertices; i++) {
                        ck_assert_str_eq(batch.vertices[i].name, "exporting to discard");
                        ended += batch.vertices[i].completed != 0;
                }
                sw_progress_batch_release(&batch);
        }
        sw_subscription_free(sub);
        ck_assert_uint_eq(ended, 2);
}
END_TEST

START_TEST(wrong_requests)
{
        const struct sw_build_output none = { .type = "nowhere" };
        const struct sw_attr twice[] = { { "a", "1" }, { "a", "2" } };
        const struct sw_build_output dup = { .type = "discard",
                                             .attrs = twice,
                                             .n_attrs = 2 };
        const struct sw_attr when[] = { { "source-date-epoch", "soon" } };
        const struct sw_build_output epoch = { .type = "discard",
                                               .attrs = when,
                                               .n_attrs = 1 };
        const char *allow[] = { "network.host", "everything", NULL };
        sw_build *b = NULL;

        fails(build(SW_BUILD_REQUEST(.outputs = &none, .n_outputs = 1), NULL),
              SW_E_NOT_FOUND, "exporter/nowhere");
        fails(build(SW_BUILD_REQUEST(.outputs = &dup, .n_outputs = 1), NULL), SW_E_INVALID,
              "a is given twice");
        fails(build(SW_BUILD_REQUEST(.outputs = &epoch, .n_outputs = 1), NULL),
              SW_E_INVALID, "invalid source-date-epoch");
        fails(build(SW_BUILD_REQUEST(.allow = allow), NULL), SW_E_INVALID,
              "unknown entitlement everything");
        fails(build(SW_BUILD_REQUEST(.definition = "\377\377", .definition_len = 2), NULL),
              SW_E_INVALID, "failed to load LLB");
        fails(sw_build_start(engine, SW_BUILD_REQUEST(.id = "../x"), &b), SW_E_INVALID,
              "build id");
}
END_TEST

/* A client that never comes to an end, unless it is cancelled. */
static sw_err *
slow_open(void *arg, sw_ctx *ctx, int *fd)
{
        (void) arg;
        (void) fd;
        (void) sw_cancel_wait(sw_ctx_cancel(ctx), INT64_C(60) * 1000000000);
        return sw_ctx_check(ctx);
}

START_TEST(cancelled_while_it_exports)
{
        const struct sw_export_target target = { .size = sizeof(target),
                                                 .open_dir = slow_open };
        const struct sw_build_output out = { .type = "local", .target = &target };
        sw_autoptr(sw_build) b = NULL;

        ok(sw_build_start(engine, SW_BUILD_REQUEST(.outputs = &out, .n_outputs = 1), &b));
        sw_build_cancel(b, "enough");
        fails(sw_build_wait(b), SW_E_CANCELLED, "enough");
        ck_assert(!sw_build_failed_step(
                b, &(struct sw_build_failure){ .size = sizeof(struct sw_build_failure) }));
}
END_TEST

START_TEST(freed_while_it_goes_on)
{
        const struct sw_export_target target = { .size = sizeof(target),
                                                 .open_dir = slow_open };
        const struct sw_build_output out = { .type = "local", .target = &target };
        sw_build *b = NULL;

        ok(sw_build_start(engine, SW_BUILD_REQUEST(.outputs = &out, .n_outputs = 1), &b));
        sw_build_free(b);
}
END_TEST

static sw_err *
no_open(void *arg, sw_ctx *ctx, int *fd)
{
        (void) arg;
        (void) ctx;
        (void) fd;
        return sw_err_new(SW_E_IO, "no such place");
}

START_TEST(one_export_fails_for_all)
{
        const struct sw_export_target slow = { .size = sizeof(slow),
                                               .open_dir = slow_open };
        const struct sw_export_target bad = { .size = sizeof(bad), .open_dir = no_open };
        const struct sw_build_output outs[] = { { .type = "local", .target = &slow },
                                                { .type = "local", .target = &bad } };
        sw_autoptr(sw_build) b = NULL;
        struct sw_build_failure f = { .size = sizeof(f) };

        fails(build(SW_BUILD_REQUEST(.outputs = outs, .n_outputs = 2), &b), SW_E_IO,
              "no such place");
        ck_assert(sw_build_failed_step(b, &f));
        ck_assert_str_eq(f.name, "exporting to client directory");
        ck_assert_ptr_null(f.log_file);
}
END_TEST

START_TEST(opened_once_at_a_time)
{
        sw_engine *second = NULL;

        fails(sw_engine_open(SW_ENGINE_OPTS(.host = host, .root = root), &second),
              SW_E_BUSY, root);
        sw_engine_close(engine);
        ok(sw_engine_open(SW_ENGINE_OPTS(.host = host, .root = root), &engine));
        ok(build(SW_BUILD_REQUEST(.id = NULL), NULL));
}
END_TEST

UNIT_MAIN_WITH("build", before, after, nothing_to_export, exports_are_steps_of_the_story,
               wrong_requests, cancelled_while_it_exports, freed_while_it_goes_on,
               one_export_fails_for_all, opened_once_at_a_time)
