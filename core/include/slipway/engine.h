/*
 * slipway/engine.h - builds, in your own program.
 *
 * An *engine* is one root directory with the plugins it is used with: what `slipway build`
 * and slipwayd are made around. A *build* is one request: a definition is solved, or
 * whatever a frontend makes of its options, and the result handed to exporters.
 *
 *      sw_host_new(&host_opts, &host)
 *      sw_engine_open(SW_ENGINE_OPTS(.host = host), &engine)
 *
 *      sw_build_start(engine, &request, &build)        returns at once
 *      sub = sw_build_subscribe(build)                 progress.h; any number, any time
 *      while (sw_progress_next(sub, -1, &batch)) ...
 *      sw_subscription_free(sub)
 *      err = sw_build_wait(build)
 *      sw_build_response(build, 0)                     what the first exporter answered
 *      sw_build_free(build)
 *
 *      sw_engine_close(engine)
 *      sw_host_free(host)
 *
 * A program that writes to pipes or sockets through it ignores SIGPIPE: a reader that went
 * away is then an error of that build.
 *
 * Plugins are loaded when a build needs them: one that is cached whole loads its exporters
 * and the sources it has to ask, and no more. Several engines, in one process or many, may
 * be over one root, save that one process opens a root once at a time.
 *
 * Thread: open and close by one; everything else any, save that one build is waited for and
 * freed by one thread.
 */
#ifndef SLIPWAY_ENGINE_H
#define SLIPWAY_ENGINE_H

#include <slipway/config.h>
#include <slipway/definition.h>
#include <slipway/exporter.h>
#include <slipway/frontend.h>
#include <slipway/host.h>
#include <slipway/id.h>
#include <slipway/map.h>
#include <slipway/progress.h>
#include <slipway/session.h>

SW_BEGIN_DECLS

typedef struct sw_engine sw_engine;
typedef struct sw_build sw_build;

/* ---- Engine ---- */

/* Grows at the end only. Everything is borrowed until close, strings until return. */
struct sw_engine_opts {
        uint32_t size;
        sw_host *host;           /* required; plugins are loaded through it */
        const sw_config *config; /* NULL: defaults */
        sw_log *log;             /* may be NULL */
        const char *root;        /* NULL: that of the configuration */
        const char *executor;    /* plugin name; NULL: the best there is */
        const char *snapshotter; /* NULL: that of the configuration, "auto" by default */
        unsigned keep_failed_s;  /* keep the roots of failed commands so long, to be looked
                                    into; 0: not */
};
#define SW_ENGINE_OPTS(...)                                                                \
        (&(const struct sw_engine_opts){ .size = sizeof(struct sw_engine_opts),            \
                                         __VA_ARGS__ })

/**
 * sw_engine_open - open the root, or make it, and sweep what dead processes left in it.
 * @out: handed back.
 * Errors: SW_E_CONFIG (no root known), SW_E_UNSUPPORTED (a newer root), SW_E_BUSY (this
 * process has it open), SW_E_DENIED, SW_E_IO.   Since: 0.1
 */
SW_API SW_NODISCARD sw_err *sw_engine_open(const struct sw_engine_opts *opts,
                                           sw_engine **out);
/** sw_engine_close - every build was freed. NULL is fine. Blocks: until all is on disk that
 *  survives a kill. */
SW_API void sw_engine_close(sw_engine *e);
SW_DEFINE_AUTOPTR(sw_engine, sw_engine_close)

/* ---- A build ---- */

/* One export: "type" and what goes with it. */
struct sw_build_output {
        const char *type; /* name of an exporter: "local", "oci", … */
        const struct sw_attr *attrs;
        size_t n_attrs;
        const struct sw_export_target *target; /* where it writes; NULL: nowhere of ours */
};

#define SW_BUILD_MAX_OUTPUTS 64

/* Grows at the end only. All of it is borrowed until sw_build_wait() has returned, but for
 * what says that it is copied. */
