/*
 * core/llb/state/query.c - see query.h.
 */
#include <assert.h>
#include <string.h>

#include <slipway/path.h>

#include "core/llb/state/query.h"

enum { MAX_LATE = 1000 }; /* states made by late functions in a row */

static void
unref_state(void *s)
{
        sw_state_unref((sw_state *) s);
}

void
sw__llb_resolver_init(struct resolver *r, const struct sw_llb_opts *opts)
{
        r->given = *opts;
        r->given.size = sizeof(r->given);
        if (!r->given.platform)
                r->given.platform = sw_platform_host();
        sw__pb_arena_init(&r->arena);
        r->late = sw_map_new(unref_state);
        memset(&r->envs, 0, sizeof(r->envs));
        memset(&r->dirs, 0, sizeof(r->dirs));
}

void
sw__llb_resolver_release(struct resolver *r)
{
        sw_map_free(r->late);
        sw__llb_table_release(&r->envs);
        sw__llb_table_release(&r->dirs);
        sw__pb_arena_release(&r->arena);
}

/* What the function of a late vertex makes. @depth: late states before it in a row. */
static sw_err *
late_target(struct resolver *r, const struct vertex *v, int depth, const sw_state **out)
{
        /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): callers have a resolver */
        sw_state *made = (sw_state *) sw_map_get_bytes(r->late, &v, sizeof(v));
        sw_err *err = SW_OK;

        if (depth >= MAX_LATE)
                err = sw_err_new(SW_E_LIMIT,
                                 "%d functions of late states in a row made late states",
                                 MAX_LATE);
        if (!err && !made) {
                err = v->late.fn(v->late.arg, v->late.state, &r->given, &made);
                assert(err || made);
                if (!err)
                        sw_map_set_bytes(r->late, &v, sizeof(v), made);
        }
        if (!err)
                *out = made;
        /* cppcheck-suppress returnDanglingLifetime ; an error does not keep &made */
        return err;
}

sw_err *
sw__llb_resolve_output(struct resolver *r, struct output in, struct output *out)
{
        for (int i = 0; in.v && in.v->kind == VERTEX_LATE; i++) {
                const sw_state *made;
                sw_err *err = late_target(r, in.v, i, &made);

                if (err)
                        return err;
                in = made->out;
        }
        *out = in;
        return SW_OK;
}

/* A state that is itself late, rather than a node over one. */
static bool
is_late(const sw_state *s)
{
        return s->key == VALUE_NONE && s->at[0] == s;
}

sw_err *
sw__llb_find_value(struct resolver *r, const sw_state *s, enum value key,
                   const sw_state **out)
{
        const sw_state *n = s->at[key];

        for (int i = 0; n && is_late(n); i++) {
                const sw_state *made;
                sw_err *err = late_target(r, n->out.v, i, &made);

                if (err)
                        return err;
                n = made->at[key];
        }
        *out = n;
        return SW_OK;
}

/* The node that sets @key before @n did. */
static sw_err *
find_before(struct resolver *r, const sw_state *n, enum value key, const sw_state **out)
{
        return sw__llb_find_value(r, n->prev, key, out);
}

sw_err *
sw__llb_find_text(struct resolver *r, const sw_state *s, enum value key, const char **out)
{
        const sw_state *n;
        sw_err *err = sw__llb_find_value(r, s, key, &n);

        if (!err)
                *out = n && n->text ? n->text : "";
        return err;
}

sw_err *
sw__llb_find_number(struct resolver *r, const sw_state *s, enum value key, int64_t *out)
{
        const sw_state *n;
        sw_err *err = sw__llb_find_value(r, s, key, &n);

        if (!err)
                *out = n ? n->number : 0;
        return err;
}

typedef SW_ARRAY(const sw_state *) nodes;

/* The nodes that set @key, from @n down to one whose answer is in @done (NULL: none is),
 * which is *known then; NULL: to the end. */
static sw_err *
collect(struct resolver *r, const sw_state *n, enum value key, const struct table *done,
        nodes *out, void **known)
{
        sw_err *err = SW_OK;

        *known = NULL;
        while (!err && n) {
                *known = done ? sw__llb_table_get(done, n, 0) : NULL;
                if (*known)
                        break;
                sw_array_push(out, n);
                err = find_before(r, n, key, &n);
        }
        return err;
}

sw_err *
sw__llb_find_all(struct resolver *r, const sw_state *s, enum value key,
                 const sw_state ***out, size_t *n)
{
        nodes found = { 0 };
        const sw_state *first;
        void *none;
        sw_err *err = sw__llb_find_value(r, s, key, &first);

        if (!err)
                err = collect(r, first, key, NULL, &found, &none);
        if (!err) {
                *n = found.n;
                *out = (const sw_state **) sw__pb_arena_alloc(&r->arena,
                                                              (found.n + 1) *
                                                                      sizeof(**out));
                for (size_t i = 0; i < found.n; i++)
                        (*out)[i] = found.v[found.n - 1 - i];
        }
        sw_array_release(&found);
        return err;
}

