/* Unit tests of core/base/buf.c. */
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>

#include <slipway/buf.h>
#include <slipway/mem.h>

#include "tests/unit/unit.h"

/* Would catch a missing NUL, and a write to the empty string that all buffers share. */
START_TEST(is_a_string_at_every_step)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;

        ck_assert_str_eq(b.data, "");
        sw_buf_clear(&b);
        sw_buf_truncate(&b, 0);
        sw_buf_add(&b, NULL, 0);
        sw_buf_adds(&b, "");
        ck_assert_ptr_eq(b.data, sw_buf_empty);
        for (int i = 0; i < 1000; i++) {
                sw_buf_addc(&b, (char) ('a' + i % 26));
                ck_assert_uint_eq(strlen(b.data), (size_t) i + 1);
        }
        sw_buf_truncate(&b, 3);
        ck_assert_str_eq(b.data, "abc");
        sw_buf_adds(&b, "def");
        sw_buf_add(&b, "\0g", 2);
        ck_assert_uint_eq(b.len, 8);
        ck_assert_mem_eq(b.data, "abcdef\0g", 9);
        sw_buf_clear(&b);
        ck_assert_str_eq(b.data, "");
        ck_assert_uint_gt(b.cap, 0);
        sw_buf_release(&b);
        ck_assert_ptr_eq(b.data, sw_buf_empty);
        sw_buf_adds(&b, "again");
        ck_assert_str_eq(b.data, "again");
        ck_assert_int_eq(sw_buf_empty[0], 0);
}
END_TEST

/* Would catch text cut where the first try of vsnprintf() did not fit: every length around
 * the first sizes. */
START_TEST(formats_any_length)
{
        for (int before = 0; before < 4; before++) {
                for (int n = 0; n < 300; n++) {
                        sw_auto(sw_buf) b = SW_BUF_INIT;

                        sw_buf_add(&b, "xyz", (size_t) before);
                        sw_buf_addf(&b, "%0*d", n, 0);
                        ck_assert_uint_eq(b.len, (size_t) (before + (n ? n : 1)));
                        ck_assert_uint_eq(strlen(b.data), b.len);
                        sw_buf_addf(&b, "%s", "!");
                        ck_assert_int_eq(b.data[b.len - 1], '!');
                }
        }
}
END_TEST

/* Would catch a detached string that is still the buffer's, or NULL for an empty one. */
START_TEST(detach_hands_the_string_over)
{
        sw_buf b = SW_BUF_INIT;
        char *s = sw_buf_detach(&b);

        ck_assert_str_eq(s, "");
        s[0] = 'x'; /* it is ours */
        free(s);
        sw_buf_adds(&b, "text");
        s = sw_buf_detach(&b);
        ck_assert_str_eq(s, "text");
        ck_assert_ptr_eq(b.data, sw_buf_empty);
        free(s);
}
END_TEST

/* Would catch room that is promised but not there (ASan). */
START_TEST(reserve_makes_room)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;

        sw_buf_adds(&b, "head");
        sw_buf_reserve(&b, 100000);
        memset(b.data + b.len, 'x', 100000);
        b.len += 100000;
        b.data[b.len] = '\0';
        ck_assert_uint_eq(strlen(b.data), 100004);
}
END_TEST

/* A temporary file with @n bytes, open for reading at its start. */
static int
file_of(size_t n)
{
        char name[] = "/tmp/buf_test.XXXXXX";
        int fd = mkstemp(name);

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(unlink(name), 0);
        for (size_t i = 0; i < n; i++)
                ck_assert_int_eq(pwrite(fd, &"0123456789"[i % 10], 1, (off_t) i), 1);
        return fd;
}

/* Would catch a limit that is off by one, in files (whose size is known) and pipes. */
START_TEST(limit_is_exact)
{
        for (size_t n = 0; n < 5; n++) {
                for (size_t limit = 0; limit < 5; limit++) {
                        sw_auto(sw_buf) b = SW_BUF_INIT;
                        sw_auto(sw_buf) c = SW_BUF_INIT;
                        sw_auto(sw_fd) fd = file_of(n);
                        int fds[2];

                        sw_buf_adds(&b, ">");
                        ck_assert_int_eq(pipe(fds), 0);
                        ck_assert_int_eq(write(fds[1], "01234", n), (ssize_t) n);
                        (void) close(fds[1]);
                        if (n <= limit) {
                                ok(sw_buf_read_fd(&b, fd, limit, "f"));
                                ok(sw_buf_read_fd(&c, fds[0], limit, "p"));
                        } else {
                                fails(sw_buf_read_fd(&b, fd, limit, "f"), SW_E_LIMIT,
                                      "f: longer");
                                fails(sw_buf_read_fd(&c, fds[0], limit, "p"), SW_E_LIMIT,
                                      "p: ");
                        }
                        (void) close(fds[0]);
                        ck_assert_uint_eq(b.len, 1 + (n < limit ? n : limit));
                        ck_assert_mem_eq(b.data, ">01234", b.len);
                        ck_assert_int_eq(b.data[b.len], 0);
                        ck_assert_uint_eq(c.len, b.len - 1);
                }
        }
}
END_TEST

