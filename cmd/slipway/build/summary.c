/*
 * cmd/slipway/build/summary.c - what is worth knowing when a build is over: where the time
 * went, what was cached and what changed, how large the layers are, where the result is.
 *
 *      time    8.1s ████████████████████ [build 2/5] RUN make
 *              0.5s █                    exporting to image
 *      cache   3 of 5 steps cached; [build 4/5] COPY . .: src/main.c changed
 *      layers  45.20MB in 5: 30.10MB FROM debian:12, 12.00MB RUN make, 3.10MB COPY . .
 *      image   app:1 sha256:0123456789ab, in the store, pushed
 *
 * Few lines for a small build, some more for a large one. In a log, where lines of plain
 * progress are before it, only what cannot be read off them is told: an empty line, then
 * the cache and the result. No line begins with "#", as all of plain progress do.
 * Thread: main.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <slipway/json.h>
#include <slipway/text.h>

#include "cmd/slipway/build/report.h"
#include "cmd/slipway/progress/stepname.h"
#include "cmd/slipway/progress/width.h"
#include "cmd/slipway/term.h"

#define TIME_LEAST  0.1  /* s: shorter ones are not worth a row */
#define SHARE_LEAST 0.03 /* of the longest, or of all layers: the same */

enum {
        BAR = 20,
        LABEL = 8,         /* columns of "layers" and the like */
        FEW_STEPS = 8,     /* a small build */
        ROWS_FEW = 3,      /* of times, reasons, layers in a small build */
        ROWS_MANY = 6,     /* in a larger one */
        PATHS = 3,         /* that changed, for one step */
        DIGEST_SHOWN = 19, /* sha256: and twelve digits */
};

struct summary {
        sw_buf *b;
        const struct report *r;
        bool terminal, colour;
        size_t width;     /* 0: lines are as long as they are */
        const char *last; /* label of the line before */
        size_t steps, cached;
};

/* ---- Lines ---- */

/* One line; a label that the line before has, too, is not written again. */
static void
add_line(struct summary *s, const char *label, const char *text)
{
        const char *shown = sw_str_eq(label, s->last) ? "" : label;

        if (s->colour)
                sw_buf_adds(s->b, "\033[2m");
        sw_buf_addf(s->b, "%-*s", LABEL, shown);
        if (s->colour)
                sw_buf_adds(s->b, "\033[0m");
        if (s->width > LABEL + 1)
                (void) width_add(s->b, text, s->width - LABEL - 1);
        else
                sw_buf_adds(s->b, text);
        sw_buf_addc(s->b, '\n');
        s->last = label;
}

static void
add_name(sw_buf *b, const char *name)
{
        sw_auto(sw_str) one = sw_strdup(name);

        for (char *p = one; *p; p++)
                if (*p == '\n' || *p == '\r' || *p == '\t')
                        *p = ' ';
        term_add_text(b, one);
}

/* ---- Steps ---- */

/* What a Dockerfile says, rather than what it takes to read and to export it. */
static bool
is_step(const struct model_step *row)
{
        struct step_name name;

        step_name_parse(row->name, &name);
        return row->started && !name.internal &&
               !sw_str_has_prefix(row->name, "local://") &&
               !sw_str_has_prefix(row->name, "exporting ") &&
               !sw_str_has_prefix(row->name, "pushing ") &&
               !sw_str_has_prefix(row->name, "importing cache");
}

static void
count_steps(struct summary *s)
{
        const model *m = s->r->model;

        for (size_t i = 0; i < m->rows.n; i++) {
                if (!is_step(m->rows.v[i]))
                        continue;
                s->steps++;
                s->cached += m->rows.v[i]->cached;
        }
}

static size_t
rows_for(const struct summary *s)
{
        return s->steps > FEW_STEPS ? ROWS_MANY : ROWS_FEW;
}

/* ---- Time ---- */

static int
compare_times(const void *a, const void *b)
{
        const struct model_step *const *x = a, *const *y = b;
        double tx = step_seconds(*x), ty = step_seconds(*y);

        return (tx < ty) - (tx > ty);
}

static void
add_time(struct summary *s, const struct model_step *step, double longest)
{
        double took = step_seconds(step);
        int bar = (int) (took / longest * BAR + 0.5);
        sw_auto(sw_buf) text = SW_BUF_INIT;

        sw_buf_addf(&text, "%5.1fs ", took);
        for (int i = 0; i < BAR; i++)
                sw_buf_adds(&text, i < bar ? "█" : " ");
        sw_buf_addc(&text, ' ');
        add_name(&text, step->name);
        add_line(s, "time", text.data);
}

