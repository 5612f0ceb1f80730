/*
 * tests/unit/core/plugin/host_test.c - finding, order, init, required, look-up.
 */
#include <slipway/exporter.h>

#include "tests/unit/core/plugin/hosted.h"

/* Would catch: a good plugin that is not taken, or told wrongly about. */
START_TEST(good_is_ready)
{
        put("exporter_good", "exporter_good.so");
        sw_host *h = host_of(scratch, NULL, log_here());
        const struct sw_plugin_info *p;
        const struct sw_ops_hdr *ops = NULL;
        void *self = NULL;

        ok(sw_host_load(h));
        ck_assert_uint_eq(sw_host_count(h), 1);
        p = sw_host_find(h, SW_KIND_EXPORTER, "good");
        ck_assert_ptr_nonnull(p);
        ck_assert_ptr_eq(p, sw_host_get(h, 0));
        ck_assert_int_eq(p->state, SW_PLUGIN_READY);
        ck_assert_int_eq(p->fault, SW_FAULT_NONE);
        ck_assert_uint_eq(p->kind, SW_KIND_EXPORTER);
        ck_assert_str_eq(p->name, "good");
        ck_assert_str_eq(p->version, "1.2.3");
        ck_assert_str_eq(p->summary, "nothing is wrong with it");
        ck_assert_str_eq(p->file, below("exporter_good.so"));
        ck_assert_str_eq(p->reason, "");
        ck_assert_uint_eq(p->abi_major, SW_ABI_MAJOR);
        ck_assert_ptr_nonnull(p->descriptor);
        ok(sw_host_lookup(h, SW_KIND_EXPORTER, "good", &ops, &self));
        ck_assert_uint_eq(ops->size, sizeof(struct sw_exporter_ops));
        ck_assert_ptr_nonnull(self);
        sw_host_free(h);
        ck_assert_ptr_nonnull(strstr(logged(), "shutdown source=exporter/good"));
}
END_TEST

/* Would catch: init by name or by chance, shutdown in the wrong order or twice. */
START_TEST(init_follows_needs)
{
        const char *const lines[] = { " init source=exporter/good",
                                      " init source=exporter/needs-good",
                                      " shutdown source=exporter/needs-good",
                                      " shutdown source=exporter/good" };
        subdir("later");
        put("exporter_needs_good", "exporter_needs_good.so");
        put("exporter_good", "later/exporter_good.so");
        sw_auto(sw_str) path = sw_asprintf("%s:%s", scratch, below("later"));
        sw_host *h = host_of(path, NULL, log_here());
        const char *at;

        ok(sw_host_load(h));
        ok(sw_host_load(h)); /* the second one does nothing */
        in_state(h, "exporter_needs_good.so", SW_PLUGIN_READY);
        sw_host_free(h);
        at = logged();
        for (size_t i = 0; i < SW_COUNT(lines); i++) {
                at = strstr(at, lines[i]);
                ck_assert_msg(at != NULL, "%s is not next in:\n%s", lines[i], logged());
                at += strlen(lines[i]);
        }
        ck_assert_ptr_null(strstr(at, "init"));
        ck_assert_ptr_null(strstr(at, "shutdown"));
}
END_TEST

/* Would catch: a listing that runs plugins. */
START_TEST(scan_does_not_init)
{
        put("exporter_good", "exporter_good.so");
        put("exporter_unmet", "exporter_unmet.so");
        sw_host *h = host_of(scratch, NULL, log_here());

        ok(sw_host_scan(h));
        in_state(h, "exporter_good.so", SW_PLUGIN_CHECKED);
        broken(h, "exporter_unmet.so", "unmet-need", "source/nowhere");
        ck_assert_str_eq(logged(), "");
        fails(sw_host_lookup(h, SW_KIND_EXPORTER, "good", NULL, NULL), SW_E_INTERNAL,
              "not loaded");
        ok(sw_host_load(h));
        in_state(h, "exporter_good.so", SW_PLUGIN_READY);
        sw_host_free(h);
}
END_TEST

