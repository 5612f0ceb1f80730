/*
 * cmd/slipway/report/timeline.c - what ran when, as lanes of bars.
 *
 * Places along the time are percentages, so that the picture is drawn wider without its
 * words getting wider. A bar is put into the first lane that has room for it and its words,
 * which stand in it, or after it, or before it. Thread: main.
 */
#include <stdio.h>
#include <string.h>

#include <slipway/text.h>

#include "cmd/slipway/report/report.h"

#define ROW       24
#define TOP       24
#define LABEL     30  /* characters */
#define CHARACTER 0.6 /* per cent of the width of a page */
#define LANES_MAX 400
#define TICKS     8
#define CROWD     120 /* bars; of more, those that took no time have no words */

struct lane {
        double end;
};

/* Where a bar is, and where its words are; per cent. */
struct place {
        double from, to;             /* of the bar */
        double taken_from, taken_to; /* of the words, too */
        enum { NOT, IN, AFTER, BEFORE } words;
        size_t lane;
};

static double
share(const report *r, int64_t when)
{
        return 100.0 * (double) (when - r->begin) / (double) (r->end - r->begin);
}

static struct place
place_of(const report *r, const struct report_step *s, bool crowded)
{
        const size_t n = strlen(s->s->name);
        const double words = CHARACTER * (double) ((n > LABEL ? LABEL : n) + 9);
        const int64_t end = s->s->completed > s->s->started ? s->s->completed : r->end;
        struct place p = { .from = share(r, s->s->started), .to = share(r, end) };

        if (p.to - p.from < 0.2)
                p.to = p.from + 0.2;
        p.taken_from = p.from;
        p.taken_to = p.to;
        if (crowded && p.to - p.from < 1) {
                p.words = NOT;
        } else if (p.to - p.from >= words) {
                p.words = IN;
        } else if (p.to + words <= 100) {
                p.words = AFTER;
                p.taken_to += words;
        } else {
                p.words = BEFORE;
                p.taken_from -= words;
        }
        return p;
}

static void
add_words(const report *r, size_t i, const struct place *p, sw_buf *out)
{
        const struct report_step *s = &r->steps.v[i];
        const double x = p->words == BEFORE ? p->from : p->words == IN ? p->from : p->to;

        sw_buf_addf(out, "<text x=\"%.3f%%\" dx=\"%d\" y=\"%zu\"%s%s>", x,
                    p->words == BEFORE ? -5 : 5, TOP + p->lane * ROW + 16,
                    p->words == IN ? " class=\"in\"" : "",
                    p->words == BEFORE ? " text-anchor=\"end\"" : "");
        html_add_cut(out, *s->s->name ? s->s->name : "(unnamed)", LABEL);
        sw_buf_adds(out, "  ");
        html_add_time(out, report_ns(s));
        sw_buf_adds(out, "</text>");
}

static void
add_bar(const report *r, size_t i, const struct place *p, sw_buf *out)
{
        const struct report_step *s = &r->steps.v[i];

        sw_buf_addf(out, "<a href=\"#s%zu\"><title>", i + 1);
        html_add_name(out, r, i);
        sw_buf_adds(out, ": ");
        html_add_time(out, report_ns(s));
        sw_buf_adds(out, ", began after ");
        html_add_time(out, s->s->started - r->begin);
        sw_buf_addf(out,
                    "</title><rect class=\"bar %s%s\" x=\"%.3f%%\" y=\"%zu\" "
                    "width=\"%.3f%%\" height=\"%d\" rx=\"3\"/>",
                    report_class(s->state), s->chain && p->words != NOT ? " chain" : "",
                    p->from, TOP + p->lane * ROW + 2, p->to - p->from, ROW - 5);
        if (p->words != NOT)
                add_words(r, i, p, out);
        sw_buf_adds(out, "</a>\n");
}

/* A round step for about TICKS ticks. */
static int64_t
tick_of(int64_t whole)
{
        static const int64_t steps[] = { 1, 2, 5 };
        int64_t unit = 1000000;

        for (;; unit *= 10)
                for (size_t i = 0; i < SW_COUNT(steps); i++)
                        if (whole / (unit * steps[i]) <= TICKS || unit > INT64_MAX / 100)
                                return unit * steps[i];
}

static void
add_ticks(const report *r, size_t height, sw_buf *out)
{
        const int64_t whole = r->end - r->begin, tick = tick_of(whole);

        for (int64_t t = 0; t < whole; t += tick) {
                const double x = 100.0 * (double) t / (double) whole;

                sw_buf_addf(out,
                            "<line class=\"tick\" x1=\"%.3f%%\" x2=\"%.3f%%\" "
                            "y1=\"0\" y2=\"%zu\"/><text class=\"time\" x=\"%.3f%%\" "
                            "dx=\"4\" y=\"14\">",
                            x, x, height, x);
                html_add_time(out, t);
                sw_buf_adds(out, "</text>\n");
        }
}

static bool
has_bar(const struct report_step *s)
{
        return s->s->started && s->state != STEP_CACHED;
}

static void
add_legend(const report *r, size_t left_out, sw_buf *out)
{
        sw_buf_adds(out, "<p class=\"legend\"><span><i class=\"ran\"></i>ran</span>"
                         "<span><i class=\"failed\"></i>failed</span><span><i "
                         "class=\"chain\"></i>the chain the build waited for</span>");
        if (r->n[STEP_CACHED])
                sw_buf_addf(out, "<span>%zu from the cache are not drawn</span>",
                            r->n[STEP_CACHED]);
        if (left_out)
                sw_buf_addf(out, "<span>%zu more are not drawn: there is no room</span>",
                            left_out);
        sw_buf_adds(out, "</p>\n");
}

void
report_add_timeline(const report *r, sw_buf *out)
{
        SW_ARRAY(struct lane) lanes = { 0 };
        sw_auto(sw_buf) bars = SW_BUF_INIT;
        size_t shown = 0, left_out = 0, height;
        const bool crowded = r->steps.n - r->n[STEP_CACHED] - r->n[STEP_IDLE] > CROWD;

        for (size_t i = 0; i < r->steps.n; i++) {
                struct place p;

                if (!has_bar(&r->steps.v[i]))
                        continue;
                p = place_of(r, &r->steps.v[i], crowded);
                while (p.lane < lanes.n && lanes.v[p.lane].end > p.taken_from)
                        p.lane++;
                if (p.lane >= LANES_MAX) {
                        left_out++;
                        continue;
                }
                const struct lane l = { p.taken_to + (p.words == NOT ? 0 : 0.4) };
                if (p.lane < lanes.n)
                        lanes.v[p.lane] = l;
                else
                        sw_array_push(&lanes, l);
                add_bar(r, i, &p, &bars);
                shown++;
        }
        height = TOP + lanes.n * ROW + 8;
        sw_array_release(&lanes);
        if (!shown) {
                sw_buf_adds(out, "<p class=\"soft\">Nothing ran.</p>\n");
                return;
        }
        sw_buf_addf(
                out,
                "<div class=\"scroll\" id=\"timeline-box\" tabindex=\"0\" role=\"group\" "
                "aria-label=\"Steps over time, %zu bars\">\n<svg width=\"100%%\" "
                "height=\"%zu\">\n",
                shown, height);
        add_ticks(r, height, out);
        sw_buf_add(out, bars.data, bars.len);
        sw_buf_adds(out, "</svg></div>\n");
        add_legend(r, left_out, out);
}
