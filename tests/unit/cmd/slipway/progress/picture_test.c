/*
 * Pictures of models that are made here, for terminals of every size. Catches: more rows
 * than there are, rows that are too wide, steps of one stage apart, failed or running steps
 * that are not to be seen, folded steps that are counted wrong, rows that are written
 * though nothing of them is new, a picture that is drawn beside its place, sequences of
 * logs and names that a terminal would obey.
 */
#include <slipway/time.h>

#include "cmd/slipway/progress/logtext.h"
#include "cmd/slipway/progress/picture.h"
#include "cmd/slipway/progress/stepname.h"
#include "cmd/slipway/progress/width.h"
#include "tests/unit/unit.h"

#define NOW sw_time_now()

static void
vertex(model *m, const char *name, int64_t started, int64_t completed, bool cached,
       const char *error)
{
        struct sw_progress_vertex v = {
                .digest = sw_digest_of(name, strlen(name)),
                .name = name,
                .started = started,
                .completed = completed,
                .cached = cached,
                .error = error,
        };

        model_take(m, &(const struct sw_progress_batch){ .vertices = &v, .n_vertices = 1 });
}

/* The same whenever it is asked for, so that a rate is, too. */
static int64_t
test_began(void)
{
        static int64_t began;

        if (!began)
                began = NOW;
        return began;
}

/* One that is over took two seconds. */
static void
status(model *m, const char *name, const char *id, int64_t current, int64_t total,
       bool over)
{
        struct sw_progress_status s = {
                .vertex = sw_digest_of(name, strlen(name)),
                .id = id,
                .current = current,
                .total = total,
                .started = test_began() - 2 * SW_NS_PER_SEC,
                .completed = over ? test_began() : 0,
        };

        model_take(m, &(const struct sw_progress_batch){ .statuses = &s, .n_statuses = 1 });
}

static void
says(model *m, const char *name, const char *text)
{
        struct sw_progress_log l = {
                .vertex = sw_digest_of(name, strlen(name)),
                .stream = 1,
                .timestamp = NOW,
                .data = text,
                .len = strlen(text),
        };

        model_take(m, &(const struct sw_progress_batch){ .logs = &l, .n_logs = 1 });
}

struct stage {
        model m;
        struct picture p;
        struct screen s;
        sw_buf rows; /* of the last picture, with newlines; times are gone */
};

static void
stage_open(struct stage *g, size_t width, size_t height)
{
        model_init(&g->m, false);
        picture_init(&g->p);
        screen_init(&g->s);
        sw_buf_init(&g->rows);
        g->s.width = width;
        g->s.height = height;
}

static void
stage_close(struct stage *g)
{
        model_release(&g->m);
        picture_release(&g->p);
        screen_release(&g->s);
        sw_buf_release(&g->rows);
}

static void
draw(struct stage *g, bool final)
{
        sw_auto(sw_buf) out = SW_BUF_INIT;

        picture_make(&g->p, &g->m, &g->s, final);
        sw_buf_clear(&g->rows);
        for (size_t i = 0; i < g->s.next.n; i++) {
                sw_auto(sw_str) row = sw_strdup(g->s.next.v[i].text);
                size_t n = strlen(row);

                /* "    1.2s" at the end is of the clock */
                if (n > 4 && row[n - 1] == 's' && row[n - 3] == '.')
                        for (n -= 3; n > 0 && strchr("0123456789", row[n - 1]); n--)
                                ;
                while (n > 0 && row[n - 1] == ' ')
                        n--;
                row[n] = '\0';
                if (i > 0)
                        sw_buf_addf(&g->rows, "%s\n", row);
        }
        screen_paint(&g->s, &out);
}

#define shows(g, want) ck_assert_str_eq((g)->rows.data, (want))

