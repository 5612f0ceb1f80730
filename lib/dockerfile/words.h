/*
 * lib/dockerfile/words.h - the words of one instruction: parse.c's helpers. Private.
 */
#ifndef SLIPWAY_LIB_DOCKERFILE_WORDS_H
#define SLIPWAY_LIB_DOCKERFILE_WORDS_H

#include "lib/dockerfile/arena.h"
#include "lib/dockerfile/parse.h"
#include "lib/dockerfile/span.h"

/* What a node is made from. */
struct sw_df_cut {
        struct sw_df_arena *arena;
        char escape;
        const char *line; /* the joined line; words are places in it */
};

/** sw_df_node_cut - name, flags, rest and args of the instruction in bytes @at.. of the
 *  line, @node->line being set by the caller. @inner: it is an ONBUILD's.
 *  Errors: SW_E_INVALID, SW_E_LIMIT; *@word is then the word to blame, if it is known. */
SW_NODISCARD sw_err *sw_df_node_cut(const struct sw_df_cut *cut, struct sw_df_span text,
                                    bool inner, struct sw_df_node *node,
                                    struct sw_df_word *word);

/** sw_df_heredocs_find - the here-documents that @line announces, contents still missing,
 *  into arena memory. */
SW_NODISCARD sw_err *sw_df_heredocs_find(struct sw_df_arena *arena, const char *line,
                                         struct sw_df_heredoc **out, size_t *n);

#endif
