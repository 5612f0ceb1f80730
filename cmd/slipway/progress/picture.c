/*
 * cmd/slipway/progress/picture.c - see picture.h. Thread: one at a time.
 */
#include <stdio.h>
#include <string.h>

#include <slipway/time.h>

#include "cmd/slipway/progress/picture.h"
#include "cmd/slipway/progress/rows.h"
#include "cmd/slipway/progress/stepname.h"

enum {
        CACHED_SHOWN = 3, /* more cached steps than that are told in one row */
        LOW = 8,          /* rows of a terminal where nothing is folded: no room */
};

enum state { FAILED, RUNNING, ENDED };

/* A step that has a row. */
struct block {
        struct model_step *step;
        enum state state;
        size_t order, details; /* rows of what goes on in it */
        bool hidden;
};

struct plan {
        SW_ARRAY(struct block) blocks;
        size_t n[3]; /* by state */
        size_t cached, internal;
        double internal_seconds;
        size_t hidden_running, hidden_ended;
};

/* ---- Stages ---- */

/* The place of @s among the stages: internal steps first, then each stage, and each step
 * that is in none, as they were met. */
static size_t
place_of(struct picture *p, struct model_step *s)
{
        struct step_name name;

        if (s->place)
                return s->place;
        step_name_parse(s->name, &name);
        if (name.internal)
                return s->place = 1;
        if (!name.stage)
                return s->place = 2 + p->n_places++;
        sw_auto(sw_str) stage = sw_strndup(name.stage, name.stage_len);
        void *known = sw_map_get(p->stages, stage);
        if (!known) {
                known = (void *) (uintptr_t) (2 + p->n_places++);
                (void) sw_map_set(p->stages, stage, known);
        }
        return s->place = (size_t) (uintptr_t) known;
}

static int
compare_blocks(const void *a, const void *b)
{
        const struct block *x = a, *y = b;

        if (x->step->place != y->step->place)
                return x->step->place < y->step->place ? -1 : 1;
        return x->order < y->order ? -1 : x->order > y->order;
}

/* ---- What is there ---- */

static bool
is_internal(struct picture *p, struct model_step *s)
{
        return place_of(p, s) == 1 && s->completed && !s->error;
}

static void
count_folded(struct picture *p, const model *m, struct plan *plan)
{
        for (size_t i = 0; i < m->rows.n; i++) {
                struct model_step *s = m->rows.v[i];

                if (!s->started)
                        continue;
                if (is_internal(p, s)) {
                        plan->internal++;
                        plan->internal_seconds += step_seconds(s);
                } else if (s->cached && s->completed && !s->error) {
                        plan->cached++;
                }
        }
        if (plan->internal == 1)
                plan->internal = 0;
        if (plan->cached <= CACHED_SHOWN)
                plan->cached = 0;
}

static bool
is_folded(struct picture *p, const struct plan *plan, struct model_step *s)
{
        if (is_internal(p, s))
                return plan->internal > 0;
        return plan->cached > 0 && s->cached && s->completed && !s->error;
}

static void
collect(struct picture *p, const model *m, struct plan *plan)
{
        count_folded(p, m, plan);
        for (size_t i = 0; i < m->rows.n; i++) {
                struct model_step *s = m->rows.v[i];
                struct block b = { .step = s, .order = i, .state = ENDED };

                if (!s->started || is_folded(p, plan, s))
                        continue;
                (void) place_of(p, s);
                if (s->error && !step_cancelled(s))
                        b.state = FAILED;
                else if (!s->completed)
                        b.state = RUNNING;
                plan->n[b.state]++;
                sw_array_push(&plan->blocks, b);
        }
        if (plan->blocks.n > 0)
                qsort(plan->blocks.v, plan->blocks.n, sizeof(*plan->blocks.v),
                      compare_blocks);
}

/* ---- What there is room for ---- */

/* The first failed ones, then the first that run, in @room rows with one for the rest. */
static void
hide_urgent(struct plan *plan, size_t room)
{
        static const enum state order[] = { FAILED, RUNNING };

        if (room > 0)
                room--;
        for (size_t k = 0; k < SW_COUNT(order); k++)
                for (size_t i = 0; i < plan->blocks.n; i++) {
                        struct block *b = &plan->blocks.v[i];

                        if (b->state != order[k])
                                continue;
                        b->hidden = room == 0;
                        plan->hidden_running += b->hidden;
                        room -= !b->hidden;
                }
}

static int
compare_ended(const void *a, const void *b)
{
        const struct block *const *x = a, *const *y = b;

        return ((*x)->step->completed < (*y)->step->completed) -
               ((*x)->step->completed > (*y)->step->completed);
}

/* What ended, but for the last @keep of them. */
static void
hide_ended(struct plan *plan, size_t keep)
{
        SW_ARRAY(struct block *) ended = { 0 };

        if (keep >= plan->n[ENDED])
                return;
        for (size_t i = 0; i < plan->blocks.n; i++)
                if (plan->blocks.v[i].state == ENDED)
                        sw_array_push(&ended, &plan->blocks.v[i]);
        if (ended.n > 0)
                qsort(ended.v, ended.n, sizeof(*ended.v), compare_ended);
        for (size_t i = keep; i < ended.n; i++)
                ended.v[i]->hidden = true;
        plan->hidden_ended = ended.n - keep;
        sw_array_release(&ended);
}

