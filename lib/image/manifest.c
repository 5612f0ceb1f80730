/*
 * lib/image/manifest.c - manifests and indexes: read with limits, written.
 *
 * What a document is must be beyond doubt: the type it came under, the one it says itself
 * and its members have to agree, or a program that decides differently than we do takes it
 * for something else.
 */
#include <string.h>

#include "lib/image/image_priv.h"

void
sw_manifest_release(sw_manifest *m)
{
        free(m->media_type);
        free(m->artifact_type);
        sw_desc_release(&m->config);
        sw_desc_release(&m->subject);
        sw_descs_release(&m->layers);
        sw_descs_release(&m->entries);
        sw_pairs_release(&m->annotations);
        *m = (sw_manifest){ .media_type = NULL };
}

/* ---- what it is ---- */

static bool
has(const sw_json *o, const char *key)
{
        const sw_json *v = json_object_get(o, key);

        return v && !json_is_null(v);
}

static sw_err *
old_schema(void)
{
        return sw_err_new(SW_E_UNSUPPORTED,
                          "a manifest of Docker's schema 1, which is out of use and not "
                          "supported: pull the image and push it again once with a recent "
                          "client");
}

/* Types that servers send for want of a better one. */
static bool
says_nothing(const char *type)
{
        static const char *const vague[] = { "application/json", "application/octet-stream",
                                             "text/plain" };
        size_t n = type ? strcspn(type, "; \t") : 0;

        for (size_t i = 0; i < SW_COUNT(vague); i++)
                if (n == strlen(vague[i]) && strncmp(type, vague[i], n) == 0)
                        return true;
        return n == 0;
}

/* The type of a document that nobody names, by what is in it. */
static const char *
type_of_members(const sw_json *o)
{
        if (has(o, "manifests"))
                return SW_MT_OCI_INDEX;
        if (has(o, "config") || has(o, "layers"))
                return SW_MT_OCI_MANIFEST;
        return "";
}

static bool
same_type(const char *a, const char *b)
{
        size_t n = strcspn(a, "; \t");

        return n == strcspn(b, "; \t") && strncmp(a, b, n) == 0;
}

/* The media type, settled; borrowed from @type or @o. */
static sw_err *
settle_type(const char *type, const sw_json *o, const char **out)
{
        const char *own = "";
        sw_err *err = sw_json_str(o, "mediaType", &own);

        if (err)
                return err;
        if (says_nothing(type))
                type = *own ? own : type_of_members(o);
        if (*own && !same_type(own, type))
                return sw_err_new(SW_E_INVALID, "it is said to be %s, but calls itself %s",
                                  image_shown(type).text, image_shown(own).text);
        *out = type;
        return SW_OK;
}

/* Its kind, with members of that kind only. */
static sw_err *
settle_kind(const sw_json *o, sw_manifest *m)
{
        int64_t version = 2;
        sw_err *err = sw_json_int(o, "schemaVersion", &version);

        if (err)
                return err;
        m->kind = sw_media_kind(m->media_type);
        if (m->kind == SW_MEDIA_SCHEMA1 || version == 1 || has(o, "fsLayers"))
                return old_schema();
        if (version != 2)
                return sw_err_new(SW_E_UNSUPPORTED, "schema version %lld; 2 is known",
                                  (long long) version);
        if (m->kind != SW_MEDIA_MANIFEST && m->kind != SW_MEDIA_INDEX)
                return sw_err_new(SW_E_UNSUPPORTED,
                                  "media type %s is neither a manifest nor an index",
                                  image_shown(m->media_type).text);
        bool as_index = has(o, "manifests"),
             as_manifest = has(o, "config") || has(o, "layers");
        if (m->kind == SW_MEDIA_INDEX ? as_manifest : as_index)
                return sw_err_new(SW_E_INVALID, "it has members of both a manifest and an "
                                                "index");
        return SW_OK;
}

/* ---- reading ---- */

