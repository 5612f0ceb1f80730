/*
 * core/contenthash/contenthash.c - digests of what an op uses of a tree.
 */
#include <string.h>

#include <slipway/path.h>

#include "core/contenthash/contenthash.h"
#include "core/contenthash/select.h"

/* The empty tree has nothing but itself. */
static sw_err *
digest_of_nothing(const struct sw_hash_select *sel, sw_digest *out)
{
        if (strcmp(sel->path, "/") != 0 && *sel->path)
                return sw_err_new(SW_E_NOT_FOUND, "\"%s\": not found", sel->path);
        *out = sw_digest_of("", 0);
        return SW_OK;
}

sw_err *
sw__contenthash(sw_worker *w, sw_ctx *ctx, sw_ref *ref, const struct sw_hash_select *sel,
                sw_digest *out)
{
        if (!ref)
                return digest_of_nothing(sel, out);
        struct sw__hview v = {
                .ctx = ctx, .ref = ref, .tree = sw__htree_of(ref), .fd = -1
        };

        sw_err *err = sw_ctx_lock(ctx, &v.tree->lock);
        if (err)
                return err;
        sw__hrecall(&v, w);
        err = sw__hselect_digest(&v, sel, out);
        if (!err)
                sw__hkeep(&v, w);
        sw__hview_close(&v);
        (void) pthread_mutex_unlock(&v.tree->lock);
        return err;
}

static void
add_digest(sw_buf *b, const sw_digest *d)
{
        char text[SW_DIGEST_STR_SIZE];

        if (b->len > 0)
                sw_buf_addc(b, '\0');
        sw_buf_adds(b, sw_digest_str(d, text));
}

sw_err *
sw__contenthash_key(sw_worker *w, sw_ctx *ctx, sw_ref *ref,
                    const struct sw_hash_select *sel, size_t n, sw_digest *out)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;

        for (size_t i = 0; i < n; i++) {
                sw_digest d;
                sw_err *err = sw__contenthash(w, ctx, ref, &sel[i], &d);

                if (err)
                        return err;
                add_digest(&b, &d);
        }
        *out = sw_digest_of(b.data, b.len);
        return SW_OK;
}
