/*
 * Unit tests of lib/dockerfile: what input can blow up, and how long large input takes.
 * Catches a limit that is gone or off by one, and work that grows faster than its input.
 */
#include <time.h>

#include <slipway/array.h>

#include "lib/dockerfile/expand.h"
#include "lib/dockerfile/instruct.h"
#include "lib/dockerfile/subst.h"
#include "tests/unit/unit.h"

static void
repeat(sw_buf *b, const char *s, size_t n)
{
        while (n-- > 0)
                sw_buf_adds(b, s);
}

static sw_err *
read_all(const sw_buf *b)
{
        struct sw_df_text text = { "Dockerfile", b->data, b->len };
        struct sw_df_lint lint = { 0 };
        sw_autoptr(sw_df_tree) tree = NULL;
        sw_autoptr(sw_df_program) prog = NULL;
        sw_err *err = sw_df_parse(&text, &tree);

        return err ? err : sw_df_program_new(tree, NULL, &lint, &prog);
}

/* CPU time of reading @b, the best of a few, ns. */
static int64_t
cost(const sw_buf *b)
{
        int64_t best = INT64_MAX;

        for (int i = 0; i < 5; i++) {
                struct timespec from, to;

                clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
                ok(read_all(b));
                clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
                int64_t ns = (to.tv_sec - from.tv_sec) * INT64_C(1000000000) + to.tv_nsec -
                             from.tv_nsec;

                best = ns < best ? ns : best;
        }
        return best;
}

START_TEST(length_of_lines)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;

        sw_buf_adds(&b, "FROM a\nRUN ");
        repeat(&b, "x", SW_DF_LINE_MAX - 4);
        ok(read_all(&b));
        sw_buf_addc(&b, '\n');
        ok(read_all(&b));
        sw_buf_truncate(&b, b.len - 1);
        sw_buf_adds(&b, "y\n");
        fails(read_all(&b), SW_E_INVALID,
              "dockerfile line greater than max allowed size of 65535");
        sw_buf_clear(&b);
        sw_buf_adds(&b, "FROM a\nCOPY <<E /x\n");
        repeat(&b, "x", SW_DF_LINE_MAX + 1);
        sw_buf_adds(&b, "\nE\n");
        fails(read_all(&b), SW_E_INVALID, "dockerfile line greater");
}
END_TEST

START_TEST(size_of_texts)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;

        sw_buf_adds(&b, "FROM a\n");
        repeat(&b, "#\n", SW_DF_TEXT_MAX / 2);
        fails(read_all(&b), SW_E_LIMIT, "larger than");
}
END_TEST

START_TEST(numbers_of_instructions)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;

        repeat(&b, "FROM a\n", SW_DF_NODES_MAX);
        ok(read_all(&b));
        repeat(&b, "FROM a\n", 1);
        fails(read_all(&b), SW_E_LIMIT, "more than 100000 instructions");
}
END_TEST

START_TEST(numbers_of_words)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;

        sw_buf_adds(&b, "FROM a\nEXPOSE ");
        repeat(&b, "1 \\\n", SW_DF_WORDS_MAX);
        ok(read_all(&b));
        repeat(&b, "1 \\\n", 1);
        fails(read_all(&b), SW_E_LIMIT, "more than 65536 words");
        sw_buf_clear(&b);
        sw_buf_adds(&b, "FROM a\nCMD [");
        repeat(&b, "\"\",\\\n", SW_DF_WORDS_MAX);
        sw_buf_adds(&b, "\"\"]\n");
        fails(read_all(&b), SW_E_LIMIT, "more than 65536 words");
        sw_buf_clear(&b);
        sw_buf_adds(&b, "FROM a\nCOPY ");
        repeat(&b, "--exclude=x \\\n", SW_DF_WORDS_MAX + 1);
        sw_buf_adds(&b, "a b\n");
        fails(read_all(&b), SW_E_LIMIT, "more than 65536 words");
}
END_TEST

START_TEST(numbers_of_heredocs)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;

        sw_buf_adds(&b, "FROM a\nRUN ");
        repeat(&b, "<<E ", SW_DF_HEREDOCS_MAX + 1);
        sw_buf_addc(&b, '\n');
        repeat(&b, "E\n", SW_DF_HEREDOCS_MAX + 1);
        fails(read_all(&b), SW_E_LIMIT, "more than 1000 here-documents");
}
END_TEST

/* Neither deep arrays nor a chain of ONBUILD may use up the stack. */
START_TEST(nesting)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;

        sw_buf_adds(&b, "FROM a\nCMD ");
        repeat(&b, "[", 30000);
        repeat(&b, "]", 30000);
        ok(read_all(&b));
        sw_buf_clear(&b);
        sw_buf_adds(&b, "FROM a\n");
        repeat(&b, "ONBUILD ", 8000);
        sw_buf_adds(&b, "RUN x\n");
        fails(read_all(&b), SW_E_INVALID, "Chaining ONBUILD");
}
END_TEST

static const char *
get(void *arg, const char *name, size_t len)
{
        (void) name;
        return len == 1 ? arg : NULL;
}

