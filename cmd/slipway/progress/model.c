/*
 * cmd/slipway/progress/model.c - see model.h. Thread: main.
 */
#include <stdio.h>
#include <string.h>

#include <slipway/text.h>
#include <slipway/time.h>

#include "cmd/slipway/progress/model.h"

static void
free_step(void *p)
{
        struct model_step *s = p;

        for (size_t i = 0; i < MODEL_TAIL; i++)
                free(s->tail[i]);
        for (size_t i = 0; i < s->statuses.n; i++)
                free(s->statuses.v[i].id);
        sw_array_release(&s->statuses);
        sw_array_release(&s->inputs);
        sw_strlist_release(&s->paths);
        sw_strlist_release(&s->lines);
        sw_strlist_release(&s->warnings);
        sw_buf_release(&s->partial[0]);
        sw_buf_release(&s->partial[1]);
        free(s->name);
        free(s->error);
        free(s);
}

void
model_init(model *m, bool keep_lines)
{
        *m = (model){ .began = sw_time_mono(), .keep_lines = keep_lines };
        m->by_digest = sw_map_new(free_step);
        m->groups = sw_map_new(free_step);
}

void
model_release(model *m)
{
        for (size_t i = 0; i < m->warnings.n; i++) {
                free(m->warnings.v[i].text);
                free(m->warnings.v[i].url);
                free(m->warnings.v[i].file);
                sw_strlist_release(&m->warnings.v[i].detail);
        }
        sw_array_release(&m->warnings);
        sw_array_release(&m->steps);
        sw_array_release(&m->rows);
        if (m->by_digest)
                sw_map_free(m->by_digest);
        if (m->groups)
                sw_map_free(m->groups);
        m->by_digest = m->groups = NULL;
}

struct model_step *
model_find(const model *m, const sw_digest *d)
{
        return sw_map_get_bytes(m->by_digest, d->b, sizeof(d->b));
}

static struct model_step *
new_step(const char *name)
{
        struct model_step *s = sw_new(struct model_step);

        s->usage = (struct model_usage){ -1, -1, -1, -1 };
        sw_buf_init(&s->partial[0]);
        sw_buf_init(&s->partial[1]);
        s->name = sw_strdup(name);
        return s;
}

static struct model_step *
step_of(model *m, const sw_digest *d)
{
        struct model_step *s = model_find(m, d);

        if (s)
                return s;
        s = new_step("");
        s->digest = *d;
        (void) sw_map_set_bytes(m->by_digest, d->b, sizeof(d->b), s);
        sw_array_push(&m->steps, s);
        return s;
}

static void
reveal(model *m, struct model_step *row)
{
        if (row->revealed)
                return;
        row->revealed = true;
        sw_array_push(&m->rows, row);
}

/* The row of a vertex that is met for the first time. */
static struct model_step *
row_of(model *m, struct model_step *s, const struct sw_progress_vertex *v)
{
        if (s->row)
                return s->row;
        if (!v || !v->group_id) {
                s->row = s;
                reveal(m, s);
                return s;
        }
        s->row = sw_map_get(m->groups, v->group_id);
        if (!s->row) {
                s->row = new_step(v->group_name ? v->group_name : "");
                s->row->is_group = true;
                (void) sw_map_set(m->groups, v->group_id, s->row);
        }
        s->row->n_members++;
        return s->row;
}

bool
step_running(const struct model_step *s)
{
        return s->started && !s->completed;
}

bool
step_cancelled(const struct model_step *s)
{
        return s->error && sw_str_has_suffix(s->error, "context canceled");
}

double
step_seconds(const struct model_step *s)
{
        int64_t end = s->completed ? s->completed : sw_time_now();
        int64_t ns = s->earlier + (s->started && end > s->started ? end - s->started : 0);

        return (double) ns / 1e9;
}

static void
add_used(sw_buf *b, const char *amount, const char *of, bool *any)
{
        sw_buf_addf(b, "%s%s %s", *any ? ", " : "", amount, of);
        *any = true;
}

void
step_add_usage(sw_buf *b, const struct model_step *s)
{
        const struct model_usage *u = &s->usage;
        char text[32];
        bool any = false;

        if (u->cpu_ns >= 0) {
                if (u->cpu_ns < 100000000)
                        (void) snprintf(text, sizeof(text), "%.1fms",
                                        (double) u->cpu_ns / 1e6);
                else
                        (void) snprintf(text, sizeof(text), "%.1fs",
                                        (double) u->cpu_ns / 1e9);
                add_used(b, text, "CPU", &any);
        }
        if (u->memory_peak > 0)
                add_used(b, sw_size_str(u->memory_peak, text), "memory", &any);
        if (u->io_read > 0)
                add_used(b, sw_size_str(u->io_read, text), "read", &any);
        if (u->io_written > 0)
                add_used(b, sw_size_str(u->io_written, text), "written", &any);
}

