/*
 * cmd/slipway/report/data.c - a record and its story, put in order. See report.h.
 *
 * The chain that the build waited for: from the step that ended last back through the input
 * that ended last, as long as something ran.
 * Thread: main.
 */
#include <string.h>

#include <slipway/text.h>
#include <slipway/time.h>

#include "cmd/slipway/report/report.h"

#define LOGS_MAX  (8 << 20) /* of all steps */
#define LOG_MAX   (1 << 20) /* of one */
#define STEPS_MAX 20000     /* a page with more is of no use */
#define CHAIN_MAX 1000
#define LONGEST   (INT64_C(4) << 50) /* ns: 52 days; sums of it do not overflow */

/* ---- Taking the story ---- */

struct taking {
        report *r;
        size_t log_bytes;
};

static void
free_log(void *p)
{
        sw_buf_release(p);
        free(p);
}

static void
take_log(struct taking *t, const struct sw_progress_log *l)
{
        sw_buf *log = sw_map_get_bytes(t->r->logs, l->vertex.b, SW_DIGEST_LEN);

        if (!log) {
                log = sw_new(sw_buf);
                sw_buf_init(log);
                (void) sw_map_set_bytes(t->r->logs, l->vertex.b, SW_DIGEST_LEN, log);
        }
        if (log->len + l->len > LOG_MAX || t->log_bytes + l->len > LOGS_MAX)
                return;
        sw_buf_add(log, l->data, l->len);
        t->log_bytes += l->len;
}

static void
take_warning(report *r, const struct sw_progress_warning *w)
{
        struct report_warning to = { .vertex = w->vertex, .text = sw_strdup(w->text) };

        to.url = w->url ? sw_strdup(w->url) : NULL;
        for (size_t i = 0; w->detail && w->detail[i]; i++)
                sw_strlist_add(&to.detail, w->detail[i]);
        if (w->source) {
                to.file = sw_strdup(w->source->file);
                to.first = w->source->first_line;
                to.last = w->source->last_line;
                if (w->source->len)
                        to.source = sw_memdup(w->source->data, w->source->len);
                to.source_len = w->source->len;
        }
        sw_array_push(&r->warnings, to);
}

static void
take(struct taking *t, const struct sw_progress_batch *b)
{
        struct sw_progress_batch rest = *b;

        rest.n_logs = 0; /* kept whole, and not as the lines of a terminal */
        model_take(&t->r->m, &rest);
        for (size_t i = 0; i < b->n_logs; i++)
                take_log(t, &b->logs[i]);
        for (size_t i = 0; i < b->n_warnings; i++)
                take_warning(t->r, &b->warnings[i]);
}

/* ---- Order ---- */

static int
by_start(const void *a, const void *b)
{
        const struct model_step *x = ((const struct report_step *) a)->s,
                                *y = ((const struct report_step *) b)->s;
        const int64_t s = x->started ? x->started : INT64_MAX,
                      t = y->started ? y->started : INT64_MAX;

        if (s != t)
                return (s > t) - (s < t);
        if (x->completed != y->completed)
                return (x->completed > y->completed) - (x->completed < y->completed);
        return (x->number > y->number) - (x->number < y->number);
}

static enum report_state
state_of(const struct model_step *s)
{
        if (s->error)
                return step_cancelled(s) ? STEP_CANCELLED : STEP_FAILED;
        if (s->cached)
                return STEP_CACHED;
        if (!s->started)
                return STEP_IDLE;
        return s->completed ? STEP_RAN : STEP_RUNNING;
}

static size_t
index_of(const report *r, const sw_digest *d)
{
        return (size_t) (uintptr_t) sw_map_get_bytes(r->index, d->b, SW_DIGEST_LEN) - 1;
}

static void
add_steps(report *r)
{
        for (size_t i = 0; i < r->m.steps.n && i < STEPS_MAX; i++) {
                struct model_step *s = r->m.steps.v[i];

                s->number = (unsigned) i; /* nobody prints it: the order they came in */
                sw_array_push(&r->steps,
                              (struct report_step){
                                      .s = s,
                                      .state = state_of(s),
                                      .log = sw_map_get_bytes(r->logs, s->digest.b,
                                                              SW_DIGEST_LEN),
                              });
                r->n[r->steps.v[i].state]++;
        }
        if (r->steps.n > 1)
                qsort(r->steps.v, r->steps.n, sizeof(*r->steps.v), by_start);
        for (size_t i = 0; i < r->steps.n; i++)
                (void) sw_map_set_bytes(r->index, r->steps.v[i].s->digest.b, SW_DIGEST_LEN,
                                        (void *) (uintptr_t) (i + 1));
}

static void
add_inputs(report *r)
{
        for (size_t i = 0; i < r->steps.n; i++) {
                struct report_step *s = &r->steps.v[i];

                s->inputs = sw_alloc_array(s->s->inputs.n + 1, sizeof(*s->inputs));
                for (size_t k = 0; k < s->s->inputs.n; k++) {
                        const size_t in = index_of(r, &s->s->inputs.v[k]);

                        if (in != REPORT_NONE && in != i)
                                s->inputs[s->n_inputs++] = in;
                }
        }
}

