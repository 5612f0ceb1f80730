/*
 * tests/unit/core/base/ctx_test.c - the context: what reaches the sink and the log.
 */
#include "tests/unit/unit.h"

#include <unistd.h>

#include <slipway/buf.h>
#include <slipway/ctx.h>

struct seen {
        char note[64], warning[64], output[64];
        int stream;
        int64_t current;
};

static void
see_note(void *arg, const char *text)
{
        snprintf(((struct seen *) arg)->note, 64, "%s", text);
}

static void
see_warning(void *arg, const char *text)
{
        snprintf(((struct seen *) arg)->warning, 64, "%s", text);
}

static void
see_status(void *arg, const struct sw_progress *p)
{
        ((struct seen *) arg)->current = p->current;
}

static void
see_output(void *arg, int stream, const void *p, size_t n)
{
        struct seen *s = arg;

        s->stream = stream;
        snprintf(s->output, 64, "%.*s", (int) n, (const char *) p);
}

static const struct sw_progress_sink sink = {
        sizeof(sink), see_note, see_status, see_output, see_warning,
};

/* Catches: progress that goes to the wrong member, or is not formatted. */
START_TEST(progress_reaches_the_sink)
{
        struct seen s = { 0 };
        sw_autoptr(sw_ctx) ctx = sw_ctx_new(NULL, NULL, &sink, &s, "exporter/x");

        sw_progress_note(ctx, "%d layers", 3);
        sw_progress_warn(ctx, "%s", "old");
        sw_progress_status(ctx, &(struct sw_progress){ .id = "i", .current = 42 });
        sw_progress_output(ctx, 2, "abc", 3);
        ck_assert_str_eq(s.note, "3 layers");
        ck_assert_str_eq(s.warning, "old");
        ck_assert_int_eq(s.current, 42);
        ck_assert_int_eq(s.stream, 2);
        ck_assert_str_eq(s.output, "abc");
        ck_assert_str_eq(sw_ctx_source(ctx), "exporter/x");
}
END_TEST

/* Catches: a call through a member that a sink of an older header does not have, or that
 * is not set. */
START_TEST(short_and_empty_sinks)
{
        struct seen s = { 0 };
        struct sw_progress_sink old = sink, empty = { .size = sizeof(empty) };

        old.size = offsetof(struct sw_progress_sink, warning);
        sw_autoptr(sw_ctx) a = sw_ctx_new(NULL, NULL, &old, &s, NULL);
        sw_autoptr(sw_ctx) b = sw_ctx_new(NULL, NULL, &empty, &s, NULL);
        sw_autoptr(sw_ctx) none = sw_ctx_new(NULL, NULL, NULL, NULL, NULL);
        sw_ctx *all[] = { a, b, none, NULL };
        for (size_t i = 0; i < SW_COUNT(all); i++) {
                sw_progress_warn(all[i], "x");
                sw_progress_status(all[i], &(struct sw_progress){ .id = "i" });
                sw_progress_output(all[i], 1, "y", 1);
                sw_ctx_logf(all[i], SW_LOG_ERROR, "z");
                ok(sw_ctx_check(all[i]));
        }
        ck_assert_str_eq(s.warning, "");
        ck_assert_str_eq(s.output, "y");
}
END_TEST

/* Catches: the token or the log of the context not being used. */
START_TEST(cancel_and_log)
{
        int p[2];
        char line[256] = "";

        ck_assert_int_eq(pipe(p), 0);
        sw_autoptr(sw_cancel) c = sw_cancel_new(NULL);
        sw_autoptr(sw_log) log = sw_log_new(p[1], SW_LOG_INFO, SW_LOG_TEXT);
        sw_autoptr(sw_ctx) ctx = sw_ctx_new(c, log, NULL, NULL, "source/git");
        ck_assert_ptr_eq(sw_ctx_cancel(ctx), c);
        ck_assert_ptr_eq(sw_ctx_log(ctx), log);
        sw_ctx_logf(ctx, SW_LOG_DEBUG, "not shown");
        sw_ctx_logf(ctx, SW_LOG_WARN, "100%% of %s", "it");
        ck_assert_int_gt(read(p[0], line, sizeof(line) - 1), 0);
        ck_assert_ptr_nonnull(strstr(line, " warning 100% of it source=source/git\n"));
        sw_cancel_now(c, "enough");
        fails(sw_ctx_check(ctx), SW_E_CANCELLED, "enough");
        close(p[0]);
        close(p[1]);
}
END_TEST

START_TEST(locks_unless_cancelled)
{
        pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
        sw_autoptr(sw_cancel) c = sw_cancel_new(NULL);
        sw_autoptr(sw_ctx) ctx = sw_ctx_new(c, NULL, NULL, NULL, NULL);

        ok(sw_ctx_lock(NULL, &m));
        sw_cancel_now(c, "enough");
        fails(sw_ctx_lock(ctx, &m), SW_E_CANCELLED, "enough"); /* does not wait for ever */
        pthread_mutex_unlock(&m);
        ok(sw_ctx_lock(ctx, &m)); /* nothing to wait for */
        ck_assert_int_ne(pthread_mutex_trylock(&m), 0);
        pthread_mutex_unlock(&m);
}
END_TEST

UNIT_MAIN("ctx", progress_reaches_the_sink, short_and_empty_sinks, cancel_and_log,
          locks_unless_cancelled)
