/*
 * A build by its parts, without steps that need a runtime. Catches: requests that are
 * taken though they are wrong, exporters that see wrong attributes or start before all
 * agreed, a story without the exports or without its end, builds that cannot be cancelled
 * or leave something running, an engine that cannot be opened again.
 */
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include <slipway/engine.h>
#include <slipway/llb.h>
#include <slipway/mem.h>
#include <slipway/path.h>

#include "tests/unit/core/engine/fixture.h"

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

/* A definition with a command that wants the device "vendor.example/gpu=0". */
static void
make_device_definition(sw_buf *def)
{
        sw_autoptr(sw_state) scratch = sw_llb_scratch();
        sw_autoptr(sw_run) run = sw_run_new(scratch);
        sw_autoptr(sw_state) root_state = NULL;

        ok(sw_run_command(run, "true"));
        ok(sw_run_device(run, "vendor.example/gpu=0", false));
        ok(sw_run_end(run, NULL, &root_state));
        ok(sw_state_marshal(root_state, NULL, def));
}

/* A device that is not named is denied; one that is comes so far that nobody has it. */
START_TEST(devices_are_allowed_by_name)
{
        static const struct {
                const char *allow;
                enum sw_code code;
                const char *says;
        } cases[] = {
                { NULL, SW_E_DENIED, "device vendor.example/gpu=0 is requested" },
                { "network.host", SW_E_DENIED, "not allowed" },
                { "device=vendor.example/gpu=1", SW_E_DENIED, "not allowed" },
                { "device=vendor.example/g", SW_E_DENIED, "not allowed" },
                { "device=other,alias=vendor.example/gpu=0", SW_E_UNSUPPORTED,
                  "registered" },
                { "device=vendor.example/gpu=0", SW_E_UNSUPPORTED, "registered" },
                { "device=vendor.example/gpu", SW_E_UNSUPPORTED, "registered" },
                { "device=", SW_E_UNSUPPORTED, "registered" },
                { "device", SW_E_UNSUPPORTED, "registered" },
                { "device=a,b=c", SW_E_INVALID, "unknown field b=c" },
                { "device=a,alias=", SW_E_INVALID, "name is missing" },
                { "device=\"a", SW_E_INVALID, "" },
        };
        sw_auto(sw_buf) def = SW_BUF_INIT;

        make_device_definition(&def);
        for (size_t i = 0; i < SW_COUNT(cases); i++) {
                const char *allow[] = { cases[i].allow, NULL };

                fails(build(SW_BUILD_REQUEST(.definition = def.data,
                                             .definition_len = def.len, .allow = allow),
                            NULL),
                      cases[i].code, cases[i].says);
        }
}
END_TEST

/* ---- Several engines ---- */

#define ENGINES 4
#define BUILDS  5

struct many {
        pthread_t thread;
        unsigned number;
        const char *problem; /* Check's own calls are for one thread */
};

static sw_err *
make_definition(unsigned number, unsigned k, sw_buf *def)
{
        sw_auto(sw_str) text = sw_asprintf("engine %u build %u\n", number, k);
        sw_autoptr(sw_state) scratch = sw_llb_scratch();
        sw_autoptr(sw_state) with = NULL;
        sw_autoptr(sw_files) files = sw_files_new();
        sw_err *err = sw_files_mkdir(files, "/d", 0755, NULL);

        if (!err)
                err = sw_files_mkfile(files, "/d/f", 0644, text, strlen(text), NULL);
        if (!err)
                err = sw_state_files(scratch, files, NULL, &with);
        return err ? err : sw_state_marshal(with, NULL, def);
}

static sw_err *
build_some(sw_engine *e, unsigned number)
{
        const struct sw_build_output drop = { .type = "discard" };
        sw_err *err = SW_OK;

        for (unsigned k = 0; k < BUILDS && !err; k++) {
                sw_auto(sw_buf) def = SW_BUF_INIT;
                sw_autoptr(sw_build) b = NULL;

                err = make_definition(number, k / 2, &def); /* every other one is cached */
                if (!err)
                        err = sw_build_start(e,
                                             SW_BUILD_REQUEST(.definition = def.data,
                                                              .definition_len = def.len,
                                                              .outputs = &drop,
                                                              .n_outputs = 1),
                                             &b);
                if (!err)
                        err = sw_build_wait(b);
        }
        return err;
}

static void *
many_main(void *arg)
{
        struct many *m = arg;
        const char *top = getenv("top_builddir");
        sw_auto(sw_str) dir = sw_asprintf("%s/plugins/.libs", top ? top : ".");
        sw_auto(sw_str) place = sw_asprintf("%s/engine-%u", root, m->number);
        const char *dirs[] = { dir, NULL };
        const struct sw_host_opts opts = { .dirs = dirs, .no_default_dir = true };
        sw_autoptr(sw_host) own = NULL;
        sw_autoptr(sw_engine) e = NULL;
        sw_err *err = sw_host_new(&opts, &own);

        if (!err)
                err = sw_engine_open(SW_ENGINE_OPTS(.host = own, .root = place), &e);
        if (!err)
                err = build_some(e, m->number);
        if (err)
                m->problem = sw_strdup(sw_err_message(err));
        sw_err_free(err);
        return NULL;
}

/* Each with a root and plugins of its own, at the same time. */
START_TEST(several_engines)
{
        struct many many[ENGINES];

        for (unsigned i = 0; i < ENGINES; i++) {
                many[i] = (struct many){ .number = i };
                ck_assert_int_eq(pthread_create(&many[i].thread, NULL, many_main, &many[i]),
                                 0);
        }
        for (unsigned i = 0; i < ENGINES; i++) {
                ck_assert_int_eq(pthread_join(many[i].thread, NULL), 0);
                ck_assert_msg(!many[i].problem, "engine %u: %s", i,
                              many[i].problem ? many[i].problem : "");
        }
}
END_TEST

UNIT_MAIN_WITH("build", before, after, nothing_to_export, exports_are_steps_of_the_story,
               wrong_requests, cancelled_while_it_exports, freed_while_it_goes_on,
               one_export_fails_for_all, opened_once_at_a_time, devices_are_allowed_by_name,
               several_engines)
