/*
 * Random graphs, from a seed that a failure prints.
 *
 * Catches: definitions of the builder that a daemon would refuse (the loader checks every
 * rule), marshalling that differs from one time to the next, leaks and wild references of
 * graphs nobody thought of (with a sanitizer).
 */
#include "tests/unit/core/llb/state/make.h"

enum { POOL = 12, STEPS = 40, GRAPHS = 400 };

struct dice {
        uint64_t x;
};

static unsigned
roll(struct dice *d, unsigned n)
{
        d->x ^= d->x << 13;
        d->x ^= d->x >> 7;
        d->x ^= d->x << 17;
        return (unsigned) (d->x >> 33) % n;
}

static const char *
word(struct dice *d)
{
        static const char *const words[] = { "a",   "/a", "b/c", "../x", "/", ".",
                                             "x y", "",   "*",   "/d/",  "é", "a/." };

        return words[roll(d, SW_COUNT(words))];
}

static sw_err *
late(void *arg, const sw_state *s, const struct sw_llb_opts *opts, sw_state **out)
{
        (void) opts;
        *out = arg ? sw_state_env(s, "L", "1") : sw_llb_scratch();
        return SW_OK;
}

static sw_state *
source(struct dice *d)
{
        sw_state *s = NULL;

        switch (roll(d, 6)) {
        case 0: return sw_llb_scratch();
        case 1: ok(sw_llb_local("ctx", NULL, NULL, &s)); return s;
        case 2: ok(sw_llb_git("https://h/r", "main", NULL, NULL, &s)); return s;
        case 3: ok(sw_llb_http("https://h/f", NULL, NULL, &s)); return s;
        case 4: ok(sw_llb_image("foo", NULL, SW_LLB_OPTS(.name = "n"), &s)); return s;
        default: return image(roll(d, 2) ? "bar" : "baz:1");
        }
}

static sw_state *
value(struct dice *d, const sw_state *s, const sw_state *other)
{
        const sw_platform arm = { .os = "linux", .arch = "arm" };
        sw_state *out = NULL;

        switch (roll(d, 9)) {
        case 0: return sw_state_env(s, roll(d, 2) ? "A" : "B", word(d));
        case 1: return sw_state_unset(s, "A");
        case 2: return sw_state_dir(s, word(d));
        case 3: return sw_state_platform(s, &arm);
        case 4: return sw_state_reset(s, other);
        case 5: return sw_state_bare(s);
        case 6: return sw_state_late(s, late, roll(d, 4) ? d : NULL, NULL);
        case 7: ok(sw_state_ulimit(s, "nofile", 1, 2, &out)); return out;
        default: ok(sw_state_add_host(s, "h", "1.2.3.4", &out)); return out;
        }
}

static sw_state *
command(struct dice *d, const sw_state *s, const sw_state *a, const sw_state *b)
{
        static const char *const dests[] = { "/m", "/z", "rel", "/a/b" };
        sw_autoptr(sw_run) r = sw_run_new(s);
        sw_state *root;
        sw_state *out;
        const char *dest = dests[roll(d, SW_COUNT(dests))];

        sw_run_args(r, (const char *const[]){ "x", word(d), NULL });
        if (roll(d, 3) == 0)
                sw_run_in(r, b);
        if (roll(d, 4) == 0)
                sw_run_readonly_root(r);
        ok(sw_run_mount(r, dest, a,
                        SW_LLB_MOUNT(.readonly = roll(d, 2), .selector = word(d))));
        ok(sw_run_mount(r, "/cache", roll(d, 2) ? b : NULL, SW_LLB_MOUNT(.cache_id = "k")));
        ok(sw_run_secret(r, SW_LLB_SECRET(.target = "/s", .env = "S")));
        ok(sw_run_ssh(r, NULL));
        ok(sw_run_end(r, NULL, &root));
        if (roll(d, 2))
                return root;
        sw_state_unref(root);
        ok(sw_run_result(r, dest, &out));
        return out;
}

