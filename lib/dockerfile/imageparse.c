/*
 * lib/dockerfile/imageparse.c - see imageconf.h: JSON in. Members that nobody here knows
 * are left out of what is written later, as the reference does.
 */
#include <string.h>

#include <slipway/json.h>
#include <slipway/time.h>

#include "lib/dockerfile/imageconf.h"

enum {
        CONFIG_MAX = 8 * 1024 * 1024,
        HISTORY_MAX = 16384,
};

static sw_err *
wrong(const char *key, const char *what)
{
        return sw_df_err(SW_E_INVALID, "\"%s\" is not %s", key, what);
}

static sw_err *
get_text(struct sw_df_arena *a, const sw_json *o, const char *key, const char **out)
{
        const char *s = NULL;
        sw_err *err = sw_json_str(o, key, &s);

        if (!err && s && *s)
                *out = sw_df_dup(a, s);
        return err;
}

/* As Go writes a time that it has read: no zeros at the end of the fraction. */
static sw_err *
get_time(struct sw_df_arena *a, const sw_json *o, const char *key, const char **out)
{
        const char *s = NULL;
        char *dot, *end;
        int64_t ns;
        sw_err *err = get_text(a, o, key, &s);

        if (err || !s)
                return err;
        err = sw_time_parse(s, &ns);
        if (sw_err_code(err) == SW_E_LIMIT) {
                sw_err_drop(err, "well formed; kept as it is");
                err = SW_OK;
        }
        if (err)
                return sw_df_wrap(err, "\"%s\"", key);
        *out = sw_df_dup(a, s);
        dot = strchr(*out, '.');
        if (!dot)
                return SW_OK;
        end = dot + 1 + strspn(dot + 1, "0123456789");
        for (char *keep = end; keep > dot; keep--)
                if (keep[-1] != '0' && keep[-1] != '.') {
                        memmove(keep, end, strlen(end) + 1);
                        return SW_OK;
                }
        memmove(dot, end, strlen(end) + 1);
        return SW_OK;
}

static sw_err *
get_list(struct sw_df_arena *a, const sw_json *o, const char *key, struct sw_df_list *out,
         bool *has)
{
        sw_json *l = NULL;
        sw_err *err = sw_json_arr(o, key, &l);

        if (has)
                *has = l != NULL;
        for (size_t i = 0; !err && i < json_array_size(l); i++) {
                const char *s = json_string_value(json_array_get(l, i));

                if (!s)
                        return wrong(key, "a list of strings");
                sw_df_list_add(a, out, sw_df_dup(a, s));
        }
        return err;
}

/* An object of strings, or (@set) one whose values say nothing. */
static sw_err *
get_table(struct sw_df_arena *a, const sw_json *o, const char *key, bool set,
          struct sw_df_table *out)
{
        sw_json *t = NULL, *value;
        const char *k;
        sw_err *err = sw_json_obj(o, key, &t);

        if (err || !t)
                return err;
        json_object_foreach(t, k, value)
        {
                if (!set && !json_is_string(value) && !json_is_null(value))
                        return wrong(key, "an object of strings");
                sw_df_table_set(a, out, sw_df_dup(a, k),
                                set ? NULL : sw_df_dup(a, json_string_value(value) ?: ""));
        }
        return SW_OK;
}

static sw_err *
get_health(struct sw_df_arena *a, const sw_json *o, struct sw_df_image *out)
{
        struct sw_df_image_health *h;
        sw_json *j = NULL;
        sw_err *err = sw_json_obj(o, "Healthcheck", &j);

        if (err || !j)
                return err;
        h = sw_df_new(a, struct sw_df_image_health);
        err = get_list(a, j, "Test", &h->test, NULL);
        if (!err)
                err = sw_json_int(j, "Interval", &h->interval);
        if (!err)
                err = sw_json_int(j, "Timeout", &h->timeout);
        if (!err)
                err = sw_json_int(j, "StartPeriod", &h->start_period);
        if (!err)
                err = sw_json_int(j, "StartInterval", &h->start_interval);
        if (!err)
                err = sw_json_int(j, "Retries", &h->retries);
        out->health = h;
        return err;
}

