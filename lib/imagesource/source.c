/*
 * lib/imagesource/source.c - one image: what its name stands for, which of its manifests
 * is the platform's, its keys, its layers.
 *
 * What was found out is kept in the instance, so that each question is asked once:
 *
 *      (nothing) -> root (descriptor of what the name stands for)
 *                -> manifest (of the platform) -> config -> layers
 *
 * Thread: an instance by one at a time.
 */
#include <string.h>

#include <slipway/text.h>
#include <slipway/time.h>

#include "lib/imagesource/documents_priv.h"

enum { MAX_NESTING = 3 }; /* of indexes in indexes */

struct sw_image_source {
        const struct sw_image_place *place;
        char *locator, *shown, *stored_as, *tag, *source_key, *source_value;
        bool pinned; /* digest is set */
        sw_digest digest;
        enum sw_image_order order;
        sw_platform *platform;
        char *kept_for; /* platform of an image kept here that is of no use; or NULL */
        sw_worker *worker;
        const char *record_type; /* static; NULL: regular */
        int64_t layer_limit;     /* 0: none */
        bool has_checksum;
        sw_digest checksum;

        bool have_root, have_manifest, have_config;
        sw_desc root;
        sw_buf root_text;
        sw_manifest manifest;
        sw_buf config_text;
        sw_image_config config;
};

/* ---- open ---- */

static sw_err *
parse_record_type(const char *value, const char **out)
{
        static const char *const types[] = { "internal", "frontend" };

        *out = NULL;
        if (!*value || strcmp(value, "regular") == 0)
                return SW_OK;
        for (size_t i = 0; i < SW_COUNT(types); i++)
                if (strcmp(value, types[i]) == 0)
                        *out = types[i];
        return *out ? SW_OK : sw_err_new(SW_E_INVALID, "invalid record type %.64s", value);
}

static sw_err *
parse_mode(sw_image_source *s, const char *value)
{
        bool local = strcmp(value, "local") == 0;

        if (strcmp(value, "pull") == 0)
                s->order = SW_IMAGE_PLACE_ONLY;
        else if (local && s->order == SW_IMAGE_PLACE_FIRST) /* both are looked at */
                s->order = SW_IMAGE_STORE_FIRST;
        else if (!local && *value && strcmp(value, "default") != 0)
                return sw_err_new(SW_E_INVALID,
                                  "image.resolvemode is default, pull or local, not %.64s",
                                  value);
        return SW_OK;
}

static sw_err *
set_attr(sw_image_source *s, const char *key, const char *value)
{
        if (strcmp(key, "image.recordtype") == 0)
                return parse_record_type(value, &s->record_type);
        if (strcmp(key, "image.resolvemode") == 0)
                return parse_mode(s, value);
        if (strcmp(key, "image.layerlimit") == 0 || strcmp(key, "oci.layerlimit") == 0)
                return sw_err_wrap(sw_parse_int(value, 1, SW_IMAGE_LAYERS_MAX,
                                                &s->layer_limit),
                                   "%s", key);
        if (strcmp(key, "image.checksum") != 0)
                return SW_OK; /* it is for others */
        s->has_checksum = true;
        return sw_err_wrap(sw_digest_parse(value, SIZE_MAX, &s->checksum), "%s", key);
}

static sw_err *
fill(sw_image_source *s, const struct sw_image_source_opts *o)
{
        sw_autoptr(sw_platform) p = NULL;
        const char *platform = o->req->platform;
        sw_err *err = SW_OK;

        if (platform && *platform)
                err = sw_platform_parse(platform, &p);
        if (!err)
                s->platform = sw_platform_normalize(p ? p : sw_platform_host());
        for (size_t i = 0; i < o->req->n_attrs && !err; i++)
                err = set_attr(s, o->req->attrs[i].key, o->req->attrs[i].value);
        return err;
}

