/* tests/fuzz/gitref_fuzz.c - git refs, repositories, what ls-remote and ls-tree print, and
 * .gitmodules: nothing that passes is an option, a path or a command, names that are chosen
 * are names, and submodules stay on the server that they are relative to. */
#include <slipway/mem.h>

#include "plugins/source-git/modules.h"
#include "tests/fuzz/fuzz.h"

static void
check_remote(const char *text)
{
        struct remote r, again;

        if (!fuzz_ok(remote_parse(text, &r)))
                return;
        fuzz_check(*r.url != '-' && *r.url != '/' && *r.host && *r.host != '-');
        /* what git takes for the name of a program to run */
        const size_t n =
                strspn(r.url, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                              "0123456789+-.");
        fuzz_check(strncmp(r.url + n, "::", 2) != 0);
        for (const char *p = r.url; *p; p++)
                fuzz_check((unsigned char) *p >= 0x20 && *p != 0x7f);
        fuzz_check(fuzz_ok(remote_parse(r.url, &again)) && strcmp(r.url, again.url) == 0);
        fuzz_check(again.kind == r.kind);
        remote_release(&again);
        remote_release(&r);
}

static void
check_module(const char *base_text, const char *url)
{
        sw_auto(git_remote) base = { .url = NULL };
        sw_auto(git_remote) r = { .url = NULL };

        fuzz_check(fuzz_ok(remote_parse(base_text, &base)));
        if (!fuzz_ok(remote_join(&base, url, &r)))
                return;
        if (strncmp(url, "./", 2) == 0 || strncmp(url, "../", 3) == 0)
                fuzz_check(r.kind == base.kind && strcmp(r.host, base.host) == 0);
        check_remote(r.url);
}

static void
check_modules(const char *text, size_t n)
{
        sw_auto(git_modules) m = { 0 };
        sw_auto(git_survey) s = { .left = INT64_C(1) << 40, .line = SW_BUF_INIT };

        if (fuzz_ok(modules_read(text, n, &m)))
                for (size_t i = 0; i < m.n; i++)
                        fuzz_check(*m.v[i].name && !strchr(m.v[i].name, '\n'));
        if (fuzz_ok(survey_take(&s, text, n)))
                for (size_t i = 0; i < s.links.n; i++)
                        fuzz_check(ref_is_commit(s.links.v[i].sha));
        fuzz_check(s.left >= 0);
}

static void
check_list(const char *text, const char *ref)
{
        struct resolved r;

        if (!fuzz_ok(resolved_read(text, ref, &r)))
                return;
        fuzz_check(ref_is_commit(r.sha) && (!*r.commit || ref_is_commit(r.commit)));
        fuzz_check(fuzz_ok(ref_check(r.ref)) || *ref);
        free(r.ref);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        sw_auto(sw_str) text = sw_strndup(size ? (const char *) data : "", size);
        int64_t n = 0;
        bool end;

        if (fuzz_ok(ref_check(text)))
                fuzz_check(*text != '-' && !strstr(text, ".."));
        check_remote(text);
        check_module("https://h:1/a/b", text);
        check_module("git@h:a/b", text);
        check_modules((const char *) data, size);
        check_list(text, "");
        check_list(text, "main");
        check_list(text, "refs/tags/v1");
        if (received_read(text, &n, &end))
                fuzz_check(n >= 0);
        (void) is_counting(text);
        return 0;
}
