/*
 * cmd/slipway/report/page.c - the page around its parts: page.html with its gaps filled.
 *
 * A gap is <!--@name-->. The policy names the style and the script of the page by their
 * hashes and allows nothing else: what somebody got into the page in spite of html.c would
 * not run, and could not send anything anywhere.
 * Thread: main.
 */
#include <string.h>

#include <slipway/text.h>
#include <slipway/time.h>

#include "cmd/slipway/report/pagetext.h"
#include "cmd/slipway/report/report.h"

#define SECRET_NOTE                                                                        \
        "Passwords in URLs, and options that are named like a secret, are shown as xxxxx."

/* What the gaps are filled from. */
struct page {
        const report *r;
        sw_buf layers; /* found before the head, which links to it */
        bool has_layers;
};

/* ---- Head ---- */

/* 'sha256-…' of a text between its tags. */
static void
add_hash(sw_buf *out, const char *text)
{
        sw_auto(sw_buf) base64 = SW_BUF_INIT;
        const sw_digest d = sw_digest_of(text, strlen(text));

        sw_json_add_base64(&base64, d.b, sizeof(d.b)); /* with the quotes of JSON */
        sw_buf_adds(out, "'sha256-");
        sw_buf_add(out, base64.data + 1, base64.len - 2);
        sw_buf_addc(out, '\'');
}

static void
add_policy(const struct page *p, sw_buf *out)
{
        (void) p;
        sw_buf_adds(out, "default-src 'none'; style-src ");
        add_hash(out, page_css);
        sw_buf_adds(out, "; script-src ");
        add_hash(out, page_js);
        sw_buf_adds(out, "; base-uri 'none'; form-action 'none'");
}

static void
add_css(const struct page *p, sw_buf *out)
{
        (void) p;
        sw_buf_adds(out, page_css);
}

static void
add_js(const struct page *p, sw_buf *out)
{
        (void) p;
        sw_buf_adds(out, page_js);
}

static void
add_what(const struct page *p, sw_buf *out)
{
        sw_auto(sw_str) what = past_what(p->r->b);

        html_add_cut(out, what, 300);
}

static void
add_title(const struct page *p, sw_buf *out)
{
        add_what(p, out);
        sw_buf_addf(out, ": %s after ", past_state(p->r->b));
        html_add_time(out, p->r->end - p->r->begin);
}

static void
add_header(const struct page *p, sw_buf *out)
{
        const struct sw_history_build *b = p->r->b;
        char began[SW_TIME_STR_SIZE];

        (void) sw_time_str(b->created / SW_NS_PER_SEC * SW_NS_PER_SEC, began);
        sw_buf_adds(out, "<h1>");
        add_what(p, out);
        sw_buf_addf(
                out,
                "</h1>\n<p class=\"facts\"><span class=\"chip %s\">%s</span><span>took ",
                past_state(b), past_state(b));
        html_add_time(out, p->r->end - p->r->begin);
        sw_buf_addf(out,
                    "</span><span>began <time datetime=\"%s\">%s</time></span><span "
                    "class=\"mono\">",
                    began, began);
        html_add(out, b->id);
        sw_buf_adds(out, "</span></p>");
}

static void
add_nav(const struct page *p, sw_buf *out)
{
        sw_buf_adds(out, "<a href=\"#summary\">Summary</a>\n<a "
                         "href=\"#timeline\">Timeline</a>\n");
        if (p->r->warnings.n)
                sw_buf_addf(out, "<a href=\"#warnings\">Warnings (%zu)</a>\n",
                            p->r->warnings.n);
        if (p->has_layers)
                sw_buf_adds(out, "<a href=\"#layers\">Layers</a>\n");
        sw_buf_adds(out, "<a href=\"#graph\">Graph</a>\n<a href=\"#steps\">Steps</a>\n<a "
                         "href=\"#request\">Request</a>");
}

/* ---- Parts that are small ---- */

/* A link only where it leads to the web; anything else is text. */
static void
add_url(const char *url, sw_buf *out)
{
        const bool web =
                sw_str_has_prefix(url, "https://") || sw_str_has_prefix(url, "http://");

        sw_buf_adds(out, "<p>");
        if (web) {
                sw_buf_adds(out, "<a rel=\"noreferrer noopener\" href=\"");
                html_add(out, url);
                sw_buf_adds(out, "\">");
        }
        html_add(out, url);
        sw_buf_adds(out, web ? "</a></p>\n" : "</p>\n");
}

/* The text of a file is told with the first warning about it. */
static const struct report_warning *
text_of(const report *r, size_t i)
{
        const struct report_warning *w = &r->warnings.v[i];

        for (size_t k = 0; k <= i && w->file; k++)
                if (r->warnings.v[k].source && sw_str_eq(r->warnings.v[k].file, w->file))
                        return &r->warnings.v[k];
        return w->source ? w : NULL;
}

