/* Unit tests of core/base/io.c. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/time.h>

#include <slipway/buf.h>
#include <slipway/cleanup.h>
#include <slipway/io.h>

#include "tests/unit/unit.h"

enum { MUCH = 1 << 20 };

static char bytes[MUCH];

static void
fill(void)
{
        for (size_t i = 0; i < MUCH; i++)
                bytes[i] = (char) (i * 31 + i / 251);
}

struct drain {
        int fd;
        sw_buf got;
};

static void *
drain_main(void *arg)
{
        struct drain *d = arg;
        sw_err *err = sw_buf_read_fd(&d->got, d->fd, 2 * MUCH, "the pipe");

        sw_err_drop(err, "what came is compared");
        return NULL;
}

static void
nothing(int sig)
{
        (void) sig;
}

/* Write through a pipe that holds a 16th of it, with signals that interrupt. */
static void
through_pipe(int flags)
{
        const struct itimerval often = { { 0, 500 }, { 0, 500 } },
                               never = { { 0, 0 }, { 0, 0 } };
        const struct sigaction act = { .sa_handler = nothing };
        struct drain d = { .got = SW_BUF_INIT };
        pthread_t thread;
        int fds[2];

        fill();
        ck_assert_int_eq(pipe2(fds, O_CLOEXEC | flags), 0);
        d.fd = fds[0];
        ck_assert_int_eq(sigaction(SIGALRM, &act, NULL), 0);
        ck_assert_int_eq(pthread_create(&thread, NULL, drain_main, &d), 0);
        ck_assert_int_eq(setitimer(ITIMER_REAL, &often, NULL), 0);
        ck_assert_int_eq(sw_write_all(fds[1], bytes, MUCH), 0);
        ck_assert_int_eq(setitimer(ITIMER_REAL, &never, NULL), 0);
        ck_assert_int_eq(close(fds[1]), 0);
        ck_assert_int_eq(pthread_join(thread, NULL), 0);
        ck_assert_uint_eq(d.got.len, MUCH);
        ck_assert_mem_eq(d.got.data, bytes, MUCH);
        sw_buf_release(&d.got);
        (void) close(fds[0]);
}

/* Would catch bytes lost or sent twice when a write takes less or is interrupted. */
START_TEST(writes_go_on)
{
        through_pipe(0);
}
END_TEST

/* Would catch a full pipe that does not block taken for an error. */
START_TEST(full_pipes_are_waited_for)
{
        through_pipe(O_NONBLOCK);
}
END_TEST

/* Would catch a position that is used or moved. */
START_TEST(positions_stay)
{
        char name[] = "/tmp/io_test.XXXXXX", got[8] = { 0 };
        sw_auto(sw_fd) fd = mkstemp(name);

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(unlink(name), 0);
        ck_assert_int_eq(sw_write_all(fd, "ab", 2), 0);
        ck_assert_int_eq(sw_pwrite_all(fd, "xyz", 3, 1), 0);
        ck_assert_int_eq(sw_write_all(fd, "Y", 1), 0);
        ck_assert_int_eq((int) pread(fd, got, sizeof(got), 0), 4);
        ck_assert_str_eq(got, "axYz");
}
END_TEST

/* Would catch failures that are dropped, retried for ever, or need bytes to be written. */
START_TEST(failures_are_told)
{
        sw_auto(sw_fd) full = open("/dev/full", O_WRONLY | O_CLOEXEC);

        ck_assert_int_ge(full, 0);
        ck_assert_int_eq(sw_write_all(full, "x", 1), ENOSPC);
        ck_assert_int_eq(sw_pwrite_all(full, "x", 1, 0), ENOSPC);
        ck_assert_int_eq(sw_write_all(-1, "x", 1), EBADF);
        ck_assert_int_eq(sw_pwrite_all(-1, "x", 1, 0), EBADF);
        ck_assert_int_eq(sw_write_all(-1, NULL, 0), 0);
        ck_assert_int_eq(sw_pwrite_all(-1, NULL, 0, 0), 0);
}
END_TEST

UNIT_MAIN("io", writes_go_on, full_pipes_are_waited_for, positions_stay, failures_are_told)
