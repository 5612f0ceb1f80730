/*
 * core/config/yaml.c - what of YAML is refused, and where it says so. Catches wrong
 * positions, YAML features that change what a file means, and unbounded nesting.
 */
#include "tests/unit/core/config/load.h"

START_TEST(accepts_files_without_keys)
{
        static const char *const empty[] = {
                "", "\n\n", "# nothing\n", "---\n", "---\n...\n", "{}", "~", "\xef\xbb\xbf",
        };

        for (size_t i = 0; i < SW_COUNT(empty); i++) {
                sw_autoptr(sw_config) c = sw_config_new();

                load(c, empty[i]);
        }
}
END_TEST

START_TEST(refuses_bytes_with_position)
{
        refuses_bytes("debug: true\nroot: /\xff\n", 21,
                      "f.yaml:2:8: not UTF-8 (byte 0xff)");
        refuses_bytes("a\0b", 3, "f.yaml:1:2: NUL (byte 0x00)");
        refuses("# \xc3\xa4\xc3\xb6\x1b[31m", "f.yaml:1:5: control character (byte 0x1b)");
        refuses("root: /x\x7f", "f.yaml:1:9: control character (byte 0x7f)");
        /* UTF-16, which libyaml would read */
        refuses_bytes("\xff\xfe"
                      "a\0",
                      4, "f.yaml:1:1: not UTF-8 (byte 0xff)");
        /* allowed by UTF-8, not by YAML */
        refuses("log:\n  level: \xef\xbf\xbe\n",
                "f.yaml:2:10: not valid YAML: control characters are not allowed");
}
END_TEST

START_TEST(byte_order_mark_moves_nothing)
{
        refuses("\xef\xbb\xbfnope: 1\n",
                "f.yaml:1:1: nope: unknown key (known here: debug, trace, root, "
                "insecure-entitlements, proxyNetwork, provenanceEnvDir, log, grpc, otel, "
                "cdi, dns, history, frontend, system, cache, registry, worker, pluginDirs, "
                "plugins)");
}
END_TEST

START_TEST(names_tabs)
{
        refuses("log:\n  level: info\n\tformat: text\n",
                "f.yaml:3:1: not valid YAML: while scanning a plain scalar, a tab where "
                "YAML wants spaces");
        refuses("log:\n\tlevel: info\n",
                "f.yaml:2:1: not valid YAML: while scanning for the next token, a tab "
                "where YAML wants spaces");
        /* the place is counted in characters: bytes would point elsewhere */
        refuses("# \xc3\xa4\nlog:\n\tlevel: info\n",
                "f.yaml:3:1: not valid YAML: while scanning for the next token, a tab "
                "where YAML wants spaces");
}
END_TEST

START_TEST(says_where_syntax_breaks)
{
        refuses("log: {level: info\n",
                "f.yaml:2:1: not valid YAML: while parsing a flow mapping, did not find "
                "expected ',' or '}'");
        refuses("root: \"/x\n",
                "f.yaml:2:1: not valid YAML: while scanning a quoted scalar, "
                "found unexpected end of stream");
        /* one mistake, one line: the wrong value is a piece of what cannot be read */
        refuses("root: a: b\n", "f.yaml:1:8: not valid YAML: mapping values are not "
                                "allowed in this context");
        refuses("root: [1\n",
                "f.yaml:2:1: not valid YAML: while parsing a flow sequence, did not find "
                "expected ',' or ']'");
        refuses("debug: [1, [2], {a: b}\n",
                "f.yaml:2:1: not valid YAML: while parsing a flow sequence, did not find "
                "expected ',' or ']'");
        /* two mistakes: the wrong value ended before */
        refuses("root: [1]\nlog: {\n",
                "f.yaml:1:7: root: must be a single value, is a list\n"
                "f.yaml:3:1: not valid YAML: while parsing a flow node, did not find "
                "expected node content");
        refuses("root: [1]]\n",
                "f.yaml:1:7: root: must be a single value, is a list\n"
                "f.yaml:1:10: not valid YAML: while parsing a block mapping, did not find "
                "expected key");
        /* what was found before is told too */
        refuses("debug: maybe\nlog: [\n",
                "f.yaml:1:8: debug: \"maybe\" is not true or false\n"
                "f.yaml:3:1: not valid YAML: while parsing a flow node, did not find "
                "expected node content");
}
END_TEST

