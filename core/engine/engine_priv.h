/*
 * core/engine/engine_priv.h - what the files of the engine share.
 *
 *      engine.c    open and close: everything of one root together
 *      build.c     one request, from its bytes to its response
 *      frontend.c  a build whose definitions a frontend makes
 *      platforms.c what can be built for
 *      export.c    exporters of a build: resolve, export, finalize
 *      steplog.c   whatever steps print, in files
 *      history.h   what is remembered of builds
 *      disk.c      usage, prune, garbage collection
 *      shell.c     into the roots of commands that failed
 */
#ifndef SLIPWAY_CORE_ENGINE_PRIV_H
#define SLIPWAY_CORE_ENGINE_PRIV_H

#include <pthread.h>

#include <slipway/engine.h>

#include "core/engine/history.h"
#include "core/ops/ops.h"
#include "core/solver/keystore_lmdb.h"
#include "core/solver/story.h"

struct sw_engine {
        sw_host *host;           /* borrowed */
        const sw_config *config; /* borrowed, or own_config */
        sw_config *own_config;
        sw_log *log; /* borrowed */
        char *path;  /* of the root */
        char *executor, *snapshotter;
        sw_root *root;
        int logs; /* <root>/logs, or -1: it cannot be made */
        sw_history *history;
        sw_keystore *keys;
        struct sw_result_loader loader;
        sw_cacheset *cache;
        sw_solver *solver;
        sw_sources *sources;
        struct sw_ops_env env;
};

/* ---- export.c ---- */

/* One output of a build. */
struct sw__output {
        const struct sw_build_output *asked;
        struct sw_exporter exporter;
        void *resolved;
        bool usable; /* exporter and resolved are set */
        struct sw_attr *attrs;
        size_t n_attrs;
        int64_t epoch; /* seconds; -1: none */
        char *title;
        sw_digest digest; /* of its step */
        sw_map *response;
        /* While it runs. */
        pthread_t thread;
        bool started;
        struct sw_build *build;
        sw_err *err;
};

/** sw__output_resolve - find the exporter, have it check the attributes. */
SW_NODISCARD sw_err *sw__output_resolve(struct sw_build *b, size_t i);
/** sw__outputs_export - all of them with the build's result, at once, then what is to be
 *  finalized. The first error ends the others. */
SW_NODISCARD sw_err *sw__outputs_export(struct sw_build *b);
void sw__outputs_release(struct sw_build *b);

/* ---- steplog.c ---- */

struct sw__steplog;

/** sw__steplog_start - follow @sub (given) until it ends, keep all output of steps below
 *  <logs>/<id>/, and have the history keep the story. @logs: borrowed until stop; -1:
 *  nothing is kept. @keeper: the same; NULL: no history. */
struct sw__steplog *sw__steplog_start(sw_subscription *sub, int logs, const char *dir_path,
                                      const char *id, sw_log *log,
                                      struct sw__keeper *keeper);
/** sw__steplog_wait - until the subscription ended and all is written. */
void sw__steplog_wait(struct sw__steplog *l);
/** sw__steplog_path - file of a step; NULL: it printed nothing. After wait. Borrowed. */
const char *sw__steplog_path(const struct sw__steplog *l, const char *vertex);
/** sw__steplog_name - what the step is called; NULL: there is none. After wait. */
const char *sw__steplog_name(const struct sw__steplog *l, const char *vertex);
/** sw__steplog_ran - whether any step ran rather than being found in the cache. */
bool sw__steplog_ran(const struct sw__steplog *l);
void sw__steplog_free(struct sw__steplog *l);
/** sw__steplog_prune - remove the logs of builds that began longer ago than @max_age, but
 *  for the newest @keep. */
void sw__steplog_prune(int logs, int64_t max_age, int64_t keep, sw_log *log);

/* ---- build.c ---- */

struct sw_build {
        sw_engine *engine;
        char id[129];
        char kept[SW_ID_SIZE]; /* the root of the failed step; "": none */
        struct sw_build_request req;
        sw_buf definition;
        sw_cancel *cancel;
        sw_job *job;            /* until the build's thread closes it */
        sw_subscription *story; /* never read: what others subscribe through */
        struct sw_ops_job ops_job;
        sw_strlist devices;               /* that it may have */
        SW_ARRAY(sw_definition *) defs;   /* its own; of a frontend's, those that failed */
        struct sw_frontend_result result; /* what is exported */
        struct sw__output outputs[SW_BUILD_MAX_OUTPUTS];
        struct sw__steplog *steplog;
        struct sw__keeper *keeper; /* of the history; NULL: none is kept */
        pthread_t thread;
        bool joined;
        sw_err *err;
};

/** sw__build_solve - a definition, in the job of the build. @cancel: ends it; borrowed.
 *  @out: handed back; NULL: the empty tree. Thread: any, several at once. */
SW_NODISCARD sw_err *sw__build_solve(struct sw_build *b, sw_cancel *cancel,
                                     const sw_definition *def, sw_ref **out);

/* ---- frontend.c ---- */

/** sw__frontend_run - have the plugin the request names fill result. */
SW_NODISCARD sw_err *sw__frontend_run(struct sw_build *b);
/** sw__frontend_drop_refs - the trees of the result, whoever made it, are exported. */
void sw__frontend_drop_refs(struct sw_build *b);
/** sw__frontend_release - what is left of the result. */
void sw__frontend_release(struct sw_build *b);

/* ---- platforms.c ---- */

/** sw__engine_platforms - what can be built for, best first, NULL-ended, at least one.
 *  Handed back: each is freed, and the array. */
const sw_platform **sw__engine_platforms(const sw_engine *e);

/* ---- disk.c ---- */

/** sw__engine_auto_gc - from now on, garbage is collected when the disk is nearly full. */
void sw__engine_auto_gc(sw_engine *e);
/** sw__engine_after_build - garbage collection when it is due; old logs. */
void sw__engine_after_build(sw_engine *e, sw_cancel *cancel);

#endif
