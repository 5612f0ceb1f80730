/*
 * plugins/source-git/fetch.c - getting a commit into a kept repository.
 *
 * What is fetched is kept as refs/slipway/<object>: so the next fetch can tell the remote
 * what is here, and nothing that a checkout needs is collected under it. As little as
 * possible is asked for: one commit without its history.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <slipway/text.h>

#include "plugins/source-git/run.h"

enum { MAX_TEXT = 1024 };

char *
fetched_ref(const struct resolved *what)
{
        return sw_asprintf("refs/slipway/%s", what->sha);
}

static struct run
run_in(const struct shared *s, enum run_reach reach, const char *const *args)
{
        return (struct run){
                .args = args,
                .reach = reach,
                .cwd_fd = s->state,
                .git_dir = s->path,
        };
}

static sw_err *
has_commit(const struct shared *s, const struct runner *r, const char *name, bool *out)
{
        sw_auto(sw_str) commit = sw_asprintf("%s^{commit}", name);
        const char *const args[] = { "cat-file", "-e", commit, NULL };
        const struct run q = run_in(s, RUN_ALONE, args);

        return git_ask(r, &q, out);
}

/* Whether it is that which is kept under its name. */
static sw_err *
is_what(const struct shared *s, const struct runner *r, const struct resolved *what,
        bool *out)
{
        sw_auto(sw_str) name = fetched_ref(what);
        const char *const args[] = { "rev-parse", "--verify", "--quiet", name, NULL };
        sw_auto(sw_buf) text = SW_BUF_INIT;
        struct run q = run_in(s, RUN_ALONE, args);

        q.out = &text;
        q.limit = MAX_TEXT;
        sw_err *err = git_ask(r, &q, out);
        *out = *out && strncmp(text.data, what->sha, strlen(what->sha)) == 0;
        return err;
}

/* Whether it is here, and kept under its name: what came along with something else is
 * named now. */
static sw_err *
is_here(const struct shared *s, const struct runner *r, const struct resolved *what,
        bool *out)
{
        sw_auto(sw_str) name = fetched_ref(what);
        const char *const args[] = { "update-ref", name, what->sha, NULL };
        const struct run q = run_in(s, RUN_ALONE, args);
        bool named = false;
        sw_err *err = has_commit(s, r, what->sha, out);

        if (!err && *out)
                err = is_what(s, r, what, &named);
        if (err || !*out || named)
                return err;
        return git_run(r, &q);
}

/* Packs are put together once there are many. A fetch would do that itself, within the
 * limits of what it may bring. */
static void
tidy_packs(const struct shared *s, const struct runner *r)
{
        static const char *const args[] = { "gc", "--auto", "--quiet", NULL };
        const struct run q = run_in(s, RUN_ALONE, args);

        sw_err_drop(git_run(r, &q), "it works with many, too");
        shared_tidy(s, NULL);
}

/* A server may send what it likes; it comes as one file. */
static sw_err *
fetch(const struct shared *s, const struct runner *r, const char *const *args)
{
        struct run q = run_in(s, RUN_REMOTE, args);
        int64_t came = 0;
        char size[32];

        q.max_file = r->plugin->max_size;
        sw_err *err = git_run(r, &q);
        if (!err)
                return SW_OK;
        shared_tidy(s, &came);
        if (sw_err_code(err) != SW_E_REMOTE || came < r->plugin->max_size)
                return err;
        sw_err_drop(err, "git says that a program of its was killed");
        return sw_err_new(SW_E_LIMIT,
                          "more than %s would come (option maxSize of source/git)",
                          sw_size_str(r->plugin->max_size, size));
}

/* Alone: @from is a ref, or the object itself. */
static sw_err *
fetch_one(const struct shared *s, const struct runner *r, const struct resolved *what,
          const char *from)
{
        sw_auto(sw_str) to = fetched_ref(what);
        sw_auto(sw_str) spec = sw_asprintf("+%s:%s", from, to);
        const char *const args[] = { "fetch",
                                     "--quiet",
                                     "--progress",
                                     "--depth=1",
                                     "--no-tags",
                                     "--force",
                                     "--no-write-fetch-head",
                                     "--no-auto-maintenance",
                                     "origin",
                                     spec,
                                     NULL };

        return fetch(s, r, args);
}