/* ---- directory --------------------------------------------------------------------- */

/* The nodes from @n down to one whose directory is known or absolute; *known is it. */
static sw_err *
collect_dirs(struct resolver *r, const sw_state *n, nodes *out, const char **known)
{
        sw_err *err = SW_OK;

        *known = "/";
        while (!err && n) {
                const char *k = (const char *) sw__llb_table_get(&r->dirs, n, 0);

                if (k || n->text[0] == '/') {
                        *known = k ? k : n->text;
                        break;
                }
                sw_array_push(out, n);
                err = find_before(r, n, VALUE_DIR, &n);
        }
        return err;
}

/* The directory of @n. It is put together at once and only its own is remembered: of a
 * chain of relative ones all together would be as long as the square of it. */
static sw_err *
make_dir(struct resolver *r, const sw_state *n, const char **out)
{
        nodes todo = { 0 };
        const char *known;
        sw_err *err = collect_dirs(r, n, &todo, &known);

        if (!err && !todo.n)
                *out = known;
        if (!err && todo.n) {
                sw_auto(sw_buf) all = SW_BUF_INIT;
                sw_auto(sw_str) clean = NULL;

                for (size_t i = todo.n; i-- > 0;)
                        sw_buf_addf(&all, "/%s", todo.v[i]->text);
                clean = sw_path_join(known, all.data);
                *out = sw__pb_arena_strndup(&r->arena, clean, strlen(clean));
                sw__llb_table_put(&r->dirs, n, (void *) *out);
        }
        sw_array_release(&todo);
        return err;
}

sw_err *
sw__llb_find_dir(struct resolver *r, const sw_state *s, const char **out)
{
        const sw_state *n;
        sw_err *err = sw__llb_find_value(r, s, VALUE_DIR, &n);

        if (err)
                return err;
        if (n)
                return make_dir(r, n, out);
        *out = "";
        return SW_OK;
}

/* ---- environment ------------------------------------------------------------------- */

bool
sw__llb_env_is(const char *entry, const char *key)
{
        size_t n = strlen(key);

        return strncmp(entry, key, n) == 0 && entry[n] == '=';
}

static char *
env_entry(struct resolver *r, const sw_state *n)
{
        size_t name = strlen(n->name), text = strlen(n->text);
        char *e = (char *) sw__pb_arena_alloc(&r->arena, name + text + 2);

        memcpy(e, n->name, name);
        e[name] = '=';
        memcpy(e + name + 1, n->text, text + 1);
        return e;
}

/* Of each variable the newest node counts; the order is that of those nodes. What a list
 * that is known has goes before, so that a chain of variables and commands costs what its
 * lists are long, not what all of it is. */
static struct env_list *
make_env(struct resolver *r, const nodes *newest_first, const struct env_list *known)
{
        const size_t max = newest_first->n + (known ? known->n : 0);
        struct env_list *env =
                (struct env_list *) sw__pb_arena_alloc(&r->arena, sizeof(*env));
        sw_autoptr(sw_map) seen = sw_map_new(NULL);
        size_t first = max;

        env->v = (char **) sw__pb_arena_alloc(&r->arena, max * sizeof(*env->v));
        env->nodes = (const sw_state **) sw__pb_arena_alloc(&r->arena,
                                                            max * sizeof(*env->nodes));
        for (size_t i = 0; i < newest_first->n; i++) {
                const sw_state *n = newest_first->v[i];

                if (!sw_map_set(seen, n->name, env) || !n->text)
                        continue;
                env->nodes[--first] = n;
                env->v[first] = env_entry(r, n);
        }
        for (size_t i = known ? known->n : 0; i-- > 0;) {
                if (sw_map_get(seen, known->nodes[i]->name))
                        continue;
                env->nodes[--first] = known->nodes[i];
                env->v[first] = known->v[i];
        }
        env->v += first; /* filled from the end */
        env->nodes += first;
        env->n = max - first;
        return env;
}

sw_err *
sw__llb_find_env(struct resolver *r, const sw_state *s, struct env_list *out)
{
        nodes found = { 0 };
        const sw_state *n;
        void *env;
        sw_err *err = sw__llb_find_value(r, s, VALUE_ENV, &n);

        *out = (struct env_list){ 0 };
        if (!err)
                err = collect(r, n, VALUE_ENV, &r->envs, &found, &env);
        if (!err && found.n) {
                env = make_env(r, &found, (const struct env_list *) env);
                sw__llb_table_put(&r->envs, n, env);
        }
        if (!err && env)
                *out = *(const struct env_list *) env;
        sw_array_release(&found);
        return err;
}