/* The longest steps, when there is something to choose from. */
static void
add_times(struct summary *s)
{
        const model *m = s->r->model;
        SW_ARRAY(const struct model_step *) ran = { 0 };
        double longest;

        for (size_t i = 0; i < m->rows.n; i++)
                if (m->rows.v[i]->started && !m->rows.v[i]->cached &&
                    step_seconds(m->rows.v[i]) >= TIME_LEAST)
                        sw_array_push(&ran, m->rows.v[i]);
        if (ran.n > 1) {
                qsort(ran.v, ran.n, sizeof(*ran.v), compare_times);
                longest = step_seconds(ran.v[0]);
                for (size_t i = 0; i < ran.n && i < rows_for(s); i++)
                        if (step_seconds(ran.v[i]) >= longest * SHARE_LEAST)
                                add_time(s, ran.v[i], longest);
        }
        sw_array_release(&ran);
}

/* ---- Cache ---- */

static const struct model_step *
cause_of(const struct summary *s, const struct model_step *step)
{
        return step->why_input < step->inputs.n
                       ? model_find(s->r->model, &step->inputs.v[step->why_input])
                       : NULL;
}

/* It ran because of itself, and not because another step before it did. */
static bool
is_cause(const struct summary *s, const struct model_step *step)
{
        const struct model_step *in;

        if (!step->started || step->cached || step->error || step->why == SW_WHY_NONE)
                return false;
        if (step->why != SW_WHY_INPUT_KEY_NEW && step->why != SW_WHY_INPUT_CONTENT_CHANGED)
                return true;
        in = cause_of(s, step);
        return !in || in->why == SW_WHY_NONE || in->cached;
}

static void
add_paths(sw_buf *b, const struct model_step *step)
{
        size_t n = step->paths.n < PATHS ? step->paths.n : PATHS;

        for (size_t i = 0; i < n; i++) {
                sw_buf_adds(b, i ? ", " : "");
                term_add_text(b, step->paths.v[i]);
        }
        if (step->paths.n > n)
                sw_buf_addf(b, " and %zu more", step->paths.n - n);
        sw_buf_adds(b, " changed");
}

static void
add_reason(struct summary *s, sw_buf *b, const struct model_step *step)
{
        const struct model_step *in = cause_of(s, step);

        add_name(b, step->row ? step->row->name : step->name);
        sw_buf_adds(b, ": ");
        if (step->paths.n > 0) {
                add_paths(b, step);
        } else if (step->why == SW_WHY_RESULT_GONE) {
                sw_buf_adds(b, "its result was pruned");
        } else if (step->why == SW_WHY_IGNORED) {
                sw_buf_adds(b, "told not to use the cache");
        } else if (step->why == SW_WHY_NO_RECORD || !in || !*in->name) {
                sw_buf_adds(b, "never run like this before");
        } else {
                add_name(b, in->name);
                sw_buf_adds(b, step->why == SW_WHY_INPUT_KEY_NEW ? " is new" : " changed");
        }
}

/* Why what ran did, where anything was cached: else all of it is new. */
static void
add_reasons(struct summary *s, sw_buf *first)
{
        const model *m = s->r->model;
        size_t n = 0, ran = 0;

        for (size_t i = 0; i < m->steps.n; i++)
                n += is_cause(s, m->steps.v[i]);
        if (n != 1)
                add_line(s, "cache", first->data);
        for (size_t i = 0; i < m->steps.n && ran < rows_for(s); i++) {
                sw_auto(sw_buf) text = SW_BUF_INIT;

                if (!is_cause(s, m->steps.v[i]))
                        continue;
                if (n == 1)
                        sw_buf_addf(&text, "%s; ", first->data);
                add_reason(s, &text, m->steps.v[i]);
                add_line(s, "cache", text.data);
                ran++;
        }
        if (n > ran) {
                sw_auto(sw_buf) text = SW_BUF_INIT;

                sw_buf_addf(&text, "and %zu more; --explain has them all", n - ran);
                add_line(s, "cache", text.data);
        }
}

static bool
is_told_to_ignore(const struct summary *s)
{
        for (size_t i = 0; i < s->r->model->steps.n; i++)
                if (s->r->model->steps.v[i]->why == SW_WHY_IGNORED)
                        return true;
        return false;
}

