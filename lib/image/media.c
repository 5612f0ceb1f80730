/*
 * lib/image/media.c - media types, pairs, digests and platforms in documents.
 */
#include <stdio.h>
#include <string.h>

#include <slipway/text.h>

#include "lib/image/image_priv.h"

/* ---- media types ---- */

/* Whether @type is @want, parameters aside. */
static bool
is_type(const char *type, const char *want)
{
        size_t n = strcspn(type, "; \t");

        return n == strlen(want) && strncmp(type, want, n) == 0;
}

static const struct {
        const char *type;
        enum sw_media kind;
} kinds[] = {
        { SW_MT_OCI_MANIFEST, SW_MEDIA_MANIFEST },
        { SW_MT_OCI_INDEX, SW_MEDIA_INDEX },
        { SW_MT_OCI_CONFIG, SW_MEDIA_CONFIG },
        { SW_MT_DOCKER_LIST, SW_MEDIA_INDEX },
        { SW_MT_DOCKER_MANIFEST, SW_MEDIA_MANIFEST },
        { SW_MT_DOCKER_CONFIG, SW_MEDIA_CONFIG },
        { SW_MT_DOCKER_SCHEMA1, SW_MEDIA_SCHEMA1 },
        { SW_MT_DOCKER_SIGNED1, SW_MEDIA_SCHEMA1 },
};

/* What comes before the packing of a layer's type. */
static const char *const layer_prefixes[] = {
        SW_MT_OCI_LAYER,
        "application/vnd.oci.image.layer.nondistributable.v1.tar",
        SW_MT_DOCKER_LAYER,
        "application/vnd.docker.image.rootfs.foreign.diff.tar",
};

/* What follows the tar of a layer's type, "" or "+gzip"; NULL: no layer. */
static const char *
layer_suffix(const char *type)
{
        for (size_t i = 0; i < SW_COUNT(layer_prefixes); i++)
                if (sw_str_has_prefix(type, layer_prefixes[i]))
                        return type + strlen(layer_prefixes[i]);
        return NULL;
}

enum sw_packing
sw_media_packing(const char *type)
{
        const char *suffix = layer_suffix(type);

        if (!suffix)
                return SW_PACK_UNKNOWN;
        if (is_type(suffix, ""))
                return SW_PACK_NONE;
        if (is_type(suffix, "+gzip") || is_type(suffix, ".gzip"))
                return SW_PACK_GZIP;
        if (is_type(suffix, "+zstd") || is_type(suffix, ".zstd"))
                return SW_PACK_ZSTD;
        return SW_PACK_UNKNOWN;
}

enum sw_media
sw_media_kind(const char *type)
{
        for (size_t i = 0; i < SW_COUNT(kinds); i++)
                if (is_type(type, kinds[i].type))
                        return kinds[i].kind;
        return sw_media_packing(type) == SW_PACK_UNKNOWN ? SW_MEDIA_OTHER : SW_MEDIA_LAYER;
}

bool
sw_media_foreign(const char *type)
{
        return sw_str_has_prefix(type, layer_prefixes[1]) ||
               sw_str_has_prefix(type, layer_prefixes[3]);
}

const char *
sw_media_layer(enum sw_packing p, bool oci)
{
        switch (p) {
        case SW_PACK_NONE: return oci ? SW_MT_OCI_LAYER : SW_MT_DOCKER_LAYER;
        case SW_PACK_GZIP:
                return oci ? SW_MT_OCI_LAYER "+gzip" : SW_MT_DOCKER_LAYER ".gzip";
        case SW_PACK_ZSTD: return oci ? SW_MT_OCI_LAYER "+zstd" : NULL;
        case SW_PACK_UNKNOWN: break;
        }
        return NULL;
}

/* ---- pairs ---- */

void
sw_pairs_set(sw_pairs *p, const char *key, const char *value)
{
        size_t i = 0;

        while (i < p->n && strcmp(p->v[i].key, key) < 0)
                i++;
        if (i < p->n && strcmp(p->v[i].key, key) == 0) {
                free(p->v[i].value);
                p->v[i].value = sw_strdup(value);
                return;
        }
        sw_array_reserve(p, 1);
        memmove(p->v + i + 1, p->v + i, (p->n - i) * sizeof(*p->v));
        p->v[i] = (struct sw_pair){ sw_strdup(key), sw_strdup(value) };
        p->n++;
}

