/*
 * slipway/pattern.h - names with wildcards: Go's path.Match, and lists of patterns as in
 * .dockerignore (moby's patternmatcher).
 *
 * Paths are relative, with '/' between names: "src/main.c". Matching takes time in
 * proportion to path and pattern, whatever the pattern.
 * Thread: any; a compiled list is read-only.
 */
#ifndef SLIPWAY_PATTERN_H
#define SLIPWAY_PATTERN_H

#include <slipway/error.h>

SW_BEGIN_DECLS

/** sw_glob_check - Errors: SW_E_INVALID, naming the pattern: "[" without "]" and so on. */
SW_API SW_NODISCARD sw_err *sw_glob_check(const char *pattern);
/** sw_glob_match - Go's path.Match: '*' and '?' do not match '/'. A pattern that does not
 *  pass sw_glob_check() matches nothing. */
SW_API bool sw_glob_match(const char *pattern, const char *path);

typedef struct sw_patterns sw_patterns;

/**
 * sw_patterns_new - compile a list; "!" in front excepts again, "**" crosses '/', later
 * patterns win. Empty and blank ones are left out.
 * @list: @n strings, borrowed.   Errors: SW_E_INVALID, naming the pattern.
 */
SW_API SW_NODISCARD sw_err *sw_patterns_new(const char *const *list, size_t n,
                                            sw_patterns **out);
SW_API void sw_patterns_free(sw_patterns *p); /* NULL is fine */

/* What is known of a directory, for its entries: which patterns matched it. Zeroed for the
 * root; opaque. */
struct sw_pattern_state {
        uint64_t *bits; /* owned; NULL: none */
};
/** sw_pattern_state_release - zeroed again. */
SW_API void sw_pattern_state_release(struct sw_pattern_state *s);

/**
 * sw_patterns_match - does the list match @path, or a directory above it?
 * @parent: state of the directory that @path is in; NULL or zeroed: look at the path alone
 *          from its root (slower).
 * @state:  gets that of @path, for what is in it; released by the caller; may be NULL.
 */
SW_API bool sw_patterns_match(const sw_patterns *p, const char *path,
                              const struct sw_pattern_state *parent,
                              struct sw_pattern_state *state);
/** sw_patterns_may_match_below - whether something in the directory @dir can match (for
 *  lists of what is included): false lets a walk leave it out. */
SW_API bool sw_patterns_may_match_below(const sw_patterns *p, const char *dir);
/** sw_patterns_may_except_below - whether a "!" can match something in the directory @dir:
 *  false lets a walk leave an excluded one out. */
SW_API bool sw_patterns_may_except_below(const sw_patterns *p, const char *dir);

SW_DEFINE_AUTOPTR(sw_patterns, sw_patterns_free)

SW_END_DECLS
#endif