/* Would catch an overflow of the arithmetic around the largest limit. */
START_TEST(no_limit_works)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;
        sw_auto(sw_fd) fd = file_of(100);

        ok(sw_buf_read_fd(&b, fd, SIZE_MAX, "f"));
        ck_assert_uint_eq(b.len, 100);
}
END_TEST

/* Would catch files whose size says 0 although they have contents. */
START_TEST(reads_proc_files)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;

        ok(sw_buf_read_file(&b, AT_FDCWD, "/proc/self/status", 1 << 20));
        ck_assert_ptr_nonnull(strstr(b.data, "Pid:"));
}
END_TEST

static void *
write_slowly(void *arg)
{
        int fd = *(int *) arg;

        for (int i = 0; i < 100000; i++) {
                if (write(fd, "abc", 3) != 3)
                        return NULL;
        }
        (void) close(fd);
        return NULL;
}

/* Would catch EAGAIN taken for an error or for the end, and a read that stops early. */
START_TEST(waits_on_a_non_blocking_pipe)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;
        pthread_t thread;
        int fds[2];

        ck_assert_int_eq(pipe(fds), 0);
        ck_assert_int_eq(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
        ck_assert_int_eq(pthread_create(&thread, NULL, write_slowly, &fds[1]), 0);
        ok(sw_buf_read_fd(&b, fds[0], 1 << 20, "pipe"));
        ck_assert_int_eq(pthread_join(thread, NULL), 0);
        ck_assert_uint_eq(b.len, 300000);
        (void) close(fds[0]);
}
END_TEST

/* Would catch 'broken' reported as 'absent', and a message that lacks the path. */
START_TEST(tells_absent_from_broken)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;

        fails(sw_buf_read_file(&b, AT_FDCWD, "/nonexistent/x", 10), SW_E_NOT_FOUND,
              "open /nonexistent/x: No such file");
        fails(sw_buf_read_file(&b, AT_FDCWD, "/dev/null/x", 10), SW_E_NOT_FOUND,
              "Not a dir");
        fails(sw_buf_read_file(&b, AT_FDCWD, "/proc", 10), SW_E_IO,
              "read /proc: Is a directory");
        fails(sw_buf_read_fd(&b, -1, 10, "nothing"), SW_E_IO, "read nothing: Bad file");
        ck_assert_str_eq(b.data, "");
}
END_TEST

/* Catches: waiting for who never writes; pipes that have their other end refused, too. */
START_TEST(named_pipes_do_not_wait)
{
        char dir[] = "/tmp/slipway-buf-XXXXXX";
        sw_auto(sw_buf) b = SW_BUF_INIT;
        sw_auto(sw_str) path = NULL;
        int ends[2];

        ck_assert_ptr_nonnull(mkdtemp(dir));
        path = sw_asprintf("%s/pipe", dir);
        ck_assert_int_eq(mkfifo(path, 0600), 0);
        fails(sw_buf_read_file(&b, AT_FDCWD, path, 10), SW_E_INVALID, "a named pipe");
        sw_auto(sw_fd) writer = open(path, O_RDWR | O_CLOEXEC);
        ck_assert_int_ge(writer, 0);
        fails(sw_buf_read_file(&b, AT_FDCWD, path, 10), SW_E_INVALID, "a named pipe");
        ck_assert_int_eq(unlink(path), 0);
        ck_assert_int_eq(rmdir(dir), 0);

        ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
        ck_assert_int_eq((int) write(ends[1], "text", 4), 4);
        ck_assert_int_eq(close(ends[1]), 0);
        sw_auto(sw_str) other = sw_asprintf("/proc/self/fd/%d", ends[0]);
        ok(sw_buf_read_file(&b, AT_FDCWD, other, 10));
        ck_assert_str_eq(b.data, "text");
        ck_assert_int_eq(close(ends[0]), 0);
}
END_TEST

UNIT_MAIN("buf", is_a_string_at_every_step, formats_any_length,
          detach_hands_the_string_over, reserve_makes_room, limit_is_exact, no_limit_works,
          reads_proc_files, waits_on_a_non_blocking_pipe, tells_absent_from_broken,
          named_pipes_do_not_wait)