/* Running steps get rows for what goes on in them, in turn. Returns what is left. */
static size_t
share_details(struct plan *plan, const struct rows *r, size_t left)
{
        SW_ARRAY(size_t) wanted = { 0 };
        bool more = true;

        for (size_t i = 0; i < plan->blocks.n; i++)
                sw_array_push(&wanted, plan->blocks.v[i].state == RUNNING
                                               ? rows_wanted(r, plan->blocks.v[i].step)
                                               : 0);
        while (more && left > 0) {
                more = false;
                for (size_t i = 0; i < plan->blocks.n && left > 0; i++) {
                        if (plan->blocks.v[i].details >= wanted.v[i])
                                continue;
                        plan->blocks.v[i].details++;
                        left--;
                        more = true;
                }
        }
        sw_array_release(&wanted);
        return left;
}

static void
fit(struct plan *plan, const struct rows *r, size_t room)
{
        size_t urgent = plan->n[FAILED] + plan->n[RUNNING], left, keep;

        if (urgent > room) {
                hide_urgent(plan, room);
                hide_ended(plan, 0);
                plan->hidden_ended = 0; /* there is no row to say so */
                return;
        }
        left = room - urgent;
        keep = left / 4 + 1; /* they are not all pushed out by what others print */
        if (keep > plan->n[ENDED])
                keep = plan->n[ENDED];
        if (keep > left)
                keep = left;
        left = share_details(plan, r, left - keep);
        keep += left;
        if (keep >= plan->n[ENDED])
                return;
        hide_ended(plan, keep > 0 ? keep - 1 : 0);
        if (keep == 0) /* not even for a row that counts them */
                plan->hidden_ended = 0;
}

static void
show_all(struct plan *plan, const struct rows *r)
{
        for (size_t i = 0; i < plan->blocks.n; i++)
                plan->blocks.v[i].details = rows_wanted(r, plan->blocks.v[i].step);
}

/* ---- Drawing ---- */

static void
add_header(struct rows *r, const model *m)
{
        size_t done = 0, all = 0;
        char text[96];
        double took = (double) (sw_time_mono() - m->began) / 1e9;

        for (size_t i = 0; i < m->rows.n; i++) {
                all += !r->final || m->rows.v[i]->started != 0;
                done += m->rows.v[i]->completed != 0;
        }
        (void) snprintf(text, sizeof(text), "[+] Building %.1fs (%zu/%zu)%s", took, done,
                        all, r->final ? " FINISHED" : "");
        rows_add(r, text, NULL, r->final ? r->p->colours.done : NULL);
}

static void
add_count(struct rows *r, const char *fmt, size_t n, const char *right)
{
        sw_auto(sw_buf) text = SW_BUF_INIT;

        if (n == 0)
                return;
        sw_buf_addf(&text, " => %zu %s", n, fmt);
        rows_add(r, text.data, right, r->p->colours.done);
}

static void
draw(struct rows *r, const model *m, struct plan *plan)
{
        char seconds[32];

        add_header(r, m);
        (void) snprintf(seconds, sizeof(seconds), "%.1fs", plan->internal_seconds);
        add_count(r, "internal steps", plan->internal, seconds);
        add_count(r, "steps cached", plan->cached, NULL);
        add_count(r, "more steps done", plan->hidden_ended, NULL);
        for (size_t i = 0; i < plan->blocks.n; i++) {
                struct block *b = &plan->blocks.v[i];

                if (b->hidden)
                        continue;
                rows_step(r, b->step);
                rows_details(r, b->step, b->details);
        }
        if (plan->hidden_running) {
                sw_auto(sw_buf) text = SW_BUF_INIT;

                sw_buf_addf(&text, " => and %zu more", plan->hidden_running);
                rows_add(r, text.data, NULL, NULL);
        }
}

void
picture_init(struct picture *p)
{
        *p = (struct picture){ .window = PICTURE_WINDOW, .stages = sw_map_new(NULL) };
}

void
picture_release(struct picture *p)
{
        if (p->stages)
                sw_map_free(p->stages);
        p->stages = NULL;
}

void
picture_make(struct picture *p, model *m, struct screen *s, bool final)
{
        struct rows r = { .screen = s, .p = p, .final = final, .now = sw_time_now() };
        struct plan plan = { .cached = 0 };
        int64_t now = sw_time_mono();
        size_t room = s->height > 2 ? s->height - 2 : 1; /* the header, the cursor's row */

        for (size_t i = 0; i < m->rows.n; i++)
                if (step_running(m->rows.v[i]))
                        rows_rates(m->rows.v[i], now);
        collect(p, m, &plan);
        if (s->height < LOW && !final)
                plan.cached = plan.internal = 0;
        if (final) {
                show_all(&plan, &r);
        } else {
                room -= (plan.cached > 0) + (plan.internal > 0);
                fit(&plan, &r, room);
        }
        draw(&r, m, &plan);
        sw_array_release(&plan.blocks);
}
