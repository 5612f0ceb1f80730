/*
 * lib/dockerfile/parse.h - the text of a Dockerfile as nodes: directives, comments,
 * continuation lines, flags, words, here-documents. What the words mean is instruct.h's.
 *
 *      struct sw_df_text text = { "Dockerfile", data, len };
 *      sw_autoptr(sw_df_tree) tree = NULL;
 *      err = sw_df_parse(&text, &tree);
 *
 * A tree is immutable once made; all it points at lives as long as it does (the text
 * itself is copied). Mistakes are SW_E_INVALID and carry their place (sw_err_source).
 * The input may be hostile: sizes and counts are limited (SW_E_LIMIT), work is linear.
 * Pure; any thread.
 */
#ifndef SLIPWAY_LIB_DOCKERFILE_PARSE_H
#define SLIPWAY_LIB_DOCKERFILE_PARSE_H

#include <slipway/buf.h>

/* Limits. */
enum {
        SW_DF_TEXT_MAX = 16 * 1024 * 1024, /* bytes of a Dockerfile */
        SW_DF_LINE_MAX = 65535,            /* bytes of a physical line */
        SW_DF_NODES_MAX = 100000,          /* instructions */
        SW_DF_WORDS_MAX = 65536,           /* words of one instruction */
        SW_DF_COMMENTS_MAX =
                256, /* lines above an instruction; those further away are not its */
        SW_DF_HEREDOCS_MAX = 1000, /* of one instruction */
};

/* A text and what people call it. */
struct sw_df_text {
        const char *file; /* "Dockerfile" */
        const char *data;
        size_t len;
};

/* Lines from..to, counted from 1. {0, 0}: nowhere. */
struct sw_df_range {
        int first, last;
};

enum sw_df_kind {
        SW_DF_UNKNOWN,
        SW_DF_ADD,
        SW_DF_ARG,
        SW_DF_CMD,
        SW_DF_COPY,
        SW_DF_ENTRYPOINT,
        SW_DF_ENV,
        SW_DF_EXPOSE,
        SW_DF_FROM,
        SW_DF_HEALTHCHECK,
        SW_DF_LABEL,
        SW_DF_MAINTAINER,
        SW_DF_ONBUILD,
        SW_DF_RUN,
        SW_DF_SHELL,
        SW_DF_STOPSIGNAL,
        SW_DF_USER,
        SW_DF_VOLUME,
        SW_DF_WORKDIR,
        SW_DF_KINDS
};
/** sw_df_kind_name - "ADD"; NULL for SW_DF_UNKNOWN. Static. */
const char *sw_df_kind_name(enum sw_df_kind kind);
/** sw_df_kind_of - of a name in any case. */
enum sw_df_kind sw_df_kind_of(const char *name, size_t len);

/* A word of an instruction, and where it stands in the node's line (bytes at..end of
 * node->line). Quotes and escapes are kept in words, taken away from flags. */
struct sw_df_word {
        const char *text;
        uint32_t at, end;
};
struct sw_df_words {
        const struct sw_df_word *v;
        size_t n;
};

/* <<NAME, and the lines up to the one that ends it. */
struct sw_df_heredoc {
        const char *name;
        const char *content; /* with all its line ends; tabs still there if chomp */
        size_t len;
        bool expand; /* the name was not quoted */
        bool chomp;  /* <<-: leading tabs are to go (sw_df_chomp) */
};

/* Where a part of the joined line came from: bytes from @at on are those of physical line
 * @line from byte @column (from 0) on. */
struct sw_df_piece {
        uint32_t at, column;
        int line;
};

