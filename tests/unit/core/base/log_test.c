/*
 * tests/unit/core/base/log_test.c - lines of the log: form, escaping, levels, one write.
 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <slipway/json.h>
#include <slipway/log.h>
#include <slipway/time.h>

/* A datagram socket keeps each write(2) apart: one recv, one line. */
static int sock[2];
static char line[128 * 1024];

static void
setup(void)
{
        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, sock), 0);
}

static const char *
received(void)
{
        ssize_t n = recv(sock[0], line, sizeof(line) - 1, 0);

        line[n > 0 ? n : 0] = 0;
        return line;
}

/* Catches: a wrong order or form of the parts, a time that is none, two writes. */
START_TEST(text_line)
{
        int64_t when;

        setup();
        sw_autoptr(sw_log) log = sw_log_new(sock[1], SW_LOG_INFO, SW_LOG_TEXT);
        sw_log_line(log, SW_LOG_INFO, "exporter/image", "wrote %d layers", 3);
        char *space = strchr(received(), ' ');
        ck_assert_ptr_nonnull(space);
        ck_assert_str_eq(space, " info wrote 3 layers source=exporter/image\n");
        *space = 0;
        ok(sw_time_parse(line, &when));
        ck_assert_str_eq(received(), "");
        sw_log_line(log, SW_LOG_ERROR, NULL, "plain");
        ck_assert_str_eq(strchr(received(), ' '), " error plain\n");
}
END_TEST

/* Catches: lines that still go to the old place, or to none. */
START_TEST(redirected)
{
        int other[2];
        char text[256] = "";

        setup();
        ck_assert_int_eq(pipe(other), 0);
        sw_autoptr(sw_log) log = sw_log_new(sock[1], SW_LOG_INFO, SW_LOG_TEXT);
        sw_log_redirect(log, other[1]);
        sw_log_line(log, SW_LOG_INFO, NULL, "elsewhere");
        ck_assert_str_eq(received(), "");
        ck_assert_int_gt(read(other[0], text, sizeof(text) - 1), 0);
        ck_assert_ptr_nonnull(strstr(text, "elsewhere\n"));
        sw_log_redirect(log, sock[1]);
        sw_log_line(log, SW_LOG_INFO, NULL, "back");
        ck_assert_ptr_nonnull(strstr(received(), "back\n"));
}
END_TEST

/* Catches: forged lines and terminal escapes from hostile text; harm done to good text. */
START_TEST(text_is_escaped)
{
        setup();
        sw_autoptr(sw_log) log = sw_log_new(sock[1], SW_LOG_INFO, SW_LOG_TEXT);
        sw_log_line(log, SW_LOG_INFO, NULL,
                    "a\nb\tc\x1b[2J\x7f\r\xc2\x9b\xff Gr\xc3\xbc\xc3\x9f");
        ck_assert_str_eq(strchr(received(), ' '),
                         " info a\\x0ab\\x09c\\x1b[2J\\x7f\\x0d\\xc2\\x9b\\xff "
                         "Gr\xc3\xbc\xc3\x9f\n");
        sw_log_line(log, SW_LOG_INFO, "a b=c\n", "x");
        const char *s = received();
        ck_assert_ptr_nonnull(strstr(s, " source=\"a b=c"));
        ck_assert_ptr_eq(strchr(s, '\n'), s + strlen(s) - 1);
}
END_TEST

/* Catches: JSON that does not parse, wrong members, escaping left out. */
START_TEST(json_line)
{
        sw_json *o = NULL;
        const char *v = NULL;

        setup();
        sw_autoptr(sw_log) log = sw_log_new(sock[1], SW_LOG_INFO, SW_LOG_JSON);
        sw_log_line(log, SW_LOG_WARN, "source/git", "say \"hi\"\n\xff");
        const char *s = received();
        ck_assert_ptr_eq(strchr(s, '\n'), s + strlen(s) - 1);
        ok(sw_json_parse("log", s, strlen(s), &o));
        ok(sw_json_str_req(o, "level", &v));
        ck_assert_str_eq(v, "warning");
        ok(sw_json_str_req(o, "msg", &v));
        ck_assert_str_eq(v, "say \"hi\"\n\xef\xbf\xbd");
        ok(sw_json_str_req(o, "source", &v));
        ck_assert_str_eq(v, "source/git");
        ok(sw_json_str_req(o, "time", &v));
        json_decref(o);
}
END_TEST

/* Catches: levels compared the wrong way round; a level that cannot be changed. */
START_TEST(levels)
{
        setup();
        sw_autoptr(sw_log) log = sw_log_new(sock[1], SW_LOG_WARN, SW_LOG_TEXT);
        ck_assert(sw_log_on(log, SW_LOG_ERROR) && sw_log_on(log, SW_LOG_WARN));
        ck_assert(!sw_log_on(log, SW_LOG_INFO) && !sw_log_on(NULL, SW_LOG_ERROR));
        sw_log_line(log, SW_LOG_INFO, NULL, "hidden");
        sw_log_line(NULL, SW_LOG_ERROR, NULL, "nowhere");
        ck_assert_str_eq(received(), "");
        sw_log_set(log, SW_LOG_TRACE);
        sw_log_line(log, SW_LOG_TRACE, NULL, "shown");
        ck_assert_ptr_nonnull(strstr(received(), " trace shown\n"));
}
END_TEST