/* Would catch: the later file taking the name, or both being opened. */
START_TEST(first_file_has_the_name)
{
        subdir("one");
        subdir("two");
        put("dup/exporter_good", "one/exporter_good.so");
        put("exporter_good", "two/exporter_good.so");
        sw_auto(sw_str) path = sw_asprintf("%s::%s:", below("one"), below("two"));
        sw_host *h = host_of(path, NULL, NULL);
        const struct sw_plugin_info *second;

        ok(sw_host_load(h));
        ck_assert_uint_eq(sw_host_count(h), 2);
        ck_assert_str_eq(sw_host_find(h, SW_KIND_EXPORTER, "good")->version, "6.6.6");
        second = sw_host_get(h, 1);
        ck_assert_int_eq(second->state, SW_PLUGIN_BROKEN);
        ck_assert_int_eq(second->fault, SW_FAULT_DUPLICATE);
        ck_assert_str_eq(second->name, "good");
        ck_assert_ptr_nonnull(strstr(second->reason, below("one/exporter_good.so")));
        sw_host_free(h);
}
END_TEST

/* Would catch: a broken file in front silently replaced by another one behind it. */
START_TEST(broken_first_file_keeps_the_name)
{
        subdir("one");
        subdir("two");
        put_bytes("one/exporter_good.so", "text", 4);
        put("exporter_good", "two/exporter_good.so");
        sw_auto(sw_str) path = sw_asprintf("%s:%s", below("one"), below("two"));

        for (int all = 0; all < 2; all++) {
                sw_host *h = host_of(path, NULL, NULL);

                if (all)
                        ok(sw_host_load(h));
                else
                        fails(sw_host_require(h, SW_KIND_EXPORTER, "good"), SW_E_BROKEN,
                              "not an ELF file");
                fails(sw_host_lookup(h, SW_KIND_EXPORTER, "good", NULL, NULL), SW_E_BROKEN,
                      below("one/exporter_good.so"));
                sw_host_free(h);
        }
}
END_TEST

/* Would catch: one file listed twice, or a second name for it that is lost. */
START_TEST(one_file_counts_once)
{
        subdir("one");
        put("exporter_good", "one/exporter_good.so");
        put("exporter_good", "one/exporter_copy.so");
        ck_assert_int_eq(symlink(below("one"), below("two")), 0);
        sw_auto(sw_str) path =
                sw_asprintf("%s:%s:%s", below("one"), below("two"), below("one"));
        sw_host *h = host_of(path, NULL, NULL);

        ok(sw_host_load(h));
        ck_assert_uint_eq(sw_host_count(h), 2);
        in_state(h, "exporter_good.so", SW_PLUGIN_READY);
        broken(h, "exporter_copy.so", "no-descriptor", "its file was renamed");
        sw_host_free(h);
}
END_TEST

/* Would catch: a directory that is skipped although it cannot be read. */
START_TEST(directories)
{
        sw_auto(sw_strlist) dirs = { 0 };
        put_bytes("file", "x", 1);
        put("exporter_good", "exporter_good.so");
        sw_auto(sw_str) path =
                sw_asprintf("%s:%s:%s", below("missing"), below("file"), scratch);
        sw_host *h = host_of(path, NULL, NULL);

        sw_host_dirs(h, &dirs);
        ck_assert_uint_eq(dirs.n, 3);
        ck_assert_str_eq(dirs.v[1], below("file"));
        fails(sw_host_load(h), SW_E_IO, below("file"));
        ck_assert_uint_eq(sw_host_count(h), 1); /* the others are still known */
        sw_host_free(h);

        h = host_of(below("missing"), NULL, NULL);
        ok(sw_host_load(h));
        ck_assert_uint_eq(sw_host_count(h), 0);
        sw_host_free(h);
}
END_TEST

/* Would catch: the order of the parts of the search path. */
START_TEST(search_order)
{
        const char *const given[] = { "/nowhere/flag", "", "/nowhere/flag2", NULL };
        sw_config *c = configured("pluginDirs: [/nowhere/config]\n");
        const struct sw_host_opts opts = {
                .dirs = given, .path = ":/nowhere/env:", .config = c
        };
        sw_auto(sw_strlist) dirs = { 0 };
        sw_host *h = NULL;

        ok(sw_host_new(&opts, &h));
        sw_host_dirs(h, &dirs);
        sw_auto(sw_str) all = sw_strlist_join(&dirs, " ");
        ck_assert_str_eq(
                all,
                "/nowhere/flag /nowhere/flag2 /nowhere/env /nowhere/config " SW_PLUGINDIR);
        sw_host_free(h);
        sw_config_free(c);
}
END_TEST