const char *
sw_pairs_get(const sw_pairs *p, const char *key)
{
        for (size_t i = 0; i < p->n; i++)
                if (strcmp(p->v[i].key, key) == 0)
                        return p->v[i].value;
        return NULL;
}

void
sw_pairs_release(sw_pairs *p)
{
        for (size_t i = 0; i < p->n; i++) {
                free(p->v[i].key);
                free(p->v[i].value);
        }
        sw_array_release(p);
}

static int
by_key(const void *a, const void *b)
{
        return strcmp(((const struct sw_pair *) a)->key, ((const struct sw_pair *) b)->key);
}

/* Sorted once at the end: there may be many, and somebody else says how many. */
sw_err *
image_pairs_parse(const sw_json *o, const char *key, sw_pairs *out)
{
        sw_json *pairs = NULL, *value;
        sw_err *err = sw_json_obj(o, key, &pairs);
        const char *name;

        if (err || !pairs)
                return err;
        json_object_foreach(pairs, name, value)
        {
                if (!json_is_string(value))
                        return sw_err_new(SW_E_INVALID, "a value in \"%s\" is not a string",
                                          key);
                sw_array_push(out, (struct sw_pair){ sw_strdup(name),
                                                     sw_strdup(json_string_value(value)) });
        }
        if (out->n)
                qsort(out->v, out->n, sizeof(*out->v), by_key);
        return SW_OK;
}

/* ---- digests and platforms ---- */

struct image_shown
image_shown(const char *s)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;
        struct image_shown shown;

        sw_buf_add_quoted(&b, s, strlen(s), 60);
        (void) snprintf(shown.text, sizeof(shown.text), "%s", b.data);
        return shown;
}

sw_err *
image_digest_parse(const char *s, sw_digest *out)
{
        size_t n = strcspn(s, ":");

        if (s[n] && n < 32 && !sw_str_has_prefix(s, "sha256:") &&
            strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789+._-") == n)
                return sw_err_new(SW_E_UNSUPPORTED,
                                  "a digest by %.*s, which cannot be checked here: sha256 "
                                  "is needed",
                                  (int) n, s);
        return sw_digest_parse(s, SIZE_MAX, out);
}

static sw_err *
features_parse(const sw_json *o, sw_strlist *out)
{
        sw_json *list = NULL;
        sw_err *err = sw_json_arr(o, "os.features", &list);

        for (size_t i = 0; !err && i < json_array_size(list); i++) {
                const char *s = json_string_value(json_array_get(list, i));

                if (!s || i >= 64)
                        return sw_err_new(SW_E_INVALID,
                                          "\"os.features\" is no list of names");
                sw_strlist_add(out, s);
        }
        return err;
}

sw_err *
image_platform_parse(const sw_json *o, sw_platform **out)
{
        sw_auto(sw_strlist) features = { 0 };
        sw_platform p = { .os = "", .arch = "", .variant = "", .os_version = "" };
        sw_err *err = sw_json_str(o, "os", &p.os);

        if (!err)
                err = sw_json_str(o, "architecture", &p.arch);
        if (!err)
                err = sw_json_str(o, "variant", &p.variant);
        if (!err)
                err = sw_json_str(o, "os.version", &p.os_version);
        if (!err)
                err = features_parse(o, &features);
        if (err)
                return err;
        if (!*p.os && !*p.arch)
                return SW_OK;
        sw_strlist_take(&features, NULL);
        p.os_features = (const char *const *) features.v;
        *out = sw_platform_copy(&p);
        return SW_OK;
}

void
image_platform_json(const sw_platform *p, sw_json *o)
{
        sw_json *features = NULL;

        image_json_set(o, "architecture", json_string_nocheck(p->arch ? p->arch : ""));
        image_json_set(o, "os", json_string_nocheck(p->os ? p->os : ""));
        image_json_set_str(o, "os.version", p->os_version);
        for (size_t i = 0; p->os_features && p->os_features[i]; i++) {
                features = features ? features : json_array();
                (void) json_array_append_new(features,
                                             json_string_nocheck(p->os_features[i]));
        }
        if (features)
                image_json_set(o, "os.features", features);
        image_json_set_str(o, "variant", p->variant);
}
