/*
 * plugins/source-local/report.c - says what is big in a directory, before it is read.
 * Thread: one.
 */
#include <string.h>

#include <slipway/text.h>

#include "plugins/source-local/local.h"

#define BIG     (INT64_C(100) * 1000 * 1000)
#define TOLD    3
#define MAX_DIR 60 /* characters of a name that are shown */

/* Something in the top directory, with what is below it. */
struct top {
        const char *name;
        size_t len;
        bool is_dir;
        int64_t bytes;
};

static bool
is_unread(const struct list *l, size_t i)
{
        return S_ISREG(l->v[i].mode) && !l->v[i].same_as && !l->items[i].known;
}

/* Put @t among the biggest so far. */
static void
rank(struct top *best, const struct top *t)
{
        size_t i = TOLD;

        while (i > 0 && best[i - 1].bytes < t->bytes)
                i--;
        if (i == TOLD)
                return;
        memmove(&best[i + 1], &best[i], (TOLD - 1 - i) * sizeof(*best));
        best[i] = *t;
}

static void
tell(sw_ctx *ctx, const char *name, int64_t bytes, size_t files, const struct top *best)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;
        char size[32];

        for (size_t i = 0; i < TOLD && best[i].bytes > 0; i++) {
                sw_buf_adds(&b, i ? ", " : "");
                sw_buf_add_quoted(&b, best[i].name, best[i].len, MAX_DIR);
                sw_buf_addf(&b, "%s %s", best[i].is_dir ? " with" : "",
                            sw_size_str(best[i].bytes, size));
        }
        sw_progress_note(ctx,
                         "local directory %s: %s in %zu files that are new to the cache; "
                         "most in %s (what is not needed can be excluded)",
                         name, sw_size_str(bytes, size), files, b.data);
}

void
report_biggest(sw_ctx *ctx, const char *name, const struct list *l)
{
        struct top best[TOLD + 1] = { 0 }, t = { 0 };
        int64_t bytes = 0;
        size_t files = 0;

        for (size_t i = 0; i < l->n; i++) {
                const char *path = l->v[i].path;
                size_t len = strcspn(path, "/");

                if (!t.name || len != t.len || memcmp(path, t.name, len) != 0) {
                        rank(best, &t);
                        t = (struct top){ path, len, S_ISDIR(l->v[i].mode), 0 };
                }
                if (!is_unread(l, i))
                        continue;
                bytes += l->v[i].size;
                t.bytes += l->v[i].size;
                files++;
        }
        rank(best, &t);
        if (bytes >= BIG)
                tell(ctx, name, bytes, files, best);
}
