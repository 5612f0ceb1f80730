/*
 * core/base/spin.h - look for a moment before sleeping.
 *
 * Two threads that hand small pieces of work to each other would put one another to sleep
 * and wake one another for each piece, which costs more than the piece. So who finds
 * nothing to do looks again for a moment. On one processor there is nobody to look for.
 *
 *      int64_t end = sw_time_mono() + sw__spin_ns();
 *      while (!atomic_load(&there) && sw__spin(end)) ;
 */
#ifndef SLIPWAY_BASE_SPIN_H
#define SLIPWAY_BASE_SPIN_H

#include <sys/sysinfo.h>

#include <slipway/time.h>

#define SW__SPIN_NS INT64_C(20000)

/* How long a thread may spin: 0 where that is no use. */
static inline int64_t
sw__spin_ns(void)
{
        return get_nprocs() > 1 ? SW__SPIN_NS : 0;
}

/* Until @end (of sw_time_mono) once round; false: it is over. */
static inline bool
sw__spin(int64_t end)
{
#if defined(__x86_64__) || defined(__i386__)
        __builtin_ia32_pause();
#elif defined(__aarch64__)
        __asm__ volatile("yield");
#endif
        return sw_time_mono() < end;
}

#endif
