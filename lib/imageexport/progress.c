/* lib/imageexport/progress.c - what exporters of images tell of long pieces of work. */
#include <stdarg.h>

#include <slipway/time.h>

#include "lib/imageexport/imageexport.h"

enum { TELL_EVERY = 100000000 }; /* ns */

void
sw_imageexport_begin(struct sw_imageexport_task *t, sw_ctx *ctx, const char *id,
                     int64_t total)
{
        *t = (struct sw_imageexport_task){ .ctx = ctx, .told = sw_time_mono() };
        (void) pthread_mutex_init(&t->lock, NULL);
        t->p.id = id;
        t->p.total = total;
        t->p.started = sw_time_now();
        sw_progress_status(ctx, &t->p);
}

void
sw_imageexport_add(struct sw_imageexport_task *t, int64_t bytes)
{
        int64_t now = sw_time_mono();

        (void) pthread_mutex_lock(&t->lock);
        t->p.current += bytes;
        if (now - t->told >= TELL_EVERY) {
                t->told = now;
                sw_progress_status(t->ctx, &t->p);
        }
        (void) pthread_mutex_unlock(&t->lock);
}

void
sw_imageexport_end(struct sw_imageexport_task *t, bool done)
{
        if (done) {
                t->p.completed = sw_time_now();
                if (t->p.current)
                        t->p.total = t->p.current;
                sw_progress_status(t->ctx, &t->p);
        }
        (void) pthread_mutex_destroy(&t->lock);
}

void
sw_imageexport_told(sw_ctx *ctx, const char *fmt, ...)
{
        sw_auto(sw_buf) id = SW_BUF_INIT;
        struct sw_progress p = { .started = sw_time_now() };
        va_list ap;

        va_start(ap, fmt);
        sw_buf_vaddf(&id, fmt, ap);
        va_end(ap);
        p.id = id.data;
        p.completed = p.started;
        sw_progress_status(ctx, &p);
}
