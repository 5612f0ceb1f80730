/*
 * What is shown of a source, and what is hinted at, after a failure. Catches: excerpts that
 * are not the reference's to the byte, carets beside their word, lines that are not there,
 * sequences that a terminal would obey, hints that fit something else.
 */
#include "cmd/slipway/build/excerpt.h"
#include "cmd/slipway/build/hints.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <slipway/array.h>

#define RULE "--------------------\n"

/* @text with lines @first to @last marked; caret from @from up to @to. */
static void
shows(const char *text, int first, int last, int from, int to, const char *want)
{
        const struct sw_llb_range range = { .start_line = first, .end_line = last };
        const struct excerpt x = {
                .file = "Dockerfile",
                .data = text,
                .len = strlen(text),
                .ranges = &range,
                .n_ranges = 1,
                .first_char = from,
                .end_char = to,
                .width = 40,
        };
        sw_auto(sw_buf) b = SW_BUF_INIT;

        excerpt_add(&b, &x);
        ck_assert_str_eq(b.data, want);
}

START_TEST(excerpts)
{
        /* one line: two around it; at an end of the text not more on the other side */
        shows("1\n2\n3\n4\n5\n6\n7", 4, 4, 0, 0,
              "Dockerfile:4\n" RULE "   2 |     2\n   3 |     3\n   4 | >>> 4\n"
              "   5 |     5\n   6 |     6\n" RULE);
        shows("1\n2\n3\n4\n5\n6\n7", 1, 1, 0, 0,
              "Dockerfile:1\n" RULE "   1 | >>> 1\n   2 |     2\n   3 |     3\n" RULE);
        shows("1\n2\n3\n4\n5\n6\n7", 7, 7, 0, 0,
              "Dockerfile:7\n" RULE "   5 |     5\n   6 |     6\n   7 | >>> 7\n" RULE);
        /* several: one around them */
        shows("1\n2\n3\n4\n5\n6\n7", 3, 4, 0, 0,
              "Dockerfile:3\n" RULE "   2 |     2\n   3 | >>> 3\n   4 | >>> 4\n"
              "   5 |     5\n" RULE);
        /* what is behind the last newline is a line */
        shows("FROM x\nRUN y\n", 1, 1, 0, 0,
              "Dockerfile:1\n" RULE
              "   1 | >>> FROM x\n   2 |     RUN y\n   3 |     \n" RULE);
        shows("FROM x\r\nRUN y\r\n", 2, 2, 0, 0,
              "Dockerfile:2\n" RULE
              "   1 |     FROM x\n   2 | >>> RUN y\n   3 |     \n" RULE);
        shows("1\n2", 2, 9, 0, 0,
              "Dockerfile:2\n" RULE "   1 |     1\n   2 | >>> 2\n" RULE);
        shows("1\n2", 3, 3, 0, 0, "");
        shows("1\n2", 0, 0, 0, 0, "");
        shows("1\n2", -1, 1, 0, 0, "");
        shows("", 1, 1, 0, 0, "Dockerfile:1\n" RULE "   1 | >>> \n" RULE);
        shows("a\033[2Jb\tc", 1, 1, 0, 0,
              "Dockerfile:1\n" RULE "   1 | >>> a\\x1b[2Jb\tc\n" RULE);
}
END_TEST

START_TEST(carets)
{
#define ONE(line, marks) "Dockerfile:1\n" RULE "   1 | >>> " line "\n" marks RULE
        shows("RUNN make", 1, 1, 1, 5, ONE("RUNN make", "     |     ^^^^\n"));
        shows("COPY a b", 1, 1, 6, 7, ONE("COPY a b", "     |          ^\n"));
        /* the same tabs below; wide characters are as wide */
        shows("ARG\t漢=字x", 1, 1, 9, 12, ONE("ARG\t漢=字x", "     |        \t   ^^\n"));
        /* up to the end of the line, at least one, not beyond it */
        shows("RUN x", 1, 1, 5, 99, ONE("RUN x", "     |         ^\n"));
        shows("RUN x", 1, 1, 5, 0, ONE("RUN x", "     |         ^\n"));
        shows("RUN x", 1, 1, 5, 3, ONE("RUN x", "     |         ^\n"));
        shows("RUN x", 1, 1, 6, 7, ONE("RUN x", ""));
        /* a terminal of 40 columns breaks this line: no caret can stand below its word */
        shows("RUN 3456789012345678901234567 wrong", 1, 1, 31, 36,
              ONE("RUN 3456789012345678901234567 wrong", ""));
        /* of several lines, the first has it */
        shows("A b\nC", 1, 2, 3, 4,
              "Dockerfile:1\n" RULE "   1 | >>> A b\n     |       ^\n   2 | >>> C\n" RULE);
}
END_TEST

/* ---- Hints ---- */

static bool user; /* who is not root */

static void
hints(const char *message, const char *name, const char *log, const char *context,
      const char *want)
{
        char *line = log ? sw_asprintf("0.123 %s", log) : NULL;
        struct model_step step = { .name = (char *) (uintptr_t) name,
                                   .tail = { line },
                                   .n_tail = line ? 1 : 0 };
        const struct hint_case c = { .message = message,
                                     .not_root = user,
                                     .step = name ? &step : NULL,
                                     .context = context };
        sw_auto(sw_buf) b = SW_BUF_INIT;

        hints_add(&b, &c);
        free(line);
        if (!want) {
                ck_assert_str_eq(b.data, "");
                return;
        }
        ck_assert_msg(strstr(b.data, want), "%s: %s", message, b.data);
        ck_assert(strncmp(b.data, "hint: ", 6) == 0);
        ck_assert(strchr(b.data, '\n') == b.data + b.len - 1);
}

