/*
 * lib/imagesource/blobfile.c - a blob as the one file of a tree.
 */
#include <string.h>

#include <slipway/path.h>
#include <slipway/text.h>
#include <slipway/time.h>

#include "lib/imagesource/documents_priv.h"

struct sw_blob_source {
        const struct sw_image_place *place;
        char *locator, *shown;
        sw_worker *worker;
        sw_digest digest;
        char *name;
        int64_t mode, uid, gid;
        const char *record_type; /* static; NULL: regular */
};

static sw_err *
set_attr(sw_blob_source *s, const char *key, const char *value)
{
        if (strcmp(key, "http.filename") == 0 && *value) {
                free(s->name);
                s->name = sw_path_safe_name(value);
                return SW_OK;
        }
        if (strcmp(key, "http.perm") == 0) {
                char *end;
                const long mode = strtol(value, &end, 0);

                if (!*value || *end || mode < 0 || mode > 07777)
                        return sw_err_new(SW_E_INVALID, "http.perm: %.32s is no mode",
                                          value);
                s->mode = mode;
                return SW_OK;
        }
        if (strcmp(key, "http.uid") == 0)
                return sw_err_wrap(sw_parse_int(value, 0, UINT32_MAX - 1, &s->uid), "%s",
                                   key);
        if (strcmp(key, "http.gid") == 0)
                return sw_err_wrap(sw_parse_int(value, 0, UINT32_MAX - 1, &s->gid), "%s",
                                   key);
        if (strcmp(key, "image.recordtype") == 0 && strcmp(value, "internal") == 0)
                s->record_type = "internal";
        return SW_OK;
}

sw_err *
sw_blob_source_open(const struct sw_image_source_opts *o, sw_blob_source **out)
{
        char hex[SW_DIGEST_HEX_LEN + 1];
        sw_err *err = SW_OK;

        if (!o->digest)
                return sw_err_new(SW_E_INVALID,
                                  "%s: a blob is named by its digest "
                                  "(NAME@sha256:…)",
                                  o->shown);
        sw_blob_source *s = sw_new(sw_blob_source);
        s->place = o->place;
        s->locator = sw_strdup(o->locator);
        s->shown = sw_strdup(o->shown);
        s->worker = o->req->worker;
        s->digest = *o->digest;
        s->name = sw_strdup(sw_digest_hex(o->digest, hex));
        s->mode = 0600;
        for (size_t i = 0; i < o->req->n_attrs && !err; i++)
                err = set_attr(s, o->req->attrs[i].key, o->req->attrs[i].value);
        if (err) {
                sw_blob_source_close(s);
                return sw_err_wrap(err, "%s", o->shown);
        }
        *out = s;
        return SW_OK;
}

void
sw_blob_source_close(sw_blob_source *s)
{
        if (!s)
                return;
        free(s->locator);
        free(s->shown);
        free(s->name);
        free(s);
}

sw_err *
sw_blob_source_key(sw_blob_source *s, struct sw_source_key *out)
{
        char digest[SW_DIGEST_STR_SIZE];
        sw_auto(sw_buf) b = SW_BUF_INIT;

        sw_buf_addf(&b,
                    "{\"Digest\":\"%s\",\"Filename\":", sw_digest_str(&s->digest, digest));
        sw_json_add_str(&b, s->name, strlen(s->name));
        sw_buf_addf(&b, ",\"Perm\":%lld,\"UID\":%lld,\"GID\":%lld}", (long long) s->mode,
                    (long long) s->uid, (long long) s->gid);
        sw_digest d = sw_digest_of(b.data, b.len);
        out->key = sw_strdup(sw_digest_str(&d, digest));
        out->pin = sw_strdup(sw_digest_str(&s->digest, digest));
        return SW_OK;
}

static sw_err *
write_file(const sw_blob_source *s, sw_layer *l, sw_ctx *ctx, int fd, int64_t size)
{
        const struct sw_layer_ops *ops;
        const struct sw_layer_meta dir = { .mode = 0755 };
        const struct sw_layer_meta file = {
                .mode = (mode_t) s->mode,
                .uid = (uid_t) s->uid,
                .gid = (gid_t) s->gid,
        };
        void *w;
        sw_err *err = sw_layer_write(l, ctx, &ops, &w);

        if (err)
                return err;
        err = ops->mkdir(w, "", &dir);
        if (!err)
                err = ops->file(w, s->name, &file, fd, 0, size);
        if (!err)
                return ops->finish(w);
        ops->abandon(w);
        return err;
}

sw_err *
sw_blob_source_snapshot(sw_blob_source *s, sw_ctx *ctx, sw_session *session, sw_ref **out)
{
        const struct asking a = { s->place, s->locator, s->worker, ctx, session };
        sw_autoptr(sw_layer) layer = NULL;
        sw_auto(sw_fd) fd = -1;
        struct sw_blob_info info;
        sw_auto(sw_desc) d = { .digest = s->digest, .size = -1 };
        sw_err *err = sw__blob_here(&a, &d);

        if (!err)
                err = sw_content_open(sw_worker_content(s->worker), &s->digest, &fd, &info);
        if (!err)
                err = sw_worker_layer(s->worker, ctx, NULL,
                                      SW_REF_DESC(.description = s->shown,
                                                  .type = s->record_type),
                                      &layer);
        if (!err)
                err = write_file(s, layer, ctx, fd, info.size);
        if (!err)
                err = sw_layer_commit(sw_steal(layer), ctx, out);
        return sw_err_wrap(err, "%s", s->shown);
}
