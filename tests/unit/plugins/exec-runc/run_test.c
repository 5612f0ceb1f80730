/*
 * tests/unit/plugins/exec-runc/run_test.c - containers by crun and by runc, seen from
 * inside.
 */
#include "tests/unit/plugins/exec-runc/box.h"

static const char *const runtimes[] = { "crun", "runc" };

START_TEST(says_hello)
{
        struct box b;
        if (!box_usable(runtimes[_i]))
                return;
        box_open(&b, runtimes[_i]);
        box_says(&b, "hello\n", .script = "echo hello");
        box_close(&b);
}
END_TEST

/* A runtime that has ended before anybody looked at it is told of in the same words as one
 * that ends a moment later. */
START_TEST(runtime_that_ends_at_once)
{
        struct box b;
        char file[200];

        if (!box_usable("crun"))
                return;
        box_open(&b, "crun");
        snprintf(file, sizeof(file), "%s/bin/crun", b.dir);
        ck_assert(unlink(file) == 0 && symlink("/bin/false", file) == 0);
        for (int i = 0; i < 100; i++) {
                struct box_run r = { .script = "echo no" };

                fails(box_try(&b, &r), SW_E_BROKEN, "before the container ran");
                sw_buf_release(&r.out);
        }
        box_close(&b);
}
END_TEST

int
main(void)
{
        Suite *s = suite_create("exec-runc");
        TCase *t = tcase_create("exec-runc");

        tcase_set_timeout(t, 60);
        tcase_add_loop_test(t, says_hello, 0, 2);
        tcase_add_test(t, runtime_that_ends_at_once);
        suite_add_tcase(s, t);
        SRunner *r = srunner_create(s);
        srunner_set_tap(r, "-");
        srunner_run_all(r, CK_SILENT);
        int failed = srunner_ntests_failed(r);
        srunner_free(r);
        return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
