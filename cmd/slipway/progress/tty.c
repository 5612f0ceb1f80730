/*
 * cmd/slipway/progress/tty.c - progress redrawn in place on a terminal: when something is
 * new, and for the clock, but not more often than eyes can follow. What is drawn is
 * picture.c's, how is screen.c's.
 * Thread: main.
 */
#include <slipway/text.h>
#include <slipway/time.h>

#include "cmd/slipway/progress/picture.h"
#include "cmd/slipway/progress/progress.h"

#define TICK  (150 * SW_NS_PER_MS)
#define LEAST (100 * SW_NS_PER_MS) /* between two drawings */
#define STOPPED                                                                            \
        (2 * SW_NS_PER_SEC) /* so long without one: the program was suspended, and         \
                               a shell wrote where the picture was */

struct tty {
        struct picture picture;
        struct screen screen;
        int64_t last; /* monotonic */
        int64_t rate;
        bool begun;
};

/* A number of the environment, or what is there already. */
static void
read_number(const char *name, int64_t min, int64_t max, int64_t *n)
{
        const char *text = getenv(name);

        if (text)
                sw_err_drop(sw_parse_int(text, min, max, n), "the default holds");
}

/* As the reference has it, the lines of logs are looked for where there are colours only.
 */
static void
begin(struct tty *t, const struct progress_out *out)
{
        int64_t window = PICTURE_WINDOW;

        if (t->begun)
                return;
        t->begun = true;
        if (!out->colour)
                return;
        colours_init(&t->picture.colours);
        read_number("BUILDKIT_TTY_LOG_LINES", 0, MODEL_TAIL, &window);
        t->picture.window = (size_t) window;
}

/* What others had to say in the place of the picture, which is drawn anew below. */
static void
put_above(struct tty *t, struct progress_out *out)
{
        if (out->above.len == 0)
                return;
        screen_measure(&t->screen, out->fd);
        screen_clear(&t->screen, &out->buf);
        sw_buf_add(&out->buf, out->above.data, out->above.len);
        sw_buf_clear(&out->above);
}

static void
tty_step(void *self, model *m, const struct sw_progress_batch *b, struct progress_out *out)
{
        struct tty *t = self;
        int64_t now = sw_time_mono();

        (void) b;
        if (t->last && now - t->last < t->rate)
                return;
        put_above(t, out);
        if (out->written && now - out->written > STOPPED + t->rate)
                screen_forget(&t->screen);
        begin(t, out);
        t->last = now;
        screen_measure(&t->screen, out->fd);
        picture_make(&t->picture, m, &t->screen, false);
        screen_paint(&t->screen, &out->buf);
}

static void
tty_end(void *self, model *m, struct progress_out *out)
{
        struct tty *t = self;

        begin(t, out);
        put_above(t, out);
        screen_measure(&t->screen, out->fd);
        picture_make(&t->picture, m, &t->screen, true);
        screen_paint_last(&t->screen, &out->buf);
        progress_add_failures(m, out);
}

static void
tty_free(void *self)
{
        struct tty *t = self;

        screen_release(&t->screen);
        picture_release(&t->picture);
        free(t);
}

void *
tty_new(const struct progress_printer **ops)
{
        static const struct progress_printer printer = {
                .step = tty_step,
                .end = tty_end,
                .free = tty_free,
                .tick = TICK,
                .above = true,
        };
        struct tty *t = sw_new(struct tty);
        int64_t rate = LEAST / SW_NS_PER_MS;

        screen_init(&t->screen);
        picture_init(&t->picture);
        read_number("TTY_DISPLAY_RATE", 1, 10000, &rate);
        t->rate = rate * SW_NS_PER_MS;
        *ops = &printer;
        return t;
}