static void
add_cache(struct summary *s)
{
        sw_auto(sw_buf) text = SW_BUF_INIT;

        if (s->steps == 0)
                return;
        sw_buf_addf(&text, "%zu of %zu step%s cached", s->cached, s->steps,
                    s->steps == 1 ? "" : "s");
        if (s->cached == s->steps) {
                add_line(s, "cache", text.data);
                return;
        }
        if (s->cached > 0) {
                add_reasons(s, &text);
                return;
        }
        sw_buf_adds(&text,
                    is_told_to_ignore(s) ? ", as told" : ": none was run like this before");
        add_line(s, "cache", text.data);
}

/* ---- Layers ---- */

struct layer {
        int64_t size;
        const char *by;
};

static int
compare_layers(const void *a, const void *b)
{
        const struct layer *x = a, *y = b;

        return (x->size < y->size) - (x->size > y->size);
}

/* "/bin/sh -c #(nop) CMD x" and "RUN /bin/sh -c make # buildkit" as they were written. */
static void
add_by(sw_buf *b, const char *by)
{
        static const char *const heads[] = { "/bin/sh -c #(nop) ", "/bin/sh -c ",
                                             "RUN /bin/sh -c " };
        static const char tail[] = " # buildkit";
        sw_auto(sw_str) text = NULL;

        for (size_t i = 0; i < SW_COUNT(heads); i++)
                if (sw_str_has_prefix(by, heads[i])) {
                        by += strlen(heads[i]);
                        sw_buf_adds(b, i == 0 ? "" : "RUN ");
                        break;
                }
        by += strspn(by, " ");
        text = sw_strdup(by);
        if (sw_str_has_suffix(text, tail))
                text[strlen(text) - strlen(tail)] = '\0';
        add_name(b, text);
}

static void
list_layers(struct summary *s, const sw_json *list)
{
        SW_ARRAY(struct layer) all = { 0 };
        sw_auto(sw_buf) text = SW_BUF_INIT;
        int64_t total = 0;
        char size[32];

        for (size_t i = 0; i < json_array_size(list); i++) {
                const sw_json *o = json_array_get(list, i);
                struct layer l = {
                        .size = json_integer_value(json_object_get(o, "size")),
                        .by = json_string_value(json_object_get(o, "by")),
                };

                total += l.size;
                sw_array_push(&all, l);
        }
        if (all.n > 0) {
                qsort(all.v, all.n, sizeof(*all.v), compare_layers);
                sw_buf_addf(&text, "%s in %zu", sw_size_str(total, size), all.n);
        }
        for (size_t i = 0; i < all.n && i < rows_for(s) && all.n > 1; i++) {
                if (!all.v[i].by || (double) all.v[i].size < (double) total * SHARE_LEAST)
                        continue;
                sw_buf_addf(&text, "%s %s ", i ? "," : ":",
                            sw_size_str(all.v[i].size, size));
                add_by(&text, all.v[i].by);
        }
        if (all.n > 0)
                add_line(s, "layers", text.data);
        sw_array_release(&all);
}

static void
add_layers(struct summary *s)
{
        for (size_t i = 0; i < s->r->outputs->asked.n; i++) {
                const sw_map *answer = sw_build_response(s->r->build, i);
                const char *coded = answer ? sw_map_get(answer, "slipway.layers") : NULL;
                sw_auto(sw_buf) raw = SW_BUF_INIT;

                if (!coded || !sw_json_base64(coded, &raw))
                        continue;
                sw_autoptr(sw_json) doc = json_loadb(raw.data, raw.len, 0, NULL);
                list_layers(s, json_object_get(doc, "layers"));
                return;
        }
}

/* ---- Result ---- */

/* What an attribute says; @is: what holds when it says nothing. */
static bool
says(const struct sw_build_output *o, const char *key, bool is)
{
        const char *text = sw_attr_get(o->attrs, o->n_attrs, key);

        if (text && *text)
                sw_err_drop(sw_parse_bool(text, &is), "the exporter says what is wrong");
        return is;
}

static void
add_file(sw_buf *b, const char *path)
{
        struct stat st;
        char size[32];

        if (strcmp(path, "-") == 0) {
                sw_buf_adds(b, "standard output");
                return;
        }
        term_add_text(b, path);
        if (stat(path, &st) == 0 && S_ISREG(st.st_mode))
                sw_buf_addf(b, ", %s", sw_size_str(st.st_size, size));
}