/* Would catch: require that opens more than it must, or that misses needs. */
START_TEST(require_opens_just_that)
{
        put("exporter_good", "exporter_good.so");
        put("exporter_needs_good", "exporter_needs_good.so");
        put("exporter_options", "exporter_options.so");
        sw_host *h = host_of(scratch, NULL, NULL);

        ok(sw_host_require(h, SW_KIND_EXPORTER, "good"));
        ck_assert_uint_eq(sw_host_count(h), 1);
        ok(sw_host_require(h, SW_KIND_EXPORTER, "needs-good"));
        ck_assert_uint_eq(sw_host_count(h), 2);
        ok(sw_host_require(h, SW_KIND_EXPORTER, "needs-good"));
        ok(sw_host_load(h));
        ck_assert_uint_eq(sw_host_count(h), 3);
        ck_assert_str_eq(sw_host_get(h, 1)->name, "needs-good"); /* by file name */
        in_state(h, "exporter_options.so", SW_PLUGIN_READY);
        sw_host_free(h);
}
END_TEST

/* Would catch: provided names that are not found, or that beat a plugin's own name. */
START_TEST(provided_names)
{
        put("exporter_alias", "exporter_alias.so");
        put("exporter_good", "exporter_good.so");
        sw_host *h = host_of(scratch, NULL, log_here());
        struct sw_exporter e;

        ok(sw_host_require(h, SW_KIND_EXPORTER, "other-name"));
        ck_assert_str_eq(sw_host_find(h, SW_KIND_EXPORTER, "other-name")->name, "alias");
        ok(sw_host_load(h));
        ck_assert_str_eq(sw_host_find(h, SW_KIND_EXPORTER, "good")->name, "good");
        ok(sw_host_exporter(h, "other-name", &e));
        ck_assert_str_eq(e.name, "alias");
        sw_host_free(h);
}
END_TEST

/* Would catch: a message that leaves the user alone. */
START_TEST(missing_says_what_to_do)
{
        put("exporter_good", "exporter_good.so");
        put("exporter_alias", "exporter_alias.so");
        sw_auto(sw_str) path = sw_asprintf("%s:/nowhere", scratch);
        sw_host *h = host_of(path, NULL, NULL);
        sw_auto(sw_str) all =
                sw_asprintf("plugin exporter/goood is not there (did you mean good?); of "
                            "kind exporter there are alias, other-name, good; "
                            "searched %s, /nowhere (not there); it would come with the "
                            "package slipway-exporter-goood",
                            scratch);

        fails(sw_host_require(h, SW_KIND_EXPORTER, "goood"), SW_E_NOT_FOUND, all);
        fails(sw_host_lookup(h, SW_KIND_SOURCE, "git", NULL, NULL), SW_E_NOT_FOUND,
              "no source is there");
        ck_assert_ptr_null(sw_host_find(h, SW_KIND_EXPORTER, "goood"));
        sw_host_free(h);
}
END_TEST

/* Would catch: a name from outside that becomes part of a path, or reaches a terminal. */
START_TEST(hostile_names)
{
        static const char *const names[] = { "../../etc/x", "",   "a/b", "A",  "\033[2J",
                                             "a_b",         "-a", ".",   "a b" };
        sw_host *h = host_of(scratch, NULL, NULL);
        sw_auto(sw_str) name = sw_alloc(100000);

        memset(name, 'a', 99999);
        for (size_t i = 0; i < SW_COUNT(names); i++) {
                sw_autoptr(sw_err) err = sw_host_require(h, SW_KIND_EXPORTER, names[i]);

                ck_assert_int_eq(sw_err_code(err), SW_E_NOT_FOUND);
                ck_assert_ptr_null(strchr(sw_err_message(err), '\033'));
        }
        fails(sw_host_require(h, SW_KIND_EXPORTER, name), SW_E_NOT_FOUND, "…");
        fails(sw_host_require(h, SW_KIND_EXPORTER, NULL), SW_E_NOT_FOUND, "");
        fails(sw_host_require(h, 0, "good"), SW_E_NOT_FOUND, "kind 0");
        fails(sw_host_require(h, 4096, "good"), SW_E_NOT_FOUND, "kind 4096");
        sw_host_free(h);
}
END_TEST

