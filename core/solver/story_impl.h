/*
 * core/solver/story_impl.h - records behind story.h, for its own files.
 *
 *   story_log.c    text of logs: where it is kept
 *   story.c        what is written
 *   story_warn.c   warnings
 *   story_read.c   what subscribers read
 *
 * Everything is under story->lock, except what is marked as fixed (set before it is
 * shared).
 */
#ifndef SLIPWAY_CORE_SOLVER_STORY_IMPL_H
#define SLIPWAY_CORE_SOLVER_STORY_IMPL_H

#include <pthread.h>

#include <slipway/array.h>
#include <slipway/buf.h>

#include "core/solver/story.h"

/* Log text of a vertex beyond the first part goes to the spool, in segments. */
#define LOG_MEMORY  (64 * 1024)
#define LOG_SEGMENT (64 * 1024)
/* What one vertex may have of other things; more is dropped. */
#define STATUSES_MAX 4096
#define WARNINGS_MAX 1024
#define PATHS_MAX    256
/* Bytes of a status's id, of a warning or a path; the rest is cut off. */
#define TEXT_MAX 4096

/* Who gets a chunk of log. */
enum audience {
        FOR_ALL,
        FOR_WHOLE, /* beyond the limits: who wants the whole log */
        FOR_LIVE,  /* that there is more: the others */
};

/* A run of log text of one stream. */
struct chunk {
        uint64_t seq;
        int64_t timestamp;
        uint64_t off : 63; /* in the vertex's memory, or in the spool */
        uint64_t spooled : 1;
        uint32_t len;
        uint8_t stream;
        uint8_t audience; /* enum audience */
};

struct status {
        uint64_t seq;
        char *id;
        int64_t current, total, timestamp, started, completed;
};

/* What is told does not change: batches borrow it from the vertex, which they hold. */
struct warning {
        uint64_t seq;
        struct sw_progress_warning told;
        struct sw_err_source source; /* what told.source points to */
        sw_strlist detail;           /* what told.detail points to, a NULL at its end */
        char *data;                  /* of the source; NULL: an earlier warning has it */
};

/* What one job tells of one vertex. */
struct entry {
        struct sw__story_vertex *v;  /* fixed */
        struct sw__story_job *job;   /* fixed */
        struct entry *prev, *next;   /* in the job, by seq */
        uint64_t seq;                /* of the latest change */
        size_t index;                /* in the job, by order of coming; fixed */
        char *group_id, *group_name; /* fixed */
        bool group_weak;             /* fixed */
        char name[];                 /* fixed */
};

struct sw__story_vertex {
        int refs; /* atomic */
        struct sw__story *story;
        sw_digest digest; /* fixed */
        size_t n_inputs;  /* fixed */
        bool silent;      /* fixed; it is no step: all it has to tell is warnings */
        uint64_t seq;     /* of the fields below */
        int64_t started, completed;
        bool cached;
        uint8_t why;
        uint32_t why_input;
        char *error;
        sw_strlist paths;
        SW_ARRAY(struct entry *) entries;
        SW_ARRAY(struct status) statuses;
        SW_ARRAY(struct warning *) warnings;
        SW_ARRAY(struct chunk) chunks;
        sw_buf text;                 /* the first LOG_MEMORY bytes of log */
        SW_ARRAY(uint32_t) segments; /* of the spool */
        uint32_t segment_used;       /* bytes, of the last segment */
        size_t compact_at;           /* chunks */
        uint64_t log_sent;           /* bytes that were for all, */
        int64_t log_since;           /* from when on; 0: none yet */
        bool log_clipped;            /* it is beyond the limits just now */
        unsigned log_clips;          /* how often it came to be */
        sw_digest inputs[];          /* fixed */
};

struct sw__story_job {
        int refs; /* atomic */
        struct sw__story *story;
        struct entry *head, *tail;
        size_t n_entries;
        bool ended;
        pthread_cond_t news;
        SW_ARRAY(sw_subscription *) subs;
        unsigned n_whole; /* of subs */
};

struct sw_subscription {
        struct sw__story_job *job; /* ref'd, fixed */
        uint64_t seen;             /* entries up to here were handed out */
        SW_ARRAY(uint64_t) handed; /* by entry: what of it, up to which number */
        struct entry *current;     /* handed out but for the end of its log, or NULL */
        uint64_t current_seq;      /* its seq when that began */
        size_t next_log;           /* its log goes on here */
        int fd;                    /* eventfd, or -1 */
        bool raised;               /* fd is readable */
        bool whole;                /* fixed */
};

struct sw__story {
        int refs; /* atomic */
        pthread_mutex_t lock;
        uint64_t seq;
        uint64_t read_seq;          /* the newest that any subscriber has been handed */
        int spool;                  /* fixed; -1: none */
        int64_t log_max, log_speed; /* fixed; -1: no limit */
        uint32_t n_segments;
        SW_ARRAY(uint32_t) free_segments;
};

/* Something of @v that is for @who changed: a new number for it, and word to who reads.
 * Locked. */
uint64_t sw__story_touch_locked(struct sw__story_vertex *v, enum audience who);

/* A text that may come from anywhere, at most TEXT_MAX bytes of it; from malloc. */
char *sw__story_cut(const char *s);
void sw__story_warning_free(struct warning *w);

void sw__story_job_unref(struct sw__story_job *j);

void sw__story_log_add(struct sw__story_vertex *v, int stream, const char *p, size_t n);
/* Forget a vertex's log: its segments are free again. Locked. */
void sw__story_log_free_locked(struct sw__story_vertex *v);

#endif