sw_err *
sw_image_source_open(const struct sw_image_source_opts *o, sw_image_source **out)
{
        sw_image_source *s = sw_new(sw_image_source);

        s->place = o->place;
        s->locator = sw_strdup(o->locator);
        s->shown = sw_strdup(o->shown);
        s->stored_as = sw_strdup(o->stored_as);
        s->tag = sw_strdup(o->tag);
        s->source_key = sw_strdup(o->source_key);
        s->source_value = sw_strdup(o->source_value);
        s->order = o->order;
        s->worker = o->req->worker;
        sw_buf_init(&s->root_text);
        sw_buf_init(&s->config_text);
        if (o->digest) {
                s->pinned = true;
                s->digest = *o->digest;
        }
        sw_err *err = fill(s, o);
        if (err) {
                sw_image_source_close(s);
                return sw_err_wrap(err, "%s", o->shown);
        }
        *out = s;
        return SW_OK;
}

void
sw_image_source_close(sw_image_source *s)
{
        if (!s)
                return;
        free(s->locator);
        free(s->shown);
        free(s->stored_as);
        free(s->tag);
        free(s->source_key);
        free(s->source_value);
        sw_platform_free(s->platform);
        free(s->kept_for);
        sw_desc_release(&s->root);
        sw_buf_release(&s->root_text);
        sw_manifest_release(&s->manifest);
        sw_buf_release(&s->config_text);
        sw_image_config_release(&s->config);
        free(s);
}

/* ---- what the name stands for ---- */

/* Of a digest, when the document is here: its media type is what it says itself. */
static bool
root_by_digest(sw_image_source *s, const struct asking *a, const sw_digest *d)
{
        sw_auto(sw_manifest) m = { 0 };

        sw_buf_clear(&s->root_text);
        if (!sw__document_known(a, d, SW_MANIFEST_MAX, &s->root_text))
                return false;
        sw_err *err = sw_manifest_parse(NULL, s->root_text.data, s->root_text.len, &m);
        if (err) {
                sw_err_drop(err, "the registry is asked");
                return false;
        }
        s->root = (sw_desc){
                .media_type = sw_strdup(m.media_type),
                .digest = *d,
                .size = (int64_t) s->root_text.len,
        };
        return true;
}

static void
not_for(sw_image_source *s, char *what)
{
        free(s->kept_for);
        s->kept_for = what;
}

/* Whether what is kept is for the platform that is wanted; so is what cannot be told. */
static bool
is_for_platform(sw_image_source *s, const struct asking *a)
{
        sw_auto(sw_manifest) m = { 0 };
        sw_auto(sw_buf) text = SW_BUF_INIT;
        sw_auto(sw_image_config) config = { .platform = NULL };
        size_t i;
        sw_err *err = sw_manifest_parse(NULL, s->root_text.data, s->root_text.len, &m);

        if (!err && m.kind == SW_MEDIA_INDEX) {
                err = sw_index_choose(&m, s->platform, &i);
                if (err)
                        not_for(s, sw_strdup("other platforms"));
        } else if (!err &&
                   sw__document_known(a, &m.config.digest, SW_IMAGE_CONFIG_MAX, &text)) {
                err = sw_image_config_parse(text.data, text.len, &config);
                if (!err && config.platform &&
                    !sw_image_suits(config.platform, s->platform))
                        not_for(s, sw_platform_str(config.platform));
        }
        sw_err_drop(err, "it is told by who reads it next, if it is read");
        return !s->kept_for;
}

/* Of a tag, among the images that are kept here. */
static sw_err *
root_in_store(sw_image_source *s, const struct asking *a)
{
        struct sw_image_list l = { 0 };
        sw_err *err =
                s->stored_as ? sw_images_get(s->worker, a->ctx, s->stored_as, &l) : SW_OK;
        bool found = false;

        not_for(s, NULL);
        if (!err && l.n > 0)
                found = root_by_digest(s, a, &l.v[0].digest) && is_for_platform(s, a);
        sw_image_list_release(&l);
        if (!err && s->kept_for) {
                sw_desc_release(&s->root);
                sw_buf_clear(&s->root_text);
                err = sw_err_new(SW_E_NOT_FOUND,
                                 "the image of that name that is kept here "
                                 "is for %s",
                                 s->kept_for);
        }
        if (!err && !found)
                err = sw_err_new(SW_E_NOT_FOUND, "no image of that name is kept here");
        return err;
}

