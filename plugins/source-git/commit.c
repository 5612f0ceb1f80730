/*
 * plugins/source-git/commit.c - doing something with a commit in a kept repository.
 *
 * The repository is locked for one commit at a time, and never while another one is: two
 * repositories may be each other's submodules, and one its own. One that git cannot use is
 * set aside and made anew, once.
 */
#include <string.h>

#include "plugins/source-git/run.h"

static sw_err *
use_commit(struct shared *shared, const struct runner *r, const struct resolved *what,
           commit_fn *fn, void *arg)
{
        char commit[65];
        int64_t time;
        sw_err *err = fetch_commit(shared, r, what);

        if (!err)
                err = commit_of(shared, r, what, commit, &time);
        if (!err && !r->parent &&
            ref_is_commit(r->spec->ref)) /* it may be a tag's object */
                err = check_checksum(r->spec, what->sha, commit);
        if (!err)
                err = shared_keep(shared, r->ctx);
        return err ? err : fn(arg, shared, r, what, commit, time);
}

/* After a failure: whether it is the repository's. */
static sw_err *
is_damaged(const struct shared *shared, const struct runner *r, bool *out)
{
        static const char *const args[] = { "fsck", "--no-dangling", "--no-progress",
                                            "--no-reflogs", NULL };
        const struct run q = {
                .args = args,
                .reach = RUN_ALONE,
                .cwd_fd = shared->state,
                .git_dir = shared->path,
        };
        bool right = false;
        sw_err *err = git_ask(r, &q, &right);

        *out = !right;
        return err;
}

/* One try. *damaged: it failed because of the kept repository. @renew: begin with a new
 * one. */
static sw_err *
try_commit(sw_worker *w, const struct runner *r, const struct resolved *what, bool renew,
           commit_fn *fn, void *arg, bool *damaged)
{
        sw_auto(git_shared) shared = { .state = -1, .lock = -1 };
        const bool sha256 = strlen(what->sha) == 64;
        sw_err *err = shared_open_state(w, &shared);

        *damaged = false;
        if (!err)
                err = shared_take(&shared, r, sha256);
        if (!err && renew && !shared.is_new)
                err = shared_renew(&shared, r, sha256);
        if (err)
                return err;
        err = use_commit(&shared, r, what, fn, arg);
        if (sw_err_code(err) == SW_E_REMOTE && !shared.is_new)
                sw_err_drop(is_damaged(&shared, r, damaged), "then it is not known to be");
        return err;
}

sw_err *
with_commit(sw_worker *w, const struct runner *r, const struct resolved *what,
            commit_fn *fn, void *arg)
{
        bool damaged = false;
        sw_err *err = try_commit(w, r, what, false, fn, arg, &damaged);

        if (!damaged)
                return err;
        sw_err_drop(err, "tried again with a new repository");
        return try_commit(w, r, what, true, fn, arg, &damaged);
}