struct sw_build_request {
        uint32_t size;
        const char *id;         /* names it in logs and paths (sw_id_check); copied; NULL: a
                                   fresh one */
        const void *definition; /* copied; an empty one stands for the empty tree */
        size_t definition_len;
        sw_session *session;      /* NULL: the client offers nothing */
        const char *const *allow; /* "network.host", "security.insecure", "device",
                                     "device=NAME"; NULL-ended; NULL: none */
        const struct sw_build_output *outputs; /* none: solved, and exported nowhere */
        size_t n_outputs;
        bool no_cache;             /* run every step; what comes of it is stored */
        sw_cancel *cancel;         /* may be NULL */
        bool has_epoch;            /* source_date_epoch counts */
        int64_t source_date_epoch; /* seconds; exporters without the attribute get it */
        const char *frontend; /* name of the plugin that makes the definitions, instead of
                                 @definition; NULL: none */
        const struct sw_attr *opts; /* its options */
        size_t n_opts;
        const struct sw_frontend_input *inputs; /* trees that it may use, by name */
        size_t n_inputs;
        bool internal; /* a question rather than a build: the history keeps no record */
};
#define SW_BUILD_REQUEST(...)                                                              \
        (&(const struct sw_build_request){ .size = sizeof(struct sw_build_request),        \
                                           __VA_ARGS__ })

/**
 * sw_build_start - begin; what is wrong with the request is told by sw_build_wait().
 * @out: handed back.
 * Errors: SW_E_INVALID (id), SW_E_IO (no thread).   Since: 0.1
 */
SW_API SW_NODISCARD sw_err *sw_build_start(sw_engine *e, const struct sw_build_request *req,
                                           sw_build **out);
SW_API const char *sw_build_id(const sw_build *b); /* borrowed until it is freed */

/** sw_build_subscribe - its story from the beginning; see progress.h. The subscription is
 *  the caller's, and may outlive the build. */
SW_API sw_subscription *sw_build_subscribe(sw_build *b);

/** sw_build_cancel - it ends with SW_E_CANCELLED within SW_CANCEL_GRACE_MS, unless it has
 *  ended. @reason: copied, may be NULL. */
SW_API void sw_build_cancel(sw_build *b, const char *reason);

/**
 * sw_build_wait - until everything is over: steps, exports, log files.
 * Errors: SW_E_INVALID, SW_E_LIMIT (definition, request), SW_E_DENIED (entitlements),
 * SW_E_NOT_FOUND (a plugin, a directory, a secret), SW_E_STEP (a command failed),
 * SW_E_CANCELLED, and whatever plugins say. sw_err_vertex() names the step to blame.
 * Blocks: yes.   Since: 0.1
 */
SW_API SW_NODISCARD sw_err *sw_build_wait(sw_build *b);

/** sw_build_free - cancelled and waited for if it still goes on. NULL is fine. */
SW_API void sw_build_free(sw_build *b);
SW_DEFINE_AUTOPTR(sw_build, sw_build_free)

/* ---- Of a build that was waited for ---- */

/** sw_build_response - what exporter @i answered: key to string; borrowed until the build
 *  is freed. NULL when there is no such output, or it never came so far. */
SW_API const sw_map *sw_build_response(const sw_build *b, size_t i);

/** sw_build_meta - what the frontend said of the whole result: "result.json". Borrowed
 * until the build is freed; NULL: nothing under that key. */
SW_API const char *sw_build_meta(const sw_build *b, const char *key);

/* The step that made a build fail. Borrowed until the build is freed. */
struct sw_build_failure {
        uint32_t size; /* sizeof as compiled, set by the caller; what was set of it after */
        const char *vertex; /* digest */
        const char *name;
        const char *log_file; /* all it printed; NULL: it printed nothing */
        const char *kept;     /* name by which its root can be entered, or NULL */
        /* Where it stands in the texts the definition came from. */
        const struct sw_llb_vertex_location *locations;
        size_t n_locations;
};
/** sw_build_failed_step - false when it did not fail because of a step. */
SW_API bool sw_build_failed_step(const sw_build *b, struct sw_build_failure *out);

/** sw_engine_dump_trace - the solver's last events to @fd, as `slipway debug solve-trace`
 *  reads them; after a build too. Errors: SW_E_IO. */
SW_API SW_NODISCARD sw_err *sw_engine_dump_trace(sw_engine *e, int fd);

/* ---- Into what is left of a failed step ---- */

