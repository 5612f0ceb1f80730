/*
 * plugins/source-git/tree.c - what was checked out, told to a layer writer: files are 0644
 * or 0755 and 0:0 whatever the umask and the user, and a subdirectory is resolved in the
 * tree, however its symlinks are.
 */
#include <fcntl.h>
#include <string.h>

#include <slipway/path.h>
#include <slipway/time.h>

#include "lib/layer/walk.h"
#include "plugins/source-git/run.h"

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

static sw_err *
open_subdir(int tree, const char *subdir, int *out)
{
        sw_err *err = sw_path_open(tree, *subdir ? subdir : "/",
                                   O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, out);

        return *subdir ? sw_err_wrap(err, "failed to open subdir %s", subdir) : err;
}

sw_err *
tree_tell(const struct tree *t, const struct runner *r, const struct sw_layer_ops *ops,
          void *w)
{
        const struct timespec when = { .tv_sec = t->time };
        struct filter f = {
                .ops = ops,
                .w = w,
                .keep_git = t->keep_git,
                .mtime = r->spec->commit_time ? sw_time_from_spec(&when) : sw_time_now(),
        };
        const struct sw_walk_opts walk = { .no_xattrs = true, .epoch = -1 };
        sw_auto(sw_fd) tree = -1;
        sw_auto(sw_fd) from = -1;
        sw_err *err = sw_path_open(t->place.fd, "0/tree",
                                   O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, &tree);

        if (!err)
                err = open_subdir(tree, r->spec->subdir, &from);
        return err ? err : sw_layer_walk(r->ctx, from, &walk, &filter_ops, &f);
}
