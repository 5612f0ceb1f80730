/*
 * cmd/slipway/progress/rawjson.c - every update as one line of JSON: the SolveStatus of
 * BuildKit's client, field by field in the order its encoder writes them.
 *
 * Thread: main.
 */
#include <string.h>

#include <slipway/json.h>
#include <slipway/time.h>

#include "cmd/slipway/progress/progress.h"

/* An object or array being written. */
static void
comma(sw_buf *b)
{
        char last = b->len ? b->data[b->len - 1] : '\0';

        if (last != '{' && last != '[')
                sw_buf_addc(b, ',');
}

static void
key(sw_buf *b, const char *name)
{
        comma(b);
        sw_buf_addf(b, "\"%s\":", name);
}

static void
add_str(sw_buf *b, const char *name, const char *s)
{
        if (!s || !*s)
                return;
        key(b, name);
        sw_json_add_str(b, s, strlen(s));
}

static void
add_digest(sw_buf *b, const char *name, const sw_digest *d)
{
        char text[SW_DIGEST_STR_SIZE];

        add_str(b, name, sw_digest_str(d, text));
}

static void
add_time(sw_buf *b, const char *name, int64_t ns)
{
        char text[SW_TIME_STR_SIZE];

        if (ns)
                add_str(b, name, sw_time_str(ns, text));
}

static void
add_int(sw_buf *b, const char *name, int64_t n)
{
        key(b, name);
        sw_buf_addf(b, "%lld", (long long) n);
}

static void
add_group(sw_buf *b, const struct sw_progress_vertex *v)
{
        if (!v->group_id)
                return;
        key(b, "progressGroup");
        sw_buf_addc(b, '{');
        add_str(b, "id", v->group_id);
        add_str(b, "name", v->group_name);
        if (v->group_weak) {
                key(b, "weak");
                sw_buf_adds(b, "true");
        }
        sw_buf_addc(b, '}');
}

static void
add_vertex(sw_buf *b, const struct sw_progress_vertex *v)
{
        comma(b);
        sw_buf_addc(b, '{');
        add_digest(b, "digest", &v->digest);
        if (v->n_inputs > 0) {
                key(b, "inputs");
                sw_buf_addc(b, '[');
                for (size_t i = 0; i < v->n_inputs; i++) {
                        char text[SW_DIGEST_STR_SIZE];

                        comma(b);
                        sw_buf_addf(b, "\"%s\"", sw_digest_str(&v->inputs[i], text));
                }
                sw_buf_addc(b, ']');
        }
        add_str(b, "name", v->name);
        add_time(b, "started", v->started);
        add_time(b, "completed", v->completed);
        if (v->cached) {
                key(b, "cached");
                sw_buf_adds(b, "true");
        }
        add_str(b, "error", v->error);
        add_group(b, v);
        sw_buf_addc(b, '}');
}

static void
add_status(sw_buf *b, const struct sw_progress_status *s)
{
        comma(b);
        sw_buf_addc(b, '{');
        key(b, "id");
        sw_json_add_str(b, s->id, strlen(s->id));
        add_digest(b, "vertex", &s->vertex);
        if (s->total)
                add_int(b, "total", s->total);
        add_int(b, "current", s->current);
        add_time(b, "timestamp", s->timestamp);
        add_time(b, "started", s->started);
        add_time(b, "completed", s->completed);
        sw_buf_addc(b, '}');
}

static void
add_log(sw_buf *b, const struct sw_progress_log *l)
{
        comma(b);
        sw_buf_addc(b, '{');
        add_digest(b, "vertex", &l->vertex);
        if (l->stream)
                add_int(b, "stream", l->stream);
        key(b, "data");
        sw_json_add_base64(b, l->data, l->len);
        add_time(b, "timestamp", l->timestamp);
        sw_buf_addc(b, '}');
}

static void
add_detail(sw_buf *b, const char *const *detail)
{
        if (!detail)
                return;
        key(b, "detail");
        sw_buf_addc(b, '[');
        for (; *detail; detail++) {
                comma(b);
                sw_json_add_base64(b, *detail, strlen(*detail));
        }
        sw_buf_addc(b, ']');
}

/* Clients of BuildKit count lines from 1 and leave characters out that are 0. */
static void
add_position(sw_buf *b, const char *name, int line, int character)
{
        key(b, name);
        sw_buf_addc(b, '{');
        add_int(b, "line", line);
        if (character > 0)
                add_int(b, "character", character);
        sw_buf_addc(b, '}');
}

static void
add_source(sw_buf *b, const struct sw_err_source *s)
{
        if (!s)
                return;
        key(b, "sourceInfo");
        sw_buf_addc(b, '{');
        add_str(b, "filename", s->file);
        if (s->data) {
                key(b, "data");
                sw_json_add_base64(b, s->data, s->len);
        }
        add_str(b, "language", s->language);
        sw_buf_addc(b, '}');
        if (s->first_line <= 0)
                return;
        key(b, "range");
        sw_buf_adds(b, "[{");
        add_position(b, "start", s->first_line, s->first_char - 1);
        add_position(b, "end", s->last_line, s->end_char - 1);
        sw_buf_adds(b, "}]");
}

static void
add_warning(sw_buf *b, const struct sw_progress_warning *w)
{
        comma(b);
        sw_buf_addc(b, '{');
        add_digest(b, "vertex", &w->vertex);
        if (w->level)
                add_int(b, "level", w->level);
        key(b, "short");
        sw_json_add_base64(b, w->text, strlen(w->text));
        add_detail(b, w->detail);
        add_str(b, "url", w->url);
        add_source(b, w->source);
        sw_buf_addc(b, '}');
}

#define ADD_ALL(b, name, fn, v, n)                                                         \
        do {                                                                               \
                if ((n) == 0)                                                              \
                        break;                                                             \
                key((b), (name));                                                          \
                sw_buf_addc((b), '[');                                                     \
                for (size_t i_ = 0; i_ < (n); i_++)                                        \
                        fn((b), &(v)[i_]);                                                 \
                sw_buf_addc((b), ']');                                                     \
        } while (0)

static void
rawjson_step(void *self, model *m, const struct sw_progress_batch *batch,
             struct progress_out *out)
{
        sw_buf *b = &out->buf;

        (void) self;
        (void) m;
        if (!batch)
                return;
        sw_buf_addc(b, '{');
        ADD_ALL(b, "vertexes", add_vertex, batch->vertices, batch->n_vertices);
        ADD_ALL(b, "statuses", add_status, batch->statuses, batch->n_statuses);
        ADD_ALL(b, "logs", add_log, batch->logs, batch->n_logs);
        ADD_ALL(b, "warnings", add_warning, batch->warnings, batch->n_warnings);
        sw_buf_adds(b, "}\n");
}

static void
rawjson_free(void *self)
{
        (void) self;
}

void *
rawjson_new(const struct progress_printer **ops)
{
        static const struct progress_printer printer = {
                .step = rawjson_step,
                .free = rawjson_free,
        };

        *ops = &printer;
        return NULL;
}
