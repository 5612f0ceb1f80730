/*
 * cmd/slipway/progress/model.h - what a build's story says so far, as printers need it.
 *
 *      model_take(m, batch)       for each batch of the subscription
 *      ... look at m->rows, print, clear what is marked as fresh ...
 *
 * Steps of one progress group are one row, which has the group's name and whatever its
 * members tell; it appears when a member begins that is not weak, or fails. What a step
 * used (statuses "usage.*") is kept as numbers: it is no progress to wait for.
 *
 * Log text is split into lines; each has the seconds since its step began in front, as
 * BuildKit's client prints them. Lines wait until a printer took them; the last few of each
 * step are kept for the summary of failures. Thread: main.
 */
#ifndef SLIPWAY_CMD_PROGRESS_MODEL_H
#define SLIPWAY_CMD_PROGRESS_MODEL_H

#include <slipway/array.h>
#include <slipway/buf.h>
#include <slipway/map.h>
#include <slipway/progress.h>

#define MODEL_TAIL   32    /* lines kept of each step ... */
#define MODEL_LAST   10    /* ... of which so many are told when it fails */
#define MODEL_STATUS 1024  /* statuses kept of each step */
#define MODEL_LINE   65536 /* bytes of one line; longer ones are broken */

struct model_status {
        char *id;
        int64_t current, total, timestamp, started, completed;
        bool fresh;                      /* changed; the printer clears it */
        int64_t shown_at, shown_current; /* of the printer */
        bool shown;
        int64_t rate_at, rate_from; /* of the printer: measured since (monotonic), from */
        double rate;                /* units in a second, 0: not known yet */
        bool shared;   /* a blob that is there already: "pushing sha256:…: exists" */
        bool replaced; /* another status says what became of it */
};

/* What a step used; -1: not known. */
struct model_usage {
        int64_t cpu_ns, memory_peak, io_read, io_written;
};

struct model_step {
        sw_digest digest;
        char *name;
        struct model_step
                *row; /* that shows it: itself or its group; NULL: not known yet */
        bool is_group, revealed;
        unsigned n_members, n_cached, n_running; /* of a group */
        struct model_usage usage;
        int64_t started, completed, earlier; /* earlier: ns it ran before it began again */
        bool cached;
        char *error; /* NULL: none */
        enum sw_why why;
        uint32_t why_input;
        sw_strlist paths;
        SW_ARRAY(sw_digest) inputs;
        SW_ARRAY(struct model_status) statuses;
        sw_strlist lines;  /* not taken by the printer yet */
        sw_buf partial[2]; /* stdout, stderr: the line that has no end yet, with its prefix
                            */
        sw_strlist warnings; /* all */
        size_t n_warned;     /* printed ones */
        char *tail[MODEL_TAIL];
        size_t n_tail; /* lines ever; the last MODEL_TAIL are there, until it ended well */
        bool fresh;    /* something of it changed; the printer clears it */
        /* The printer's. */
        unsigned number; /* 0: not shown yet */
        unsigned count;  /* changes since it was shown last */
        int64_t since;   /* ns (monotonic): shown since, or waiting since; 0: neither */
        size_t place;    /* among the stages; 0: not known yet */
};

/* A warning, to be told again at the end. */
struct model_warning {
        const struct model_step *step;
        char *text;
        sw_strlist detail;
        char *url, *file; /* or NULL */
        int line;         /* of the file; 0: not known */
        int level;
};

typedef struct model {
        SW_ARRAY(struct model_step *) steps; /* every vertex, in the order they came */
        SW_ARRAY(struct model_step *)
        rows;              /* what is shown: steps in no group, and groups */
        sw_map *by_digest; /* owns steps */
        sw_map *groups;    /* id -> step; owns them */
        int64_t began;     /* monotonic */
        bool keep_lines;   /* false: nobody prints logs line by line */
        SW_ARRAY(struct model_warning) warnings;
} model;

void model_init(model *m, bool keep_lines);
void model_release(model *m);
void model_take(model *m, const struct sw_progress_batch *b);
struct model_step *model_find(const model *m, const sw_digest *d);

bool step_running(const struct model_step *s);
/** step_cancelled - it was stopped, rather than failing by itself. */
bool step_cancelled(const struct model_step *s);
/** step_seconds - how long it ran, so far where it still does. */
double step_seconds(const struct model_step *s);
/** step_add_usage - "0.5s CPU, 28.2MB memory, 1.2MB read", or nothing. */
void step_add_usage(sw_buf *b, const struct model_step *s);

#endif
