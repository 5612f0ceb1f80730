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
        bool held;   /* somebody uses it now */
        bool in_use; /* or something that is made on it */
        size_t children;
        size_t *parents; /* indexes */
        size_t n_parents;
};

struct sw__survey {
        SW_ARRAY(struct sw__item) items;
        sw_map *by_id; /* id -> index + 1, as a pointer */
        int64_t total;
};

/** sw__survey_make - @parts: with the parts, whose files are counted one by one. Sizes that
 *  were not known are measured, and remembered. */
SW_NODISCARD sw_err *sw__survey_make(sw_worker *w, sw_ctx *ctx, bool parts,
                                     struct sw__survey *out);
void sw__survey_release(struct sw__survey *s);
/** sw__survey_tell - item @i as a record of disk usage; borrowed, with @parents for the
 *  list of parents, which the caller releases. */
void sw__survey_tell(const struct sw__survey *s, size_t i, sw_strlist *parents,
                     struct sw_usage *out);

#endif
