/*
 * tests/fuzz/trace_fuzz.c - recorded traces of the solver. A file that is read to its end
 * gives one line for each event, and nothing that steers a terminal; one that is refused is
 * refused with words.
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/solver/trace.h"
#include "tests/fuzz/fuzz.h"

struct seen {
        uint64_t lines, bytes;
};

static sw_err *
look(void *arg, const char *text, size_t n)
{
        struct seen *s = arg;

        fuzz_check(n > 0 && text[n - 1] == '\n');
        for (size_t i = 0; i < n; i++) {
                fuzz_check(text[i] == '\n' ||
                           ((unsigned char) text[i] >= 0x20 && text[i] != 0x7f));
                s->lines += text[i] == '\n';
        }
        s->bytes += n;
        return SW_OK;
}

static sw_err *
refuse(void *arg, const char *text, size_t n)
{
        (void) arg, (void) text, (void) n;
        return sw_err_new(SW_E_IO, "no room");
}

/* The magic and the size of an event are hard to guess: put them in. */
static int
file_of(const uint8_t *data, size_t size)
{
        int fd = memfd_create("trace", MFD_CLOEXEC);
        struct sw__trace_head head = { .magic = SW__TRACE_MAGIC,
                                       .event_size = sizeof(struct sw__trace_event) };

        fuzz_check(fd >= 0);
        if (size && data[0] & 1) {
                head.count = (size - 1) / sizeof(struct sw__trace_event);
                head.lost = data[0] >> 1;
                fuzz_check(write(fd, &head, sizeof(head)) == sizeof(head));
                data++;
                size--;
        }
        fuzz_check(write(fd, data, size) == (ssize_t) size);
        fuzz_check(lseek(fd, 0, SEEK_SET) == 0);
        return fd;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct seen s = { 0 };
        int fd;

        if (size > 1 << 16)
                return 0;
        fd = file_of(data, size);
        if (fuzz_ok(sw__trace_replay(fd, "the trace", look, &s)) && size && data[0] & 1)
                fuzz_check(s.lines == (size - 1) / sizeof(struct sw__trace_event) +
                                              (data[0] >> 1 != 0));
        fuzz_check(lseek(fd, 0, SEEK_SET) == 0);
        fuzz_check(s.lines == 0 || !fuzz_ok(sw__trace_replay(fd, "x", refuse, NULL)));
        (void) close(fd);
        return 0;
}
