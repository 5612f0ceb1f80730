/*
 * cmd/slipway/report/answers.c - the top of the page: why it failed, where the time went,
 * why it was not found in the cache.
 * Thread: main.
 */
#include <string.h>

#include <slipway/text.h>

#include "cmd/slipway/report/report.h"

#define CPU_MAX     (INT64_C(1) << 60) /* ns */
#define LEAD_NAME   60
#define SLOWEST     6
#define CHAIN_LEAST 1000000 /* ns */
#define CAUSES      8
#define LAST_LINES  25
#define PATHS       12

/* ---- Numbers ---- */

static void
add_tile(sw_buf *out, const char *class, size_t n, const char *what)
{
        sw_buf_addf(out, "<li%s%s%s><b>%zu</b>%s</li>\n", *class ? " class=\"" : "", class,
                    *class ? "\"" : "", n, what);
}

static void
add_usage(const report *r, sw_buf *out)
{
        int64_t cpu = 0, memory = 0;
        char text[32];

        for (size_t i = 0; i < r->steps.n; i++) {
                const struct model_usage *u = &r->steps.v[i].s->usage;

                cpu += u->cpu_ns > 0 && u->cpu_ns < CPU_MAX && cpu < CPU_MAX ? u->cpu_ns
                                                                             : 0;
                memory = u->memory_peak > memory ? u->memory_peak : memory;
        }
        if (cpu > 0) {
                sw_buf_adds(out, "<li><b>");
                html_add_time(out, cpu);
                sw_buf_adds(out, "</b>processor time of commands</li>\n");
        }
        if (memory > 0)
                sw_buf_addf(out, "<li><b>%s</b>most memory of one command</li>\n",
                            sw_size_str(memory, text));
}

static void
add_tiles(const report *r, sw_buf *out)
{
        const size_t ran = r->n[STEP_RAN] + r->n[STEP_RUNNING];

        sw_buf_adds(out, "<ul class=\"tiles\">\n");
        add_tile(out, "", r->steps.n, r->steps.n == 1 ? "step" : "steps");
        add_tile(out, r->n[STEP_CACHED] ? "good" : "", r->n[STEP_CACHED], "from the cache");
        add_tile(out, "", ran, "ran");
        if (r->n[STEP_FAILED])
                add_tile(out, "bad", r->n[STEP_FAILED], "failed");
        if (r->n[STEP_CANCELLED])
                add_tile(out, "warn", r->n[STEP_CANCELLED], "cancelled");
        if (r->n[STEP_IDLE])
                add_tile(out, "", r->n[STEP_IDLE], "not needed");
        if (r->warnings.n)
                add_tile(out, "warn", r->warnings.n,
                         r->warnings.n == 1 ? "<a href=\"#warnings\">warning</a>"
                                            : "<a href=\"#warnings\">warnings</a>");
        add_usage(r, out);
        sw_buf_adds(out, "</ul>\n");
}

/* ---- Why it failed ---- */

/* The step to blame, or the first that failed. */
static size_t
blamed(const report *r)
{
        size_t first = REPORT_NONE;

        for (size_t i = 0; i < r->steps.n; i++) {
                char text[SW_DIGEST_STR_SIZE];

                if (r->steps.v[i].state != STEP_FAILED)
                        continue;
                if (strcmp(sw_digest_str(&r->steps.v[i].s->digest, text), r->b->vertex) ==
                    0)
                        return i;
                if (first == REPORT_NONE)
                        first = i;
        }
        return first;
}

static void
add_blamed(const report *r, size_t step, sw_buf *out)
{
        const struct report_step *s = &r->steps.v[step];

        sw_buf_adds(out, "<p>The step ");
        html_add_link(out, r, step);
        sw_buf_adds(out, " ended with an error after ");
        html_add_time(out, report_ns(s));
        sw_buf_adds(out, ".</p>\n");
        if (s->log && s->log->len) {
                sw_buf_adds(out, "<h3>The last it printed</h3>\n");
                report_add_log(out, s->log, LAST_LINES);
        }
}

