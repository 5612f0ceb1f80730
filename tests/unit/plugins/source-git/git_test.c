/*
 * git_test.c - catches refs, hosts and URLs that git or ssh would take for options or
 * commands; lists of refs of which another one is chosen than git would; cache keys that
 * are not BuildKit's; attributes that go unchecked.
 */
#include "plugins/source-git/git.h"
#include "tests/unit/unit.h"

START_TEST(refs)
{
        static const char *const good[] = {
                "main", "v1.0",     "refs/heads/main", "a/b-c", "refs/pull/7/head",
                "a@b",  "\xc3\xa9",
        };
        static const char *const bad[] = {
                "",       "-x",       "--upload-pack=x",
                "a..b",   "a b",      "a~1",
                "a^",     "a:b",      "a?",
                "a*",     "a[",       "a\\b",
                "/a",     "a/",       "a//b",
                ".a",     "a/.b",     "a.",
                "a.lock", "a.lock/b", "@",
                "a@{1}",  "a\nb",     "a\x7f",
        };

        for (size_t i = 0; i < SW_COUNT(good); i++)
                ok(ref_check(good[i]));
        for (size_t i = 0; i < SW_COUNT(bad); i++)
                fails(ref_check(bad[i]), SW_E_INVALID, "invalid git ref");
        ck_assert(ref_is_commit("0123456789abcdef0123456789abcdef01234567"));
        ck_assert(!ref_is_commit("0123456789ABCDEF0123456789abcdef01234567"));
        ck_assert(!ref_is_commit("0123456789abcdef0123456789abcdef0123456"));
        ck_assert(!ref_is_commit("0123456789abcdef0123456789abcdef012345678"));
}
END_TEST

START_TEST(remotes)
{
        static const struct {
                const char *text;
                enum remote_kind kind;
                const char *url, *host, *user;
        } cases[] = {
                { "https://github.com/a/b.git", REMOTE_HTTP, "https://github.com/a/b.git",
                  "github.com", NULL },
                { "HTTP://h:81/a", REMOTE_HTTP, "http://h:81/a", "h:81", NULL },
                { "https://u:p@h/a", REMOTE_HTTP, "https://h/a", "h", "u:p" },
                { "https://u@v@h/a", REMOTE_HTTP, "https://h/a", "h", "u@v" },
                { "github.com/a/b", REMOTE_HTTP, "https://github.com/a/b", "github.com",
                  NULL },
                { "h:8080/a", REMOTE_HTTP, "https://h:8080/a", "h:8080", NULL },
                { "git@github.com:a/b", REMOTE_SSH, "git@github.com:a/b", "github.com",
                  NULL },
                { "host:a/b", REMOTE_SSH, "host:a/b", "host", NULL },
                { "ssh://u@h:22/a", REMOTE_SSH, "ssh://u@h:22/a", "h:22", NULL },
                { "git://h/a", REMOTE_GIT, "git://h/a", "h", NULL },
                { "https://[::1]:80/a", REMOTE_HTTP, "https://[::1]:80/a", "[::1]:80",
                  NULL },
        };

        for (size_t i = 0; i < SW_COUNT(cases); i++) {
                struct remote r;

                ok(remote_parse(cases[i].text, &r));
                ck_assert_msg((int) r.kind == (int) cases[i].kind, "%s", cases[i].text);
                ck_assert_str_eq(r.url, cases[i].url);
                ck_assert_str_eq(r.host, cases[i].host);
                ck_assert_msg((r.user && cases[i].user &&
                               strcmp(r.user, cases[i].user) == 0) ||
                                      (!r.user && !cases[i].user),
                              "%s", cases[i].text);
                remote_release(&r);
        }
}
END_TEST

