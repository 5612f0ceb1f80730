/* lib/imageexport/attrs.c - attributes that exporters of images have in common. */
#include <string.h>

#include <slipway/text.h>

#include "lib/imageexport/imageexport_priv.h"

void
sw_imageexport_init(struct sw_imageexport *e)
{
        *e = (struct sw_imageexport){ .pack = SW_PACK_AS_GZIP, .level = -1 };
}

void
sw_imageexport_release(struct sw_imageexport *e)
{
        sw_strlist_release(&e->names);
}

sw_err *
sw_imageexport_bool(const struct sw_attr *a, bool *out)
{
        *out = true;
        if (!*a->value)
                return SW_OK;
        return sw_err_wrap(sw_parse_bool(a->value, out), "non-bool value specified for %s",
                           a->key);
}

static sw_err *
take_level(struct sw_imageexport *e, const struct sw_attr *a)
{
        int64_t level = -1;
        sw_err *err = sw_parse_int(a->value, 0, 22, &level);

        e->level = (int) level;
        e->level_set = true;
        return sw_err_wrap(err, "non-int value specified for %s", a->key);
}

static sw_err *
take_epoch(struct sw_imageexport *e, const struct sw_attr *a)
{
        int64_t seconds;

        e->no_epoch = !*a->value;
        if (e->no_epoch)
                return SW_OK;
        return sw_err_wrap(sw_parse_int(a->value, 0, INT64_MAX / 1000000000, &seconds),
                           "invalid source-date-epoch: %s", a->value);
}

/* "*" stands for what the frontend will say. */
static sw_err *
take_names(struct sw_imageexport *e, const struct sw_attr *a)
{
        sw_err *err = SW_OK;

        e->frontend_names = strcmp(a->value, "*") == 0;
        if (!e->frontend_names)
                sw_strlist_split(&e->names, a->value, ',');
        for (size_t i = 0; i < e->names.n && !err; i++) {
                sw_auto(sw_image_name) n = { .host = NULL };

                err = sw_err_wrap(sw_image_name_parse(e->names.v[i], &n), "name");
        }
        return err;
}

/* Those that are a bool and nothing else; false: it is none of them. */
static bool
take_flag(struct sw_imageexport *e, const struct sw_attr *a, sw_err **err)
{
        if (strcmp(a->key, "force-compression") == 0)
                *err = sw_imageexport_bool(a, &e->force);
        else if (strcmp(a->key, "oci-artifact") == 0)
                *err = sw_imageexport_bool(a, &e->oci_artifact);
        else if (strcmp(a->key, "prefer-nondist-layers") == 0)
                *err = sw_imageexport_bool(a, &e->nondist);
        else if (strcmp(a->key, "rewrite-timestamp") == 0)
                *err = sw_imageexport_bool(a, &e->rewrite);
        else
                return false;
        return true;
}

static sw_err *
take_attestation(sw_ctx *ctx, const struct sw_attr *a)
{
        bool on;
        sw_err *err;

        if (sw_str_has_prefix(a->key, "attest:"))
                return sw_err_new(SW_E_UNSUPPORTED,
                                  "%s: attestations are not made by this version", a->key);
        err = sw_imageexport_bool(a, &on);
        if (!err && on)
                sw_progress_warn(ctx, "%s: attestations are not made by this version",
                                 a->key);
        return err;
}

sw_err *
sw_imageexport_attr(sw_ctx *ctx, struct sw_imageexport *e, const struct sw_attr *a,
                    bool *known)
{
        struct note note = { .platform = NULL };
        sw_err *err;

        *known = true;
        if (take_flag(e, a, &err))
                return err;
        if (strcmp(a->key, "name") == 0)
                return take_names(e, a);
        if (strcmp(a->key, "compression") == 0)
                return sw_pack_type_parse(a->value, &e->pack);
        if (strcmp(a->key, "compression-level") == 0)
                return take_level(e, a);
        if (strcmp(a->key, "oci-mediatypes") == 0) {
                err = sw_imageexport_bool(a, &e->docker_types);
                e->docker_types = !e->docker_types;
                return err;
        }
        if (strcmp(a->key, "source-date-epoch") == 0)
                return take_epoch(e, a);
        if (strcmp(a->key, "attestation-inline") == 0 ||
            sw_str_has_prefix(a->key, "attest:"))
                return take_attestation(ctx, a);
        err = note_parse(a, known, &note);
        free(note.platform);
        if (!err && !*known)
                *known = sw_str_has_prefix(a->key, "containerimage.") ||
                         strcmp(a->key, "image.name") == 0;
        return err;
}

void
sw_imageexport_unknown(sw_ctx *ctx, const struct sw_attr *a)
{
        /* those with a dot are for the result's metadata */
        if (!strchr(a->key, '.'))
                sw_progress_warn(ctx, "attribute %s=%s is unknown to this exporter", a->key,
                                 a->value);
}

sw_err *
sw_imageexport_check(const struct sw_imageexport *e)
{
        const char *name = sw_pack_type_name(e->pack);

        if (e->docker_types &&
            (e->pack == SW_PACK_AS_ZSTD || e->pack == SW_PACK_AS_ESTARGZ))
                return sw_err_new(SW_E_INVALID,
                                  "compression=%s cannot be had with oci-mediatypes=false: "
                                  "Docker's types have no word for it",
                                  name);
        if (e->docker_types && e->oci_artifact)
                return sw_err_new(SW_E_INVALID, "oci-artifact=true cannot be had with "
                                                "oci-mediatypes=false");
        if (e->level_set && e->level > 9 && e->pack != SW_PACK_AS_ZSTD)
                return sw_err_new(SW_E_INVALID,
                                  "compression-level=%d: %s has levels 0 to 9", e->level,
                                  name);
        return SW_OK;
}

/* ---- of results ---- */

static const char *
get_for(const struct sw_attr *a, size_t n, const char *key, const char *platform)
{
        sw_auto(sw_str) with = sw_asprintf("%s/%s", key, platform);
        const char *v = *platform ? sw_attr_get(a, n, with) : NULL;

        return v ? v : sw_attr_get(a, n, key);
}

const char *
sw_imageexport_meta(const struct sw_export_request *req, size_t i, const char *key)
{
        const struct sw_export_ref *r = &req->refs[i];
        const char *v = get_for(req->attrs, req->n_attrs, key, r->platform);

        return v ? v : get_for(r->meta, r->n_meta, key, r->platform);
}

void
sw_imageexport_names(const struct sw_imageexport *e, const struct sw_export_request *req,
                     sw_strlist *out)
{
        const char *said = NULL;

        for (size_t i = 0; i < e->names.n; i++)
                sw_strlist_add(out, e->names.v[i]);
        for (size_t i = 0; i < req->n_refs && e->frontend_names && !said; i++)
                said = sw_imageexport_meta(req, i, "image.name");
        if (said)
                sw_strlist_split(out, said, ',');
}
