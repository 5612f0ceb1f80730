/*
 * cmd/slipway/history/json.c - a build as JSON. See past.h. Thread: main.
 */
#include <slipway/time.h>

#include "cmd/slipway/history/past.h"
#include "cmd/slipway/program.h"

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
