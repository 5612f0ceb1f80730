/*
 * plugins/source-git/git.h - what the files of this plugin share.
 *
 *      spec.c      what is asked for: identifier and attributes; cache keys
 *      source.c    the operations
 *      resolve.c   what a ref stands for now: git ls-remote
 *      shared.c    kept repositories, one for each remote; places for checkouts
 *      fetch.c     getting a commit into a kept repository
 *      commit.c    doing something with it there
 *      checkout.c  from there into a tree, with submodules
 *      tree.c      telling that tree
 *      run.c runenv.c agent.c   the git program, what it sees, the client's ssh agent
 *      ref.c modules.c   names and text, checked and taken apart
 *
 * Kept repositories are bare and lie in the directory of this plugin's state: they are what
 * prune may empty. A lock file beside each is held while git writes in it, or reads.
 */
#ifndef SLIPWAY_SOURCE_GIT_GIT_H
#define SLIPWAY_SOURCE_GIT_GIT_H

#include <pthread.h>

#include <slipway/map.h>
#include <slipway/source.h>
#include <slipway/worker.h>

#include "plugins/source-git/ref.h"

/* The plugin. */
struct git {
        const char *ca; /* file with CAs instead of the system's; or NULL */
        int64_t idle_ns;
        int64_t max_size; /* of what one fetch brings, and of a tree */
        int64_t memory;   /* that a git may have */
        sw_log *log;
        pthread_mutex_t lock;
        sw_map *answers; /* of remotes, to the clients of now; under the lock */
};

/* What is asked for. */
struct spec {
        struct remote remote;
        char *ref;                          /* checked; "": the default branch */
        char *subdir;                       /* as it was given; "": the whole tree */
        char *checksum;                     /* or NULL */
        char *header_secret, *token_secret; /* names; or NULL */
        char *known_hosts;                  /* text; or NULL: any host key will do */
        char *ssh;                          /* id of an agent; or NULL */
        bool keep_git_dir, skip_submodules, fetch_by_commit, commit_time;
};
SW_NODISCARD sw_err *spec_init(struct spec *s, const struct sw_source_request *req);
void spec_release(struct spec *s);
/** The cache key, byte for byte as BuildKit's. From malloc. */
char *spec_cache_key(const struct spec *s, const struct resolved *r);

struct runner;

/** resolve_ref - ask the remote, unless a commit is named or the same client asked just
 * now: all of a build sees one commit; compare with the checksum. */
SW_NODISCARD sw_err *resolve_ref(const struct runner *r, int cwd_fd, struct resolved *out);
/** resolve_init, resolve_end - what was answered. */
void resolve_init(struct git *plugin);
void resolve_end(struct git *plugin);
/** check_checksum - of what a ref stands for. */
SW_NODISCARD sw_err *check_checksum(const struct spec *s, const char *sha,
                                    const char *commit);

/* ---- shared.c ---- */

/* The directory of the plugin's state, and a kept repository in it. */
struct shared {
        sw_fd state;
        char *state_path;
        char *name; /* of the repository in it */
        char *path;
        sw_fd lock;
        bool is_new;
};
SW_NODISCARD sw_err *shared_open_state(sw_worker *w, struct shared *s);
/** shared_take - the kept repository of a remote, alone; made if there is none. */
SW_NODISCARD sw_err *shared_take(struct shared *s, const struct runner *r, bool sha256);
/** shared_keep - go on reading beside others. */
SW_NODISCARD sw_err *shared_keep(struct shared *s, sw_ctx *ctx);
/** shared_renew - set it aside and begin a new one, which is taken. */
SW_NODISCARD sw_err *shared_renew(struct shared *s, const struct runner *r, bool sha256);
/** shared_tidy - remove what a fetch that failed, or was killed, left in it. *largest:
 * bytes of the largest pack among that; NULL: not asked. */
void shared_tidy(const struct shared *s, int64_t *largest);
void shared_release(struct shared *s);
typedef struct shared git_shared;
SW_DEFINE_AUTO(git_shared, shared_release)

/* A place for one checkout: goes with its user, also when that is killed. */
struct place {
        const struct shared *in;
        char *name, *path;
        sw_fd fd; /* locked */
};
SW_NODISCARD sw_err *place_make(const struct shared *s, struct place *out);
void place_release(struct place *p);
typedef struct place git_place;
SW_DEFINE_AUTO(git_place, place_release)

/* ---- fetch.c, commit.c ---- */

/** fetch_commit - have it in the kept repository, which is taken, as the ref *name. */
SW_NODISCARD sw_err *fetch_commit(struct shared *s, const struct runner *r,
                                  const struct resolved *what);
/** The name under which it is kept there. From malloc. */
char *fetched_ref(const struct resolved *what);
/** commit_of - the commit that is kept there, and its time. */
SW_NODISCARD sw_err *commit_of(const struct shared *s, const struct runner *r,
                               const struct resolved *what, char commit[65], int64_t *time);

/* What is done with a commit that is in the kept repository; twice, if that turns out to be
 * damaged. */
typedef sw_err *commit_fn(void *arg, const struct shared *shared, const struct runner *r,
                          const struct resolved *what, const char *commit, int64_t time);
/** with_commit - have it in the kept repository of the remote, and call @fn. */
SW_NODISCARD sw_err *with_commit(sw_worker *w, const struct runner *r,
                                 const struct resolved *what, commit_fn *fn, void *arg);

/* ---- checkout.c, tree.c ---- */

/* What is asked for, on the disk. */
struct tree {
        sw_worker *worker;
        struct place place; /* "0/tree" in it */
        bool keep_git;
        int64_t time; /* of the commit */
        int64_t left; /* bytes that its files may have still */
        unsigned n;   /* checkouts: it and its submodules */
};
/** tree_make - check it out, with its submodules. @t: empty; place.fd is -1. */
SW_NODISCARD sw_err *tree_make(struct tree *t, sw_worker *w, const struct shared *state,
                               const struct runner *r, const struct resolved *what);
/** tree_tell - tell a layer writer what of it was asked for. */
SW_NODISCARD sw_err *tree_tell(const struct tree *t, const struct runner *r,
                               const struct sw_layer_ops *ops, void *w);
void tree_release(struct tree *t);
typedef struct tree git_tree;
SW_DEFINE_AUTO(git_tree, tree_release)

#endif
