/*
 * core/ops/nests.c - builds inside builds that run, and what they wait for, so that none
 * waits for itself.
 *
 * A definition that a step made may hold the very step that builds it, or one that waits
 * for that: vertices are shared by their digests, which do not depend on what is in a
 * directory. A build op waits for its definition, which has with every vertex all that is
 * needed for it; so a circle leads through the build ops of definitions alone, and closes
 * when the last of them begins.
 *
 * Thread: any; the lock guards everything.
 */
#include <pthread.h>
#include <string.h>

#include "core/ops/internal.h"

struct nest {
        sw_digest who;
        SW_ARRAY(sw_digest) needs; /* the build ops of its definition */
        bool seen;                 /* by the search that is going on */
};

struct sw_nests {
        pthread_mutex_t lock;
        SW_ARRAY(struct nest *) running;
};

sw_nests *
sw__nests_new(void)
{
        sw_nests *n = sw_new(sw_nests);

        pthread_mutex_init(&n->lock, NULL);
        return n;
}

void
sw__nests_free(sw_nests *n)
{
        if (!n)
                return;
        sw_array_release(&n->running);
        pthread_mutex_destroy(&n->lock);
        free(n);
}

static void
free_nest(struct nest *n)
{
        sw_array_release(&n->needs);
        free(n);
}

static struct nest *
new_nest(const sw_digest *who, const sw_definition *def)
{
        struct nest *n = sw_new(struct nest);

        n->who = *who;
        for (size_t i = 0; i < sw_definition_count(def); i++) {
                const sw_llb_vertex *v = sw_definition_vertex(def, i);

                if (sw_llb_vertex_kind(v) == SW_OP_BUILD)
                        sw_array_push(&n->needs, *sw_llb_vertex_digest(v));
        }
        return n;
}

/* Whether @from waits for @who, by way of whatever builds run. */
static bool
waits_for_locked(sw_nests *all, const struct nest *from, const sw_digest *who)
{
        SW_ARRAY(const struct nest *) todo = { 0 };
        bool found = false;

        for (size_t i = 0; i < all->running.n; i++)
                all->running.v[i]->seen = false;
        sw_array_push(&todo, from);
        for (size_t at = 0; at < todo.n && !found; at++) {
                const struct nest *n = todo.v[at];

                for (size_t i = 0; i < n->needs.n && !found; i++) {
                        found = sw_digest_eq(&n->needs.v[i], who);
                        for (size_t k = 0; k < all->running.n; k++) {
                                struct nest *r = all->running.v[k];

                                if (r->seen || !sw_digest_eq(&r->who, &n->needs.v[i]))
                                        continue;
                                r->seen = true;
                                sw_array_push(&todo, r);
                        }
                }
        }
        sw_array_release(&todo);
        return found;
}

sw_err *
sw__nest_begin(sw_nests *all, const sw_llb_vertex *v, const sw_definition *def, void **out)
{
        struct nest *n;
        bool circle;

        *out = NULL;
        if (!all)
                return SW_OK;
        n = new_nest(sw_llb_vertex_digest(v), def);
        pthread_mutex_lock(&all->lock);
        circle = waits_for_locked(all, n, &n->who);
        if (!circle)
                sw_array_push(&all->running, n);
        pthread_mutex_unlock(&all->lock);
        if (circle) {
                free_nest(n);
                return sw_err_new(SW_E_INVALID, "it would wait for itself: its definition "
                                                "holds the step that builds it, or one "
                                                "that waits for that");
        }
        *out = n;
        return SW_OK;
}

void
sw__nest_end(sw_nests *all, void *nest)
{
        if (!nest)
                return;
        pthread_mutex_lock(&all->lock);
        for (size_t i = 0; i < all->running.n; i++)
                if (all->running.v[i] == nest) {
                        all->running.v[i] = all->running.v[--all->running.n];
                        break;
                }
        pthread_mutex_unlock(&all->lock);
        free_nest(nest);
}