/* ---- Taking ---- */

static void
touch(struct model_step *s)
{
        s->fresh = true;
        s->count++;
        if (!s->since)
                s->since = sw_time_mono();
}

static void
end_line(model *m, struct model_step *s, sw_buf *line)
{
        char **place = &s->tail[s->n_tail++ % MODEL_TAIL];

        free(*place);
        *place = sw_strdup(line->data);
        if (m->keep_lines)
                sw_strlist_add(&s->lines, line->data);
        sw_buf_clear(line);
}

static void
set_error(struct model_step *s, const char *error)
{
        free(s->error);
        s->error = error && *error ? sw_strdup(error) : NULL;
}

/* How a member of @g goes on changes the group: it runs while one of them does, was found
 * in the cache when all of them were, and has the error of the first that failed. */
static void
take_member(model *m, struct model_step *g, const struct model_step *was,
            const struct sw_progress_vertex *v)
{
        bool ran = step_running(was), runs = v->started && !v->completed;

        g->n_cached += (unsigned) v->cached - (unsigned) was->cached;
        g->cached = g->n_cached == g->n_members;
        g->n_running += (unsigned) runs - (unsigned) ran;
        if (v->started && v->started > was->started) {
                if (!g->started) {
                        g->started = v->started;
                } else if (g->completed && v->started >= g->completed) {
                        g->earlier += g->completed - g->started;
                        g->started = v->started;
                }
        }
        if (g->n_running > 0)
                g->completed = 0;
        else if (v->completed > g->completed)
                g->completed = v->completed;
        if (v->error && *v->error && !g->error)
                set_error(g, v->error);
        if (g->error || (v->started && !v->group_weak))
                reveal(m, g);
        touch(g);
}

static void
take_times(struct model_step *s, const struct sw_progress_vertex *v)
{
        if (s->completed && v->started > s->started) /* it began again */
                s->earlier += s->completed - s->started;
        s->started = v->started;
        s->completed = v->completed;
        s->cached = v->cached;
        set_error(s, v->error);
}

static void
take_vertex(model *m, const struct sw_progress_vertex *v)
{
        struct model_step *s = step_of(m, &v->digest);
        struct model_step *row = row_of(m, s, v);

        if (!*s->name && *v->name) {
                free(s->name);
                s->name = sw_strdup(v->name);
        }
        if (row->is_group)
                take_member(m, row, s, v);
        take_times(s, v);
        s->why = v->why;
        s->why_input = v->why_input;
        if (s->paths.n == 0)
                for (size_t i = 0; i < v->n_why_paths; i++)
                        sw_strlist_add(&s->paths, v->why_paths[i]);
        if (s->inputs.n == 0)
                for (size_t i = 0; i < v->n_inputs; i++)
                        sw_array_push(&s->inputs, v->inputs[i]);
        touch(s);
}

/* A blob that need not be sent is told again, with how that came behind its id. */
static void
look_for_shared(struct model_step *s, struct model_status *st)
{
        static const char *const suffixes[] = { ": exists", ": mounted" };

        if (!strstr(st->id, "sha256:"))
                return;
        for (size_t i = 0; i < SW_COUNT(suffixes); i++)
                st->shared |= sw_str_has_suffix(st->id, suffixes[i]);
        for (size_t i = 0; i < s->statuses.n && st->shared; i++) {
                struct model_status *o = &s->statuses.v[i];
                size_t n = strlen(o->id);

                if (!o->completed && strncmp(o->id, st->id, n) == 0 && st->id[n] == ':')
                        o->replaced = true;
        }
}

static struct model_status *
status_of(struct model_step *s, const char *id)
{
        for (size_t i = 0; i < s->statuses.n; i++)
                if (strcmp(s->statuses.v[i].id, id) == 0)
                        return &s->statuses.v[i];
        if (s->statuses.n >= MODEL_STATUS)
                return NULL;
        sw_array_push(&s->statuses, (struct model_status){ .id = sw_strdup(id) });
        look_for_shared(s, &s->statuses.v[s->statuses.n - 1]);
        return &s->statuses.v[s->statuses.n - 1];
}