START_TEST(stages_stand_together)
{
        struct stage g;

        stage_open(&g, 60, 24);
        vertex(&g.m, "[a 1/2] FROM x", NOW, NOW, false, NULL);
        vertex(&g.m, "[b 1/2] FROM y", NOW, NOW, false, NULL);
        vertex(&g.m, "[a 2/2] RUN one", NOW, 0, false, NULL);
        vertex(&g.m, "exporting to image", NOW, 0, false, NULL);
        vertex(&g.m, "[b 2/2] RUN two", NOW, 0, false, NULL);
        says(&g.m, "[b 2/2] RUN two", "hello\n");
        draw(&g, false);
        shows(&g, " => [a 1/2] FROM x\n => [a 2/2] RUN one\n => [b 1/2] FROM y\n"
                  " => [b 2/2] RUN two\n => => # hello\n => exporting to image\n");
        stage_close(&g);
}
END_TEST

START_TEST(folded)
{
        struct stage g;

        stage_open(&g, 60, 24);
        vertex(&g.m, "[internal] load x", NOW, NOW, false, NULL);
        vertex(&g.m, "[auth] y", NOW, NOW, false, NULL);
        for (int i = 0; i < 4; i++) {
                sw_auto(sw_str) name = sw_asprintf("[%d/5] COPY", i);
                vertex(&g.m, name, NOW, NOW, true, NULL);
                draw(&g, false);
                if (i == 2)
                        ck_assert(strstr(g.rows.data, "CACHED [2/5]"));
        }
        vertex(&g.m, "[internal] slow", NOW, 0, false, NULL);
        vertex(&g.m, "[internal] bad", NOW, NOW, false, "no");
        vertex(&g.m, "[5/5] RUN", NOW, NOW, false, "x: context canceled");
        draw(&g, true);
        shows(&g, " => 2 internal steps\n => 4 steps cached\n => [internal] slow\n"
                  " => ERROR [internal] bad\n => CANCELED [5/5] RUN\n");
        stage_close(&g);
}
END_TEST

/* With more than there is room for: what failed, what runs, then what ended last. */
START_TEST(the_most_interesting)
{
        struct stage g;

        stage_open(&g, 60, 12);
        for (int i = 0; i < 50; i++) {
                sw_auto(sw_str) name = sw_asprintf("[a %d/60] RUN %d", i, i);
                vertex(&g.m, name, NOW, NOW + i, false, i == 7 ? "bad" : NULL);
        }
        for (int i = 50; i < 53; i++) {
                sw_auto(sw_str) name = sw_asprintf("[a %d/60] RUN %d", i, i);
                vertex(&g.m, name, NOW, 0, false, NULL);
                says(&g.m, name, "1\n2\n3\n4\n5\n6\n7\n8\n");
        }
        draw(&g, false);
        ck_assert_uint_eq(g.s.shown.n, 11);
        shows(&g, " => 48 more steps done\n => ERROR [a 7/60] RUN 7\n => [a 49/60] RUN 49\n"
                  " => [a 50/60] RUN 50\n => => # 7\n => => # 8\n"
                  " => [a 51/60] RUN 51\n => => # 8\n => [a 52/60] RUN 52\n => => # 8\n");
        g.s.height = 5;
        draw(&g, false);
        shows(&g, " => ERROR [a 7/60] RUN 7\n => [a 50/60] RUN 50\n => and 2 more\n");
        stage_close(&g);
}
END_TEST

#define A "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define C "sha256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"

