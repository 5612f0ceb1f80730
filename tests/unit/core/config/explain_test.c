/*
 * core/config/explain.c, value.c - listing every key. Catches keys that are left out or
 * out of order, and texts that do not read back as the same value.
 */
#include <slipway/text.h>

#include "core/config/internal.h"
#include "tests/unit/core/config/load.h"

static void
print_one(void *arg, const struct sw_config_value *v)
{
        sw_buf *out = arg;

        if (v->origin != SW_FROM_DEFAULT)
                sw_buf_addf(out, "%s = %s (%s:%d:%d)\n", v->key, v->text, v->where, v->line,
                            v->column);
        else if (strncmp(v->key, "registry", 8) == 0 || strncmp(v->key, "plugins", 7) == 0)
                sw_buf_addf(out, "%s = %s %s\n", v->key, v->text,
                            v->set ? "default" : "unset");
}

START_TEST(lists_what_is_there_in_order)
{
        sw_autoptr(sw_config) c = sw_config_new();
        sw_auto(sw_buf) out = SW_BUF_INIT;

        load(c, "plugins:\n"
                "  exporter/image: {x: [a, 'b, c'], required: true}\n"
                "worker: {oci: {gcpolicy: [{keepBytes: 1}, {all: true}]}}\n"
                "registry:\n"
                "  b: {keypair: [{cert: /c, key: /k}]}\n"
                "  a: {mirrors: [m]}\n"
                "root: /x\n");
        ok(sw_config_set(c, "debug", "true", SW_FROM_FLAG, "--debug"));
        sw_config_each(c, print_one, &out);
        ck_assert_str_eq(out.data,
                         "debug = true (--debug:0:0)\n"
                         "root = /x (f.yaml:7:7)\n"
                         "registry.\"b\".mirrors =  unset\n"
                         "registry.\"b\".http =  unset\n"
                         "registry.\"b\".insecure = false default\n"
                         "registry.\"b\".ca =  unset\n"
                         "registry.\"b\".keypair.0.key = /k (f.yaml:5:33)\n"
                         "registry.\"b\".keypair.0.cert = /c (f.yaml:5:24)\n"
                         "registry.\"b\".tlsconfigdir =  unset\n"
                         "registry.\"a\".mirrors = [m] (f.yaml:6:16)\n"
                         "registry.\"a\".http =  unset\n"
                         "registry.\"a\".insecure = false default\n"
                         "registry.\"a\".ca =  unset\n"
                         "registry.\"a\".tlsconfigdir =  unset\n"
                         "worker.oci.gcpolicy.0.keepBytes = 1 (f.yaml:3:39)\n"
                         "worker.oci.gcpolicy.1.all = true (f.yaml:3:49)\n"
                         "plugins.\"exporter/image\".enabled = true default\n"
                         "plugins.\"exporter/image\".required = true (f.yaml:2:46)\n"
                         "plugins.\"exporter/image\".x = [a, \"b, c\"] (f.yaml:2:23)\n");
}
END_TEST

static void
count_one(void *arg, const struct sw_config_value *v)
{
        size_t *next = arg, n;
        const struct sw__config_key *rows = sw__config_schema(&n);

        while (*next < n && strpbrk(rows[*next].path, "<["))
                ++*next;
        ck_assert_uint_lt(*next, n);
        ck_assert_str_eq(v->key, rows[*next].path);
        ck_assert_ptr_nonnull(v->text);
        ck_assert_ptr_nonnull(v->where);
        ++*next;
}

START_TEST(lists_every_key_of_the_table)
{
        sw_autoptr(sw_config) c = sw_config_new();
        size_t next = 0, n;
        const struct sw__config_key *rows = sw__config_schema(&n);

        sw_config_each(c, count_one, &next);
        while (next < n && strpbrk(rows[next].path, "<["))
                next++;
        ck_assert_uint_eq(next, n);
}
END_TEST

