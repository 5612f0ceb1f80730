/*
 * Values of states: environment, directory, platform and the rest, resolved late.
 *
 * Catches: a state that changes when another is made of it, values in the wrong order, late
 * functions called too early or too often, constraints that do not reach a value.
 */
#include <time.h>

#include "tests/unit/core/llb/state/make.h"

static void
is_dir(const sw_state *s, const char *want)
{
        sw_auto(sw_str) got = NULL;

        ok(sw_state_get_dir(s, NULL, &got));
        ck_assert_str_eq(got, want);
}

static void
is_env(const sw_state *s, const char *key, const char *want)
{
        sw_auto(sw_str) got = NULL;

        ok(sw_state_get_env(s, key, NULL, &got));
        if (want)
                ck_assert_str_eq(got, want);
        else
                ck_assert_ptr_null(got);
}

static void
is_env_list(const sw_state *s, const char *want)
{
        sw_auto(sw_strlist) list = { 0 };
        sw_auto(sw_str) joined = NULL;

        ok(sw_state_get_env_list(s, NULL, &list));
        joined = sw_strlist_join(&list, " ");
        ck_assert_str_eq(joined, want);
}

START_TEST(states_do_not_change)
{
        sw_autoptr(sw_state) a = image("foo");
        sw_autoptr(sw_state) b = sw_state_env(a, "K", "1");
        sw_autoptr(sw_state) c = sw_state_env(b, "K", "2");
        sw_autoptr(sw_state) d = sw_state_unset(b, "K");
        sw_autoptr(sw_state) e = sw_state_dir(b, "/e");
        sw_auto(sw_buf) before = SW_BUF_INIT;
        sw_auto(sw_buf) after = SW_BUF_INIT;
        sw_autoptr(sw_state) ran = run(b, "x");
        sw_autoptr(sw_state) again = NULL;

        ok(sw_state_marshal(ran, NULL, &before));
        again = run(e, "y");
        sw_state_replace(&again, sw_state_env(again, "K", "3"));
        is_env(a, "K", NULL);
        is_env(b, "K", "1");
        is_env(c, "K", "2");
        is_env(d, "K", NULL);
        is_env(e, "K", "1");
        is_dir(b, "/");
        is_dir(e, "/e");
        ok(sw_state_marshal(ran, NULL, &after));
        ck_assert_uint_eq(before.len, after.len);
        ck_assert_int_eq(memcmp(before.data, after.data, before.len), 0);
}
END_TEST

/* A variable set again goes to the end, as it does in the Go client. */
START_TEST(environment_order)
{
        sw_autoptr(sw_state) s = sw_llb_scratch();

        sw_state_replace(&s, sw_state_env(s, "A", "1"));
        sw_state_replace(&s, sw_state_env(s, "B", "2"));
        sw_state_replace(&s, sw_state_env(s, "C", "3"));
        is_env_list(s, "A=1 B=2 C=3");
        sw_state_replace(&s, sw_state_env(s, "A", "4"));
        is_env_list(s, "B=2 C=3 A=4");
        sw_state_replace(&s, sw_state_unset(s, "C"));
        is_env_list(s, "B=2 A=4");
        sw_state_replace(&s, sw_state_env(s, "C", ""));
        is_env_list(s, "B=2 A=4 C=");
        is_env(s, "C", "");
        is_env(s, "", NULL);
}
END_TEST

START_TEST(directories)
{
        static const struct {
                const char *first, *second, *want;
        } cases[] = {
                { "/a", "b", "/a/b" },
                { "/a", "/b", "/b" },
                { "/a", "../c", "/c" },
                { "/a", "", "/a" },
                { "/a", ".", "/a" },
                { "x", "y", "/x/y" },
                { "/a", "/b/../c", "/b/../c" },
                { "..", "..", "/" },
        };

        for (size_t i = 0; i < SW_COUNT(cases); i++) {
                sw_autoptr(sw_state) s = sw_llb_scratch();

                sw_state_replace(&s, sw_state_dir(s, cases[i].first));
                sw_state_replace(&s, sw_state_dir(s, cases[i].second));
                is_dir(s, cases[i].want);
        }
}
END_TEST

