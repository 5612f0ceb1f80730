/*
 * cmd/slipway/build/report.h - what is told of a build that has ended. Thread: main.
 */
#ifndef SLIPWAY_CMD_BUILD_REPORT_H
#define SLIPWAY_CMD_BUILD_REPORT_H

#include <slipway/engine.h>

#include "cmd/slipway/build/output.h"
#include "cmd/slipway/progress/progress.h"

/* A build that has ended, as it is told of. All borrowed. */
struct report {
        sw_build *build; /* NULL: it never began */
        const model *model;
        const outputs *outputs;
        const char *mode;       /* of progress, as progress_mode() has it */
        const char *context;    /* the directory that is built; or NULL */
        const char *dockerfile; /* its path; NULL: that of the directory */
};

/** report_explain - for each step whether it was found in the cache or why it ran, as a
 *  tree, on stderr. */
void report_explain(const model *m);
/** report_add_explain - the same, appended to @b. */
void report_add_explain(sw_buf *b, const model *m);
/** report_summary - where the time went, what was cached and what changed, how large it is
 *  and where; on stderr, where progress is for people and SLIPWAY_SUMMARY is not "off". */
void report_summary(const struct report *r);
/** report_warnings - those of the build, once, with their places; on stderr, likewise. */
void report_warnings(const struct report *r);
/** report_failure - the lines of the source that @err is about, where the log of the step
 *  is, how to look into what it left, what to try. */
void report_failure(const struct report *r, const sw_err *err);
/** report_place - see that the file @path, given with @flag, can be made, before anything
 * is done for it. @path: NULL is fine. Errors: SW_E_IO. */
SW_NODISCARD sw_err *report_place(const char *flag, const char *path);
/** report_metadata - what the exporters answered, as JSON in the file @path, written whole
 *  or not at all. */
SW_NODISCARD sw_err *report_metadata(sw_build *b, size_t n_outputs, const char *path,
                                     mode_t mode);
/** report_ref - the build's id in the file @path, written whole or not at all. */
SW_NODISCARD sw_err *report_ref(const char *id, const char *path, mode_t mode);

#endif
