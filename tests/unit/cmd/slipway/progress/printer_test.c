/*
 * Printers over stories that are written here, with times that are known. Catches: lines
 * that clients of BuildKit would not know, steps that are mixed, statuses that are never or
 * always printed, JSON in another order or form than Go's, control characters that reach a
 * terminal, text that is cut inside of a character.
 */
#include <slipway/time.h>

#include "cmd/slipway/progress/progress.h"
#include "cmd/slipway/progress/width.h"
#include "core/solver/solver.h"
#include "core/solver/story.h"
#include "tests/unit/unit.h"

#define T0 (INT64_C(1700000000) * 1000000000)
#define S  INT64_C(1000000000)

struct stage {
        struct sw__story *story;
        struct sw__story_job *job;
        sw_subscription *sub;
        model m;
        const struct progress_printer *ops;
        void *self;
        struct progress_out out;
};

static void
stage_open(struct stage *g, void *(*make)(const struct progress_printer **) )
{
        *g = (struct stage){ .story = sw__story_new(-1) };
        g->job = sw__story_job_new(g->story);
        g->sub = sw__story_subscribe(g->job, false);
        g->self = make(&g->ops);
        g->out.fd = -1;
        sw_buf_init(&g->out.buf);
        model_init(&g->m, g->ops->lines);
}

static void
stage_step(struct stage *g)
{
        struct sw_progress_batch b;

        ck_assert(sw_progress_next(g->sub, 0, &b));
        model_take(&g->m, &b);
        g->ops->step(g->self, &g->m, &b, &g->out);
        sw_progress_batch_release(&b);
}

static void
stage_close(struct stage *g)
{
        sw_subscription_free(g->sub);
        sw__story_job_end(g->job);
        sw__story_free(g->story);
        g->ops->free(g->self);
        model_release(&g->m);
        sw_buf_release(&g->out.buf);
}

static struct sw__story_vertex *
add_to(struct stage *g, const char *name, const struct sw_vertex_group *group)
{
        sw_digest d = sw_digest_of(name, strlen(name));
        struct sw__story_vertex *v = sw__story_vertex_new(g->story, &d, NULL, 0);

        sw__story_join(g->job, v, name, group);
        return v;
}

static struct sw__story_vertex *
add(struct stage *g, const char *name)
{
        return add_to(g, name, NULL);
}

static void
say(struct sw__story_vertex *v, const char *text)
{
        sw__story_sink.output(v, 1, text, strlen(text));
}

#define shows(g, want)                                                                     \
        do {                                                                               \
                ck_assert_str_eq((g)->out.buf.data, (want));                               \
                sw_buf_clear(&(g)->out.buf);                                               \
        } while (0)

START_TEST(plain_lines)
{
        struct stage g;
        struct sw__story_vertex *a, *b, *c;

        stage_open(&g, plain_new);
        a = add(&g, "step a");
        b = add(&g, "step b");
        c = add(&g, "step c");
        sw__story_ended(a, T0, true, NULL);
        stage_step(&g);
        shows(&g, "#1 step a\n#1 CACHED\n");

        sw__story_started(b, T0);
        sw__story_ended(b, T0 + 3 * S / 2, false, NULL);
        stage_step(&g);
        shows(&g, "\n#2 step b\n#2 DONE 1.5s\n");

        sw__story_started(c, T0);
        sw__story_ended(c, T0 + S, false, "exit code: 3");
        stage_step(&g);
        shows(&g, "\n#3 step c\n#3 ERROR: exit code: 3\n");
        g.ops->end(g.self, &g.m, &g.out);
        shows(&g, "------\n > step c:\n------\n");
        sw__story_vertex_unref(a);
        sw__story_vertex_unref(b);
        sw__story_vertex_unref(c);
        stage_close(&g);
}
END_TEST

