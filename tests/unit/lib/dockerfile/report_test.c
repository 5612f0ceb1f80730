/*
 * Unit tests of lib/dockerfile's reports: what `--check` and `--call` answer, as programs
 * and as people read it. Catches any change in the layout that clients parse.
 */
#include <slipway/json.h>
#include <slipway/text.h>

#include "lib/dockerfile/lint.h"
#include "lib/dockerfile/report.h"
#include "tests/unit/unit.h"

#define TEXT "FROM a AS B\n\tRUN x\nRUN y\nRUN z\nCMD q\n"
static const struct sw_df_text text = { "Dockerfile", TEXT, sizeof(TEXT) - 1 };
#define DATA "RlJPTSBhIEFTIEIKCVJVTiB4ClJVTiB5ClJVTiB6CkNNRCBxCg=="

/* What @put appends is @want, and valid JSON if @json. */
static void
same(const sw_buf *got, const char *want, bool json)
{
        sw_autoptr(sw_json) doc = NULL;

        ck_assert_str_eq(got->data, want);
        if (json)
                ok(sw_json_parse("report", got->data, got->len, &doc));
}

START_TEST(lint_with_findings)
{
        sw_auto(sw_buf) out = SW_BUF_INIT;
        const struct sw_df_found found[] = {
                { "JSONArgsRecommended", "d2", "https://u/", "message <2>", { 5, 5 } },
                { "StageNameCasing", "d1", NULL, "message 1", { 1, 2 } },
        };
        struct sw_df_lint_report r = { .text = text, .found = found, .n_found = 2 };

        sw_df_lint_json(&r, &out);
        same(&out,
             "{\n  \"warnings\": [\n    {\n      \"ruleName\": \"JSONArgsRecommended\",\n"
             "      \"description\": \"d2\",\n      \"url\": \"https://u/\",\n"
             "      \"detail\": \"message \\u003c2\\u003e\",\n      \"location\": {\n"
             "        \"ranges\": [\n          {\n            \"start\": {\n"
             "              \"line\": 5\n            },\n            \"end\": {\n"
             "              \"line\": 5\n            }\n          }\n        ]\n      }\n"
             "    },\n    {\n      \"ruleName\": \"StageNameCasing\",\n"
             "      \"description\": \"d1\",\n      \"detail\": \"message 1\",\n"
             "      \"location\": {\n        \"ranges\": [\n          {\n"
             "            \"start\": {\n              \"line\": 1\n            },\n"
             "            \"end\": {\n              \"line\": 1\n            }\n"
             "          },\n          {\n            \"start\": {\n"
             "              \"line\": 2\n            },\n            \"end\": {\n"
             "              \"line\": 2\n            }\n          }\n        ]\n      }\n"
             "    }\n  ],\n  \"sources\": [\n    {\n      \"filename\": \"Dockerfile\",\n"
             "      \"data\": \"" DATA "\",\n      \"language\": \"Dockerfile\"\n    }\n"
             "  ]\n}",
             true);
        sw_buf_clear(&out);
        sw_df_lint_text(&r, &out);
        same(&out,
             "\nWARNING: StageNameCasing\nmessage 1\nDockerfile:1\n--------------------\n"
             "   1 | >>> FROM a AS B\n   2 | >>> \tRUN x\n   3 |     RUN y\n"
             "--------------------\n"
             "\nWARNING: JSONArgsRecommended - https://u/\nmessage <2>\nDockerfile:5\n"
             "--------------------\n   3 |     RUN y\n   4 |     RUN z\n"
             "   5 | >>> CMD q\n   6 |     \n--------------------\n",
             false);
        ck_assert_str_eq(sw_df_lint_status(&r), "1");
}
END_TEST

START_TEST(lint_with_nothing_found)
{
        sw_auto(sw_buf) out = SW_BUF_INIT;
        struct sw_df_lint_report r = { .text = text };

        sw_df_lint_json(&r, &out);
        same(&out, "{\n  \"warnings\": null,\n  \"sources\": null\n}", true);
        sw_buf_clear(&out);
        sw_df_lint_text(&r, &out);
        same(&out, "", false);
        ck_assert_str_eq(sw_df_lint_status(&r), "0");
}
END_TEST

START_TEST(lint_with_an_error)
{
        sw_auto(sw_buf) out = SW_BUF_INIT;
        struct sw_df_lint_report r = { .text = { "D", "RUN", 3 },
                                       .error = "no stage",
                                       .error_range = { 1, 1 } };

        sw_df_lint_json(&r, &out);
        same(&out,
             "{\n  \"warnings\": null,\n  \"sources\": [\n    {\n      \"filename\": "
             "\"D\",\n"
             "      \"data\": \"UlVO\",\n      \"language\": \"Dockerfile\"\n    }\n  ],\n"
             "  \"buildError\": {\n    \"message\": \"no stage\",\n    \"location\": {\n"
             "      \"ranges\": [\n        {\n          \"start\": {\n"
             "            \"line\": 1\n          },\n          \"end\": {\n"
             "            \"line\": 1\n          }\n        }\n      ]\n    }\n  }\n}",
             true);
        sw_buf_clear(&out);
        sw_df_lint_text(&r, &out);
        same(&out,
             "no stage\nD:1\n--------------------\n   1 | >>> RUN\n--------------------\n",
             false);
        ck_assert_str_eq(sw_df_lint_status(&r), "1");
}
END_TEST

