/*
 * Text on its way into a page. Catches: characters that end a tag or an attribute, text
 * that is turned around, escape sequences, names that are cut within a character.
 */
#include "cmd/slipway/report/report.h"
#include "tests/unit/unit.h"

static const char *
of(sw_buf *b, const char *s)
{
        sw_buf_clear(b);
        html_add(b, s);
        return b->data;
}

START_TEST(escapes)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;

        ck_assert_str_eq(of(&b, "<a href=\"x\" b='&'>"),
                         "&lt;a href=&quot;x&quot; b=&#39;&amp;&#39;&gt;");
        ck_assert_str_eq(of(&b, "caf\xc3\xa9 \xf0\x9f\x98\x80\tx\n"),
                         "caf\xc3\xa9 \xf0\x9f\x98\x80\tx\n");
        /* controls, DEL, a C1 control, bidirectional overrides and isolates, a BOM */
        ck_assert_str_eq(of(&b,
                            "\x01|\x7f|\xc2\x9b|\xe2\x80\xae|\xe2\x81\xa6|\xef\xbb\xbf"),
                         "\xef\xbf\xbd|\xef\xbf\xbd|\xef\xbf\xbd|\xef\xbf\xbd|\xef\xbf\xbd|"
                         "\xef\xbf\xbd");
        /* broken UTF-8: a lone byte, one that is cut off, one that is too long */
        ck_assert_str_eq(of(&b, "\xff<\xe2\x80"),
                         "\xef\xbf\xbd&lt;\xef\xbf\xbd\xef\xbf\xbd");
        ck_assert_str_eq(of(&b, "\xc0\xbc"), "\xef\xbf\xbd\xef\xbf\xbd");
}
END_TEST

START_TEST(cuts)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;

        html_add_cut(&b, "\xc3\xa9\xc3\xa9\xc3\xa9", 2);
        ck_assert_str_eq(b.data, "\xc3\xa9\xc3\xa9\xe2\x80\xa6");
        sw_buf_clear(&b);
        html_add_cut(&b, "a\nb<", 4);
        ck_assert_str_eq(b.data, "a b&lt;");
}
END_TEST

static const char *
log_of(sw_buf *b, const char *s)
{
        sw_buf_clear(b);
        html_add_log(b, s, strlen(s));
        return b->data;
}

START_TEST(logs)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;

        ck_assert_str_eq(log_of(&b, "\033[1;31mred\033[0m <b>\n"), "red &lt;b&gt;\n");
        ck_assert_str_eq(log_of(&b, "\033]0;title\atext\033]8;;u\033\\link"), "textlink");
        ck_assert_str_eq(log_of(&b, "10%\r50%\r100%\r\nnext\r\n"), "100%\nnext\n");
        ck_assert_str_eq(log_of(&b, "\033[12"), ""); /* cut off */
        ck_assert_str_eq(log_of(&b, "a\033"), "a");
}
END_TEST

START_TEST(times)
{
        static const struct {
                int64_t ns;
                const char *text;
        } cases[] = {
                { 0, "0 ms" },
                { 999999999, "999 ms" },
                { 1500000000, "1.5 s" },
                { 65000000000, "1 min 05 s" },
                { 7260000000000, "2 h 01 min" },
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
                sw_auto(sw_buf) b = SW_BUF_INIT;

                html_add_time(&b, cases[i].ns);
                ck_assert_str_eq(b.data, cases[i].text);
        }
}
END_TEST

UNIT_MAIN("html", escapes, cuts, logs, times)