static sw_err *
root_at_place(sw_image_source *s, const struct asking *a)
{
        sw_auto(sw_buf) body = SW_BUF_INIT;
        sw_err *err =
                s->place->resolve(s->place->self, a->ctx, a->session, s->locator, s->tag,
                                  s->pinned ? &s->digest : NULL, &s->root, &body);

        if (err)
                return err;
        sw_digest is = sw_digest_of(body.data, body.len);
        if (body.len && sw_digest_eq(&is, &s->root.digest)) {
                sw__document_keep(a, &s->root.digest, &body);
                sw_buf_clear(&s->root_text);
                sw_buf_add(&s->root_text, body.data, body.len);
        }
        return SW_OK;
}

static sw_err *
root_in_order(sw_image_source *s, const struct asking *a)
{
        sw_err *err, *other;

        if (s->order == SW_IMAGE_STORE_ONLY)
                return root_in_store(s, a);
        if (s->order == SW_IMAGE_PLACE_ONLY)
                return root_at_place(s, a);
        if (s->order == SW_IMAGE_STORE_FIRST) {
                err = root_in_store(s, a);
                if (sw_err_code(err) != SW_E_NOT_FOUND)
                        return err;
                sw_err_drop(err, "it is looked for at its place");
                err = root_at_place(s, a);
                return s->kept_for ? sw_err_wrap(err, "the one that is kept here is for %s",
                                                 s->kept_for)
                                   : err;
        }
        err = root_at_place(s, a);
        if (!err || sw_err_code(err) == SW_E_CANCELLED)
                return err;
        other = root_in_store(s, a);
        if (other) {
                sw_err_drop(other, "the first reason is told");
                return err;
        }
        sw_ctx_logf(a->ctx, SW_LOG_WARN,
                    "%s: %s; the image of that name that is kept here "
                    "is used",
                    s->shown, sw_err_message(err));
        sw_err_drop(err, "told");
        return SW_OK;
}

/* Tell how long something takes. */
static void
step_told(sw_ctx *ctx, const char *id, int64_t started, bool over)
{
        const struct sw_progress p = {
                .id = id,
                .started = started,
                .completed = over ? sw_time_now() : 0,
        };

        sw_progress_status(ctx, &p);
}

static sw_err *
need_root(sw_image_source *s, const struct asking *a)
{
        sw_auto(sw_str) id = sw_asprintf("resolve %s", s->shown);
        const int64_t started = sw_time_now();
        char want[SW_DIGEST_STR_SIZE], is[SW_DIGEST_STR_SIZE];

        if (s->have_root)
                return SW_OK;
        sw_desc_release(&s->root);
        if (!s->pinned || !root_by_digest(s, a, &s->digest)) {
                step_told(a->ctx, id, started, false);
                sw_err *err = root_in_order(s, a);
                step_told(a->ctx, id, started, true);
                if (err)
                        return err;
        }
        if (s->has_checksum && !sw_digest_eq(&s->checksum, &s->root.digest))
                return sw_err_new(SW_E_INVALID,
                                  "image digest %s does not match checksum %s",
                                  sw_digest_str(&s->root.digest, is),
                                  sw_digest_str(&s->checksum, want));
        s->have_root = true;
        return SW_OK;
}

/* ---- manifest and configuration ---- */

/* The manifest in @m if it is one; else choose, and read what was chosen. */
static sw_err *
descend(sw_image_source *s, const struct asking *a, sw_manifest *m)
{
        for (unsigned depth = 0; m->kind == SW_MEDIA_INDEX; depth++) {
                sw_auto(sw_buf) text = SW_BUF_INIT;
                sw_manifest next = { 0 };
                size_t i;

                if (depth == MAX_NESTING)
                        return sw_err_new(SW_E_LIMIT, "indexes in indexes, %d deep",
                                          MAX_NESTING);
                sw_err *err = sw_index_choose(m, s->platform, &i);
                if (!err)
                        err = sw__document(a, &m->entries.v[i], SW_MANIFEST_MAX, &text);
                if (!err)
                        err = sw_manifest_parse(m->entries.v[i].media_type, text.data,
                                                text.len, &next);
                if (err)
                        return err;
                sw_manifest_release(m);
                *m = next;
        }
        return SW_OK;
}

