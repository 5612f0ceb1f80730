/*
 * tests/tools/replay.c - shows the story of a build again, from a trace (slipway build
 * --trace, --progress rawjson): how progress looks can be tried without building.
 *
 *      replay MODE TRACE [SPEED]
 *
 * MODE as for --progress. SPEED 2 takes half the time, 0 no time at all.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <slipway/json.h>
#include <slipway/time.h>

#include "cmd/slipway/progress/progress.h"

enum { LINE_MAX_BYTES = 256 << 20 };

#define TICK (150 * SW_NS_PER_MS)

/* One line of the trace. */
struct update {
        sw_json *doc;
        int64_t when; /* the last time in it; 0: none */
        struct sw_progress_batch b;
        SW_ARRAY(struct sw_progress_vertex) vertices;
        SW_ARRAY(struct sw_progress_status) statuses;
        SW_ARRAY(struct sw_progress_log) logs;
        SW_ARRAY(struct sw_progress_warning) warnings;
        SW_ARRAY(sw_digest *) inputs;
        sw_strlist bytes; /* of logs and warnings */
};

static double speed = 1;
static int64_t began, first; /* now, and in the trace */

static void
must(sw_err *err)
{
        if (!err)
                return;
        (void) fprintf(stderr, "replay: %s\n", sw_err_message(err));
        exit(1);
}

/* A moment of the trace as one of today. */
static int64_t
moved(int64_t t)
{
        return t == 0 ? 0
                      : began + (int64_t) ((double) (t - first) / (speed > 0 ? speed : 1));
}

static int64_t
time_at(struct update *u, const sw_json *o, const char *key)
{
        const char *text = json_string_value(json_object_get(o, key));
        int64_t t = 0;

        if (!text)
                return 0;
        must(sw_time_parse(text, &t));
        if (t > u->when)
                u->when = t;
        if (first == 0)
                first = t;
        return moved(t);
}

static sw_digest
digest_at(const sw_json *o, const char *key)
{
        const char *text = json_string_value(json_object_get(o, key));
        sw_digest d = { .b = { 0 } };

        if (text)
                must(sw_digest_parse(text, strlen(text), &d));
        return d;
}

/* Bytes in base64; kept until the update is released. */
static const char *
bytes_at(struct update *u, const sw_json *o, const char *key, size_t *n)
{
        const char *text = json_string_value(json_object_get(o, key));
        sw_buf raw = SW_BUF_INIT;

        if (text && !sw_json_base64(text, &raw))
                must(sw_err_new(SW_E_INVALID, "%s is no base64", key));
        *n = raw.len;
        sw_strlist_take(&u->bytes, sw_buf_detach(&raw));
        return u->bytes.v[u->bytes.n - 1];
}

static void
add_inputs(struct update *u, const sw_json *o, struct sw_progress_vertex *v)
{
        const sw_json *list = json_object_get(o, "inputs");
        size_t n = json_array_size(list);
        sw_digest *all = sw_alloc_array(n + 1, sizeof(*all));

        for (size_t i = 0; i < n; i++) {
                const char *text = json_string_value(json_array_get(list, i));

                must(sw_digest_parse(text ? text : "", text ? strlen(text) : 0, &all[i]));
        }
        v->inputs = all;
        v->n_inputs = n;
        sw_array_push(&u->inputs, all);
}

static void
add_vertex(struct update *u, const sw_json *o)
{
        const sw_json *group = json_object_get(o, "progressGroup");
        const char *name = json_string_value(json_object_get(o, "name"));
        struct sw_progress_vertex v = {
                .digest = digest_at(o, "digest"),
                .name = name ? name : "",
                .started = time_at(u, o, "started"),
                .completed = time_at(u, o, "completed"),
                .cached = json_is_true(json_object_get(o, "cached")),
                .error = json_string_value(json_object_get(o, "error")),
                .group_id = json_string_value(json_object_get(group, "id")),
                .group_name = json_string_value(json_object_get(group, "name")),
                .group_weak = json_is_true(json_object_get(group, "weak")),
        };

        add_inputs(u, o, &v);
        sw_array_push(&u->vertices, v);
}

