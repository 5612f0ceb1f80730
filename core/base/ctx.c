/*
 * core/base/ctx.c - the context of one piece of work.
 *
 * Nothing in it changes once it is in use, so any thread may use it without a lock. A sink
 * compiled against an older header is shorter: members beyond its size are not there.
 */
#include <time.h>
#include <stdarg.h>

#include <slipway/time.h>
#include <slipway/buf.h>
#include <slipway/ctx.h>
#include <slipway/mem.h>

#include "core/base/ctxpriv.h"

struct sw_ctx {
        sw_cancel *cancel;
        sw_log *log;
        const struct sw_progress_sink *sink;
        void *sink_arg;
        char *source;
        sw_err *(*lend)(void *lender, sw_ctx *ctx, sw_session_fn *fn, void *arg);
        void *lender;
};

/* The member of the context's sink, or NULL when the sink lacks it. */
#define SINK_FN(ctx, member)                                                               \
        ((ctx) && (ctx)->sink &&                                                           \
                         (ctx)->sink->size >= offsetof(struct sw_progress_sink, member) +  \
                                                      sizeof((ctx)->sink->member)          \
                 ? (ctx)->sink->member                                                     \
                 : NULL)

sw_ctx *
sw_ctx_new(sw_cancel *cancel, sw_log *log, const struct sw_progress_sink *sink,
           void *sink_arg, const char *source)
{
        sw_ctx *ctx = sw_new(sw_ctx);

        ctx->cancel = cancel;
        ctx->log = log;
        ctx->sink = sink;
        ctx->sink_arg = sink_arg;
        ctx->source = sw_strdup(source);
        return ctx;
}

sw_ctx *
sw__ctx_with_cancel(const sw_ctx *from, sw_cancel *cancel)
{
        sw_ctx *ctx = sw_new(sw_ctx);

        if (from)
                *ctx = *from;
        ctx->source = sw_strdup(ctx->source);
        ctx->cancel = cancel;
        return ctx;
}

void
sw_ctx_free(sw_ctx *ctx)
{
        if (!ctx)
                return;
        free(ctx->source);
        free(ctx);
}

void
sw_ctx_set_lender(sw_ctx *ctx,
                  sw_err *(*lend)(void *lender, sw_ctx *ctx, sw_session_fn *fn, void *arg),
                  void *lender)
{
        ctx->lend = lend;
        ctx->lender = lender;
}

sw_err *
sw_ctx_with_session(sw_ctx *ctx, sw_session_fn *fn, void *arg)
{
        return ctx && ctx->lend ? ctx->lend(ctx->lender, ctx, fn, arg) : fn(arg, ctx, NULL);
}

sw_cancel *
sw_ctx_cancel(const sw_ctx *ctx)
{
        return ctx ? ctx->cancel : NULL;
}

sw_log *
sw_ctx_log(const sw_ctx *ctx)
{
        return ctx ? ctx->log : NULL;
}

const char *
sw_ctx_source(const sw_ctx *ctx)
{
        return ctx ? ctx->source : NULL;
}

sw_err *
sw_ctx_check(const sw_ctx *ctx)
{
        return sw_cancel_check(sw_ctx_cancel(ctx));
}

sw_err *
sw_ctx_lock(const sw_ctx *ctx, pthread_mutex_t *lock)
{
        while (pthread_mutex_trylock(lock) != 0) {
                struct timespec until;
                sw_err *err = sw_ctx_check(ctx);

                if (err)
                        return err;
                until = sw_time_to_spec(sw_time_now() + SW_NS_PER_SEC / 10);
                if (pthread_mutex_timedlock(lock, &until) == 0)
                        break;
        }
        return SW_OK;
}

void
sw_progress_note(sw_ctx *ctx, const char *fmt, ...)
{
        void (*note)(void *, const char *) = SINK_FN(ctx, note);
        sw_auto(sw_buf) text = SW_BUF_INIT;
        va_list ap;

        if (!note)
                return;
        va_start(ap, fmt);
        sw_buf_vaddf(&text, fmt, ap);
        va_end(ap);
        note(ctx->sink_arg, text.data);
}

void
sw_progress_warn(sw_ctx *ctx, const char *fmt, ...)
{
        void (*warning)(void *, const char *) = SINK_FN(ctx, warning);
        sw_auto(sw_buf) text = SW_BUF_INIT;
        va_list ap;

        if (!warning)
                return;
        va_start(ap, fmt);
        sw_buf_vaddf(&text, fmt, ap);
        va_end(ap);
        warning(ctx->sink_arg, text.data);
}

void
sw_progress_status(sw_ctx *ctx, const struct sw_progress *p)
{
        void (*status)(void *, const struct sw_progress *) = SINK_FN(ctx, status);

        if (status)
                status(ctx->sink_arg, p);
}

void
sw_progress_output(sw_ctx *ctx, int stream, const void *p, size_t n)
{
        void (*output)(void *, int, const void *, size_t) = SINK_FN(ctx, output);

        if (output && n > 0)
                output(ctx->sink_arg, stream, p, n);
}

void
sw_ctx_logf(sw_ctx *ctx, enum sw_log_level level, const char *fmt, ...)
{
        sw_auto(sw_buf) text = SW_BUF_INIT;
        va_list ap;

        if (!ctx || !ctx->log || !sw_log_on(ctx->log, level))
                return;
        va_start(ap, fmt);
        sw_buf_vaddf(&text, fmt, ap);
        va_end(ap);
        sw_log_line(ctx->log, level, ctx->source, "%s", text.data);
}
