/*
 * cmd/slipway/history/words.c - a build in words. See past.h. Thread: main.
 */
#include <stdio.h>
#include <string.h>

#include <slipway/text.h>
#include <slipway/time.h>

#include "cmd/slipway/history/past.h"

/* ---- Words ---- */

/* Names that exporters were given, "a, b"; "" without any. */
static void
add_names(sw_buf *out, const struct sw_history_build *b)
{
        for (size_t i = 0; i < b->n_outputs; i++) {
                const struct sw_history_output *o = &b->outputs[i];
                const char *name = sw_attr_get(o->attrs, o->n_attrs, "name");

                if (name && *name)
                        sw_buf_addf(out, "%s%s", out->len ? ", " : "", name);
        }
}

static const char *
destination(const struct sw_history_build *b)
{
        for (size_t i = 0; i < b->n_outputs; i++) {
                const struct sw_history_output *o = &b->outputs[i];
                const char *dest = sw_attr_get(o->attrs, o->n_attrs, "dest");

                if (dest && *dest)
                        return dest;
        }
        return NULL;
}

/* The context, where its name is known, and the Dockerfile where it is not the usual one.
 */
static void
add_place(sw_buf *out, const struct sw_history_build *b)
{
        const char *remote = sw_attr_get(b->attrs, b->n_attrs, "context");
        const char *dir = sw_attr_get(b->attrs, b->n_attrs, "vcs:localdir:context");
        const char *file = sw_attr_get(b->attrs, b->n_attrs, "filename");
        const char *where = remote && *remote ? remote : dir;

        if (sw_str_eq(file, "Dockerfile"))
                file = NULL;
        if (where && *where)
                sw_buf_adds(out, where);
        if (file && *file)
                sw_buf_addf(out, out->len ? " (%s)" : "%s", file);
}

char *
past_what(const struct sw_history_build *b)
{
        const char *name =
                sw_attr_get(b->attrs, b->n_attrs, "build-arg:BUILDKIT_BUILD_NAME");
        const char *target = sw_attr_get(b->attrs, b->n_attrs, "target");
        const char *dest = destination(b);
        sw_auto(sw_buf) out = SW_BUF_INIT;

        if (name && *name)
                return sw_strdup(name);
        add_names(&out, b);
        if (!out.len)
                add_place(&out, b);
        if (target && *target)
                sw_buf_addf(&out, "%starget %s", out.len ? ", " : "", target);
        if (!out.len && dest)
                sw_buf_addf(&out, "%s", dest);
        if (!out.len)
                sw_buf_adds(&out, sw_str_has_prefix(b->frontend, "dockerfile.")
                                          ? "Dockerfile"
                                  : *b->frontend ? b->frontend
                                                 : "a definition");
        return sw_buf_detach(&out);
}

const char *
past_took(const struct sw_history_build *b, char out[32])
{
        const int64_t end = b->completed                     ? b->completed
                            : b->state == SW_HISTORY_RUNNING ? sw_time_now()
                                                             : 0;
        const double s = end > b->created ? (double) (end - b->created) / 1e9 : 0;

        if (!end)
                (void) snprintf(out, 32, "-");
        else if (s < 60)
                (void) snprintf(out, 32, s < 0.1 ? "%.3fs" : "%.1fs", s);
        else if (s < 3600)
                (void) snprintf(out, 32, "%dm%02ds", (int) s / 60, (int) s % 60);
        else
                (void) snprintf(out, 32, "%lldh%02dm", (long long) s / 3600,
                                (int) ((long long) s / 60 % 60));
        return out;
}

const char *
past_state(const struct sw_history_build *b)
{
        switch (b->state) {
        case SW_HISTORY_FAILED: return "failed";
        case SW_HISTORY_CANCELLED: return "cancelled";
        default: return sw_history_state_name(b->state);
        }
}
