/*
 * lib/image/desc.c - descriptors: read, copied, written.
 */
#include "lib/image/image_priv.h"

enum { URLS_MAX = 64 };

void
sw_desc_release(sw_desc *d)
{
        free(d->media_type);
        free(d->artifact_type);
        sw_platform_free(d->platform);
        sw_pairs_release(&d->annotations);
        sw_strlist_release(&d->urls);
        *d = (sw_desc){ .media_type = NULL };
}

void
sw_descs_release(sw_descs *d)
{
        for (size_t i = 0; i < d->n; i++)
                sw_desc_release(&d->v[i]);
        sw_array_release(d);
}

void
sw_desc_copy(sw_desc *out, const sw_desc *d)
{
        *out = (sw_desc){ .media_type = sw_strdup(d->media_type),
                          .digest = d->digest,
                          .size = d->size,
                          .platform = sw_platform_copy(d->platform),
                          .artifact_type = sw_strdup(d->artifact_type) };
        for (size_t i = 0; i < d->annotations.n; i++)
                sw_array_push(&out->annotations,
                              (struct sw_pair){ sw_strdup(d->annotations.v[i].key),
                                                sw_strdup(d->annotations.v[i].value) });
        for (size_t i = 0; i < d->urls.n; i++)
                sw_strlist_add(&out->urls, d->urls.v[i]);
}

static sw_err *
parse_urls(const sw_json *o, sw_strlist *out)
{
        sw_json *urls = NULL;
        sw_err *err = sw_json_arr(o, "urls", &urls);

        if (!err && json_array_size(urls) > URLS_MAX)
                return sw_err_new(SW_E_LIMIT, "more than %d urls", URLS_MAX);
        for (size_t i = 0; !err && i < json_array_size(urls); i++) {
                const char *s = json_string_value(json_array_get(urls, i));

                if (!s)
                        return sw_err_new(SW_E_INVALID, "\"urls\" is no list of strings");
                sw_strlist_add(out, s);
        }
        return err;
}

static sw_err *
parse_pointed_at(const sw_json *o, sw_desc *d)
{
        const char *type = "", *digest = NULL;
        sw_json *size = json_object_get(o, "size");
        sw_err *err = sw_json_str(o, "mediaType", &type);

        if (!err)
                err = sw_json_str_req(o, "digest", &digest);
        if (!err)
                err = image_digest_parse(digest, &d->digest);
        if (!err)
                err = sw_json_int(o, "size", &d->size);
        if (err)
                return err;
        if (!json_is_integer(size) || d->size < 0)
                return sw_err_new(SW_E_INVALID, "its size is missing or negative");
        d->media_type = sw_strdup(type);
        return SW_OK;
}

sw_err *
sw_desc_parse(const sw_json *o, sw_desc *out)
{
        sw_auto(sw_desc) d = { .media_type = NULL };
        sw_json *platform = NULL;
        const char *artifact = NULL;
        sw_err *err = parse_pointed_at(o, &d);

        if (!err)
                err = parse_urls(o, &d.urls);
        if (!err)
                err = image_pairs_parse(o, "annotations", &d.annotations);
        if (!err)
                err = sw_json_str(o, "artifactType", &artifact);
        if (!err)
                err = sw_json_obj(o, "platform", &platform);
        if (!err && platform)
                err = image_platform_parse(platform, &d.platform);
        if (err)
                return sw_err_wrap(err, "descriptor");
        d.artifact_type = artifact && *artifact ? sw_strdup(artifact) : NULL;
        *out = d;
        d = (sw_desc){ .media_type = NULL };
        return SW_OK;
}

sw_json *
sw_desc_json(const sw_desc *d)
{
        sw_json *o = json_object();

        image_json_set(o, "mediaType",
                       json_string_nocheck(d->media_type ? d->media_type : ""));
        image_json_set(o, "digest", image_json_digest(&d->digest));
        image_json_set(o, "size", json_integer(d->size));
        if (d->urls.n) {
                sw_json *urls = json_array();

                for (size_t i = 0; i < d->urls.n; i++)
                        (void) json_array_append_new(urls,
                                                     json_string_nocheck(d->urls.v[i]));
                image_json_set(o, "urls", urls);
        }
        if (d->annotations.n)
                image_json_set(o, "annotations", image_json_pairs(&d->annotations));
        if (d->platform) {
                sw_json *platform = json_object();

                image_platform_json(d->platform, platform);
                image_json_set(o, "platform", platform);
        }
        image_json_set_str(o, "artifactType", d->artifact_type);
        return o;
}
