/*
 * core/base/pattern.h - what glob.c, pattern.c and patternset.c share.
 */
#ifndef SLIPWAY_BASE_PATTERN_H
#define SLIPWAY_BASE_PATTERN_H

#include <slipway/pattern.h>

/* What a byte that is no UTF-8 counts as. */
#define SW__RUNE_BAD UINT32_C(0xfffd)

struct sw__range {
        uint32_t lo, hi;
};

uint32_t sw__rune(const char *s, size_t n, size_t *len);

/* The next range of a class, *@p behind its '[' or '^'; false: malformed. */
bool sw__class_next(const char **p, const char *end, struct sw__range *out);

/* A pattern as an automaton without backtracking. */
struct sw__automaton;
SW_NODISCARD sw_err *sw__automaton_new(const char *pattern, struct sw__automaton **out);
void sw__automaton_free(struct sw__automaton *a);
/* The whole of @path. */
bool sw__automaton_match(const struct sw__automaton *a, const char *path, size_t len);
/* Something that begins with @dir and a '/'. */
bool sw__automaton_below(const struct sw__automaton *a, const char *dir);

#endif
