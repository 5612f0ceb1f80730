/*
 * plugins/source-git/resolve.c - what a ref stands for now.
 */
#include <string.h>

#include "plugins/source-git/run.h"

enum { MAX_LIST = 4 * 1024 * 1024 };
#define MAX_MEMORY (INT64_C(2) << 30)

static sw_err *
ask(const struct runner *r, int cwd_fd, struct resolved *out)
{
        const char *ref = r->spec->ref;
        const bool head = !*ref || strcmp(ref, "HEAD") == 0;
        sw_auto(sw_str) peeled = sw_asprintf("%s^{}", ref);
        const char *const by_name[] = { "ls-remote", "--quiet", "--end-of-options",
                                        "origin",    ref,       peeled,
                                        NULL };
        const char *const by_head[] = { "ls-remote", "--quiet",
                                        "--symref",  "--end-of-options",
                                        "origin",    "HEAD",
                                        NULL };
        sw_auto(sw_buf) text = SW_BUF_INIT;
        const struct run q = {
                .args = head ? by_head : by_name,
                .reach = RUN_REMOTE,
                .cwd_fd = cwd_fd,
                .git_dir = "/dev/null", /* not one that the directory may be in */
                .out = &text,
                .limit = MAX_LIST,
                .memory = MAX_MEMORY,
        };
        sw_err *err = git_run(r, &q);

        if (err)
                return sw_err_wrap(err, "failed to fetch remote %s", r->spec->remote.url);
        if (memchr(text.data, '\0', text.len))
                return sw_err_new(SW_E_REMOTE, "git ls-remote: zero bytes are in it");
        return resolved_read(text.data, head ? "" : ref, out);
}

sw_err *
resolve_ref(const struct runner *r, int cwd_fd, struct resolved *out)
{
        const struct spec *s = r->spec;
        sw_err *err = SW_OK;

        if (ref_is_commit(s->ref)) {
                (void) strcpy(out->sha, s->ref); /* 64 bytes at most */
                out->ref = sw_strdup(s->ref);
        } else {
                err = ask(r, cwd_fd, out);
        }
        return err ? err : check_checksum(s, out->sha, out->commit);
}
