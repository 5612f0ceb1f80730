/*
 * cmd/slipway/build/explain.c - the tree of a build: what each step is made from, and why
 * it ran.
 *
 * A step that several others use is drawn where it comes first and pointed at after that.
 * Walked without recursion: graphs are deep. Thread: main.
 */
#include <stdio.h>
#include <string.h>

#include "cmd/slipway/build/report.h"
#include "cmd/slipway/term.h"

#define PATHS_SHOWN 5
#define DEPTH_DRAWN 40 /* deeper ones stand no further to the right */

/* A step on the way down. */
struct frame {
        const struct model_step *step;
        size_t next; /* input to draw */
};

static const char *
input_name(const model *m, const struct model_step *s)
{
        const struct model_step *in = s->why_input < s->inputs.n
                                              ? model_find(m, &s->inputs.v[s->why_input])
                                              : NULL;

        return in && *in->name ? in->name : "an input";
}

static void
add_paths(sw_buf *b, const struct model_step *s)
{
        for (size_t i = 0; i < s->paths.n && i < PATHS_SHOWN; i++) {
                sw_buf_adds(b, i ? ", " : ": ");
                term_add_text(b, s->paths.v[i]);
        }
        if (s->paths.n > PATHS_SHOWN)
                sw_buf_addf(b, " and %zu more", s->paths.n - PATHS_SHOWN);
}

static void
add_why(sw_buf *b, const model *m, const struct model_step *s)
{
        switch (s->why) {
        case SW_WHY_NO_RECORD:
                sw_buf_adds(b, s->inputs.n ? "it was never run with these inputs"
                                           : "it is not in the cache");
                break;
        case SW_WHY_INPUT_KEY_NEW:
                sw_buf_adds(b, "new: ");
                term_add_text(b, input_name(m, s));
                add_paths(b, s);
                break;
        case SW_WHY_INPUT_CONTENT_CHANGED:
                sw_buf_adds(b, "changed: ");
                term_add_text(b, input_name(m, s));
                add_paths(b, s);
                break;
        case SW_WHY_IGNORED: sw_buf_adds(b, "told not to use the cache"); break;
        case SW_WHY_RESULT_GONE: sw_buf_adds(b, "its result was pruned"); break;
        default: break;
        }
}

static void
add_state(sw_buf *b, const model *m, const struct model_step *s)
{
        if (s->error && step_cancelled(s)) {
                sw_buf_adds(b, "cancelled");
        } else if (s->error) {
                sw_buf_adds(b, "failed");
        } else if (s->cached) {
                sw_buf_adds(b, "cached");
        } else if (!s->started) {
                sw_buf_adds(b, "not needed");
        } else {
                sw_auto(sw_buf) used = SW_BUF_INIT;

                step_add_usage(&used, s);
                sw_buf_addf(b, "ran %.1fs%s%s", step_seconds(s), used.len ? ", " : "",
                            used.len ? used.data : "");
        }
        if (s->why != SW_WHY_NONE) {
                sw_buf_adds(b, "; ");
                add_why(b, m, s);
        }
}

static void
add_lead(sw_buf *b, const struct frame *stack, size_t depth)
{
        size_t from = depth > DEPTH_DRAWN ? depth - DEPTH_DRAWN : 0;

        for (size_t i = from; i < depth; i++) {
                bool more = stack[i].next < stack[i].step->inputs.n;

                if (i + 1 == depth)
                        sw_buf_adds(b, more ? "├─ " : "└─ ");
                else
                        sw_buf_adds(b, more ? "│  " : "   ");
        }
}

static void
add_step(sw_buf *b, const model *m, const struct model_step *s, bool again)
{
        sw_auto(sw_str) name = sw_strdup(*s->name ? s->name : "(unnamed)");

        for (char *p = name; *p; p++)
                if (*p == '\n' || *p == '\r')
                        *p = ' ';
        term_add_text(b, name);
        if (again) {
                sw_buf_adds(b, "  (above)\n");
                return;
        }
        sw_buf_adds(b, "  [");
        add_state(b, m, s);
        sw_buf_adds(b, "]\n");
}

static void
add_tree(sw_buf *b, const model *m, const struct model_step *root, sw_map *drawn)
{
        SW_ARRAY(struct frame) stack = { 0 };

        (void) sw_map_set_bytes(drawn, root->digest.b, sizeof(root->digest.b), (void *) m);
        add_step(b, m, root, false);
        sw_array_push(&stack, (struct frame){ .step = root });
        while (stack.n > 0) {
                struct frame *top = &stack.v[stack.n - 1];
                const struct model_step *s;

                if (top->next == top->step->inputs.n) {
                        stack.n--;
                        continue;
                }
                s = model_find(m, &top->step->inputs.v[top->next++]);
                if (!s)
                        continue;
                bool first = sw_map_set_bytes(drawn, s->digest.b, sizeof(s->digest.b),
                                              (void *) m);
                add_lead(b, stack.v, stack.n);
                add_step(b, m, s, !first);
                if (first)
                        sw_array_push(&stack, (struct frame){ .step = s });
        }
        sw_array_release(&stack);
}

/* "7 steps: 4 cached, 2 ran, 1 failed" */
static void
add_summary(sw_buf *b, const model *m)
{
        size_t cached = 0, failed = 0, ran = 0;

        for (size_t i = 0; i < m->steps.n; i++) {
                const struct model_step *s = m->steps.v[i];

                if (s->error)
                        failed++;
                else if (s->cached)
                        cached++;
                else
                        ran += s->started != 0;
        }
        sw_buf_addf(b, "%zu steps: %zu cached, %zu ran", m->steps.n, cached, ran);
        if (failed)
                sw_buf_addf(b, ", %zu failed", failed);
        if (m->steps.n > cached + failed + ran)
                sw_buf_addf(b, ", %zu not needed", m->steps.n - cached - failed - ran);
        sw_buf_addc(b, '\n');
}

void
report_add_explain(sw_buf *b, const model *m)
{
        sw_autoptr(sw_map) used = sw_map_new(NULL);
        sw_autoptr(sw_map) drawn = sw_map_new(NULL);

        for (size_t i = 0; i < m->steps.n; i++)
                for (size_t k = 0; k < m->steps.v[i]->inputs.n; k++)
                        (void) sw_map_set_bytes(used, m->steps.v[i]->inputs.v[k].b,
                                                SW_DIGEST_LEN, (void *) m);
        add_summary(b, m);
        for (size_t i = 0; i < m->steps.n; i++) {
                const struct model_step *s = m->steps.v[i];

                if (!sw_map_get_bytes(used, s->digest.b, SW_DIGEST_LEN))
                        add_tree(b, m, s, drawn);
        }
}

void
report_explain(const model *m)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;

        report_add_explain(&b, m);
        (void) fwrite(b.data, 1, b.len, stderr);
}