/* Catches: parts of an error left out; the trace shown where nobody asked for it. */
START_TEST(errors)
{
        setup();
        sw_autoptr(sw_log) log = sw_log_new(sock[1], SW_LOG_INFO, SW_LOG_TEXT);
        sw_autoptr(sw_err) err = sw_err_wrap(sw_err_new(SW_E_NOT_FOUND, "inner"), "outer");
        sw_err_set_plugin(err, "source/git");
        sw_log_err(log, SW_LOG_ERROR, err);
        ck_assert_str_eq(strchr(received(), ' '),
                         " error outer: inner code=not-found source=source/git\n");
        ck_assert_str_eq(received(), "");
        sw_log_set(log, SW_LOG_DEBUG);
        sw_log_err(log, SW_LOG_ERROR, err);
        ck_assert_ptr_nonnull(strstr(received(), "outer: inner"));
        ck_assert_ptr_nonnull(strstr(received(), "log_test.c"));
        sw_log_err(log, SW_LOG_ERROR, SW_OK);
        sw_log_err(NULL, SW_LOG_ERROR, err);
}
END_TEST

/* Catches: errno lost by logging it; a message from a hostile peer kept whole. */
START_TEST(errno_and_size)
{
        setup();
        sw_autoptr(sw_log) log = sw_log_new(-1, SW_LOG_INFO, SW_LOG_TEXT);
        errno = ENOTTY;
        sw_log_line(log, SW_LOG_INFO, NULL, "to a bad descriptor");
        ck_assert_int_eq(errno, ENOTTY);

        sw_autoptr(sw_log) full = sw_log_new(sock[1], SW_LOG_INFO, SW_LOG_TEXT);
        char *huge = malloc(1024 * 1024 + 1);
        memset(huge, 'x', 1024 * 1024);
        huge[1024 * 1024] = 0;
        sw_log_line(full, SW_LOG_INFO, NULL, "%s", huge);
        ck_assert_int_lt(strlen(received()), 40000);
        ck_assert_str_eq(line + strlen(line) - 4, "…\n");
        free(huge);
}
END_TEST

/* Catches: names of logrus that are not known; rubbish that is taken. */
START_TEST(level_names)
{
        enum sw_log_level l;

        ok(sw_log_level_parse("panic", &l));
        ck_assert_int_eq(l, SW_LOG_ERROR);
        ok(sw_log_level_parse("WARNING", &l));
        ck_assert_int_eq(l, SW_LOG_WARN);
        ok(sw_log_level_parse("trace", &l));
        ck_assert_int_eq(l, SW_LOG_TRACE);
        fails(sw_log_level_parse("", &l), SW_E_INVALID, "panic, fatal");
        fails(sw_log_level_parse("loud\n", &l), SW_E_INVALID, "loud\\x0a");
}
END_TEST

static void *
log_many(void *arg)
{
        char text[9001];

        memset(text, 'y', sizeof(text) - 1);
        text[sizeof(text) - 1] = 0;
        for (int i = 0; i < 50; i++)
                sw_log_line(arg, SW_LOG_INFO, NULL, "%s", text);
        return NULL;
}

static void *
read_all(void *arg)
{
        FILE *f = fdopen(*(int *) arg, "r");
        static char got[16384];
        static long whole;

        while (fgets(got, sizeof(got), f))
                whole += strlen(got) > 9000 && strstr(got, "yinfo") == NULL &&
                         strchr(strchr(strchr(got, ' ') + 1, ' ') + 1, ' ') == NULL;
        fclose(f);
        return &whole;
}

/* Catches: lines longer than PIPE_BUF mixed up when several threads log at once. */
START_TEST(long_lines_stay_whole)
{
        int p[2];
        pthread_t writer[4], reader;
        void *whole;

        ck_assert_int_eq(pipe(p), 0);
        sw_autoptr(sw_log) log = sw_log_new(p[1], SW_LOG_INFO, SW_LOG_TEXT);
        ck_assert_int_eq(pthread_create(&reader, NULL, read_all, &p[0]), 0);
        for (size_t i = 0; i < 4; i++)
                ck_assert_int_eq(pthread_create(&writer[i], NULL, log_many, log), 0);
        for (size_t i = 0; i < 4; i++)
                pthread_join(writer[i], NULL);
        close(p[1]);
        pthread_join(reader, &whole);
        ck_assert_int_eq(*(long *) whole, 200);
}
END_TEST

/* Catches: a line that begins in the middle of one that could not be written to its end. */
START_TEST(cut_line_ends)
{
        int p[2];
        char text[20001], got[65536];
        ssize_t n, total = 0;

        memset(text, 'y', sizeof(text) - 1);
        text[sizeof(text) - 1] = 0;
        ck_assert_int_eq(pipe2(p, O_NONBLOCK), 0);
        ck_assert_int_ge(fcntl(p[1], F_SETPIPE_SZ, 16384), 16384);
        sw_autoptr(sw_log) log = sw_log_new(p[1], SW_LOG_INFO, SW_LOG_TEXT);
        sw_log_line(log, SW_LOG_INFO, NULL, "%s", text);
        while ((n = read(p[0], got, sizeof(got))) > 0)
                total += n;
        ck_assert_int_lt(total, 20000);
        sw_log_line(log, SW_LOG_INFO, NULL, "short");
        sw_log_line(log, SW_LOG_INFO, NULL, "shorter");
        n = read(p[0], got, sizeof(got) - 1);
        ck_assert_int_gt(n, 0);
        got[n] = 0;
        ck_assert_msg(got[0] == '\n' && strstr(got, "info short\n2") != NULL, "%s", got);
        close(p[0]);
        close(p[1]);
}
END_TEST

UNIT_MAIN("log", text_line, redirected, text_is_escaped, json_line, levels, errors,
          errno_and_size, level_names, long_lines_stay_whole, cut_line_ends)
