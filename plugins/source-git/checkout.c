/*
 * plugins/source-git/checkout.c - from kept repositories into a tree on the disk.
 *
 *      <place>/<n>/git        git's own files, which borrow the kept repository's objects;
 *                             where .git is wanted, they are <place>/<n>/tree/.git
 *      <place>/<n>/tree       what is checked out: 0 what was asked for, others submodules
 *
 * Git never works in a tree that has something of another repository in it: a submodule is
 * checked out by itself and then takes the place of the empty directory that the tree has
 * for it. What .gitmodules says is taken for data: names make no paths, commands are not
 * looked at, URLs are checked like those of users. How much a repository can make of it is
 * limited: bytes, submodules, and submodules in each other.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <slipway/path.h>
#include <slipway/text.h>

#include "plugins/source-git/modules.h"
#include "plugins/source-git/run.h"

enum { MAX_DEPTH = 16, MAX_GITMODULES = 1024 * 1024 };

/* One of the trees. */
struct checkout {
        struct tree *tree;
        const struct runner *r;
        char *name; /* "3", below the place */
        char *git_dir, *work_tree;
        git_survey survey;
        git_modules modules;
        int64_t time;
};

static void
checkout_release(struct checkout *c)
{
        survey_release(&c->survey);
        modules_release(&c->modules);
        free(c->name);
        free(c->git_dir);
        free(c->work_tree);
}
typedef struct checkout checkout;
SW_DEFINE_AUTO(checkout, checkout_release)

void
tree_release(struct tree *t)
{
        place_release(&t->place);
}

static struct run
run_in(const struct checkout *c, enum run_reach reach, const char *const *args)
{
        return (struct run){
                .args = args,
                .reach = reach,
                .cwd_fd = c->tree->place.fd,
                .git_dir = c->git_dir,
                .work_tree = c->work_tree,
        };
}

static sw_err *
git_there(const struct checkout *c, enum run_reach reach, const char *const *args)
{
        const struct run q = run_in(c, reach, args);

        return git_run(c->r, &q);
}

/* ---- git's own files ---- */

static char *
path_below(const struct checkout *c, const char *name)
{
        return sw_asprintf("%s/%s/%s", c->name, c->tree->keep_git ? "tree/.git" : "git",
                           name);
}

static sw_err *
borrow_objects(const struct checkout *c, const struct shared *s)
{
        sw_auto(sw_str) text = sw_asprintf("%s/objects\n", s->path);
        sw_auto(sw_str) path = path_below(c, "objects/info/alternates");

        return sw_path_write_file(c->tree->place.fd, path, text, strlen(text), 0600);
}

/* Under its own name, as a clone would have it. */
static sw_err *
fetch_objects(const struct checkout *c, const struct shared *s, const struct resolved *what)
{
        sw_auto(sw_str) from = fetched_ref(what);
        sw_auto(sw_str) head = path_below(c, "FETCH_HEAD");
        const bool named = sw_str_has_prefix(what->ref, "refs/");
        sw_auto(sw_str) spec =
                sw_asprintf("+%s%s%s", from, named ? ":" : "", named ? what->ref : "");
        const char *const args[] = {
                "fetch", "--quiet", "--depth=1", "--no-tags", "--update-head-ok",
                s->path, spec,      NULL
        };
        sw_err *err = git_there(c, RUN_FILE, args);

        if (!err && unlinkat(c->tree->place.fd, head, 0) < 0 && errno != ENOENT)
                err = sw_err_sys(SW_E_IO, errno, "remove FETCH_HEAD");
        return err;
}

/* Where it comes from: for who works on in it. */
static sw_err *
name_origin(const struct checkout *c)
{
        sw_auto(sw_str) path = path_below(c, "config");
        sw_auto(sw_buf) text = SW_BUF_INIT;
        sw_err *err = sw_buf_read_file(&text, c->tree->place.fd, path, 64 * 1024);

        if (err)
                return err;
        sw_buf_adds(&text, "[remote \"origin\"]\n\turl = \"");
        for (const char *p = c->r->remote->url; *p; p++) {
                if (*p == '"' || *p == '\\')
                        sw_buf_addc(&text, '\\');
                sw_buf_addc(&text, *p);
        }
        sw_buf_adds(&text, "\"\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n");
        return sw_path_write_file(c->tree->place.fd, path, text.data, text.len, 0644);
}