/* From BuildKit's own test of Reset: values of the other, but for the directory. */
START_TEST(reset)
{
        const sw_platform arm = { .os = "linux", .arch = "arm64" };
        sw_autoptr(sw_state) s = image("foo");
        sw_autoptr(sw_state) s2 = image("foo2");
        sw_autoptr(sw_state) given = NULL;
        sw_autoptr(sw_state) r = NULL;
        sw_autoptr(sw_state) r2 = NULL;
        sw_autoptr(sw_state) bare = NULL;
        sw_autoptr(sw_platform) p = NULL;

        sw_state_replace(&s, sw_state_env(s, "BAR", "abc"));
        sw_state_replace(&s, sw_state_dir(s, "/foo/bar"));
        is_env(s, "BAR", "abc");
        is_dir(s, "/foo/bar");
        sw_state_replace(&s2, sw_state_env(s2, "BAZ", "def"));
        r = sw_state_reset(s2, s);
        is_env(r, "BAZ", NULL);
        is_env(r, "BAR", "abc");
        is_dir(r, "/");
        ok(sw_llb_image("foo", NULL, SW_LLB_OPTS(.platform = &arm), &given));
        r2 = sw_state_reset(given, s);
        is_dir(r2, "/foo/bar");
        ok(sw_state_get_platform(r2, NULL, &p));
        ck_assert_str_eq(p->arch, "arm64");
        bare = sw_state_bare(s);
        is_env(bare, "BAR", NULL);
        is_dir(bare, "/");
}
END_TEST

START_TEST(other_values)
{
        sw_autoptr(sw_state) s = sw_llb_scratch();
        sw_auto(sw_str) user = NULL;
        sw_auto(sw_str) host = NULL;
        sw_auto(sw_str) own = NULL;
        sw_auto(sw_str) none = NULL;
        enum sw_llb_network network;
        enum sw_llb_security security;
        sw_autoptr(sw_platform) p = NULL;

        ok(sw_state_get_user(s, NULL, &none));
        ck_assert_str_eq(none, "");
        sw_state_replace(&s, sw_state_user(s, "u:g"));
        sw_state_replace(&s, sw_state_hostname(s, "h"));
        sw_state_replace(&s, sw_state_network(s, SW_LLB_NETWORK_HOST));
        sw_state_replace(&s, sw_state_security(s, SW_LLB_SECURITY_INSECURE));
        sw_state_replace(&s, sw_state_set(s, "my.key", "old"));
        sw_state_replace(&s, sw_state_set(s, "my.key", "new"));
        sw_state_replace(&s, sw_state_set(s, "my.other", "x"));
        ok(sw_state_get_user(s, NULL, &user));
        ok(sw_state_get_hostname(s, NULL, &host));
        ok(sw_state_get_network(s, NULL, &network));
        ok(sw_state_get_security(s, NULL, &security));
        ok(sw_state_get(s, "my.key", NULL, &own));
        ok(sw_state_get_platform(s, NULL, &p));
        ck_assert_str_eq(user, "u:g");
        ck_assert_str_eq(host, "h");
        ck_assert_int_eq(network, SW_LLB_NETWORK_HOST);
        ck_assert_int_eq(security, SW_LLB_SECURITY_INSECURE);
        ck_assert_str_eq(own, "new");
        ck_assert_ptr_null(p);
        sw_str_clear(&own);
        ok(sw_state_get(s, "my.none", NULL, &own));
        ck_assert_ptr_null(own);
}
END_TEST

/* The platform of a source holds for all made of it; that of the marshalling for the rest.
 * After BuildKit's own test of platforms. */