START_TEST(what_variables_make)
{
        sw_auto(sw_buf) value = SW_BUF_INIT, word = SW_BUF_INIT, out = SW_BUF_INIT;
        struct sw_df_lex lex = { .escape = '\\', .get = get };

        repeat(&value, "v", SW_DF_EXPAND_MAX);
        lex.arg = value.data;
        ok(sw_df_expand(&lex, "$a", &out));
        ck_assert_uint_eq(out.len, SW_DF_EXPAND_MAX);
        fails(sw_df_expand(&lex, "$a$a", &out), SW_E_LIMIT, "longer than");
        ck_assert_uint_eq(out.len, SW_DF_EXPAND_MAX);
        /* What is dropped in the end counts, too. */
        repeat(&word, "${bb+$a}", 1000);
        fails(sw_df_expand(&lex, word.data, &out), SW_E_LIMIT, "longer than");
        fails(sw_df_expand(&lex, "${a//?/0123456789}", &out), SW_E_LIMIT, "more than");
        fails(sw_df_expand(&lex,
                           "${a%%x*x*x*x*x*x*x*x*x*x*x*x*x*x*x*x*x*x*x*x*x*x*x*x*x*x*"
                           "x*x*x*x*x*x*x*x*x*x*x*x*x*x*x*x}",
                           &out),
              SW_E_LIMIT, "too long to be matched");
}
END_TEST

START_TEST(words_in_words)
{
        sw_auto(sw_buf) word = SW_BUF_INIT, out = SW_BUF_INIT;
        struct sw_df_lex lex = { .escape = '\\' };

        repeat(&word, "${x:-", SW_DF_EXPAND_DEEP);
        sw_buf_addc(&word, 'y');
        repeat(&word, "}", SW_DF_EXPAND_DEEP);
        ok(sw_df_expand(&lex, word.data, &out));
        ck_assert_str_eq(out.data, "y");
        sw_buf_clear(&word);
        repeat(&word, "${x:-", 30000);
        fails(sw_df_expand(&lex, word.data, &out), SW_E_LIMIT, "nested deeper than 100");
}
END_TEST

START_TEST(numbers_of_ports)
{
        sw_auto(sw_strlist) ports = { 0 };

        for (int i = 0; i < 4; i++)
                ok(sw_df_port_words("0-65535", NULL, NULL, &ports));
        fails(sw_df_port_words("1", NULL, NULL, &ports), SW_E_LIMIT, "EXPOSE of more than");
}
END_TEST

static void
count_told(void *arg, const struct sw_df_finding *f)
{
        (void) f;
        ++*(size_t *) arg;
}

/* Comments times names, findings times lines: products of two things that a text may have
 * many of. Without a bound each of these takes minutes. */
START_TEST(products)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;
        size_t told = 0;
        struct sw_df_lint lint = { .tell = count_told, .arg = &told };
        sw_autoptr(sw_df_tree) tree = NULL;
        sw_autoptr(sw_df_program) prog = NULL;

        sw_buf_adds(&b, "FROM a\n");
        repeat(&b, "# check=experimental=all;skip=FromAsCasing,FromAsCasing\n", 60000);
        sw_buf_adds(&b, "ARG ");
        repeat(&b, "token \\\n", 60000);
        sw_buf_adds(&b, "x\n");
        struct sw_df_text text = { "Dockerfile", b.data, b.len };

        ok(sw_df_parse(&text, &tree));
        ok(sw_df_program_new(tree, NULL, &lint, &prog));
        sw_df_lint_cmd(&lint, &prog->stages[0].cmds[0]);
        ck_assert_uint_eq(tree->nodes[1].n_comments, SW_DF_COMMENTS_MAX);
        ck_assert_uint_eq(told, SW_DF_FINDINGS_MAX);
        ck_assert(lint.found & UINT64_C(1) << SW_DF_RULE_SECRETS_USED);
}
END_TEST

/* 5 ms are what a thousand lines may take together with conversion. */
START_TEST(a_thousand_lines)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;

        repeat(&b,
               "FROM busybox AS b\nENV a=1 b=\"two words\" c=$a\nRUN echo one && \\\n"
               "    echo two\nCOPY --from=b --chown=1:2 a b /c/\nWORKDIR /x/$a\n"
               "# a comment\nCMD [\"a\", \"b\"]\nRUN <<E\necho $a\nE\n"
               "HEALTHCHECK --interval=1s CMD x\nEXPOSE 80 443\n",
               77);
        int64_t ns = cost(&b);

        printf("# 1,001 lines in %.2f ms\n", (double) ns / 1e6);
        if (!UNIT_SANITIZED)
                ck_assert_int_lt(ns, 5000000);
}
END_TEST

static const char *const growing[] = {
        "FROM a AS s%zu\n",   "RUN x\n",         "# comment\n", "ENV a%zu=\"$b\" c=d\n",
        "RUN a \\\n  b \\\n", "RUN <<E\nx\nE\n", "CMD x\n",     "\n",
};

static void
make_large(sw_buf *b, const char *line, size_t n)
{
        sw_buf_clear(b);
        sw_buf_adds(b, "FROM a\n");
        for (size_t i = 0; i < n; i++) {
                const char *at = strstr(line, "%zu");

                sw_buf_add(b, line, at ? (size_t) (at - line) : strlen(line));
                if (at)
                        sw_buf_addf(b, "%zu%s", i, at + 3);
        }
}

/* Ten times the input takes about ten times as long; a hundred would be quadratic. */
START_TEST(time_grows_with_input)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;
        size_t n = UNIT_SANITIZED ? 300 : 2000;

        for (size_t i = 0; i < SW_COUNT(growing); i++) {
                make_large(&b, growing[i], n);
                int64_t small = cost(&b);

                make_large(&b, growing[i], 10 * n);
                int64_t large = cost(&b);

                ck_assert_msg(large < 45 * small + 1000000, "%s: %lld ns, then %lld",
                              growing[i], (long long) small, (long long) large);
        }
}
END_TEST

UNIT_MAIN("dockerfile limits", length_of_lines, size_of_texts, numbers_of_instructions,
          numbers_of_words, numbers_of_heredocs, nesting, what_variables_make,
          words_in_words, numbers_of_ports, products, a_thousand_lines,
          time_grows_with_input)