START_TEST(wrong_remotes)
{
        static const struct {
                const char *text;
                int code;
        } cases[] = {
                { "", SW_E_INVALID },
                { "file:///etc", SW_E_UNSUPPORTED },
                { "ext::sh -c x", SW_E_UNSUPPORTED },
                { "fd::7", SW_E_UNSUPPORTED },
                { "ftp://h/a", SW_E_UNSUPPORTED },
                { "/etc", SW_E_INVALID },
                { "-oProxyCommand=x:a", SW_E_INVALID },
                { "ssh://-oProxyCommand=x/a", SW_E_INVALID },
                { "ssh://-l@h/a", SW_E_INVALID },
                { "ssh://u:secret@h/a", SW_E_INVALID },
                { "u@-oProxyCommand=x:a", SW_E_INVALID },
                { "https://", SW_E_INVALID },
                { "https:///a", SW_E_INVALID },
                { "https://h$(x)/a", SW_E_INVALID },
                { "https://h/a\nb", SW_E_INVALID },
        };

        for (size_t i = 0; i < SW_COUNT(cases); i++) {
                struct remote r;

                fails(remote_parse(cases[i].text, &r), cases[i].code, "git repository");
        }
        struct remote r;
        sw_err *err = remote_parse("ftp://u:secret@h/a", &r);
        ck_assert_ptr_null(strstr(sw_err_message(err), "secret"));
        sw_err_free(err);
}
END_TEST

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define C "cccccccccccccccccccccccccccccccccccccccc"

START_TEST(lists)
{
        static const struct {
                const char *text, *ref, *sha, *commit, *name;
        } cases[] = {
                { A "\trefs/heads/main\n", "main", A, "", "refs/heads/main" },
                { A "\trefs/heads/x/main\n" B "\trefs/heads/main\n", "main", B, "",
                  "refs/heads/main" },
                { A "\trefs/tags/v1\n" B "\trefs/tags/v1^{}\n", "v1", A, B,
                  "refs/tags/v1" },
                { A "\trefs/tags/v1\n", "v1", A, "", "refs/tags/v1" },
                { A "\trefs/heads/v1\n" B "\trefs/tags/v1\n" C "\trefs/tags/v1^{}\n", "v1",
                  A, "", "refs/heads/v1" },
                { A "\trefs/tags/v1\n" B "\trefs/tags/v1^{}\n", "refs/tags/v1", A, B,
                  "refs/tags/v1" },
                { A "\trefs/heads/main\n", "heads/main", A, "", "refs/heads/main" },
                { A "\trefs/pull/7/head\n", "pull/7/head", A, "", "refs/pull/7/head" },
                { "ref: refs/heads/main\tHEAD\n" A "\tHEAD\n", "", A, "",
                  "refs/heads/main" },
                { A "\tHEAD\n", "", A, "", "HEAD" },
                { "ref: -x\tHEAD\n" A "\tHEAD\n", "", A, "", "HEAD" },
        };

        for (size_t i = 0; i < SW_COUNT(cases); i++) {
                struct resolved r;

                ok(resolved_read(cases[i].text, cases[i].ref, &r));
                ck_assert_str_eq(r.sha, cases[i].sha);
                ck_assert_str_eq(r.commit, cases[i].commit);
                ck_assert_str_eq(r.ref, cases[i].name);
                free(r.ref);
        }
        struct resolved r;
        fails(resolved_read("", "main", &r), SW_E_NOT_FOUND, "does not contain ref main");
        fails(resolved_read(A "\trefs/heads/mainly\n", "main", &r), SW_E_NOT_FOUND, "main");
        fails(resolved_read("", "", &r), SW_E_NOT_FOUND, "default branch");
        fails(resolved_read("junk\n", "main", &r), SW_E_REMOTE, "no ref");
        fails(resolved_read("AAAA\trefs/heads/main\n", "main", &r), SW_E_REMOTE, "no ref");
}
END_TEST

START_TEST(lines)
{
        int64_t n;
        bool end;

        ck_assert(received_read("Receiving objects:  45% (9/20), 1.50 MiB | 3.00 MiB/s", &n,
                                &end));
        ck_assert_int_eq(n, 1572864);
        ck_assert(!end);
        ck_assert(received_read(
                "Receiving objects: 100% (20/20), 12 bytes | 12 bytes/s, done.", &n, &end));
        ck_assert_int_eq(n, 12);
        ck_assert(end);
        ck_assert(!received_read("Receiving objects: 100% (3/3), done.", &n, &end));
        ck_assert(!received_read("Receiving objects: 1% (1/2), 1e99 TiB |", &n, &end) ||
                  n >= 0);
        ck_assert(is_counting("remote: Enumerating objects: 7, done."));
        ck_assert(!is_counting("remote: hello"));
        ck_assert(!is_counting("fatal: no"));
}
END_TEST

