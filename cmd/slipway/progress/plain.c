/*
 * cmd/slipway/progress/plain.c - progress as lines, for logs and eyes that read later.
 *
 * One step at a time is the current one, and its lines are not mixed with others'. Steps
 * that ended come first. The current one is left for another when that has waited for
 * WAIT_MAX, or when it had its share of attention, which is longer the more it says:
 * STAY / (1 - its share of all that is said).
 * Thread: main.
 */
#include <stdio.h>
#include <string.h>

#include <slipway/time.h>

#include "cmd/slipway/progress/progress.h"

#define STAY         5.0                  /* seconds */
#define WAIT_MAX     (10 * SW_NS_PER_SEC) /* a step is silent for so long at most */
#define STATUS_DELTA 0.05                 /* of the total: less is not printed ... */
#define STATUS_EVERY (5 * SW_NS_PER_SEC)  /* ... unless so much time went by */

struct plain {
        struct model_step *current; /* NULL: none */
        unsigned n;                 /* numbers given */
        bool begun;                 /* something was printed */
};

/* ---- One step ---- */

static void
switch_to(struct plain *p, struct model_step *s, struct progress_out *out)
{
        if (p->current == s)
                return;
        if (p->current) {
                sw_buf_addf(&out->buf, "#%u ...\n", p->current->number);
                p->current->count = 0;
                p->current->since = 0;
        }
        if (p->begun)
                sw_buf_addc(&out->buf, '\n');
        p->begun = true;
        if (!s->number)
                s->number = ++p->n;
        sw_buf_addf(&out->buf, "#%u ", s->number);
        progress_add_name(&out->buf, s->name, out);
        sw_buf_addc(&out->buf, '\n');
        p->current = s;
        s->since = sw_time_mono();
}

static bool
status_due(const struct model_status *st)
{
        double delta = st->total > 0 ? (double) (st->current - st->shown_current) /
                                               (double) st->total
                                     : 0;

        return !st->shown || st->completed || delta >= STATUS_DELTA ||
               st->timestamp - st->shown_at >= STATUS_EVERY;
}

static void
add_status(const struct model_step *s, struct model_status *st, struct progress_out *out)
{
        int64_t end = st->completed ? st->completed : st->timestamp;
        double took =
                st->started && end > st->started ? (double) (end - st->started) / 1e9 : 0;

        st->shown = true;
        st->fresh = false;
        st->shown_at = st->timestamp;
        st->shown_current = st->current;
        sw_buf_addf(&out->buf, "#%u ", s->number);
        progress_add_text(&out->buf, st->id, out);
        progress_add_amount(&out->buf, st->current, st->total);
        if (took > 0.01)
                sw_buf_addf(&out->buf, " %.1fs", took);
        sw_buf_adds(&out->buf, st->completed ? " done\n" : "\n");
}

static void
add_end(struct plain *p, struct model_step *s, struct progress_out *out)
{
        if (!s->completed)
                return;
        p->current = NULL;
        s->count = 0;
        sw_buf_addf(&out->buf, "#%u ", s->number);
        if (step_cancelled(s)) {
                sw_buf_adds(&out->buf, "CANCELED\n");
        } else if (s->error) {
                sw_buf_adds(&out->buf, "ERROR: ");
                progress_add_text(&out->buf, s->error, out);
                sw_buf_addc(&out->buf, '\n');
        } else if (s->cached) {
                sw_buf_adds(&out->buf, "CACHED\n");
        } else {
                sw_buf_addf(&out->buf, "DONE %.1fs\n", step_seconds(s));
        }
}

/* Everything of @s that was not printed yet. */
static void
show(struct plain *p, struct model_step *s, struct progress_out *out)
{
        switch_to(p, s, out);
        for (size_t i = 0; i < s->statuses.n; i++)
                if (s->statuses.v[i].fresh && status_due(&s->statuses.v[i]))
                        add_status(s, &s->statuses.v[i], out);
        for (; s->n_warned < s->warnings.n; s->n_warned++) {
                sw_buf_addf(&out->buf, "#%u WARN: ", s->number);
                progress_add_text(&out->buf, s->warnings.v[s->n_warned], out);
                sw_buf_addc(&out->buf, '\n');
        }
        for (size_t i = 0; i < s->lines.n; i++) {
                sw_buf_addf(&out->buf, "#%u ", s->number);
                progress_add_line(&out->buf, s->lines.v[i], out);
                sw_buf_addc(&out->buf, '\n');
        }
        sw_strlist_release(&s->lines);
        s->fresh = false;
        add_end(p, s, out);
}

/* ---- Which one ---- */

static void
show_completed(struct plain *p, model *m, struct progress_out *out)
{
        if (p->current && p->current->fresh && p->current->completed)
                show(p, p->current, out);
        for (;;) {
                struct model_step *first = NULL;

                for (size_t i = 0; i < m->rows.n; i++) {
                        struct model_step *s = m->rows.v[i];

                        if (s->fresh && s->completed &&
                            (!first || s->completed < first->completed))
                                first = s;
                }
                if (!first)
                        return;
                show(p, first, out);
        }
}

/* What is worth showing of the steps that go on: they began, or said something. */
static bool
wants(const struct model_step *s)
{
        return !s->completed && s->started && s->fresh;
}

static double
speed(const struct model_step *s, int64_t now)
{
        double waited = (double) (now - s->since) / 1e9;

        return s->count / (waited > 0.001 ? waited : 0.001);
}

/* Whether the current step had its share; *next: who says most, or waits too long. */
static bool
time_to_switch(const struct plain *p, const model *m, struct model_step **next)
{
        int64_t now = sw_time_mono();
        double sum = 0, share, stayed;
        struct model_step *most = NULL;
        bool late = false;

        for (size_t i = 0; i < m->rows.n; i++) {
                struct model_step *s = m->rows.v[i];

                if (!wants(s) && s != p->current)
                        continue;
                sum += speed(s, now);
                if (s == p->current || late)
                        continue;
                late = now - s->since > WAIT_MAX;
                if (late || !most || speed(most, now) < speed(s, now))
                        most = s;
        }
        *next = most;
        if (!most || late || !p->current)
                return most != NULL;
        share = sum > 0 ? speed(p->current, now) / sum : 0;
        stayed = (double) (now - p->current->since) / 1e9;
        return share < 1 && STAY / (1 - share) < stayed;
}

static void
plain_step(void *self, model *m, const struct sw_progress_batch *b,
           struct progress_out *out)
{
        struct plain *p = self;
        struct model_step *next = NULL;

        (void) b;
        show_completed(p, m, out);
        if (p->current && p->current->fresh && wants(p->current))
                show(p, p->current, out);
        if (time_to_switch(p, m, &next))
                show(p, next, out);
}

static void
plain_end(void *self, model *m, struct progress_out *out)
{
        struct plain *p = self;

        show_completed(p, m, out);
        for (size_t i = 0; i < m->rows.n; i++) /* never told to have ended */
                if (wants(m->rows.v[i]) && m->rows.v[i]->lines.n > 0)
                        show(p, m->rows.v[i], out);
        progress_add_failures(m, out);
}

void *
plain_new(const struct progress_printer **ops)
{
        static const struct progress_printer printer = {
                .step = plain_step,
                .end = plain_end,
                .free = free,
                .tick = SW_NS_PER_SEC,
                .lines = true,
        };

        *ops = &printer;
        return sw_new(struct plain);
}