START_TEST(transfers)
{
        struct stage g;

        stage_open(&g, 100, 24);
        vertex(&g.m, "push", NOW - 2 * SW_NS_PER_SEC, 0, false, NULL);
        status(&g.m, "push", "pushing " A, 1000000, 1000000, true);
        status(&g.m, "push", "pushing " B, 1000000, 4000000, false);
        status(&g.m, "push", "pushing " C, 0, 7000000, false);
        status(&g.m, "push", "pushing " C ": exists", 0, 0, true);
        draw(&g, false);
        ck_assert(
                strstr(g.rows.data, " => => 1 of 2 transferred, 1 shared 2.00MB / 5.00MB"));
        ck_assert(strstr(g.rows.data, "[========>           ]"));
        ck_assert(
                strstr(g.rows.data, " => => pushing sha256:bbbbbbbbbbbb 1.00MB / 4.00MB"));
        ck_assert(strstr(g.rows.data, "[=====>              ]"));
        ck_assert(!strstr(g.rows.data, "aaaa") && !strstr(g.rows.data, "cccc"));
        status(&g.m, "push", "pushing " B, 4000000, 4000000, true);
        vertex(&g.m, "push", NOW - 2 * SW_NS_PER_SEC, NOW, false, NULL);
        draw(&g, true);
        ck_assert(strstr(g.rows.data,
                         " => => 2 transferred, 1 shared 5.00MB / 5.00MB 2.50MB/s"));
        ck_assert(!strstr(g.rows.data, "[==") && !strstr(g.rows.data, "bbbb"));
        stage_close(&g);

        /* nothing had to be sent */
        stage_open(&g, 100, 24);
        vertex(&g.m, "push", NOW, NOW, false, NULL);
        status(&g.m, "push", "pushing " A, 0, 9, false);
        status(&g.m, "push", "pushing " A ": exists", 0, 0, true);
        status(&g.m, "push", "pushing " B ": mounted", 0, 0, true);
        draw(&g, true);
        shows(&g, " => push\n => => 2 shared\n");
        stage_close(&g);
}
END_TEST

/* A line that a program draws again and again is shown as it stands now. */
START_TEST(lines_without_end)
{
        struct stage g;

        stage_open(&g, 60, 24);
        vertex(&g.m, "curl", NOW, 0, false, NULL);
        says(&g.m, "curl", "begins\n 10%\r 20%\r 30%");
        draw(&g, false);
        shows(&g, " => curl\n => => # begins\n => => #  30%\n");
        g.p.window = 1;
        draw(&g, false);
        shows(&g, " => curl\n => => #  30%\n");
        g.p.window = 0;
        draw(&g, false);
        shows(&g, " => curl\n");
        stage_close(&g);
}
END_TEST

/* ---- Every size ---- */

static unsigned seed;

static unsigned
dice(unsigned n)
{
        seed = seed * 1103515245 + 12345;
        return (seed >> 8) % n;
}

static const char *const nasty[] = {
        "[build 3/9] RUN x",
        "[\033[2J 1/2] FROM",
        "[internal] load",
        "[auth] x",
        "\xe6\xbc\xa2\xe5\xad\x97 \xe2\x9b\xb5 wide",
        "e\xcc\x81\xcc\x81 joined",
        "",
        "[",
        "[/] [[[",
        "a\nb\rc\td",
        "\xff\xfe not UTF-8 \xe2\x82",
        "exporting to image",
        "[linux/arm64->amd64 x 10/12] RUN long long long long long long long long long",
};

static void
something(struct stage *g)
{
        sw_auto(sw_str) name = sw_asprintf("%s%u", nasty[dice(SW_COUNT(nasty))], dice(40));
        unsigned what = dice(4);

        if (what == 0)
                says(&g->m, name,
                     "text \033[31mred\033[0m \033]0;t\007 \xe2\x80\xae\n\rmore");
        else if (what == 1)
                status(&g->m, name, dice(2) ? "x " A : nasty[dice(SW_COUNT(nasty))],
                       dice(1000), dice(1000), dice(2));
        else
                vertex(&g->m, name, dice(4) ? NOW - dice(100000) * 1000 : 0,
                       dice(2) ? NOW : 0, dice(3) == 0, dice(9) ? NULL : "failed");
}

static void
check_row(const struct stage *g, const struct screen_row *row)
{
        sw_auto(sw_buf) bare = SW_BUF_INIT;

        for (const char *p = row->text; *p; p++) {
                if (*p == '\033') {
                        size_t n = strspn(p + 1, "[0123456789;");

                        ck_assert_msg(p[1] == '[' && p[n + 1] == 'm', "%s", row->text);
                        p += n + 1;
                        continue;
                }
                ck_assert_msg((unsigned char) *p >= 0x20 && *p != 0x7f, "%s", row->text);
                sw_buf_addc(&bare, *p);
        }
        ck_assert_uint_eq(width_of(bare.data), row->columns);
        ck_assert_uint_lt(row->columns, g->s.width > 1 ? g->s.width : 2);
}