static sw_err *
need_manifest(sw_image_source *s, const struct asking *a)
{
        sw_err *err = need_root(s, a);

        if (err || s->have_manifest)
                return err;
        if (s->root_text.len == 0)
                err = sw__document(a, &s->root, SW_MANIFEST_MAX, &s->root_text);
        sw_manifest_release(&s->manifest);
        if (!err)
                err = sw_manifest_parse(s->root.media_type, s->root_text.data,
                                        s->root_text.len, &s->manifest);
        if (!err)
                err = descend(s, a, &s->manifest);
        s->have_manifest = !err;
        return err;
}

static sw_err *
need_config(sw_image_source *s, const struct asking *a)
{
        sw_err *err = need_manifest(s, a);

        if (err || s->have_config)
                return err;
        sw_buf_clear(&s->config_text);
        sw_image_config_release(&s->config);
        err = sw__document(a, &s->manifest.config, SW_IMAGE_CONFIG_MAX, &s->config_text);
        if (!err)
                err = sw_image_config_parse(s->config_text.data, s->config_text.len,
                                            &s->config);
        if (!err && s->config.diff_ids.n != s->manifest.layers.n)
                err = sw_err_new(SW_E_INVALID,
                                 "its manifest has %zu layers, its configuration %zu",
                                 s->manifest.layers.n, s->config.diff_ids.n);
        if (!err && s->layer_limit > (int64_t) s->manifest.layers.n)
                err = sw_err_new(SW_E_INVALID,
                                 "layer limit %lld is more than its %zu layers",
                                 (long long) s->layer_limit, s->manifest.layers.n);
        s->have_config = !err;
        return err;
}

static size_t
layers_wanted(const sw_image_source *s)
{
        return s->layer_limit ? (size_t) s->layer_limit : s->manifest.layers.n;
}

/* ---- keys ---- */

static void
add_member(sw_buf *b, const char *name, const char *value)
{
        sw_buf_addf(b, ",\"%s\":", name);
        sw_json_add_str(b, value, strlen(value));
}

/* What the name stands for, and what of it is used: as the reference writes it. */
static void
manifest_key(const sw_image_source *s, char out[SW_DIGEST_STR_SIZE])
{
        char digest[SW_DIGEST_STR_SIZE];
        const sw_platform *p = s->platform;
        sw_auto(sw_buf) b = SW_BUF_INIT;

        sw_buf_addf(&b, "{\"Digest\":\"%s\"", sw_digest_str(&s->root.digest, digest));
        add_member(&b, "OS", p->os ? p->os : "");
        add_member(&b, "Arch", p->arch ? p->arch : "");
        if (p->variant && *p->variant)
                add_member(&b, "Variant", p->variant);
        if (p->os_version && *p->os_version)
                add_member(&b, "OSVersion", p->os_version);
        if (s->layer_limit)
                sw_buf_addf(&b, ",\"Limit\":%lld", (long long) s->layer_limit);
        sw_buf_addc(&b, '}');
        sw_digest d = sw_digest_of(b.data, b.len);
        (void) sw_digest_str(&d, out);
}

sw_err *
sw_image_source_key(sw_image_source *s, sw_ctx *ctx, sw_session *session, unsigned index,
                    struct sw_source_key *out)
{
        const struct asking a = { s->place, s->locator, s->worker, ctx, session };
        char digest[SW_DIGEST_STR_SIZE];
        sw_err *err = index == 0 ? need_root(s, &a) : need_config(s, &a);

        if (err)
                return sw_err_wrap(err, "%s", s->shown);
        if (index == 0) {
                manifest_key(s, digest);
                out->key = sw_strdup(digest);
                out->more = true;
        } else {
                const size_t n = layers_wanted(s);
                const sw_digest key =
                        n ? sw_chain_id(s->config.diff_ids.v, n)
                          : sw_digest_of(s->config_text.data, s->config_text.len);

                out->key = sw_strdup(sw_digest_str(&key, digest));
        }
        out->pin = sw_strdup(sw_digest_str(&s->root.digest, digest));
        return SW_OK;
}