/* A command in the root that a failed one left (keep_failed_s; sw_build_failure.kept), in
 * this process or another. Grows at the end only; borrowed until return. */
struct sw_shell_request {
        uint32_t size;
        const char *kept;         /* sw_build_failure.kept */
        const char *id;           /* of the container, for resize and signal: sw_id_check */
        const char *const *args;  /* NULL-ended; NULL: /bin/sh */
        const char *const *env;   /* NULL-ended; what the failed one did not have is set */
        const char *user;         /* NULL: that of the failed one */
        const char *const *allow; /* as sw_build_request: what the failed one needed */
        int fds_std[3];           /* -1: none */
        bool terminal; /* it gets one; fds_std[0] is what is typed, fds_std[1] gets what is
                          shown */
        void (*started)(void *arg); /* it runs: from now on it can be resized; or NULL */
        void *arg;
        sw_cancel *cancel;   /* or NULL */
        sw_session *session; /* secrets and agents that the failed one had; or NULL */
};
struct sw_shell_exit {
        bool signalled;
        int value; /* exit status or signal number */
};
/**
 * sw_engine_shell - run it to its end, with the mounts of the failed one; what it writes is
 * dropped, but in caches. What is not there any more, or not given again, is logged.
 * Errors: SW_E_NOT_FOUND (nothing is kept of that name any more), SW_E_DENIED
 * (entitlements), SW_E_CANCELLED, and those of the executor. Blocks: yes.   Since: 0.1
 */
SW_API SW_NODISCARD sw_err *sw_engine_shell(sw_engine *e,
                                            const struct sw_shell_request *req,
                                            struct sw_shell_exit *out);
/** sw_engine_shell_resize, sw_engine_shell_signal - of the one with the id @id, which runs.
 *  Errors: SW_E_NOT_FOUND, SW_E_INVALID (no terminal), SW_E_UNSUPPORTED. */
SW_API SW_NODISCARD sw_err *sw_engine_shell_resize(sw_engine *e, const char *id,
                                                   unsigned rows, unsigned columns);
SW_API SW_NODISCARD sw_err *sw_engine_shell_signal(sw_engine *e, const char *id, int sig);

/* ---- What is stored ---- */

/* One record of the cache. Borrowed until return. */
struct sw_disk_record {
        const char *id;
        const char *const *parents; /* ids */
        size_t n_parents;
        bool is_mutable, in_use, shared;
        int64_t size;               /* bytes on disk */
        int64_t created, last_used; /* ns since the epoch; 0: never used */
        int64_t usage_count;
        const char *description, *type;
};
typedef bool sw_disk_fn(void *arg, const struct sw_disk_record *r);

/** sw_engine_usage - records that match one of @filters ("type==source.local"; NULL-ended;
 *  NULL: all); @fn returns false to end it. Blocks: sizes that are not known yet are
 *  measured. Errors: SW_E_INVALID (filter), SW_E_CANCELLED, SW_E_IO. */
SW_API SW_NODISCARD sw_err *sw_engine_usage(sw_engine *e, sw_cancel *cancel,
                                            const char *const *filters, sw_disk_fn *fn,
                                            void *arg);

/* Grows at the end only. */
struct sw_prune_request {
        uint32_t size;
        const char *const *filters; /* NULL-ended; NULL: all records */
        bool all;                   /* internal and shared ones too */
        int64_t keep_duration;      /* ns */
        int64_t reserved_space, max_used_space, min_free_space; /* bytes; 0: not set */
};
/** sw_engine_prune - remove what nobody uses; @fn (may be NULL) is told of each and returns
 *  false to end it. Blocks: yes. Errors: SW_E_INVALID (filter), SW_E_CANCELLED, SW_E_IO. */
SW_API SW_NODISCARD sw_err *sw_engine_prune(sw_engine *e, sw_cancel *cancel,
                                            const struct sw_prune_request *req,
                                            sw_disk_fn *fn, void *arg);
/** sw_engine_gc - what the policy of the configuration says; after builds it is run by
 *  itself, at most once a minute. Blocks: yes. Errors: SW_E_CANCELLED, SW_E_IO. */
SW_API SW_NODISCARD sw_err *sw_engine_gc(sw_engine *e, sw_cancel *cancel);

SW_END_DECLS
#endif