static void
add_warning(const report *r, size_t i, sw_buf *out)
{
        const struct report_warning *w = &r->warnings.v[i], *of = text_of(r, i);

        sw_buf_adds(out, "<li class=\"card\"><h3>");
        html_add(out, w->text);
        sw_buf_adds(out, "</h3>\n");
        for (size_t k = 0; k < w->detail.n; k++) {
                sw_buf_adds(out, "<p>");
                html_add(out, w->detail.v[k]);
                sw_buf_adds(out, "</p>\n");
        }
        if (w->url)
                add_url(w->url, out);
        if (w->file) {
                sw_buf_adds(out, "<p class=\"mono\">");
                html_add(out, w->file);
                sw_buf_addf(out, ":%d</p>\n", w->first);
        }
        if (of)
                report_add_source(out, of->source, of->source_len, w->first, w->last);
        if (w->step != REPORT_NONE) {
                sw_buf_adds(out, "<p class=\"soft\">Told by ");
                html_add_link(out, r, w->step);
                sw_buf_adds(out, "</p>\n");
        }
        sw_buf_adds(out, "</li>\n");
}

static void
add_warnings(const struct page *p, sw_buf *out)
{
        if (!p->r->warnings.n)
                return;
        sw_buf_adds(out, "<section id=\"warnings\" class=\"warnings\" "
                         "aria-labelledby=\"h-warnings\">\n<h2 "
                         "id=\"h-warnings\">Warnings</h2>\n<ul class=\"plain cards\">\n");
        for (size_t i = 0; i < p->r->warnings.n; i++)
                add_warning(p->r, i, out);
        sw_buf_adds(out, "</ul></section>\n");
}

static void
add_pairs(const char *head, const struct sw_attr *v, size_t n, sw_buf *out)
{
        sw_buf_adds(out, "<h3>");
        html_add(out, head);
        sw_buf_adds(out, "</h3>\n");
        if (!n)
                sw_buf_adds(out, "<p class=\"soft\">None.</p>\n");
        else
                sw_buf_adds(out, "<dl>");
        for (size_t i = 0; i < n; i++) {
                sw_buf_adds(out, "<dt class=\"mono\">");
                html_add(out, v[i].key);
                sw_buf_adds(out, "</dt><dd class=\"mono\">");
                html_add(out, v[i].value);
                sw_buf_adds(out, "</dd>\n");
        }
        if (n)
                sw_buf_adds(out, "</dl>\n");
}

static void
add_request(const struct page *p, sw_buf *out)
{
        const struct sw_history_build *b = p->r->b;

        sw_buf_adds(out, "<div class=\"card\">\n");
        if (*b->frontend) {
                sw_auto(sw_str) head =
                        sw_asprintf("Options of the frontend %s", b->frontend);

                add_pairs(head, b->attrs, b->n_attrs, out);
        } else {
                sw_buf_adds(out, "<p>A definition was built, without a frontend.</p>\n");
        }
        for (size_t i = 0; i < b->n_outputs; i++) {
                sw_auto(sw_str) head = sw_asprintf("Output of type %s", b->outputs[i].type);

                add_pairs(head, b->outputs[i].attrs, b->outputs[i].n_attrs, out);
        }
        if (b->n_response)
                add_pairs("What the exporters answered", b->response, b->n_response, out);
        sw_buf_adds(out, "</div>\n");
}

static void
add_footer(const struct page *p, sw_buf *out)
{
        (void) p;
        sw_buf_addf(out, "Written by slipway " PACKAGE_VERSION ". " SECRET_NOTE);
}

/* ---- Gaps ---- */

static void
add_answers(const struct page *p, sw_buf *out)
{
        report_add_answers(p->r, out);
}

static void
add_timeline(const struct page *p, sw_buf *out)
{
        report_add_timeline(p->r, out);
}

static void
add_steps(const struct page *p, sw_buf *out)
{
        report_add_steps(p->r, out);
}

static void
add_graph(const struct page *p, sw_buf *out)
{
        report_add_graph(p->r, out);
}

static void
add_layers(const struct page *p, sw_buf *out)
{
        sw_buf_add(out, p->layers.data, p->layers.len);
}

static const struct gap {
        const char *name;
        void (*add)(const struct page *p, sw_buf *out);
} gaps[] = {
        { "policy", add_policy },   { "title", add_title },
        { "css", add_css },         { "js", add_js },
        { "header", add_header },   { "nav", add_nav },
        { "answers", add_answers }, { "timeline", add_timeline },
        { "steps", add_steps },     { "graph", add_graph },
        { "layers", add_layers },   { "warnings", add_warnings },
        { "request", add_request }, { "footer", add_footer },
};

static void
fill(const struct page *p, const char *name, size_t n, sw_buf *out)
{
        for (size_t i = 0; i < SW_COUNT(gaps); i++)
                if (strlen(gaps[i].name) == n && memcmp(gaps[i].name, name, n) == 0)
                        gaps[i].add(p, out);
}

void
report_page(const report *r, store *from, sw_buf *out)
{
        struct page p = { .r = r, .layers = SW_BUF_INIT };
        const char *at = page_html, *gap;

        p.has_layers = report_add_layers(r, from, &p.layers);
        while ((gap = strstr(at, "<!--@"))) {
                const char *name = gap + strlen("<!--@");
                const size_t n = strcspn(name, "-");

                sw_buf_add(out, at, (size_t) (gap - at));
                fill(&p, name, n, out);
                at = name + n + strlen("-->");
        }
        sw_buf_adds(out, at);
        sw_buf_release(&p.layers);
}
