/*
 * lib/dockerfile/convert_priv.h - what the files of conversion share.
 *
 *   stages.c     stages are listed, their bases and sources found, cycles refused
 *   base.c       what stages start from; ONBUILD triggers join
 *   ahead.c      images are looked up
 *   dispatch.c   one instruction after the other: dispatch_run.c, dispatch_copy.c,
 *                dispatch_config.c, mounts.c
 *   names.c      what steps are called, and where they stand
 *   epoch.c      SOURCE_DATE_EPOCH
 *   outline.c    what the target's arguments, secrets and agents are
 *   convert.c    the whole
 *
 * All strings and structs are the arena's, which lives as long as the conversion; states
 * are counted, each owned by its stage.
 */
#ifndef SLIPWAY_LIB_DOCKERFILE_CONVERT_PRIV_H
#define SLIPWAY_LIB_DOCKERFILE_CONVERT_PRIV_H

#include <string.h>

#include "lib/dockerfile/client_priv.h"
#include "lib/dockerfile/convert.h"
#include "lib/dockerfile/env.h"
#include "lib/dockerfile/expand.h"
#include "lib/dockerfile/keep.h"

#define SCRATCH     "scratch"
#define COMMAND_KEY "com.docker.dockerfile.v1.command"

struct stage;
struct answer;

/* An instruction of a stage. */
struct command {
        const struct sw_df_cmd *cmd;
        struct stage *from;    /* COPY --from; or NULL */
        struct stage **mounts; /* RUN: of each mount */
        bool onbuild;
};

/* ARG NAME[=VALUE] that was met. */
struct arg {
        const char *key, *value; /* value NULL: none */
};

/* ARG for the outline. */
struct arg_info {
        const char *key, *value, *comment;
        struct sw_df_range range;
        const char **deps; /* global arguments its default was made of */
        size_t n_deps;
        struct arg_info *next;
};

struct need { /* a secret or an agent, for the outline */
        struct sw_df_outline_need need;
        struct need *next;
};

struct dep {
        struct stage *stage;
        struct sw_df_range range; /* of the instruction */
        struct dep *next;
};

struct stage {
        const struct sw_df_stage *src; /* NULL: stands for an image of COPY --from */
        const char *base_name;         /* expanded; in full once looked up */
        const char *text;              /* "FROM busybox AS x"; "" */
        const char *label;             /* in names of steps; "" */
        struct sw_df_range range;
        struct stage *base;       /* FROM another stage */
        struct sw_df_named named; /* name NULL: no context takes its place */
        const sw_platform *platform;

        sw_state *state;
        struct sw_df_image image;
        const struct sw_df_image *base_image; /* as it was; NULL: none */
        struct sw_df_env env;                 /* of the state */
        const char *dir;                      /* of the state */

        struct command *commands;
        size_t n_commands;
        struct dep *deps;
        struct arg *args; /* one for each name, in the order of their first ARG */
        size_t n_args, cap_args;
        struct sw_df_table arg_places; /* name -> index in args */
        sw_df_paths *paths;    /* of its tree that others use; shared with its base's */
        sw_df_paths ctx_paths; /* of the main context that it uses */

        size_t n_steps, step; /* for names */
        bool step_onbuild;
        bool unregistered, dispatched, resolved, onbuild_taken, ignore_cache, workdir_set;
        struct sw_df_last last; /* instructions of which only the last counts */
        bool cmd_set;           /* CMD was in this stage */
        bool reachable;         /* from the target */
        unsigned mark;          /* of walks */

        struct arg_info *arg_infos;
        sw_df_paths used_args; /* names */
        struct need *secrets, *agents;
};

struct conv {
        const struct sw_df_convert *req;
        sw_df_client *client;
        const sw_df_config *config;
        const sw_df_program *program;
        struct sw_df_lint *lint; /* or NULL */
        struct sw_df_arena *arena;

        const sw_platform *target; /* never NULL */
        bool implicit;             /* nobody asked for it */
        struct sw_df_table build_args;
        struct sw_df_env globals;
        struct arg_info *global_infos;
        bool has_epoch;
        int64_t epoch;          /* s */
        const char *epoch_text; /* RFC 3339 */

        struct stage **stages;
        size_t n_stages, cap_stages;
        sw_map *by_name; /* stages, in lower case */
        SW_ARRAY(sw_df_trigger *) triggers;
        struct answer *answers;        /* of images that were looked up */
        size_t inherited, ports, made; /* counted against limits */

        sw_source_map *source;
        sw_state *context; /* late */
        sw_state *main;    /* what it becomes; NULL until all paths are known */
        sw_patterns *ignored;
        bool ignored_excepts, ignored_root; /* has "!"; has "*" and the like */
        bool has_proxy;
        struct sw_llb_proxy proxy;
};

/* ---- stages.c ---- */

SW_NODISCARD sw_err *sw_df__globals(struct conv *c);
SW_NODISCARD sw_err *sw_df__stages(struct conv *c, struct stage **target);
/* Where an instruction's trees come from; stages that stand for images are added. */
SW_NODISCARD sw_err *sw_df__sources(struct conv *c, struct stage *st, struct command *cmd);
SW_NODISCARD sw_err *sw_df__check_cycles(struct conv *c);
/* The names that the text gives to stages: those that can be used. @out has room for one of
 * each. How many. */
size_t sw_df__stage_names(const struct conv *c, const char **out);
/* Set reachable of all that @target needs. */
void sw_df__reach(struct conv *c, struct stage *target);

