/* plugins/exporter-oci/index.c - the documents that list the images of an archive. */
#include "plugins/exporter-oci/oci.h"

#include <string.h>

#define IMAGE_NAME "io.containerd.image.name"
#define REF_NAME   "org.opencontainers.image.ref.name"

void
oci_entries(const struct oci_job *j, const char *dflt, sw_descs *out)
{
        sw_desc d;

        for (size_t i = 0; i < j->names.n; i++) {
                sw_auto(sw_image_name) n = { .host = NULL };
                sw_err *err = sw_image_name_parse(j->names.v[i], &n);

                sw_err_drop(err, "they are the full form of what was parsed");
                sw_desc_copy(&d, &j->made->root);
                sw_pairs_set(&d.annotations, IMAGE_NAME, j->names.v[i]);
                if (n.tag)
                        sw_pairs_set(&d.annotations, REF_NAME, n.tag);
                sw_array_push(out, d);
        }
        if (j->names.n)
                return;
        sw_desc_copy(&d, &j->made->root);
        if (dflt)
                sw_pairs_set(&d.annotations, REF_NAME, dflt);
        sw_array_push(out, d);
}

void
oci_index_json(const sw_descs *entries, sw_buf *out)
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

void
oci_docker_json(const struct oci_job *j, sw_buf *out)
{
        const struct sw_made_image *image = &j->made->images.v[0];
        sw_autoptr(sw_json) all = json_array();
        sw_json *o = json_object(), *tags = json_array(), *layers = json_array();

        for (size_t i = 0; i < j->names.n; i++) {
                sw_auto(sw_image_name) n = { .host = NULL };
                sw_err *err = sw_image_name_parse(j->names.v[i], &n);

                sw_err_drop(err, "they are the full form of what was parsed");
                sw_auto(sw_str) familiar = sw_image_name_familiar(&n);
                if (n.tag && !n.has_digest) /* RepoTags cannot hold others */
                        (void) json_array_append_new(tags, json_string(familiar));
        }
        for (size_t i = 0; i < image->layers.n; i++)
                (void) json_array_append_new(layers,
                                             blob_path(&image->layers.v[i].desc.digest));
        (void) json_object_set_new(o, "Config", blob_path(&image->config_desc.digest));
        (void) json_object_set_new(o, "RepoTags", tags);
        (void) json_object_set_new(o, "Layers", layers);
        (void) json_array_append_new(all, o);
        sw_json_write(all, false, out);
}