static sw_err *
get_container(struct sw_df_arena *a, const sw_json *doc, struct sw_df_image *out)
{
        sw_json *c = NULL;
        sw_err *err = sw_json_obj(doc, "config", &c);

        if (err || !c)
                return err;
        err = get_text(a, c, "User", &out->user);
        if (!err)
                err = get_table(a, c, "ExposedPorts", true, &out->ports);
        if (!err)
                err = get_list(a, c, "Env", &out->env, NULL);
        if (!err)
                err = get_list(a, c, "Entrypoint", &out->entrypoint, NULL);
        if (!err)
                err = get_list(a, c, "Cmd", &out->cmd, NULL);
        if (!err)
                err = get_table(a, c, "Volumes", true, &out->volumes);
        if (!err)
                err = get_text(a, c, "WorkingDir", &out->workdir);
        if (!err)
                err = get_table(a, c, "Labels", false, &out->labels);
        if (!err)
                err = get_text(a, c, "StopSignal", &out->stop_signal);
        if (!err)
                err = sw_json_bool(c, "ArgsEscaped", &out->args_escaped);
        if (!err)
                err = get_health(a, c, out);
        if (!err)
                err = get_list(a, c, "OnBuild", &out->onbuild, NULL);
        if (!err)
                err = get_list(a, c, "Shell", &out->shell, NULL);
        return err;
}

static sw_err *
get_history_entry(struct sw_df_arena *a, const sw_json *o, struct sw_df_image *out)
{
        struct sw_df_history *h = sw_df_new(a, struct sw_df_history);
        sw_err *err;

        if (!json_is_object(o))
                return wrong("history", "a list of objects");
        err = get_time(a, o, "created", &h->created);
        if (!err)
                err = get_text(a, o, "created_by", &h->created_by);
        if (!err)
                err = get_text(a, o, "author", &h->author);
        if (!err)
                err = get_text(a, o, "comment", &h->comment);
        if (!err)
                err = sw_json_bool(o, "empty_layer", &h->empty_layer);
        h->prev = out->history;
        out->history = h;
        out->n_history++;
        if (!h->empty_layer)
                out->has_layer_history = true;
        return err;
}

static sw_err *
get_layers(struct sw_df_arena *a, const sw_json *doc, struct sw_df_image *out)
{
        sw_json *rootfs = NULL, *history = NULL;
        sw_err *err = sw_json_obj(doc, "rootfs", &rootfs);

        if (!err && rootfs)
                err = get_text(a, rootfs, "type", &out->rootfs_type);
        if (!err && rootfs)
                err = get_list(a, rootfs, "diff_ids", &out->diff_ids, &out->has_diff_ids);
        if (!err)
                err = sw_json_arr(doc, "history", &history);
        if (!err && json_array_size(history) > HISTORY_MAX)
                return sw_df_err(SW_E_LIMIT, "history of more than %d entries",
                                 HISTORY_MAX);
        for (size_t i = 0; !err && i < json_array_size(history); i++)
                err = get_history_entry(a, json_array_get(history, i), out);
        return err;
}

static sw_err *
get_image(struct sw_df_arena *a, const sw_json *doc, struct sw_df_image *out)
{
        sw_err *err;

        if (!json_is_object(doc))
                return sw_df_err(SW_E_INVALID, "no JSON object");
        err = get_time(a, doc, "created", &out->created);
        if (!err)
                err = get_text(a, doc, "author", &out->author);
        if (!err)
                err = get_text(a, doc, "architecture", &out->arch);
        if (!err)
                err = get_text(a, doc, "os", &out->os);
        if (!err)
                err = get_text(a, doc, "variant", &out->variant);
        if (!err)
                err = get_text(a, doc, "os.version", &out->os_version);
        if (!err)
                err = get_list(a, doc, "os.features", &out->os_features, NULL);
        if (!err)
                err = get_container(a, doc, out);
        if (!err)
                err = get_layers(a, doc, out);
        return err;
}

sw_err *
sw_df_image_parse(struct sw_df_arena *a, const char *json, size_t len,
                  struct sw_df_image *out)
{
        sw_autoptr(sw_json) doc = NULL;
        struct sw_df_image img;
        sw_err *err;

        memset(&img, 0, sizeof(img));
        if (len > CONFIG_MAX)
                return sw_df_err(SW_E_LIMIT,
                                 "failed to parse image config: larger than %d bytes",
                                 CONFIG_MAX);
        err = sw_json_parse("image configuration", json, len, &doc);
        if (!err)
                err = get_image(a, doc, &img);
        if (err)
                return sw_df_wrap(err, "failed to parse image config");
        sw_df_image_settle(&img);
        *out = img;
        return SW_OK;
}