START_TEST(outline)
{
        sw_auto(sw_buf) out = SW_BUF_INIT;
        const struct sw_df_outline_arg args[] = {
                { "A", "what it is", "1", { 1, 1 } },
                { "LONGER_ARG", NULL, NULL, { 0, 0 } },
        };
        const struct sw_df_outline_need secrets[] = { { "s", true, { 2, 2 } },
                                                      { "other", false, { 0, 0 } } };
        const struct sw_df_outline_need caches[] = { { "/c", false, { 0, 0 } } };
        struct sw_df_outline o = { .text = { "D", "x", 1 },
                                   .name = "b",
                                   .description = "builds",
                                   .args = args,
                                   .n_args = 2,
                                   .secrets = secrets,
                                   .n_secrets = 2,
                                   .ssh = secrets,
                                   .n_ssh = 1,
                                   .caches = caches,
                                   .n_caches = 1 };

        sw_df_outline_text(&o, &out);
        same(&out,
             "TARGET:        b\nDESCRIPTION:   builds\n\n"
             "BUILD ARG    VALUE   DESCRIPTION\nA            1       what it is\n"
             "LONGER_ARG           \n\nSECRET   REQUIRED\ns        true\nother    \n\n"
             "SSH   REQUIRED\ns     true\n\n",
             false);
        sw_buf_clear(&out);
        sw_df_outline_json(&o, &out);
        ck_assert(
                sw_str_has_prefix(out.data,
                                  "{\n  \"name\": \"b\",\n  \"description\": \"builds\",\n"
                                  "  \"args\": [\n    {\n      \"name\": \"A\",\n"
                                  "      \"description\": \"what it is\",\n"
                                  "      \"value\": \"1\",\n      \"location\": {\n"));
        ck_assert_ptr_nonnull(
                strstr(out.data, "\"cache\": [\n    {\n      \"ID\": \"/c\"\n"));
        ck_assert(sw_str_has_suffix(out.data, "  \"sources\": [\n    \"eA==\"\n  ]\n}"));
        sw_autoptr(sw_json) doc = NULL;

        ok(sw_json_parse("outline", out.data, out.len, &doc));
}
END_TEST

START_TEST(targets)
{
        sw_auto(sw_buf) out = SW_BUF_INIT;
        struct sw_df_target v[] = {
                { "one", "the first", "busybox", NULL, false, { 0, 0 } },
                { NULL, NULL, "one", NULL, false, { 0, 0 } },
                { "last", NULL, "scratch", "linux/amd64", true, { 0, 0 } },
        };
        struct sw_df_targets t = { .text = { "D", "x", 1 }, .v = v, .n = 3 };

        sw_df_targets_text(&t, &out);
        same(&out,
             "TARGET           DESCRIPTION\none              the first\nlast (default)   "
             "\n",
             false);
        sw_buf_clear(&out);
        sw_df_targets_json(&t, &out);
        same(&out,
             "{\n  \"targets\": [\n    {\n      \"name\": \"one\",\n"
             "      \"description\": \"the first\",\n      \"base\": \"busybox\"\n    },\n"
             "    {\n      \"base\": \"one\"\n    },\n    {\n      \"name\": \"last\",\n"
             "      \"default\": true,\n      \"base\": \"scratch\",\n"
             "      \"platform\": \"linux/amd64\"\n    }\n  ],\n  \"sources\": [\n"
             "    \"eA==\"\n  ]\n}",
             true);
        sw_buf_clear(&out);
        t.v = &v[2];
        t.n = 1;
        v[2].name = NULL;
        sw_df_targets_text(&t, &out);
        same(&out, "TARGET      DESCRIPTION\n(default)   \n", false);
}
END_TEST

START_TEST(describe)
{
        sw_auto(sw_buf) out = SW_BUF_INIT;
        sw_autoptr(sw_json) doc = NULL;

        sw_df_describe_json(&out);
        ok(sw_json_parse("describe", out.data, out.len, &doc));
        ck_assert_uint_eq(json_array_size(doc), 3);
        ck_assert_ptr_nonnull(strstr(out.data, "\"inputs\": null"));
        sw_buf_clear(&out);
        sw_df_describe_text(&out);
        same(&out,
             "NAME                 VERSION DESCRIPTION\n"
             "outline              1.0.0   List all parameters current build target "
             "supports\n"
             "targets              1.0.0   List all targets current build supports\n"
             "subrequests.describe 1.0.0   List available subrequest types\n",
             false);
}
END_TEST

/* What a text brings must not reach a terminal as a command. */
START_TEST(escapes_for_terminals)
{
        sw_auto(sw_buf) out = SW_BUF_INIT;
        struct sw_df_text bad = { "D\x1b[1m", "RUN \x1b[31m\r\nx", 13 };

        sw_df_excerpt(&bad, (struct sw_df_range){ 1, 1 }, &out);
        ck_assert_ptr_null(strchr(out.data, '\x1b'));
        ck_assert_ptr_null(strchr(out.data, '\r'));
        sw_buf_clear(&out);
        sw_df_excerpt(&bad, (struct sw_df_range){ 7, 9 }, &out);
        sw_df_excerpt(&bad, (struct sw_df_range){ 0, 0 }, &out);
        ck_assert_uint_eq(out.len, 0);
}
END_TEST

START_TEST(near_names)
{
        static const char *const names[] = { "from", "chown", "chmod", "RUN" };

        ck_assert_str_eq(sw_df_suggest("frm", names, 4, true), "from");
        ck_assert_str_eq(sw_df_suggest("chowm", names, 4, true), "chown");
        ck_assert_str_eq(sw_df_suggest("run", names, 4, false), "RUN");
        ck_assert_ptr_null(sw_df_suggest("run", names, 4, true));
        ck_assert_ptr_null(sw_df_suggest("something", names, 4, true));
        ck_assert_ptr_null(sw_df_suggest("", names, 1, true));
}
END_TEST

UNIT_MAIN("dockerfile reports", lint_with_findings, lint_with_nothing_found,
          lint_with_an_error, outline, targets, describe, escapes_for_terminals, near_names)
