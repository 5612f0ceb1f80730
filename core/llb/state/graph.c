/*
 * core/llb/state/graph.c - vertices that put trees together: merge, diff, passthrough,
 * build; and values from the configuration of an image. Thread: any.
 */
#include <string.h>

#include <slipway/json.h>

#include "core/llb/state/state.h"

enum { MAX_INPUTS = 100000 };

/* ---- merge, diff ------------------------------------------------------------------- */

static sw_err *
merge(const sw_state *const *states, size_t n, const struct sw_llb_opts *opts,
      sw_state **out)
{
        SW_ARRAY(struct output) inputs = { 0 };
        struct opts o;
        struct vertex *v;
        sw_err *err = sw__llb_opts_take(opts, &o);

        if (err)
                return err;
        for (size_t i = 0; i < n; i++)
                if (states[i]->out.v)
                        sw_array_push(&inputs, states[i]->out);
        v = sw__llb_vertex_new(VERTEX_MERGE, &o, inputs.v, inputs.n);
        v->caps = CAP(MERGE);
        *out = sw__llb_state_over((struct output){ v, 0 });
        sw__llb_object_unref(&v->o);
        sw_array_release(&inputs);
        return SW_OK;
}

sw_err *
sw_llb_merge(const sw_state *const *states, size_t n, const struct sw_llb_opts *opts,
             sw_state **out)
{
        const sw_state *last = NULL;
        size_t trees = 0;

        if (n > MAX_INPUTS)
                return sw_err_new(SW_E_LIMIT, "merge of more than %d states", MAX_INPUTS);
        for (size_t i = 0; i < n; i++) {
                if (!states[i]->out.v)
                        continue;
                last = states[i];
                trees++;
        }
        if (trees > 1)
                return sw_err_wrap(merge(states, n, opts, out), "merge");
        *out = last ? sw_state_ref(last) : sw_llb_scratch();
        return SW_OK;
}

sw_err *
sw_llb_diff(const sw_state *lower, const sw_state *upper, const struct sw_llb_opts *opts,
            sw_state **out)
{
        const struct output inputs[] = { lower->out, upper->out };
        struct opts o;
        struct vertex *v;
        sw_err *err;

        if (!lower->out.v) {
                *out = upper->out.v ? sw_state_ref(upper) : sw_llb_scratch();
                return SW_OK;
        }
        err = sw__llb_opts_take(opts, &o);
        if (err)
                return sw_err_wrap(err, "diff");
        v = sw__llb_vertex_new(VERTEX_DIFF, &o, inputs, 2);
        v->caps = CAP(DIFF);
        *out = sw__llb_state_with_output(lower, (struct output){ v, 0 });
        sw__llb_object_unref(&v->o);
        return SW_OK;
}

/* ---- passthrough ------------------------------------------------------------------- */

static sw_err *
check_pass(const char *id, const struct sw_llb_pass *inputs, size_t n)
{
        size_t trees = 0, outputs = 0;

        if (!*id)
                return sw_err_new(SW_E_INVALID, "a passthrough needs an id");
        if (n > MAX_INPUTS)
                return sw_err_new(SW_E_LIMIT, "passthrough %s: more than %d inputs",
                                  sw__llb_shown(id).text, MAX_INPUTS);
        for (size_t i = 0; i < n; i++) {
                if (inputs[i].output && !inputs[i].state->out.v)
                        return sw_err_new(SW_E_INVALID,
                                          "passthrough %s: input %zu is scratch, which "
                                          "cannot be an output",
                                          sw__llb_shown(id).text, i);
                trees += inputs[i].state->out.v != NULL;
                outputs += inputs[i].output;
        }
        if (!trees || !outputs)
                return sw_err_new(SW_E_INVALID,
                                  "passthrough %s: at least one input must be an output",
                                  sw__llb_shown(id).text);
        return sw__llb_check_text("id of a passthrough", id);
}

/* The vertex; scratch among the inputs is left out. */
static sw_err *
pass_vertex(const char *id, const struct sw_llb_pass *inputs, size_t n,
            const struct sw_llb_opts *opts, struct vertex **out)
{
        SW_ARRAY(struct output) trees = { 0 };
        SW_ARRAY(int64_t) outputs = { 0 };
        struct opts o;
        sw_err *err = check_pass(id, inputs, n);

        if (!err)
                err = sw__llb_opts_take(opts, &o);
        if (err)
                return err;
        for (size_t i = 0; i < n; i++) {
                if (!inputs[i].state->out.v)
                        continue;
                if (inputs[i].output)
                        sw_array_push(&outputs, (int64_t) trees.n);
                sw_array_push(&trees, inputs[i].state->out);
        }
        *out = sw__llb_vertex_new(VERTEX_PASSTHROUGH, &o, trees.v, trees.n);
        (*out)->caps = CAP(PASSTHROUGH);
        (*out)->pass = (struct pass){ sw_strdup(id), outputs.v, outputs.n };
        sw_array_release(&trees);
        return SW_OK;
}

