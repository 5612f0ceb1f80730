/*
 * What the builder refuses, and says about it.
 *
 * Catches: wrong input that ends up in a definition, options of another version that are
 * ignored in silence, leaks on the ways out (with a sanitizer).
 */
#include "tests/unit/core/llb/state/make.h"

#define DIGEST "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

START_TEST(references)
{
        sw_state *s = NULL;

        fails(sw_llb_image("Not Valid", NULL, NULL, &s), SW_E_INVALID, "Not Valid");
        fails(sw_llb_image("a", SW_LLB_IMAGE(.checksum = "md5:1"), NULL, &s), SW_E_INVALID,
              "checksum");
        fails(sw_llb_image("a", SW_LLB_IMAGE(.layer_limit = -1), NULL, &s), SW_E_INVALID,
              "negative");
        fails(sw_llb_image("a", SW_LLB_IMAGE(.resolve = 9), NULL, &s), SW_E_INVALID,
              "resolve mode");
        fails(sw_llb_oci_layout("", NULL, NULL, &s), SW_E_INVALID, "empty");
        fails(sw_llb_oci_layout("x", SW_LLB_OCI_LAYOUT(.layer_limit = -3), NULL, &s),
              SW_E_INVALID, "negative");
        fails(sw_llb_image_blob("a", NULL, NULL, &s), SW_E_INVALID, "digest");
        fails(sw_llb_image_blob("a:t@" DIGEST, NULL, NULL, &s), SW_E_INVALID, "no tag");
        fails(sw_llb_oci_layout_blob("a:t", NULL, NULL, &s), SW_E_INVALID, "digest");
        fails(sw_llb_local("", NULL, NULL, &s), SW_E_INVALID, "empty");
        fails(sw_llb_local("x", SW_LLB_LOCAL(.differ = 7), NULL, &s), SW_E_INVALID,
              "differ");
        fails(sw_llb_source("nothing", NULL, 0, NULL, &s), SW_E_INVALID, "scheme://ref");
        fails(sw_llb_source("://x", NULL, 0, NULL, &s), SW_E_INVALID, "scheme://ref");
        fails(sw_llb_source("s://x", (const struct sw_llb_pair[]){ { "", "v" } }, 1, NULL,
                            &s),
              SW_E_INVALID, "no key");
        ck_assert_ptr_null(s);
}
END_TEST

START_TEST(web_and_git)
{
        sw_state *s = NULL;

        fails(sw_llb_http("ftp://x", NULL, NULL, &s), SW_E_INVALID, "ftp://x");
        fails(sw_llb_http("http://x", SW_LLB_HTTP(.checksum = "x"), NULL, &s), SW_E_INVALID,
              "checksum");
        fails(sw_llb_http("http://x", SW_LLB_HTTP(.perm = 01777), NULL, &s), SW_E_INVALID,
              "0777");
        fails(sw_llb_http("http://x", SW_LLB_HTTP(.uid = -1), NULL, &s), SW_E_INVALID,
              "negative");
        fails(sw_llb_git("file:///x", NULL, NULL, NULL, &s), SW_E_INVALID, "protocol");
        fails(sw_llb_git("https://h/r", "--upload-pack=x", NULL, NULL, &s), SW_E_INVALID,
              "begins with '-'");
        fails(sw_llb_git("https://h/r", NULL, SW_LLB_GIT(.mtime = "now"), NULL, &s),
              SW_E_INVALID, "mtime");
        fails(sw_llb_git("https://h/r", NULL,
                         SW_LLB_GIT(.bundle = "oci-layout+blob://x@" DIGEST), NULL, &s),
              SW_E_INVALID, "checksum");
        fails(sw_llb_git("https://h/r", "m:d", SW_LLB_GIT(.checkout_bundle = true), NULL,
                         &s),
              SW_E_INVALID, "checkout_bundle");
        ck_assert_ptr_null(s);
}
END_TEST

START_TEST(values)
{
        sw_autoptr(sw_state) s = sw_llb_scratch();
        sw_state *out = NULL;

        fails(sw_state_add_host(s, "h", "300.0.0.1", &out), SW_E_INVALID, "300.0.0.1");
        fails(sw_state_add_host(s, "h", "", &out), SW_E_INVALID, "address");
        fails(sw_state_add_host(s, "", "::1", &out), SW_E_INVALID, "name");
        fails(sw_state_ulimit(s, "nofile", -2, 5, &out), SW_E_INVALID, "nofile");
        fails(sw_state_ulimit(s, "nofile", 6, 5, &out), SW_E_INVALID, "above");
        fails(sw_state_ulimit(s, "nofile", -1, 5, &out), SW_E_INVALID, "above");
        fails(sw_state_ulimit(s, "", 1, 5, &out), SW_E_INVALID, "name");
        ck_assert_ptr_null(out);
        ok(sw_state_ulimit(s, "core", -1, -1, &out));
        sw_state_unref(out);
}
END_TEST