int64_t
report_ns(const struct report_step *s)
{
        const struct model_step *m = s->s;
        const int64_t last = m->completed > m->started ? m->completed - m->started : 0;

        if (s->state == STEP_CACHED || m->earlier < 0)
                return 0;
        if (last >= LONGEST || m->earlier >= LONGEST)
                return LONGEST;
        return m->earlier + (m->started ? last : 0);
}

/* ---- The chain ---- */

static bool
worked(const struct report_step *s)
{
        return s->s->started && s->s->completed > s->s->started && s->state != STEP_CACHED;
}

static size_t
last_of(const report *r, const size_t *of, size_t n)
{
        size_t last = REPORT_NONE;

        for (size_t i = 0; i < n; i++) {
                const size_t k = of ? of[i] : i;

                if (worked(&r->steps.v[k]) &&
                    (last == REPORT_NONE ||
                     r->steps.v[k].s->completed > r->steps.v[last].s->completed))
                        last = k;
        }
        return last;
}

/* An export has no inputs in the story: it began when all else was over. */
static size_t
last_before(const report *r, const struct report_step *s)
{
        size_t last = REPORT_NONE;

        for (size_t i = 0; i < r->steps.n; i++) {
                const struct report_step *k = &r->steps.v[i];

                if (worked(k) && k->s->completed <= s->s->started &&
                    (last == REPORT_NONE ||
                     k->s->completed > r->steps.v[last].s->completed))
                        last = i;
        }
        return last;
}

static void
find_chain(report *r)
{
        size_t at = last_of(r, NULL, r->steps.n);

        while (at != REPORT_NONE && !r->steps.v[at].chain && r->chain.n < CHAIN_MAX) {
                const struct report_step *s = &r->steps.v[at];

                r->steps.v[at].chain = true;
                sw_array_push(&r->chain, at);
                at = s->s->inputs.n ? last_of(r, s->inputs, s->n_inputs)
                                    : last_before(r, s);
        }
        for (size_t i = 0, n = r->chain.n; i < n / 2; i++) {
                const size_t k = r->chain.v[i];

                r->chain.v[i] = r->chain.v[n - 1 - i];
                r->chain.v[n - 1 - i] = k;
        }
}

/* ---- Causes ---- */

size_t
report_caused_by(const report *r, const struct report_step *s)
{
        size_t in;

        if ((s->s->why != SW_WHY_INPUT_KEY_NEW &&
             s->s->why != SW_WHY_INPUT_CONTENT_CHANGED) ||
            s->s->why_input >= s->s->inputs.n)
                return REPORT_NONE;
        in = index_of(r, &s->s->inputs.v[s->s->why_input]);
        if (in == REPORT_NONE || r->steps.v[in].s->why == SW_WHY_NONE)
                return REPORT_NONE;
        return in;
}

/* ---- All ---- */

static void
find_warned(report *r)
{
        for (size_t i = 0; i < r->warnings.n; i++)
                r->warnings.v[i].step = index_of(r, &r->warnings.v[i].vertex);
}

static void
find_ends(report *r)
{
        r->begin = r->b->created;
        r->end = r->b->completed;
        for (size_t i = 0; i < r->steps.n; i++) {
                const struct model_step *s = r->steps.v[i].s;

                if (s->started && s->started < r->begin)
                        r->begin = s->started;
                if (s->completed > r->end)
                        r->end = s->completed;
                if (s->started > r->end)
                        r->end = s->started;
        }
        if (r->end > r->begin + LONGEST)
                r->end = r->begin + LONGEST;
        if (r->end <= r->begin)
                r->end = r->begin + 1;
}

void
report_make(sw_history_story *story, const struct sw_history_build *b, report *out)
{
        struct taking t = { .r = out };
        struct sw_progress_batch batch;

        *out = (report){ .b = b, .logs = sw_map_new(free_log), .index = sw_map_new(NULL) };
        model_init(&out->m, false);
        while (story && sw_history_story_next(story, &batch))
                take(&t, &batch);
        add_steps(out);
        add_inputs(out);
        find_warned(out);
        find_ends(out);
        find_chain(out);
}

void
report_release(report *r)
{
        for (size_t i = 0; i < r->steps.n; i++)
                free(r->steps.v[i].inputs);
        for (size_t i = 0; i < r->warnings.n; i++) {
                struct report_warning *w = &r->warnings.v[i];

                free(w->text);
                free(w->url);
                free(w->file);
                free(w->source);
                sw_strlist_release(&w->detail);
        }
        sw_array_release(&r->steps);
        sw_array_release(&r->warnings);
        sw_array_release(&r->chain);
        sw_map_free(r->logs);
        sw_map_free(r->index);
        model_release(&r->m);
}
