/*
 * Stories and records as they are kept. Catches: parts that come back otherwise than they
 * went in, text that is no UTF-8 and takes its part with it, damage that is read on, frames
 * that say they are larger than anything, secrets that are kept.
 */
#include <zstd.h>

#include "core/base/redact.h"
#include "core/engine/history.h"
#include "tests/unit/unit.h"

static const sw_digest one = { { 1 } }, two = { { 2 } };

/* What came back lives in the story. */
static sw_history_story *
again(const struct sw_progress_batch *b, struct sw_progress_batch *out)
{
        sw_auto(sw_buf) parts = SW_BUF_INIT;
        sw_auto(sw_buf) file = SW_BUF_INIT;
        sw_history_story *s;

        sw__storypart_add(b, &parts);
        sw__storyframe_add(&parts, &file);
        s = sw__story_read(&file);
        ck_assert(sw_history_story_next(s, out));
        return s;
}

START_TEST(steps_come_back)
{
        const char *paths[] = { "src/a.c", "bad \xff name" };
        struct sw_progress_vertex v[] = {
                { .digest = one,
                  .name = "first",
                  .cached = true,
                  .started = 5,
                  .completed = 6 },
                { .digest = two,
                  .inputs = &one,
                  .n_inputs = 1,
                  .name = "fetch https://me:secret@example.com/x",
                  .group_id = "g",
                  .group_name = "group",
                  .group_weak = true,
                  .started = 1700000000123456789,
                  .error = "no \xc3( good",
                  .why = SW_WHY_INPUT_CONTENT_CHANGED,
                  .why_input = 0,
                  .why_paths = paths,
                  .n_why_paths = 2 },
        };
        const struct sw_progress_batch in = { .vertices = v, .n_vertices = 2 };
        struct sw_progress_batch out;
        sw_autoptr(sw_history_story) s = again(&in, &out);

        ck_assert_uint_eq(out.n_vertices, 2);
        ck_assert(sw_digest_eq(&out.vertices[0].digest, &one) && out.vertices[0].cached);
        ck_assert_int_eq(out.vertices[0].why, SW_WHY_NONE);
        ck_assert_int_eq(out.vertices[0].completed, 6);
        ck_assert_ptr_null(out.vertices[0].group_id);
        const struct sw_progress_vertex *w = &out.vertices[1];
        ck_assert(w->n_inputs == 1 && sw_digest_eq(&w->inputs[0], &one));
        ck_assert_str_eq(w->name, "fetch https://xxxxx:xxxxx@example.com/x");
        ck_assert_str_eq(w->error, "no \xef\xbf\xbd( good");
        ck_assert_str_eq(w->group_name, "group");
        ck_assert(w->group_weak && w->started == 1700000000123456789 && !w->completed);
        ck_assert_int_eq(w->why, SW_WHY_INPUT_CONTENT_CHANGED);
        ck_assert_uint_eq(w->n_why_paths, 2);
        ck_assert_str_eq(w->why_paths[0], "src/a.c");
        ck_assert_str_eq(w->why_paths[1], "bad \xef\xbf\xbd name");
        ck_assert(!sw_history_story_next(s, &out) && !sw_history_story_damaged(s));
}
END_TEST

START_TEST(the_rest_comes_back)
{
        const char *detail[] = { "more", NULL };
        const struct sw_err_source source = { .file = "Dockerfile",
                                              .language = "Dockerfile",
                                              .data = "FROM x\n",
                                              .len = 7,
                                              .first_line = 1,
                                              .last_line = 1,
                                              .first_char = 2,
                                              .end_char = 5 };
        struct sw_progress_status status = {
                .vertex = one, .id = "layer", .current = 7, .total = 9, .completed = 3
        };
        struct sw_progress_log log = {
                .vertex = one, .stream = 2, .timestamp = 4, .data = "raw \0 \xff", .len = 7
        };
        struct sw_progress_warning warning = { .vertex = two,
                                               .text = "mind",
                                               .detail = detail,
                                               .url = "https://x",
                                               .source = &source,
                                               .level = 1 };
        const struct sw_progress_batch in = { .statuses = &status,
                                              .n_statuses = 1,
                                              .logs = &log,
                                              .n_logs = 1,
                                              .warnings = &warning,
                                              .n_warnings = 1 };
        struct sw_progress_batch out;
        sw_autoptr(sw_history_story) s = again(&in, &out);

        ck_assert_uint_eq(out.n_vertices, 0);
        ck_assert(out.n_statuses == 1 && out.n_logs == 1 && out.n_warnings == 1);
        ck_assert(out.statuses[0].current == 7 && out.statuses[0].total == 9);
        ck_assert_int_eq(out.logs[0].stream, 2);
        ck_assert(out.logs[0].len == 7 && memcmp(out.logs[0].data, log.data, 7) == 0);
        const struct sw_progress_warning *w = &out.warnings[0];
        ck_assert_str_eq(w->text, "mind");
        ck_assert(w->detail && strcmp(w->detail[0], "more") == 0 && !w->detail[1]);
        ck_assert_str_eq(w->url, "https://x");
        ck_assert_ptr_nonnull(w->source);
        ck_assert_str_eq(w->source->file, "Dockerfile");
        ck_assert(w->source->len == 7 && w->source->first_char == 2 &&
                  w->source->end_char == 5);
        ck_assert(!sw_history_story_next(s, &out) && !sw_history_story_damaged(s));
}
END_TEST