START_TEST(refuses_what_hides_values)
{
        refuses("debug: &a true\ntrace: *a\n",
                "f.yaml:1:8: debug: anchors (&NAME) are not supported\n"
                "f.yaml:2:8: trace: aliases (*NAME) are not supported: they hide where a "
                "value comes from; write the value here");
        refuses("log: &l {level: info}\n",
                "f.yaml:1:6: log: anchors (&NAME) are not supported");
        refuses("log:\n  <<: {level: info}\n",
                "f.yaml:2:3: log.\"<<\": merge keys are not supported: they hide where a "
                "value comes from");
        refuses("debug: !!bool true\n",
                "f.yaml:1:8: debug: tags (!NAME) are not supported");
        refuses("cdi:\n  specDirs: !x [/a, !y /b]\n",
                "f.yaml:2:13: cdi.specDirs: tags (!NAME) are not supported\n"
                "f.yaml:2:21: cdi.specDirs: tags (!NAME) are not supported");
        refuses("%TAG !e! tag:e,2000:\n---\ndebug: true\n",
                "f.yaml:1:1: tags (%TAG) are not supported");
        refuses("*a : 1\n",
                "f.yaml:1:1: aliases (*NAME) are not supported: they hide where a value "
                "comes from; write the value here");
}
END_TEST

START_TEST(refuses_second_document)
{
        refuses("debug: true\n---\ndebug: false\n",
                "f.yaml:2:1: a second document; a configuration is one");
        refuses("---\n---\n", "f.yaml:2:1: a second document; a configuration is one");
}
END_TEST

START_TEST(refuses_other_roots)
{
        refuses("[1, 2]", "f.yaml:1:1: must be a table of keys, is a list");
        refuses("hello", "f.yaml:1:1: must be a table of keys, is a single value");
        refuses("\"\"", "f.yaml:1:1: must be a table of keys, is a single value");
}
END_TEST

START_TEST(limits_depth)
{
        sw_auto(sw_buf) deep = SW_BUF_INIT;
        sw_auto(sw_buf) tree = SW_BUF_INIT;

        for (int i = 0; i < 100000; i++)
                sw_buf_addc(&deep, '[');
        refuses(deep.data, "f.yaml:1:1: must be a table of keys, is a list\n"
                           "f.yaml:1:17: nested too deep");

        sw_buf_adds(&tree, "worker: {oci: {stargzSnapshotter: ");
        for (int i = 0; i < 14; i++)
                sw_buf_adds(&tree, "{a: ");
        refuses(tree.data, "f.yaml:1:87: worker.oci.stargzSnapshotter: nested too deep");
}
END_TEST

START_TEST(limits_size)
{
        sw_auto(sw_buf) big = SW_BUF_INIT;
        sw_autoptr(sw_config) c = sw_config_new();

        while (big.len < (1 << 20))
                sw_buf_addc(&big, '\n');
        load(c, big.data);
        sw_buf_addc(&big, '\n');
        refuses(big.data, "f.yaml: is larger than 1048576 bytes");
}
END_TEST

/* A file with @n unknown keys: what is told of it. */
static char *
told_of(int n)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;
        sw_autoptr(sw_config) c = sw_config_new();

        for (int i = 0; i < n; i++)
                sw_buf_addf(&b, "debug%d: 1\n", i + 10);
        sw_err *err = sw_config_load_text(c, "f.yaml", b.data, b.len);
        char *told = sw_strdup(sw_err_message(err));
        sw_err_free(err);
        return told;
}

/* Catches: a report that ends as if it were whole; one that never ends. */
START_TEST(tells_twenty_and_counts_the_rest)
{
        static const struct {
                int n;
                const char *end; /* NULL: all are told */
        } cases[] = {
                { 20, NULL },
                { 21, "\nand 1 more mistake" },
                { 50, "\nand 30 more mistakes" },
                { 999, "\nand 979 more mistakes" },
                { 5000, "\nand 980 more mistakes or more; the rest was not read" },
        };

        for (size_t i = 0; i < SW_COUNT(cases); i++) {
                sw_auto(sw_str) told = told_of(cases[i].n);
                const char *more = strstr(told, "\nand ");
                size_t lines = 1;

                for (const char *p = told; *p; p++)
                        lines += *p == '\n';
                ck_assert_uint_eq(lines, cases[i].end ? 21 : 20);
                ck_assert_ptr_nonnull(strstr(told, "f.yaml:20:1: debug29: "));
                ck_assert_pstr_eq(more, cases[i].end);
        }
}
END_TEST

START_TEST(shows_names_escaped)
{
        sw_autoptr(sw_config) c = sw_config_new();

        /* neither a file's name nor a key may steer the terminal */
        fails(sw_config_load_text(c, "f\x1b[31m", "x", 1), SW_E_CONFIG, "f\\x1b[31m:1:1: ");
        fails(sw_config_load_text(c, "f", "\"\\e[31m\": 1", 11), SW_E_CONFIG,
              "f:1:1: \"\\x1b[31m\": unknown key");
}
END_TEST

UNIT_MAIN("yaml", accepts_files_without_keys, refuses_bytes_with_position,
          byte_order_mark_moves_nothing, names_tabs, says_where_syntax_breaks,
          refuses_what_hides_values, refuses_second_document, refuses_other_roots,
          limits_depth, limits_size, tells_twenty_and_counts_the_rest, shows_names_escaped)
