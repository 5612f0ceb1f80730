/*
 * cmd/slipway/verb_images_inspect.c - `slipway images inspect`: what an image is made of.
 *
 * One shape for people and programs: an object with what the store knows and with the
 * documents, which are shown as they are. An index has a list of such objects, one for
 * each manifest; what is not here is told in "error".
 * Thread: main.
 */
#include <string.h>

#include <slipway/text.h>

#include "cmd/slipway/images.h"
#include "cmd/slipway/program.h"
#include "cmd/slipway/term.h"

/* Indexes in indexes: more are nobody's. */
enum { DEPTH_MAX = 2 };

/* @err is told in the object, and freed. */
static void
set_error(sw_json *o, sw_err *err)
{
        if (err)
                json_object_set_new(o, "error", json_text(sw_err_message(err)));
        sw_err_drop(err, "told in the output");
}

static sw_err *
read_json(sw_worker *w, const sw_digest *d, size_t limit, sw_buf *text, sw_json **out)
{
        char name[SW_DIGEST_STR_SIZE];
        sw_err *err = image_read(w, d, limit, text);

        return err ? err
                   : sw_json_parse(sw_digest_str(d, name), text->data, text->len, out);
}

static void
add_config(sw_worker *w, const sw_manifest *m, sw_json *o)
{
        sw_auto(sw_buf) text = SW_BUF_INIT;
        sw_json *config = NULL;
        sw_err *err = read_json(w, &m->config.digest, SW_IMAGE_CONFIG_MAX, &text, &config);

        if (config)
                json_object_set_new(o, "config", config);
        set_error(o, err);
}

static void add_document(sw_worker *w, const char *type, const sw_digest *d, int depth,
                         sw_json *o);

static void
add_entries(sw_worker *w, const sw_manifest *m, int depth, sw_json *o)
{
        sw_json *list = json_array();

        for (size_t i = 0; i < m->entries.n; i++) {
                const sw_desc *e = &m->entries.v[i];
                char digest[SW_DIGEST_STR_SIZE];
                sw_json *one = json_object();

                json_object_set_new(one, "digest",
                                    json_text(sw_digest_str(&e->digest, digest)));
                json_object_set_new(one, "mediaType", json_text(e->media_type));
                if (e->platform) {
                        sw_auto(sw_str) platform = sw_platform_str(e->platform);

                        json_object_set_new(one, "platform", json_text(platform));
                }
                if (depth)
                        add_document(w, e->media_type, &e->digest, depth - 1, one);
                json_array_append_new(list, one);
        }
        json_object_set_new(o, "manifests", list);
}

/* The document @d, and what it points at. */
static void
add_document(sw_worker *w, const char *type, const sw_digest *d, int depth, sw_json *o)
{
        sw_auto(sw_buf) text = SW_BUF_INIT;
        sw_auto(sw_manifest) m = { 0 };
        sw_json *document = NULL;
        sw_err *err = read_json(w, d, SW_MANIFEST_MAX, &text, &document);

        if (document)
                json_object_set_new(o, "manifest", document);
        if (!err)
                err = sw_manifest_parse(type, text.data, text.len, &m);
        if (!err && m.kind == SW_MEDIA_MANIFEST)
                add_config(w, &m, o);
        else if (!err)
                add_entries(w, &m, depth, o);
        set_error(o, err);
}

/* ---- for people ---- */

static void
add_line(sw_buf *out, const char *name, const sw_json *value)
{
        if (!value)
                return;
        sw_buf_addf(out, "%-12s", name);
        term_add_text(out, json_string_value(value));
        sw_buf_addc(out, '\n');
}

/* A document as it is, indented; what it says may be anything. */
static void
add_indented(sw_buf *out, const char *name, const sw_json *document)
{
        char *text = document ? json_dumps(document, JSON_INDENT(2)) : NULL;

        if (!text)
                return;
        sw_buf_addf(out, "\n%s\n", name);
        for (char *line = text, *next; line; line = next) {
                next = strchr(line, '\n');
                if (next)
                        *next++ = '\0';
                sw_buf_adds(out, "  ");
                term_add_text(out, line);
                sw_buf_addc(out, '\n');
        }
        free(text);
}

static void
add_object(sw_buf *out, const sw_json *o)
{
        const sw_json *entry;
        size_t i;

        add_line(out, "Name:", json_object_get(o, "name"));
        add_line(out, "Digest:", json_object_get(o, "digest"));
        add_line(out, "Platform:", json_object_get(o, "platform"));
        add_line(out, "Media type:", json_object_get(o, "mediaType"));
        add_line(out, "Created:", json_object_get(o, "createdAt"));
        add_line(out, "Error:", json_object_get(o, "error"));
        add_indented(out, "Manifest", json_object_get(o, "manifest"));
        add_indented(out, "Configuration", json_object_get(o, "config"));
        json_array_foreach(json_object_get(o, "manifests"), i, entry)
        {
                sw_buf_addc(out, '\n');
                add_object(out, entry);
        }
}

static sw_err *
run_inspect(const struct cli_call *call)
{
        sw_auto(store) s = STORE_INIT;
        sw_auto(sw_image_list) found = { 0 };
        sw_auto(sw_buf) out = SW_BUF_INIT;
        sw_err *err = store_open(&s, call, true);

        if (!err)
                err = image_find(&s, cli_argument(call, 0), &found);
        if (err)
                return err;
        sw_worker *w = sw__root_worker(s.root);
        sw_json *o = image_json(w, &found.v[0]);
        add_document(w, found.v[0].media_type, &found.v[0].digest, DEPTH_MAX, o);
        if (cli_bool(call, "json"))
                return out_json(o);
        add_object(&out, o);
        json_decref(o);
        return out_text(&out);
}

static const struct cli_flag inspect_flags[] = {
        { .name = "json", .type = CLI_BOOL, .help = "print a JSON object" },
        { .name = NULL },
};

static const struct cli_arg inspect_args[] = {
        { .name = "NAME",
          .min = 1,
          .max = 1,
          .complete = CLI_IMAGES,
          .help = "an image; app is docker.io/library/app:latest" },
        { .name = NULL },
};

CLI_VERB(images_inspect) = {
        .name = "images inspect",
        .summary = "show an image's manifest and configuration",
        .details = "The object of --json has the members of \"slipway images --json\", and "
                   "manifest and config, which are the documents; or for an index "
                   "manifest and manifests, a list of objects with digest, mediaType, "
                   "platform, manifest and config. A document that is not here, or is "
                   "damaged, is told in error.\n",
        .flags = inspect_flags,
        .args = inspect_args,
        .run = run_inspect,
};
