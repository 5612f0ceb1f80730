/*
 * cmd/slipway/progress/progress.c - see progress.h. Thread: main.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <slipway/io.h>
#include <slipway/text.h>
#include <slipway/time.h>

#include "cmd/slipway/progress/logpipe.h"
#include "cmd/slipway/progress/logtext.h"
#include "cmd/slipway/progress/progress.h"
#include "cmd/slipway/term.h"

#define NAME_SHORT 72

struct part {
        const struct progress_printer *ops;
        void *self;
        struct progress_out out;
};

struct progress {
        model model;
        struct part shown; /* ops NULL: nothing is */
        struct part trace; /* the same */
        struct logpipe log;
        const char *mode;
};

/* ---- What printers share ---- */

void
progress_add_text(sw_buf *b, const char *text, const struct progress_out *out)
{
        if (out->terminal)
                term_add_text(b, text);
        else
                sw_buf_adds(b, text);
}

void
progress_add_line(sw_buf *b, const char *line, const struct progress_out *out)
{
        const char *text = strchr(line, ' '); /* after the seconds */

        if (!out->terminal || !text) {
                progress_add_text(b, line, out);
                return;
        }
        sw_buf_add(b, line, (size_t) (++text - line));
        logtext_add(b, logtext_last(text), out->colour);
}

void
progress_add_name(sw_buf *b, const char *name, const struct progress_out *out)
{
        const char *untruncated = getenv("PROGRESS_NO_TRUNC");
        sw_auto(sw_str) one = sw_strdup(name);
        size_t n = strlen(one);

        for (char *p = one; *p; p++) /* a name is one line */
                if (*p == '\n' || *p == '\r')
                        *p = ' ';
        if (sw_str_eq(untruncated, "0") && n > NAME_SHORT) {
                one[NAME_SHORT] = '\0';
                progress_add_text(b, one, out);
                sw_buf_adds(b, "...");
                return;
        }
        progress_add_text(b, one, out);
}

void
progress_add_amount(sw_buf *b, int64_t current, int64_t total)
{
        char a[32], c[32];

        if (total != 0)
                sw_buf_addf(b, " %s / %s", sw_size_str(current, a), sw_size_str(total, c));
        else if (current != 0)
                sw_buf_addf(b, " %s", sw_size_str(current, a));
}

void
progress_add_failures(const model *m, struct progress_out *out)
{
        for (size_t i = 0; i < m->rows.n; i++) {
                const struct model_step *s = m->rows.v[i];
                size_t first = s->n_tail > MODEL_LAST ? s->n_tail - MODEL_LAST : 0;

                if (!s->error || step_cancelled(s))
                        continue;
                sw_buf_adds(&out->buf, "------\n > ");
                progress_add_name(&out->buf, s->name, out);
                sw_buf_adds(&out->buf, ":\n");
                for (size_t k = first; k < s->n_tail; k++) {
                        progress_add_line(&out->buf, s->tail[k % MODEL_TAIL], out);
                        sw_buf_addc(&out->buf, '\n');
                }
                sw_buf_adds(&out->buf, "------\n");
        }
}

/* ---- Output ---- */

static void
flush(struct progress_out *out)
{
        if (out->buf.len == 0)
                return;
        if (!out->failed)
                out->failed = sw_write_all(out->fd, out->buf.data, out->buf.len);
        out->written = sw_time_mono();
        sw_buf_clear(&out->buf);
}

static void
part_init(struct part *p, int fd)
{
        p->out = (struct progress_out){
                .fd = fd,
                .terminal = isatty(fd),
                .colour = term_colour(fd),
        };
        sw_buf_init(&p->out.buf);
        sw_buf_init(&p->out.above);
}

static void
part_step(struct part *p, model *m, const struct sw_progress_batch *b)
{
        if (!p->ops)
                return;
        p->ops->step(p->self, m, b, &p->out);
        flush(&p->out);
}

static void
part_end(struct part *p, model *m)
{
        if (!p->ops)
                return;
        if (p->ops->end)
                p->ops->end(p->self, m, &p->out);
        flush(&p->out);
}

static void
part_release(struct part *p)
{
        if (!p->ops)
                return;
        p->ops->free(p->self);
        sw_buf_release(&p->out.buf);
        sw_buf_release(&p->out.above);
}

