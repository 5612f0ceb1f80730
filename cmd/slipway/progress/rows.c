/*
 * cmd/slipway/progress/rows.c - see rows.h. Thread: one at a time.
 */
#include <stdio.h>
#include <string.h>

#include <slipway/text.h>
#include <slipway/time.h>

#include "cmd/slipway/progress/logtext.h"
#include "cmd/slipway/progress/progress.h"
#include "cmd/slipway/progress/rows.h"
#include "cmd/slipway/progress/width.h"
#include "cmd/slipway/term.h"

#define SHORT_DIGEST 12 /* digits that are shown */
#define RATE_EVERY   (500 * SW_NS_PER_MS)

enum {
        RIGHT_LEAST = 12, /* narrower: no times */
        BAR_WIDE = 20,    /* columns between the brackets of a bar ... */
        BAR_NARROW = 10,  /* ... below WIDE */
        WIDE = 100,
        NARROW = 46,        /* below: no bars */
        FINAL_STATUSES = 8, /* of one step, in the last picture */
        ENDED_STATUSES = 2, /* of a step that runs */
};

/* ---- One row ---- */

void
rows_add(struct rows *r, const char *text, const char *right, const char *colour)
{
        sw_auto(sw_buf) row = SW_BUF_INIT;
        size_t width = r->screen->width > 1 ? r->screen->width - 1 : 1; /* the last column
                                                                           may wrap */
        size_t right_len = right && width >= RIGHT_LEAST ? strlen(right) : 0;
        size_t room, used;

        if (right_len > width / 2)
                right_len = 0;
        room = width - right_len - (right_len ? 1 : 0);
        if (colour)
                sw_buf_adds(&row, colour);
        used = width_add(&row, text, room);
        if (right_len) {
                term_pad(&row, room - used + 1);
                sw_buf_adds(&row, right);
                used = width;
        }
        if (colour)
                sw_buf_adds(&row, "\033[0m");
        screen_add(r->screen, row.data, used);
}

static void
add_seconds(sw_buf *b, double s)
{
        sw_buf_addf(b, "%.1fs", s);
}

/* "[=====>    ]", as wide as the terminal allows. */
static void
add_bar(const struct rows *r, sw_buf *b, int64_t current, int64_t total)
{
        int columns = r->screen->width >= WIDE ? BAR_WIDE : BAR_NARROW, done = 0;

        if (r->screen->width < NARROW || total <= 0)
                return;
        if (current > 0)
                done = current >= total
                               ? columns
                               : (int) ((double) current / (double) total * columns);
        sw_buf_addc(b, '[');
        for (int i = 0; i < columns; i++)
                sw_buf_addc(b, i < done ? '=' : i == done ? '>' : ' ');
        sw_buf_adds(b, "]");
}

static void
add_rate(sw_buf *b, double rate)
{
        char text[32];

        if (rate >= 1)
                sw_buf_addf(b, " %s/s", sw_size_str((int64_t) rate, text));
}

/* An id or a name, with digests cut short. */
static void
add_id(sw_buf *b, const char *id)
{
        sw_auto(sw_buf) text = SW_BUF_INIT;
        const char *at;

        while ((at = strstr(id, "sha256:")) != NULL) {
                size_t n = strspn(at + 7, "0123456789abcdef");

                sw_buf_add(&text, id, (size_t) (at - id) + 7);
                sw_buf_add(&text, at + 7, n > SHORT_DIGEST ? SHORT_DIGEST : n);
                id = at + 7 + n;
        }
        sw_buf_adds(&text, id);
        term_add_text(b, text.data);
}

/* ---- Transfers ---- */

/* Blobs of an image that come or go; the others are told one by one. */
static bool
is_transfer(const struct model_status *st)
{
        return st->total > 0 && strstr(st->id, "sha256:") != NULL;
}

struct transfers {
        size_t n, done, shared;
        bool summed; /* they have a row for all of them */
        int64_t current, total, began, ended;
        double rate;
};

static void
sum_transfers(const struct model_step *s, struct transfers *t)
{
        *t = (struct transfers){ .n = 0 };
        for (size_t i = 0; i < s->statuses.n; i++) {
                const struct model_status *st = &s->statuses.v[i];

                t->shared += st->shared;
                if (!is_transfer(st) || st->replaced)
                        continue;
                t->n++;
                t->done += st->completed != 0;
                t->current += st->current;
                t->total += st->total;
                t->rate += st->completed ? 0 : st->rate;
                if (st->started && (!t->began || st->started < t->began))
                        t->began = st->started;
                if (st->completed > t->ended)
                        t->ended = st->completed;
        }
        t->summed = t->n + t->shared > 1;
}

