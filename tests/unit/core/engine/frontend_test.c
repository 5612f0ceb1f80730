/*
 * Builds through a frontend that does what its options say (tests/fake-plugins). Catches: a
 * bridge that reads outside of a tree, more than it may, or follows links wrongly; a
 * question that is asked twice, or whose failure is kept; warnings that lose their place;
 * results that do not reach exporters by platform; failed steps without their place; a
 * frontend that is not cancelled, or whose errors leak what was made.
 */
#include <sys/stat.h>

#include <slipway/llb.h>
#include <slipway/localsession.h>
#include <slipway/text.h>

#include "tests/unit/core/engine/fixture.h"

static char dir[64];
static sw_local_session *client;

static void
write_file(const char *name, const char *text)
{
        sw_auto(sw_str) path = sw_asprintf("%s/%s", dir, name);
        int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

        ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t) strlen(text));
        ck_assert_int_eq(close(fd), 0);
}

static void
link_to(const char *target, const char *name)
{
        sw_auto(sw_str) path = sw_asprintf("%s/%s", dir, name);

        ck_assert_int_eq(symlink(target, path), 0);
}

/* An engine that has the fakes, too, and a client with a directory. */
static void
before_frontend(void)
{
        const char *build = getenv("top_builddir");
        sw_auto(sw_str) real = sw_asprintf("%s/plugins/.libs", build ? build : ".");
        sw_auto(sw_str) fakes =
                sw_asprintf("%s/tests/fake-plugins/.libs", build ? build : ".");
        const char *dirs[] = { real, fakes, NULL };
        const struct sw_host_opts opts = { .dirs = dirs, .no_default_dir = true };
        sw_auto(sw_str) spec = NULL;

        ck_assert(mkdtemp(root));
        ok(sw_host_new(&opts, &host));
        ok(sw_engine_open(SW_ENGINE_OPTS(.host = host, .root = root), &engine));
        (void) snprintf(dir, sizeof(dir), "%s/client", root);
        ck_assert_int_eq(mkdir(dir, 0755), 0);
        write_file("file", "what is in it");
        link_to("/file", "absolute");
        link_to("../../../../file", "above");
        link_to("loop", "loop");
        client = sw_local_session_new();
        spec = sw_asprintf("context=%s", dir);
        ok(sw_local_session_add_local(client, spec));
}

static void
after_frontend(void)
{
        after();
        sw_local_session_free(client);
}

/* Build with options "a=b", NULL-ended; the error is handed back, *b too when wanted. */
static sw_err *
build_with(const char *const *options, const struct sw_build_output *out, sw_build **b)
{
        sw_autoptr(sw_build) made = NULL;
        struct sw_attr opts[8];
        sw_auto(sw_strlist) parts = { 0 };
        size_t n = 0;
        sw_err *err;

        for (; options[n]; n++) {
                const char *eq = strchr(options[n], '=');

                sw_strlist_take(&parts, sw_strndup(options[n], (size_t) (eq - options[n])));
                opts[n] = (struct sw_attr){ parts.v[n], eq + 1 };
        }
        ok(sw_build_start(engine,
                          SW_BUILD_REQUEST(.frontend = "fake", .opts = opts, .n_opts = n,
                                           .session = sw_local_session_get(client),
                                           .outputs = out, .n_outputs = out ? 1 : 0),
                          &made));
        err = sw_build_wait(made);
        if (b)
                *b = sw_steal(made);
        return err;
}
#define BUILD(b, out, ...) build_with((const char *[]){ __VA_ARGS__, NULL }, out, b)