static void
add_failure(const report *r, sw_buf *out)
{
        const struct sw_history_build *b = r->b;
        const size_t step = blamed(r);

        sw_buf_adds(out, "<div class=\"card failure\">\n<h3>Why it failed</h3>\n"
                         "<p class=\"lead\">");
        html_add(out, *b->error             ? b->error
                      : step != REPORT_NONE ? r->steps.v[step].s->error
                                            : "No reason was told.");
        sw_buf_adds(out, "</p>\n");
        if (b->source) {
                sw_buf_adds(out, "<p class=\"mono\">");
                html_add(out, b->source->file);
                sw_buf_addf(out, ":%d</p>\n", b->source->first_line);
                report_add_source(out, b->source->data, b->source->len,
                                  b->source->first_line, b->source->last_line);
        }
        if (step != REPORT_NONE)
                add_blamed(r, step, out);
        if (*b->log_file) {
                sw_buf_adds(out, "<p class=\"soft\">All it printed is in <code>");
                html_add(out, b->log_file);
                sw_buf_adds(out, "</code> on the machine that built it.</p>\n");
        }
        sw_buf_adds(out, "</div>\n");
}

static void
add_end(const report *r, sw_buf *out)
{
        switch (r->b->state) {
        case SW_HISTORY_FAILED: add_failure(r, out); return;
        case SW_HISTORY_CANCELLED:
                sw_buf_adds(out, "<div class=\"card\"><h3>It was cancelled</h3><p>");
                html_add(out, r->b->error);
                sw_buf_adds(out, "</p></div>\n");
                return;
        case SW_HISTORY_INTERRUPTED:
                sw_buf_adds(out,
                            "<div class=\"card\"><h3>It was interrupted</h3><p>Whoever "
                            "ran the build was killed, or the machine went down. The "
                            "page shows what was known by then.</p></div>\n");
                return;
        case SW_HISTORY_RUNNING:
                sw_buf_adds(out, "<div class=\"card\"><h3>It is running</h3><p>The page "
                                 "shows what was known when it was written.</p></div>\n");
                return;
        default: return;
        }
}

/* ---- Where the time went ---- */

struct timed {
        size_t step;
        int64_t ns;
};

static int
longest_first(const void *a, const void *b)
{
        const struct timed *x = a, *y = b;

        if (x->ns != y->ns)
                return (x->ns < y->ns) - (x->ns > y->ns);
        return (x->step > y->step) - (x->step < y->step);
}

static unsigned
percent(int64_t part, int64_t whole)
{
        const double p = whole > 0 ? 100.0 * (double) part / (double) whole : 0;

        return p > 100 ? 100 : (unsigned) (p + 0.5);
}

static void
add_bar(const report *r, const struct timed *t, int64_t whole, sw_buf *out)
{
        const unsigned p = percent(t->ns, whole);

        sw_buf_adds(out, "<li><span class=\"n\">");
        html_add_link(out, r, t->step);
        sw_buf_adds(out, "</span><span class=\"t\">");
        html_add_time(out, t->ns);
        sw_buf_addf(out,
                    " &middot; %u%%</span><svg aria-hidden=\"true\"><rect class=\"bar "
                    "%s\" width=\"%u%%\" height=\"6\"/></svg></li>\n",
                    p, report_class(r->steps.v[t->step].state), p);
}

/* Of the chain what took a millisecond at least. */
static void
add_chain_words(const report *r, int64_t whole, sw_buf *out)
{
        int64_t sum = 0;
        size_t n = 0;

        for (size_t i = 0; i < r->chain.n; i++) {
                const int64_t ns = report_ns(&r->steps.v[r->chain.v[i]]);

                sum += ns;
                n += ns >= CHAIN_LEAST;
        }
        if (n < 2)
                return;
        sw_buf_addf(out, "<details><summary>The chain it waited for: %zu steps, ", n);
        html_add_time(out, sum);
        sw_buf_addf(out, " (%u%%)</summary>\n<ol>", percent(sum, whole));
        for (size_t i = 0; i < r->chain.n; i++) {
                const int64_t ns = report_ns(&r->steps.v[r->chain.v[i]]);

                if (ns < CHAIN_LEAST)
                        continue;
                sw_buf_adds(out, "<li>");
                html_add_link(out, r, r->chain.v[i]);
                sw_buf_adds(out, " <span class=\"soft\">");
                html_add_time(out, ns);
                sw_buf_adds(out, "</span></li>\n");
        }
        sw_buf_adds(out,
                    "</ol><p class=\"soft\">Each of these began when the one before it "
                    "had ended: only making one of them shorter makes the build "
                    "shorter.</p></details>\n");
}

