/*
 * cmd/slipway/build/report.h - what is told of a build that has ended. Thread: main.
 */
#ifndef SLIPWAY_CMD_BUILD_REPORT_H
#define SLIPWAY_CMD_BUILD_REPORT_H

#include <slipway/engine.h>

#include "cmd/slipway/progress/progress.h"

/** report_explain - for each step whether it was found in the cache or why it ran, as a
 *  tree, on stderr. */
void report_explain(const model *m);
/** report_add_explain - the same, appended to @b. */
void report_add_explain(sw_buf *b, const model *m);
/** report_failure - where the failed step stands in its source, where its whole log is,
 *  how to look into what it left. */
void report_failure(sw_build *b, const model *m, bool with_tail);
/** report_place - see that the file @path, given with @flag, can be made, before anything
 * is done for it. @path: NULL is fine. Errors: SW_E_USAGE. */
SW_NODISCARD sw_err *report_place(const char *flag, const char *path);
/** report_metadata - what the exporters answered, as JSON in the file @path, written whole
 *  or not at all. */
SW_NODISCARD sw_err *report_metadata(sw_build *b, size_t n_outputs, const char *path,
                                     mode_t mode);
/** report_ref - the build's id in the file @path, written whole or not at all. */
SW_NODISCARD sw_err *report_ref(const char *id, const char *path, mode_t mode);

#endif
