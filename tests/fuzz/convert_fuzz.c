/*
 * tests/fuzz/convert_fuzz.c - whole conversions: options, an ignore file and a Dockerfile,
 * divided by lines that say "---". What comes out is a definition that loads, and a
 * configuration that is JSON and reads the same again.
 */
#include <slipway/json.h>

#include "tests/fuzz/fuzz.h"
#include "tests/unit/lib/dockerfile/fakebridge.h"

enum { MAX_TEXT = 64 * 1024 };

/* The part up to the next "---", taken off @rest. */
static char *
part(char **rest)
{
        char *start = *rest, *end = strstr(start, "---\n");

        *rest = end ? end + 4 : start + strlen(start);
        if (end)
                *end = '\0';
        return start;
}

static void
tell(void *arg, const struct sw_df_finding *f)
{
        (void) arg;
        fuzz_check(f->message && *f->message);
}

static void
check_result(const sw_df_result *r)
{
        sw_autoptr(sw_definition) def = NULL;
        struct sw_df_arena *a = sw_df_arena_new();
        sw_auto(sw_buf) again = SW_BUF_INIT;
        struct sw_df_image img;

        if (!sw_definition_is_empty(r->definition.data, r->definition.len) &&
            r->definition.len < SW_DEFINITION_MAX_BYTES)
                fuzz_check(fuzz_ok(sw_definition_decode(r->definition.data,
                                                        r->definition.len, NULL, &def)));
        /* what is no UTF-8 was written as U+FFFD, escaped; read, that is a character */
        fuzz_check(r->config.len > 0);
        if (!memmem(r->config.data, r->config.len, "\\ufffd", 6) &&
            fuzz_ok(sw_df_image_parse(a, r->config.data, r->config.len, &img))) {
                sw_df_image_write(&img, &again);
                fuzz_check(again.len == r->config.len &&
                           memcmp(again.data, r->config.data, again.len) == 0);
        }
        sw_df_arena_free(a);
}

static void
run(char *text)
{
        char *rest = text, *options = part(&rest), *ignore = part(&rest);
        SW_ARRAY(struct sw_attr) opts = { NULL, 0, 0 };
        struct sw_df_lint lint = { .tell = tell };
        sw_df_result *r = NULL;
        struct fake f;

        for (char *line = strtok(options, "\n"); line && opts.n < 20;
             line = strtok(NULL, "\n")) {
                char *eq = strchr(line, '=');

                if (eq) {
                        *eq = '\0';
                        sw_array_push(&opts, (struct sw_attr){ line, eq + 1 });
                }
        }
        fake_init(&f);
        (void) sw_map_set(f.files, ".dockerignore", sw_strdup(ignore));
        (void) sw_map_set(f.files, "Dockerfile", sw_strdup(rest));
        if (fuzz_ok(fake_convert(&f, opts.v, opts.n, &lint, &r)) && r)
                check_result(r);
        sw_df_result_free(r);
        sw_df_lint_release(&lint);
        fake_release(&f);
        sw_array_release(&opts);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        char *text;

        if (size > MAX_TEXT)
                return 0;
        text = malloc(size + 1);
        if (!text)
                abort();
        if (size)
                memcpy(text, data, size);
        text[size] = '\0';
        run(text);
        free(text);
        return 0;
}
