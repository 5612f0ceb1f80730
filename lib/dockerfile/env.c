/* lib/dockerfile/env.c - see env.h. */
#include <string.h>

#include "lib/dockerfile/env.h"

static int
compare(const char *have, const char *key, size_t len)
{
        int c = strncmp(have, key, len);

        return c ? c : have[len] != '\0';
}

/* Where the key is in by_key, or would be. */
static bool
find(const struct sw_df_env *e, const char *key, size_t len, size_t *at)
{
        size_t lo = 0, hi = e->n_keys;

        while (lo < hi) {
                size_t mid = lo + (hi - lo) / 2;
                int c = compare(e->v[e->by_key[mid]].key, key, len);

                if (c == 0) {
                        *at = mid;
                        return true;
                }
                if (c < 0)
                        lo = mid + 1;
                else
                        hi = mid;
        }
        *at = lo;
        return false;
}

/* Without those that have no value, in the same memory or a larger one. */
static void
make_room(struct sw_df_arena *a, struct sw_df_env *e)
{
        struct sw_df_env full = { .v = NULL };

        if (e->n < e->cap)
                return;
        if (e->n_keys * 2 > e->n) {
                size_t cap = e->cap ? e->cap * 2 : 16;
                struct sw_df_var *v = sw_df_new_array(a, struct sw_df_var, cap);

                if (e->n)
                        memcpy(v, e->v, e->n * sizeof(*v));
                e->v = v;
                e->cap = cap;
                return;
        }
        sw_df_env_copy(a, e, &full);
        *e = full;
}

static size_t
size_of(const struct sw_df_var *v)
{
        return strlen(v->key) + strlen(v->value);
}

void
sw_df_env_set(struct sw_df_arena *a, struct sw_df_env *e, const char *key,
              const char *value)
{
        size_t at;

        make_room(a, e);
        e->v[e->n] = (struct sw_df_var){ key, value };
        e->bytes += size_of(&e->v[e->n]);
        if (find(e, key, strlen(key), &at)) {
                e->bytes -= size_of(&e->v[e->by_key[at]]);
                e->v[e->by_key[at]].value = NULL;
        } else {
                if (e->n_keys == e->cap_keys) {
                        size_t cap = e->cap_keys ? e->cap_keys * 2 : 16;
                        size_t *by_key = sw_df_new_array(a, size_t, cap);

                        if (e->n_keys)
                                memcpy(by_key, e->by_key, e->n_keys * sizeof(*by_key));
                        e->by_key = by_key;
                        e->cap_keys = cap;
                }
                memmove(e->by_key + at + 1, e->by_key + at,
                        (e->n_keys - at) * sizeof(*e->by_key));
                e->n_keys++;
        }
        e->by_key[at] = e->n++;
}

void
sw_df_env_unset(struct sw_df_env *e, const char *key)
{
        size_t at;

        if (!find(e, key, strlen(key), &at))
                return;
        e->bytes -= size_of(&e->v[e->by_key[at]]);
        e->v[e->by_key[at]].value = NULL;
        e->n_keys--;
        memmove(e->by_key + at, e->by_key + at + 1, (e->n_keys - at) * sizeof(*e->by_key));
}

const char *
sw_df_env_get_n(void *env, const char *key, size_t len)
{
        const struct sw_df_env *e = (const struct sw_df_env *) env;
        size_t at;

        return find(e, key, len, &at) ? e->v[e->by_key[at]].value : NULL;
}

const char *
sw_df_env_get(const struct sw_df_env *e, const char *key)
{
        size_t at;

        return find(e, key, strlen(key), &at) ? e->v[e->by_key[at]].value : NULL;
}

void
sw_df_env_copy(struct sw_df_arena *a, const struct sw_df_env *src, struct sw_df_env *out)
{
        size_t *moved = sw_df_new_array(a, size_t, src->n + 1);

        *out = (struct sw_df_env){ .cap = src->n_keys * 2 + 4,
                                   .n_keys = src->n_keys,
                                   .bytes = src->bytes };
        out->v = sw_df_new_array(a, struct sw_df_var, out->cap);
        out->cap_keys = src->n_keys + 4;
        out->by_key = sw_df_new_array(a, size_t, out->cap_keys);
        for (size_t i = 0; i < src->n; i++)
                if (src->v[i].value) {
                        moved[i] = out->n;
                        out->v[out->n++] = src->v[i];
                }
        for (size_t i = 0; i < src->n_keys; i++)
                out->by_key[i] = moved[src->by_key[i]];
}

void
sw_df_env_keys(const struct sw_df_env *e, const char **out)
{
        for (size_t i = 0, k = 0; i < e->n && k < e->n_keys; i++)
                if (e->v[i].value)
                        out[k++] = e->v[i].key;
}