/* ---- ahead.c ---- */

/* Look up what stages that are reachable start from. */
void sw_df__look_ahead(struct conv *c);
/* The configuration of an image. *out: lives as long as the conversion. */
SW_NODISCARD sw_err *sw_df__image(struct conv *c, const char *name, const sw_platform *p,
                                  const sw_df_source_meta **out);
void sw_df__answers_release(struct conv *c);

/* ---- base.c ---- */

const sw_platform *sw_df__platform_of(const struct conv *c, const struct stage *st);
/* What the step is called that looks an image up. */
const char *sw_df__metadata_title(struct conv *c, const char *name, const sw_platform *p);
/* Let the stage's base name be that of an image in full. */
SW_NODISCARD sw_err *sw_df__full_name(struct conv *c, struct stage *st);

SW_NODISCARD sw_err *sw_df__resolve(struct conv *c, struct stage *target);

/* ---- dispatch*.c ---- */

SW_NODISCARD sw_err *sw_df__dispatch_all(struct conv *c);
SW_NODISCARD sw_err *sw_df__run(struct conv *c, struct stage *st, struct command *cmd);
SW_NODISCARD sw_err *sw_df__copy(struct conv *c, struct stage *st, struct command *cmd);
SW_NODISCARD sw_err *sw_df__configure(struct conv *c, struct stage *st,
                                      struct command *cmd);
SW_NODISCARD sw_err *sw_df__mounts(struct conv *c, struct stage *st, struct command *cmd,
                                   const struct sw_df_mount *mounts, sw_run *run);
/* WORKDIR; @cmd NULL: what the base image says. */
SW_NODISCARD sw_err *sw_df__workdir(struct conv *c, struct stage *st,
                                    const struct sw_df_cmd *cmd, const char *dir);
void sw_df__user(struct stage *st, const char *user);
/* What is run: with the shell in front when it was not an array. */
void sw_df__command_line(struct conv *c, struct stage *st, const struct sw_df_line *line,
                         struct sw_df_list *out);
/* Set a variable of state and environment. */
SW_NODISCARD sw_err *sw_df__set_env(struct conv *c, struct stage *st, const char *key,
                                    const char *value);
/* Count what is handed to a stage or to a command. SW_E_LIMIT when it gets too much. */
SW_NODISCARD sw_err *sw_df__count_inherited(struct conv *c, size_t n);
/* SW_E_LIMIT when @n more bytes that were made of variables are too many. Texts that are
 * lists of such words are only added to c->made; the next instruction finds out. */
SW_NODISCARD sw_err *sw_df__count_made(struct conv *c, size_t n);
void sw_df__add_arg(struct conv *c, struct stage *st, struct arg arg);

/* Expand a word with the stage's variables, into the arena; unset ones are reported. NULL
 * gives NULL. */
SW_NODISCARD sw_err *sw_df__expand(struct conv *c, struct stage *st,
                                   const struct sw_df_cmd *cmd, const char *word,
                                   unsigned flags, const char **out);
SW_NODISCARD sw_err *sw_df__expand_list(struct conv *c, struct stage *st,
                                        const struct sw_df_cmd *cmd,
                                        const struct sw_df_strs *in,
                                        struct sw_df_list *out);
void sw_df__report_unset(struct conv *c, struct stage *st, const struct sw_df_cmd *cmd,
                         const sw_strlist *unmatched);
/* Note that @path of a tree is used. */
void sw_df__use_path(struct conv *c, sw_df_paths *paths, const char *path);
void sw_df__commit(struct conv *c, struct stage *st, const char *what, bool layer);

/* A path below @dir: as it is when absolute; a '/' at its end is kept if @keep_slash. */
const char *sw_df__path(struct conv *c, const char *dir, const char *path, bool keep_slash);

/* ---- names.c ---- */

/* "[linux/amd64 build 2/4] " before @text; counts the step. */
const char *sw_df__step_name(struct conv *c, struct stage *st, const char *text,
                             const sw_platform *platform, const struct sw_df_env *env);
/* An instruction as its step is called: upper case, variables replaced. */
const char *sw_df__step_text(struct conv *c, const struct sw_df_lex *lex, const char *text);
/* One range for each line. */
void sw_df__locate(struct conv *c, struct sw_df_range range, struct sw_llb_location *out);

/* ---- epoch.c ---- */

SW_NODISCARD sw_err *sw_df__epoch(struct conv *c);
/* Name of the file that a URL makes. */
const char *sw_df__url_file(struct sw_df_arena *a, const char *url);
bool sw_df__is_url(const char *s);
SW_NODISCARD sw_err *sw_df__git_source(const struct sw_df_copy *copy, const char *src,
                                       const char *checksum, const char *name, bool *is_git,
                                       sw_state **out);

/* What @name was meant to be; NULL: nothing, or it is one of them. */
static inline const char *
sw_df__near(const char *name, const char *const *candidates, size_t n)
{
        const char *near = sw_df_suggest(name, candidates, n, true);

        return near && strcmp(near, name) != 0 ? near : NULL;
}

/* ---- outline.c ---- */

void sw_df__outline(struct conv *c, struct stage *target, sw_df_result *out);
struct arg_info *sw_df__note_arg(struct conv *c, struct arg_info **list,
                                 const struct sw_df_kv *kv, const char *value,
                                 struct sw_df_range range);
void sw_df__note_need(struct conv *c, struct need **list, const char *name, bool required,
                      struct sw_df_range range);

#endif
