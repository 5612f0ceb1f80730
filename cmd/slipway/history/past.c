/*
 * cmd/slipway/history/past.c - see past.h. Thread: main.
 */
#include "cmd/slipway/history/past.h"

#include <stdio.h>
#include <string.h>

#include <slipway/text.h>
#include <slipway/time.h>

#include "cmd/slipway/program.h"

sw_err *
past_open(past *p, const struct cli_call *call, bool read_only)
{
        sw_err *err = store_open(&p->store, call, read_only);

        if (!err && p->store.root)
                p->history = sw__history_new(p->store.root, p->store.plugins.log, false);
        return err;
}

void
past_release(past *p)
{
        sw__history_free(p->history);
        p->history = NULL;
        store_release(&p->store);
}

sw_err *
past_builds(past *p, sw_history_list *out)
{
        *out = (sw_history_list){ 0 };
        return p->history ? sw_history_builds(p->history, out) : SW_OK;
}

sw_err *
past_find(past *p, const char *asked, sw_history_list *out)
{
        sw_err *err, *usage;

        if (!p->history)
                return sw_err_new(SW_E_NOT_FOUND, "there is no build in the history");
        err = sw_history_find(p->history, asked, out);
        if (sw_err_code(err) != SW_E_INVALID)
                return err;
        usage = sw_err_new(SW_E_USAGE, "%s", sw_err_message(err));
        sw_err_drop(err, "told as a mistake of the command line");
        return usage;
}

sw_err *
past_replay(past *p, const char *id,
            void (*fn)(void *arg, const struct sw_progress_batch *b), void *arg)
{
        sw_autoptr(sw_history_story) story = NULL;
        struct sw_progress_batch b;
        sw_err *err = sw_history_story_open(p->history, id, &story);

        if (err)
                return err;
        while (sw_history_story_next(story, &b))
                fn(arg, &b);
        if (sw_history_story_damaged(story))
                (void) fprintf(stderr,
                               "slipway: the story of the build %s is damaged: "
                               "what follows in it is lost\n",
                               id);
        return SW_OK;
}

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

char *
past_what(const struct sw_history_build *b)
{
        const char *target = sw_attr_get(b->attrs, b->n_attrs, "target");
        const char *file = sw_attr_get(b->attrs, b->n_attrs, "filename");
        const char *dest = destination(b);
        sw_auto(sw_buf) out = SW_BUF_INIT;

        add_names(&out, b);
        if (target && *target)
                sw_buf_addf(&out, "%starget %s", out.len ? ", " : "", target);
        if (!out.len && file && *file)
                sw_buf_adds(&out, file);
        if (!out.len && dest)
                sw_buf_addf(&out, "%s", dest);
        if (!out.len)
                sw_buf_adds(&out, *b->frontend ? b->frontend : "a definition");
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
                return strcpy(out, "-");
        if (s < 60)
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

/* ---- JSON ---- */

const struct template_field past_fields[] = { { "Ref", "ref" },
                                              { "Status", "status" },
                                              { "Pinned", "pinned" },
                                              { "CreatedAt", "createdAt" },
                                              { "CompletedAt", "completedAt" },
                                              { "Duration", "duration" },
                                              { "What", "what" },
                                              { "Frontend", "frontend" },
                                              { "FrontendAttrs", "frontendAttrs" },
                                              { "Exporters", "exporters" },
                                              { "ExporterResponse", "exporterResponse" },
                                              { "Error", "error" },
                                              { "NumTotalSteps", "numTotalSteps" },
                                              { "NumCompletedSteps", "numCompletedSteps" },
                                              { "NumCachedSteps", "numCachedSteps" },
                                              { "NumWarnings", "numWarnings" },
                                              { NULL, NULL } };

static sw_json *
time_json(int64_t ns)
{
        char text[SW_TIME_STR_SIZE];

        return ns ? json_string(sw_time_str(ns, text)) : json_null();
}

static sw_json *
attrs_json(const struct sw_attr *v, size_t n)
{
        sw_json *o = json_object();

        for (size_t i = 0; i < n; i++)
                json_object_set_new(o, v[i].key, json_text(v[i].value));
        return o;
}

static sw_json *
outputs_json(const struct sw_history_build *b)
{
        sw_json *list = json_array();

        for (size_t i = 0; i < b->n_outputs; i++) {
                sw_json *o = json_object();

                json_object_set_new(o, "type", json_text(b->outputs[i].type));
                json_object_set_new(o, "attrs",
                                    attrs_json(b->outputs[i].attrs, b->outputs[i].n_attrs));
                json_array_append_new(list, o);
        }
        return list;
}

static sw_json *
error_json(const struct sw_history_build *b)
{
        sw_json *o, *place;

        if (!b->error_code)
                return json_null();
        o = json_object();
        json_object_set_new(o, "code", json_string(sw_err_code_name(b->error_code)));
        json_object_set_new(o, "message", json_text(b->error));
        if (*b->vertex)
                json_object_set_new(o, "vertex", json_text(b->vertex));
        if (*b->log_file)
                json_object_set_new(o, "logFile", json_text(b->log_file));
        if (!b->source)
                return o;
        place = json_object();
        json_object_set_new(place, "file", json_text(b->source->file));
        json_object_set_new(place, "firstLine", json_integer(b->source->first_line));
        json_object_set_new(place, "lastLine", json_integer(b->source->last_line));
        json_object_set_new(o, "source", place);
        return o;
}

sw_json *
past_json(const struct sw_history_build *b)
{
        sw_json *o = json_object();
        sw_auto(sw_str) what = past_what(b);

        json_object_set_new(o, "ref", json_text(b->id));
        json_object_set_new(o, "status", json_string(sw_history_state_name(b->state)));
        json_object_set_new(o, "pinned", json_boolean(b->pinned));
        json_object_set_new(o, "createdAt", time_json(b->created));
        json_object_set_new(o, "completedAt", time_json(b->completed));
        json_object_set_new(o, "duration",
                            b->completed ? json_integer(b->completed - b->created)
                                         : json_null());
        json_object_set_new(o, "what", json_text(what));
        json_object_set_new(o, "frontend", json_text(b->frontend));
        json_object_set_new(o, "frontendAttrs", attrs_json(b->attrs, b->n_attrs));
        json_object_set_new(o, "exporters", outputs_json(b));
        json_object_set_new(o, "exporterResponse", attrs_json(b->response, b->n_response));
        json_object_set_new(o, "error", error_json(b));
        json_object_set_new(o, "numTotalSteps", json_integer(b->steps));
        json_object_set_new(o, "numCompletedSteps", json_integer(b->completed_steps));
        json_object_set_new(o, "numCachedSteps", json_integer(b->cached_steps));
        json_object_set_new(o, "numWarnings", json_integer(b->warnings));
        return o;
}