START_TEST(every_size)
{
        for (seed = 1; seed < 400; seed += 7) {
                unsigned first = seed;
                struct stage g;

                stage_open(&g, 1 + dice(120), 1 + dice(50));
                if (dice(2))
                        colours_init(&g.p.colours);
                for (int i = 0; i < 60; i++) {
                        something(&g);
                        if (dice(6))
                                continue;
                        draw(&g, false);
                        ck_assert_msg(g.s.shown.n < g.s.height || g.s.shown.n <= 2,
                                      "seed %u: %zu rows in %zu", first, g.s.shown.n,
                                      g.s.height);
                        for (size_t k = 0; k < g.s.shown.n; k++)
                                check_row(&g, &g.s.shown.v[k]);
                }
                draw(&g, true);
                for (size_t k = 0; k < g.s.shown.n; k++)
                        check_row(&g, &g.s.shown.v[k]);
                stage_close(&g);
                seed = first;
        }
}
END_TEST

/* ---- The screen ---- */

#define BEGIN "\033[?2026h\033[?25l\033[?7l"
#define END   "\033[J\033[?7h\033[?25h\033[?2026l"

static void
rows(struct screen *s, const char *const *all)
{
        for (; *all; all++)
                screen_add(s, *all, width_of(*all));
}

#define ROWS(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define paints(s, want)                                                                    \
        do {                                                                               \
                sw_auto(sw_buf) out_ = SW_BUF_INIT;                                        \
                screen_paint((s), &out_);                                                  \
                ck_assert_str_eq(out_.data, (want));                                       \
        } while (0)

START_TEST(only_what_changed)
{
        struct screen s;
        sw_auto(sw_buf) out = SW_BUF_INIT;

        (void) setenv("TERM", "xterm", 1);
        (void) unsetenv("XTERM_VERSION");
        (void) unsetenv("STY");
        screen_init(&s);
        rows(&s, ROWS("one", "two", "three"));
        paints(&s, BEGIN "\r\033[Jone\033[K\r\ntwo\033[K\r\nthree\033[K\r\n" END);
        rows(&s, ROWS("one", "two", "three"));
        paints(&s, "");
        rows(&s, ROWS("one", "2", "three"));
        paints(&s, BEGIN "\033[3A\r\r\n2\033[K\r\n\r\n" END);
        rows(&s, ROWS("one", "2"));
        paints(&s, BEGIN "\033[3A\r\r\n\r\n" END);
        rows(&s, ROWS("one", "2", "3"));
        paints(&s, BEGIN "\033[2A\r\r\n\r\n3\033[K\r\n" END);
        screen_clear(&s, &out);
        ck_assert_str_eq(out.data, "\033[3A\r\033[J");
        rows(&s, ROWS("one"));
        paints(&s, BEGIN "\rone\033[K\r\n" END);
        screen_forget(&s);
        rows(&s, ROWS("one"));
        paints(&s, BEGIN "\rone\033[K\r\n" END);
        screen_release(&s);
}
END_TEST

/* A row of 30 columns takes three of a terminal that has 10 now, where it is broken. */
START_TEST(narrower)
{
        for (int reflows = 0; reflows < 2; reflows++) {
                sw_auto(sw_buf) first = SW_BUF_INIT;
                struct screen s;

                (void) setenv("TERM", reflows ? "xterm" : "linux", 1);
                (void) unsetenv("TMUX");
                screen_init(&s);
                s.width = 40;
                screen_add(&s, "012345678901234567890123456789", 30);
                screen_add(&s, "", 0);
                screen_paint(&s, &first);
                s.width = 10;
                rows(&s, ROWS("x"));
                paints(&s, reflows ? BEGIN "\033[4A\r\033[Jx\033[K\r\n" END
                                   : BEGIN "\033[2A\r\033[Jx\033[K\r\n" END);
                screen_release(&s);
        }
}
END_TEST