/* ---- layers ---- */

static sw_err *
check_layer(const sw_desc *d)
{
        char digest[SW_DIGEST_STR_SIZE];

        if (sw_media_packing(d->media_type) != SW_PACK_UNKNOWN)
                return SW_OK;
        return sw_err_new(SW_E_UNSUPPORTED, "layer %s is of media type %.128s",
                          sw_digest_str(&d->digest, digest), d->media_type);
}

/* What a store notes of its own layers: nothing that a manifest may claim. */
static bool
is_a_stores(const char *key)
{
        return sw_str_has_prefix(key, "dev.slipway.") ||
               sw_str_has_prefix(key, "containerd.io/distribution.source.");
}

/* The annotations of the @i-th layer, with where it came from, sorted. From malloc; texts
 * are the manifest's and the source's. */
static struct sw_attr *
annotations(const sw_image_source *s, const sw_desc *d, size_t *n)
{
        struct sw_attr *v = sw_alloc_array(d->annotations.n + 1, sizeof(*v));
        size_t k = 0;

        for (size_t i = 0; i < d->annotations.n; i++)
                if (!is_a_stores(d->annotations.v[i].key))
                        v[k++] = (struct sw_attr){ d->annotations.v[i].key,
                                                   d->annotations.v[i].value };
        if (s->source_key)
                v[k++] = (struct sw_attr){ s->source_key, s->source_value };
        for (size_t i = 1; i < k; i++) /* few, and sorted already but for the last */
                for (size_t j = i; j > 0 && strcmp(v[j - 1].key, v[j].key) > 0; j--) {
                        struct sw_attr t = v[j];

                        v[j] = v[j - 1];
                        v[j - 1] = t;
                }
        *n = k;
        return v;
}

/* One more layer on *top, which it replaces. */
static sw_err *
add_layer(sw_image_source *s, sw_ctx *ctx, size_t i, const char *description, sw_ref **top)
{
        const sw_desc *d = &s->manifest.layers.v[i];
        const struct sw_blob_origin origin = { s->place->plugin, s->locator };
        struct sw_blob blob = {
                .size = sizeof(blob),
                .digest = d->digest,
                .len = d->size,
                .diff_id = s->config.diff_ids.v[i],
                .media_type = d->media_type,
        };
        sw_ref *next = NULL;
        struct sw_attr *notes = annotations(s, d, &blob.n_annotations);
        sw_err *err = check_layer(d);

        blob.annotations = notes;
        if (!err)
                err = sw_worker_blob_layer(s->worker, ctx, *top, &blob, &origin,
                                           SW_REF_DESC(.description = description,
                                                       .type = s->record_type),
                                           &next);
        free(notes);
        if (err)
                return err;
        sw_ref_unref(*top);
        *top = next;
        return SW_OK;
}

sw_err *
sw_image_source_snapshot(sw_image_source *s, sw_ctx *ctx, sw_session *session, sw_ref **out)
{
        const struct asking a = { s->place, s->locator, s->worker, ctx, session };
        sw_auto(sw_str) description = sw_asprintf("pulled from %s", s->shown);
        sw_autoptr(sw_ref) top = NULL;
        sw_err *err = need_config(s, &a);

        for (size_t i = 0; !err && i < layers_wanted(s); i++)
                err = add_layer(s, ctx, i, description, &top);
        if (err)
                return sw_err_wrap(err, "%s", s->shown);
        *out = sw_steal(top);
        return SW_OK;
}

sw_err *
sw_image_source_resolve(sw_image_source *s, sw_ctx *ctx, sw_session *session, bool config,
                        struct sw_source_meta *out)
{
        const struct asking a = { s->place, s->locator, s->worker, ctx, session };
        char digest[SW_DIGEST_STR_SIZE];
        sw_err *err = config ? need_config(s, &a) : need_root(s, &a);

        if (err)
                return sw_err_wrap(err, "%s", s->shown);
        out->digest = sw_strdup(sw_digest_str(&s->root.digest, digest));
        if (config)
                out->config = sw_strndup(s->config_text.data, s->config_text.len);
        return SW_OK;
}
