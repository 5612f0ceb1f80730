/*
 * cmd/slipway/history/verb_inspect.c - `slipway history inspect`: all that is known of a
 * build; and `slipway inspect`, which asks what a name is.
 * Thread: main.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <slipway/json.h>
#include <slipway/text.h>
#include <slipway/time.h>

#include "cmd/slipway/history/past.h"
#include "cmd/slipway/images.h"
#include "cmd/slipway/program.h"
#include "cmd/slipway/term.h"

#define SOURCE_CONTEXT 2
#define SOURCE_LAST    10000000
#define SLOWEST        5

/* ---- For people ---- */

static void
add_line(sw_buf *out, const char *name, const char *value)
{
        if (!value || !*value)
                return;
        sw_buf_addf(out, "%-12s", name);
        term_add_text(out, value);
        sw_buf_addc(out, '\n');
}

static void
add_time(sw_buf *out, const char *name, int64_t ns)
{
        char text[SW_TIME_STR_SIZE];

        if (ns)
                add_line(out, name, sw_time_str(ns, text));
}

static void
add_pair(sw_buf *out, const char *key, const char *value)
{
        sw_buf_adds(out, "  ");
        term_add_text(out, key);
        sw_buf_adds(out, " = ");
        term_add_text(out, value);
        sw_buf_addc(out, '\n');
}

static void
add_pairs(sw_buf *out, const char *head, const struct sw_attr *v, size_t n)
{
        if (n)
                sw_buf_addf(out, "\n%s\n", head);
        for (size_t i = 0; i < n; i++)
                add_pair(out, v[i].key, v[i].value);
}

static void
add_outputs(sw_buf *out, const struct sw_history_build *b)
{
        for (size_t i = 0; i < b->n_outputs; i++) {
                sw_auto(sw_buf) head = SW_BUF_INIT;

                sw_buf_adds(&head, "Output of type ");
                term_add_text(&head, b->outputs[i].type);
                add_pairs(out, head.data, b->outputs[i].attrs, b->outputs[i].n_attrs);
                if (!b->outputs[i].n_attrs)
                        sw_buf_addf(out, "\n%s\n", head.data);
        }
}

/* The layers of the key "slipway.layers", one in a line. */
static void
add_layers(sw_buf *out, const sw_json *list)
{
        char size[32];

        if (json_array_size(list))
                sw_buf_adds(out, "\nLayers\n");
        for (size_t i = 0; i < json_array_size(list); i++) {
                const sw_json *o = json_array_get(list, i);
                const char *by = json_string_value(json_object_get(o, "by"));

                sw_buf_addf(out, "  %9s  ",
                            sw_size_str(json_integer_value(json_object_get(o, "size")),
                                        size));
                term_add_text(out, by ? by : "-");
                sw_buf_addc(out, '\n');
        }
}

/* An object in base64, as exporters answer with one; or NULL. */
static sw_json *
coded_object(const char *value)
{
        sw_auto(sw_buf) raw = SW_BUF_INIT;
        sw_autoptr(sw_json) o = NULL;

        if (sw_json_base64(value, &raw))
                o = json_loadb(raw.data, raw.len, JSON_REJECT_DUPLICATES, NULL);
        return json_is_object(o) ? sw_steal(o) : NULL;
}

static void
add_response(sw_buf *out, const struct sw_history_build *b)
{
        sw_autoptr(sw_json) layers = NULL;

        if (b->n_response)
                sw_buf_adds(out, "\nExporters answered\n");
        for (size_t i = 0; i < b->n_response; i++) {
                const struct sw_attr *a = &b->response[i];
                sw_autoptr(sw_json) o = coded_object(a->value);

                if (!o) {
                        add_pair(out, a->key, a->value);
                } else if (sw_str_eq(a->key, "slipway.layers") && !layers) {
                        layers = sw_steal(o);
                } else {
                        sw_auto(sw_str) text = json_dumps(o, JSON_COMPACT);

                        add_pair(out, a->key, text ? text : a->value);
                }
        }
        add_layers(out, json_object_get(layers, "layers"));
}

