/*
 * tests/fuzz/copy_fuzz.c - the copy action on a small tree. Input: two bytes of flags, then
 * texts that end with NUL: source, destination, mode, patterns in turn to include, to
 * exclude and to require.
 */
#include "tests/fuzz/opsfuzz.h"

#define MAX_LISTS 12

static void
put(int dirfd, const char *path)
{
        int fd = openat(dirfd, path, O_CREAT | O_WRONLY | O_CLOEXEC, 0640);

        fuzz_check(fd >= 0 && write(fd, "x", 1) == 1);
        (void) close(fd);
}

static int
make_source(void)
{
        int fd = scratch_dir();

        fuzz_check(!mkdirat(fd, "d", 0755) && !mkdirat(fd, "d/e", 0700) &&
                   !mkdirat(fd, "empty", 0755));
        put(fd, "f");
        put(fd, "d/f.c");
        put(fd, "d/e/f.o");
        fuzz_check(!linkat(fd, "f", fd, "d/g", 0));
        fuzz_check(!symlinkat("/d/e", fd, "l") && !symlinkat("../../..", fd, "d/up") &&
                   !symlinkat("loop", fd, "loop") && !symlinkat("d/f.c", fd, "lf"));
        fuzz_check(!mknodat(fd, "fifo", S_IFIFO | 0600, 0));
        return fd;
}

/* The next text; "" when there is none. */
static char *
next(const uint8_t **p, const uint8_t *end)
{
        size_t n = strnlen((const char *) *p, (size_t) (end - *p));
        char *s = sw_strndup((const char *) *p, n);

        *p += n;
        *p += *p < end;
        return s;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static int dirfd = -1;
        const struct sw__owner owner = { 0 };
        Pb__FileActionCopy copy = PB__FILE_ACTION_COPY__INIT;
        const uint8_t *p = data + 2, *end = data + size;
        char *lists[3][MAX_LISTS];
        size_t n[3] = { 0 };

        if (dirfd < 0)
                dirfd = make_source();
        if (size < 2)
                return 0;
        copy.src = next(&p, end);
        copy.dest = next(&p, end);
        copy.modestr = next(&p, end);
        for (unsigned i = 0; p < end && n[i % 3] < MAX_LISTS; i++)
                lists[i % 3][n[i % 3]++] = next(&p, end);
        copy.include_patterns = lists[0];
        copy.n_include_patterns = n[0];
        copy.exclude_patterns = lists[1];
        copy.n_exclude_patterns = n[1];
        copy.required_paths = lists[2];
        copy.n_required_paths = n[2];
        copy.mode = data[1] & 1 ? data[1] : -1;
        copy.timestamp = data[1] & 2 ? 5 : -1;
        copy.followsymlink = data[0] & 1;
        copy.dircopycontents = data[0] & 2;
        copy.createdestpath = data[0] & 4;
        copy.allowwildcard = data[0] & 8;
        copy.allowemptywildcard = data[0] & 16;
        copy.alwaysreplaceexistingdestpaths = data[0] & 32;
        copy_once(dirfd, &copy, &owner);
        free(copy.src);
        free(copy.dest);
        free(copy.modestr);
        for (unsigned k = 0; k < 3; k++)
                for (size_t i = 0; i < n[k]; i++)
                        free(lists[k][i]);
        return 0;
}
