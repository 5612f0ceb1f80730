/* lib/imagearchive/index.c - the documents that list the images of an archive. */
#include "lib/imagearchive/imagearchive.h"

#define IMAGE_NAME "io.containerd.image.name"
#define REF_NAME   "org.opencontainers.image.ref.name"

void
sw_archive_entries(const sw_desc *root, const sw_strlist *names, const char *dflt,
                   sw_descs *out)
{
        sw_desc d;

        for (size_t i = 0; i < names->n; i++) {
                sw_auto(sw_image_name) n = { .host = NULL };
                sw_err *err = sw_image_name_parse(names->v[i], &n);

                sw_err_drop(err, "what is no name has no tag");
                sw_desc_copy(&d, root);
                sw_pairs_set(&d.annotations, IMAGE_NAME, names->v[i]);
                if (n.tag)
                        sw_pairs_set(&d.annotations, REF_NAME, n.tag);
                sw_array_push(out, d);
        }
        if (names->n)
                return;
        sw_desc_copy(&d, root);
        if (dflt)
                sw_pairs_set(&d.annotations, REF_NAME, dflt);
        sw_array_push(out, d);
}

void
sw_archive_index_json(const sw_descs *entries, sw_buf *out)
{
        sw_autoptr(sw_json) o = json_object();
        sw_json *list = json_array();

        for (size_t i = 0; i < entries->n; i++)
                (void) json_array_append_new(list, sw_desc_json(&entries->v[i]));
        (void) json_object_set_new(o, "schemaVersion", json_integer(2));
        (void) json_object_set_new(o, "mediaType", json_string(SW_MT_OCI_INDEX));
        (void) json_object_set_new(o, "manifests", list);
        sw_json_write(o, false, out);
}

static sw_json *
blob_path(const sw_digest *d)
{
        char hex[SW_DIGEST_HEX_LEN + 1];

        return json_sprintf("blobs/sha256/%s", sw_digest_hex(d, hex));
}

/* RepoTags hold names with a tag alone. */
static sw_json *
tags_json(const sw_strlist *names)
{
        sw_json *tags = json_array();

        for (size_t i = 0; i < names->n; i++) {
                sw_auto(sw_image_name) n = { .host = NULL };
                sw_err *err = sw_image_name_parse(names->v[i], &n);

                if (!err && n.tag && !n.has_digest) {
                        sw_auto(sw_str) familiar = sw_image_name_familiar(&n);

                        (void) json_array_append_new(tags, json_string(familiar));
                }
                sw_err_drop(err, "what is no name has no tag");
        }
        return tags;
}

void
sw_archive_docker_json(const struct sw_archive_image *images, size_t n, sw_buf *out)
{
        sw_autoptr(sw_json) all = json_array();

        for (size_t i = 0; i < n; i++) {
                sw_json *o = json_object(), *layers = json_array();

                for (size_t l = 0; l < images[i].n_layers; l++)
                        (void) json_array_append_new(layers,
                                                     blob_path(&images[i].layers[l]));
                (void) json_object_set_new(o, "Config", blob_path(images[i].config));
                (void) json_object_set_new(o, "RepoTags", tags_json(images[i].names));
                (void) json_object_set_new(o, "Layers", layers);
                (void) json_array_append_new(all, o);
        }
        sw_json_write(all, false, out);
}