/* ---- Modes ---- */

static const struct mode {
        const char *name;
        void *(*make)(const struct progress_printer **ops); /* NULL: nothing is shown */
} modes[] = {
        { "plain", plain_new },
        { "tty", tty_new },
        { "rawjson", rawjson_new },
        { "quiet", NULL },
};

static const char *
resolve_mode(int fd, const char *mode)
{
        const char *env = getenv("BUILDKIT_PROGRESS");

        if ((!mode || !*mode || sw_str_eq(mode, "auto")) && env && *env)
                mode = env;
        if (mode && *mode && !sw_str_eq(mode, "auto"))
                return mode;
        return isatty(fd) && !sw_str_eq(getenv("TERM"), "dumb") ? "tty" : "plain";
}

sw_err *
progress_open(const char *mode, progress **out)
{
        return progress_open_on(STDERR_FILENO, mode, out);
}

sw_err *
progress_open_on(int fd, const char *asked, progress **out)
{
        const char *name = resolve_mode(fd, asked);
        const struct mode *mode = NULL;
        progress *p;

        for (size_t i = 0; i < SW_COUNT(modes) && !mode; i++)
                if (sw_str_eq(name, modes[i].name))
                        mode = &modes[i];
        if (!mode)
                return sw_err_new(SW_E_USAGE,
                                  "invalid progress mode %s: auto, plain, tty, rawjson "
                                  "and quiet are known",
                                  name);
        if (sw_str_eq(mode->name, "tty") && !isatty(fd))
                return sw_err_new(SW_E_USAGE, "--progress tty: standard %s is no terminal",
                                  fd == STDERR_FILENO ? "error" : "output");
        p = sw_new(progress);
        p->mode = mode->name;
        part_init(&p->shown, fd);
        if (mode->make)
                p->shown.self = mode->make(&p->shown.ops);
        model_init(&p->model, p->shown.ops && p->shown.ops->lines);
        *out = p;
        return SW_OK;
}

const char *
progress_mode(const progress *p)
{
        return p->mode;
}

void
progress_log(progress *p, sw_log *log)
{
        if (p->shown.ops && p->shown.ops->above)
                logpipe_open(&p->log, log, p->shown.out.fd);
}

void
progress_trace(progress *p, int fd)
{
        part_init(&p->trace, fd);
        p->trace.self = rawjson_new(&p->trace.ops);
}

model *
progress_model(progress *p)
{
        return &p->model;
}

sw_err *
progress_trace_error(const progress *p, const char *name)
{
        if (!p->trace.ops || !p->trace.out.failed)
                return SW_OK;
        return sw_err_sys(SW_E_IO, p->trace.out.failed, "write %s", name);
}

sw_err *
progress_error(const progress *p)
{
        if (!p->shown.ops || !p->shown.out.failed)
                return SW_OK;
        return sw_err_sys(SW_E_IO, p->shown.out.failed, "show progress");
}

void
progress_take(progress *p, const struct sw_progress_batch *b)
{
        if (b) {
                model_take(&p->model, b);
                part_step(&p->trace, &p->model, b);
        }
        logpipe_read(&p->log, &p->shown.out.above);
        part_step(&p->shown, &p->model, b);
}

void
progress_end(progress *p)
{
        part_end(&p->trace, &p->model);
        logpipe_close(&p->log, &p->shown.out.above);
        part_end(&p->shown, &p->model);
}

void
progress_follow(progress *p, sw_subscription *sub)
{
        int64_t tick = p->shown.ops ? p->shown.ops->tick : 0;
        struct sw_progress_batch b;

        while (sw_progress_next(sub, tick ? tick : -1, &b)) {
                bool news = b.n_vertices || b.n_statuses || b.n_logs || b.n_warnings;

                progress_take(p, news ? &b : NULL);
                sw_progress_batch_release(&b);
        }
        sw_subscription_free(sub);
        progress_end(p);
}

void
progress_close(progress *p)
{
        if (!p)
                return;
        logpipe_close(&p->log, &p->shown.out.buf); /* the build never began */
        flush(&p->shown.out);
        part_release(&p->shown);
        part_release(&p->trace);
        model_release(&p->model);
        free(p);
}