START_TEST(platform_from_image)
{
        const sw_platform s390x = { .os = "linux", .arch = "s390x" };
        const sw_platform ppc = { .os = "linux", .arch = "ppc64le" };
        sw_autoptr(sw_state) src = NULL;
        sw_autoptr(sw_state) ran = NULL;
        sw_autoptr(sw_state) other = image("other");
        sw_autoptr(sw_state) both = NULL;
        sw_autoptr(sw_run) r = NULL;
        struct made m;

        ok(sw_llb_image("srcimage", NULL, SW_LLB_OPTS(.platform = &s390x), &src));
        ran = run(src, "foo");
        r = sw_run_new(other);
        sw_run_args(r, (const char *const[]){ "x", NULL });
        ok(sw_run_mount(r, "/m", ran, NULL));
        ok(sw_run_end(r, NULL, &both));
        make(&m, both, SW_LLB_OPTS(.platform = &ppc));
        ck_assert_uint_eq(m.n, 5);
        for (size_t i = 0; i < 4; i++) {
                bool is_other = i == 0 || i == 3;

                ck_assert_str_eq(m.op[i]->platform->architecture,
                                 is_other ? "ppc64le" : "s390x");
                ck_assert_ptr_nonnull(m.op[i]->constraints);
        }
        ck_assert_ptr_null(m.op[4]->platform);
        unmake(&m);
}
END_TEST

/* A platform is normalised as a value, and left alone as an option. */
START_TEST(platform_spelling)
{
        const sw_platform odd = { .os = "Linux", .arch = "aarch64", .variant = "v8" };
        sw_autoptr(sw_state) s = image("foo");
        sw_autoptr(sw_state) with = sw_state_platform(s, &odd);
        sw_autoptr(sw_state) ran = run(with, "x");
        struct made m;

        make(&m, ran, SW_LLB_OPTS(.platform = &odd));
        ck_assert_str_eq(m.op[0]->platform->architecture, "aarch64");
        ck_assert_str_eq(m.op[0]->platform->os, "Linux");
        ck_assert_str_eq(m.op[1]->platform->architecture, "arm64");
        ck_assert_str_eq(m.op[1]->platform->os, "linux");
        ck_assert_str_eq(m.op[1]->platform->variant, "");
        unmake(&m);
}
END_TEST

/* ---- late -------------------------------------------------------------------------- */

struct counter {
        int calls, frees;
};

static sw_err *
by_platform(void *arg, const sw_state *s, const struct sw_llb_opts *opts, sw_state **out)
{
        sw_auto(sw_str) name = NULL;
        sw_autoptr(sw_state) tree = NULL;
        sw_err *err;

        (void) s;
        ((struct counter *) arg)->calls++;
        name = sw_asprintf("base-%s", opts->platform->arch);
        err = sw_llb_image(name, NULL, NULL, &tree);
        if (err)
                return err;
        sw_state_replace(&tree, sw_state_env(tree, "ARCH", opts->platform->arch));
        *out = sw_state_dir(tree, "/late");
        return SW_OK;
}

static void
count_free(void *arg)
{
        ((struct counter *) arg)->frees++;
}

START_TEST(late_once_per_marshalling)
{
        const sw_platform arm64 = { .os = "linux", .arch = "arm64" };
        struct counter c = { 0, 0 };
        sw_autoptr(sw_state) scratch = sw_llb_scratch();
        sw_state *late = sw_state_late(scratch, by_platform, &c, count_free);
        sw_state *a = run(late, "a");
        sw_state *with = sw_state_env(a, "X", "1");
        sw_state *b = run(with, "b");
        sw_auto(sw_str) dir = NULL;
        struct made m;

        ck_assert_int_eq(c.calls, 0);
        make(&m, b, SW_LLB_OPTS(.platform = &arm64));
        ck_assert_int_eq(c.calls, 1);
        ck_assert_uint_eq(m.n, 4);
        ck_assert_str_eq(m.op[0]->source->identifier,
                         "docker-image://docker.io/library/base-arm64:latest");
        ck_assert_str_eq(m.op[1]->exec->meta->env[0], "ARCH=arm64");
        ck_assert_uint_eq(m.op[1]->exec->meta->n_env, 1);
        ck_assert_str_eq(m.op[1]->exec->meta->cwd, "/late");
        ck_assert_str_eq(m.op[2]->exec->meta->env[1], "X=1");
        unmake(&m);
        make(&m, b, NULL);
        ck_assert_int_eq(c.calls, 2);
        unmake(&m);
        ok(sw_state_get_dir(b, NULL, &dir));
        ck_assert_str_eq(dir, "/late");
        sw_state_unref(b);
        sw_state_unref(with);
        sw_state_unref(a);
        ck_assert_int_eq(c.frees, 0);
        sw_state_unref(late);
        ck_assert_int_eq(c.frees, 1);
}
END_TEST

