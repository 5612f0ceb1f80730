/*
 * slipway/progress.h - the story of a build, as its subscribers read it.
 *
 * The story is kept as state, not as a queue of events: one record per vertex with its
 * statuses, log and warnings, each stamped with a number that grows. A subscriber
 * remembers the last number it has seen and asks for what is newer. So a late subscriber
 * gets the whole story, a slow one gets fewer, newer statuses, and nobody is waited for:
 * memory depends on the build, not on the number or speed of its readers. Log text is
 * stored once for all jobs and subscribers, beyond a limit in a file.
 *
 *      sub = sw_build_subscribe(build)
 *      while (sw_progress_next(sub, -1, &batch)) {
 *              ... batch.vertices, .statuses, .logs, .warnings ...
 *              sw_progress_batch_release(&batch);
 *      }
 *      sw_subscription_free(sub)
 *
 * Times are ns since the epoch, 0 for 'not yet'. Thread: a subscription belongs to one
 * thread at a time.
 */
#ifndef SLIPWAY_PROGRESS_H
#define SLIPWAY_PROGRESS_H

#include <slipway/ctx.h>
#include <slipway/digest.h>

SW_BEGIN_DECLS

typedef struct sw_subscription sw_subscription;

/* Why a vertex ran. */
enum sw_why {
        SW_WHY_NONE,                  /* it did not run, or runs in every build */
        SW_WHY_NO_RECORD,             /* nothing is known of this op with these inputs */
        SW_WHY_INPUT_KEY_NEW,         /* input k was rebuilt, or is new */
        SW_WHY_INPUT_CONTENT_CHANGED, /* what the op uses of input k has other content */
        SW_WHY_IGNORED,               /* asked to ignore the cache */
        SW_WHY_RESULT_GONE,           /* there was a record, but its result is gone */
        SW_WHY_COUNT
};

/** sw_why_name - "no-record", "input-key-new" and so on; static. */
SW_API const char *sw_why_name(enum sw_why why);

/* Fields are borrowed from the batch. */
struct sw_progress_vertex {
        sw_digest digest;
        const sw_digest *inputs;
        size_t n_inputs;
        const char *name;       /* "" when it has none */
        const char *group_id;   /* NULL: in no group */
        const char *group_name; /* NULL: in no group */
        bool group_weak;
        bool cached;
        int64_t started, completed;
        const char *error; /* NULL: none */
        enum sw_why why;
        uint32_t why_input;           /* k */
        const char *const *why_paths; /* that changed; may be none for CONTENT_CHANGED */
        size_t n_why_paths;
};

/* What a command used is a status, too, completed at once, and its number is no progress:
 *      usage.cpu_ns        processor time of all its processes, ns
 *      usage.memory_peak   the most memory it had at once, bytes
 *      usage.io_read       bytes read from and written to disks
 *      usage.io_written
 * One that is not known (no cgroup counted it) is left out. */
struct sw_progress_status {
        sw_digest vertex;
        const char *id;
        int64_t current, total; /* as in struct sw_progress (ctx.h): bytes, mostly */
        int64_t timestamp, started, completed;
};

struct sw_progress_log {
        sw_digest vertex;
        int stream; /* 1 stdout, 2 stderr */
        int64_t timestamp;
        const char *data;
        size_t len;
};

struct sw_progress_warning {
        sw_digest vertex;
        int64_t timestamp;
        const char *text;                   /* one line */
        const char *const *detail;          /* lines, NULL-ended; NULL: none */
        const char *url;                    /* where more is to be read, or NULL */
        const struct sw_err_source *source; /* the place it is about, or NULL */
        int level;                          /* 1: as most; 0: told everybody */
};

struct sw_progress_batch {
        struct sw_progress_vertex *vertices;
        size_t n_vertices;
        struct sw_progress_status *statuses;
        size_t n_statuses;
        struct sw_progress_log *logs; /* of one vertex: in order */
        size_t n_logs;
        struct sw_progress_warning *warnings;
        size_t n_warnings;
        void *arena_; /* private */
};

/**
 * sw_progress_next - what is new; of bounded size, so there may be more at once.
 * @timeout_ns: how long to wait for something; -1 for ever, 0 not at all.
 * @out: to be released with sw_progress_batch_release(); empty after a timeout.
 * Returns: false once the job has ended and everything was handed out: nothing is there to
 * be released then.
 */
SW_API bool sw_progress_next(sw_subscription *sub, int64_t timeout_ns,
                             struct sw_progress_batch *out);
/** sw_progress_batch_release - of one that sw_progress_next() filled; empty again. */
SW_API void sw_progress_batch_release(struct sw_progress_batch *b);

/** sw_progress_fd - readable while sw_progress_next() has something to say; borrowed;
 *  made on first use. Errors: SW_E_IO. */
SW_API SW_NODISCARD sw_err *sw_progress_fd(sw_subscription *sub, int *fd);

/** sw_subscription_again - one more of the same story, from its beginning, its logs as
 *  limited as everybody's; also after the end. Handed back. Thread: any, while @sub lives.
 */
SW_API sw_subscription *sw_subscription_again(const sw_subscription *sub);
/** sw_subscription_free - @sub: given. */
SW_API void sw_subscription_free(sw_subscription *sub);

SW_DEFINE_AUTOPTR(sw_subscription, sw_subscription_free)

SW_END_DECLS
#endif
