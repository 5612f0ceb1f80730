/*
 * lib/dockerfile/instruct.h - typed instructions: what the nodes of parse.h mean.
 *
 *      sw_autoptr(sw_df_program) prog = NULL;
 *      err = sw_df_program_new(tree, &lint, &prog);
 *      for each prog->globals, prog->stages[i].cmds ...
 *
 * Nothing is expanded here: strings are as they are written. Everything a program points
 * at lives as long as the program, which borrows its tree. Errors are SW_E_INVALID with
 * the reference's text, "dockerfile parse error on line N: ..." where it says so, and the
 * place. Pure; any thread.
 */
#ifndef SLIPWAY_LIB_DOCKERFILE_INSTRUCT_H
#define SLIPWAY_LIB_DOCKERFILE_INSTRUCT_H

#include <slipway/array.h>

#include "lib/dockerfile/lint.h"
#include "lib/dockerfile/parse.h"

struct sw_df_strs {
        const char *const *v;
        size_t n;
};

/* NAME=VALUE. */
struct sw_df_kv {
        const char *key;
        const char *value;       /* ARG NAME alone: NULL */
        const char *comment;     /* ARG: "# NAME text" above it, the text; else "" */
        struct sw_df_word where; /* in the node's line */
};
struct sw_df_kvs {
        const struct sw_df_kv *v;
        size_t n;
};

/* An optional boolean flag. */
enum sw_df_maybe { SW_DF_UNSET, SW_DF_NO, SW_DF_YES };

/* A command line. */
struct sw_df_line {
        struct sw_df_strs args; /* shell form: one string, or none */
        bool shell;             /* shell form: SHELL goes in front */
};

/* ADD and COPY. Strings absent or empty are NULL. */
struct sw_df_inline { /* <<NAME among the sources */
        const char *name;
        const char *content; /* chomped if asked for */
        size_t len;
        bool expand;
};
struct sw_df_copy {
        struct sw_df_strs sources;
        const struct sw_df_inline *inlines;
        size_t n_inlines;
        const char *dest;
        const char *chown, *chmod;
        struct sw_df_strs excludes;
        bool link;
        const char *from;              /* COPY */
        bool parents;                  /* COPY */
        const char *checksum;          /* ADD */
        enum sw_df_maybe keep_git_dir; /* ADD */
        enum sw_df_maybe unpack;       /* ADD */
};

/* RUN. */
enum sw_df_network { SW_DF_NET_DEFAULT, SW_DF_NET_NONE, SW_DF_NET_HOST };
struct sw_df_device {
        const char *name;
        bool required;
};
struct sw_df_run {
        struct sw_df_line line;
        const struct sw_df_heredoc *heredocs; /* of the node */
        size_t n_heredocs;
        struct sw_df_strs mounts; /* the flags' values; sw_df_mount_parse() */
        enum sw_df_network network;
        bool insecure;
        const struct sw_df_device *devices; /* --device; sw_df_opts.devices */
        size_t n_devices;
        bool network_given, security_given;
};

struct sw_df_health {
        struct sw_df_strs test; /* "NONE" | "CMD", ... | "CMD-SHELL", text */
        int64_t interval, timeout, start_period, start_interval; /* ns; 0: not given */
        int retries;
};

struct sw_df_cmd {
        enum sw_df_kind kind; /* any but FROM and UNKNOWN */
        const char *name;     /* "RUN"; static */
        const char *text;     /* as written, joined and trimmed: the op's
                                 com.docker.dockerfile.v1.command */
        struct sw_df_range range;
        const struct sw_df_node *node; /* words, comments (inline check=) */
        union {
                struct sw_df_kvs kvs;   /* ENV LABEL ARG */
                struct sw_df_copy copy; /* ADD COPY */
                struct sw_df_run run;
                struct sw_df_line line; /* CMD ENTRYPOINT; ENTRYPOINT [] has no args */
                struct sw_df_strs strs; /* SHELL EXPOSE (sorted) VOLUME */
                const char *word;       /* WORKDIR USER STOPSIGNAL MAINTAINER */
                const char *trigger;    /* ONBUILD: its text, with here-documents */
                struct sw_df_health health;
        };
};