START_TEST(plain_logs_and_failures)
{
        struct stage g;
        struct sw__story_vertex *a, *b;
        sw_auto(sw_buf) want = SW_BUF_INIT;

        stage_open(&g, plain_new);
        a = add(&g, "noisy");
        b = add(&g, "stopped");
        sw__story_started(a, sw_time_now() + 100 * S); /* so that every line is of 0.000 */
        stage_step(&g);
        shows(&g, "#1 noisy\n");
        say(a, "one\r\ntw");
        stage_step(&g);
        shows(&g, "#1 0.000 one\n"); /* a line is printed when it is whole */
        say(a, "o\n");
        stage_step(&g);
        shows(&g, "#1 0.000 two\n");

        /* another step that ends is told first, and the current one is left for it */
        sw__story_started(b, T0);
        sw__story_ended(b, T0, false, "cancelled: x: context canceled");
        stage_step(&g);
        shows(&g, "#1 ...\n\n#2 stopped\n#2 CANCELED\n");

        for (int i = 1; i <= 12; i++) {
                sw_auto(sw_str) line = sw_asprintf("line %d\n", i);
                say(a, line);
        }
        say(a, "no end");
        sw__story_ended(a, sw_time_now(), false, "bad");
        stage_step(&g);
        sw_buf_adds(&want, "\n#1 noisy\n");
        for (int i = 1; i <= 12; i++)
                sw_buf_addf(&want, "#1 0.000 line %d\n", i);
        sw_buf_adds(&want, "#1 0.000 no end\n#1 ERROR: bad\n");
        shows(&g, want.data);

        /* the last ten lines, and nothing of what was cancelled */
        g.ops->end(g.self, &g.m, &g.out);
        sw_buf_clear(&want);
        sw_buf_adds(&want, "------\n > noisy:\n");
        for (int i = 4; i <= 12; i++)
                sw_buf_addf(&want, "0.000 line %d\n", i);
        sw_buf_adds(&want, "0.000 no end\n------\n");
        shows(&g, want.data);
        sw__story_vertex_unref(a);
        sw__story_vertex_unref(b);
        stage_close(&g);
}
END_TEST

static void
status(struct sw__story_vertex *v, int64_t current, int64_t completed)
{
        const struct sw_progress p = { .id = "copying",
                                       .current = current,
                                       .total = 2000000,
                                       .started = T0,
                                       .completed = completed };

        sw__story_sink.status(v, &p);
}

START_TEST(plain_statuses)
{
        struct stage g;
        struct sw__story_vertex *a;

        stage_open(&g, plain_new);
        a = add(&g, "big");
        sw__story_started(a, T0);
        status(a, 0, 0);
        stage_step(&g);
        ck_assert(strstr(g.out.buf.data, "#1 copying 0B / 2.00MB") ||
                  strstr(g.out.buf.data, "#1 copying 0.00B / 2.00MB"));
        sw_buf_clear(&g.out.buf);
        status(a, 20000, 0); /* one per cent, and no time went by */
        stage_step(&g);
        shows(&g, "");
        status(a, 200000, 0);
        stage_step(&g);
        ck_assert(strstr(g.out.buf.data, "#1 copying 200.00kB / 2.00MB"));
        sw_buf_clear(&g.out.buf);
        status(a, 200001, T0 + 2 * S); /* the end is always told */
        stage_step(&g);
        shows(&g, "#1 copying 200.00kB / 2.00MB 2.0s done\n");
        sw__story_vertex_unref(a);
        stage_close(&g);
}
END_TEST

/* Members that are weak alone are not worth a row; the group ends with its last member. */
START_TEST(plain_groups)
{
        const struct sw_vertex_group weak = { .id = "g1",
                                              .name = "COPY a b",
                                              .weak = true };
        const struct sw_vertex_group strong = { .id = "g1", .name = "COPY a b" };
        struct stage g;
        struct sw__story_vertex *a, *b;

        stage_open(&g, plain_new);
        a = add_to(&g, "copy", &weak);
        b = add_to(&g, "merge", &strong);
        sw__story_started(a, T0);
        stage_step(&g);
        shows(&g, "");
        sw__story_started(b, T0 + S);
        stage_step(&g);
        shows(&g, "#1 COPY a b\n");
        sw__story_ended(a, T0 + 2 * S, false, NULL);
        stage_step(&g);
        shows(&g, "");
        say(b, "from a member\n");
        sw__story_ended(b, T0 + 3 * S, false, "no luck");
        stage_step(&g);
        ck_assert(strstr(g.out.buf.data, " from a member\n#1 ERROR: no luck\n"));
        sw_buf_clear(&g.out.buf);
        g.ops->end(g.self, &g.m, &g.out);
        ck_assert(strstr(g.out.buf.data, "------\n > COPY a b:\n"));
        ck_assert_uint_eq(g.m.steps.n, 2);
        ck_assert_uint_eq(g.m.rows.n, 1);
        sw__story_vertex_unref(a);
        sw__story_vertex_unref(b);
        stage_close(&g);
}
END_TEST