/* An empty tree; what an earlier try left goes. */
static sw_err *
begin(const struct checkout *c, const struct shared *s, const struct resolved *what)
{
        const char *const args[] = { "init", "--quiet", "--template=",
                                     strlen(what->sha) == 64 ? "--object-format=sha256"
                                                             : "--object-format=sha1",
                                     NULL };
        const int place = c->tree->place.fd;
        sw_auto(sw_str) tree = sw_asprintf("%s/tree", c->name);
        sw_err *err = sw_path_remove(place, c->name);

        if (err)
                return err;
        if (mkdirat(place, c->name, 0700) < 0 || mkdirat(place, tree, 0755) < 0)
                return sw_err_sys(SW_E_IO, errno, "make %s", c->work_tree);
        err = git_there(c, RUN_ALONE, args);
        if (!err)
                err = c->tree->keep_git ? fetch_objects(c, s, what) : borrow_objects(c, s);
        if (!err && c->tree->keep_git)
                err = name_origin(c);
        return err;
}

/* ---- files ---- */

/* Before it is made: how large it is, and which submodules it has. */
static sw_err *
look_over(struct checkout *c, const char *commit)
{
        const char *const args[] = { "ls-tree", "-r",          "-t",   "-l",
                                     "-z",      "--full-tree", commit, NULL };
        struct run q = run_in(c, RUN_ALONE, args);
        char size[32];

        survey_release(&c->survey);
        c->survey = (struct survey){ .left = c->tree->left, .line = SW_BUF_INIT };
        q.work_tree = NULL;
        q.take = survey_take;
        q.arg = &c->survey;
        sw_err *err = git_run(c->r, &q);
        if (sw_err_code(err) != SW_E_LIMIT)
                return err;
        return sw_err_wrap(err,
                           "no tree of more than %s is made (option maxSize of source/git)",
                           sw_size_str(c->r->plugin->max_size, size));
}

static sw_err *
read_modules(struct checkout *c, const char *commit)
{
        sw_auto(sw_str) blob = sw_asprintf("--blob=%s:.gitmodules", commit);
        const char *const args[] = {
                "config", blob, "--no-includes", "--list", "-z", NULL
        };
        sw_auto(sw_buf) text = SW_BUF_INIT;
        struct run q = run_in(c, RUN_ALONE, args);

        modules_release(&c->modules);
        q.work_tree = NULL;
        q.out = &text;
        q.limit = MAX_GITMODULES;
        sw_err *err = git_run(c->r, &q);
        return err ? err : modules_read(text.data, text.len, &c->modules);
}

static bool
has_submodules(const struct checkout *c)
{
        return !c->r->spec->skip_submodules && c->survey.names_modules &&
               c->survey.links.n > 0;
}

/* All that needs the kept repository. */
static sw_err *
from_kept(void *arg, const struct shared *s, const struct runner *r,
          const struct resolved *what, const char *commit, int64_t time)
{
        struct checkout *c = arg;
        const char *const args[] = { "checkout", "--quiet", "--force",
                                     "--detach", commit,    NULL };
        sw_err *err = begin(c, s, what);

        (void) r;
        c->time = time;
        if (!err)
                err = look_over(c, commit);
        if (!err)
                err = git_there(c, RUN_ALONE, args);
        if (!err && has_submodules(c))
                err = read_modules(c, commit);
        return err;
}

/* ---- submodules ---- */

static sw_err *make(struct tree *t, const struct runner *r, const struct resolved *what,
                    unsigned depth, struct checkout *c);

/* What git submodule would note of it: that it is in use, and where it comes from. */
static sw_err *
note_module(const struct checkout *c, const struct module *m, const char *url)
{
        sw_auto(sw_str) active = sw_asprintf("submodule.%s.active", m->name);
        sw_auto(sw_str) from = sw_asprintf("submodule.%s.url", m->name);
        const char *const args[2][4] = { { "config", active, "true", NULL },
                                         { "config", from, url, NULL } };
        sw_err *err = SW_OK;

        for (size_t i = 0; i < SW_COUNT(args) && !err && c->tree->keep_git; i++)
                err = git_there(c, RUN_ALONE, args[i]);
        return err;
}