void
rows_rates(struct model_step *s, int64_t now)
{
        for (size_t i = 0; i < s->statuses.n; i++) {
                struct model_status *st = &s->statuses.v[i];
                int64_t since = now - st->rate_at;
                double rate;

                if (st->completed || st->total <= 0)
                        continue;
                if (!st->rate_at || st->current < st->rate_from) {
                        st->rate_at = now;
                        st->rate_from = st->current;
                } else if (since >= RATE_EVERY) {
                        rate = (double) (st->current - st->rate_from) * 1e9 /
                               (double) since;
                        st->rate = st->rate > 0 ? (st->rate + rate) / 2 : rate;
                        st->rate_at = now;
                        st->rate_from = st->current;
                }
        }
}

/* All of them in one row: what is left to wait for. */
static void
add_overall(struct rows *r, const struct model_step *s, const struct transfers *t)
{
        sw_auto(sw_buf) text = SW_BUF_INIT;
        sw_auto(sw_buf) right = SW_BUF_INIT;
        int64_t end = t->done == t->n || s->completed ? t->ended : r->now;
        double took = end > t->began ? (double) (end - t->began) / 1e9 : 0;

        sw_buf_adds(&text, " => => ");
        if (t->done < t->n)
                sw_buf_addf(&text, "%zu of ", t->done);
        if (t->n)
                sw_buf_addf(&text, "%zu transferred", t->n);
        if (t->shared)
                sw_buf_addf(&text, "%s%zu shared", t->n ? ", " : "", t->shared);
        progress_add_amount(&text, t->current, t->total);
        if (t->done < t->n)
                add_rate(&text, t->rate);
        else if (took > 0.01)
                add_rate(&text, (double) t->current / took);
        if (t->done < t->n && !s->completed) {
                add_bar(r, &right, t->current, t->total);
                sw_buf_addc(&right, ' ');
        }
        add_seconds(&right, took);
        rows_add(r, text.data, right.data, t->done == t->n ? r->p->colours.done : NULL);
}

static void
add_status(struct rows *r, const struct model_step *s, const struct model_status *st)
{
        sw_auto(sw_buf) text = SW_BUF_INIT;
        sw_auto(sw_buf) right = SW_BUF_INIT;
        int64_t end = st->completed ? st->completed : s->completed ? s->completed : r->now;

        sw_buf_adds(&text, " => => ");
        add_id(&text, st->id);
        progress_add_amount(&text, st->current, st->total);
        if (!st->completed && !s->completed && st->total > 0) {
                add_rate(&text, st->rate);
                add_bar(r, &right, st->current, st->total);
                sw_buf_addc(&right, ' ');
        }
        if (st->started)
                add_seconds(&right,
                            end > st->started ? (double) (end - st->started) / 1e9 : 0);
        rows_add(r, text.data, right.len ? right.data : NULL,
                 st->completed ? r->p->colours.done : NULL);
}

/* ---- Which statuses ---- */

/* One that has a row of its own: of several blobs, those that are over have none. */
static bool
has_row(const struct rows *r, const struct model_step *s, const struct transfers *t,
        const struct model_status *st)
{
        bool over = st->completed || s->completed || r->final;

        if (st->replaced)
                return false;
        if (!t->summed || !over)
                return true;
        return !st->shared && !is_transfer(st) &&
               !sw_str_has_prefix(st->id, "extracting sha256:");
}

static size_t
statuses_wanted(const struct rows *r, const struct model_step *s)
{
        struct transfers t;
        size_t running = 0, ended = 0, most = r->final ? FINAL_STATUSES : ENDED_STATUSES;

        sum_transfers(s, &t);
        for (size_t i = 0; i < s->statuses.n; i++) {
                const struct model_status *st = &s->statuses.v[i];

                if (!has_row(r, s, &t, st))
                        continue;
                if (st->completed || r->final)
                        ended++;
                else
                        running++;
        }
        return t.summed + running + (ended > most ? most : ended);
}

/* @n rows at most: the sum of the transfers, then what runs, then what ended last. */
static void
add_statuses(struct rows *r, const struct model_step *s, size_t n)
{
        struct transfers t;
        size_t running = 0, ended = 0, skip_running, skip_ended;

        sum_transfers(s, &t);
        if (t.summed && n > 0) {
                add_overall(r, s, &t);
                n--;
        }
        for (size_t i = 0; i < s->statuses.n; i++) {
                const struct model_status *st = &s->statuses.v[i];

                if (has_row(r, s, &t, st))
                        *(st->completed ? &ended : &running) += 1;
        }
        skip_running = running > n ? running - n : 0;
        n -= running - skip_running;
        skip_ended = ended > n ? ended - n : 0;
        for (size_t i = 0; i < s->statuses.n; i++) {
                const struct model_status *st = &s->statuses.v[i];
                size_t *skip = st->completed ? &skip_ended : &skip_running;

                if (!has_row(r, s, &t, st))
                        continue;
                if (*skip > 0)
                        (*skip)--;
                else
                        add_status(r, s, st);
        }
}

