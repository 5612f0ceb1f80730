/*
 * tests/unit/shell.h - a fresh directory for each test, and shell lines that run in it.
 */
#ifndef SLIPWAY_TESTS_UNIT_SHELL_H
#define SLIPWAY_TESTS_UNIT_SHELL_H

#include <fcntl.h>

#include <slipway/path.h>
#include <slipway/spawn.h>

#include "tests/unit/tmp.h"

static char path[256]; /* of the directory */
static int here;       /* open on it */

/* For UNIT_MAIN_WITH. */
static inline void
setup(void)
{
        unit_mkdtemp(path, sizeof(path), "shell");
        here = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static inline void
teardown(void)
{
        sw_auto(sw_fd) parent = openat(here, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        ok(sw_path_remove(parent, strrchr(path, '/') + 1));
        close(here);
}

/* Run a shell line in the directory; what it prints is handed back. */
static inline char *
shell(const char *line)
{
        const char *const argv[] = { "sh", "-euc", line, NULL };
        struct sw_spawn s = SW_SPAWN_INIT;
        sw_auto(sw_buf) out = SW_BUF_INIT, err = SW_BUF_INIT;
        struct sw_exit end;
        bool cut;

        s.argv = argv;
        s.cwd_fd = here;
        s.flags = SW_SPAWN_SEARCH_PATH;
        ok(sw_spawn_capture(&s, NULL, 1 << 20, &out, &err, &cut, &end));
        ck_assert_msg(!end.signalled && !end.value, "%s: %s%s", line, out.data, err.data);
        return sw_buf_detach(&out);
}

#endif