/* Everything, from servers that do not give one commit. A depth without end, since git then
 * refuses servers that only give out their files: those could have it fetch for ever. */
static sw_err *
fetch_everything(const struct shared *s, const struct runner *r,
                 const struct resolved *what)
{
        static const char *const args[] = { "fetch",
                                            "--quiet",
                                            "--progress",
                                            "--depth=2147483647",
                                            "--tags",
                                            "--force",
                                            "--prune",
                                            "--no-write-fetch-head",
                                            "--no-auto-maintenance",
                                            "origin",
                                            "+refs/heads/*:refs/remotes/origin/*",
                                            NULL };
        bool here = false;
        sw_err *err = fetch(s, r, args);

        if (!err)
                err = is_here(s, r, what, &here);
        if (!err && !here)
                err = sw_err_new(SW_E_NOT_FOUND,
                                 "the repository does not contain commit %s", what->sha);
        return err;
}

static sw_err *
fetch_object(const struct shared *s, const struct runner *r, const struct resolved *what)
{
        sw_err *err = fetch_one(s, r, what, what->sha);

        if (sw_err_code(err) != SW_E_REMOTE || (r->spec->fetch_by_commit && !r->parent))
                return err;
        sw_ctx_logf(r->ctx, SW_LOG_DEBUG, "all of %s is fetched: %s", r->remote->url,
                    sw_err_message(err));
        sw_err_drop(err, "not every server gives one commit");
        return fetch_everything(s, r, what);
}

/* The ref, as it is now; it may be another commit than it was when it was looked at. */
static sw_err *
fetch_ref(const struct shared *s, const struct runner *r, const struct resolved *what)
{
        bool same = false;
        sw_err *err = fetch_one(s, r, what, what->ref);

        if (!err)
                err = is_what(s, r, what, &same);
        if (err || same)
                return err;
        err = fetch_one(s, r, what, what->sha);
        if (sw_err_code(err) != SW_E_REMOTE)
                return err;
        return sw_err_wrap(err,
                           "fetched ref %s does not match expected commit %s, which cannot "
                           "be found any more: it was changed just now",
                           what->ref, what->sha);
}

sw_err *
fetch_commit(struct shared *s, const struct runner *r, const struct resolved *what)
{
        bool here = false;
        sw_err *err = is_here(s, r, what, &here);

        if (err || here)
                return err;
        err = strcmp(what->ref, what->sha) == 0 ? fetch_object(s, r, what)
                                                : fetch_ref(s, r, what);
        if (!err)
                tidy_packs(s, r);
        return sw_err_wrap(err, "failed to fetch remote %s", r->remote->url);
}

sw_err *
commit_of(const struct shared *s, const struct runner *r, const struct resolved *what,
          char commit[65], int64_t *time)
{
        sw_auto(sw_str) name = sw_asprintf("%s^{commit}", what->sha);
        const char *const args[] = { "log", "-1", "--format=%H %ct", name, "--", NULL };
        sw_auto(sw_buf) text = SW_BUF_INIT;
        struct run q = run_in(s, RUN_ALONE, args);
        char *end = NULL;

        q.out = &text;
        q.limit = MAX_TEXT;
        sw_err *err = git_run(r, &q);
        if (err)
                return err;
        char *space = strchr(text.data, ' ');
        if (space)
                *space++ = '\0';
        const long long seconds = space ? strtoll(space, &end, 10) : 0;
        if (!space || end == space || *end != '\n' || !ref_is_commit(text.data))
                return sw_err_new(SW_E_REMOTE, "git log tells no commit for %s", what->sha);
        (void) snprintf(commit, 65, "%s", text.data);
        *time = seconds;
        return SW_OK;
}