/* The lines of the text in question, and some around them. */
static void
add_source(sw_buf *out, const struct sw_err_source *s)
{
        const char *at = s->data, *end = s->data + s->len;

        if (s->first_line < 1 || s->last_line > SOURCE_LAST)
                return;
        sw_buf_adds(out, "\n");
        term_add_text(out, s->file);
        sw_buf_addf(out, ":%d\n", s->first_line);
        for (int line = 1; at < end && line <= s->last_line + SOURCE_CONTEXT; line++) {
                const char *nl = memchr(at, '\n', (size_t) (end - at));
                const size_t n = (size_t) ((nl ? nl : end) - at);

                if (line >= s->first_line - SOURCE_CONTEXT) {
                        sw_auto(sw_str) text = sw_strndup(at, n);

                        sw_buf_addf(out, " %4d | %s ", line,
                                    line >= s->first_line && line <= s->last_line ? ">>>"
                                                                                  : "   ");
                        term_add_text(out, text);
                        sw_buf_addc(out, '\n');
                }
                at = nl ? nl + 1 : end;
        }
}

static int
slowest_first(const void *a, const void *b)
{
        const double x = step_seconds(*(struct model_step *const *) a),
                     y = step_seconds(*(struct model_step *const *) b);

        return (x < y) - (x > y);
}

static void
add_slowest(sw_buf *out, const model *m)
{
        SW_ARRAY(struct model_step *) steps = { 0 };

        for (size_t i = 0; i < m->steps.n; i++)
                if (m->steps.v[i]->completed && !m->steps.v[i]->cached)
                        sw_array_push(&steps, m->steps.v[i]);
        if (steps.n > 1)
                qsort(steps.v, steps.n, sizeof(*steps.v), slowest_first);
        if (steps.n)
                sw_buf_adds(out, "\nSteps that took longest\n");
        for (size_t i = 0; i < steps.n && i < SLOWEST; i++) {
                sw_buf_addf(out, "  %8.1fs  ", step_seconds(steps.v[i]));
                term_add_text(out, steps.v[i]->name);
                sw_buf_addc(out, '\n');
        }
        sw_array_release(&steps);
}

/* The directory of what its steps printed, as long as it is kept. */
static void
add_logs(sw_buf *out, const past *p, const char *id)
{
        const char *root = sw_config_str(p->store.plugins.config, "root");
        sw_auto(sw_str) dir = sw_asprintf("%s/logs/%s", root ? root : "", id);

        if (root && access(dir, F_OK) == 0)
                add_line(out, "Logs:", dir);
}

static void
add_build(sw_buf *out, const past *p, const struct sw_history_build *b)
{
        char took[32];
        sw_auto(sw_str) what = past_what(b);
        sw_auto(sw_str) steps = sw_asprintf("%d: %d completed, %d of them cached", b->steps,
                                            b->completed_steps, b->cached_steps);

        add_line(out, "Build:", b->id);
        add_line(out, "What:", what);
        add_line(out, "Status:", past_state(b));
        add_line(out, "Pinned:", b->pinned ? "yes" : "");
        add_time(out, "Began:", b->created);
        add_time(out, "Ended:", b->completed);
        add_line(out, "Took:", past_took(b, took));
        if (b->completed)
                add_line(out, "Steps:", steps);
        if (b->warnings)
                sw_buf_addf(out, "%-12s%d\n", "Warnings:", b->warnings);
        add_line(out, "Frontend:", b->frontend);
        add_line(out, "Error:", b->error);
        add_line(out, "Whole log:", b->log_file);
        if (!*b->log_file)
                add_logs(out, p, b->id);
        if (b->source)
                add_source(out, b->source);
        add_pairs(out, "Options", b->attrs, b->n_attrs);
        add_outputs(out, b);
        add_response(out, b);
}

