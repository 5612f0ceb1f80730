/*
 * cmd/slipway/report/graph.c - what is made of what, drawn in layers.
 *
 * The layer of a step is one more than the highest of its inputs. An edge that spans
 * several layers goes through a dot in each of those between, which takes part in the order
 * like a step, so that lines go around boxes. Within layers, each node is moved towards the
 * mean of its neighbours, some times from each side (Sugiyama's method). The longer side of
 * the picture goes down the page: 500 steps are read by scrolling, not by a magnifying
 * glass. Thread: main.
 */
#include <stdlib.h>
#include <string.h>

#include "cmd/slipway/report/report.h"

#define NODES_MAX 3000
#define DOTS_MAX  20000
#define SWEEPS    6
#define LABEL     26
#define WIDTH     216
#define HEIGHT    42

struct node {
        size_t step; /* REPORT_NONE: a dot */
        size_t layer;
        bool used;                 /* something is made of it */
        double key;                /* order within the layer */
        double at;                 /* place across the layers */
        SW_ARRAY(size_t) up, down; /* nodes of the layers before and after */
};

struct edge {
        size_t from, to;       /* steps */
        SW_ARRAY(size_t) path; /* nodes, both ends included */
};

struct layer {
        SW_ARRAY(size_t) nodes;
};

struct graph {
        const report *r;
        SW_ARRAY(struct node) nodes; /* steps first, by index; then dots */
        SW_ARRAY(struct edge) edges;
        SW_ARRAY(struct layer) layers;
        bool sideways; /* layers go from left to right */
        size_t widest; /* steps in one layer */
};

/* ---- Layers ---- */

/* What is made of nothing, and nothing of it, stands first or last, as it happened: the
 * loading of files, and exports. */
static void
put_lonely(struct graph *g)
{
        const report *r = g->r;
        size_t last = 0;

        for (size_t i = 0; i < r->steps.n; i++)
                last = g->nodes.v[i].layer > last ? g->nodes.v[i].layer : last;
        for (size_t i = 0; i < r->steps.n; i++)
                if (!r->steps.v[i].n_inputs && !g->nodes.v[i].used &&
                    r->steps.v[i].s->started > r->begin + (r->end - r->begin) / 2)
                        g->nodes.v[i].layer = last;
}

/* As near to what is made of it as can be: lines are short, and a context stands where it
 * is used. */
static void
pull(struct graph *g, size_t i)
{
        struct node *n = &g->nodes.v[i];
        size_t least = REPORT_NONE;

        for (size_t k = 0; k < n->down.n; k++) {
                const size_t l = g->nodes.v[n->down.v[k]].layer;

                least = l < least ? l : least;
        }
        if (least != REPORT_NONE && least > n->layer + 1)
                n->layer = least - 1;
}

/* Kahn's order; what lies on a circle (a damaged story) stays in the first layer. */
static void
find_layers(struct graph *g)
{
        const report *r = g->r;
        size_t *waits = sw_alloc_array(r->steps.n + 1, sizeof(*waits));
        SW_ARRAY(size_t) todo = { 0 };

        for (size_t i = 0; i < r->steps.n; i++) {
                waits[i] = r->steps.v[i].n_inputs;
                for (size_t k = 0; k < r->steps.v[i].n_inputs; k++)
                        sw_array_push(&g->nodes.v[r->steps.v[i].inputs[k]].down, i);
                if (!waits[i])
                        sw_array_push(&todo, i);
        }
        for (size_t at = 0; at < todo.n; at++) {
                const struct node *n = &g->nodes.v[todo.v[at]];

                for (size_t k = 0; k < n->down.n; k++) {
                        struct node *next = &g->nodes.v[n->down.v[k]];

                        if (next->layer <= n->layer)
                                next->layer = n->layer + 1;
                        if (--waits[n->down.v[k]] == 0)
                                sw_array_push(&todo, n->down.v[k]);
                }
        }
        for (size_t at = todo.n; at-- > 0;)
                pull(g, todo.v[at]);
        for (size_t i = 0; i < r->steps.n; i++) {
                if (waits[i])
                        g->nodes.v[i].layer = 0;
                g->nodes.v[i].used = g->nodes.v[i].down.n > 0;
                g->nodes.v[i].down.n = 0; /* made again, with the dots */
        }
        put_lonely(g);
        sw_array_release(&todo);
        free(waits);
}

static size_t
add_node(struct graph *g, size_t step, size_t layer)
{
        sw_array_push(&g->nodes, (struct node){ .step = step, .layer = layer });
        return g->nodes.n - 1;
}

static void
join(struct graph *g, size_t from, size_t to)
{
        sw_array_push(&g->nodes.v[from].down, to);
        sw_array_push(&g->nodes.v[to].up, from);
}