#define FAILED(code) "process \"x\" did not complete successfully: exit code: " code

START_TEST(commands)
{
        hints(FAILED("127 (command not found)"), "RUN x", "/bin/sh: 1: cc: not found", NULL,
              "hint: cc is not in this image");
        hints(FAILED("127"), "RUN x", "sh: make: command not found", NULL, "hint: make is");
        hints("crun: executable file `cc` not found in $PATH: No such file or directory",
              "RUN x", NULL, NULL, "hint: cc is not in this image");
        hints("exec: \"cc\": executable file not found in $PATH", "RUN x", NULL, NULL,
              "hint: cc is not in this image");
        hints("x did not complete successfully: crun: setrlimit `N`: Operation not "
              "permitted",
              "RUN x", "setrlimit: Operation not permitted", NULL, "hint: --ulimit asks");
        hints("executable file not found", "RUN x", NULL, NULL, "hint: a command is not");
        hints(FAILED("127"), "RUN x", "\033[2Jevil: not found", NULL, "\\x1b[2Jevil");
        hints(FAILED("127"), "RUN x", NULL, NULL, "hint: a command is not");
        hints(FAILED("127"), NULL, NULL, NULL, "hint: a command is not");
        hints(FAILED("127"), "RUN x", "/bin/sh: ./run.sh: not found", NULL, "CR LF");
        hints(FAILED("126"), "RUN x", "sh: ./x: Permission denied", NULL, "chmod +x");
        hints(FAILED("137"), "RUN x", NULL, NULL, "make -j1");
        hints(FAILED("1"), "RUN x", "write: No space left on device", NULL,
              "slipway prune");
        hints(FAILED("6"), "RUN x", "curl: (6) Could not resolve host: x", NULL,
              "--network");
        hints(FAILED("100"), "RUN x", "E: Unable to locate package gcc", NULL,
              "apt-get update");
        hints(FAILED("1"), "RUN x", "mkdir: can't create '/x': Permission denied", NULL,
              "USER");
        hints(FAILED("1"), "RUN x", "exec /bin/x: exec format error", NULL, "binfmt");
        hints(FAILED("1 (this machine has no emulator for linux/arm64)"), "RUN x",
              "exec /bin/x: exec format error", NULL, "qemu-user-static");
        hints(FAILED("1"), "RUN x", "1 test failed", NULL, NULL);
        hints(FAILED("2"), "RUN x", NULL, NULL, NULL);
        /* what a step said once is no reason when something else failed */
        hints("lost", "RUN x", "mkdir: Permission denied", NULL, NULL);
}
END_TEST

START_TEST(sources)
{
        char dir[] = "/tmp/slipway-failure-XXXXXX";

        ck_assert_ptr_nonnull(mkdtemp(dir));
        sw_auto(sw_str) file = sw_asprintf("%s/secret.txt", dir);
        ck_assert_int_eq(close(open(file, O_CREAT | O_WRONLY | O_CLOEXEC, 0600)), 0);
        hints("x: \"/gone\": not found", "[2/3] COPY gone /", NULL, dir, "CONTEXT");
        hints("x: \"/gone\": not found", "[2/3] COPY gone /", NULL, NULL, "CONTEXT");
        hints("x: \"/secret.txt\": not found", "[2/3] COPY secret.txt /", NULL, dir,
              "secret.txt is in the directory, but .dockerignore leaves it out: it comes "
              "back "
              "with a line !secret.txt\n");
        hints("x: \"/secret.txt\": not found", "[2/3] COPY --from=a secret.txt /", NULL,
              dir, "that stage");
        hints("x: \"/gone\": not found", "[2/3] RUN ls", NULL, dir, NULL);
        hints("not found", "COPY x", NULL, dir, NULL);
        hints("\": not found", "COPY x", NULL, dir, NULL);
        ck_assert_int_eq(unlink(file), 0);
        ck_assert_int_eq(rmdir(dir), 0);
}
END_TEST

START_TEST(others)
{
        hints("dockerfile parse error on line 3: unknown instruction: RUNN", NULL, NULL,
              NULL, "did you mean RUN?");
        hints("unknown instruction: copu", NULL, NULL, NULL, "did you mean COPY?");
        hints("unknown instruction: &&", NULL, NULL, NULL, "goes on from the one before");
        hints("unknown instruction: RUNN (did you mean RUN?)", NULL, NULL, NULL, NULL);
        hints("pull access denied", NULL, NULL, NULL, "docker login");
        hints("HTTP 401: unauthorized", NULL, NULL, NULL, "docker login");
        hints("429 Too Many Requests", NULL, NULL, NULL, "docker login");
        hints("Could not resolve host: registry.example", NULL, NULL, NULL, "network");
        hints("network.host is not allowed", NULL, NULL, NULL, "--allow");
        hints(FAILED("1"), "RUN cat", "cat: /run/secrets/x: No such file or directory",
              NULL, "--secret id=ID,src=FILE");
        hints("unexpected end of statement while looking for matching double-quote", NULL,
              NULL, NULL, "JSON form");
        hints("set the owner of \".\": Operation not permitted", NULL, NULL, NULL, NULL);
        user = true;
        hints("set the owner of \".\": Operation not permitted", NULL, NULL, NULL,
              "--map-auto --mount slipway");
        hints(FAILED("1"), "RUN x", "mkdir: Permission denied", NULL, "before USER");
        user = false;
        hints("", NULL, NULL, NULL, NULL);
}
END_TEST

UNIT_MAIN("failure", excerpts, carets, commands, sources, others)