/* A file of three frames, the second one large enough to be compressed. */
static void
add_file(sw_buf *file)
{
        for (int i = 0; i < 3; i++) {
                sw_auto(sw_buf) parts = SW_BUF_INIT;
                sw_auto(sw_buf) text = SW_BUF_INIT;
                struct sw_progress_log log = { .vertex = one, .stream = 1 };
                const struct sw_progress_batch b = { .logs = &log, .n_logs = 1 };

                for (int k = 0; k < (i == 1 ? 5000 : 10); k++)
                        sw_buf_addf(&text, "line %d of %d\n", k, i);
                log.data = text.data;
                log.len = text.len;
                sw__storypart_add(&b, &parts);
                sw__storyframe_add(&parts, file);
        }
}

/* How many parts are read before the end. */
static int
count(sw_buf *file, bool *damaged)
{
        sw_autoptr(sw_history_story) s = sw__story_read(file);
        struct sw_progress_batch b;
        int n = 0;

        while (sw_history_story_next(s, &b))
                n++;
        *damaged = sw_history_story_damaged(s);
        return n;
}

START_TEST(a_file_that_was_cut_off)
{
        sw_auto(sw_buf) whole = SW_BUF_INIT;
        bool damaged;

        add_file(&whole);
        ck_assert_uint_lt(whole.len, 30000); /* it is compressed */
        for (size_t n = 0; n <= whole.len; n += n < whole.len - 400 && n > 400 ? 97 : 1) {
                sw_auto(sw_buf) part = SW_BUF_INIT;

                sw_buf_add(&part, whole.data, n);
                ck_assert_int_le(count(&part, &damaged), 3);
        }
        ck_assert_int_eq(count(&whole, &damaged), 3);
        ck_assert(!damaged);
}
END_TEST

START_TEST(damage_ends_it)
{
        sw_auto(sw_buf) whole = SW_BUF_INIT;
        bool damaged;

        add_file(&whole);
        memset(whole.data + 12, 0xff, 4); /* the length of the first part */
        ck_assert_int_eq(count(&whole, &damaged), 0);
        ck_assert(damaged);
}
END_TEST

/* A frame that unpacks to more than a frame may have, from a few bytes. */
START_TEST(bombs)
{
        const size_t size = SW__STORY_FRAME_MAX + 1;
        char *zeros = sw_alloc(size);
        sw_auto(sw_buf) file = SW_BUF_INIT;
        bool damaged;

        sw_buf_reserve(&file, ZSTD_compressBound(size));
        file.len = ZSTD_compress(file.data, ZSTD_compressBound(size), zeros, size, 1);
        free(zeros);
        ck_assert_int_eq(count(&file, &damaged), 0);
        ck_assert(damaged);
}
END_TEST

START_TEST(redacts)
{
        static const char *const cases[][2] = {
                { "https://u:p@h/x", "https://xxxxx:xxxxx@h/x" },
                { "git clone https://token@h && x", "git clone https://xxxxx@h && x" },
                { "a https://h/@x b ssh://git@h:22/y",
                  "a https://h/@x b ssh://xxxxx@h:22/y" },
                { "https://u:p@ss@h/", "https://xxxxx:xxxxx@h/" },
                { "no url, me@example.com", "no url, me@example.com" },
                { "://", "://" },
                { "oci-layout://base:1@sha256:12", "oci-layout://base:1@sha256:12" },
                { "oci://u:p@base@sha256:12", "oci://xxxxx:xxxxx@base@sha256:12" },
                { "\xf0\x9f\x98", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
        };
        static const char *const values[][3] = {
                { "build-arg:NPM_TOKEN", "abc", "xxxxx" },
                { "build-arg:DB_PASSWORD", "", "" },
                { "build-arg:PUBLIC_KEY", "abc", "abc" },
                { "build-arg:VERSION", "1", "1" },
                { "build-arg:HTTP_PROXY", "http://u:p@proxy", "http://xxxxx:xxxxx@proxy" },
                { "target", "monkey", "monkey" },
        };

        for (size_t i = 0; i < SW_COUNT(cases); i++) {
                sw_auto(sw_str) s = sw__redact(cases[i][0]);

                ck_assert_str_eq(s, cases[i][1]);
        }
        for (size_t i = 0; i < SW_COUNT(values); i++) {
                sw_auto(sw_str) s = sw__redact_value(values[i][0], values[i][1]);

                ck_assert_str_eq(s, values[i][2]);
        }
}
END_TEST

UNIT_MAIN("story", steps_come_back, the_rest_comes_back, a_file_that_was_cut_off,
          damage_ends_it, bombs, redacts)