/* ---- Names, logs ---- */

START_TEST(names)
{
        static const struct {
                const char *name, *stage, *text;
                bool internal;
        } cases[] = {
                { "[build 2/5] RUN make", "build", "RUN make", false },
                { "[build  2/12] RUN", "build", "RUN", false },
                { "[1/3] FROM x", "", "FROM x", false },
                { "[linux/arm64 build 2/5] RUN", "linux/arm64 build", "RUN", false },
                { "[internal] load x", NULL, "load x", true },
                { "[linux/amd64 internal] load", NULL, "load", true },
                { "[auth] a/b:pull token", NULL, "a/b:pull token", true },
                { "[context foo] load", NULL, "[context foo] load", false },
                { "[ -f x ] && y", NULL, "[ -f x ] && y", false },
                { "[x/2] a", NULL, "[x/2] a", false },
                { "[a1/2] a", NULL, "[a1/2] a", false },
                { "[1/] a", NULL, "[1/] a", false },
                { "[/1] a", NULL, "[/1] a", false },
                { "[]", NULL, "[]", false },
                { "[", NULL, "[", false },
                { "", NULL, "", false },
        };

        for (size_t i = 0; i < SW_COUNT(cases); i++) {
                struct step_name n;

                step_name_parse(cases[i].name, &n);
                ck_assert_str_eq(n.text, cases[i].text);
                ck_assert_int_eq(n.internal, cases[i].internal);
                ck_assert_int_eq(n.stage != NULL, cases[i].stage != NULL);
                if (n.stage) {
                        ck_assert_uint_eq(n.stage_len, strlen(cases[i].stage));
                        ck_assert(strncmp(n.stage, cases[i].stage, n.stage_len) == 0);
                }
        }
}
END_TEST

START_TEST(log_text)
{
        static const struct {
                const char *line, *colour, *bare;
        } cases[] = {
                { "plain", "plain", "plain" },
                { "a\tb", "a\tb", "a\tb" },
                { "\033[1;31mred\033[0m!", "\033[1;31mred\033[0m!\033[0m", "red!" },
                { "\033[2J\033[1;1Hgone", "gone", "gone" },
                { "\033]0;title\007x", "x", "x" },
                { "\033]8;;http://x\033\\link", "link", "link" },
                { "\033Pq#0\033\\x", "x", "x" },
                { "\033(0box\033(B", "box", "box" },
                { "\033[?1049hx", "x", "x" },
                { "\033[>4;1mx", "x", "x" },
                /* without their ends they are shown, not waited for */
                { "\033]0;title", "\\x1b]0;title", "\\x1b]0;title" },
                { "\033[31", "\\x1b[31", "\\x1b[31" },
                { "\033", "\\x1b", "\\x1b" },
                { "\033\033[31mx", "\\x1b\033[31mx\033[0m", "\\x1bx" },
                { "\xc2\x9b"
                  "31mx",
                  "\\xc2\\x9b31mx", "\\xc2\\x9b31mx" },
                { "a\rb\007", "a\\x0db\\x07", "a\\x0db\\x07" },
        };

        for (size_t i = 0; i < SW_COUNT(cases); i++) {
                sw_auto(sw_buf) with = SW_BUF_INIT;
                sw_auto(sw_buf) without = SW_BUF_INIT;

                logtext_add(&with, cases[i].line, true);
                ck_assert_str_eq(with.data, cases[i].colour);
                logtext_add(&without, cases[i].line, false);
                ck_assert_str_eq(without.data, cases[i].bare);
        }
        ck_assert_str_eq(logtext_last("10%\r20%\r"), "20%\r");
        ck_assert_str_eq(logtext_last("10%\r20%"), "20%");
        ck_assert_str_eq(logtext_last("\r\r"), "\r\r");
        ck_assert_str_eq(logtext_last(""), "");
}
END_TEST

UNIT_MAIN("picture", stages_stand_together, folded, the_most_interesting, transfers,
          lines_without_end, every_size, only_what_changed, narrower, names, log_text)