/* Would catch: `required` without effect, or with effect on others. */
START_TEST(required)
{
        put("exporter_good", "exporter_good.so");
        put("exporter_init_fails", "exporter_init_fails.so");
        put("exporter_abi_major", "exporter_abi_major.so");
        sw_config *c = configured("plugins:\n  exporter/abi-major: {required: true}\n");
        sw_host *h = host_of(scratch, c, NULL);

        fails(sw_host_load(h), SW_E_ABI, "exporter/abi-major");
        in_state(h, "exporter_good.so", SW_PLUGIN_CHECKED); /* nothing was started */
        sw_host_free(h);
        sw_config_free(c);

        c = configured("plugins:\n  exporter/init-fails: {required: true}\n");
        h = host_of(scratch, c, NULL);
        fails(sw_host_load(h), SW_E_BROKEN, "no crane");
        sw_host_free(h);
        sw_config_free(c);

        c = configured("plugins:\n  exporter/gone: {required: true}\n");
        h = host_of(scratch, c, NULL);
        fails(sw_host_load(h), SW_E_NOT_FOUND, "exporter/gone");
        sw_host_free(h);
        sw_config_free(c);

        c = configured("plugins:\n  exporter/good: {required: true}\n");
        h = host_of(scratch, c, NULL);
        ok(sw_host_load(h));
        sw_host_free(h);
        sw_config_free(c);

        c = configured("plugins:\n  exporter/good: {required: true, enabled: false}\n");
        h = host_of(scratch, c, NULL);
        fails(sw_host_load(h), SW_E_CONFIG, "both required and switched off");
        sw_host_free(h);
        sw_config_free(c);
}
END_TEST

/* Would catch: a switched-off plugin that is loaded all the same. */
START_TEST(disabled)
{
        put("exporter_good", "exporter_good.so");
        put("exporter_needs_good", "exporter_needs_good.so");
        put_bytes("exporter_text.so", "x", 1);
        sw_config *c = configured("plugins:\n  exporter/good: {enabled: false}\n"
                                  "  exporter/text: {enabled: false}\n"
                                  "  exporter/gone: {enabled: false}\n");
        sw_host *h = host_of(scratch, c, log_here());

        ok(sw_host_load(h));
        in_state(h, "exporter_good.so", SW_PLUGIN_DISABLED);
        in_state(h, "exporter_text.so", SW_PLUGIN_DISABLED);
        ck_assert_str_eq(info_of(h, "exporter_text.so")->name, "text");
        broken(h, "exporter_needs_good.so", "unmet-need", "switched off");
        fails(sw_host_lookup(h, SW_KIND_EXPORTER, "good", NULL, NULL), SW_E_CONFIG,
              "exporter/good");
        ck_assert_ptr_null(strstr(logged(), "init"));
        sw_host_free(h);
        sw_config_free(c);
}
END_TEST

