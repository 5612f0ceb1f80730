/*
 * lib/snapdir/trim.c - take out of a layer what overlayfs put there and nobody changed.
 *
 * Overlayfs copies a directory up as soon as something in it is made, be it removed again:
 * what stays is an empty directory like the one below. It would hide other layers' metadata
 * where the layer is put on them. So directories that are empty, not opaque and just what
 * the stack below shows are removed, the deepest first; the times of those above stay.
 *
 * Thread: whoever commits the layer.
 */
#include <dirent.h>
#include <fcntl.h>
#include <string.h>

#include "lib/snapdir/diff_priv.h"

struct trim {
        struct snapdir *s;
        sw_ctx *ctx;
        struct snapdir_look *below;
        int root;        /* of the layer */
        sw_strlist dirs; /* below the root, those above first */
};

/* Add the directories in a directory to the list. */
static sw_err *
list_dir(struct trim *t, const char *path)
{
        sw_auto(sw_fd) fd = snapdir_open_dir(t->root, path);
        const struct dirent *e;
        sw_err *err = SW_OK;

        DIR *dir = fd < 0 ? NULL : fdopendir(fd);
        if (!dir)
                return snapdir_err(errno, "read", path);
        (void) sw_fd_steal(&fd);
        for (errno = 0; (e = readdir(dir)); errno = 0)
                if (e->d_type == DT_DIR && strcmp(e->d_name, ".") != 0 &&
                    strcmp(e->d_name, "..") != 0)
                        sw_strlist_take(&t->dirs,
                                        *path ? sw_asprintf("%s/%s", path, e->d_name)
                                              : sw_strdup(e->d_name));
        if (errno)
                err = snapdir_err(errno, "read", path);
        (void) closedir(dir);
        return err;
}

/* Whether the directory is like the one below it. */
static sw_err *
like_below(struct trim *t, int fd, const char *path, bool *same)
{
        sw_auto(sw_fd) below = -1;
        struct stat st, below_st;
        struct meta a, b;
        bool opaque = false;

        *same = false;
        sw_err *err = snapdir_is_opaque(t->s, fd, NULL, &opaque);
        if (err || opaque)
                return err;
        err = snapdir_look_at(t->below, path, O_RDONLY | O_DIRECTORY, &below);
        if (err && (sw_err_code(err) == SW_E_NOT_FOUND || sw_err_errno(err) == ENOTDIR ||
                    sw_err_errno(err) == ELOOP)) {
                sw_err_drop(err, "there is no directory below");
                return SW_OK;
        }
        if (err)
                return err;
        if (fstat(fd, &st) < 0 || fstat(below, &below_st) < 0)
                return snapdir_err(errno, "look at", path);
        meta_set(&a, &st);
        meta_set(&b, &below_st);
        return diff_same_entry(t->ctx, fd, &a, below, &b, NULL, same);
}

/* Remove a directory from the one above it, whose times stay; one that is not empty
 * stays. */
static sw_err *
drop_dir(struct trim *t, const char *path)
{
        const char *slash = strrchr(path, '/');
        sw_auto(sw_str) above = sw_strndup(path, slash ? (size_t) (slash - path) : 0);
        sw_auto(sw_fd) fd = snapdir_open_dir(t->root, above);
        struct stat st;

        if (fd < 0 || fstat(fd, &st) < 0)
                return snapdir_err(errno, "open", above);
        const struct timespec times[2] = { st.st_atim, st.st_mtim };
        if (unlinkat(fd, slash ? slash + 1 : path, AT_REMOVEDIR) < 0)
                return errno == ENOTEMPTY || errno == EEXIST
                               ? SW_OK
                               : snapdir_err(errno, "remove", path);
        return futimens(fd, times) < 0 ? snapdir_err(errno, "set the time of", above)
                                       : SW_OK;
}

static sw_err *
trim_dir(struct trim *t, const char *path)
{
        sw_auto(sw_fd) fd = snapdir_open_dir(t->root, path);
        struct stat st;
        bool same = false;

        if (fd < 0 || fstat(fd, &st) < 0)
                return snapdir_err(errno, "open", path);
        /* where the file system counts directories, one with others in it is not empty */
        if (st.st_nlink > 2)
                return SW_OK;
        sw_err *err = like_below(t, fd, path, &same);
        return err || !same ? err : drop_dir(t, path);
}

sw_err *
snapdir_trim(struct snapdir *s, sw_ctx *ctx, const char *key)
{
        struct trim t = { .s = s, .ctx = ctx, .root = -1 };
        sw_auto(snapdir_stack) st = SNAPDIR_STACK_INIT;
        sw_auto(sw_strlist) below = { 0 };
        sw_auto(sw_fd) root = -1;
        bool opaque = false;
        sw_err *err = snapdir_open_layer(s, 'a', key, &root, &opaque);

        if (!err && !opaque)
                err = snapdir_stack_read(s, key, &st);
        if (err || !st.keys.n)
                return err; /* nothing is below */
        snapdir_stack_dirs(&st, &below);
        t.root = root;
        err = snapdir_look_open(s, &below, &t.below);
        if (!err)
                err = list_dir(&t, "");
        for (size_t i = 0; i < t.dirs.n && !err; i++)
                err = list_dir(&t, t.dirs.v[i]);
        for (size_t i = t.dirs.n; i-- > 0 && !err;) {
                err = sw_ctx_check(ctx);
                if (!err)
                        err = trim_dir(&t, t.dirs.v[i]);
        }
        snapdir_look_close(t.below);
        sw_strlist_release(&t.dirs);
        return err;
}