START_TEST(runs)
{
        sw_autoptr(sw_state) s = image("foo");
        sw_autoptr(sw_run) r = sw_run_new(s);
        sw_autoptr(sw_state) root = NULL;
        sw_state *again = NULL;

        fails(sw_run_end(r, NULL, &again), SW_E_INVALID, "arguments");
        fails(sw_run_command(r, "a 'b"), SW_E_INVALID, "single quote");
        fails(sw_run_command(r, "a \"b"), SW_E_INVALID, "double quote");
        fails(sw_run_command(r, "a\\"), SW_E_INVALID, "backslash");
        ok(sw_run_command(r, "   # nothing"));
        fails(sw_run_end(r, NULL, &again), SW_E_INVALID, "arguments");
        fails(sw_run_mount(r, "/", NULL, NULL), SW_E_INVALID, "below the root");
        fails(sw_run_mount(r, "", NULL, NULL), SW_E_INVALID, "below the root");
        fails(sw_run_mount(r, "/t", s, SW_LLB_MOUNT(.tmpfs = true)), SW_E_INVALID,
              "no source");
        fails(sw_run_mount(r, "/t", NULL, SW_LLB_MOUNT(.tmpfs = true, .tmpfs_size = -1)),
              SW_E_INVALID, "negative");
        fails(sw_run_mount(r, "/t", NULL, SW_LLB_MOUNT(.tmpfs = true, .cache_id = "x")),
              SW_E_INVALID, "both");
        fails(sw_run_mount(r, "/t", NULL, SW_LLB_MOUNT(.cache_id = "")), SW_E_INVALID,
              "empty");
        fails(sw_run_mount(r, "/t", NULL, SW_LLB_MOUNT(.cache_id = "x", .sharing = 3)),
              SW_E_INVALID, "sharing");
        fails(sw_run_secret(r, SW_LLB_SECRET(.id = "s")), SW_E_INVALID, "neither");
        fails(sw_run_device(r, "", false), SW_E_INVALID, "name");
        sw_run_args(r, (const char *const[]){ "x", NULL });
        ok(sw_run_end(r, NULL, &root));
        fails(sw_run_end(r, NULL, &again), SW_E_INVALID, "ended");
        fails(sw_run_mount(r, "/m", NULL, NULL), SW_E_INVALID, "ended");
        fails(sw_run_command(r, "y"), SW_E_INVALID, "ended");
        ck_assert_ptr_null(again);
}
END_TEST

START_TEST(results_without_parent)
{
        sw_autoptr(sw_state) s = image("foo");
        sw_autoptr(sw_run) r = sw_run_new(s);
        sw_autoptr(sw_state) root = NULL;
        sw_state *out = NULL;

        sw_run_args(r, (const char *const[]){ "x", NULL });
        ok(sw_run_mount(r, "/t", NULL, SW_LLB_MOUNT(.tmpfs = true)));
        ok(sw_run_mount(r, "/c", NULL, SW_LLB_MOUNT(.cache_id = "k")));
        ok(sw_run_end(r, NULL, &root));
        fails(sw_run_result(r, "/t", &out), SW_E_INVALID, "tmpfs");
        fails(sw_run_result(r, "/c", &out), SW_E_INVALID, "cache");
        ck_assert_ptr_null(out);
}
END_TEST

START_TEST(file_actions)
{
        sw_autoptr(sw_state) s = image("foo");
        sw_autoptr(sw_files) f = sw_files_new();
        sw_state *out = NULL;
        sw_bound *b = NULL;

        fails(sw_state_files(s, f, SW_LLB_OPTS(.name = "x"), &out), SW_E_INVALID, "empty");
        fails(sw_files_bind(f, s, &b), SW_E_INVALID, "empty");
        fails(sw_files_symlink(f, "", "/x", NULL), SW_E_INVALID, "empty");
        fails(sw_files_symlink(f, "x", "", NULL), SW_E_INVALID, "empty");
        fails(sw_files_mkdir(f, "/x", 0700, SW_LLB_FILE(.has_time = true, .time = -1)),
              SW_E_INVALID, "1970");
        fails(sw_files_copy(f, s, "a", "b", SW_LLB_COPY(.has_mode = true, .mode = 0100644)),
              SW_E_INVALID, "permissions");
        fails(sw_files_mkfile(f, "/x", 0600, "", (size_t) 17 << 20, NULL), SW_E_LIMIT,
              "/x");
        ck_assert_ptr_null(out);
        ck_assert_ptr_null(b);
}
END_TEST