/* ---- The verbs ---- */

static void
take(void *arg, const struct sw_progress_batch *b)
{
        model_take(arg, b);
}

static sw_err *
print_build(past *p, const struct sw_history_build *b, bool json)
{
        sw_auto(sw_buf) out = SW_BUF_INIT;
        model m;
        sw_err *err;

        if (json)
                return out_json(past_json(b));
        add_build(&out, p, b);
        model_init(&m, false);
        err = past_replay(p, b->id, take, &m);
        if (!err)
                add_slowest(&out, &m);
        sw_err_drop(err, "a record without its story is worth showing");
        model_release(&m);
        return out_text(&out);
}

static sw_err *
run_history_inspect(const struct cli_call *call)
{
        sw_auto(past) p = PAST_INIT;
        sw_auto(sw_history_list) found = { 0 };
        sw_err *err = past_open(&p, call, true);

        if (!err)
                err = past_find(&p, cli_argument(call, 0), &found);
        return err ? err : print_build(&p, &found.v[0], cli_bool(call, "json"));
}

/* What the argument names: *image or one build in @found, or an error. */
static sw_err *
look_up(past *p, const char *asked, sw_history_list *found, bool *image)
{
        sw_auto(sw_image_list) images = { 0 };
        sw_err *no_image = image_find(&p->store, asked, &images);
        sw_err *no_build = past_find(p, asked, found);
        sw_err *err = SW_OK;

        *image = !no_image;
        if (no_image && no_build)
                err = sw_err_new(SW_E_NOT_FOUND, "neither a build nor an image is %.200s",
                                 asked);
        else if (!no_image && !no_build && strcmp(found->v[0].id, asked) != 0)
                err = sw_err_new(SW_E_USAGE,
                                 "%.200s is a build (%s) and an image (%s): ask slipway "
                                 "history inspect or slipway images inspect",
                                 asked, found->v[0].id, images.v[0].name);
        sw_err_drop(no_image, "told in other words");
        sw_err_drop(no_build, "told in other words");
        return err;
}

static sw_err *
run_inspect(const struct cli_call *call)
{
        past p = PAST_INIT;
        sw_history_list found = { 0 };
        bool image = false;
        sw_err *err = past_open(&p, call, true);

        if (!err)
                err = look_up(&p, cli_argument(call, 0), &found, &image);
        if (!err && found.n)
                err = print_build(&p, &found.v[0], cli_bool(call, "json"));
        image &= !err && !found.n;
        sw_history_list_release(&found);
        past_release(&p);
        if (!image)
                return err;
        return cli_find_verb(call->program, "images inspect")->run(call);
}

static const struct cli_flag flags[] = {
        { .name = "json", .type = CLI_BOOL, .help = "print a JSON object" },
        { .name = NULL },
};

static const struct cli_arg history_args[] = {
        PAST_ARG(1),
        { .name = NULL },
};

static const struct cli_arg args[] = {
        { .name = "NAME",
          .min = 1,
          .max = 1,
          .complete = CLI_IMAGES,
          .help = "a build, as slipway history names them, or an image" },
        { .name = NULL },
};

CLI_VERB(history_inspect) = {
        .name = "history inspect",
        .summary = "show all that is known of a build",
        .details = "What was asked for, how it went, what came of it, and which steps took "
                   "longest. The object of --json has the members of \"slipway history "
                   "--json\".\n",
        .flags = flags,
        .args = history_args,
        .run = run_history_inspect,
};

CLI_VERB(inspect) = {
        .name = "inspect",
        .summary = "show what is known of a build or an image",
        .details = "Finds out whether the name is that of a build or of an image, and "
                   "prints what slipway history inspect or slipway images inspect does.\n",
        .flags = flags,
        .args = args,
        .run = run_inspect,
};
