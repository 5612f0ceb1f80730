/*
 * lib/dockerfile/ahead.c - configurations of images: those that stages will need are looked
 * up side by side before the first is asked for, each once. See convert_priv.h.
 * Thread: the conversion's; a few more that only ask the bridge while it waits for them.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "lib/dockerfile/convert_priv.h"

enum {
        LOOKERS = 3,    /* threads beside the conversion's */
        AHEAD_MAX = 64, /* images; what there is more is asked for one after the other */
};

/* An image that was looked up. */
struct answer {
        const char *name;
        const sw_platform *platform;
        const char *title;
        sw_df_source_meta meta;
        sw_err *err; /* owned; or NULL */
        struct answer *next;
};

static void
ask(struct conv *c, struct answer *a)
{
        a->meta.size = sizeof(a->meta);
        a->err = sw_df_client_image_config(c->client, a->name, a->platform, a->title,
                                           &a->meta);
}

static struct answer *
find(struct answer *list, const char *name, const sw_platform *p)
{
        while (list && (list->platform != p || strcmp(list->name, name) != 0))
                list = list->next;
        return list;
}

static struct answer *
new_answer(struct conv *c, const char *name, const sw_platform *p)
{
        struct answer *a = sw_df_new(c->arena, struct answer);

        a->name = name;
        a->platform = p;
        a->title = sw_df__metadata_title(c, name, p);
        return a;
}

sw_err *
sw_df__image(struct conv *c, const char *name, const sw_platform *p,
             const sw_df_source_meta **out)
{
        struct answer *a = find(c->answers, name, p);

        if (!a) {
                a = new_answer(c, name, p);
                ask(c, a);
                a->next = c->answers;
                c->answers = a;
        }
        *out = &a->meta;
        return sw_err_copy(a->err);
}

void
sw_df__answers_release(struct conv *c)
{
        for (struct answer *a = c->answers; a; a = a->next) {
                sw_df_source_meta_release(&a->meta);
                sw_err_free(a->err);
        }
        c->answers = NULL;
}

/* ---- Ahead ---- */

/* The name of the image that will be asked for; NULL: none, or there is a mistake, which
 * comes up again. */
static const char *
needed(struct conv *c, struct stage *st)
{
        struct sw_df_named n = { .name = NULL };
        const char *as_written = st->base_name, *name;
        sw_err *err;

        if (st->base || st->dispatched || st->resolved || st->named.name ||
            !(st->reachable || c->req->all_stages) || strcmp(as_written, SCRATCH) == 0)
                return NULL;
        err = sw_df__full_name(c, st);
        name = st->base_name;
        st->base_name = as_written;
        if (!err)
                err = sw_df_client_named(c->client, name, sw_df__platform_of(c, st), &n);
        if (err) {
                sw_err_drop(err, "comes up again");
                return NULL;
        }
        return n.name ? NULL : name;
}

struct work {
        struct conv *c;
        struct answer *v[AHEAD_MAX];
        size_t n;
        atomic_size_t next;
};

static void *
work_on(void *arg)
{
        struct work *w = (struct work *) arg;
        size_t i;

        while ((i = atomic_fetch_add(&w->next, 1)) < w->n)
                ask(w->c, w->v[i]);
        return NULL;
}

void
sw_df__look_ahead(struct conv *c)
{
        struct work w = { .c = c };
        struct answer *list = NULL;
        pthread_t threads[LOOKERS];
        size_t started = 0;

        for (size_t i = 0; i < c->n_stages && w.n < AHEAD_MAX; i++) {
                const char *name = needed(c, c->stages[i]);
                const sw_platform *p = sw_df__platform_of(c, c->stages[i]);

                if (!name || find(c->answers, name, p) || find(list, name, p))
                        continue;
                w.v[w.n] = new_answer(c, name, p);
                w.v[w.n]->next = list;
                list = w.v[w.n++];
        }
        if (!w.n)
                return;
        while (started < LOOKERS && started + 1 < w.n &&
               pthread_create(&threads[started], NULL, work_on, &w) == 0)
                started++;
        (void) work_on(&w);
        for (size_t i = 0; i < started; i++)
                (void) pthread_join(threads[i], NULL);
        w.v[0]->next = c->answers;
        c->answers = list;
}
