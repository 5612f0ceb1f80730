/*
 * plugins/source-git/run.h - running the git program.
 *
 * Never through a shell, save the one that git itself uses for the command that is fixed in
 * GIT_SSH_COMMAND. Nothing of the user's or the machine's configuration counts: git gets an
 * environment of its own, and settings in it (GIT_CONFIG_COUNT), where other users cannot
 * read credentials as they can in arguments.
 */
#ifndef SLIPWAY_SOURCE_GIT_RUN_H
#define SLIPWAY_SOURCE_GIT_RUN_H

#include "plugins/source-git/git.h"

/* What runs have in common: one repository, for one client. */
struct runner {
        struct git *plugin;
        const struct spec *spec;
        const struct remote *remote; /* that of @spec, or of a submodule */
        const struct runner *parent; /* of a submodule: whose agent and hosts these are */
        sw_ctx *ctx;
        sw_session *session;
        char *auth; /* "Authorization: …"; NULL: none */
        sw_fd known_hosts;
        struct agent *agent;
        sw_strlist hidden; /* what messages must not show */
};
/** runner_begin - find the client's credentials. */
SW_NODISCARD sw_err *runner_begin(struct runner *r, struct git *plugin,
                                  const struct spec *spec, sw_ctx *ctx,
                                  sw_session *session);
/** runner_for - the same for a submodule, which @remote is; both are borrowed. Credentials
 *  go along only to where git may send them. */
void runner_for(struct runner *r, const struct runner *parent, const struct remote *remote);
void runner_end(struct runner *r);
typedef struct runner runner;
SW_DEFINE_AUTO(runner, runner_end)

enum run_reach {
        RUN_ALONE,  /* it talks to nobody */
        RUN_FILE,   /* to a repository of ours, by its path */
        RUN_REMOTE, /* to the remote, as "origin" */
};

struct run {
        const char *const *args; /* after "git", NULL-ended */
        enum run_reach reach;
        int cwd_fd;
        const char *git_dir, *work_tree; /* or NULL */
        sw_buf *out;                     /* what it prints; or NULL */
        size_t limit;                    /* of that */
        sw_err *(*take)(void *arg, const char *p,
                        size_t n); /* the same in pieces; or NULL */
        void *arg;
        int64_t memory;   /* most bytes it may have, as servers can make it keep what they
                             like; 0: the plugin's */
        int64_t max_file; /* largest file it may write; 0: as it likes */
};

/** git_run - to its end. Errors: SW_E_NOT_FOUND (no git), SW_E_REMOTE with git's last words
 *  (exit status not 0), SW_E_TIMEOUT (nothing came any more), SW_E_LIMIT, SW_E_CANCELLED.
 */
SW_NODISCARD sw_err *git_run(const struct runner *r, const struct run *q);
/** git_ask - the same for what is no failure: *yes: exit status 0. */
SW_NODISCARD sw_err *git_ask(const struct runner *r, const struct run *q, bool *yes);

/* ---- runenv.c ---- */

/** auth_reaches - whether credentials for @from are good for @to, too. */
bool auth_reaches(const char *from, const char *to);
/** runenv_make - the environment, sorted out from ours; with credentials where it talks to
 *  the remote. @out: to be wiped by runenv_release(). */
void runenv_make(const struct runner *r, const struct run *q, sw_strlist *out);
void runenv_release(sw_strlist *env);

/* ---- agent.c ---- */

/** agent_start - a socket that stands for the client's ssh agent @id. */
SW_NODISCARD sw_err *agent_start(sw_ctx *ctx, sw_session *session, const char *id,
                                 int dirfd, struct agent **out);
void agent_stop(struct agent *a); /* NULL is fine */
/** Where it listens, for SSH_AUTH_SOCK; borrowed. */
const char *agent_path(const struct agent *a);

#endif
