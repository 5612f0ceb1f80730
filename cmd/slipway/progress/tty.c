/*
 * cmd/slipway/progress/tty.c - progress redrawn in place on a terminal.
 *
 *      [+] Building 12.3s (4/7)
 *       => CACHED [1/4] base                                                        0.0s
 *       => [2/4] cc -c main.c                                                       8.1s
 *       => => # main.c:3: note: ...
 *       => => unpacking 12.00MB / 40.00MB                                           0.8s
 *
 * The whole picture is drawn each time, one write for all of it: the cursor goes up over
 * what was drawn last, each line is cleared as it is written again, what is left over
 * below is cleared too. As many rows as the terminal has: ended steps go first when there
 * are more. Everything from outside is harmless and cut to the width in columns, wide and
 * combining characters counted as terminals show them.
 * Thread: main.
 */
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include <slipway/text.h>
#include <slipway/time.h>

#include "cmd/slipway/progress/colour.h"
#include "cmd/slipway/progress/progress.h"
#include "cmd/slipway/progress/width.h"
#include "cmd/slipway/term.h"

#define TICK        (150 * SW_NS_PER_MS)
#define LEAST       (100 * SW_NS_PER_MS) /* between two drawings */
#define LOG_WINDOW  6
#define LOG_MAX     100
#define STATUS_ROWS 8 /* of one step */
#define BAR         20

struct tty {
        struct colours colours;
        size_t drawn; /* rows on the screen */
        int64_t last; /* monotonic */
        int64_t rate;
        int64_t took; /* set at the end */
        size_t window;
        size_t width, height;
};

/* Rows of one drawing. */
struct drawing {
        sw_buf *b;
        const struct tty *t;
        size_t rows;
        bool final; /* there is room for everything */
};

/* ---- Rows ---- */

/* One row: text cut to what fits, and at the right end how long it took. */
static void
add_row(struct drawing *d, const char *text, const char *right, const char *colour)
{
        size_t right_len = right ? strlen(right) : 0;
        size_t room = d->t->width - right_len - (right_len ? 1 : 0);
        size_t used;

        if (colour)
                sw_buf_adds(d->b, colour);
        used = width_add(d->b, text, room);
        if (right) {
                term_pad(d->b, room - used + 1);
                sw_buf_adds(d->b, right);
        }
        if (colour)
                sw_buf_adds(d->b, "\033[0m");
        sw_buf_adds(d->b, "\033[K\n");
        d->rows++;
}

static void
seconds(char out[32], double s)
{
        (void) snprintf(out, 32, "%.1fs", s);
}

static void
add_bar(sw_buf *b, int64_t current, int64_t total)
{
        int64_t done = total > 0 ? current * BAR / total : 0;

        if (total <= 0)
                return;
        sw_buf_adds(b, " [");
        for (int64_t i = 0; i < BAR; i++)
                sw_buf_addc(b, i < done ? '=' : i == done ? '>' : ' ');
        sw_buf_addc(b, ']');
}

static void
add_status(struct drawing *d, const struct model_status *st)
{
        sw_auto(sw_buf) text = SW_BUF_INIT;
        int64_t end = st->completed ? st->completed : sw_time_now();
        char took[32] = "";

        sw_buf_adds(&text, " => => ");
        term_add_text(&text, st->id);
        progress_add_amount(&text, st->current, st->total);
        if (!st->completed)
                add_bar(&text, st->current, st->total);
        if (st->started)
                seconds(took, end > st->started ? (double) (end - st->started) / 1e9 : 0);
        add_row(d, text.data, took, st->completed ? d->t->colours.done : NULL);
}

static void
add_statuses(struct drawing *d, const struct model_step *s)
{
        size_t n = s->statuses.n;
        size_t first = n > STATUS_ROWS && !d->final ? n - STATUS_ROWS : 0;

        if (s->completed && !d->final)
                return;
        for (size_t i = first; i < n; i++)
                add_status(d, &s->statuses.v[i]);
}

/* The last lines that a step printed, with room for more so that rows do not jump. */
static void
add_window(struct drawing *d, const struct model_step *s)
{
        size_t n = s->n_tail < d->t->window ? s->n_tail : d->t->window;

        if (!step_running(s) || s->n_tail == 0)
                return;
        for (size_t i = s->n_tail - n; i < s->n_tail; i++) {
                sw_auto(sw_buf) text = SW_BUF_INIT;
                const char *line = s->tail[i % MODEL_TAIL];

                sw_buf_adds(&text, " => => # ");
                line = strchr(line, ' ') ? strchr(line, ' ') + 1 : line;
                for (; *line; line++) /* a tab would be as wide as it likes */
                        sw_buf_addc(&text, *line == '\t' ? ' ' : *line);
                sw_auto(sw_buf) harmless = SW_BUF_INIT;
                term_add_text(&harmless, text.data);
                add_row(d, harmless.data, NULL, d->t->colours.log);
        }
}

static const char *
step_colour(const struct tty *t, const struct model_step *s)
{
        if (step_cancelled(s))
                return t->colours.cancel;
        if (s->error)
                return t->colours.error;
        return s->completed ? t->colours.done : NULL;
}

