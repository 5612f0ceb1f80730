/*
 * cmd/slipway/report/report.h - one build as a page that stands alone.
 *
 *      data.c       the record and its story, put in order: what ran, what waited for what
 *      page.c       page.html with its gaps filled; head, request, warnings
 *      answers.c    why it failed, where the time went, why it was not cached
 *      timeline.c   what ran when
 *      steps.c      every step with its log
 *      graph.c      what is made of what, in layers
 *      layers.c     sizes of what was exported
 *      html.c       text that is safe in a page
 *
 * Everything that is told of a build may be hostile: it gets into the page through html.c
 * only. The page allows itself no network, and no script or style but its own, by hash.
 * Thread: main.
 */
#ifndef SLIPWAY_CMD_REPORT_REPORT_H
#define SLIPWAY_CMD_REPORT_REPORT_H

#include "cmd/slipway/history/past.h"

#define REPORT_NONE SIZE_MAX

enum report_state {
        STEP_IDLE,
        STEP_CACHED,
        STEP_RAN,
        STEP_RUNNING,
        STEP_FAILED,
        STEP_CANCELLED
};

struct report_step {
        const struct model_step *s;
        enum report_state state;
        const sw_buf *log; /* or NULL */
        size_t *inputs;    /* indexes of steps, without those that are not known */
        size_t n_inputs;
        bool chain; /* on the chain that the build waited for */
};

struct report_warning {
        sw_digest vertex;
        size_t step; /* or REPORT_NONE */
        char *text, *url, *file;
        sw_strlist detail;
        char *source; /* the text, or NULL */
        size_t source_len;
        int first, last;
};

typedef struct report {
        const struct sw_history_build *b;
        model m;
        sw_map *logs;  /* digest bytes -> sw_buf */
        sw_map *index; /* digest bytes -> 1 + index of the step, as a pointer */
        SW_ARRAY(struct report_step) steps; /* in the order they began */
        SW_ARRAY(struct report_warning) warnings;
        SW_ARRAY(size_t) chain; /* steps, the first one first */
        int64_t begin, end;     /* of the build */
        size_t n[STEP_CANCELLED + 1];
} report;

/** report_make - from the story of @b, which is borrowed. @story: may be NULL. */
void report_make(sw_history_story *story, const struct sw_history_build *b, report *out);
void report_release(report *r);
/** report_ns - how long a step ran. */
int64_t report_ns(const struct report_step *s);
/** report_caused_by - the input that made the step run again; REPORT_NONE: it is a cause of
 *  its own. Of a step that ran for a reason. */
size_t report_caused_by(const report *r, const struct report_step *s);

/** report_page - append the page. @from: where images are looked up. */
void report_page(const report *r, store *from, sw_buf *out);

/* ---- Parts ---- */

void report_add_answers(const report *r, sw_buf *out);
void report_add_timeline(const report *r, sw_buf *out);
void report_add_steps(const report *r, sw_buf *out);
void report_add_graph(const report *r, sw_buf *out);
/** report_add_layers - nothing where no image was made. Returns whether there is any. */
bool report_add_layers(const report *r, store *from, sw_buf *out);
/** report_add_why - "changed: a.c, b.c", without a full stop. */
void report_add_why(const report *r, const struct report_step *s, sw_buf *out);
/** report_add_source - some lines of a text, the ones in question marked. */
void report_add_source(sw_buf *out, const char *text, size_t len, int first, int last);
/** report_add_log - the last @lines of a log (0: as much as there is room for). */
void report_add_log(sw_buf *out, const sw_buf *log, size_t lines);
const char *report_class(enum report_state s); /* "ran", "failed", … */

/* ---- html.c ---- */

/** html_add - text, for between tags and in quotes. */
void html_add(sw_buf *out, const char *s);
void html_add_n(sw_buf *out, const char *s, size_t n);
/** html_add_cut - its first @columns characters, with "…" where that is not all. */
void html_add_cut(sw_buf *out, const char *s, size_t columns);
/** html_add_log - text of a log: without what a terminal would obey. */
void html_add_log(sw_buf *out, const char *s, size_t n);
/** html_add_name - the name of a step: one line, never empty. */
void html_add_name(sw_buf *out, const report *r, size_t step);
/** html_add_time - "1.2s", "3m05s". */
void html_add_time(sw_buf *out, int64_t ns);
/** html_add_link - a link to the step, with its name. */
void html_add_link(sw_buf *out, const report *r, size_t step);

#endif