static void
add_image(struct summary *s, size_t i, const char *dest)
{
        const struct sw_build_output *o = &s->r->outputs->asked.v[i];
        const sw_map *answer = sw_build_response(s->r->build, i);
        const char *name = answer ? sw_map_get(answer, "image.name") : NULL;
        const char *digest = answer ? sw_map_get(answer, "containerimage.digest") : NULL;
        sw_auto(sw_buf) text = SW_BUF_INIT;

        if (!name)
                name = sw_attr_get(o->attrs, o->n_attrs, "name");
        if (name && *name) {
                term_add_text(&text, name);
                sw_buf_addc(&text, ' ');
        }
        if (digest)
                sw_buf_addf(&text, "%.*s", s->terminal ? DIGEST_SHOWN : INT32_MAX, digest);
        if (dest) {
                sw_buf_adds(&text, text.len ? " in " : "in ");
                add_file(&text, dest);
        } else if (!outputs_at(s->r->outputs, i)) {
                sw_buf_adds(&text, ", loaded");
        } else {
                if (says(o, "store", true))
                        sw_buf_adds(&text, ", in slipway's store");
                if (says(o, "push", false) || says(o, "push-by-digest", false))
                        sw_buf_adds(&text, ", pushed");
        }
        add_line(s, "image", text.data);
}

static void
add_results(struct summary *s)
{
        const outputs *all = s->r->outputs;

        for (size_t i = 0; i < all->asked.n; i++) {
                const char *type = all->asked.v[i].type;
                const struct output *o = outputs_at(all, i);
                const char *dest = o ? output_dest(o) : NULL;
                sw_auto(sw_buf) text = SW_BUF_INIT;

                if (sw_str_eq(type, "image") || sw_str_eq(type, "oci") ||
                    sw_str_eq(type, "docker")) {
                        add_image(s, i, dest);
                } else if (sw_str_eq(type, "local") || sw_str_eq(type, "tar")) {
                        add_file(&text, dest ? dest : "-");
                        add_line(s, sw_str_eq(type, "tar") ? "archive" : "files",
                                 text.data);
                }
        }
        if (all->asked.n == 0)
                add_line(s, "result", "in the cache only; --output says where to put it");
}

/* ---- All of it ---- */

static bool
is_wanted(const struct report *r)
{
        static const char *const off[] = { "off", "0", "false", "no" };
        const char *env = getenv("SLIPWAY_SUMMARY");

        for (size_t i = 0; i < SW_COUNT(off); i++)
                if (sw_str_eq(env, off[i]))
                        return false;
        return sw_str_eq(r->mode, "tty") || sw_str_eq(r->mode, "plain");
}

void
report_summary(const struct report *r)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;
        struct summary s = {
                .b = &b,
                .r = r,
                .terminal = sw_str_eq(r->mode, "tty"),
                .colour = term_colour(STDERR_FILENO),
        };

        if (!is_wanted(r))
                return;
        if (s.terminal)
                s.width = term_width(STDERR_FILENO);
        sw_buf_addc(&b, '\n');
        count_steps(&s);
        if (s.terminal)
                add_times(&s);
        add_cache(&s);
        if (s.terminal)
                add_layers(&s);
        add_results(&s);
        (void) fwrite(b.data, 1, b.len, stderr);
}

/* ---- Warnings ---- */

/* The text says the line, too, which stands in front already. */
static void
add_warning(sw_buf *b, const struct model_warning *w)
{
        sw_auto(sw_str) line = sw_asprintf(" (line %d)", w->line);
        sw_auto(sw_str) text = sw_strdup(w->text);

        if (w->file && sw_str_has_suffix(text, line))
                text[strlen(text) - strlen(line)] = '\0';
        sw_buf_adds(b, " - ");
        if (w->file) {
                term_add_text(b, w->file);
                sw_buf_addf(b, ":%d: ", w->line);
        }
        add_name(b, text);
        if (w->url) {
                sw_buf_adds(b, "\n   ");
                term_add_text(b, w->url);
        }
        sw_buf_addc(b, '\n');
}

/* The lines of plain progress have had them, but for their places. */
void
report_warnings(const struct report *r)
{
        bool terminal = sw_str_eq(r->mode, "tty"), checks = false;
        sw_auto(sw_buf) list = SW_BUF_INIT;
        size_t n = 0;

        if (!terminal && !sw_str_eq(r->mode, "plain"))
                return;
        for (size_t i = 0; i < r->model->warnings.n; i++) {
                const struct model_warning *w = &r->model->warnings.v[i];

                if (!terminal && !w->file && !w->url)
                        continue;
                n++;
                checks |= w->file != NULL;
                add_warning(&list, w);
        }
        if (n > 0)
                (void) fprintf(stderr, "\n%zu warning%s%s:\n%s", n, n == 1 ? "" : "s",
                               checks ? " (--check says more)" : "", list.data);
}
