/*
 * slipway/ctx.h - the context of one piece of work: cancellation, progress, log.
 *
 * The core makes one for each operation it asks a plugin to do; it is borrowed until the
 * operation returns. All functions may be called from any thread the operation uses; a
 * NULL context is one with nothing in it.
 */
#ifndef SLIPWAY_CTX_H
#define SLIPWAY_CTX_H

#include <pthread.h>

#include <slipway/cancel.h>
#include <slipway/log.h>

SW_BEGIN_DECLS

typedef struct sw_ctx sw_ctx;

/* A measured part of an operation: a transfer, a layer being written. */
struct sw_progress {
        const char *id;    /* unique within the operation: "sha256:…", "writing layer" */
        int64_t current;   /* units done, bytes where it is a transfer */
        int64_t total;     /* 0: not known */
        int64_t started;   /* ns since the epoch; 0: not yet */
        int64_t completed; /* ns since the epoch; 0: not yet */
};

/* Where progress goes. Called from any thread; must not block. Grows at the end only. */
struct sw_progress_sink {
        uint32_t size; /* sizeof as compiled */
        void (*note)(void *arg, const char *text);
        void (*status)(void *arg, const struct sw_progress *p);
        /* stream: 1 stdout, 2 stderr of the step */
        void (*output)(void *arg, int stream, const void *p, size_t n);
        void (*warning)(void *arg, const char *text);
};

/** sw_ctx_new - for who calls plugins. All borrowed for the life of the context; any may
 *  be NULL. @source: "kind/name" put before log lines; copied. */
SW_API sw_ctx *sw_ctx_new(sw_cancel *cancel, sw_log *log,
                          const struct sw_progress_sink *sink, void *sink_arg,
                          const char *source);
SW_API void sw_ctx_free(sw_ctx *ctx);

/* What is done with the session of a client. @s: borrowed until return; NULL: there is
 * none. @ctx: to be used instead of the one that was asked: cancelled also when that
 * client goes. */
struct sw_session;
typedef sw_err *sw_session_fn(void *arg, sw_ctx *ctx, struct sw_session *s);

/**
 * sw_ctx_with_session - call @fn with the session of a client on whose behalf the work is
 * done: credentials for what has to be fetched. Where several wait for the same work,
 * another is tried after SW_E_NOT_FOUND and SW_E_DENIED.
 * Returns: what the last call of @fn did.   Blocks: as @fn.   Since: 0.1
 */
SW_API SW_NODISCARD sw_err *sw_ctx_with_session(sw_ctx *ctx, sw_session_fn *fn, void *arg);
/** sw_ctx_set_lender - for who makes contexts: @lend calls its @fn with sessions, as above.
 *  Before the context is handed to anybody; without it @fn is called with NULL. */
SW_API void sw_ctx_set_lender(sw_ctx *ctx,
                              sw_err *(*lend)(void *lender, sw_ctx *ctx, sw_session_fn *fn,
                                              void *arg),
                              void *lender);
SW_API sw_cancel *sw_ctx_cancel(const sw_ctx *ctx);  /* borrowed; may be NULL */
SW_API sw_log *sw_ctx_log(const sw_ctx *ctx);        /* borrowed; may be NULL */
SW_API const char *sw_ctx_source(const sw_ctx *ctx); /* "kind/name" or NULL; borrowed */
/** sw_ctx_check - SW_OK, or SW_E_CANCELLED: to be called in every longer loop. */
SW_API SW_NODISCARD sw_err *sw_ctx_check(const sw_ctx *ctx);
/** sw_ctx_lock - take a lock that may be held for long, unless it is cancelled meanwhile
 *  (SW_E_CANCELLED; it is not taken then). */
SW_API SW_NODISCARD sw_err *sw_ctx_lock(const sw_ctx *ctx, pthread_mutex_t *lock);

/* For who waits. Nothing blocks or fails; what nobody wants is dropped. */
/** sw_progress_note - a line about what is being done. */
SW_API void sw_progress_note(sw_ctx *ctx, const char *fmt, ...) SW_PRINTF(2, 3);
/** sw_progress_warn - a line that people should see also when all went well. */
SW_API void sw_progress_warn(sw_ctx *ctx, const char *fmt, ...) SW_PRINTF(2, 3);
/** sw_progress_status - where the part @p->id stands now; it replaces what was said of it.
 *  @p: borrowed until return. */
SW_API void sw_progress_status(sw_ctx *ctx, const struct sw_progress *p);
/** sw_progress_output - bytes that a step printed. @stream: 1 stdout, 2 stderr. */
SW_API void sw_progress_output(sw_ctx *ctx, int stream, const void *p, size_t n);
/** sw_ctx_logf - a line of the log, for who runs the program, with the context's source. */
SW_API void sw_ctx_logf(sw_ctx *ctx, enum sw_log_level level, const char *fmt, ...)
        SW_PRINTF(3, 4);

SW_DEFINE_AUTOPTR(sw_ctx, sw_ctx_free)

SW_END_DECLS
#endif
