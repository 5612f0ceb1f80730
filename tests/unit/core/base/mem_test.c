/* Unit tests of core/base/mem.c. */
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include <slipway/mem.h>

#include "tests/unit/unit.h"

/* Would catch memory that is not zeroed and a zero size that gives NULL. */
START_TEST(gives_zeroed_memory)
{
        for (size_t size = 0; size < 300; size += 7) {
                unsigned char *p = (unsigned char *) sw_alloc(size);

                ck_assert_ptr_nonnull(p);
                for (size_t i = 0; i < size; i++)
                        ck_assert_uint_eq(p[i], 0);
                memset(p, 0xff, size);
                free(p);
        }
        free(sw_alloc_array(0, 8));
        free(sw_realloc_array(malloc(8), 0, 8));
}
END_TEST

/* Would catch copies that share memory, lack their NUL or read past a bounded string. */
START_TEST(copies)
{
        static const char unterminated[3] = { 'a', 'b', 'c' };
        sw_auto(sw_str) a = sw_strdup("hello");
        sw_auto(sw_str) b = sw_strndup("hello", 3);
        sw_auto(sw_str) c = sw_strndup("hi", 100);
        sw_auto(sw_str) d = sw_strndup(unterminated, 3);
        sw_auto(sw_str) e = (char *) sw_memdup("x\0y", 4);
        sw_auto(sw_str) f = sw_asprintf("%d-%s", 7, "z");

        ck_assert_str_eq(a, "hello");
        ck_assert_str_eq(b, "hel");
        ck_assert_str_eq(c, "hi");
        ck_assert_str_eq(d, "abc");
        ck_assert_mem_eq(e, "x\0y", 4);
        ck_assert_str_eq(f, "7-z");
        ck_assert_ptr_null(sw_strdup(NULL));
        ck_assert_ptr_null(sw_strndup(NULL, 4));
        ck_assert_ptr_null(sw_memdup(NULL, 4));
        free(sw_memdup("", 0));
}
END_TEST

/* What a child that runs @how says on stderr; checks that it aborted. */
static void
dies_saying(void (*how)(void), const char *line)
{
        char said[200] = "";
        int fds[2], status;
        pid_t pid;
        ssize_t n;

        ck_assert_int_eq(pipe(fds), 0);
        pid = fork();
        if (pid == 0) {
                (void) signal(SIGABRT, SIG_DFL);
                (void) dup2(fds[1], STDERR_FILENO);
                how();
                _exit(0);
        }
        (void) close(fds[1]);
        n = read(fds[0], said, sizeof(said) - 1);
        (void) close(fds[0]);
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
        ck_assert_int_gt(n, 0);
        ck_assert_str_eq(said, line);
}

static void
overflow_array(void)
{
        volatile size_t n = SIZE_MAX / 4;

        free(sw_alloc_array(n, 8));
}

static void
overflow_realloc(void)
{
        volatile size_t n = SIZE_MAX / 4;

        free(sw_realloc_array(NULL, n, 8));
}

/* Would catch an overflow that gives a small block, and a death without a word. */
START_TEST(overflow_ends_the_program)
{
        dies_saying(overflow_array,
                    "slipway: out of memory (18446744073709551615 bytes)\n");
        dies_saying(overflow_realloc,
                    "slipway: out of memory (18446744073709551615 bytes)\n");
}
END_TEST

UNIT_MAIN("mem", gives_zeroed_memory, copies, overflow_ends_the_program)
