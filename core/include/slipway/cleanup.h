/*
 * slipway/cleanup.h - scope-bound release of what a function owns.
 *
 *      sw_auto(sw_fd) fd = open(...);           closed when the scope ends
 *      sw_autoptr(sw_buf) b = sw_buf_new();     freed when the scope ends
 *      *out = sw_steal(b);                      handed to the caller instead
 *
 * sw_auto is for values, sw_autoptr for pointers to objects. A type takes part by
 * SW_DEFINE_AUTO or SW_DEFINE_AUTOPTR beside its declaration. errno survives.
 */
#ifndef SLIPWAY_CLEANUP_H
#define SLIPWAY_CLEANUP_H

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include <slipway/api.h>

#define sw_auto(T)    __attribute__((cleanup(T##_auto_clear))) T
#define sw_autoptr(T) __attribute__((cleanup(T##_autoptr_clear))) T *

/* Define how a value of type T is released; CLEAR takes a T *. */
#define SW_DEFINE_AUTO(T, CLEAR)                                                           \
        static inline SW_UNUSED void T##_auto_clear(T *v)                                  \
        {                                                                                  \
                int saved = errno;                                                         \
                CLEAR(v);                                                                  \
                errno = saved;                                                             \
        }

/* Define how an object of type T is released; FREE takes a T * that is not NULL. */
#define SW_DEFINE_AUTOPTR(T, FREE)                                                         \
        static inline SW_UNUSED void T##_autoptr_clear(T **v)                              \
        {                                                                                  \
                int saved = errno;                                                         \
                if (*v)                                                                    \
                        FREE(*v);                                                          \
                errno = saved;                                                             \
        }

/* Take the value out of an owning variable, leaving nothing to be released in it. */
#define sw_steal(p)                                                                        \
        ({                                                                                 \
                __typeof__(p) sw_stolen_ = (p);                                            \
                (p) = NULL;                                                                \
                sw_stolen_;                                                                \
        })

/* A file descriptor; -1 when there is none. */
typedef int sw_fd;

/* Take a descriptor out of an owning sw_fd, leaving -1 in it. */
static inline int
sw_fd_steal(sw_fd *fd)
{
        int taken = *fd;

        *fd = -1;
        return taken;
}

static inline void
sw_fd_clear(sw_fd *fd)
{
        if (*fd >= 0)
                (void) close(*fd);
        *fd = -1;
}
SW_DEFINE_AUTO(sw_fd, sw_fd_clear)

/* A string from malloc. */
typedef char *sw_str;

static inline void
sw_str_clear(sw_str *s)
{
        free(*s);
        *s = NULL;
}
SW_DEFINE_AUTO(sw_str, sw_str_clear)

#endif
