/*
 * tests/unit/core/store/blobtool.h - what tests of blobs share: bytes in the content store,
 * and what is said of them.
 */
#ifndef SLIPWAY_TESTS_BLOBTOOL_H
#define SLIPWAY_TESTS_BLOBTOOL_H

#include <slipway/blob.h>

#include "tests/unit/core/store/storetool.h"

/* Bytes as a blob of the content store. */
static inline sw_digest
put_blob(sw_worker *to, const char *text)
{
        sw_content *c = sw_worker_content(to);
        const sw_digest d = sw_digest_of(text, strlen(text));
        char name[SW_DIGEST_STR_SIZE];
        sw_ingest *in;
        sw_err *err = sw_content_ingest(c, NULL, sw_digest_str(&d, name), &d, -1, &in);

        if (sw_err_code(err) == SW_E_EXISTS) {
                sw_err_drop(err, "as good");
                return d;
        }
        ok(err);
        ok(sw_ingest_write(in, text, strlen(text)));
        ok(sw_ingest_commit(in, &d, NULL));
        return d;
}

/* What is said of the blob @text: its diff id is the digest of @tar. */
static inline struct sw_blob
blob_of(const char *text, const char *tar)
{
        return (struct sw_blob){
                .size = sizeof(struct sw_blob),
                .digest = sw_digest_of(text, strlen(text)),
                .len = (int64_t) strlen(text),
                .diff_id = sw_digest_of(tar, strlen(tar)),
                .media_type = "application/vnd.oci.image.layer.v1.tar",
        };
}

static inline bool
has_blob(const sw_digest *d)
{
        struct sw_blob_info info;
        sw_err *err = sw_content_info(sw_worker_content(w), d, &info);

        if (err)
                ck_assert_int_eq(sw_err_code(err), SW_E_NOT_FOUND);
        sw_err_free(err);
        return !err;
}

/* The name of a tree by the diff ids of its layers. */
static inline const char *
chain_name(char out[96], size_t n, const char *const *tars)
{
        char text[2 * SW_DIGEST_STR_SIZE], a[SW_DIGEST_STR_SIZE], b[SW_DIGEST_STR_SIZE];
        sw_digest chain = sw_digest_of(tars[0], strlen(tars[0]));

        for (size_t i = 1; i < n; i++) {
                const sw_digest d = sw_digest_of(tars[i], strlen(tars[i]));

                snprintf(text, sizeof(text), "%s %s", sw_digest_str(&chain, a),
                         sw_digest_str(&d, b));
                chain = sw_digest_of(text, strlen(text));
        }
        snprintf(out, 96, "chainid:%s", sw_digest_str(&chain, a));
        return out;
}

static inline void
prune_everything(void)
{
        const struct sw_prune_opts all = { .all = true };

        ok(sw__worker_prune(w, NULL, &all, NULL, NULL));
}

#endif
