/*
 * core/store/stack.c - stacks of layers. See stack.h.
 */
#include "core/store/stack.h"

#include <stdatomic.h>
#include <string.h>

#include <slipway/mem.h>

struct sw__stack {
        atomic_uint refs;
        atomic_bool lazy;
        size_t n;
        const char **keys;
        sw__stack **bases; /* whose keys are borrowed; owned */
        size_t n_bases;
        char *own; /* the keys that are nobody else's, with their NULs */
};

static sw__stack *
stack_new(size_t n, size_t n_bases)
{
        sw__stack *s = sw_new(sw__stack);

        atomic_init(&s->refs, 1);
        s->n = n;
        s->keys = sw_alloc_array(n + 1, sizeof(*s->keys));
        s->bases = sw_alloc_array(n_bases + 1, sizeof(*s->bases));
        return s;
}

sw__stack *
sw__stack_ref(sw__stack *s)
{
        if (s)
                atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
        return s;
}

/* Chains are long: no recursion. */
void
sw__stack_unref(sw__stack *s)
{
        SW_ARRAY(sw__stack *) todo = { 0 };

        sw_array_push(&todo, s);
        while (todo.n) {
                s = todo.v[--todo.n];
                if (!s || atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) != 1)
                        continue;
                for (size_t i = 0; i < s->n_bases; i++)
                        sw_array_push(&todo, s->bases[i]);
                free(s->keys);
                free(s->bases);
                free(s->own);
                free(s);
        }
        sw_array_release(&todo);
}

struct sw_stack
sw__stack_of(const sw__stack *s)
{
        return s ? (struct sw_stack){ s->keys, s->n } : (struct sw_stack){ NULL, 0 };
}

bool
sw__stack_lazy(const sw__stack *s)
{
        return s && atomic_load_explicit(&s->lazy, memory_order_acquire);
}

void
sw__stack_set_lazy(sw__stack *s, bool lazy)
{
        atomic_store_explicit(&s->lazy, lazy, memory_order_release);
}

size_t
sw__stack_height(const sw__stack *s)
{
        return s ? s->n : 0;
}

static sw_err *
too_high(void)
{
        return sw_err_new(SW_E_LIMIT,
                          "a tree of more than %d layers (copy what is needed "
                          "of it into a new one)",
                          SW__STACK_MAX);
}

/* Append the keys of @base to @s, which holds it from now on. */
static void
borrow(sw__stack *s, size_t at, sw__stack *base)
{
        if (!base)
                return;
        memcpy(s->keys + at, base->keys, base->n * sizeof(*s->keys));
        s->bases[s->n_bases++] = sw__stack_ref(base);
        if (sw__stack_lazy(base))
                sw__stack_set_lazy(s, true);
}

sw_err *
sw__stack_push(sw__stack *below, const char *key, sw__stack **out)
{
        const size_t n = sw__stack_height(below);

        if (n >= SW__STACK_MAX)
                return too_high();
        sw__stack *s = stack_new(n + 1, 1);
        borrow(s, 0, below);
        s->own = sw_strdup(key);
        s->keys[n] = s->own;
        *out = s;
        return SW_OK;
}

sw_err *
sw__stack_concat(sw__stack *const *parts, size_t n, sw__stack **out)
{
        size_t total = 0, at = 0;

        for (size_t i = 0; i < n; i++) {
                total += sw__stack_height(parts[i]);
                if (total > SW__STACK_MAX)
                        return too_high();
        }
        sw__stack *s = stack_new(total, n);
        for (size_t i = 0; i < n; i++) {
                borrow(s, at, parts[i]);
                at += sw__stack_height(parts[i]);
        }
        *out = s;
        return SW_OK;
}

sw__stack *
sw__stack_slice(sw__stack *whole, size_t skip)
{
        if (skip >= sw__stack_height(whole))
                return NULL;
        sw__stack *s = stack_new(whole->n - skip, 1);
        memcpy(s->keys, whole->keys + skip, s->n * sizeof(*s->keys));
        s->bases[s->n_bases++] = sw__stack_ref(whole);
        sw__stack_set_lazy(s, sw__stack_lazy(whole));
        return s;
}

