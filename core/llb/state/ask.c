/*
 * core/llb/state/ask.c - questions about one state; each has a resolver of its own.
 * Thread: any.
 */
#include <string.h>

#include "core/llb/state/query.h"

typedef struct resolver resolver;
SW_DEFINE_AUTO(resolver, sw__llb_resolver_release)

/* Options as given, checked for size alone: the questions use the platform at most. */
static sw_err *
start(resolver *r, const struct sw_llb_opts *opts)
{
        struct sw_llb_opts in;
        sw_err *err = sw__llb_take_options("options", &in, sizeof(in), opts);

        if (err)
                memset(&in, 0, sizeof(in));
        sw__llb_resolver_init(r, &in);
        return err;
}

static sw_err *
ask_text(const sw_state *s, enum value key, const struct sw_llb_opts *opts, char **out)
{
        const char *text = "";
        sw_auto(resolver) r;
        sw_err *err = start(&r, opts);

        if (!err)
                err = sw__llb_find_text(&r, s, key, &text);
        if (!err)
                *out = sw_strdup(text);
        return err;
}

static sw_err *
ask_number(const sw_state *s, enum value key, const struct sw_llb_opts *opts, int64_t *out)
{
        sw_auto(resolver) r;
        sw_err *err = start(&r, opts);

        return err ? err : sw__llb_find_number(&r, s, key, out);
}

sw_err *
sw_state_get_user(const sw_state *s, const struct sw_llb_opts *opts, char **out)
{
        return ask_text(s, VALUE_USER, opts, out);
}

sw_err *
sw_state_get_hostname(const sw_state *s, const struct sw_llb_opts *opts, char **out)
{
        return ask_text(s, VALUE_HOSTNAME, opts, out);
}

sw_err *
sw_state_get_dir(const sw_state *s, const struct sw_llb_opts *opts, char **out)
{
        const char *dir = "";
        sw_auto(resolver) r;
        sw_err *err = start(&r, opts);

        if (!err)
                err = sw__llb_find_dir(&r, s, &dir);
        if (!err)
                *out = sw_strdup(dir);
        return err;
}

sw_err *
sw_state_get_env(const sw_state *s, const char *key, const struct sw_llb_opts *opts,
                 char **out)
{
        struct env_list env = { 0 };
        sw_auto(resolver) r;
        char *found = NULL;
        sw_err *err = start(&r, opts);

        if (!err)
                err = sw__llb_find_env(&r, s, &env);
        if (err)
                return err;
        for (size_t i = 0; i < env.n && !found; i++)
                if (sw__llb_env_is(env.v[i], key))
                        found = sw_strdup(env.v[i] + strlen(key) + 1);
        *out = found;
        return SW_OK;
}

sw_err *
sw_state_get_env_list(const sw_state *s, const struct sw_llb_opts *opts, sw_strlist *out)
{
        struct env_list env = { 0 };
        sw_auto(resolver) r;
        sw_err *err = start(&r, opts);

        if (!err)
                err = sw__llb_find_env(&r, s, &env);
        for (size_t i = 0; !err && i < env.n; i++)
                sw_strlist_add(out, env.v[i]);
        return err;
}

sw_err *
sw_state_get_platform(const sw_state *s, const struct sw_llb_opts *opts, sw_platform **out)
{
        const sw_state *n = NULL;
        sw_auto(resolver) r;
        sw_err *err = start(&r, opts);

        if (!err)
                err = sw__llb_find_value(&r, s, VALUE_PLATFORM, &n);
        if (!err)
                *out = n ? sw_platform_copy(n->platform) : NULL;
        return err;
}

sw_err *
sw_state_get_network(const sw_state *s, const struct sw_llb_opts *opts,
                     enum sw_llb_network *out)
{
        int64_t mode = 0;
        sw_err *err = ask_number(s, VALUE_NETWORK, opts, &mode);

        if (!err)
                *out = (enum sw_llb_network) mode;
        return err;
}

sw_err *
sw_state_get_security(const sw_state *s, const struct sw_llb_opts *opts,
                      enum sw_llb_security *out)
{
        int64_t mode = 0;
        sw_err *err = ask_number(s, VALUE_SECURITY, opts, &mode);

        if (!err)
                *out = (enum sw_llb_security) mode;
        return err;
}

sw_err *
sw_state_get(const sw_state *s, const char *key, const struct sw_llb_opts *opts, char **out)
{
        const sw_state **nodes = NULL;
        char *found = NULL;
        size_t n = 0;
        sw_auto(resolver) r;
        sw_err *err = start(&r, opts);

        if (!err)
                err = sw__llb_find_all(&r, s, VALUE_CUSTOM, &nodes, &n);
        if (err)
                return err;
        while (n-- > 0 && !found)
                if (strcmp(nodes[n]->name, key) == 0) {
                        found = sw_strdup(nodes[n]->text);
                        break;
                }
        *out = found;
        return SW_OK;
}
