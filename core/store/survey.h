/*
 * core/store/survey.h - everything that takes up disk space below a root, at one moment:
 * what disk usage tells and prune chooses from.
 *
 * Besides refs there are parts: directories that hold what can be made again or what the
 * store itself needs. Their ids are "content", "hashes", "logs", "meta" and
 * "state.KIND.NAME", which cannot be those of refs. Refs and parts together are what du(1)
 * says of the root.
 */
#ifndef SLIPWAY_CORE_STORE_SURVEY_H
#define SLIPWAY_CORE_STORE_SURVEY_H

#include "core/store/worker_priv.h"

struct sw__item {
        char *id;
        sw__rec *rec; /* NULL: a part */
        char *path;   /* of a part: below the root; NULL: meta */
        int64_t size, last_used, created;
        uint64_t stamp;   /* what the size depends on; 0: nothing */
        sw_strlist blobs; /* digests of those of its layer */
        bool held;        /* somebody uses it now */
        bool kept;        /* an image does */
        bool in_use;      /* one of the two, or something that is made on it is */
        bool shared;      /* an image uses it, or something that is made on it */
        size_t children;
        size_t *parents; /* indexes */
        size_t n_parents;
};

struct sw__survey {
        SW_ARRAY(struct sw__item) items;
        sw_map *by_id; /* id -> index + 1, as a pointer */
        sw_map *blobs; /* digest -> struct sw__counted_blob, owned */
        int64_t total; /* of what no image keeps */
};

/* A blob counts with the first of the layers that have it, as long as that is there. */
struct sw__counted_blob {
        int64_t size;        /* on disk */
        SW_ARRAY(size_t) of; /* items */
};

/** sw__survey_make - @parts: with the parts, whose files are counted one by one. Sizes that
 *  were not known are measured, and remembered. */
SW_NODISCARD sw_err *sw__survey_make(sw_worker *w, sw_ctx *ctx, bool parts,
                                     struct sw__survey *out);
void sw__survey_release(struct sw__survey *s);
/** sw__survey_gone - item @i was removed: what it was made on has a child less, and blobs
 *  that others have too count with them from now on. Its own size is what was freed. */
void sw__survey_gone(struct sw__survey *s, size_t i);
/** sw__survey_tell - item @i as a record of disk usage; borrowed, with @parents for the
 *  list of parents, which the caller releases. */
void sw__survey_tell(const struct sw__survey *s, size_t i, sw_strlist *parents,
                     struct sw_usage *out);

#endif
