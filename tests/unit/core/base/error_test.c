/* Unit tests of core/base/error.c. */
#include <wchar.h>

#include <slipway/error.h>

#include "tests/unit/unit.h"

/*
 * The n-th allocation from now on fails, where malloc can be replaced: a sanitizer has
 * replaced it already. 0: none does.
 */
#if defined(__GLIBC__) && !UNIT_SANITIZED
#define CAN_FAIL_MALLOC 1
#else
#define CAN_FAIL_MALLOC 0
#endif

#if CAN_FAIL_MALLOC
extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);

static long fail_at, allocations;

static bool
must_fail(void)
{
        return fail_at && ++allocations == fail_at;
}

void *
malloc(size_t n)
{
        return must_fail() ? NULL : __libc_malloc(n);
}

void *
calloc(size_t n, size_t size)
{
        return must_fail() ? NULL : __libc_calloc(n, size);
}

void *
realloc(void *p, size_t n)
{
        return must_fail() ? NULL : __libc_realloc(p, n);
}
#endif

/* What vsnprintf() refuses in the C locale, which every test starts in. */
static const wchar_t unprintable[] = { 0x20ac, 0 };

/* Would catch a wrong order, a wrong separator and a lost strerror. */
START_TEST(joins_outermost_first)
{
        sw_autoptr(sw_err) err = sw_err_sys(SW_E_IO, ENOSPC, "open %s", "x");

        ck_assert_str_eq(sw_err_message(err), "open x: No space left on device");
        for (int i = 0; i < 20; i++)
                err = sw_err_wrap(err, "step %d", i);
        ck_assert_ptr_eq(strstr(sw_err_message(err), "step 19: step 18: "),
                         sw_err_message(err));
        ck_assert_ptr_nonnull(strstr(sw_err_message(err),
                                     "step 1: step 0: open x: No space left on device"));
        ck_assert_int_eq(sw_err_code(err), SW_E_IO);
        ck_assert_int_eq(sw_err_errno(err), ENOSPC);
}
END_TEST

/* Would catch a getter that follows NULL, and a wrap that makes an error of success. */
START_TEST(success_is_null)
{
        ck_assert_ptr_null(sw_err_wrap(SW_OK, "never seen"));
        ck_assert_ptr_null(sw_err_copy(SW_OK));
        ck_assert_int_eq(sw_err_code(SW_OK), 0);
        ck_assert_int_eq(sw_err_errno(SW_OK), 0);
        ck_assert_str_eq(sw_err_message(SW_OK), "");
        ck_assert_ptr_null(sw_err_plugin(SW_OK));
        ck_assert_ptr_null(sw_err_vertex(SW_OK));
        ck_assert_int_eq(sw_err_exit_status(SW_OK), 0);
        sw_err_set_plugin(SW_OK, "a/b");
        sw_err_set_vertex(SW_OK, "x");
        sw_err_drop(SW_OK, "nothing to drop");
}
END_TEST

/* Would catch a code without a name, two with one name, and names that changed: programs
 * compare them. */
START_TEST(codes_have_stable_names)
{
        static const char *const names[SW_E_COUNT] = {
                "ok",     "internal",    "nomem",     "cancelled", "timeout", "invalid",
                "usage",  "config",      "not-found", "exists",    "io",      "limit",
                "denied", "unsupported", "busy",      "corrupt",   "abi",     "broken",
                "unmet",  "step",        "remote",    "push",
        };

        for (int code = 0; code < SW_E_COUNT; code++)
                ck_assert_str_eq(sw_err_code_name(code), names[code]);
        ck_assert_str_eq(sw_err_code_name(-1), "unknown");
        ck_assert_str_eq(sw_err_code_name(SW_E_COUNT), "unknown");
}
END_TEST

/* Would catch a wrong exit status: scripts tell usage errors from failed builds by it. */
START_TEST(exit_status_tells_usage_from_failure)
{
        for (int code = 1; code < SW_E_COUNT; code++) {
                sw_autoptr(sw_err) err = sw_err_new((enum sw_code) code, "x");
                int want = code == SW_E_PUSH ? 3 : 1;

                if (code == SW_E_USAGE || code == SW_E_CONFIG)
                        want = 2;
                ck_assert_int_eq(sw_err_exit_status(err), want);
                ck_assert_int_eq(sw_err_code(err), code);
        }
}
END_TEST

/* Would catch messages cut at a fixed size, and a percent sign in an argument taken for
 * a directive. */
START_TEST(long_and_odd_messages_survive)
{
        enum { N = 100000 };
        sw_auto(sw_str) big = (char *) malloc(N + 1);
        sw_autoptr(sw_err) err = NULL;

        memset(big, 'x', N);
        big[N] = '\0';
        err = sw_err_new(SW_E_INVALID, "%s", "100%s %n");
        err = sw_err_wrap(err, "%s", big);
        err = sw_err_wrap(err, "%s", "");
        ck_assert_uint_eq(strlen(sw_err_message(err)), N + 2 + 8 + 2);
        ck_assert_str_eq(sw_err_message(err) + N + 2, ": 100%s %n");
}
END_TEST