static sw_err *
fail_late(void *arg, const sw_state *s, const struct sw_llb_opts *opts, sw_state **out)
{
        (void) arg;
        (void) s;
        (void) opts;
        (void) out;
        return sw_err_new(SW_E_REMOTE, "registry is down");
}

static sw_err *
scratch_late(void *arg, const sw_state *s, const struct sw_llb_opts *opts, sw_state **out)
{
        (void) arg;
        (void) s;
        (void) opts;
        *out = sw_llb_scratch();
        return SW_OK;
}

START_TEST(late_failures)
{
        sw_autoptr(sw_state) scratch = sw_llb_scratch();
        sw_autoptr(sw_state) bad = sw_state_late(scratch, fail_late, NULL, NULL);
        sw_autoptr(sw_state) ran = run(bad, "x");
        sw_autoptr(sw_state) empty = sw_state_late(scratch, scratch_late, NULL, NULL);
        sw_autoptr(sw_state) on_empty = run(empty, "x");
        sw_auto(sw_buf) out = SW_BUF_INIT;
        sw_auto(sw_str) dir = NULL;
        struct made m;

        fails(sw_state_marshal(bad, NULL, &out), SW_E_REMOTE, "registry is down");
        fails(sw_state_marshal(ran, NULL, &out), SW_E_REMOTE, "registry is down");
        fails(sw_state_get_dir(ran, NULL, &dir), SW_E_REMOTE, "registry is down");
        ck_assert_uint_eq(out.len, 0);
        ok(sw_state_marshal(empty, NULL, &out));
        ck_assert_uint_eq(out.len, 0);
        make(&m, on_empty, NULL);
        ck_assert_int_eq(m.op[0]->exec->mounts[0]->input, -1);
        unmake(&m);
}
END_TEST

/* ---- image configuration ----------------------------------------------------------- */

