/* tests/fuzz/gitref_fuzz.c - git refs, repositories, and what ls-remote prints: nothing
 * that passes is an option, a path or a command, and names that are chosen are names. */
#include <slipway/mem.h>

#include "plugins/source-git/ref.h"
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
        check_list(text, "");
        check_list(text, "main");
        check_list(text, "refs/tags/v1");
        if (received_read(text, &n, &end))
                fuzz_check(n >= 0);
        (void) is_counting(text);
        return 0;
}
