/*
 * core/solver/story.h - how the solver and its ops write the stories of progress.h.
 *
 * A story vertex is shared by the jobs that hold the vertex; each job has an entry for it
 * with its own name and group. One mutex per story (that is per solver)
 * is held for as long as it takes to change a record or to copy a bounded batch out; no
 * call goes out under it.
 *
 * Thread: any.
 */
#ifndef SLIPWAY_CORE_SOLVER_STORY_H
#define SLIPWAY_CORE_SOLVER_STORY_H

#include <slipway/ctx.h>
#include <slipway/digest.h>
#include <slipway/progress.h>

SW_BEGIN_DECLS

struct sw__story;
struct sw__story_job;
struct sw__story_vertex;
struct sw_vertex_group;

/** sw__story_new - @spool_dirfd: where logs beyond the limit go; borrowed until return; -1:
 *  they stay in memory. */
SW_API struct sw__story *sw__story_new(int spool_dirfd);
/** sw__story_limit_logs - as in struct sw_solver_opts, -1: no limit, as after
 *  sw__story_new(). Before the story is shared. */
SW_API void sw__story_limit_logs(struct sw__story *s, int64_t max, int64_t speed);
/** sw__story_free - drop the creator's reference; jobs and vertices keep it alive. */
SW_API void sw__story_free(struct sw__story *s);

SW_API struct sw__story_job *sw__story_job_new(struct sw__story *s);
/** sw__story_job_end - no more will come; subscribers see the end. Drops the creator's
 *  reference; subscriptions hold their own. */
SW_API void sw__story_job_end(struct sw__story_job *j);
/** sw__story_subscribe - @whole: with what is beyond the limits of logs. */
SW_API sw_subscription *sw__story_subscribe(struct sw__story_job *j, bool whole);
/** sw__story_why_walk - the vertices that ran, as sw__job_why() has them. */
SW_API void sw__story_why_walk(struct sw__story_job *j,
                               bool (*fn)(void *arg, const struct sw_progress_vertex *v),
                               void *arg);

/** sw__story_vertex_new - @inputs: @n digests, copied. One reference, handed back. */
SW_API struct sw__story_vertex *sw__story_vertex_new(struct sw__story *s,
                                                     const sw_digest *digest,
                                                     const sw_digest *inputs, size_t n);
SW_API struct sw__story_vertex *sw__story_vertex_ref(struct sw__story_vertex *v);
SW_API void sw__story_vertex_unref(struct sw__story_vertex *v);

/** sw__story_join - @j tells of @v from now on; once per job and vertex. */
SW_API void sw__story_join(struct sw__story_job *j, struct sw__story_vertex *v,
                           const char *name, const struct sw_vertex_group *group);

/* Transitions, by the scheduler. */
SW_API void sw__story_started(struct sw__story_vertex *v, int64_t now);
SW_API void sw__story_ended(struct sw__story_vertex *v, int64_t now, bool cached,
                            const char *error);
/** sw__story_failed - ended with @err (SW_OK: well); one that was cancelled says so in the
 *  words that clients of BuildKit look for: "context canceled" at its end. */
SW_API void sw__story_failed(struct sw__story_vertex *v, int64_t now, bool cached,
                             const sw_err *err);
SW_API void sw__story_why(struct sw__story_vertex *v, enum sw_why why, uint32_t input);

/** sw__story_warnings - something that @j has warnings through and that is no step of its
 *  story. One reference, handed back. */
SW_API struct sw__story_vertex *sw__story_warnings(struct sw__story_job *j);
/** sw__story_warn - a warning to who reads of @v; the vertex it belongs to is @w's, the
 * time is now. Copied. */
SW_API void sw__story_warn(struct sw__story_vertex *v, const struct sw_progress_warning *w);

/* By ops and hosts. */
SW_API void sw__story_paths(struct sw__story_vertex *v, const char *const *paths, size_t n);
SW_API extern const struct sw_progress_sink sw__story_sink; /* arg: the story vertex */

SW_END_DECLS
#endif