/* ---- What it prints ---- */

/* Lines that have no end yet count: programs draw their progress into one. */
static size_t
log_wanted(const struct rows *r, const struct model_step *s)
{
        size_t n = s->n_tail < MODEL_TAIL ? s->n_tail : MODEL_TAIL;

        if (!step_running(s))
                return 0;
        for (size_t i = 0; i < SW_COUNT(s->partial); i++)
                n += s->partial[i].len > 0;
        return n < r->p->window ? n : r->p->window;
}

static void
add_line(struct rows *r, const char *line)
{
        sw_auto(sw_buf) text = SW_BUF_INIT;
        const char *after = strchr(line, ' '); /* the seconds */

        sw_buf_adds(&text, " => => # ");
        logtext_add(&text, logtext_last(after ? after + 1 : line), false);
        for (size_t i = 0; i < text.len; i++) /* a tab would be as wide as it likes */
                if (text.data[i] == '\t')
                        text.data[i] = ' ';
        rows_add(r, text.data, NULL, r->p->colours.log);
}

static void
add_log(struct rows *r, const struct model_step *s, size_t n)
{
        size_t unended = 0, whole;

        for (size_t i = 0; i < SW_COUNT(s->partial); i++)
                unended += s->partial[i].len > 0;
        whole = n > unended ? n - unended : 0;
        if (whole > s->n_tail)
                whole = s->n_tail;
        for (size_t i = s->n_tail - whole; i < s->n_tail; i++)
                add_line(r, s->tail[i % MODEL_TAIL]);
        n -= whole;
        for (size_t i = 0; i < SW_COUNT(s->partial) && n > 0; i++)
                if (s->partial[i].len > 0) {
                        add_line(r, s->partial[i].data);
                        n--;
                }
}

/* ---- A step ---- */

static const char *
step_colour(const struct rows *r, const struct model_step *s)
{
        if (step_cancelled(s))
                return r->p->colours.cancel;
        if (s->error)
                return r->p->colours.error;
        return s->completed ? r->p->colours.done : NULL;
}

void
rows_step(struct rows *r, const struct model_step *s)
{
        sw_auto(sw_buf) text = SW_BUF_INIT;
        sw_auto(sw_buf) right = SW_BUF_INIT;
        sw_auto(sw_str) name = sw_strdup(s->name);

        sw_buf_adds(&text, " => ");
        if (step_cancelled(s))
                sw_buf_adds(&text, "CANCELED ");
        else if (s->error)
                sw_buf_adds(&text, "ERROR ");
        else if (s->cached)
                sw_buf_adds(&text, "CACHED ");
        for (char *p = name; *p; p++)
                if (*p == '\n' || *p == '\r' || *p == '\t')
                        *p = ' ';
        add_id(&text, name);
        add_seconds(&right, step_seconds(s));
        rows_add(r, text.data, right.data, step_colour(r, s));
}

size_t
rows_wanted(const struct rows *r, const struct model_step *s)
{
        if (s->completed && !r->final)
                return 0;
        return (r->final ? 0 : s->warnings.n) + statuses_wanted(r, s) + log_wanted(r, s);
}

static void
add_warnings(struct rows *r, const struct model_step *s, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                sw_auto(sw_buf) text = SW_BUF_INIT;

                sw_buf_adds(&text, " => => WARN: ");
                term_add_text(&text, s->warnings.v[i]);
                rows_add(r, text.data, NULL, r->p->colours.warning);
        }
}

/* Half of the rows are for its statuses, unless it does not print as much. */
void
rows_details(struct rows *r, const struct model_step *s, size_t n)
{
        size_t statuses, log, warnings = r->final ? 0 : s->warnings.n;

        if (warnings > n / 2)
                warnings = n / 2;
        n -= warnings;
        statuses = statuses_wanted(r, s);
        log = log_wanted(r, s);
        if (statuses + log > n) {
                size_t half = (n + 1) / 2;

                if (statuses > half && log > n - half)
                        statuses = half;
                else if (statuses > half)
                        statuses = n - log;
                log = n - statuses;
        }
        add_statuses(r, s, statuses);
        add_warnings(r, s, warnings);
        add_log(r, s, log);
}
