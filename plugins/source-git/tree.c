/*
 * plugins/source-git/tree.c - from a kept repository into a tree.
 *
 * Git checks out into a directory of its own, which is told to the layer writer: files are
 * 0644 or 0755 and 0:0 whatever the umask and the user, and a subdirectory is resolved in
 * the tree, however its symlinks are. Where .git is not wanted, git's own files lie beside
 * the tree and borrow the kept repository's objects; where it is, they are fetched.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <slipway/path.h>
#include <slipway/text.h>
#include <slipway/time.h>

#include "lib/layer/walk.h"
#include "plugins/source-git/run.h"

/* ---- what is told of it ---- */

struct filter {
        const struct sw_layer_ops *ops;
        void *w;
        bool keep_git;
        int64_t mtime;
};

static bool
is_git(const struct filter *f, const char *path)
{
        if (f->keep_git)
                return false;
        for (const char *p = path;; p++) {
                const size_t n = strcspn(p, "/");

                if (n == 4 && memcmp(p, ".git", 4) == 0)
                        return true;
                p += n;
                if (!*p)
                        return false;
        }
}

static struct sw_layer_meta
meta_of(const struct filter *f, mode_t mode)
{
        return (struct sw_layer_meta){ .mode = mode, .mtime = f->mtime };
}

static mode_t
file_mode(const struct sw_layer_meta *m)
{
        return m->mode & 0100 ? 0755 : 0644;
}

static sw_err *
tell_mkdir(void *w, const char *path, const struct sw_layer_meta *m)
{
        const struct filter *f = w;
        const struct sw_layer_meta meta = meta_of(f, 0755);

        (void) m;
        return is_git(f, path) ? SW_OK : f->ops->mkdir(f->w, path, &meta);
}

static sw_err *
tell_file(void *w, const char *path, const struct sw_layer_meta *m, int fd, int64_t off,
          int64_t len)
{
        const struct filter *f = w;
        const struct sw_layer_meta meta = meta_of(f, file_mode(m));

        return is_git(f, path) ? SW_OK : f->ops->file(f->w, path, &meta, fd, off, len);
}

static sw_err *
tell_symlink(void *w, const char *path, const struct sw_layer_meta *m, const char *target)
{
        const struct filter *f = w;
        const struct sw_layer_meta meta = meta_of(f, 0777);

        (void) m;
        return is_git(f, path) ? SW_OK : f->ops->symlink(f->w, path, &meta, target);
}

static sw_err *
tell_hardlink(void *w, const char *path, const char *existing,
              const struct sw_layer_meta *m)
{
        const struct filter *f = w;
        const struct sw_layer_meta meta = meta_of(f, file_mode(m));

        return is_git(f, path) ? SW_OK : f->ops->hardlink(f->w, path, existing, &meta);
}

static sw_err *
tell_node(void *w, const char *path, const struct sw_layer_meta *m, mode_t type, dev_t dev)
{
        (void) w;
        (void) m;
        (void) type;
        (void) dev;
        return sw_err_new(SW_E_INTERNAL, "git made %s, which is no file", path);
}

static const struct sw_layer_ops filter_ops = {
        .hdr = SW_OPS_SIZE(struct sw_layer_ops),
        .mkdir = tell_mkdir,
        .file = tell_file,
        .symlink = tell_symlink,
        .hardlink = tell_hardlink,
        .node = tell_node,
};

/* ---- checking out ---- */

struct checkout {
        const struct shared *shared;
        const struct runner *r;
        const struct resolved *what;
        struct place place;
        char *git_dir, *work_tree;
        const char *git_name; /* the same, below the place */
        bool keep_git;
};

static void
checkout_release(struct checkout *c)
{
        place_release(&c->place);
        free(c->git_dir);
        free(c->work_tree);
}
typedef struct checkout checkout;
SW_DEFINE_AUTO(checkout, checkout_release)

static sw_err *
git_there(const struct checkout *c, enum run_reach reach, int cwd_fd,
          const char *const *args)
{
        const struct run q = {
                .args = args,
                .reach = reach,
                .cwd_fd = cwd_fd,
                .git_dir = c->git_dir,
                .work_tree = c->work_tree,
        };

        return git_run(c->r, &q);
}

static sw_err *
borrow_objects(const struct checkout *c)
{
        sw_auto(sw_str) text = sw_asprintf("%s/objects\n", c->shared->path);

        return sw_path_write_file(c->place.fd, "git/objects/info/alternates", text,
                                  strlen(text), 0600);
}