static sw_err *
parse_descs(const sw_json *o, const char *key, size_t max, sw_descs *out)
{
        sw_json *list = NULL;
        sw_err *err = sw_json_arr(o, key, &list);
        size_t n = json_array_size(list);

        if (!err && n > max)
                return sw_err_new(SW_E_LIMIT, "%zu %s; at most %zu are taken", n, key, max);
        for (size_t i = 0; i < n && !err; i++) {
                sw_desc d = { .media_type = NULL };

                err = sw_desc_parse(json_array_get(list, i), &d);
                if (err)
                        return sw_err_wrap(err, "%s[%zu]", key, i);
                sw_array_push(out, d);
        }
        return err;
}

static sw_err *
parse_manifest(const sw_json *o, sw_manifest *m)
{
        sw_json *config = NULL;
        sw_err *err = sw_json_obj(o, "config", &config);

        if (err)
                return err;
        if (!config)
                return sw_err_new(SW_E_INVALID, "it has no config");
        err = sw_desc_parse(config, &m->config);
        if (err)
                return sw_err_wrap(err, "config");
        return parse_descs(o, "layers", SW_IMAGE_LAYERS_MAX, &m->layers);
}

static sw_err *
parse_rest(const sw_json *o, sw_manifest *m)
{
        const char *artifact = NULL;
        sw_json *subject = NULL;
        sw_err *err = image_pairs_parse(o, "annotations", &m->annotations);

        if (!err)
                err = sw_json_str(o, "artifactType", &artifact);
        if (!err)
                err = sw_json_obj(o, "subject", &subject);
        if (err)
                return err;
        m->artifact_type = artifact && *artifact ? sw_strdup(artifact) : NULL;
        m->has_subject = subject != NULL;
        return subject ? sw_err_wrap(sw_desc_parse(subject, &m->subject), "subject")
                       : SW_OK;
}

static sw_err *
parse(const char *type, const sw_json *o, sw_manifest *m)
{
        const char *settled = NULL;
        sw_err *err;

        if (!json_is_object(o))
                return sw_err_new(SW_E_INVALID, "it is no JSON object");
        err = settle_type(type, o, &settled);
        if (err)
                return err;
        m->media_type = sw_strndup(settled, strcspn(settled, "; \t"));
        err = settle_kind(o, m);
        if (!err && m->kind == SW_MEDIA_MANIFEST)
                err = parse_manifest(o, m);
        else if (!err)
                err = parse_descs(o, "manifests", SW_INDEX_ENTRIES_MAX, &m->entries);
        return err ? err : parse_rest(o, m);
}

sw_err *
sw_manifest_parse(const char *type, const void *p, size_t n, sw_manifest *out)
{
        sw_auto(sw_manifest) m = { .media_type = NULL };
        sw_autoptr(sw_json) doc = NULL;
        sw_err *err;

        if (n > SW_MANIFEST_MAX)
                return sw_err_new(SW_E_LIMIT,
                                  "a manifest of %zu bytes; at most %d are taken", n,
                                  SW_MANIFEST_MAX);
        err = sw_json_parse("manifest", p, n, &doc);
        if (!err)
                err = sw_err_wrap(parse(type, doc, &m), "manifest");
        if (err)
                return err;
        *out = m;
        m = (sw_manifest){ .media_type = NULL };
        return SW_OK;
}

/* ---- writing ---- */

static sw_json *
descs_json(const sw_descs *d)
{
        sw_json *list = json_array();

        for (size_t i = 0; i < d->n; i++)
                (void) json_array_append_new(list, sw_desc_json(&d->v[i]));
        return list;
}

void
sw_manifest_write(const sw_manifest *m, sw_buf *out)
{
        sw_autoptr(sw_json) o = json_object();

        image_json_set(o, "schemaVersion", json_integer(2));
        image_json_set_str(o, "mediaType", m->media_type);
        image_json_set_str(o, "artifactType", m->artifact_type);
        if (m->kind == SW_MEDIA_INDEX) {
                image_json_set(o, "manifests", descs_json(&m->entries));
        } else {
                image_json_set(o, "config", sw_desc_json(&m->config));
                image_json_set(o, "layers", descs_json(&m->layers));
        }
        if (m->has_subject)
                image_json_set(o, "subject", sw_desc_json(&m->subject));
        if (m->annotations.n)
                image_json_set(o, "annotations", image_json_pairs(&m->annotations));
        sw_json_write(o, true, out);
}