/* Would catch: options that nobody reads, and are not reported. */
START_TEST(options_for_nobody)
{
        static const char *const texts[][2] = {
                { "plugins:\n  exporter/goood:\n    level: 3\n",
                  "test.yaml:3:12: plugins.\"exporter/goood\".level: plugin exporter/goood "
                  "is "
                  "not there (did you mean good?)" },
                { "plugins:\n  exporter/other-name:\n    level: 3\n",
                  "plugins.\"exporter/alias\"" },
                { "plugins:\n  exporter/other-name: {enabled: false}\n",
                  "plugins.\"exporter/alias\"" },
                { "plugins:\n  exporter/other-name: {required: true}\n",
                  "plugins.\"exporter/alias\"" },
                { "plugins:\n  exportr/good:\n    level: 3\n", "did you mean exporter/?" },
                { "plugins:\n  good:\n    level: 3\n", "KIND/NAME" },
                { "plugins:\n  exporter/Bad:\n    level: 3\n", "KIND/NAME" },
        };

        put("exporter_good", "exporter_good.so");
        put("exporter_alias", "exporter_alias.so");
        for (size_t i = 0; i < SW_COUNT(texts); i++) {
                sw_config *c = sw_config_new();
                sw_err *err = sw_config_load_text(c, "test.yaml", texts[i][0],
                                                  strlen(texts[i][0]));
                sw_host *h = host_of(scratch, c, NULL);

                /* The configuration itself may refuse some of these. */
                if (!err)
                        err = sw_host_load(h);
                ck_assert_int_eq(sw_err_code(err), SW_E_CONFIG);
                if (i < 4)
                        ck_assert_msg(strstr(sw_err_message(err), texts[i][1]) != NULL,
                                      "%s", sw_err_message(err));
                sw_err_free(err);
                sw_host_free(h);
                sw_config_free(c);
        }
}
END_TEST

/* Would catch: option values that do not reach init, checks that do not bite. */
START_TEST(options_given)
{
        static const char *const wrong[][3] = {
                { "level: much", "option-type",
                  "test.yaml:3:12: plugins.\"exporter/options\"."
                  "level: \"much\" is not a whole number" },
                { "level: [1, 2]", "option-type", "not a list" },
                { "switch: perhaps", "option-type", "neither true nor false" },
                { "names: a", "option-type", "a list is wanted" },
                { "most: 3 parsecs", "option-type", "parsecs" },
                { "wait: soon", "option-type", "soon" },
                { "lvel: 3", "option-unknown",
                  "test.yaml:3:11: plugins.\"exporter/options\".lvel: exporter/options has "
                  "no "
                  "such option (did you mean level?)" },
                { "zzzzzzzz: 3", "option-unknown",
                  "(it has text, switch, level, most, wait, names)" },
        };
        static const char right[] = "plugins:\n  exporter/options:\n    text: hello\n"
                                    "    switch: false\n    level: 7\n    most: 1k\n"
                                    "    wait: 2s\n    names: [x, y, z]\n";

        put("exporter_options", "exporter_options.so");
        for (size_t i = 0; i < SW_COUNT(wrong); i++) {
                sw_auto(sw_str) text =
                        sw_asprintf("plugins:\n  exporter/options:\n    %s\n", wrong[i][0]);
                sw_config *c = configured(text);
                sw_host *h = host_of(scratch, c, NULL);

                ok(sw_host_load(h));
                broken(h, "exporter_options.so", wrong[i][1], wrong[i][2]);
                fails(sw_host_lookup(h, SW_KIND_EXPORTER, "options", NULL, NULL),
                      SW_E_CONFIG, wrong[i][2]);
                sw_host_free(h);
                sw_config_free(c);
        }

        sw_config *c = configured(right);
        sw_host *h = host_of(scratch, c, log_here());
        ok(sw_host_load(h));
        ck_assert_msg(strstr(logged(), "text=hello/1 switch=0 level=7 most=1024 "
                                       "wait=2000000000 names=3:x") != NULL,
                      "%s", logged());
        sw_host_free(h);
        sw_config_free(c);
}
END_TEST

/* Would catch: defaults that do not reach init. */
START_TEST(options_default)
{
        put("exporter_options", "exporter_options.so");
        sw_host *h = host_of(scratch, NULL, log_here());

        ok(sw_host_load(h));
        ck_assert_msg(strstr(logged(), "text=-/0 switch=1 level=-3 most=2048 "
                                       "wait=90000000000 names=2:a") != NULL,
                      "%s", logged());
        sw_host_free(h);
}
END_TEST

HOSTED_MAIN("host", good_is_ready, init_follows_needs, scan_does_not_init,
            first_file_has_the_name, broken_first_file_keeps_the_name, one_file_counts_once,
            directories, search_order, require_opens_just_that, provided_names,
            missing_says_what_to_do, hostile_names, required, disabled, options_for_nobody,
            options_given, options_default)
