/*
 * tests/fuzz/progress_fuzz.c - stories in any order: the model, and every printer. Rows of
 * a picture fit the terminal and hold nothing that it obeys but colours; names and log
 * lines are anything.
 */
#include <slipway/time.h>

#include "cmd/slipway/progress/logtext.h"
#include "cmd/slipway/progress/picture.h"
#include "cmd/slipway/progress/progress.h"
#include "cmd/slipway/progress/width.h"
#include "tests/fuzz/fuzz.h"

/* What is left of the input. */
struct input {
        const uint8_t *p;
        size_t n;
};

static unsigned
byte(struct input *in)
{
        if (in->n == 0)
                return 0;
        in->n--;
        return *in->p++;
}

/* Text without NUL, from malloc. */
static char *
text(struct input *in)
{
        size_t n = byte(in) % 64;
        char *s;

        if (n > in->n)
                n = in->n;
        s = sw_strndup((const char *) in->p, n);
        in->p += n;
        in->n -= n;
        return s;
}

static int64_t
moment(struct input *in)
{
        unsigned b = byte(in);

        return b < 64 ? 0 : sw_time_now() - (int64_t) b * SW_NS_PER_MS;
}

struct batch {
        struct sw_progress_batch b;
        struct sw_progress_vertex v;
        struct sw_progress_status s;
        struct sw_progress_log l;
        struct sw_progress_warning w;
        char *name, *other;
};

static void
make(struct batch *t, struct input *in)
{
        unsigned what = byte(in), which = byte(in) % 8;
        sw_digest d = { .b = { (uint8_t) which } };

        *t = (struct batch){ .name = text(in), .other = text(in) };
        t->v = (struct sw_progress_vertex){
                .digest = d,
                .name = t->name,
                .group_id = what & 16 ? "g" : NULL,
                .group_name = what & 16 ? t->other : NULL,
                .group_weak = what & 32,
                .cached = what & 64,
                .error = what & 128 ? t->other : NULL,
                .started = moment(in),
                .completed = moment(in),
                .why = (enum sw_why)(byte(in) % SW_WHY_COUNT),
        };
        t->s = (struct sw_progress_status){
                .vertex = d,
                .id = t->name,
                .current = (int64_t) byte(in) * 1000 - 1000,
                .total = (int64_t) byte(in) * 1000 - 1000,
                .timestamp = moment(in),
                .started = moment(in),
                .completed = moment(in),
        };
        t->l = (struct sw_progress_log){ .vertex = d,
                                         .stream = (int) (what & 3),
                                         .timestamp = moment(in),
                                         .data = t->name,
                                         .len = strlen(t->name) };
        t->w = (struct sw_progress_warning){ .vertex = d,
                                             .text = t->name,
                                             .url = t->other };
        t->b.vertices = &t->v;
        t->b.n_vertices = what % 4 == 0;
        t->b.statuses = &t->s;
        t->b.n_statuses = what % 4 == 1;
        t->b.logs = &t->l;
        t->b.n_logs = what % 4 == 2;
        t->b.warnings = &t->w;
        t->b.n_warnings = what % 4 == 3;
}

static void
check_row(const struct screen_row *row, size_t width)
{
        sw_auto(sw_buf) bare = SW_BUF_INIT;

        for (const char *p = row->text; *p; p++) {
                if (*p == '\033') {
                        size_t n = strspn(p + 1, "[0123456789;");

                        fuzz_check(p[1] == '[' && p[n + 1] == 'm');
                        p += n + 1;
                        continue;
                }
                fuzz_check((unsigned char) *p >= 0x20 && *p != 0x7f);
                sw_buf_addc(&bare, *p);
        }
        fuzz_check(width_of(bare.data) == row->columns);
        fuzz_check(row->columns < width || width == 1);
}

static void
check_picture(model *m, struct picture *p, struct screen *s, bool final)
{
        sw_auto(sw_buf) out = SW_BUF_INIT;

        picture_make(p, m, s, final);
        fuzz_check(final || s->next.n < s->height || s->next.n <= 2);
        for (size_t i = 0; i < s->next.n; i++)
                check_row(&s->next.v[i], s->width);
        screen_paint(s, &out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static void *(*const makers[])(
                const struct progress_printer **) = { plain_new, tty_new, rawjson_new };
        struct input in = { data, size };
        const struct progress_printer *ops;
        struct progress_out out = { .fd = -1, .colour = true };
        unsigned what = byte(&in);
        void *self = makers[what % 3](&ops);
        struct picture picture;
        struct screen screen;
        model m;

        out.terminal = what & 64;
        sw_buf_init(&out.buf);
        sw_buf_init(&out.above);
        picture_init(&picture);
        screen_init(&screen);
        if (what & 128)
                colours_init(&picture.colours);
        model_init(&m, ops->lines);
        while (in.n > 0) {
                struct batch t;

                make(&t, &in);
                model_take(&m, &t.b);
                ops->step(self, &m, &t.b, &out);
                sw_buf_clear(&out.buf);
                if (byte(&in) % 4 == 0) {
                        screen.width = 1 + byte(&in) % 140;
                        screen.height = 1 + byte(&in) % 60;
                        check_picture(&m, &picture, &screen, false);
                }
                free(t.name);
                free(t.other);
        }
        check_picture(&m, &picture, &screen, true);
        if (ops->end)
                ops->end(self, &m, &out);
        ops->free(self);
        picture_release(&picture);
        screen_release(&screen);
        sw_buf_release(&out.buf);
        sw_buf_release(&out.above);
        model_release(&m);
        return 0;
}