/* The checkout takes the place of the empty directory. */
static sw_err *
put_in(const struct checkout *c, const struct checkout *sub, const char *path)
{
        sw_auto(sw_str) from = sw_asprintf("%s/tree", sub->name);
        sw_auto(sw_str) to = sw_asprintf("%s/tree", c->name);
        sw_auto(sw_str) base = NULL;
        sw_auto(sw_fd) tree = -1;
        sw_auto(sw_fd) dir = -1;
        const int place = c->tree->place.fd;
        sw_err *err =
                sw_path_open(place, to, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, &tree);

        if (!err)
                err = sw_path_open_parent(tree, path, &dir, &base);
        if (!err && renameat(place, from, dir, base) < 0)
                err = sw_err_sys(SW_E_IO, errno, "put a submodule in its place");
        return err;
}

static sw_err *
add_link(struct checkout *c, const struct link *link, unsigned depth)
{
        const struct module *m = modules_find(&c->modules, link->path);
        struct resolved what = { .ref = (char *) link->sha };
        sw_auto(git_remote) remote = { .url = NULL };
        sw_auto(runner) r = { .known_hosts = -1 };
        sw_auto(checkout) sub = { .survey = { .line = SW_BUF_INIT } };

        if (!m || !m->url)
                return sw_err_new(SW_E_INVALID, ".gitmodules names no URL for it");
        if (m->none)
                return SW_OK;
        sw_err *err = remote_join(c->r->remote, m->url, &remote);
        if (err)
                return err;
        memcpy(what.sha, link->sha, sizeof(what.sha));
        runner_for(&r, c->r, &remote);
        err = make(c->tree, &r, &what, depth + 1, &sub);
        if (!err)
                err = put_in(c, &sub, link->path);
        return err ? err : note_module(c, m, remote.url);
}

static sw_err *
add_submodules(struct checkout *c, unsigned depth)
{
        sw_err *err = SW_OK;

        if (c->survey.links.n > 0 && depth >= MAX_DEPTH)
                return sw_err_new(SW_E_LIMIT, "submodules in more than %d others",
                                  MAX_DEPTH);
        for (size_t i = 0; i < c->survey.links.n && !err; i++) {
                sw_auto(sw_buf) shown = SW_BUF_INIT;
                const struct link *l = &c->survey.links.v[i];

                sw_buf_add_quoted(&shown, l->path, strlen(l->path), 200);
                err = sw_err_wrap(add_link(c, l, depth), "submodule %s", shown.data);
        }
        return err;
}

/* @c: empty; what is made. */
static sw_err *
make(struct tree *t, const struct runner *r, const struct resolved *what, unsigned depth,
     struct checkout *c)
{
        if (t->n > MAX_MODULES)
                return sw_err_new(SW_E_LIMIT, "more than %d submodules", MAX_MODULES);
        c->tree = t;
        c->r = r;
        c->name = sw_asprintf("%u", t->n++);
        c->git_dir = sw_asprintf("%s/%s/%s", t->place.path, c->name,
                                 t->keep_git ? "tree/.git" : "git");
        c->work_tree = sw_asprintf("%s/%s/tree", t->place.path, c->name);
        sw_err *err = with_commit(t->worker, r, what, from_kept, c);
        if (err)
                return err;
        t->left = c->survey.left;
        if (!has_submodules(c))
                return SW_OK;
        return sw_err_wrap(add_submodules(c, depth), "failed to update submodules for %s",
                           r->remote->url);
}

sw_err *
tree_make(struct tree *t, sw_worker *w, const struct shared *state, const struct runner *r,
          const struct resolved *what)
{
        sw_auto(checkout) c = { .survey = { .line = SW_BUF_INIT } };
        sw_err *err = place_make(state, &t->place);

        if (err)
                return err;
        t->worker = w;
        t->keep_git = r->spec->keep_git_dir && !*r->spec->subdir;
        t->left = r->plugin->max_size;
        err = make(t, r, what, 0, &c);
        t->time = c.time;
        return err;
}
