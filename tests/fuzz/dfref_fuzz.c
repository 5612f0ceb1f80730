/*
 * tests/fuzz/dfref_fuzz.c - .dockerignore texts, references to git repositories, options of
 * the Dockerfile frontend. What is read of an ignore file reads the same when it is written
 * again.
 */
#include <slipway/pattern.h>

#include "lib/dockerfile/config.h"
#include "lib/dockerfile/gitref.h"
#include "lib/dockerfile/ignore.h"
#include "tests/fuzz/fuzz.h"

static void
fuzz_ignore(const char *text, size_t n)
{
        sw_auto(sw_strlist) list = { NULL, 0, 0 }, again = { NULL, 0, 0 };
        sw_auto(sw_str) joined = NULL;
        sw_patterns *ps = NULL;

        if (!fuzz_ok(sw_df_ignore_parse(text, n, &list)))
                return;
        for (size_t i = 0; i < list.n; i++) {
                const char *rest = list.v[i] + (list.v[i][0] == '!');
                unsigned char first = (unsigned char) rest[0];

                /* of "/#a", "/!", "/ a", "!/ a": they do not read so without the slash */
                if (first == '#' || first <= ' ' || first >= 0x80)
                        return;
        }
        joined = sw_strlist_join(&list, "\n");
        fuzz_check(fuzz_ok(sw_df_ignore_parse(joined, strlen(joined), &again)));
        if (list.n <= 100 &&
            fuzz_ok(sw_patterns_new((const char *const *) list.v, list.n, &ps)))
                (void) sw_patterns_match(ps, "a/b", NULL, NULL);
        sw_patterns_free(ps);
}

static void
fuzz_gitref(const char *text)
{
        sw_auto(sw_df_gitref) g = { .remote = NULL };
        bool is_git = false;

        if (!fuzz_ok(sw_df_gitref_parse(text, &is_git, &g)) || !is_git)
                return;
        fuzz_check(g.remote && g.ref && g.subdir && g.checksum && g.mtime);
        fuzz_check(!strpbrk(g.remote, "?#"));
}

static void
fuzz_config(char *text)
{
        static const sw_platform amd64 = {
                .os = "linux", .arch = "amd64", .variant = "", .os_version = ""
        };
        const sw_platform *build[] = { &amd64, NULL };
        SW_ARRAY(struct sw_attr) opts = { NULL, 0, 0 };
        sw_df_config *c = NULL;

        for (char *line = text, *next; line && *line && opts.n < 50; line = next) {
                char *eq = strchr(line, '=');

                next = strchr(line, '\n');
                if (next)
                        *next++ = '\0';
                if (eq && (!next || eq < next)) {
                        *eq = '\0';
                        sw_array_push(&opts, (struct sw_attr){ line, eq + 1 });
                }
        }
        if (fuzz_ok(sw_df_config_new(opts.v, opts.n, build, &c)))
                (void) sw_df_config_ignores_cache(c, "x");
        sw_df_config_free(c);
        sw_array_release(&opts);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        char *text = malloc(size + 1);

        if (!text)
                abort();
        if (size)
                memcpy(text, data, size);
        text[size] = '\0';
        fuzz_ignore(text, size);
        fuzz_gitref(text);
        fuzz_config(text);
        free(text);
        return 0;
}
