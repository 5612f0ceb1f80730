/*
 * slipway/history.h - what became of builds: a record of each, and its story.
 *
 * A record is made when a build begins and completed when it ends, however it ends. The
 * story, which is what progress.h tells while a build runs, is written down beside it as it
 * goes on, with as much of the logs of steps as fits: all of them are in files of their own
 * (struct sw_build_failure). Records beyond history.maxEntries that are older than
 * history.maxAge are dropped when another build ends, save those that are pinned.
 *
 *      sw_history *h = sw_engine_history(engine);
 *      sw_history_find(h, "latest", &found)
 *      sw_history_story_open(h, found.v[0].id, &story)
 *      while (sw_history_story_next(story, &batch)) ...        as a subscriber would
 *      sw_history_story_free(story)
 *      sw_history_list_release(&found)
 *
 * Passwords in URLs are replaced in all that is kept, and so are the values of options that
 * are named like a secret.
 *
 * Thread: any; a story belongs to one at a time.
 */
#ifndef SLIPWAY_HISTORY_H
#define SLIPWAY_HISTORY_H

#include <slipway/engine.h>

SW_BEGIN_DECLS

typedef struct sw_history sw_history;
typedef struct sw_history_story sw_history_story;

enum sw_history_state {
        SW_HISTORY_RUNNING,
        SW_HISTORY_INTERRUPTED, /* whoever ran it died */
        SW_HISTORY_COMPLETED,
        SW_HISTORY_FAILED,
        SW_HISTORY_CANCELLED,
};
/** sw_history_state_name - "running", "interrupted", "completed", "error", "canceled": the
 *  words that BuildKit's filters have, and one of ours; static. */
SW_API const char *sw_history_state_name(enum sw_history_state state);

struct sw_history_output {
        const char *type;
        const struct sw_attr *attrs;
        size_t n_attrs;
};

/* One build. Borrowed from its list. Grows at the end only. */
struct sw_history_build {
        uint32_t size;
        const char *id;
        enum sw_history_state state;
        bool pinned;
        int64_t created, completed;  /* ns since the epoch; completed 0: it has not */
        const char *frontend;        /* "": a definition was built */
        const struct sw_attr *attrs; /* options of the frontend, by key */
        size_t n_attrs;
        const struct sw_history_output *outputs;
        size_t n_outputs;
        const struct sw_attr *response; /* of all exporters, by key */
        size_t n_response;
        int error_code;       /* enum sw_code; 0: none */
        const char *error;    /* its message, or "" */
        const char *vertex;   /* digest of the step to blame, or "" */
        const char *log_file; /* all that step printed, if it is there still; or "" */
        const struct sw_err_source *source; /* where in a text the mistake is; or NULL */
        int steps, completed_steps, cached_steps, warnings;
};

typedef struct sw_history_list {
        size_t n;
        struct sw_history_build *v; /* the newest first */
        void *arena_;               /* private */
} sw_history_list;
SW_API void sw_history_list_release(sw_history_list *l);
SW_DEFINE_AUTO(sw_history_list, sw_history_list_release)

/** sw_engine_history - that of the engine's root; borrowed until close. */
SW_API sw_history *sw_engine_history(sw_engine *e);

/** sw_history_builds - all of them. Records that are damaged are left out.
 *  Errors: SW_E_IO, SW_E_CORRUPT.   Since: 0.1 */
SW_API SW_NODISCARD sw_err *sw_history_builds(sw_history *h, sw_history_list *out);

/**
 * sw_history_find - one, by its id or the beginning of it, by "latest", or by "^N": the
 * N-th before the latest. Errors: SW_E_NOT_FOUND, SW_E_INVALID (several begin so), SW_E_IO.
 * Since: 0.1
 */
SW_API SW_NODISCARD sw_err *sw_history_find(sw_history *h, const char *asked,
                                            sw_history_list *out);

/** sw_history_pin - keep the build with this id for ever, or no longer.
 *  Errors: SW_E_NOT_FOUND, SW_E_IO. */
SW_API SW_NODISCARD sw_err *sw_history_pin(sw_history *h, const char *id, bool pinned);
/** sw_history_remove - forget the build with this id, pinned or not.
 *  Errors: SW_E_NOT_FOUND, SW_E_BUSY (it runs), SW_E_IO. */
SW_API SW_NODISCARD sw_err *sw_history_remove(sw_history *h, const char *id);

/** sw_history_story_open - what is written so far of the story of the build with this id.
 *  Errors: SW_E_NOT_FOUND (none was kept), SW_E_LIMIT, SW_E_IO.   Since: 0.1 */
SW_API SW_NODISCARD sw_err *sw_history_story_open(sw_history *h, const char *id,
                                                  sw_history_story **out);
/** sw_history_story_next - the next part. @out: borrowed until the next call or free; not
 *  to be released. False: that was all. */
SW_API bool sw_history_story_next(sw_history_story *s, struct sw_progress_batch *out);
/** sw_history_story_damaged - after the end: it ended where it could not be read on. */
SW_API bool sw_history_story_damaged(const sw_history_story *s);
SW_API void sw_history_story_free(sw_history_story *s);
SW_DEFINE_AUTOPTR(sw_history_story, sw_history_story_free)

SW_END_DECLS
#endif
