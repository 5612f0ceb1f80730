/*
 * cmd/slipway/images.c - see images.h. Thread: main.
 */
#include "cmd/slipway/images.h"

#include <string.h>

#include <slipway/imagename.h>
#include <slipway/map.h>
#include <slipway/text.h>

#include "cmd/slipway/program.h"

/* ---- by name ---- */

sw_err *
images_full_name(const char *asked, char **out)
{
        sw_auto(sw_image_name) name = { 0 };
        sw_err *err = sw_image_name_parse(asked, &name);

        if (err) {
                sw_err *usage = sw_err_new(SW_E_USAGE, "%s", sw_err_message(err));

                sw_err_drop(err, "told as a mistake of the command line");
                return usage;
        }
        sw_image_name_default_tag(&name);
        *out = sw_image_name_str(&name);
        return SW_OK;
}

static sw_err *
not_found(sw_worker *w, const char *asked)
{
        sw_auto(sw_image_list) all = { 0 };
        SW_ARRAY(const char *) names = { 0 };
        sw_err *err = sw_images_list(w, NULL, &all);

        if (err)
                return err;
        for (size_t i = 0; i < all.n; i++)
                sw_array_push(&names, all.v[i].name);
        const char *near = names.n ? sw_near(asked, names.v, names.n) : NULL;
        err = sw_err_new(SW_E_NOT_FOUND, "there is no image %.200s%s%s%s", asked,
                         near ? " (did you mean " : "", near ? near : "", near ? "?)" : "");
        sw_array_release(&names);
        return err;
}

sw_err *
image_find(store *s, const char *asked, sw_image_list *out)
{
        sw_auto(sw_str) full = NULL;

        if (!s->root)
                return sw_err_new(SW_E_NOT_FOUND, "there is no image %.200s", asked);
        sw_worker *w = sw__root_worker(s->root);
        sw_err *err = sw_images_get(w, NULL, asked, out);
        if (!err && out->n)
                return SW_OK;
        sw_err_drop(err, "what is no name as it is may be one in full");
        sw_image_list_release(out);
        err = images_full_name(asked, &full);
        if (!err)
                err = sw_images_get(w, NULL, full, out);
        if (!err && !out->n)
                err = not_found(w, full);
        return err;
}

/* ---- documents ---- */

sw_err *
image_read(sw_worker *w, const sw_digest *d, size_t limit, sw_buf *out)
{
        sw_auto(sw_fd) fd = -1;
        char text[SW_DIGEST_STR_SIZE];
        const size_t at = out->len;
        sw_err *err = sw_content_open(sw_worker_content(w), d, &fd, NULL);

        (void) sw_digest_str(d, text);
        if (!err)
                err = sw_buf_read_fd(out, fd, limit, text);
        if (err)
                return err;
        const sw_digest is = sw_digest_of(out->data + at, out->len - at);
        if (!sw_digest_eq(&is, d))
                err = sw_err_new(SW_E_CORRUPT,
                                 "blob %s is damaged (slipway images rm and make or pull "
                                 "the image again)",
                                 text);
        return err;
}

static int64_t
count(sw_map *seen, const sw_desc *d)
{
        return sw_map_set_bytes(seen, d->digest.b, sizeof(d->digest.b), seen) ? d->size : 0;
}

static int64_t
document_size(sw_worker *w, const char *type, const sw_digest *d, int depth, sw_map *seen)
{
        sw_auto(sw_buf) text = SW_BUF_INIT;
        sw_auto(sw_manifest) m = { 0 };
        int64_t sum = 0;
        sw_err *err = image_read(w, d, SW_MANIFEST_MAX, &text);

        if (!err)
                err = sw_manifest_parse(type, text.data, text.len, &m);
        if (err) {
                sw_err_drop(err, "inspect tells");
                return 0;
        }
        if (m.kind == SW_MEDIA_MANIFEST)
                sum += count(seen, &m.config);
        for (size_t i = 0; i < m.layers.n; i++)
                sum += count(seen, &m.layers.v[i]);
        for (size_t i = 0; i < m.entries.n; i++) {
                const sw_desc *e = &m.entries.v[i];
                const int64_t size = count(seen, e);

                sum += size;
                if (size && depth)
                        sum += document_size(w, e->media_type, &e->digest, depth - 1, seen);
        }
        return sum;
}

int64_t
image_size(sw_worker *w, const struct sw_image *i)
{
        sw_map *seen = sw_map_new(NULL);
        const int64_t size = document_size(w, i->media_type, &i->digest, 2, seen);

        sw_map_free(seen);
        return i->len + size;
}

/* ---- on paper ---- */

void
image_time(int64_t ns, char out[SW_TIME_STR_SIZE])
{
        (void) sw_time_str(ns - (ns % SW_NS_PER_SEC + SW_NS_PER_SEC) % SW_NS_PER_SEC, out);
}

sw_json *
image_json(sw_worker *w, const struct sw_image *i)
{
        char digest[SW_DIGEST_STR_SIZE], time[SW_TIME_STR_SIZE];
        sw_json *o = json_object();

        json_object_set_new(o, "name", json_text(i->name));
        json_object_set_new(o, "digest", json_text(sw_digest_str(&i->digest, digest)));
        json_object_set_new(o, "mediaType", json_text(i->media_type));
        json_object_set_new(o, "size", json_integer(image_size(w, i)));
        json_object_set_new(o, "createdAt", json_text(sw_time_str(i->created, time)));
        json_object_set_new(o, "updatedAt", json_text(sw_time_str(i->updated, time)));
        return o;
}
