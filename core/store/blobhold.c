/*
 * core/store/blobhold.c - blobs that this process brought in. See blobhold.h.
 */
#include "core/store/blobhold.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "core/store/content_priv.h"

static bool
is_held(sw_worker *w, const char *digest)
{
        pthread_mutex_lock(&w->lock);
        const bool held = sw_map_has(w->blobs, digest);
        pthread_mutex_unlock(&w->lock);
        return held;
}

sw_err *
sw__blob_hold(void *worker, const sw_digest *d)
{
        sw_auto(sw__tx) tx = { 0 };
        sw_worker *w = worker;
        char text[SW_DIGEST_STR_SIZE];

        if (is_held(w, sw_digest_str(d, text)))
                return SW_OK;
        sw_err *err = sw__worker_lease(w);
        if (!err)
                err = sw__tx_begin(w->meta, true, &tx);
        if (!err)
                err = sw__pair_put(&tx, SW_META_HOLDERS, text, w->lease.id);
        if (!err)
                err = sw__tx_commit(&tx, false);
        if (err)
                return sw_err_wrap(err, "hold blob %s", text);
        pthread_mutex_lock(&w->lock);
        (void) sw_map_set(w->blobs, text, w);
        pthread_mutex_unlock(&w->lock);
        return SW_OK;
}

sw_err *
sw__blob_wanted(sw__tx *tx, const char *digest, bool *out)
{
        static const enum sw_meta_db where[] = { SW_META_BLOBS, SW_META_KEPT,
                                                 SW_META_HOLDERS };
        sw_err *err = SW_OK;

        *out = false;
        for (size_t i = 0; i < SW_COUNT(where) && !err && !*out; i++)
                err = sw__pair_any(tx, where[i], digest, out);
        return err;
}

int64_t
sw__blob_disk(const sw_worker *w, const char *digest)
{
        struct stat st;

        if (w->content->blobs < 0 || !sw_digest_is(digest, SIZE_MAX) ||
            fstatat(w->content->blobs, digest + 7, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return 0;
        return (int64_t) st.st_blocks * 512;
}

/* Looked at and removed in one transaction, so that nobody names it in between. */
sw_err *
sw__blob_drop(sw_worker *w, const char *digest, int64_t *bytes)
{
        sw_auto(sw__tx) tx = { 0 };
        bool wanted = false;
        sw_digest d;
        sw_err *err = sw_digest_parse(digest, SIZE_MAX, &d);

        if (!err)
                err = sw__tx_begin(w->meta, true, &tx);
        if (!err)
                err = sw__blob_wanted(&tx, digest, &wanted);
        if (err || wanted)
                return err;
        const int64_t size = sw__blob_disk(w, digest);
        err = sw_content_remove(w->content, &d);
        if (!err && bytes)
                *bytes += size;
        return err;
}