START_TEST(reads_files)
{
        static const char *const same[] = { "read=file", "read=/file", "read=absolute",
                                            "read=above", "read=../../file" };

        static const struct {
                const char *start, *text;
        } starts[] = { { "start=4", "what" }, { "start=100", "what is in it" } };

        for (size_t i = 0; i < SW_COUNT(same); i++) {
                sw_autoptr(sw_build) b = NULL;

                ok(BUILD(&b, NULL, same[i]));
                ck_assert_str_eq(sw_build_meta(b, "read"), "what is in it");
                ck_assert_ptr_null(sw_build_meta(b, "other"));
        }
        ok(BUILD(NULL, NULL, "read=file", "max=13"));
        for (size_t i = 0; i < SW_COUNT(starts); i++) {
                sw_autoptr(sw_build) b = NULL;

                ok(BUILD(&b, NULL, "read=absolute", starts[i].start));
                ck_assert_str_eq(sw_build_meta(b, "read"), starts[i].text);
        }
        fails(BUILD(NULL, NULL, "read=absent", "start=1"), SW_E_NOT_FOUND, "absent");
        fails(BUILD(NULL, NULL, "read=file", "max=12"), SW_E_LIMIT, "file");
        fails(BUILD(NULL, NULL, "read=absent"), SW_E_NOT_FOUND, "absent");
        fails(BUILD(NULL, NULL, "read=file/more"), SW_E_NOT_FOUND, "more");
        fails(BUILD(NULL, NULL, "read=."), SW_E_INVALID, "");
        fails(BUILD(NULL, NULL, "read=loop"), SW_E_LIMIT, "");
}
END_TEST

/* Four threads ask one question; the answer is that of one asking, told in one step. */
START_TEST(asks_once)
{
        sw_autoptr(sw_build) b = NULL;
        struct sw_progress_batch batch;
        sw_subscription *sub;
        size_t steps = 0;

        ok(BUILD(&b, NULL, "look=fake://thing"));
        ck_assert_str_eq(sw_build_meta(b, "look"), "asked 1");
        sub = sw_build_subscribe(b);
        while (sw_progress_next(sub, -1, &batch)) {
                for (size_t i = 0; i < batch.n_vertices; i++) {
                        const sw_digest d = sw_digest_of("look it up", 10);

                        ck_assert_str_eq(batch.vertices[i].name, "look it up");
                        ck_assert(sw_digest_eq(&batch.vertices[i].digest, &d));
                        ck_assert(batch.vertices[i].completed);
                        steps++;
                }
                sw_progress_batch_release(&batch);
        }
        sw_subscription_free(sub);
        ck_assert_uint_eq(steps, 1);
}
END_TEST

START_TEST(looks_for_what_is_not_there)
{
        sw_autoptr(sw_build) b = NULL;
        struct sw_build_failure f = { .size = sizeof(f) };

        fails(BUILD(&b, NULL, "look=fake://missing"), SW_E_NOT_FOUND, "is not there");
        ck_assert(sw_build_failed_step(b, &f));
        ck_assert_str_eq(f.name, "look it up");
        fails(BUILD(NULL, NULL, "look=nothing"), SW_E_INVALID, "scheme://");
}
END_TEST

START_TEST(warnings_have_their_place)
{
        sw_autoptr(sw_build) b = NULL;
        struct sw_progress_batch batch;
        sw_subscription *sub;
        size_t n = 0, named = 0;

        ok(BUILD(&b, NULL, "warn=not like this"));
        sub = sw_build_subscribe(b);
        while (sw_progress_next(sub, -1, &batch)) {
                for (size_t i = 0; i < batch.n_warnings; i++, n++) {
                        const struct sw_progress_warning *w = &batch.warnings[i];

                        ck_assert_str_eq(w->text, "not like this");
                        ck_assert_str_eq(w->detail[0], "more");
                        ck_assert_str_eq(w->detail[1], "words");
                        ck_assert_ptr_null(w->detail[2]);
                        ck_assert_str_eq(w->url, "https://example.org/rule");
                        ck_assert_int_eq(w->level, 1);
                        ck_assert_str_eq(w->source->file, "text");
                        ck_assert_mem_eq(w->source->data, "first\nsecond\n", 13);
                        ck_assert_uint_eq(w->source->len, 13);
                        ck_assert_int_eq(w->source->first_line, 2);
                }
                named += batch.n_vertices;
                sw_progress_batch_release(&batch);
        }
        sw_subscription_free(sub);
        ck_assert_uint_eq(n, 2);
        ck_assert_uint_eq(named, 1); /* the step that they are shown at */
}
END_TEST