START_TEST(vertex_options)
{
        const struct sw_llb_resources r = { .memory = -1 };
        const struct sw_llb_pair p = { "k", NULL };
        const struct sw_llb_location l = { NULL, NULL, 0 };
        sw_state *s = NULL;
        sw_auto(sw_buf) out = SW_BUF_INIT;
        sw_autoptr(sw_state) foo = image("foo");
        sw_autoptr(sw_source_map) map = sw_source_map_new("f", NULL, "", 0, NULL);
        const struct sw_llb_location half[] = { { map, NULL, 0 }, { NULL, NULL, 0 } };

        fails(sw_llb_image("a", NULL, SW_LLB_OPTS(.resources = &r), &s), SW_E_INVALID,
              "memory -1");
        fails(sw_llb_image("a", NULL, SW_LLB_OPTS(.description = &p, .n_description = 1),
                           &s),
              SW_E_INVALID, "no value");
        fails(sw_llb_image("a", NULL, SW_LLB_OPTS(.locations = &l, .n_locations = 1), &s),
              SW_E_INVALID, "no map");
        fails(sw_llb_image("a", NULL, SW_LLB_OPTS(.locations = half, .n_locations = 2), &s),
              SW_E_INVALID, "no map");
        fails(sw_llb_image("a", NULL, SW_LLB_OPTS(.export_cache = 5), &s), SW_E_INVALID,
              "exporting");
        fails(sw_state_marshal(foo, SW_LLB_OPTS(.export_cache = 5), &out), SW_E_INVALID,
              "exporting");
        ck_assert_ptr_null(s);
        ck_assert_uint_eq(out.len, 0);
}
END_TEST

/* Options as a later version of the headers would have them. */
START_TEST(later_options)
{
        struct {
                struct sw_llb_image known;
                int unknown;
        } later = { .known = { .size = sizeof(later) } };
        struct sw_llb_image none = { 0 };
        sw_state *s = NULL;

        ok(sw_llb_image("a", &later.known, NULL, &s));
        sw_state_unref(s);
        s = NULL;
        later.unknown = 1;
        fails(sw_llb_image("a", &later.known, NULL, &s), SW_E_UNSUPPORTED, "image");
        fails(sw_llb_image("a", &none, NULL, &s), SW_E_INVALID, "no size");
        ck_assert_ptr_null(s);
}
END_TEST

/* Options as an older version had them: what they lack is the default. */
START_TEST(older_options)
{
        struct sw_llb_image in = { .size = offsetof(struct sw_llb_image, checksum),
                                   .internal = true,
                                   .checksum = "not looked at" };
        sw_state *s = NULL;

        ok(sw_llb_image("a", &in, NULL, &s));
        sw_state_unref(s);
}
END_TEST

START_TEST(graphs)
{
        sw_autoptr(sw_state) scratch = sw_llb_scratch();
        sw_autoptr(sw_state) a = image("a");
        sw_state *out = NULL;

        fails(sw_llb_passthrough("", (const struct sw_llb_pass[]){ { a, true } }, 1, NULL,
                                 &out),
              SW_E_INVALID, "id");
        fails(sw_llb_passthrough("x", (const struct sw_llb_pass[]){ { a, false } }, 1, NULL,
                                 &out),
              SW_E_INVALID, "output");
        fails(sw_llb_passthrough("x", (const struct sw_llb_pass[]){ { scratch, true } }, 1,
                                 NULL, &out),
              SW_E_INVALID, "scratch");
        fails(sw_state_requires(scratch, "x", (const sw_state *const[]){ a }, 1, NULL,
                                &out),
              SW_E_INVALID, "scratch");
        fails(sw_state_build(scratch, NULL, NULL, &out), SW_E_INVALID, "scratch");
        ck_assert_ptr_null(out);
}
END_TEST

START_TEST(modes)
{
        sw_autoptr(sw_state) s = image("foo");
        sw_autoptr(sw_state) odd = sw_state_network(s, (enum sw_llb_network) 9);
        sw_autoptr(sw_state) ran = run(odd, "x");
        sw_auto(sw_buf) out = SW_BUF_INIT;

        fails(sw_state_marshal(ran, NULL, &out), SW_E_INVALID, "network mode 9");
        ck_assert_uint_eq(out.len, 0);
}
END_TEST