static void
actions(struct dice *d, sw_files *f, const sw_state *from, sw_bound *bound)
{
        for (unsigned i = roll(d, 4) + 1; i > 0; i--) {
                switch (roll(d, bound ? 5 : 4)) {
                case 0: ok(sw_files_mkdir(f, word(d), 0755, NULL)); break;
                case 1: ok(sw_files_mkfile(f, word(d), 0644, "x", 1, NULL)); break;
                case 2: ok(sw_files_rm(f, word(d), NULL)); break;
                case 3:
                        ok(sw_files_copy(f, from, word(d), word(d),
                                         SW_LLB_COPY(.owner = "u:7")));
                        break;
                default: ok(sw_files_copy_bound(f, bound, word(d), word(d), NULL)); break;
                }
        }
}

static sw_state *
file_ops(struct dice *d, const sw_state *s, const sw_state *a, const sw_state *b)
{
        sw_autoptr(sw_files) inner = sw_files_new();
        sw_autoptr(sw_files) f = sw_files_new();
        sw_autoptr(sw_bound) bound = NULL;
        sw_state *out;

        actions(d, inner, b, NULL);
        ok(sw_files_bind(inner, a, &bound));
        actions(d, f, b, bound);
        ok(sw_state_files(s, f, NULL, &out));
        return out;
}

static sw_state *
step(struct dice *d, sw_state *const *pool)
{
        const sw_state *s = pool[roll(d, POOL)], *a = pool[roll(d, POOL)],
                       *b = pool[roll(d, POOL)];
        sw_state *out = NULL;

        switch (roll(d, 7)) {
        case 0: return source(d);
        case 1:
        case 2: return value(d, s, a);
        case 3: return command(d, s, a, b);
        case 4: return file_ops(d, s, a, b);
        case 5: ok(sw_llb_diff(s, a, NULL, &out)); return out;
        default:
                ok(sw_llb_merge((const sw_state *const[]){ s, a, b }, 3, NULL, &out));
                return out;
        }
}

/* Twice the same bytes, and a daemon takes them. Late scratch may leave an op nothing to
 * work on, which is told. */
static size_t
check(const sw_state *s, unsigned seed)
{
        static const char lid[] = "0123456789abcdefghijklmno";
        sw_auto(sw_buf) one = SW_BUF_INIT;
        sw_auto(sw_buf) two = SW_BUF_INIT;
        sw_autoptr(sw_definition) def = NULL;
        sw_err *err = sw_state_marshal(s, SW_LLB_OPTS(.local_unique = lid), &one);

        if (err) {
                ck_assert_msg(strstr(sw_err_message(err), "turned out to be scratch") !=
                                      NULL,
                              "seed %u: %s", seed, sw_err_message(err));
                ck_assert_uint_eq(one.len, 0);
                sw_err_free(err);
                return 0;
        }
        ok(sw_state_marshal(s, SW_LLB_OPTS(.local_unique = lid), &two));
        ck_assert_msg(one.len == two.len && memcmp(one.data, two.data, one.len) == 0,
                      "seed %u: not the same twice", seed);
        if (!one.len)
                return 0;
        err = sw_definition_decode(one.data, one.len, NULL, &def);
        ck_assert_msg(err == NULL, "seed %u: %s", seed, sw_err_message(err));
        return sw_definition_count(def);
}

START_TEST(random_graphs)
{
        size_t vertices = 0;

        for (unsigned seed = 1; seed <= GRAPHS; seed++) {
                struct dice d = { seed * UINT64_C(0x9e3779b97f4a7c15) };
                sw_state *pool[POOL];

                for (int i = 0; i < POOL; i++)
                        pool[i] = source(&d);
                for (int i = 0; i < STEPS; i++)
                        sw_state_replace(&pool[roll(&d, POOL)], step(&d, pool));
                for (int i = 0; i < POOL; i++) {
                        vertices += check(pool[i], seed);
                        sw_state_unref(pool[i]);
                }
        }
        ck_assert_uint_gt(vertices, GRAPHS * POOL * 4); /* they are no trifles */
}
END_TEST

UNIT_MAIN("random", random_graphs)