static void
add_edge(struct graph *g, size_t from, size_t to)
{
        struct edge e = { .from = from, .to = to };
        size_t at = from;
        const size_t last = g->nodes.v[to].layer;

        sw_array_push(&e.path, from);
        if (g->nodes.n - g->r->steps.n < DOTS_MAX)
                for (size_t l = g->nodes.v[from].layer + 1; l < last; l++) {
                        const size_t dot = add_node(g, REPORT_NONE, l);

                        join(g, at, dot);
                        sw_array_push(&e.path, dot);
                        at = dot;
                }
        join(g, at, to);
        sw_array_push(&e.path, to);
        sw_array_push(&g->edges, e);
}

static void
fill_layers(struct graph *g)
{
        for (size_t i = 0; i < g->nodes.n; i++) {
                struct node *n = &g->nodes.v[i];

                while (g->layers.n <= n->layer)
                        sw_array_push(&g->layers, (struct layer){ 0 });
                n->key = (double) g->layers.v[n->layer].nodes.n;
                sw_array_push(&g->layers.v[n->layer].nodes, i);
        }
        for (size_t l = 0; l < g->layers.n; l++) {
                size_t steps = 0;

                for (size_t i = 0; i < g->layers.v[l].nodes.n; i++)
                        steps += g->nodes.v[g->layers.v[l].nodes.v[i]].step != REPORT_NONE;
                g->widest = steps > g->widest ? steps : g->widest;
        }
        g->sideways = g->widest > g->layers.n;
}

/* ---- Order ---- */

static int
by_key(const void *a, const void *b, void *arg)
{
        const struct node *nodes = arg;
        const size_t i = *(const size_t *) a, k = *(const size_t *) b;

        if (nodes[i].key != nodes[k].key)
                return (nodes[i].key > nodes[k].key) - (nodes[i].key < nodes[k].key);
        return (i > k) - (i < k);
}

/* Order one layer by the mean places of what is before it, or after it. */
static void
order_layer(struct graph *g, struct layer *l, bool down)
{
        for (size_t i = 0; i < l->nodes.n; i++) {
                struct node *n = &g->nodes.v[l->nodes.v[i]];
                const size_t count = down ? n->up.n : n->down.n;
                const size_t *of = down ? n->up.v : n->down.v;
                double sum = 0;

                for (size_t k = 0; k < count; k++)
                        sum += g->nodes.v[of[k]].at;
                n->key = count ? sum / (double) count : n->at;
        }
        if (l->nodes.n > 1)
                qsort_r(l->nodes.v, l->nodes.n, sizeof(*l->nodes.v), by_key, g->nodes.v);
        for (size_t i = 0; i < l->nodes.n; i++)
                g->nodes.v[l->nodes.v[i]].at = (double) i;
}

static void
order(struct graph *g)
{
        for (size_t i = 0; i < g->nodes.n; i++)
                g->nodes.v[i].at = g->nodes.v[i].key;
        for (int sweep = 0; sweep < SWEEPS; sweep++) {
                for (size_t l = 1; l < g->layers.n; l++)
                        order_layer(g, &g->layers.v[l], true);
                for (size_t l = g->layers.n; l-- > 1;)
                        order_layer(g, &g->layers.v[l - 1], false);
        }
}

/* ---- Places ---- */

static double
size_of(const struct graph *g, const struct node *n)
{
        if (n->step == REPORT_NONE)
                return 14;
        return g->sideways ? HEIGHT + 10 : WIDTH + 16;
}

/* Each as near to the mean of what it is made of as those beside it allow. Returns how far
 * the picture reaches. */
static double
place(struct graph *g)
{
        double most = 0;

        for (size_t l = 0; l < g->layers.n; l++) {
                double end = 8;

                for (size_t i = 0; i < g->layers.v[l].nodes.n; i++) {
                        struct node *n = &g->nodes.v[g->layers.v[l].nodes.v[i]];
                        const double half = size_of(g, n) / 2;
                        double sum = 0;

                        for (size_t k = 0; k < n->up.n; k++)
                                sum += g->nodes.v[n->up.v[k]].at;
                        n->at = n->up.n ? sum / (double) n->up.n : 0;
                        if (n->at < end + half)
                                n->at = end + half;
                        end = n->at + half;
                }
                most = end > most ? end : most;
        }
        return most + 8;
}

static double
pitch(const struct graph *g)
{
        return g->sideways ? WIDTH + 64 : HEIGHT + 34;
}

/* The corner of the layer @l along the layers. */
static double
along(const struct graph *g, size_t l)
{
        return 8 + (double) l * pitch(g);
}

/* ---- Drawing ---- */

static void
add_point(const struct graph *g, double across, double further, sw_buf *out)
{
        if (g->sideways)
                sw_buf_addf(out, "%.1f %.1f", further, across);
        else
                sw_buf_addf(out, "%.1f %.1f", across, further);
}