/* A group is as old as its members were at work: 2 s, a pause, 1 s. */
START_TEST(groups_that_begin_again)
{
        const struct sw_vertex_group group = { .id = "g", .name = "both" };
        struct stage g;
        struct sw__story_vertex *a, *b, *c;

        stage_open(&g, plain_new);
        a = add_to(&g, "a", &group);
        b = add_to(&g, "b", &group);
        c = add_to(&g, "c", &(const struct sw_vertex_group){ .id = "o", .name = "other" });
        sw__story_started(a, T0);
        sw__story_ended(a, T0 + 2 * S, false, NULL);
        sw__story_ended(c, T0, true, NULL);
        stage_step(&g);
        shows(&g, "#1 other\n#1 CACHED\n\n#2 both\n#2 DONE 2.0s\n");
        sw__story_started(b, T0 + 10 * S);
        sw__story_ended(b, T0 + 11 * S, false, NULL);
        stage_step(&g);
        shows(&g, "\n#2 both\n#2 DONE 3.0s\n");
        sw__story_vertex_unref(a);
        sw__story_vertex_unref(b);
        sw__story_vertex_unref(c);
        stage_close(&g);
}
END_TEST

/* What a step used is no progress of it: clients would print it as bytes. */
START_TEST(usage_is_kept_apart)
{
        static const struct sw_progress used[] = {
                { .id = "usage.cpu_ns",
                  .current = 5300000,
                  .started = T0,
                  .completed = T0 },
                { .id = "usage.memory_peak", .current = 28230000, .completed = T0 },
                { .id = "usage.io_read", .current = 0, .completed = T0 },
        };
        struct stage g;
        struct sw__story_vertex *a;
        sw_auto(sw_buf) text = SW_BUF_INIT;

        stage_open(&g, plain_new);
        a = add(&g, "command");
        sw__story_started(a, T0);
        for (size_t i = 0; i < SW_COUNT(used); i++)
                sw__story_sink.status(a, &used[i]);
        sw__story_ended(a, T0 + S, false, NULL);
        stage_step(&g);
        shows(&g, "#1 command\n#1 DONE 1.0s\n");
        step_add_usage(&text, g.m.rows.v[0]);
        ck_assert_str_eq(text.data, "5.3ms CPU, 28.23MB memory");
        sw__story_vertex_unref(a);
        stage_close(&g);
}
END_TEST

START_TEST(json_as_go_writes_it)
{
        struct stage g;
        struct sw__story_vertex *a;
        sw_digest d = sw_digest_of("x<y>", 4);
        char hex[SW_DIGEST_STR_SIZE];
        sw_auto(sw_str) want = NULL;

        stage_open(&g, rawjson_new);
        a = add(&g, "x<y>");
        sw__story_started(a, T0 + 5);
        sw__story_ended(a, T0 + S / 2, false, "no \"luck\"");
        stage_step(&g);
        want = sw_asprintf(
                "{\"vertexes\":[{\"digest\":\"%s\",\"name\":\"x\\u003cy\\u003e\","
                "\"started\":\"2023-11-14T22:13:20.000000005Z\","
                "\"completed\":\"2023-11-14T22:13:20.5Z\","
                "\"error\":\"no \\\"luck\\\"\"}]}\n",
                sw_digest_str(&d, hex));
        shows(&g, want);
        sw__story_vertex_unref(a);
        stage_close(&g);
}
END_TEST

/* As the reference's encoder has them: base64, empty members left out, positions that
 * count from 0 where ours do from 1. */