static void
add_step(struct drawing *d, const struct model_step *s)
{
        sw_auto(sw_buf) text = SW_BUF_INIT;
        char took[32];

        sw_buf_adds(&text, " => ");
        if (step_cancelled(s))
                sw_buf_adds(&text, "CANCELED ");
        else if (s->error)
                sw_buf_adds(&text, "ERROR ");
        else if (s->cached)
                sw_buf_adds(&text, "CACHED ");
        sw_auto(sw_str) name = sw_strdup(s->name);
        for (char *p = name; *p; p++)
                if (*p == '\n' || *p == '\r' || *p == '\t')
                        *p = ' ';
        term_add_text(&text, name);
        seconds(took, step_seconds(s));
        add_row(d, text.data, took, step_colour(d->t, s));
        add_statuses(d, s);
        for (size_t i = 0; i < s->warnings.n; i++) {
                sw_auto(sw_buf) warning = SW_BUF_INIT;
                sw_buf_adds(&warning, " => => WARN: ");
                term_add_text(&warning, s->warnings.v[i]);
                add_row(d, warning.data, NULL, d->t->colours.warning);
        }
        add_window(d, s);
}

/* ---- The picture ---- */

static void
measure(struct tty *t, int fd)
{
        struct winsize ws;

        t->width = term_width(fd);
        t->height = 24;
        if (ioctl(fd, TIOCGWINSZ, &ws) == 0 && ws.ws_row >= 4)
                t->height = ws.ws_row;
        if (t->width < 20)
                t->width = 80;
        t->width--; /* the last column would wrap on some terminals */
}

static size_t
rows_of(const struct tty *t, const struct model_step *s)
{
        size_t n = 1 + s->warnings.n;

        if (!s->completed)
                n += s->statuses.n > STATUS_ROWS ? STATUS_ROWS : s->statuses.n;
        if (step_running(s))
                n += s->n_tail < t->window ? s->n_tail : t->window;
        return n;
}

static void
add_header(struct drawing *d, const model *m, bool finished)
{
        size_t done = 0, all = 0;
        char text[96];
        double took = (double) (sw_time_mono() - m->began) / 1e9;

        for (size_t i = 0; i < m->rows.n; i++) {
                all += m->rows.v[i]->started != 0;
                done += m->rows.v[i]->completed != 0;
        }
        (void) snprintf(text, sizeof(text), "[+] Building %.1fs (%zu/%zu)%s", took, done,
                        all, finished ? " FINISHED" : "");
        add_row(d, text, NULL, finished ? d->t->colours.done : NULL);
}

static void
draw(struct tty *t, const model *m, struct progress_out *out, bool final)
{
        struct drawing d = { .b = &out->buf, .t = t, .final = final };
        size_t rows = 1, room;

        measure(t, out->fd);
        room = t->height - 1;
        sw_buf_adds(d.b, "\033[?25l");
        if (t->drawn)
                sw_buf_addf(d.b, "\033[%zuA\r", t->drawn);
        add_header(&d, m, final);
        for (size_t i = 0; i < m->rows.n; i++)
                if (m->rows.v[i]->started)
                        rows += rows_of(t, m->rows.v[i]);
        for (size_t i = 0; i < m->rows.n; i++) {
                const struct model_step *s = m->rows.v[i];
                size_t n = rows_of(t, s);

                if (!s->started)
                        continue;
                /* Too many: what has ended is not looked at any more. */
                if (!final && rows > room && s->completed && !s->error) {
                        rows -= n;
                        continue;
                }
                if (!final && d.rows + n > room)
                        break;
                add_step(&d, s);
        }
        sw_buf_adds(d.b, final ? "\033[J\033[?25h" : "\033[J");
        t->drawn = final ? 0 : d.rows;
}

static void
tty_step(void *self, model *m, const struct sw_progress_batch *b, struct progress_out *out)
{
        struct tty *t = self;
        int64_t now = sw_time_mono();

        (void) b;
        if (t->last && now - t->last < t->rate)
                return;
        t->last = now;
        draw(t, m, out, false);
}

static void
tty_end(void *self, model *m, struct progress_out *out)
{
        draw(self, m, out, true);
        progress_add_failures(m, out);
}

void *
tty_new(const struct progress_printer **ops)
{
        static const struct progress_printer printer = {
                .step = tty_step,
                .end = tty_end,
                .free = free,
                .tick = TICK,
        };
        struct tty *t = sw_new(struct tty);
        const char *lines = getenv("BUILDKIT_TTY_LOG_LINES"),
                   *rate = getenv("TTY_DISPLAY_RATE");
        int64_t n;

        t->window = LOG_WINDOW;
        t->rate = LEAST;
        if (lines && colours_init(&t->colours)) {
                n = LOG_WINDOW;
                sw_err_drop(sw_parse_int(lines, 0, LOG_MAX, &n), "the default holds");
                t->window = n > MODEL_TAIL ? MODEL_TAIL : (size_t) n;
        } else if (!lines) {
                (void) colours_init(&t->colours);
        }
        if (rate) {
                n = LEAST / SW_NS_PER_MS;
                sw_err_drop(sw_parse_int(rate, 1, 10000, &n), "the default holds");
                t->rate = n * SW_NS_PER_MS;
        }
        *ops = &printer;
        return t;
}
