/*
 * tests/unit/cmd/slipway/table_test.c - tables and what may reach a terminal.
 *
 * Would catch: escape sequences that pass, columns that do not line up (also with UTF-8
 * and colours), cells that are lost where there is little room.
 */
#include "tests/unit/unit.h"

#include "cmd/slipway/table.h"
#include "cmd/slipway/term.h"

static const char *const heads[] = { "KIND", "NAME", "FILE", NULL };

static void
fill(table *t)
{
        table_add(t, "exporter");
        table_add_styled(t, "bäd", TABLE_BAD);
        table_add(t, "/usr/lib/slipway/plugins/exporter_bad.so");
        table_note(t, "the reason");
        table_add(t, "source");
        table_add(t, "x");
        table_add(t, "");
}

#define shows(text, expected)                                                              \
        do {                                                                               \
                sw_auto(sw_buf) b_ = SW_BUF_INIT;                                          \
                term_add_text(&b_, (text));                                                \
                ck_assert_str_eq(b_.data, (expected));                                     \
        } while (0)

START_TEST(harmful_text_is_escaped)
{
        shows("plain \"text\" \\ ü 漢 🙂", "plain \"text\" \\ ü 漢 🙂");
        shows("\033[31m", "\\x1b[31m");
        shows("a\nb\tc\x7f", "a\\x0ab\\x09c\\x7f");
        shows("\xc2\x9b"
              "31m",
              "\\xc2\\x9b31m"); /* CSI as one C1 control */
        shows("\xe2\x80\xae"
              "gpj",
              "\\xe2\\x80\\xaegpj"); /* right-to-left override */
        shows("\xe2\x81\xa6x", "\\xe2\\x81\\xa6x");
        shows("\xff\xc3(\xe2\x82", "\\xff\\xc3(\\xe2\\x82"); /* not UTF-8, cut short */
        shows("\xed\xa0\x80", "\\xed\\xa0\\x80");            /* surrogate */
        shows("\xc0\xaf", "\\xc0\\xaf");                     /* overlong */
}
END_TEST

START_TEST(columns_line_up)
{
        sw_auto(table) t = TABLE_INIT(heads);
        sw_auto(sw_buf) out = SW_BUF_INIT;

        fill(&t);
        table_print(&t, &out, 0, false);
        ck_assert_str_eq(out.data,
                         "KIND      NAME  FILE\n"
                         "exporter  bäd   /usr/lib/slipway/plugins/exporter_bad.so\n"
                         "    the reason\n"
                         "source    x\n");
}
END_TEST

START_TEST(last_column_is_cut_to_fit)
{
        sw_auto(table) t = TABLE_INIT(heads);
        sw_auto(sw_buf) out = SW_BUF_INIT;

        fill(&t);
        table_print(&t, &out, 40, false);
        ck_assert(strstr(out.data, "exporter  bäd   …plugins/exporter_bad.so\n"));
        for (char *line = out.data; *line;) {
                char *end = strchr(line, '\n');
                *end = '\0';
                ck_assert_uint_le(term_len(line), 40);
                line = end + 1;
        }
}
END_TEST

START_TEST(last_column_is_wrapped)
{
        sw_auto(table) t = TABLE_INIT(heads);
        sw_auto(sw_buf) out = SW_BUF_INIT;

        t.wrap = t.no_heads = true;
        table_add(&t, "a");
        table_add(&t, "b");
        table_add(&t, "some words that do not fit in one line");
        table_print(&t, &out, 30, false);
        ck_assert_str_eq(out.data, "a  b  some words that do not\n"
                                   "      fit in one line\n");
}
END_TEST

START_TEST(wide_cell_takes_a_line)
{
        sw_auto(table) t = TABLE_INIT(heads);
        sw_auto(sw_buf) out = SW_BUF_INIT;

        t.no_heads = true;
        table_add(&t, "much-too-wide-for-this");
        table_add(&t, "b");
        table_add(&t, "c");
        table_add(&t, "a");
        table_add(&t, "b");
        table_add(&t, "c");
        table_print(&t, &out, 30, false);
        ck_assert_str_eq(out.data, "much-too-wide-for-this\n"
                                   "   b  c\n"
                                   "a  b  c\n");
}
END_TEST

/* Colours are outside of what is counted, and only where asked for. */
START_TEST(colours)
{
        sw_auto(table) t = TABLE_INIT(heads);
        sw_auto(sw_buf) out = SW_BUF_INIT;

        fill(&t);
        table_print(&t, &out, 0, true);
        ck_assert(strstr(out.data, "exporter  \033[31mbäd\033[0m   /usr"));
        ck_assert(strstr(out.data, "source    x\n"));
}
END_TEST

START_TEST(hostile_cells)
{
        sw_auto(table) t = TABLE_INIT(heads);
        sw_auto(sw_buf) out = SW_BUF_INIT;

        table_add(&t, "\033]0;x\a");
        table_add(&t, "a\nb");
        table_add(&t, "c");
        table_note(&t, "note\033[2J");
        table_print(&t, &out, 0, false);
        ck_assert_ptr_null(strchr(out.data, '\033'));
        ck_assert_ptr_null(strchr(out.data, '\a'));
        ck_assert(strstr(out.data, "a\\x0ab"));
}
END_TEST

UNIT_MAIN("table", harmful_text_is_escaped, columns_line_up, last_column_is_cut_to_fit,
          last_column_is_wrapped, wide_cell_takes_a_line, colours, hostile_cells)
