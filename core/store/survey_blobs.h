/*
 * core/store/survey_blobs.h - blobs in a survey: which layers have them, and with which one
 * they count.
 */
#ifndef SLIPWAY_CORE_STORE_SURVEY_BLOBS_H
#define SLIPWAY_CORE_STORE_SURVEY_BLOBS_H

#include "core/store/survey.h"

/** sw__survey_blobs_of - item @i, which is about to be added, has the blobs of @r; their
 *  digests go to @out. */
void sw__survey_blobs_of(struct sw__survey *s, size_t i, const sw__rec *r, sw_strlist *out);
/** sw__survey_measure_blobs - look at their files, and add them to the items. */
void sw__survey_measure_blobs(sw_worker *w, struct sw__survey *s);
int64_t sw__survey_blob_total(const struct sw__survey *s);
void sw__survey_blob_free(void *blob);

#endif
