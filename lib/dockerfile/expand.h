/*
 * lib/dockerfile/expand.h - variables, quotes and escapes in the words of a Dockerfile.
 *
 *      struct sw_df_lex lex = { .escape = '\\', .get = my_get, .arg = env };
 *      sw_auto(sw_buf) out = SW_BUF_INIT;
 *      err = sw_df_expand(&lex, "${HOME:-/root}/x", &out);
 *
 * All forms of reference section 8. Errors read "failed to process "WORD": ..." and are
 * SW_E_INVALID; a result beyond SW_DF_EXPAND_MAX, words nested deeper than
 * SW_DF_EXPAND_DEEP and patterns too costly to match are SW_E_LIMIT.
 * No state; any thread.
 */
#ifndef SLIPWAY_LIB_DOCKERFILE_EXPAND_H
#define SLIPWAY_LIB_DOCKERFILE_EXPAND_H

#include <slipway/array.h>
#include <slipway/buf.h>

enum {
        SW_DF_EXPAND_MAX = 1024 * 1024, /* bytes that variables may add to a word */
        SW_DF_EXPAND_DEEP = 100,        /* ${a:-${b:-${c...}}} */
};

/* How a word is read. Which to use where:
 *      arguments of instructions            0
 *      the name of a RUN step               KEEP_QUOTES | KEEP_UNSET
 *      here-documents of COPY and ADD       NO_QUOTES, escape '\\' */
enum sw_df_lex_flags {
        SW_DF_KEEP_QUOTES = 1 << 0,  /* quotes work, and stay */
        SW_DF_KEEP_ESCAPES = 1 << 1, /* escapes work, and stay */
        SW_DF_NO_QUOTES = 1 << 2,    /* quotes are characters like any other */
        SW_DF_KEEP_UNSET = 1 << 3,   /* a variable that is not set stays as it is written */
};

struct sw_df_lex {
        char escape; /* of the tree */
        unsigned flags;
        /* The value of variable @name (@len bytes, not NUL-terminated), borrowed until the
         * end of the call; NULL: not set. NULL for get: nothing is set. */
        const char *(*get)(void *arg, const char *name, size_t len);
        void *arg;
        /* Names used and set, used and not set; each once for each call, in order of use.
         * Added to; or NULL. */
        sw_strlist *matched, *unmatched;
};

/** sw_df_expand - append @word with everything replaced. On error @out is as it was.
 *  Errors: SW_E_INVALID, SW_E_LIMIT. */
SW_NODISCARD sw_err *sw_df_expand(const struct sw_df_lex *lex, const char *word,
                                  sw_buf *out);
/** sw_df_expand_each - the words that blanks outside of quotes divide it into, one by one;
 *  none for nothing but blanks. On error some may have been told. */
SW_NODISCARD sw_err *sw_df_expand_each(const struct sw_df_lex *lex, const char *word,
                                       void (*tell)(void *arg, const char *word),
                                       void *arg);
/** sw_df_expand_words - the same, added to @out (EXPOSE). On error @out is as it was. */
SW_NODISCARD sw_err *sw_df_expand_words(const struct sw_df_lex *lex, const char *word,
                                        sw_strlist *out);

#endif