static void
add_time_lead(const report *r, const struct timed *first, int64_t whole, sw_buf *out)
{
        sw_buf_adds(out, "<p class=\"lead\">");
        html_add_time(out, whole);
        if (percent(first->ns, whole) >= 40) {
                const char *name = r->steps.v[first->step].s->name;

                sw_buf_addf(out, ", of which %u%% were <a href=\"#s%zu\">",
                            percent(first->ns, whole), first->step + 1);
                html_add_cut(out, *name ? name : "(unnamed)", LEAD_NAME);
                sw_buf_adds(out, "</a>");
        } else {
                sw_buf_adds(out, " in all, and no step took most of it");
        }
        sw_buf_adds(out, "</p>\n");
}

static void
add_times(const report *r, sw_buf *out)
{
        SW_ARRAY(struct timed) all = { 0 };
        const int64_t whole = r->end - r->begin;

        for (size_t i = 0; i < r->steps.n; i++)
                if (report_ns(&r->steps.v[i]) > 0)
                        sw_array_push(&all, (struct timed){ i, report_ns(&r->steps.v[i]) });
        sw_buf_adds(out, "<div class=\"card\">\n<h3>Where the time went</h3>\n");
        if (all.n > 0) {
                qsort(all.v, all.n, sizeof(*all.v), longest_first);
                add_time_lead(r, &all.v[0], whole, out);
                sw_buf_adds(out, "<ol class=\"plain bars\">\n");
                for (size_t i = 0; i < all.n && i < SLOWEST; i++)
                        if (i == 0 || percent(all.v[i].ns, whole) > 0)
                                add_bar(r, &all.v[i], whole, out);
                sw_buf_adds(out, "</ol>\n");
                add_chain_words(r, whole, out);
        } else {
                sw_buf_adds(out, "<p>Nothing had to run: it took ");
                html_add_time(out, whole);
                sw_buf_adds(out, ".</p>\n");
        }
        sw_buf_adds(out, "</div>\n");
        sw_array_release(&all);
}

/* ---- Why it was not cached ---- */

void
report_add_why(const report *r, const struct report_step *s, sw_buf *out)
{
        const struct model_step *m = s->s;
        const struct model_step *in =
                m->why_input < m->inputs.n ? model_find(&r->m, &m->inputs.v[m->why_input])
                                           : NULL;

        switch (m->why) {
        case SW_WHY_NO_RECORD:
                sw_buf_adds(out, m->inputs.n ? "it was never run with these inputs"
                                             : "it was not in the cache");
                break;
        case SW_WHY_INPUT_KEY_NEW:
        case SW_WHY_INPUT_CONTENT_CHANGED:
                sw_buf_adds(out, m->why == SW_WHY_INPUT_KEY_NEW
                                         ? "what it is made on is new: "
                                         : "what it uses has changed in ");
                html_add_cut(out, in && *in->name ? in->name : "an input", 200);
                break;
        case SW_WHY_IGNORED: sw_buf_adds(out, "it was told not to use the cache"); break;
        case SW_WHY_RESULT_GONE: sw_buf_adds(out, "its result had been pruned"); break;
        default: sw_buf_adds(out, "it runs in every build"); break;
        }
        for (size_t i = 0; i < m->paths.n && i < PATHS; i++) {
                sw_buf_adds(out, i ? ", <code>" : ": <code>");
                html_add(out, m->paths.v[i]);
                sw_buf_adds(out, "</code>");
        }
        if (m->paths.n > PATHS)
                sw_buf_addf(out, " and %zu more", m->paths.n - PATHS);
}

