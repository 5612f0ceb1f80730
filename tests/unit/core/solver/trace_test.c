/*
 * tests/unit/core/solver/trace_test.c - the ring of events, its file, its text, and
 * `slipway debug solve-trace`.
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/solver/core.h"
#include "tests/unit/unit.h"

static int64_t
clock_of(void *arg)
{
        return *(int64_t *) arg += 1000;
}

static int64_t now;

static struct sw__trace *
trace_of(unsigned events, unsigned ring)
{
        struct sw__trace *t;

        now = 0;
        t = sw__trace_new(ring, clock_of, &now);
        for (unsigned i = 0; i < events; i++)
                sw__trace_add(t, SW__T_EDGE, i + 1, SW__E_KEYS, SW__EV_INPUTS, 7,
                              SW__E_HIT);
        return t;
}

static sw_err *
collect(void *arg, const char *text, size_t n)
{
        sw_buf_add(arg, text, n);
        return SW_OK;
}

static unsigned
lines(const sw_buf *b)
{
        unsigned n = 0;

        for (size_t i = 0; i < b->len; i++)
                n += b->data[i] == '\n';
        return n;
}

static int
dumped(unsigned events, unsigned ring)
{
        struct sw__trace *t = trace_of(events, ring);
        int fd = memfd_create("trace", MFD_CLOEXEC);

        ck_assert_int_ge(fd, 0);
        ok(sw__trace_dump(t, fd));
        ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
        sw__trace_free(t);
        return fd;
}

/* Catches an event lost, doubled or out of order where the ring wraps. */
START_TEST(keeps_the_latest)
{
        static const unsigned counts[] = { 0, 1, 7, 8, 9, 15, 16, 17, 300, 1000 };

        for (size_t i = 0; i < SW_COUNT(counts); i++) {
                sw_auto(sw_buf) out = SW_BUF_INIT;
                unsigned n = counts[i], kept = n < 8 ? n : 8;
                sw_auto(sw_fd) fd = dumped(n, 8);
                char first[64], last[64];

                ok(sw__trace_replay(fd, "x", collect, &out));
                ck_assert_uint_eq(lines(&out), kept + (n > 8));
                if (n == 0)
                        continue;
                snprintf(first, sizeof(first), "  v%u.7: keys --inputs--> hit",
                         n - kept + 1);
                snprintf(last, sizeof(last), "  v%u.7: keys --inputs--> hit", n);
                ck_assert_ptr_nonnull(strstr(out.data, first));
                ck_assert_ptr_nonnull(strstr(out.data, last));
                ck_assert(strstr(out.data, first) <= strstr(out.data, last));
                ck_assert_int_eq(n > 8, strstr(out.data, "are lost") != NULL);
        }
}
END_TEST

/* Catches the file and the ring telling different things. */
START_TEST(file_and_ring_agree)
{
        struct sw__trace *t = trace_of(100, 64);
        sw_auto(sw_buf) a = SW_BUF_INIT, b = SW_BUF_INIT;
        sw_auto(sw_fd) fd = dumped(100, 64);

        sw__trace_print(t, &a);
        ok(sw__trace_replay(fd, "x", collect, &b));
        ck_assert_str_eq(a.data, b.data);
        sw__trace_free(t);
}
END_TEST

/* Catches a cut-off or foreign file taken for a whole trace. */
START_TEST(refuses_what_is_no_trace)
{
        sw_auto(sw_buf) out = SW_BUF_INIT;
        sw_auto(sw_fd) fd = dumped(10, 16);
        uint32_t size = 33;

        ck_assert_int_eq(ftruncate(fd, sizeof(struct sw__trace_head) + 5 * 32 + 3), 0);
        fails(sw__trace_replay(fd, "f", collect, &out), SW_E_INVALID,
              "f is cut off: 5 of 10");
        lseek(fd, 0, SEEK_SET);
        ck_assert_int_eq(pwrite(fd, &size, 4, 8), 4);
        fails(sw__trace_replay(fd, "f", collect, &out), SW_E_INVALID, "another version");
        lseek(fd, 0, SEEK_SET);
        ck_assert_int_eq(pwrite(fd, "x", 1, 0), 1);
        fails(sw__trace_replay(fd, "f", collect, &out), SW_E_INVALID, "f is not a trace");
        ck_assert_int_eq(ftruncate(fd, 3), 0);
        lseek(fd, 0, SEEK_SET);
        fails(sw__trace_replay(fd, "f", collect, &out), SW_E_INVALID, "f is not a trace");
}
END_TEST

/* Catches a number from the file used as an index. */
START_TEST(prints_any_bytes)
{
        sw_auto(sw_buf) out = SW_BUF_INIT;
        struct sw__trace_event e;
        uint64_t rng = 1;

        for (unsigned i = 0; i < 20000; i++) {
                unsigned char *p = (unsigned char *) &e;

                for (size_t k = 0; k < sizeof(e); k++) {
                        rng = rng * 6364136223846793005u + 1442695040888963407u;
                        p[k] = (unsigned char) (rng >> 56);
                }
                e.kind = (uint16_t) (i % 40);
                sw__trace_text(&out, &e, INT64_MIN);
                ck_assert_uint_eq(lines(&out), 1);
                sw_buf_clear(&out);
        }
}
END_TEST

/* Catches the command not reaching the replay, or hiding its error. */
START_TEST(command_replays)
{
        const char *slipway = getenv("SLIPWAY");
        char path[] = "/tmp/slipway-trace-XXXXXX", text[4096] = "";
        struct sw__trace *t = trace_of(3, 16);
        int fd = mkstemp(path);
        sw_auto(sw_str) cmd = sw_asprintf("'%s' debug solve-trace %s",
                                          slipway ? slipway : "cmd/slipway/slipway", path);

        ck_assert_int_ge(fd, 0);
        ok(sw__trace_dump(t, fd));
        FILE *p = popen(cmd, "r");
        ck_assert_ptr_nonnull(p);
        ck_assert_uint_gt(fread(text, 1, sizeof(text) - 1, p), 0);
        ck_assert_int_eq(pclose(p), 0);
        ck_assert_ptr_nonnull(strstr(text, "v3.7: keys --inputs--> hit\n"));
        ck_assert_int_eq(ftruncate(fd, 40), 0);
        sw_auto(sw_str) bad = sw_asprintf("%s 2>/dev/null", cmd);
        ck_assert_int_ne(system(bad), 0);
        unlink(path);
        close(fd);
        sw__trace_free(t);
}
END_TEST

UNIT_MAIN("trace", keeps_the_latest, file_and_ring_agree, refuses_what_is_no_trace,
          prints_any_bytes, command_replays)
