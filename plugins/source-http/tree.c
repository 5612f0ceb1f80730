/*
 * plugins/source-http/tree.c - the tree with the one file.
 */
#include <string.h>

#include <slipway/time.h>

#include "plugins/source-http/http.h"

/* All that is in the tree. */
static char *
tree_name(const struct spec *s, const struct content *c)
{
        sw_auto(sw_str) name = spec_name(s, c);
        sw_auto(sw_buf) b = SW_BUF_INIT;
        char digest[SW_DIGEST_STR_SIZE], hex[SW_DIGEST_HEX_LEN + 1];

        sw_buf_addf(&b, "%s %llo %lld %lld %lld ", sw_digest_str(&c->digest, digest),
                    (unsigned long long) s->perm, (long long) s->uid, (long long) s->gid,
                    (long long) c->time);
        sw_buf_adds(&b, name);
        const sw_digest d = sw_digest_of(b.data, b.len);
        return sw_asprintf("http:%s", sw_digest_hex(&d, hex));
}

sw_err *
tree_find(sw_worker *w, sw_ctx *ctx, const struct spec *s, const struct content *c,
          sw_ref **out)
{
        sw_auto(sw_str) name = tree_name(s, c);

        return sw_worker_find(w, ctx, name, out);
}

static sw_err *
write_file(const struct spec *s, const struct content *c, sw_layer *l, sw_ctx *ctx, int fd,
           int64_t size)
{
        sw_auto(sw_str) name = spec_name(s, c);
        const struct sw_layer_ops *ops;
        const struct sw_layer_meta dir = { .mode = 0755 };
        const struct sw_layer_meta file = {
                .mode = s->perm ? (mode_t) s->perm : 0600,
                .uid = (uid_t) s->uid,
                .gid = (gid_t) s->gid,
                .mtime = sw_time_from_spec(&(const struct timespec){ .tv_sec = c->time }),
        };
        void *w;
        sw_err *err = sw_layer_write(l, ctx, &ops, &w);

        if (err)
                return err;
        err = ops->mkdir(w, "", &dir);
        if (!err)
                err = ops->file(w, name, &file, fd, 0, size);
        if (!err)
                return ops->finish(w);
        ops->abandon(w);
        return err;
}

sw_err *
http_tree_make(sw_worker *w, sw_ctx *ctx, const struct spec *s, const struct content *c,
               sw_ref **out)
{
        sw_auto(sw_str) description = sw_asprintf("http url %s", s->shown);
        sw_auto(sw_str) name = tree_name(s, c);
        sw_autoptr(sw_layer) layer = NULL;
        sw_autoptr(sw_ref) ref = NULL;
        sw_auto(sw_fd) fd = -1;
        struct sw_blob_info info;
        sw_err *err = sw_content_open(sw_worker_content(w), &c->digest, &fd, &info);

        if (!err)
                err = sw_worker_layer(w, ctx, NULL, SW_REF_DESC(.description = description),
                                      &layer);
        if (!err)
                err = write_file(s, c, layer, ctx, fd, info.size);
        if (!err)
                err = sw_layer_commit(sw_steal(layer), ctx, &ref);
        if (!err)
                err = sw_ref_add_name(w, ctx, ref, name);
        if (!err)
                *out = sw_steal(ref);
        return err;
}