bool
sw__stack_extends(const sw__stack *s, const sw__stack *low)
{
        const size_t n = sw__stack_height(low);

        if (n > sw__stack_height(s))
                return false;
        for (size_t i = n; i-- > 0;) /* from the top: that is where stacks differ */
                if (s->keys[i] != low->keys[i] && strcmp(s->keys[i], low->keys[i]) != 0)
                        return false;
        return true;
}

/* ---- from the store ---- */

/* What is left to be done, the last one first. */
struct step {
        enum { EXPAND, EMIT, CUT } what;
        char *id;          /* EXPAND, EMIT */
        size_t from, skip; /* CUT: drop @skip keys from there on */
};

struct reading {
        SW_ARRAY(struct step) todo;
        sw_strlist keys;
        size_t steps;
        bool lazy;
};

static void
later(struct reading *r, struct step s)
{
        s.id = sw_strdup(s.id);
        sw_array_push(&r->todo, s);
}

static sw_err *
expand(struct reading *r, sw__tx *tx, char *id)
{
        sw_autoptr(sw__rec) rec = NULL;
        sw_err *err = sw__rec_get(tx, id, &rec);

        if (err)
                return err;
        if (!rec)
                return sw_err_new(SW_E_NOT_FOUND, "ref %s is gone", id);
        r->lazy |= rec->state == SW__REC_LAZY;
        if (rec->kind == SW__REC_LAYER)
                later(r, (struct step){ .what = EMIT, .id = id });
        if (rec->kind == SW__REC_SLICE)
                later(r,
                      (struct step){ .what = CUT, .from = r->keys.n, .skip = rec->skip });
        for (size_t i = rec->n_parents; i-- > 0;)
                later(r, (struct step){ .what = EXPAND, .id = rec->parents[i] });
        return SW_OK;
}

static sw_err *
cut(struct reading *r, size_t from, size_t skip)
{
        if (skip >= r->keys.n - from)
                return sw_err_new(SW_E_CORRUPT, "a slice of a stack leaves nothing");
        for (size_t i = from; i < from + skip; i++)
                free(r->keys.v[i]);
        memmove(r->keys.v + from, r->keys.v + from + skip,
                (r->keys.n - from - skip) * sizeof(*r->keys.v));
        r->keys.n -= skip;
        return SW_OK;
}

static sw_err *
read_keys(struct reading *r, sw__tx *tx)
{
        while (r->todo.n) {
                struct step s = r->todo.v[--r->todo.n];
                sw_auto(sw_str) id = s.id;
                sw_err *err = SW_OK;

                /* damaged records could go in circles */
                if (++r->steps > 4 * SW__STACK_MAX || r->keys.n > SW__STACK_MAX)
                        return sw_err_new(SW_E_CORRUPT, "stored layers make no stack");
                if (s.what == EMIT)
                        sw_strlist_take(&r->keys, sw_steal(id));
                else if (s.what == CUT)
                        err = cut(r, s.from, s.skip);
                else
                        err = expand(r, tx, id);
                if (err)
                        return err;
        }
        return SW_OK;
}

static sw__stack *
from_keys(const sw_strlist *keys)
{
        sw__stack *s = stack_new(keys->n, 0);
        size_t size = 0, at = 0;

        for (size_t i = 0; i < keys->n; i++)
                size += strlen(keys->v[i]) + 1;
        s->own = sw_alloc(size + 1);
        for (size_t i = 0; i < keys->n; i++) {
                const size_t n = strlen(keys->v[i]) + 1;

                s->keys[i] = memcpy(s->own + at, keys->v[i], n);
                at += n;
        }
        return s;
}

sw_err *
sw__stack_read(sw__tx *tx, const char *id, sw__stack **out)
{
        struct reading r = { 0 };

        later(&r, (struct step){ .what = EXPAND, .id = (char *) id });
        sw_err *err = read_keys(&r, tx);
        if (!err) {
                *out = from_keys(&r.keys);
                sw__stack_set_lazy(*out, r.lazy);
        }
        for (size_t i = 0; i < r.todo.n; i++)
                free(r.todo.v[i].id);
        sw_array_release(&r.todo);
        sw_strlist_release(&r.keys);
        return sw_err_wrap(err, "layers of ref %s", id);
}