/* Would catch a trace without places, in the wrong order or with the wrong words. */
START_TEST(trace_has_a_line_per_message)
{
        sw_autoptr(sw_err) err = sw_err_new_at((struct sw_place){ "../core/a.c", 1 },
                                               SW_E_IO, ENOENT, "open x");
        sw_auto(sw_str) trace = NULL;

        err = sw_err_wrap_at((struct sw_place){ "core/b.c", 22 }, err, "read %d", 7);
        err = sw_err_wrap_at((struct sw_place){ "../../core/c.c", 333 }, err, "load");
        trace = sw_err_trace(err);
        ck_assert_str_eq(trace, "core/c.c:333: load\ncore/b.c:22: read 7\n"
                                "core/a.c:1: open x: No such file or directory\n");
}
END_TEST

/* Would catch a later, farther name replacing the culprit's, and a kept pointer. */
START_TEST(first_culprit_stays)
{
        sw_autoptr(sw_err) err = sw_err_new(SW_E_BROKEN, "x");
        char name[] = "exporter/image";

        ck_assert_ptr_null(sw_err_plugin(err));
        sw_err_set_plugin(err, NULL);
        sw_err_set_plugin(err, name);
        name[0] = '!';
        sw_err_set_plugin(err, "source/git");
        ck_assert_str_eq(sw_err_plugin(err), "exporter/image");
        sw_err_set_vertex(err, "sha256:1");
        sw_err_set_vertex(err, "sha256:2");
        ck_assert_str_eq(sw_err_vertex(err), "sha256:1");
}
END_TEST

/* Would catch a copy that shares memory with its original (ASan) or lacks a part. */
/* Catches: a place that keeps pointing into the caller's text, that a copy shares, or that
 * a later one replaces. */
START_TEST(source_is_copied_and_stays)
{
        char text[] = "FROM a\nRUNN b\n";
        struct sw_err_source place = {
                .file = "Dockerfile",
                .language = "Dockerfile",
                .data = text,
                .len = strlen(text),
                .first_line = 2,
                .last_line = 2,
                .first_char = 1,
                .end_char = 5,
        };
        sw_autoptr(sw_err) err = sw_err_new(SW_E_INVALID, "unknown instruction");
        sw_autoptr(sw_err) copy = NULL;
        const struct sw_err_source *got;

        sw_err_set_source(SW_OK, &place);
        ck_assert_ptr_null(sw_err_source(SW_OK));
        ck_assert_ptr_null(sw_err_source(err));
        sw_err_set_source(err, &place);
        memset(text, 'x', strlen(text));
        place.file = "other";
        sw_err_set_source(err, &place);
        copy = sw_err_copy(err);
        sw_err_free(sw_steal(err));
        got = sw_err_source(copy);
        ck_assert_ptr_nonnull(got);
        ck_assert_str_eq(got->file, "Dockerfile");
        ck_assert_str_eq(got->language, "Dockerfile");
        ck_assert_str_eq(got->data, "FROM a\nRUNN b\n");
        ck_assert_int_eq(got->len, strlen(text));
        ck_assert_int_eq(got->first_line, 2);
        ck_assert_int_eq(got->end_char, 5);
}
END_TEST

START_TEST(copy_is_independent)
{
        sw_err *err = sw_err_wrap(sw_err_sys(SW_E_IO, EIO, "a"), "b");
        sw_autoptr(sw_err) copy = NULL;
        sw_autoptr(sw_err) plain = NULL;
        sw_autoptr(sw_err) plain_copy = NULL;
        sw_auto(sw_str) before = NULL;
        sw_auto(sw_str) after = NULL;

        sw_err_set_plugin(err, "p/q");
        sw_err_set_vertex(err, "v");
        before = sw_err_trace(err);
        copy = sw_err_copy(err);
        err = sw_err_wrap(err, "c");
        sw_err_free(err);
        ck_assert_str_eq(sw_err_message(copy), "b: a: Input/output error");
        ck_assert_int_eq(sw_err_errno(copy), EIO);
        ck_assert_str_eq(sw_err_plugin(copy), "p/q");
        ck_assert_str_eq(sw_err_vertex(copy), "v");
        after = sw_err_trace(copy);
        ck_assert_str_eq(before, after);
        copy = sw_err_wrap(copy, "d");
        ck_assert_str_eq(sw_err_message(copy), "d: b: a: Input/output error");

        plain = sw_err_new(SW_E_IO, "one");
        plain_copy = sw_err_copy(plain);
        plain_copy = sw_err_wrap(plain_copy, "two");
        ck_assert_str_eq(sw_err_message(plain), "one");
        ck_assert_str_eq(sw_err_message(plain_copy), "two: one");
}
END_TEST

