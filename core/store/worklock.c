/*
 * core/store/worklock.c - work that is done by one at a time. See worklock.h.
 */
#include "core/store/worklock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include <slipway/time.h>

enum { POLL_MS = 50 };

void
sw__wait_released(sw_worker *w)
{
        struct timespec until = sw_time_to_spec(sw_time_mono() + POLL_MS * SW_NS_PER_MS);

        pthread_mutex_lock(&w->lock);
        (void) pthread_cond_timedwait(&w->released, &w->lock, &until);
        pthread_mutex_unlock(&w->lock);
}

void
sw__released(sw_worker *w)
{
        pthread_mutex_lock(&w->lock);
        pthread_cond_broadcast(&w->released);
        pthread_mutex_unlock(&w->lock);
}

/* Which byte; two names on one byte would only wait for each other. */
static off_t
place_of(const char *name)
{
        const sw_digest d = sw_digest_of(name, strlen(name));
        uint64_t at;

        memcpy(&at, d.b, sizeof(at));
        return (off_t) (at >> 2);
}

sw_err *
sw__work_trylock(sw_worker *w, const char *name, int *out)
{
        sw_auto(sw_fd) fd =
                openat(w->rootfd, "locks", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        struct flock lock = { .l_type = F_WRLCK,
                              .l_whence = SEEK_SET,
                              .l_start = place_of(name),
                              .l_len = 1 };

        *out = -1;
        if (fd < 0)
                return sw_err_sys(SW_E_IO, errno, "open locks");
        if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
                *out = sw_fd_steal(&fd);
        else if (errno != EAGAIN && errno != EACCES && errno != EINTR)
                return sw_err_sys(SW_E_IO, errno, "lock a byte of locks");
        return SW_OK;
}

sw_err *
sw__work_lock(sw_worker *w, sw_ctx *ctx, const char *name, int *fd)
{
        for (;;) {
                sw_err *err = sw_ctx_check(ctx);

                if (!err)
                        err = sw__work_trylock(w, name, fd);
                if (err || *fd >= 0)
                        return err;
                sw__wait_released(w);
        }
}

void
sw__work_unlock(sw_worker *w, int fd)
{
        if (fd < 0)
                return;
        (void) close(fd);
        sw__released(w);
}
