/*
 * tests/unit/unit.h - what every unit test program shares: Check with TAP on stdout.
 *
 *      START_TEST(parses_hex) { ... } END_TEST
 *      UNIT_MAIN("digest", parses_hex, refuses_upper_case)
 *
 * Each test runs in a process of its own (CK_FORK=no for gdb); sw_err results are checked
 * with ok() and fails(), which print the message of an unexpected error.
 */
#ifndef SLIPWAY_TESTS_UNIT_H
#define SLIPWAY_TESTS_UNIT_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <slipway/error.h>

/* Whether a sanitizer is built in: it brings its own malloc, and all takes longer. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define UNIT_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                 \
        __has_feature(memory_sanitizer)
#define UNIT_SANITIZED 1
#endif
#endif
#ifndef UNIT_SANITIZED
#define UNIT_SANITIZED 0
#endif

/* The call succeeds. */
#define ok(call)                                                                           \
        do {                                                                               \
                sw_err *ok_err_ = (call);                                                  \
                ck_assert_msg(ok_err_ == NULL, "%s: %s", #call, sw_err_message(ok_err_));  \
        } while (0)

/* The call fails with that code; the message has @part in it ("" for any). */
#define fails(call, code, part)                                                            \
        do {                                                                               \
                sw_err *fails_err_ = (call);                                               \
                ck_assert_msg(fails_err_ != NULL, "%s: succeeded", #call);                 \
                ck_assert_msg(sw_err_code(fails_err_) == (int) (code), "%s: code %s: %s",  \
                              #call, sw_err_code_name(sw_err_code(fails_err_)),            \
                              sw_err_message(fails_err_));                                 \
                ck_assert_msg(strstr(sw_err_message(fails_err_), (part)) != NULL,          \
                              "%s: message lacks \"%s\": %s", #call, (part),               \
                              sw_err_message(fails_err_));                                 \
                sw_err_free(fails_err_);                                                   \
        } while (0)

/* main() that runs the named tests. Exit status 0 as long as TAP was written whole. */
#define UNIT_MAIN(name, ...) UNIT_MAIN_WITH(name, NULL, NULL, __VA_ARGS__)

/* The same with @before and @after around each test, in the test's own process. */
#define UNIT_MAIN_WITH(name, before, after, ...)                                           \
        int main(void)                                                                     \
        {                                                                                  \
                const TTest *tests_[] = { __VA_ARGS__ };                                   \
                Suite *s_ = suite_create(name);                                            \
                TCase *t_ = tcase_create(name);                                            \
                tcase_add_checked_fixture(t_, before, after);                              \
                for (size_t i_ = 0; i_ < sizeof(tests_) / sizeof(tests_[0]); i_++)         \
                        tcase_add_test(t_, tests_[i_]);                                    \
                suite_add_tcase(s_, t_);                                                   \
                SRunner *r_ = srunner_create(s_);                                          \
                srunner_set_tap(r_, "-");                                                  \
                srunner_run_all(r_, CK_SILENT);                                            \
                int failed_ = srunner_ntests_failed(r_);                                   \
                srunner_free(r_);                                                          \
                return failed_ ? EXIT_FAILURE : EXIT_SUCCESS;                              \
        }

#endif
