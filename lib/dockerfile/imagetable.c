/*
 * lib/dockerfile/imagetable.c - strings by name, for what may be many: ports, labels,
 * paths. See imageconf.h. Entries are added behind the sorted ones and join them when they
 * have become many, so that a table is made in n log n whatever the order.
 */
#include <string.h>

#include "lib/dockerfile/imageconf.h"

enum { TAIL = 32 }; /* entries behind the sorted ones that are always fine */

/* An entry on its way into the order; of equal keys the later one counts. */
struct moving {
        struct sw_df_entry e;
        size_t place;
};

static int
by_key_and_place(const void *a, const void *b)
{
        const struct moving *x = (const struct moving *) a, *y = (const struct moving *) b;
        int c = strcmp(x->e.key, y->e.key);

        return c ? c : (x->place > y->place) - (x->place < y->place);
}

/* @m sorted and @t's sorted ones, each key once, into @out; returns how many. */
static size_t
merge(const struct sw_df_table *t, const struct moving *m, size_t n_m,
      struct sw_df_entry *out)
{
        size_t i = 0, k = 0, n = 0;

        while (i < t->n_sorted || k < n_m) {
                int c = i == t->n_sorted ? 1
                        : k == n_m       ? -1
                                         : strcmp(t->v[i].key, m[k].e.key);

                if (c < 0) {
                        out[n++] = t->v[i++];
                        continue;
                }
                while (k + 1 < n_m && strcmp(m[k].e.key, m[k + 1].e.key) == 0)
                        k++;
                out[n++] = m[k++].e;
                i += c == 0;
        }
        return n;
}

void
sw_df_table_settle(struct sw_df_table *t)
{
        size_t n_m = t->n - t->n_sorted;
        struct moving *m;
        struct sw_df_entry *out;

        if (!n_m)
                return;
        m = (struct moving *) sw_alloc_array(n_m, sizeof(*m));
        out = (struct sw_df_entry *) sw_alloc_array(t->n, sizeof(*out));
        for (size_t i = 0; i < n_m; i++)
                m[i] = (struct moving){ t->v[t->n_sorted + i], i };
        qsort(m, n_m, sizeof(*m), by_key_and_place);
        t->n = t->n_sorted = merge(t, m, n_m, out);
        memcpy(t->v, out, t->n * sizeof(*out));
        free(m);
        free(out);
}

/* Among the sorted ones; NULL: not there. */
static struct sw_df_entry *
find_sorted(const struct sw_df_table *t, const char *key)
{
        size_t lo = 0, hi = t->n_sorted;

        while (lo < hi) {
                size_t mid = lo + (hi - lo) / 2;
                int c = strcmp(t->v[mid].key, key);

                if (c == 0)
                        return &t->v[mid];
                if (c < 0)
                        lo = mid + 1;
                else
                        hi = mid;
        }
        return NULL;
}

void
sw_df_table_set(struct sw_df_arena *a, struct sw_df_table *t, const char *key,
                const char *value)
{
        struct sw_df_entry *last = t->n > t->n_sorted ? &t->v[t->n - 1] : NULL;
        struct sw_df_entry *have = last ? NULL : find_sorted(t, key);

        if (last && strcmp(last->key, key) == 0)
                have = last; /* once more */
        if (have) {
                have->value = value;
                return;
        }
        if (t->n == t->cap) {
                size_t cap = t->cap ? t->cap * 2 : 4;
                struct sw_df_entry *v = sw_df_new_array(a, struct sw_df_entry, cap);

                if (t->v)
                        memcpy(v, t->v, t->n * sizeof(*v));
                t->v = v;
                t->cap = cap;
        }
        /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): there is room for one */
        t->v[t->n++] = (struct sw_df_entry){ key, value };
        if (t->n - t->n_sorted > TAIL + t->n_sorted / 4)
                sw_df_table_settle(t);
}

const char *
sw_df_table_get(const struct sw_df_table *t, const char *key)
{
        const struct sw_df_entry *e;

        for (size_t i = t->n; i > t->n_sorted; i--)
                if (strcmp(t->v[i - 1].key, key) == 0)
                        return t->v[i - 1].value;
        e = find_sorted(t, key);
        return e ? e->value : NULL;
}