static void
add_status(struct update *u, const sw_json *o)
{
        const char *id = json_string_value(json_object_get(o, "id"));

        sw_array_push(&u->statuses,
                      (struct sw_progress_status){
                              .vertex = digest_at(o, "vertex"),
                              .id = id ? id : "",
                              .current = json_integer_value(json_object_get(o, "current")),
                              .total = json_integer_value(json_object_get(o, "total")),
                              .timestamp = time_at(u, o, "timestamp"),
                              .started = time_at(u, o, "started"),
                              .completed = time_at(u, o, "completed"),
                      });
}

static void
add_log(struct update *u, const sw_json *o)
{
        struct sw_progress_log l = {
                .vertex = digest_at(o, "vertex"),
                .stream = (int) json_integer_value(json_object_get(o, "stream")),
                .timestamp = time_at(u, o, "timestamp"),
        };

        l.data = bytes_at(u, o, "data", &l.len);
        sw_array_push(&u->logs, l);
}

static void
add_warning(struct update *u, const sw_json *o)
{
        size_t n;

        sw_array_push(&u->warnings,
                      (struct sw_progress_warning){
                              .vertex = digest_at(o, "vertex"),
                              .text = bytes_at(u, o, "short", &n),
                              .url = json_string_value(json_object_get(o, "url")),
                              .level = 1,
                      });
}

static void
add_all(struct update *u, const char *key, void (*add)(struct update *, const sw_json *))
{
        const sw_json *list = json_object_get(u->doc, key);

        for (size_t i = 0; i < json_array_size(list); i++)
                add(u, json_array_get(list, i));
}

static void
update_read(struct update *u, const char *line, size_t n)
{
        *u = (struct update){ .when = 0 };
        must(sw_json_parse("the trace", line, n, &u->doc));
        add_all(u, "vertexes", add_vertex);
        add_all(u, "statuses", add_status);
        add_all(u, "logs", add_log);
        add_all(u, "warnings", add_warning);
        u->b = (struct sw_progress_batch){
                .vertices = u->vertices.v,
                .n_vertices = u->vertices.n,
                .statuses = u->statuses.v,
                .n_statuses = u->statuses.n,
                .logs = u->logs.v,
                .n_logs = u->logs.n,
                .warnings = u->warnings.v,
                .n_warnings = u->warnings.n,
        };
}

static void
update_release(struct update *u)
{
        for (size_t i = 0; i < u->inputs.n; i++)
                free(u->inputs.v[i]);
        sw_array_release(&u->inputs);
        sw_array_release(&u->vertices);
        sw_array_release(&u->statuses);
        sw_array_release(&u->logs);
        sw_array_release(&u->warnings);
        sw_strlist_release(&u->bytes);
        json_decref(u->doc);
}

/* Until the moment of the trace, with the clock of the progress going. */
static void
wait_until(progress *p, int64_t when)
{
        while (speed > 0) {
                int64_t left = moved(when) - sw_time_now();
                struct timespec ts = sw_time_to_spec(left < TICK ? left : TICK);

                if (left <= 0)
                        return;
                (void) nanosleep(&ts, NULL);
                if (left > TICK)
                        progress_take(p, NULL);
        }
}

static void
replay(progress *p, const sw_buf *trace)
{
        const char *line = trace->data;

        while (*line) {
                size_t n = strcspn(line, "\n");
                struct update u;

                update_read(&u, line, n);
                wait_until(p, u.when);
                progress_take(p, &u.b);
                update_release(&u);
                line += n + (line[n] == '\n');
        }
}

int
main(int argc, char **argv)
{
        sw_auto(sw_buf) trace = SW_BUF_INIT;
        progress *p = NULL;

        if (argc < 3) {
                (void) fprintf(stderr, "usage: replay MODE TRACE [SPEED]\n");
                return 2;
        }
        if (argc > 3)
                speed = strtod(argv[3], NULL);
        must(sw_buf_read_file(&trace, AT_FDCWD, argv[2], LINE_MAX_BYTES));
        must(progress_open(argv[1], &p));
        began = sw_time_now();
        replay(p, &trace);
        progress_end(p);
        progress_close(p);
        return 0;
}