/* How many steps ran again because of each: every one counts for the cause at the other
 * end of its chain of inputs. */
static size_t *
count_followers(const report *r)
{
        size_t *n = sw_alloc_array(r->steps.n + 1, sizeof(*n));

        for (size_t i = 0; i < r->steps.n; i++) {
                size_t at = i, by;

                if (r->steps.v[i].s->why == SW_WHY_NONE)
                        continue;
                /* causes began earlier; what does not is damage */
                while ((by = report_caused_by(r, &r->steps.v[at])) != REPORT_NONE &&
                       by < at)
                        at = by;
                n[at] += at != i;
        }
        return n;
}

static bool
is_cause(const report *r, const struct report_step *s)
{
        return s->s->why != SW_WHY_NONE && report_caused_by(r, s) == REPORT_NONE;
}

static void
add_cause(const report *r, size_t i, size_t followers, sw_buf *out)
{
        sw_buf_adds(out, "<li><span class=\"what\">");
        html_add_link(out, r, i);
        sw_buf_adds(out, "</span>ran: ");
        report_add_why(r, &r->steps.v[i], out);
        if (followers)
                sw_buf_addf(out,
                            ". <span class=\"soft\">%zu %s after it ran again because "
                            "of that.</span>",
                            followers, followers == 1 ? "step" : "steps");
        sw_buf_adds(out, "</li>\n");
}

static void
add_cause_list(const report *r, size_t causes, size_t ignored, sw_buf *out)
{
        size_t *followers = count_followers(r), shown = 0;

        sw_buf_adds(out, "<ul class=\"plain causes\">\n");
        if (ignored) {
                sw_buf_addf(out, "<li>%zu %s told not to use the cache.</li>\n", ignored,
                            ignored == 1 ? "was" : "were");
                shown = ignored;
        }
        for (size_t i = 0; i < r->steps.n && shown - ignored < CAUSES; i++) {
                if (!is_cause(r, &r->steps.v[i]) || r->steps.v[i].s->why == SW_WHY_IGNORED)
                        continue;
                add_cause(r, i, followers[i], out);
                shown++;
        }
        sw_buf_adds(out, "</ul>\n");
        if (causes > shown)
                sw_buf_addf(out,
                            "<p class=\"soft\">And %zu more, told with the <a "
                            "href=\"#steps\">steps</a>.</p>\n",
                            causes - shown);
        free(followers);
}

static void
add_causes(const report *r, sw_buf *out)
{
        size_t causes = 0, fresh = 0, asked = 0, ignored = 0;

        for (size_t i = 0; i < r->steps.n; i++) {
                causes += is_cause(r, &r->steps.v[i]);
                fresh += r->steps.v[i].s->why == SW_WHY_NO_RECORD;
                asked += r->steps.v[i].s->why != SW_WHY_NONE;
                ignored += r->steps.v[i].s->why == SW_WHY_IGNORED;
        }
        sw_buf_adds(out, "<div class=\"card\">\n<h3>Why it was not cached</h3>\n"
                         "<p class=\"lead\">");
        if (!asked && r->n[STEP_CACHED])
                sw_buf_adds(out, "All that can be cached was found in the cache");
        else if (!asked)
                sw_buf_adds(out, "No step that can be cached ran");
        else if (!r->n[STEP_CACHED] && fresh == asked)
                sw_buf_adds(out, "None of its steps had run before");
        else
                sw_buf_addf(out, "%zu of %zu steps ran", asked, asked + r->n[STEP_CACHED]);
        if (causes && causes < asked)
                sw_buf_addf(out, ", because of %zu of them", causes);
        sw_buf_adds(out, "</p>\n");
        if (causes && (r->n[STEP_CACHED] || fresh != asked))
                add_cause_list(r, causes, ignored, out);
        sw_buf_adds(out, "</div>\n");
}

void
report_add_answers(const report *r, sw_buf *out)
{
        add_tiles(r, out);
        sw_buf_adds(out, "<div class=\"cards\">\n");
        add_end(r, out);
        add_times(r, out);
        add_causes(r, out);
        sw_buf_adds(out, "</div>\n");
}