static sw_err *
spec_of(struct spec *s, const char *id, const struct sw_attr *attrs, size_t n)
{
        const struct sw_source_request req = {
                .size = sizeof(req),
                .identifier = id,
                .attrs = attrs,
                .n_attrs = n,
        };

        memset(s, 0, sizeof(*s));
        return spec_init(s, &req);
}

START_TEST(keys)
{
        static const struct {
                const char *id;
                struct sw_attr attrs[3];
                const char *want;
        } cases[] = {
                { "git://h/r#v1", { { "x", "" } }, B },
                { "git://h/r#v1", { { "git.keepgitdir", "true" } }, A ".git#refs/tags/v1" },
                { "git://h/r#v1:sub/x", { { "git.keepgitdir", "false" } }, B ":sub/x" },
                { "git://h/r#:/", { { "git.mtime", "checkout" } }, B },
                { "git://h/r#v1:/sub",
                  { { "git.keepgitdir", "true" },
                    { "git.skipsubmodules", "true" },
                    { "git.mtime", "commit" } },
                  A ".git#refs/tags/v1:/sub(skip-submodules)(mtime=commit)" },
        };
        char name[] = "refs/tags/v1";
        const struct resolved r = { .sha = A, .commit = B, .ref = name };

        for (size_t i = 0; i < SW_COUNT(cases); i++) {
                struct spec s;
                size_t n = 0;

                while (n < SW_COUNT(cases[i].attrs) && cases[i].attrs[n].key)
                        n++;
                ok(spec_of(&s, cases[i].id, cases[i].attrs, n));
                sw_auto(sw_str) key = spec_cache_key(&s, &r);
                ck_assert_str_eq(key, cases[i].want);
                spec_release(&s);
        }
}
END_TEST

/* As the frontend writes them: vectors/dockerfile/012-add-git. */
START_TEST(identifiers)
{
        static const struct sw_attr attrs[] = {
                { "git.authheadersecret", "GIT_AUTH_HEADER" },
                { "git.authtokensecret", "GIT_AUTH_TOKEN" },
                { "git.fullurl", "git@github.com:example/r2.git" },
                { "git.keepgitdir", "true" },
                { "git.mountsshsock", "default" },
        };
        struct spec s;

        ok(spec_of(&s, "git://github.com/example/r2.git#main:x", attrs, SW_COUNT(attrs)));
        ck_assert_int_eq(s.remote.kind, REMOTE_SSH);
        ck_assert_str_eq(s.remote.url, "git@github.com:example/r2.git");
        ck_assert_str_eq(s.ref, "main");
        ck_assert_str_eq(s.subdir, "x");
        ck_assert_str_eq(s.ssh, "default");
        ck_assert_str_eq(s.token_secret, "GIT_AUTH_TOKEN");
        ck_assert(s.keep_git_dir && !s.skip_submodules);
        spec_release(&s);
        ok(spec_of(&s, "git://github.com/example/repo.git", NULL, 0));
        ck_assert_str_eq(s.remote.url, "https://github.com/example/repo.git");
        spec_release(&s);
}
END_TEST

START_TEST(refused)
{
        static const struct {
                struct sw_attr attr;
                int code;
                const char *part;
        } cases[] = {
                { { "git.checksum", "main" }, SW_E_INVALID, "expected hex commit hash" },
                { { "git.mtime", "now" }, SW_E_INVALID, "git.mtime" },
                { { "git.bundle", "x" }, SW_E_UNSUPPORTED, "git.bundle" },
                { { "git.checkoutbundle", "true" }, SW_E_UNSUPPORTED, "checkoutbundle" },
                { { "git.sig.pubkey", "x" }, SW_E_UNSUPPORTED, "git.sig.pubkey" },
                { { "git.fetchbycommit", "true" }, SW_E_INVALID, "whole commit" },
        };
        struct spec s;

        for (size_t i = 0; i < SW_COUNT(cases); i++) {
                fails(spec_of(&s, "git://h/r#main", &cases[i].attr, 1), cases[i].code,
                      cases[i].part);
                spec_release(&s);
        }
        fails(spec_of(&s, "git://h/r#-x", NULL, 0), SW_E_INVALID, "invalid git ref");
        spec_release(&s);
}
END_TEST

UNIT_MAIN("git", refs, remotes, wrong_remotes, lists, lines, keys, identifiers, refused)