static void
add_curve(const struct graph *g, const struct edge *e, sw_buf *out)
{
        const double depth = g->sideways ? WIDTH : HEIGHT;

        sw_buf_addf(out, "<path class=\"edge\" data-from=\"%zu\" data-to=\"%zu\" d=\"M",
                    e->from, e->to);
        for (size_t i = 0; i + 1 < e->path.n; i++) {
                const struct node *a = &g->nodes.v[e->path.v[i]],
                                  *b = &g->nodes.v[e->path.v[i + 1]];
                const double from = along(g, a->layer) + depth, to = along(g, b->layer);
                const double bend = (to - from) / 2;

                if (i == 0)
                        add_point(g, a->at, from, out);
                sw_buf_adds(out, "C");
                add_point(g, a->at, from + bend, out);
                sw_buf_adds(out, " ");
                add_point(g, b->at, to - bend, out);
                sw_buf_adds(out, " ");
                add_point(g, b->at, to, out);
                if (b->step == REPORT_NONE) { /* straight through the layer */
                        sw_buf_adds(out, "L");
                        add_point(g, b->at, to + depth, out);
                }
        }
        sw_buf_adds(out, "\"/>\n");
}

static void
add_box(const struct graph *g, size_t i, sw_buf *out)
{
        const struct node *n = &g->nodes.v[i];
        const struct report_step *s = &g->r->steps.v[n->step];
        const double across = n->at - (g->sideways ? HEIGHT : WIDTH) / 2.0;
        const double x = g->sideways ? along(g, n->layer) : across;
        const double y = g->sideways ? across : along(g, n->layer);

        sw_buf_addf(out, "<a href=\"#s%zu\"><g class=\"node %s\" data-n=\"%zu\"><title>",
                    i + 1, report_class(s->state), i);
        html_add_name(out, g->r, i);
        sw_buf_addf(out,
                    "</title><rect x=\"%.1f\" y=\"%.1f\" width=\"%d\" height=\"%d\" "
                    "rx=\"6\"/><text x=\"%.1f\" y=\"%.1f\">",
                    x, y, WIDTH, HEIGHT, x + 10, y + 17);
        html_add_cut(out, *s->s->name ? s->s->name : "(unnamed)", LABEL);
        sw_buf_addf(out, "</text><text class=\"sub\" x=\"%.1f\" y=\"%.1f\">%s", x + 10,
                    y + 33, report_class(s->state));
        if (report_ns(s) > 0) {
                sw_buf_adds(out, " \xc2\xb7 ");
                html_add_time(out, report_ns(s));
        }
        sw_buf_adds(out, "</text></g></a>\n");
}

static void
draw(struct graph *g, sw_buf *out)
{
        const double across = place(g);
        const double further =
                along(g, g->layers.n) - pitch(g) + (g->sideways ? WIDTH : HEIGHT) + 8;
        const double w = g->sideways ? further : across, h = g->sideways ? across : further;

        sw_buf_addf(out,
                    "<div class=\"scroll\" id=\"graph-box\" tabindex=\"0\" role=\"group\" "
                    "aria-label=\"Graph of %zu steps: what each is made of\">\n"
                    "<svg width=\"%.0f\" height=\"%.0f\" viewBox=\"0 0 %.0f %.0f\" "
                    "data-width=\"%.0f\" data-height=\"%.0f\">\n",
                    g->r->steps.n, w, h, w, h, w, h);
        for (size_t i = 0; i < g->edges.n; i++)
                add_curve(g, &g->edges.v[i], out);
        for (size_t i = 0; i < g->r->steps.n; i++)
                add_box(g, i, out);
        sw_buf_adds(out, "</svg></div>\n<p class=\"legend\"><span>");
        sw_buf_adds(out,
                    g->sideways ? "Each step is to the right of" : "Each step is below");
        sw_buf_adds(out, " what it is made of. Point at one to see all that it is made of, "
                         "and all that is made of it.</span></p>\n");
}

static void
release(struct graph *g)
{
        for (size_t i = 0; i < g->nodes.n; i++) {
                sw_array_release(&g->nodes.v[i].up);
                sw_array_release(&g->nodes.v[i].down);
        }
        for (size_t i = 0; i < g->edges.n; i++)
                sw_array_release(&g->edges.v[i].path);
        for (size_t i = 0; i < g->layers.n; i++)
                sw_array_release(&g->layers.v[i].nodes);
        sw_array_release(&g->nodes);
        sw_array_release(&g->edges);
        sw_array_release(&g->layers);
}

void
report_add_graph(const report *r, sw_buf *out)
{
        struct graph g = { .r = r };

        if (!r->steps.n || r->steps.n > NODES_MAX) {
                sw_buf_adds(out, r->steps.n ? "<p class=\"soft\">It has too many steps to "
                                              "be drawn.</p>\n"
                                            : "<p class=\"soft\">There is nothing to "
                                              "draw.</p>\n");
                return;
        }
        for (size_t i = 0; i < r->steps.n; i++)
                (void) add_node(&g, i, 0);
        find_layers(&g);
        for (size_t i = 0; i < r->steps.n; i++)
                for (size_t k = 0; k < r->steps.v[i].n_inputs; k++)
                        add_edge(&g, r->steps.v[i].inputs[k], i);
        fill_layers(&g);
        order(&g);
        draw(&g, out);
        release(&g);
}
