/*
 * plugins/snapshot-native/store.c - which directory a tree is, and handing it out.
 *
 * Thread: any, for different keys.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

#include "plugins/snapshot-native/native.h"

/* ---- handing out ------------------------------------------------------------------- */

/* A detached mount of a directory; -1 where that is not permitted. A tree is what is in it,
 * whatever the options of the file system it lies on. */
static int
bind_mount(int dirfd, const char *path, bool readonly)
{
        struct mount_attr attr = {
                .attr_set = readonly ? MOUNT_ATTR_RDONLY : 0,
                .attr_clr = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC,
                .propagation = MS_PRIVATE,
        };
        sw_auto(sw_fd) fd =
                open_tree(dirfd, path,
                          OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW);

        if (fd < 0 || mount_setattr(fd, "", AT_EMPTY_PATH, &attr, sizeof(attr)) == 0)
                return sw_fd_steal(&fd);
        attr.attr_clr = 0; /* locked, in a user namespace */
        if (mount_setattr(fd, "", AT_EMPTY_PATH, &attr, sizeof(attr)) == 0 || !readonly)
                return sw_fd_steal(&fd);
        return -1;
}

static sw_err *
hand_out(const struct snapdir *s, const char *path, bool readonly,
         struct sw_snapshot_mount *out)
{
        sw_auto(sw_fd) treefd = bind_mount(s->dirfd, path, readonly);
        sw_auto(sw_fd) dirfd =
                openat(treefd >= 0 ? treefd : s->dirfd, treefd >= 0 ? "." : path,
                       O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        if (dirfd < 0)
                return snapdir_err(errno, "open", path);
        out->dirfd = sw_fd_steal(&dirfd);
        out->treefd = sw_fd_steal(&treefd);
        return SW_OK;
}

/* ---- views ------------------------------------------------------------------------- */

/* Put the layers together, or find that done. */
static sw_err *
join(struct snapdir *s, sw_ctx *ctx, const struct snapdir_stack *st,
     char path[SNAPDIR_PATH])
{
        sw_auto(snapdir_slice) sl = { .keys = st->keys.v, .n = st->keys.n, .whole = true };

        if (snapdir_slice_find(s, &sl, path))
                return SW_OK;
        for (size_t i = st->keys.n; i-- > 0;) {
                snapdir_stack_path(st, i, path);
                sw_array_push(&sl.sources, sw_strdup(path));
        }
        return snapdir_slice_make(s, ctx, &sl, path);
}

sw_err *
native_view(void *store, sw_ctx *ctx, const struct sw_stack *stack,
            struct sw_snapshot_mount *out)
{
        struct snapdir *s = store;
        sw_auto(snapdir_stack) st = SNAPDIR_STACK_INIT;
        char path[SNAPDIR_PATH] = "e/0";
        sw_err *err = sw_ctx_check(ctx);

        if (!err)
                err = snapdir_stack_check(s, stack, &st);
        if (!err && st.keys.n == 1 && snapdir_is_plain(s, 'c', st.keys.v[0]))
                snapdir_stack_path(&st, 0, path);
        else if (!err && st.keys.n)
                err = join(s, ctx, &st, path);
        if (!err)
                err = hand_out(s, path, true, out);
        out->handle = NULL;
        return sw_err_wrap(err, "view a stack of %zu layers", stack ? stack->n : 0);
}

/* ---- trees that are written --------------------------------------------------------- */

/* *direct: nothing is below the layer, and it hides nothing; @path: its directory. */
static sw_err *
find_direct(struct snapdir *s, const char *key, bool *direct, char path[SNAPDIR_PATH])
{
        sw_auto(snapdir_stack) st = SNAPDIR_STACK_INIT;
        sw_auto(sw_fd) fd = -1;
        bool opaque = false;
        sw_err *err = sw_id_check("layer", key);

        if (!err)
                err = snapdir_open_layer(s, 'a', key, &fd, &opaque);
        if (!err && !opaque)
                err = snapdir_stack_read(s, key, &st);
        if (err)
                return err;
        *direct = st.keys.n == 0 && snapdir_is_plain(s, 'a', key);
        (void) snprintf(path, SNAPDIR_PATH, "a/%s/%s", key, opaque ? "fo" : "fs");
        return SW_OK;
}

sw_err *
native_mount(void *store, sw_ctx *ctx, const char *key, struct sw_snapshot_mount *out)
{
        struct snapdir *s = store;
        struct snapdir_work *work = NULL;
        char path[SNAPDIR_PATH];
        bool direct = false;
        sw_err *err = sw_ctx_check(ctx);

        if (!err)
                err = find_direct(s, key, &direct, path);
        if (!err && !direct)
                err = snapdir_work_begin(s, ctx, key, &work, path);
        if (!err)
                err = hand_out(s, path, false, out);
        if (err && work)
                sw_err_drop(snapdir_work_end(work), "nothing was changed in it");
        out->handle = err ? NULL : work;
        return sw_err_wrap(err, "mount layer %s", key);
}

sw_err *
native_unmount(void *store, struct sw_snapshot_mount *m)
{
        sw_fd dirfd = m->dirfd, treefd = m->treefd;
        struct snapdir_work *work = m->handle;

        (void) store;
        sw_fd_clear(&dirfd);
        sw_fd_clear(&treefd);
        m->dirfd = m->treefd = -1;
        m->handle = NULL;
        return work ? sw_err_wrap(snapdir_work_end(work), "take what was written") : SW_OK;
}

/* ---- probe ------------------------------------------------------------------------- */

sw_err *
native_probe(void *self, sw_ctx *ctx, int dirfd)
{
        struct snapdir_trial t;
        sw_err *err = snapdir_trial_begin(dirfd, &t);

        (void) self;
        (void) ctx;
        snapdir_trial_end(&t);
        return err;
}