START_TEST(answers_for_one_key)
{
        sw_autoptr(sw_config) c = sw_config_new();
        struct sw_config_value v;

        ck_assert(!sw_config_value(c, "log.nope", &v));
        ck_assert(!sw_config_value(c, "log", &v));
        ck_assert(!sw_config_value(c, "\"", &v));
        ck_assert(sw_config_value(c, "grpc.uid", &v));
        ck_assert(!v.set);
        ck_assert_str_eq(v.text, "");
        ck_assert_int_eq(v.type, SW_CONFIG_INT);
        ck_assert(sw_config_value(c, "registry.\"x\".insecure", &v));
        ck_assert(v.set);
        ck_assert_str_eq(v.text, "false");
        load(c, "worker: {oci: {labels: {a: b}}}");
        ck_assert(sw_config_value(c, "worker.oci.labels.a", &v));
        ck_assert_str_eq(v.text, "b");
        ck_assert(sw_config_value(c, "worker.oci.labels.c", &v));
        ck_assert(!v.set);
}
END_TEST

/* The YAML of one value, as a file would have it. */
static char *
as_yaml(const char *key, const char *text)
{
        sw_auto(sw_strlist) parts = { 0 };
        sw_auto(sw_buf) b = SW_BUF_INIT;

        ok(sw__keypath_split(key, &parts));
        for (size_t i = 0; i < parts.n; i++)
                sw_buf_addf(&b, "{\"%s\": ", parts.v[i]);
        sw_buf_adds(&b, text);
        for (size_t i = 0; i < parts.n; i++)
                sw_buf_addc(&b, '}');
        return sw_buf_detach(&b);
}

static void
reads_back(void *arg, const struct sw_config_value *v)
{
        sw_autoptr(sw_config) c = sw_config_new();
        size_t *n = arg;

        if (!v->set || strchr(v->key, '['))
                return;
        sw_auto(sw_str) yaml = as_yaml(v->key, v->text);
        load(c, yaml);
        shows(c, v->key, v->text, SW_FROM_FILE, "f.yaml");
        ++*n;
}

START_TEST(texts_read_back)
{
        static const char *const odd[] = {
                "",
                " ",
                " a",
                "a ",
                "~",
                "null",
                "NULL",
                "true",
                "1",
                "a: b",
                "a:",
                "a #b",
                "#a",
                "a#b",
                "a:b",
                "[a]",
                "{a}",
                "a, b",
                "\"",
                "'",
                "it's",
                "\\",
                "\\x41",
                "-",
                "- a",
                "-a",
                "? a",
                "*a",
                "&a",
                "!a",
                "%a",
                "@a",
                "`a",
                "|",
                ">",
                "=",
                "\xc3\xa4",
                "\xe2\x80\xae",
                "\xc2\x85",
                "\xe2\x80\xa8",
                "a\tb",
                "a\nb",
                "\x01",
                "\xf0\x9f\x98\x80",
                "\xef\xbb\xbf",
                "...",
                "---",
                "a: ",
                "<<",
                "[::1]:80",
        };
        sw_autoptr(sw_config) c = sw_config_new();
        size_t n = 0;

        for (size_t i = 0; i < SW_COUNT(odd); i++) {
                sw_auto(sw_str) key = sw_asprintf("plugins.\"api/b\".o%zu", i);

                ok(sw_config_set(c, key, odd[i], SW_FROM_FLAG, "--x"));
                ok(sw_config_set(c, "plugins.\"api/b\".all", odd[i], SW_FROM_FLAG, "--x"));
                sw_auto(sw_str) label = sw_asprintf("%sx=%s", odd[i], odd[i]);
                if (odd[i][0] && !strchr(odd[i], '='))
                        ok(sw_config_set(c, "worker.oci.labels", label, SW_FROM_FLAG,
                                         "--x"));
        }
        sw_config_each(c, reads_back, &n);
        ck_assert_uint_gt(n, 40 + SW_COUNT(odd));
}
END_TEST

START_TEST(texts_are_safe_to_print)
{
        sw_autoptr(sw_config) c = sw_config_new();

        load(c, "worker: {oci: {labels: {\"\\e[1m\": \"\\u202e\\a\"}}}");
        shows(c, "worker.oci.labels", "{\"\\x1b[1m\": \"\\u202e\\x07\"}", SW_FROM_FILE,
              "f.yaml");
        /* not from a file: those are UTF-8 */
        ok(sw_config_set(c, "worker.oci.labels", "a=\xff", SW_FROM_FLAG, "--l"));
        struct sw_config_value v;
        ck_assert(sw_config_value(c, "worker.oci.labels", &v));
        ck_assert_ptr_nonnull(strstr(v.text, "a: \"\\xff\""));
}
END_TEST

UNIT_MAIN("explain", lists_what_is_there_in_order, lists_every_key_of_the_table,
          answers_for_one_key, texts_read_back, texts_are_safe_to_print)
