/*
 * core/solver/tight.h - pushing to arrays that are many and small.
 *
 * A graph of a hundred thousand vertices has a million arrays, and nearly all of them hold
 * one element: they get room for 1, 2, 4... instead of a handful at once.
 */
#ifndef SLIPWAY_CORE_SOLVER_TIGHT_H
#define SLIPWAY_CORE_SOLVER_TIGHT_H

#include <slipway/array.h>

/* As sw_array_push. */
#define sw__push_tight(a, ...)                                                             \
        do {                                                                               \
                if ((a)->n == (a)->cap) {                                                  \
                        (a)->cap = (a)->cap ? 2 * (a)->cap : 1;                            \
                        (a)->v = sw_realloc_array((a)->v, (a)->cap, sizeof(*(a)->v));      \
                }                                                                          \
                (a)->v[(a)->n++] = (__VA_ARGS__);                                          \
        } while (0)

#endif