sw_err *
sw_llb_passthrough(const char *id, const struct sw_llb_pass *inputs, size_t n,
                   const struct sw_llb_opts *opts, sw_state **out)
{
        struct vertex *v;
        sw_err *err = pass_vertex(id, inputs, n, opts, &v);

        if (err)
                return err;
        for (size_t i = 0; i < v->pass.n; i++)
                out[i] = sw__llb_state_over((struct output){ v, (int64_t) i });
        sw__llb_object_unref(&v->o);
        return SW_OK;
}

sw_err *
sw_state_requires(const sw_state *s, const char *id, const sw_state *const *deps, size_t n,
                  const struct sw_llb_opts *opts, sw_state **out)
{
        SW_ARRAY(struct sw_llb_pass) inputs = { 0 };
        struct vertex *v;
        sw_err *err;

        if (!n) {
                *out = sw_state_ref(s);
                return SW_OK;
        }
        sw_array_push(&inputs, (struct sw_llb_pass){ s, true });
        for (size_t i = 0; i < n; i++)
                sw_array_push(&inputs, (struct sw_llb_pass){ deps[i], false });
        err = pass_vertex(id, inputs.v, inputs.n, opts, &v);
        sw_array_release(&inputs);
        if (err)
                return err;
        *out = sw__llb_state_with_output(s, (struct output){ v, 0 });
        sw__llb_object_unref(&v->o);
        return SW_OK;
}

/* ---- nested builds ----------------------------------------------------------------- */

sw_err *
sw_state_build(const sw_state *s, const char *filename, const struct sw_llb_opts *opts,
               sw_state **out)
{
        struct opts o;
        struct vertex *v;
        sw_err *err;

        if (!s->out.v)
                return sw_err_new(
                        SW_E_INVALID,
                        "a nested build needs a tree with a definition in it, not "
                        "scratch");
        err = sw__llb_check_text("name of a definition's file", filename);
        if (!err)
                err = sw__llb_opts_take(opts, &o);
        if (err)
                return err;
        v = sw__llb_vertex_new(VERTEX_BUILD, &o, &s->out, 1);
        v->caps = CAP(BUILDOP_FILENAME);
        v->filename = filename && *filename ? sw_strdup(filename) : NULL;
        *out = sw__llb_state_with_output(s, (struct output){ v, 0 });
        sw__llb_object_unref(&v->o);
        return SW_OK;
}

/* ---- image configuration ----------------------------------------------------------- */

static sw_err *
take_env(sw_state **s, const sw_json *config)
{
        sw_json *env = NULL;
        sw_err *err = sw_json_arr(config, "Env", &env);

        for (size_t i = 0; !err && env && i < json_array_size(env); i++) {
                const char *entry = json_string_value(json_array_get(env, i)), *eq;
                sw_auto(sw_str) key = NULL;

                if (!entry)
                        return sw_err_new(SW_E_INVALID, "Env[%zu] is no string", i);
                eq = strchr(entry, '=');
                key = eq ? sw_strndup(entry, (size_t) (eq - entry)) : sw_strdup(entry);
                if (*key)
                        sw_state_replace(s, sw_state_env(*s, key, eq ? eq + 1 : ""));
        }
        return err;
}

static sw_err *
take_platform(sw_state **s, const sw_json *image)
{
        const char *arch = "", *os = "", *variant = "", *version = "";
        const char **features;
        sw_json *list = NULL;
        size_t n;
        sw_err *err = sw_json_str(image, "architecture", &arch);

        if (!err)
                err = sw_json_str(image, "os", &os);
        if (!err)
                err = sw_json_str(image, "variant", &variant);
        if (!err)
                err = sw_json_str(image, "os.version", &version);
        if (!err)
                err = sw_json_arr(image, "os.features", &list);
        if (err || !*arch || !*os)
                return err;
        n = json_array_size(list);
        features = (const char **) sw_alloc_array(n + 1, sizeof(*features));
        for (size_t i = 0, k = 0; i < n; i++)
                if (json_is_string(json_array_get(list, i)))
                        features[k++] = json_string_value(json_array_get(list, i));
        sw_state_replace(s,
                         sw_state_platform(*s, &(sw_platform){ .os = os,
                                                               .arch = arch,
                                                               .variant = variant,
                                                               .os_version = version,
                                                               .os_features = features }));
        free(features);
        return SW_OK;
}

static sw_err *
take_config(const char *json, size_t len, sw_state **s)
{
        sw_autoptr(sw_json) image = NULL;
        sw_json *config = NULL;
        const char *dir = "";
        sw_err *err = sw_json_parse("JSON", json, len, &image);

        if (!err)
                err = sw_json_obj(image, "config", &config);
        if (!err && config)
                err = take_env(s, config);
        if (!err && config)
                err = sw_json_str(config, "WorkingDir", &dir);
        if (err)
                return err;
        sw_state_replace(s, sw_state_dir(*s, dir));
        return take_platform(s, image);
}

sw_err *
sw_state_image_config(const sw_state *s, const char *json, size_t len, sw_state **out)
{
        sw_autoptr(sw_state) with = sw_state_ref(s);
        sw_err *err;

        if (len > LLB_MAX_DATA)
                return sw_err_new(SW_E_LIMIT, "image configuration of %zu bytes", len);
        err = take_config(json, len, &with);
        if (err)
                return sw_err_wrap(err, "image configuration");
        *out = sw_steal(with);
        return SW_OK;
}