START_TEST(warnings_as_go_writes_them)
{
        static const char *const detail[] = { "more", "and more", NULL };
        const struct sw_err_source source = { .file = "Dockerfile",
                                              .language = "Dockerfile",
                                              .data = "FROM x\n",
                                              .len = 7,
                                              .first_line = 1,
                                              .last_line = 1,
                                              .first_char = 6,
                                              .end_char = 7 };
        struct sw_progress_warning w[] = {
                { .text = "short", .level = 1 },
                { .text = "x", .detail = detail, .url = "https://x/", .source = &source },
        };
        const struct sw_progress_batch b = { .warnings = w, .n_warnings = SW_COUNT(w) };
        char digest[SW_DIGEST_STR_SIZE];
        struct stage g;
        sw_auto(sw_str) want = NULL;

        stage_open(&g, rawjson_new);
        g.ops->step(g.self, &g.m, &b, &g.out);
        (void) sw_digest_str(&w[0].vertex, digest);
        want = sw_asprintf(
                "{\"warnings\":[{\"vertex\":\"%s\",\"level\":1,\"short\":\"c2hvcnQ=\"},"
                "{\"vertex\":\"%s\",\"short\":\"eA==\","
                "\"detail\":[\"bW9yZQ==\",\"YW5kIG1vcmU=\"],\"url\":\"https://x/\","
                "\"sourceInfo\":{\"filename\":\"Dockerfile\",\"data\":\"RlJPTSB4Cg==\","
                "\"language\":\"Dockerfile\"},"
                "\"range\":[{\"start\":{\"line\":1,\"character\":5},"
                "\"end\":{\"line\":1,\"character\":6}}]}]}\n",
                digest, digest);
        shows(&g, want);
        stage_close(&g);
}
END_TEST

START_TEST(terminals_are_not_taken_over)
{
        struct stage g;
        struct sw__story_vertex *a;

        (void) setenv("COLUMNS", "40", 1);
        stage_open(&g, tty_new);
        g.out.terminal = true;
        a = add(&g, "evil \033]0;title\007 \xe2\x80\xae name");
        sw__story_started(a, T0);
        say(a, "\033[2J\033[1;1Hgone\n");
        stage_step(&g);
        ck_assert(!strstr(g.out.buf.data, "\033]0;"));
        ck_assert(!strstr(g.out.buf.data, "\033[2J"));
        ck_assert(!strstr(g.out.buf.data, "\xe2\x80\xae"));
        ck_assert(strstr(g.out.buf.data, "\\x1b]0;title"));
        ck_assert(strstr(g.out.buf.data, " => => # gone"));
        sw__story_vertex_unref(a);
        stage_close(&g);
}
END_TEST

START_TEST(widths)
{
        static const struct {
                const char *text;
                size_t room, used;
                const char *kept;
        } cases[] = {
                { "abc", 2, 2, "ab" },
                { "äöü", 2, 2, "äö" },
                { "漢字", 3, 2, "漢" },              /* half of a wide one is not shown */
                { "e\xcc\x81x", 1, 1, "e\xcc\x81" }, /* a mark joins what is before it */
                { "\xf0\x9f\x9a\xa2!", 3, 3, "\xf0\x9f\x9a\xa2!" },
                { "", 5, 0, "" },
                { "한글x", 4, 4, "한글" },
                { "a\xe2\x80\x8b"
                  "b",
                  2, 2,
                  "a\xe2\x80\x8b"
                  "b" },                                           /* zero width space */
                { "x\xef\xb8\x8f", 1, 1, "x\xef\xb8\x8f" },        /* variation selector */
                { "ก\xe0\xb8\xb4", 1, 1, "ก\xe0\xb8\xb4" },        /* a vowel above */
                { "\xf0\xa0\x80\x80z", 2, 2, "\xf0\xa0\x80\x80" }, /* plane 2 */
                { "\xe2\x80\xa6x", 2, 2, "\xe2\x80\xa6x" }, /* an ellipsis is narrow */
        };

        for (size_t i = 0; i < SW_COUNT(cases); i++) {
                sw_auto(sw_buf) b = SW_BUF_INIT;

                ck_assert_uint_eq(width_add(&b, cases[i].text, cases[i].room),
                                  cases[i].used);
                ck_assert_str_eq(b.data, cases[i].kept);
                ck_assert_uint_eq(width_of(cases[i].kept), cases[i].used);
        }
}
END_TEST

UNIT_MAIN("printer", plain_lines, plain_logs_and_failures, plain_statuses, plain_groups,
          groups_that_begin_again, usage_is_kept_apart, json_as_go_writes_it,
          warnings_as_go_writes_them, terminals_are_not_taken_over, widths)