static sw_err *
open_out(void *arg, sw_ctx *ctx, int *fd)
{
        sw_auto(sw_str) out = sw_asprintf("%s/out", root);

        (void) arg;
        (void) ctx;
        (void) mkdir(out, 0755);
        *fd = open(out, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return SW_OK;
}

START_TEST(results_by_platform)
{
        const struct sw_export_target target = { .size = sizeof(target),
                                                 .open_dir = open_out };
        const struct sw_build_output out = { .type = "local", .target = &target };
        sw_auto(sw_str) one = sw_asprintf("%s/out/linux_amd64/made", root);
        sw_auto(sw_str) two = sw_asprintf("%s/out/linux_arm64/made", root);

        ok(BUILD(NULL, &out, "platforms=linux/amd64,linux/arm64"));
        ck_assert_int_eq(access(one, R_OK), 0);
        ck_assert_int_eq(access(two, R_OK), 0);
        /* A question has nothing to export. */
        ok(BUILD(NULL, &out, "read=file"));
}
END_TEST

START_TEST(a_failed_step_has_its_place)
{
        sw_autoptr(sw_build) b = NULL;
        struct sw_build_failure f = { .size = sizeof(f) };

        fails(BUILD(&b, NULL, "read=file", "platforms=linux/amd64", "step=fail"),
              SW_E_NOT_FOUND, "absent");
        ck_assert(sw_build_failed_step(b, &f));
        ck_assert_str_eq(f.name, "remove what is not there");
        ck_assert_uint_eq(f.n_locations, 1);
        ck_assert_str_eq(f.locations[0].map->filename, "text");
        ck_assert_int_eq(f.locations[0].ranges[0].start_line, 2);
}
END_TEST

/* After solves, look-ups and results: nothing of them stays. */
START_TEST(fails_at_the_end)
{
        sw_err *err = BUILD(NULL, NULL, "read=file", "platforms=linux/amd64,linux/arm64",
                            "look=fake://x", "warn=w", "fail=not today");

        ck_assert_str_eq(sw_err_plugin(err), "frontend/fake");
        fails(err, SW_E_INVALID, "not today");
}
END_TEST

START_TEST(cancelled)
{
        const struct sw_attr opt = { "look", "fake://slow" };
        sw_autoptr(sw_build) b = NULL;

        ok(BUILD(NULL, NULL, "cancel=solve", "read=file"));
        ok(sw_build_start(engine,
                          SW_BUILD_REQUEST(.frontend = "fake", .opts = &opt, .n_opts = 1),
                          &b));
        sw_build_cancel(b, "enough");
        fails(sw_build_wait(b), SW_E_CANCELLED, "enough");
}
END_TEST

static sw_err *
build(const struct sw_build_request *req)
{
        sw_autoptr(sw_build) made = NULL;

        ok(sw_build_start(engine, req, &made));
        return sw_build_wait(made);
}

START_TEST(wrong_requests)
{
        const struct sw_attr twice[] = { { "read", "1" }, { "read", "2" } };
        sw_config *config = sw_config_new();

        fails(build(SW_BUILD_REQUEST(.frontend = "none")), SW_E_NOT_FOUND,
              "slipway-frontend-none");
        fails(build(SW_BUILD_REQUEST(.frontend = "../fake")), SW_E_NOT_FOUND, "frontend");
        fails(build(SW_BUILD_REQUEST(.frontend = "fake", .opts = twice, .n_opts = 2)),
              SW_E_INVALID, "read is given twice");
        fails(build(SW_BUILD_REQUEST(.frontend = "fake", .definition = "x",
                                     .definition_len = 1)),
              SW_E_INVALID, "not both");
        ok(build(SW_BUILD_REQUEST(.frontend = "fake.v0")));

        sw_engine_close(engine);
        ok(sw_config_set(config, "frontend.\"gateway.v0\".enabled", "false", SW_FROM_FLAG,
                         "here"));
        ok(sw_engine_open(SW_ENGINE_OPTS(.host = host, .root = root, .config = config),
                          &engine));
        fails(build(SW_BUILD_REQUEST(.frontend = "gateway.v0")), SW_E_CONFIG,
              "switched off");
        sw_engine_close(sw_steal(engine));
        sw_config_free(config);
}
END_TEST

UNIT_MAIN_WITH("frontend", before_frontend, after_frontend, reads_files, asks_once,
               looks_for_what_is_not_there, warnings_have_their_place, results_by_platform,
               a_failed_step_has_its_place, fails_at_the_end, cancelled, wrong_requests)
