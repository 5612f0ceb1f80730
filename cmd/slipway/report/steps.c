/*
 * cmd/slipway/report/steps.c - every step: what became of it, why it ran, what it used and
 * printed.
 * Thread: main.
 */
#include <string.h>

#include <slipway/text.h>

#include "cmd/slipway/report/report.h"

#define LOG_SHOWN   (256 << 10) /* bytes of one step */
#define SOURCE_PAD  3
#define SOURCE_MAX  60 /* lines */
#define SOURCE_LAST 10000000
#define INPUTS_MAX  50

const char *
report_class(enum report_state s)
{
        static const char *const names[] = { "idle",    "cached", "ran",
                                             "running", "failed", "cancelled" };

        return names[s];
}

static const char *
words(enum report_state s)
{
        static const char *const names[] = { "not needed", "cached", "ran",
                                             "unfinished", "failed", "cancelled" };

        return names[s];
}

/* ---- Pieces that others show, too ---- */

void
report_add_log(sw_buf *out, const sw_buf *log, size_t lines)
{
        size_t from = log->len > LOG_SHOWN ? log->len - LOG_SHOWN : 0;
        size_t end = log->len;

        while (end > 0 && log->data[end - 1] == '\n')
                end--;
        if (lines) {
                size_t at = end, n = 0;

                while (at > from && !(log->data[at - 1] == '\n' && ++n == lines))
                        at--;
                from = at;
        }
        if (end < from)
                end = from;
        sw_buf_adds(out, "<pre tabindex=\"0\">");
        if (from > 0)
                sw_buf_addf(out, "[%zu bytes before this]\n", from);
        html_add_log(out, log->data + from, end - from);
        sw_buf_adds(out, "</pre>\n");
}

void
report_add_source(sw_buf *out, const char *text, size_t len, int first, int last)
{
        const char *at = text, *end = text + len;
        int stop;

        if (!len || first < 1 || first > SOURCE_LAST)
                return;
        if (last < first)
                last = first;
        stop = last - first > SOURCE_MAX ? first + SOURCE_MAX : last + SOURCE_PAD;
        sw_buf_adds(out, "<pre class=\"source\" tabindex=\"0\">");
        for (int line = 1; at < end && line <= stop; line++) {
                const char *nl = memchr(at, '\n', (size_t) (end - at));
                const size_t n = (size_t) ((nl ? nl : end) - at);

                if (line >= first - SOURCE_PAD) {
                        const bool marked = line >= first && line <= last;

                        sw_buf_addf(out, "%s<span class=\"no\">%5d  </span>",
                                    marked ? "<mark>" : "", line);
                        html_add_log(out, at, n);
                        sw_buf_adds(out, marked ? "</mark>\n" : "\n");
                }
                at = nl ? nl + 1 : end;
        }
        sw_buf_adds(out, "</pre>\n");
}

/* ---- One step ---- */

static void
add_inputs(const report *r, const struct report_step *s, sw_buf *out)
{
        if (!s->n_inputs)
                return;
        sw_buf_adds(out, "<dt>Made of</dt><dd>");
        for (size_t i = 0; i < s->n_inputs && i < INPUTS_MAX; i++) {
                sw_buf_adds(out, i ? "<br>" : "");
                html_add_link(out, r, s->inputs[i]);
        }
        if (s->n_inputs > INPUTS_MAX)
                sw_buf_addf(out, "<br>and %zu more", s->n_inputs - INPUTS_MAX);
        sw_buf_adds(out, "</dd>\n");
}

static void
add_times(const report *r, const struct report_step *s, sw_buf *out)
{
        if (!s->s->started)
                return;
        sw_buf_adds(out, "<dt>Began</dt><dd>after ");
        html_add_time(out, s->s->started - r->begin);
        if (s->state != STEP_CACHED) {
                sw_buf_adds(out, ", took ");
                html_add_time(out, report_ns(s));
        }
        sw_buf_adds(out, "</dd>\n");
}

static void
add_usage(const struct report_step *s, sw_buf *out)
{
        sw_auto(sw_buf) used = SW_BUF_INIT;

        step_add_usage(&used, s->s);
        if (!used.len)
                return;
        sw_buf_adds(out, "<dt>Used</dt><dd>");
        html_add(out, used.data);
        sw_buf_adds(out, "</dd>\n");
}

static void
add_statuses(const struct report_step *s, sw_buf *out)
{
        if (!s->s->statuses.n)
                return;
        sw_buf_adds(out, "<dt>Did</dt><dd>");
        for (size_t i = 0; i < s->s->statuses.n; i++) {
                const struct model_status *st = &s->s->statuses.v[i];
                char text[32];

                sw_buf_adds(out, i ? "<br>" : "");
                html_add_cut(out, st->id, 200);
                if (st->current > 0)
                        sw_buf_addf(out, " <span class=\"soft\">%s</span>",
                                    sw_size_str(st->current, text));
                if (st->completed > st->started && st->started) {
                        sw_buf_adds(out, " <span class=\"soft\">");
                        html_add_time(out, st->completed - st->started);
                        sw_buf_adds(out, "</span>");
                }
        }
        sw_buf_adds(out, "</dd>\n");
}

static void
add_facts(const report *r, const struct report_step *s, sw_buf *out)
{
        char digest[SW_DIGEST_STR_SIZE];

        sw_buf_adds(out, "<dl>");
        if (s->s->error) {
                sw_buf_adds(out, "<dt>Error</dt><dd>");
                html_add(out, s->s->error);
                sw_buf_adds(out, "</dd>\n");
        }
        add_times(r, s, out);
        if (s->s->why != SW_WHY_NONE) {
                sw_buf_adds(out, "<dt>It ran because</dt><dd>");
                report_add_why(r, s, out);
                sw_buf_adds(out, "</dd>\n");
        } else if (s->state == STEP_RAN) {
                sw_buf_adds(out,
                            "<dt>It ran because</dt><dd>it does in every build</dd>\n");
        }
        add_inputs(r, s, out);
        add_usage(s, out);
        add_statuses(s, out);
        sw_buf_addf(out, "<dt>Digest</dt><dd class=\"mono\">%s</dd></dl>\n",
                    sw_digest_str(&s->s->digest, digest));
}

static void
add_step(const report *r, size_t i, sw_buf *out)
{
        const struct report_step *s = &r->steps.v[i];
        const bool bad = s->state == STEP_FAILED;

        sw_buf_addf(out,
                    "<details class=\"step\" id=\"s%zu\" data-ran=\"%d\" data-bad=\"%d\"%s>"
                    "<summary><span class=\"no\">%zu</span><span class=\"name\">",
                    i + 1, s->state != STEP_CACHED && s->state != STEP_IDLE, bad,
                    bad ? " open" : "", i + 1);
        html_add_name(out, r, i);
        sw_buf_addf(out, "</span><span class=\"chip %s\">%s</span><span class=\"t\">",
                    report_class(s->state), words(s->state));
        if (report_ns(s) > 0)
                html_add_time(out, report_ns(s));
        sw_buf_adds(out, "</span></summary>\n<div class=\"body\">");
        add_facts(r, s, out);
        if (s->log && s->log->len)
                report_add_log(out, s->log, 0);
        sw_buf_adds(out, "</div></details>\n");
}

void
report_add_steps(const report *r, sw_buf *out)
{
        if (!r->steps.n)
                sw_buf_adds(out, "<p class=\"soft\">There was none, or its story is not "
                                 "kept.</p>\n");
        for (size_t i = 0; i < r->steps.n; i++)
                add_step(r, i, out);
}