/* Marshalling @s fails, naming @field. */
static void
not_text(sw_state *s, const struct sw_llb_opts *opts, const char *field)
{
        sw_auto(sw_buf) out = SW_BUF_INIT;

        sw_buf_adds(&out, "x");
        fails(sw_state_marshal(s, opts, &out), SW_E_INVALID, field);
        ck_assert_str_eq(out.data, "x");
        sw_state_unref(s);
}

/* Catches: a definition that nobody can read, instead of an error where it is made. */
START_TEST(strings_are_text)
{
        static const char latin1[] = "caf\xe9";
        const char *const args[] = { "echo", latin1, NULL }, *const good[] = { "x", NULL };
        const char *const filters[] = { latin1, NULL };
        sw_autoptr(sw_state) base = NULL;
        sw_autoptr(sw_state) env = NULL;
        sw_autoptr(sw_source_map) map = sw_source_map_new(latin1, "", "x", 1, NULL);
        struct sw_llb_location place = { .map = map };
        sw_state *s;

        ok(sw_llb_image("a", NULL, NULL, &base));
        for (int i = 0; i < 5; i++) {
                sw_autoptr(sw_run) run = NULL;

                env = sw_state_env(base, "K", i == 1 ? latin1 : "v");
                run = sw_run_new(env);
                sw_run_args(run, i == 0 ? args : good);
                ok(sw_run_end(run,
                              i == 2   ? SW_LLB_OPTS(.name = latin1)
                              : i == 3 ? SW_LLB_OPTS(.filters = filters)
                              : i == 4 ? SW_LLB_OPTS(.locations = &place, .n_locations = 1)
                                       : NULL,
                              &s));
                not_text(s, NULL,
                         i == 0   ? "pb.Meta.args"
                         : i == 1 ? "pb.Meta.env"
                         : i == 2 ? "String.value"
                         : i == 3 ? "filter"
                                  : "source map");
                sw_state_replace(&env, NULL);
        }
        ok(sw_llb_local(latin1, NULL, NULL, &s));
        not_text(s, NULL, "pb.SourceOp.identifier");
}
END_TEST

/* Catches: mounts and variables that every daemon refuses, told only by it. */
START_TEST(secrets)
{
        sw_autoptr(sw_state) base = sw_llb_scratch();
        sw_autoptr(sw_run) run = sw_run_new(base);

        fails(sw_run_secret(run, SW_LLB_SECRET(.id = "s", .target = "/")), SW_E_INVALID,
              "below the root");
        fails(sw_run_secret(run, SW_LLB_SECRET(.id = "s", .target = "")), SW_E_INVALID,
              "below the root");
        fails(sw_run_secret(run, SW_LLB_SECRET(.id = "s", .env = "")), SW_E_INVALID,
              "name of a variable");
        fails(sw_run_secret(run, SW_LLB_SECRET(.id = "s", .env = "A=B")), SW_E_INVALID,
              "A=B");
        fails(sw_run_secret(run, SW_LLB_SECRET(.id = "", .env = "A")), SW_E_INVALID,
              "id of a secret");
        fails(sw_run_ssh(run, SW_LLB_SSH(.target = "/")), SW_E_INVALID, "below the root");
        ok(sw_run_ssh(run, SW_LLB_SSH(.target = "")));
        ok(sw_run_secret(run, SW_LLB_SECRET(.env = "A")));
}
END_TEST

/* Catches: attributes sorted in time by the square of a number that nothing bounds. */
START_TEST(many_attributes)
{
        enum { N = 100000 };
        struct sw_llb_pair *attrs = sw_alloc_array(N, sizeof(*attrs));
        sw_state *s = NULL;

        for (size_t i = 0; i < N; i++)
                attrs[i] = (struct sw_llb_pair){ sw_asprintf("%06zu", N - i), "v" };
        fails(sw_llb_source("s://x", attrs, N, NULL, &s), SW_E_LIMIT, "attributes");
        ok(sw_llb_source("s://x", attrs, 1000, NULL, &s));
        sw_state_unref(s);
        for (size_t i = 0; i < N; i++)
                free((char *) attrs[i].key);
        free(attrs);
}
END_TEST

UNIT_MAIN("errors", references, web_and_git, values, runs, results_without_parent,
          file_actions, vertex_options, later_options, older_options, graphs, modes,
          strings_are_text, secrets, many_attributes)