static sw_err *
resolve(void *arg, const char *name, const sw_platform *platform, enum sw_llb_resolve mode,
        char **config, char **digest)
{
        (void) mode;
        *(int *) arg += 1;
        ck_assert_str_eq(name, "docker.io/library/foo:latest");
        *config = sw_asprintf("{\"architecture\":\"%s\",\"os\":\"linux\",\"config\":"
                              "{\"Env\":[\"PATH=/bin\",\"E\",\"=x\",\"A=b=c\"],"
                              "\"WorkingDir\":\"/w\"}}",
                              platform->arch);
        *digest = sw_strdup("sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
        return SW_OK;
}

START_TEST(image_configuration)
{
        int calls = 0;
        sw_autoptr(sw_state) s = NULL;
        sw_autoptr(sw_state) pinned = NULL;
        sw_autoptr(sw_state) ran = NULL;
        struct made m;

        ok(sw_llb_image("foo", SW_LLB_IMAGE(.resolver = resolve, .resolver_arg = &calls),
                        NULL, &s));
        is_env_list(s, "PATH=/bin E= A=b=c");
        is_dir(s, "/w");
        ok(sw_llb_image("foo",
                        SW_LLB_IMAGE(.resolver = resolve, .resolver_arg = &calls,
                                     .resolve_digest = true,
                                     .resolve = SW_LLB_RESOLVE_PULL),
                        SW_LLB_OPTS(.name = "pinned"), &pinned));
        ran = run(pinned, "x");
        calls = 0;
        make(&m, ran, NULL);
        ck_assert_int_eq(calls, 1);
        ck_assert_str_eq(
                m.op[0]->source->identifier,
                "docker-image://docker.io/library/foo:latest@sha256:"
                "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
        ck_assert_str_eq(m.op[0]->source->attrs[0]->value, "pull");
        ck_assert_str_eq(metadata(&m, m.digest[0])->description[0]->value, "pinned");
        ck_assert(has_cap(metadata(&m, m.digest[0]), "source.image.resolvemode"));
        ck_assert_str_eq(m.op[1]->exec->meta->env[0], "PATH=/bin");
        unmake(&m);
}
END_TEST

START_TEST(bad_image_configuration)
{
        sw_autoptr(sw_state) s = sw_llb_scratch();
        sw_state *out = NULL;
        static const char *const bad[] = {
                "",
                "[]",
                "{\"config\":7}",
                "{\"config\":{\"Env\":{}}}",
                "{\"config\":{\"Env\":[1]}}",
                "{\"config\":{\"WorkingDir\":[]}}",
                "{\"architecture\":1}",
                "{\"os\":\"linux\",\"architecture\":\"x\"",
        };

        for (size_t i = 0; i < SW_COUNT(bad); i++)
                fails(sw_state_image_config(s, bad[i], strlen(bad[i]), &out), SW_E_INVALID,
                      "image configuration");
        ck_assert_ptr_null(out);
}
END_TEST

/* Commands between changes of the environment, in one marshalling, have what a question
 * about each state alone says. Catches: lists that are continued from earlier ones with a
 * variable lost, kept, or in another place. */
START_TEST(environment_along_a_chain)
{
        enum { STEPS = 300 };
        sw_autoptr(sw_state) s = NULL;
        sw_state *at[STEPS];
        struct made m;
        unsigned seed = 1;

        ok(sw_llb_image("foo", NULL, NULL, &s));
        for (int i = 0; i < STEPS; i++) {
                for (int k = 0; k <= i % 3; k++) {
                        const char key[] = { (char) ('A' + (seed >> 16) % 7), '\0' };
                        const char value[] = { (char) ('0' + (seed >> 20) % 10), '\0' };

                        sw_state_replace(&s, (seed >> 24) % 4 ? sw_state_env(s, key, value)
                                                              : sw_state_unset(s, key));
                        seed = seed * 1103515245 + 12345;
                }
                at[i] = sw_state_ref(s);
                sw_state_replace(&s, run(s, "x"));
        }
        make(&m, s, NULL);
        ck_assert_uint_eq(m.n, STEPS + 2);
        for (int i = 0; i < STEPS; i++) {
                const Pb__Meta *meta = m.op[i + 1]->exec->meta;
                sw_auto(sw_strlist) want = { 0 };

                ok(sw_state_get_env_list(at[i], NULL, &want));
                ck_assert_uint_eq(meta->n_env, want.n);
                for (size_t k = 0; k < want.n; k++)
                        ck_assert_str_eq(meta->env[k], want.v[k]);
                sw_state_unref(at[i]);
        }
        unmake(&m);
}
END_TEST

/* Catches: every command looking through all changes before it. */
START_TEST(environment_set_again_and_again)
{
        sw_autoptr(sw_state) s = NULL;
        sw_auto(sw_buf) out = SW_BUF_INIT;
        clock_t start;

        ok(sw_llb_image("foo", NULL, NULL, &s));
        for (int i = 0; i < 20000; i++) {
                sw_state_replace(&s, sw_state_env(s, "K", i % 2 ? "1" : "2"));
                sw_state_replace(&s, run(s, "x"));
        }
        start = clock();
        ok(sw_state_marshal(s, NULL, &out));
        ck_assert_int_lt(clock() - start, 2 * CLOCKS_PER_SEC);
}
END_TEST

/* Catches: every step of a relative directory kept, which together are gigabytes. */
START_TEST(deep_directory)
{
        enum { N = 30000 };
        sw_autoptr(sw_state) s = sw_llb_scratch();
        sw_auto(sw_str) dir = NULL;
        clock_t start = clock();

        for (int i = 0; i < N; i++)
                sw_state_replace(&s, sw_state_dir(s, "a"));
        ok(sw_state_get_dir(s, NULL, &dir));
        ck_assert_uint_eq(strlen(dir), 2 * N);
        ck_assert_int_lt(clock() - start, CLOCKS_PER_SEC / 2);
}
END_TEST

UNIT_MAIN("values", states_do_not_change, environment_order, directories, reset,
          other_values, platform_from_image, platform_spelling, late_once_per_marshalling,
          late_failures, image_configuration, bad_image_configuration,
          environment_along_a_chain, environment_set_again_and_again, deep_directory)