/* Under its own name, as a clone would have it. */
static sw_err *
fetch_objects(const struct checkout *c)
{
        sw_auto(sw_str) from = fetched_ref(c->what);
        const bool named = sw_str_has_prefix(c->what->ref, "refs/");
        sw_auto(sw_str) spec =
                sw_asprintf("+%s%s%s", from, named ? ":" : "", named ? c->what->ref : "");
        const char *const args[] = {
                "fetch",         "--quiet", "--depth=1", "--no-tags", "--update-head-ok",
                c->shared->path, spec,      NULL
        };
        sw_err *err = git_there(c, RUN_FILE, c->place.fd, args);

        if (!err && unlinkat(c->place.fd, "tree/.git/FETCH_HEAD", 0) < 0 && errno != ENOENT)
                err = sw_err_sys(SW_E_IO, errno, "remove FETCH_HEAD");
        return err;
}

/* Where it comes from: for submodules that are named relative to it, and for who works on
 * in it. */
static sw_err *
name_origin(const struct checkout *c)
{
        sw_auto(sw_str) path = sw_asprintf("%s/config", c->git_name);
        sw_auto(sw_buf) text = SW_BUF_INIT;
        sw_err *err = sw_buf_read_file(&text, c->place.fd, path, 64 * 1024);

        if (err)
                return err;
        sw_buf_adds(&text, "[remote \"origin\"]\n\turl = \"");
        for (const char *p = c->r->spec->remote.url; *p; p++) {
                if (*p == '"' || *p == '\\')
                        sw_buf_addc(&text, '\\');
                sw_buf_addc(&text, *p);
        }
        sw_buf_adds(&text, "\"\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n");
        return sw_path_write_file(c->place.fd, path, text.data, text.len, 0644);
}

static sw_err *
begin(struct checkout *c)
{
        const char *const args[] = { "init", "--quiet", "--template=",
                                     strlen(c->what->sha) == 64 ? "--object-format=sha256"
                                                                : "--object-format=sha1",
                                     NULL };
        sw_err *err = place_make(c->shared, &c->place);

        if (err)
                return err;
        c->git_name = c->keep_git ? "tree/.git" : "git";
        c->git_dir = sw_asprintf("%s/%s", c->place.path, c->git_name);
        c->work_tree = sw_asprintf("%s/tree", c->place.path);
        if (mkdirat(c->place.fd, "tree", 0755) < 0)
                return sw_err_sys(SW_E_IO, errno, "make %s", c->work_tree);
        err = git_there(c, RUN_ALONE, c->place.fd, args);
        if (!err)
                err = c->keep_git ? fetch_objects(c) : borrow_objects(c);
        return err ? err : name_origin(c);
}

static sw_err *
add_submodules(const struct checkout *c, int tree)
{
        static const char *const args[] = { "submodule",   "update",    "--init",
                                            "--recursive", "--depth=1", NULL };
        struct stat st;

        if (fstatat(tree, ".gitmodules", &st, AT_SYMLINK_NOFOLLOW) < 0)
                return SW_OK;
        return sw_err_wrap(git_there(c, RUN_SUBMODULES, tree, args),
                           "failed to update submodules for %s", c->r->spec->remote.url);
}

static sw_err *
open_subdir(int tree, const char *subdir, int *out)
{
        sw_err *err = sw_path_open(tree, *subdir ? subdir : "/",
                                   O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, out);

        return *subdir ? sw_err_wrap(err, "failed to open subdir %s", subdir) : err;
}

sw_err *
tree_write(const struct shared *s, const struct runner *r, const struct resolved *what,
           const char *commit, int64_t time, const struct sw_layer_ops *ops, void *w)
{
        const struct spec *spec = r->spec;
        sw_auto(checkout) c = {
                .shared = s,
                .r = r,
                .what = what,
                .place = { .fd = -1 },
                .keep_git = spec->keep_git_dir && !*spec->subdir,
        };
        const struct timespec when = { .tv_sec = time };
        struct filter f = {
                .ops = ops,
                .w = w,
                .keep_git = c.keep_git,
                .mtime = spec->commit_time ? sw_time_from_spec(&when) : sw_time_now(),
        };
        const struct sw_walk_opts walk = { .no_xattrs = true, .epoch = -1 };
        const char *const args[] = { "checkout", "--quiet", "--force",
                                     "--detach", commit,    NULL };
        sw_auto(sw_fd) tree = -1;
        sw_auto(sw_fd) from = -1;
        sw_err *err = begin(&c);

        if (!err)
                err = git_there(&c, RUN_ALONE, c.place.fd, args);
        if (!err)
                err = sw_path_open(c.place.fd, "tree", O_RDONLY | O_DIRECTORY | O_NOFOLLOW,
                                   0, &tree);
        if (!err && !spec->skip_submodules)
                err = add_submodules(&c, tree);
        if (!err)
                err = open_subdir(tree, spec->subdir, &from);
        return err ? err : sw_layer_walk(r->ctx, from, &walk, &filter_ops, &f);
}