/* One instruction. */
struct sw_df_node {
        enum sw_df_kind kind;
        struct sw_df_word name; /* as written */
        const char *line;       /* all of it, joined: no continuations, comments, blanks at
                                   its start; "FROM busybox AS x". No here-documents. */
        struct sw_df_words flags; /* "--from=x"; a "--" that ended them is left out */
        struct sw_df_word rest;   /* what follows the flags, trimmed */
        struct sw_df_words args;  /* by the grammar of the instruction; see below */
        bool json;                /* args came from a JSON array */
        bool legacy_pair;         /* ENV and LABEL: "NAME rest", args are NAME and rest */
        int empty_continuation;   /* a blank line inside: the last line; else 0 */
        const struct sw_df_heredoc *heredocs; /* of ONBUILD: its instruction's */
        size_t n_heredocs;
        const struct sw_df_node *sub; /* ONBUILD: the instruction, whose words are places
                                         in the same line; else NULL */
        struct sw_df_range range;     /* with its here-documents */
        const char *const *comments;  /* right above, one a line, without "#" and blanks */
        size_t n_comments;
        uint64_t checks; /* rules that "check=" among them names: struct sw_df_check */
        const struct sw_df_piece *pieces;
        size_t n_pieces;
};
/* args: ADD COPY VOLUME: elements of the array, or what blanks divide; RUN CMD ENTRYPOINT
 * SHELL: elements of the array, or the rest as one; ENV LABEL: "k=v" words, or two
 * (legacy_pair); ARG: words; EXPOSE FROM: what blanks divide; USER WORKDIR STOPSIGNAL
 * MAINTAINER: the rest as one; HEALTHCHECK: its type, then as CMD; ONBUILD: none. */

/* "# name=value" at the top. */
struct sw_df_directive {
        const char *value; /* NULL: not given */
        int line;
};

typedef struct sw_df_tree {
        struct sw_df_text text; /* the tree's own copy */
        char escape;            /* '\\' or '`' */
        struct sw_df_directive syntax, escape_directive, check;
        const struct sw_df_node *nodes;
        size_t n_nodes;
        struct sw_df_arena *arena; /* private */
} sw_df_tree;

/**
 * sw_df_parse - take a Dockerfile apart.
 * Errors: SW_E_INVALID: as the reference words them ("file with no instructions",
 * "unterminated heredoc", ...); SW_E_LIMIT.
 */
SW_NODISCARD sw_err *sw_df_parse(const struct sw_df_text *text, sw_df_tree **out);
void sw_df_tree_free(sw_df_tree *tree); /* NULL is fine */
SW_DEFINE_AUTOPTR(sw_df_tree, sw_df_tree_free)

/* What a syntax directive says. {0}: there is none. */
struct sw_df_syntax {
        char *value;  /* all of it: "docker/dockerfile:1 --x"; NULL: none */
        char *source; /* up to the first blank */
        int line;
};
/** sw_df_syntax_find - the syntax directive in any of its forms: "# syntax=",
 *  "// syntax=", {"syntax": ...}; after a byte order mark, after a "#!" line. The text need
 *  not be a Dockerfile. No errors: what cannot be read has none. */
void sw_df_syntax_find(const struct sw_df_text *text, struct sw_df_syntax *out);
void sw_df_syntax_release(struct sw_df_syntax *s);

/** sw_df_chomp - append @len bytes of a here-document without the tabs its lines start
 *  with. */
void sw_df_chomp(const char *content, size_t len, sw_buf *out);

/** sw_df_heredoc_word - whether @word as a whole is "<<NAME" in any of its forms, and with
 *  @name the NAME. What RUN and COPY ask of their words. @name: handed back; or NULL. */
bool sw_df_heredoc_word(const char *word, char **name);

/** sw_df_blame - set the place of @err: lines @range of @text, or with @word and @node that
 *  word alone. @err: borrowed, may be SW_OK. Returns @err. The first place set stays. */
sw_err *sw_df_blame(sw_err *err, const struct sw_df_text *text, struct sw_df_range range);
sw_err *sw_df_blame_word(sw_err *err, const struct sw_df_text *text,
                         const struct sw_df_node *node, const struct sw_df_word *word);
/** sw_df_blame_node - the same, and "dockerfile parse error on line N: " in front. */
sw_err *sw_df_blame_node(sw_err *err, const struct sw_df_text *text,
                         const struct sw_df_node *node, const struct sw_df_word *word);

#endif