struct sw_df_stage {
        size_t index;
        const char *name;      /* in lower case; "": none */
        const char *name_text; /* as written; "" */
        const char *base;      /* not expanded */
        const char *platform;  /* of --platform; "": none */
        const char *text;      /* as written: "FROM busybox AS x" */
        const char *comment;   /* "# NAME text" above it, the text; else "" */
        struct sw_df_range range;
        const struct sw_df_node *node;
        const struct sw_df_cmd *cmds;
        size_t n_cmds;
};

struct sw_df_opts {
        bool devices; /* RUN --device is allowed (what the labs frontends do) */
};

typedef struct sw_df_program {
        const sw_df_tree *tree;          /* borrowed */
        const struct sw_df_cmd *globals; /* ARGs before the first FROM */
        size_t n_globals;
        const struct sw_df_stage *stages; /* one at least */
        size_t n_stages;
        struct sw_df_arena *arena; /* private */
} sw_df_program;

/**
 * sw_df_program_new - type a tree.
 * @opts: NULL: none.
 * @lint: told what can be seen from the instructions alone; NULL: nobody.
 * Errors: SW_E_INVALID, SW_E_LIMIT.
 */
SW_NODISCARD sw_err *sw_df_program_new(const sw_df_tree *tree,
                                       const struct sw_df_opts *opts,
                                       struct sw_df_lint *lint, sw_df_program **out);
void sw_df_program_free(sw_df_program *prog); /* NULL is fine */
SW_DEFINE_AUTOPTR(sw_df_program, sw_df_program_free)

/* One ONBUILD trigger by itself; owns its tree. */
typedef struct sw_df_trigger {
        struct sw_df_cmd cmd; /* range and place in errors: that of the FROM */
        struct sw_df_tree *tree;
        struct sw_df_arena *arena; /* private */
} sw_df_trigger;
/**
 * sw_df_trigger_new - parse the text of a trigger (of an image's OnBuild, of ONBUILD).
 * @text, @range: the Dockerfile and its FROM, for errors and as the command's place.
 * Errors: SW_E_INVALID, SW_E_LIMIT ("onbuild trigger should be a single expression").
 */
SW_NODISCARD sw_err *sw_df_trigger_new(const char *trigger, const struct sw_df_opts *opts,
                                       const struct sw_df_text *text,
                                       struct sw_df_range range, sw_df_trigger **out);
void sw_df_trigger_free(sw_df_trigger *t);
SW_DEFINE_AUTOPTR(sw_df_trigger, sw_df_trigger_free)

/* A mount of RUN, with its values expanded. */
enum sw_df_mount_type {
        SW_DF_MOUNT_BIND,
        SW_DF_MOUNT_CACHE,
        SW_DF_MOUNT_TMPFS,
        SW_DF_MOUNT_SECRET,
        SW_DF_MOUNT_SSH,
};
enum sw_df_sharing { SW_DF_SHARED, SW_DF_PRIVATE, SW_DF_LOCKED };
struct sw_df_mount {
        enum sw_df_mount_type type;
        char *from, *source, *target, *id; /* "" when not given; owned */
        char *env;                         /* NULL: not given */
        bool readonly;                     /* the type's default when not given */
        bool required;
        int64_t size; /* tmpfs; 0: no limit */
        enum sw_df_sharing sharing;
        bool has_mode, has_uid, has_gid;
        uint32_t mode, uid, gid;
};
void sw_df_mount_release(struct sw_df_mount *m);

/* Expands one word; appends to @out. */
typedef sw_err *(*sw_df_expand_fn)(void *arg, const char *word, sw_buf *out);
/**
 * sw_df_mount_parse - a value of --mount.
 * @expand: applied to every value. NULL: only `from` is checked (parse time), @out is not
 * touched and may be NULL.
 * Errors: SW_E_INVALID, those of @expand.
 */
SW_NODISCARD sw_err *sw_df_mount_parse(const char *value, sw_df_expand_fn expand, void *arg,
                                       struct sw_df_mount *out);
/** sw_df_mount_type_name - "bind" and so on; static. */
const char *sw_df_mount_type_name(enum sw_df_mount_type type);

/** sw_df_port_words - one word of EXPOSE (expanded) as "80/tcp" strings, ranges counted
 *  out, added to @out. @lint, @node: told of host parts and of upper-case protocols.
 *  Errors: SW_E_INVALID. */
SW_NODISCARD sw_err *sw_df_port_words(const char *word, struct sw_df_lint *lint,
                                      const struct sw_df_cmd *cmd, sw_strlist *out);

#endif
