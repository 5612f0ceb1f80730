/*
 * core/base/random.h - random bytes from the kernel.
 */
#ifndef SLIPWAY_BASE_RANDOM_H
#define SLIPWAY_BASE_RANDOM_H

#include <slipway/api.h>

/* Fill @p; ends the program when getrandom(2) fails, which it never does after boot. */
SW_API void sw__random(void *p, size_t n);

#endif