/* What a step used, told in numbers whose unit the id says. */
static bool
take_usage(struct model_usage *u, const struct sw_progress_status *p)
{
        if (!sw_str_has_prefix(p->id, "usage."))
                return false;
        if (sw_str_eq(p->id, "usage.cpu_ns"))
                u->cpu_ns = p->current;
        else if (sw_str_eq(p->id, "usage.memory_peak"))
                u->memory_peak = p->current;
        else if (sw_str_eq(p->id, "usage.io_read"))
                u->io_read = p->current;
        else if (sw_str_eq(p->id, "usage.io_written"))
                u->io_written = p->current;
        return true;
}

static void
take_status(model *m, const struct sw_progress_status *p)
{
        struct model_step *of = step_of(m, &p->vertex), *s = row_of(m, of, NULL);
        struct model_status *st;

        if (take_usage(&of->usage, p))
                return;
        st = status_of(s, p->id);
        if (!st)
                return;
        st->current = p->current;
        st->total = p->total;
        st->timestamp = p->timestamp;
        st->started = p->started;
        st->completed = p->completed;
        st->fresh = true;
        touch(s);
}

/* Seconds since the step began, with as many digits as are worth it. */
static void
begin_line(const struct model_step *s, sw_buf *line, int64_t when)
{
        double sec =
                s->started && when > s->started ? (double) (when - s->started) / 1e9 : 0;

        sw_buf_addf(line, "%.*f ", sec < 10 ? 3 : sec < 100 ? 2 : 1, sec);
}

/* Each stream has its own lines: how the two are mixed is chance. */
static void
take_log(model *m, const struct sw_progress_log *l)
{
        struct model_step *s = row_of(m, step_of(m, &l->vertex), NULL);
        sw_buf *line = &s->partial[l->stream == 2];
        const char *p = l->data, *end = p + l->len;

        while (p < end) {
                const char *nl = memchr(p, '\n', (size_t) (end - p));
                size_t n = (size_t) ((nl ? nl : end) - p);

                if (line->len == 0)
                        begin_line(s, line, l->timestamp);
                if (n > MODEL_LINE)
                        n = MODEL_LINE;
                for (size_t i = 0; i < n; i++)
                        if (p[i]) /* a line is a C string */
                                sw_buf_addc(line, p[i]);
                p += n;
                if (p < end && *p == '\n') {
                        if (line->data[line->len - 1] == '\r')
                                sw_buf_truncate(line, line->len - 1);
                        end_line(m, s, line);
                        p++;
                } else if (line->len > MODEL_LINE) {
                        end_line(m, s, line);
                }
        }
        touch(s);
}

static void
take_warning(model *m, const struct sw_progress_warning *p)
{
        struct model_step *s = row_of(m, step_of(m, &p->vertex), NULL);
        struct model_warning w = {
                .step = s,
                .text = sw_strdup(p->text),
                .url = p->url ? sw_strdup(p->url) : NULL,
                .file = p->source ? sw_strdup(p->source->file) : NULL,
                .line = p->source ? p->source->first_line : 0,
                .level = p->level,
        };

        for (const char *const *line = p->detail; line && *line; line++)
                sw_strlist_add(&w.detail, *line);
        sw_array_push(&m->warnings, w);
        sw_strlist_add(&s->warnings, p->text);
        touch(s);
}

/* A step is over: its last lines have an end now, and are of interest if it failed. */
static void
end_log(model *m, struct model_step *s)
{
        for (size_t k = 0; k < SW_COUNT(s->partial); k++)
                if (s->partial[k].len > 0)
                        end_line(m, s, &s->partial[k]);
        for (size_t i = 0; i < MODEL_TAIL && !s->error && !s->is_group; i++) {
                free(s->tail[i]);
                s->tail[i] = NULL;
                s->n_tail = 0;
        }
}

void
model_take(model *m, const struct sw_progress_batch *b)
{
        for (size_t i = 0; i < b->n_vertices; i++)
                take_vertex(m, &b->vertices[i]);
        for (size_t i = 0; i < b->n_statuses; i++)
                take_status(m, &b->statuses[i]);
        for (size_t i = 0; i < b->n_warnings; i++)
                take_warning(m, &b->warnings[i]);
        for (size_t i = 0; i < b->n_logs; i++)
                take_log(m, &b->logs[i]);
        for (size_t i = 0; i < b->n_vertices; i++) {
                struct model_step *s = step_of(m, &b->vertices[i].digest)->row;

                if (s->completed)
                        end_log(m, s);
        }
}
