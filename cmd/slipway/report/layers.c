/*
 * cmd/slipway/report/layers.c - sizes of the layers of what was exported as an image, as
 * long as its manifest is in the store.
 * Thread: main.
 */
#include <string.h>

#include <slipway/text.h>

#include "cmd/slipway/images.h"
#include "cmd/slipway/report/report.h"

#define MANIFESTS_MAX 16

/* What made each layer: entries of the configuration's history that are not empty. */
static const char *
made_by(const sw_json *config, size_t layer)
{
        const sw_json *history = json_object_get(config, "history"), *entry;
        size_t i, n = 0;

        json_array_foreach(history, i, entry)
        {
                if (json_is_true(json_object_get(entry, "empty_layer")))
                        continue;
                if (n++ == layer) {
                        const char *by =
                                json_string_value(json_object_get(entry, "created_by"));

                        return by ? by : "";
                }
        }
        return "";
}

static void
add_layer(const sw_desc *l, const char *by, int64_t largest, sw_buf *out)
{
        char size[32], digest[SW_DIGEST_STR_SIZE];
        const unsigned share =
                largest > 0 && l->size > 0
                        ? (unsigned) (100.0 * (double) l->size / (double) largest + 0.5)
                        : 0;

        sw_buf_addf(out,
                    "<tr><td class=\"num\">%s</td><td class=\"wide\"><svg "
                    "aria-hidden=\"true\"><rect class=\"bar\" width=\"%u%%\" height=\"8\" "
                    "rx=\"3\"/></svg></td><td>",
                    sw_size_str(l->size, size), share > 100 ? 100 : share);
        html_add_cut(out, *by ? by : "(not told)", 400);
        sw_buf_addf(out, "<br><span class=\"soft mono\">%s</span></td></tr>\n",
                    sw_digest_str(&l->digest, digest));
}

static sw_err *
read_config(sw_worker *w, const sw_manifest *m, sw_json **out)
{
        sw_auto(sw_buf) text = SW_BUF_INIT;
        sw_err *err = image_read(w, &m->config.digest, SW_IMAGE_CONFIG_MAX, &text);

        return err ? err : sw_json_parse("configuration", text.data, text.len, out);
}

static void
add_manifest(sw_worker *w, const sw_manifest *m, sw_buf *out)
{
        sw_autoptr(sw_json) config = NULL;
        sw_err *err = read_config(w, m, &config);
        int64_t largest = 0, total = 0;
        char size[32];

        sw_err_drop(err, "sizes are known without it");
        for (size_t i = 0; i < m->layers.n; i++) {
                largest = m->layers.v[i].size > largest ? m->layers.v[i].size : largest;
                total += m->layers.v[i].size < INT64_MAX - total ? m->layers.v[i].size : 0;
        }
        sw_buf_addf(out,
                    "<table><caption class=\"soft\">%zu layers, %s packed</caption><thead>"
                    "<tr><th class=\"num\" scope=\"col\">Size</th><td class=\"wide\"></td>"
                    "<th scope=\"col\">Made by</th></tr></thead><tbody>\n",
                    m->layers.n, sw_size_str(total, size));
        for (size_t i = 0; i < m->layers.n; i++)
                add_layer(&m->layers.v[i], config ? made_by(config, i) : "", largest, out);
        sw_buf_adds(out, "</tbody></table>\n");
}

static bool
add_document(sw_worker *w, const sw_digest *d, const char *type, bool nested, sw_buf *out)
{
        sw_auto(sw_buf) text = SW_BUF_INIT;
        sw_auto(sw_manifest) m = { 0 };
        bool any = false;
        sw_err *err = image_read(w, d, SW_MANIFEST_MAX, &text);

        if (!err)
                err = sw_manifest_parse(type, text.data, text.len, &m);
        if (!err && m.kind == SW_MEDIA_MANIFEST) {
                add_manifest(w, &m, out);
                any = true;
        }
        for (size_t i = 0; !err && !nested && i < m.entries.n && i < MANIFESTS_MAX; i++) {
                const sw_desc *e = &m.entries.v[i];
                sw_auto(sw_str) platform =
                        e->platform ? sw_platform_str(e->platform) : NULL;

                sw_buf_adds(out, "<h3>");
                html_add(out, platform ? platform : "No platform");
                sw_buf_adds(out, "</h3>\n");
                any |= add_document(w, &e->digest, e->media_type, true, out);
        }
        sw_err_drop(err, "what is not here any more is not shown");
        return any;
}

bool
report_add_layers(const report *r, store *from, sw_buf *out)
{
        const char *digest =
                sw_attr_get(r->b->response, r->b->n_response, "containerimage.digest");
        const char *name = sw_attr_get(r->b->response, r->b->n_response, "image.name");
        sw_digest d;
        bool any;

        if (!digest || !sw_digest_is(digest, SIZE_MAX))
                return false;
        sw_err_drop(sw_digest_parse(digest, SIZE_MAX, &d), "it is one");
        sw_buf_adds(out, "<section id=\"layers\" aria-labelledby=\"h-layers\">\n"
                         "<h2 id=\"h-layers\">Layers</h2>\n<div class=\"card\">\n<p>");
        html_add(out, name ? name : "");
        sw_buf_adds(out, " <span class=\"soft mono\">");
        html_add(out, digest);
        sw_buf_adds(out, "</span></p>\n");
        any = add_document(sw__root_worker(from->root), &d, NULL, false, out);
        if (!any)
                sw_buf_adds(out, "<p class=\"soft\">Its manifest was not in the store any "
                                 "more when this page was written.</p>\n");
        sw_buf_adds(out, "</div></section>\n");
        return true;
}