/* Would catch an errno that is spoilt between the failed call and its reader. */
START_TEST(errno_survives)
{
        sw_err *err;

        errno = EXDEV;
        err = sw_err_sys(SW_E_IO, 12345, "x");
        err = sw_err_wrap(err, "y");
        sw_err_set_plugin(err, "p");
        sw_err_free(err);
        ck_assert_int_eq(errno, EXDEV);
}
END_TEST

/* The error that stands in when none can be made; got by a message that vsnprintf()
 * cannot format, which takes the same way as a failed malloc(). Would catch a write to it
 * (it is read-only memory: SIGSEGV) or a free of it. */
START_TEST(stand_in_error_is_harmless)
{
        sw_err *err = sw_err_new(SW_E_IO, "%ls", unprintable);
        sw_err *copy;
        sw_auto(sw_str) trace = NULL;

        ck_assert_int_eq(sw_err_code(err), SW_E_NOMEM);
        ck_assert_int_eq(sw_err_errno(err), ENOMEM);
        ck_assert_str_eq(sw_err_message(err), "out of memory");
        ck_assert_ptr_eq(sw_err_wrap(err, "more"), err);
        sw_err_set_plugin(err, "a/b");
        sw_err_set_vertex(err, "v");
        ck_assert_ptr_null(sw_err_plugin(err));
        ck_assert_ptr_null(sw_err_vertex(err));
        copy = sw_err_copy(err);
        ck_assert_int_eq(sw_err_code(copy), SW_E_NOMEM);
        sw_err_free(copy);
        sw_err_free(err);
        sw_err_free(err);
        trace = sw_err_trace(err);
        ck_assert_str_eq(trace, "out of memory");
        ck_assert_int_eq(sw_err_exit_status(err), 1);
}
END_TEST

/* Would catch a wrap that loses the error because its own words cannot be formatted. */
START_TEST(failed_wrap_keeps_the_cause)
{
        sw_autoptr(sw_err) err = sw_err_new(SW_E_BUSY, "cause");

        err = sw_err_wrap(err, "%ls", unprintable);
        ck_assert_str_eq(sw_err_message(err), "cause");
        ck_assert_int_eq(sw_err_code(err), SW_E_BUSY);
        err = sw_err_wrap(err, "fine");
        ck_assert_str_eq(sw_err_message(err), "fine: cause");
}
END_TEST

#if CAN_FAIL_MALLOC
/* Fails each allocation of a life of an error in turn. Would catch an unchecked one. */
START_TEST(every_allocation_may_fail)
{
        bool failed = true;

        for (long n = 1; failed; n++) {
                sw_err *err, *copy;
                char *trace;

                ck_assert_int_lt(n, 100);
                allocations = 0;
                fail_at = n;
                err = sw_err_sys(SW_E_IO, EIO, "open %s", "x");
                for (int i = 0; i < 5; i++)
                        err = sw_err_wrap(err, "step %d", i);
                sw_err_set_plugin(err, "a/b");
                copy = sw_err_copy(err);
                trace = sw_err_trace(copy);
                failed = allocations >= n;
                fail_at = 0;

                ck_assert(sw_err_code(err) == SW_E_IO || sw_err_code(err) == SW_E_NOMEM);
                ck_assert(sw_err_code(copy) == SW_E_IO || sw_err_code(copy) == SW_E_NOMEM);
                ck_assert_uint_gt(strlen(sw_err_message(copy)), 0);
                free(trace);
                sw_err_free(copy);
                sw_err_free(err);
        }
}
END_TEST
#define MALLOC_TESTS , every_allocation_may_fail
#else
#define MALLOC_TESTS
#endif

/* Catches: a NUL byte that makes the text shorter than its messages say (with a sanitizer:
 * read behind its end). */
START_TEST(nul_in_a_message)
{
        sw_autoptr(sw_err) err = sw_err_new(SW_E_IO, "byte %c", 0);

        err = sw_err_wrap(err, "of %c file", 0);
        err = sw_err_wrap(err, "read");
        sw_auto(sw_str) trace = sw_err_trace(err);
        ck_assert_str_eq(sw_err_message(err), "read: of ? file: byte ?");
        ck_assert_ptr_nonnull(strstr(trace, ": byte ?\n"));
}
END_TEST

UNIT_MAIN("error", joins_outermost_first, success_is_null, codes_have_stable_names,
          exit_status_tells_usage_from_failure, long_and_odd_messages_survive,
          trace_has_a_line_per_message, first_culprit_stays, source_is_copied_and_stays,
          copy_is_independent, errno_survives, stand_in_error_is_harmless,
          failed_wrap_keeps_the_cause MALLOC_TESTS, nul_in_a_message)
