/*
 * core/solver/trace_text.c - solver events as text, from the ring or from a file.
 *
 * A line is "time vertex what": `1.204ms v12.0 keys --inputs--> hit`. A file may hold
 * anything: every number is looked up with its bound, and printed as a number beyond it.
 * Thread: any.
 */
#include <unistd.h>

#include "core/solver/core.h"

static const char *
act_name(unsigned kind)
{
        static const char *const names[] = { "map", "content", "load", "run" };

        return kind < SW_COUNT(names) ? names[kind] : "?";
}

static const char *
stage_name(unsigned stage)
{
        static const char *const names[] = { "none", "keys", "more-keys", "content",
                                             "results" };

        return stage < SW_COUNT(names) ? names[stage] : "?";
}

static void
vertex_text(sw_buf *b, const struct sw__trace_event *e)
{
        unsigned long long n = e->number, arg = e->arg;

        switch (e->kind) {
        case SW__T_VERTEX:
                sw_buf_addf(b, "v%llu: made, %u inputs, digest ", n, e->c);
                for (unsigned i = 0; i < 8; i++)
                        sw_buf_addf(b, "%02x", (unsigned) (arg >> (8 * i)) & 0xff);
                sw_buf_adds(b, "...");
                break;
        case SW__T_GONE: sw_buf_addf(b, "v%llu: freed", n); break;
        case SW__T_EDGE:
                sw_buf_addf(b, "v%llu.%u: %s --%s--> %s", n, e->c,
                            sw__edge_state_name(e->a), sw__edge_event_name(e->b),
                            sw__edge_state_name((unsigned) arg));
                break;
        case SW__T_RUN:
                sw_buf_addf(b, "v%llu run: %s --%s--> %s", n, sw__run_state_name(e->a),
                            sw__run_event_name(e->b), sw__run_state_name((unsigned) arg));
                break;
        case SW__T_ACT:
                sw_buf_addf(b, "v%llu: %s %u begun", n, act_name(e->a), e->c);
                break;
        case SW__T_ACT_END:
                sw_buf_addf(b, "v%llu: %s %u %s%s", n, act_name(e->a), e->c,
                            e->b & 1 ? "failed: " : "done",
                            e->b & 1 ? sw_err_code_name((int) arg) : "");
                sw_buf_adds(b, e->b & 2 ? ", cancelled before" : "");
                break;
        case SW__T_LOOKUP:
                sw_buf_addf(b, "v%llu.%u: lookup: %s, %llu keys", n, e->c,
                            e->a ? "hit" : "miss", arg);
                break;
        case SW__T_STAGE:
                sw_buf_addf(b, "v%llu: inputs have %s", n, stage_name(e->a));
                break;
        case SW__T_WHY:
                sw_buf_addf(b, "v%llu: runs: %s, input %u", n, sw_why_name(e->a), e->c);
                break;
        }
}

static void
other_text(sw_buf *b, const struct sw__trace_event *e)
{
        unsigned long long n = e->number, arg = e->arg;

        switch (e->kind) {
        case SW__T_JOB: sw_buf_addf(b, "job %llu: begun", n); break;
        case SW__T_JOB_END: sw_buf_addf(b, "job %llu: ended", n); break;
        case SW__T_SOLVE: sw_buf_addf(b, "job %llu: solve of %u vertices", n, e->c); break;
        case SW__T_SOLVE_END:
                sw_buf_addf(b, "job %llu: solve %s", n, e->b ? "failed" : "succeeded");
                break;
        case SW__T_COMMIT: sw_buf_addf(b, "commit of %llu writes", arg); break;
        case SW__T_STORE_ERR:
                sw_buf_addf(b, "key store: %s", sw_err_code_name((int) arg));
                break;
        default: sw_buf_addf(b, "event of unknown kind %u", e->kind); break;
        }
}

void
sw__trace_text(sw_buf *out, const struct sw__trace_event *e, int64_t first)
{
        sw_buf_addf(out, "%12.6f ms  ",
                    (double) (int64_t) ((uint64_t) e->time - (uint64_t) first) / 1e6);
        if (e->kind >= SW__T_VERTEX && e->kind <= SW__T_WHY)
                vertex_text(out, e);
        else
                other_text(out, e);
        sw_buf_addc(out, '\n');
}

/* ---- files ---- */

/* Read @n bytes; *got fewer at the end of the file. */
static sw_err *
read_some(int fd, const char *name, void *p, size_t n, size_t *got)
{
        *got = 0;
        while (*got < n) {
                ssize_t r = read(fd, (char *) p + *got, n - *got);

                if (r < 0 && errno == EINTR)
                        continue;
                if (r < 0)
                        return sw_err_sys(SW_E_IO, errno, "read %s", name);
                if (r == 0)
                        break;
                *got += (size_t) r;
        }
        return SW_OK;
}

static sw_err *
check_head(const char *name, const struct sw__trace_head *h, size_t got)
{
        if (got < sizeof(*h) || h->magic != SW__TRACE_MAGIC)
                return sw_err_new(SW_E_INVALID,
                                  "%s is not a trace of the solver made on a machine of "
                                  "this byte order",
                                  name);
        if (h->event_size != sizeof(struct sw__trace_event))
                return sw_err_new(SW_E_INVALID,
                                  "%s was made by another version of slipway: its events "
                                  "have %u bytes, not %zu",
                                  name, h->event_size, sizeof(struct sw__trace_event));
        return SW_OK;
}

sw_err *
sw__trace_replay(int fd, const char *name,
                 sw_err *(*put)(void *arg, const char *text, size_t n), void *arg)
{
        struct sw__trace_event ev[256];
        struct sw__trace_head head;
        sw_auto(sw_buf) text = SW_BUF_INIT;
        uint64_t seen = 0;
        int64_t first = 0;
        size_t got;
        sw_err *err = read_some(fd, name, &head, sizeof(head), &got);

        if (!err)
                err = check_head(name, &head, got);
        if (!err && head.lost)
                sw_buf_addf(&text, "(%llu older events are lost)\n",
                            (unsigned long long) head.lost);
        while (!err) {
                err = read_some(fd, name, ev, sizeof(ev), &got);
                if (err || got < sizeof(ev[0]))
                        break;
                if (seen == 0)
                        first = ev[0].time;
                for (size_t i = 0; i < got / sizeof(ev[0]); i++, seen++)
                        sw__trace_text(&text, &ev[i], first);
                err = put(arg, text.data, text.len);
                sw_buf_clear(&text);
        }
        if (!err && text.len)
                err = put(arg, text.data, text.len);
        if (!err && seen != head.count)
                err = sw_err_new(SW_E_INVALID, "%s is cut off: %llu of %llu events", name,
                                 (unsigned long long) seen,
                                 (unsigned long long) head.count);
        return err;
}
