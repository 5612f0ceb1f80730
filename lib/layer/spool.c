/*
 * lib/layer/spool.c - files without a name. Thread: any; no state.
 */
#include "lib/layer/spool.h"

#include <fcntl.h>
#include <sys/mman.h>

#include <slipway/io.h>
#include <slipway/mem.h>

enum { ROOM = 256 << 10 };

sw_err *
sw_spool_new(int *fd)
{
        const char *dirs[] = { getenv("TMPDIR"), "/var/tmp" };

        for (size_t i = 0; i < SW_COUNT(dirs); i++) {
                if (!dirs[i] || !*dirs[i])
                        continue;
                *fd = open(dirs[i], O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
                if (*fd >= 0)
                        return SW_OK;
        }
        *fd = memfd_create("slipway", MFD_CLOEXEC);
        return *fd < 0 ? sw_err_sys(SW_E_IO, errno, "make a temporary file") : SW_OK;
}

sw_err *
sw_spool_fill(sw_ctx *ctx, sw_err *(*read)(void *arg, void *p, size_t n, size_t *got),
              void *arg, int64_t len, int *fd)
{
        sw_auto(sw_fd) out = -1;
        sw_auto(sw_str) room = sw_alloc(ROOM);
        sw_err *err = sw_spool_new(&out);

        while (!err && len > 0) {
                size_t got = 0;

                err = read(arg, room, len < ROOM ? (size_t) len : ROOM, &got);
                if (!err && !got)
                        err = sw_err_new(SW_E_IO, "its data end early");
                int failed = err ? 0 : sw_write_all(out, room, got);
                if (failed)
                        err = sw_err_sys(SW_E_IO, failed, "write to a temporary file");
                if (!err)
                        err = sw_ctx_check(ctx);
                len -= (int64_t) got;
        }
        if (!err)
                *fd = sw_fd_steal(&out);
        return err;
}
