/*
 * plugins/snapshot-overlay/store.c - which directories are mounted over which.
 *
 * Thread: any, for different keys.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "plugins/snapshot-overlay/overlay.h"

/* What a view's handle points to: nothing is written on one, so nobody waits for its end.
 */
static const char view_mark;

/* Mount, and open the root. */
static sw_err *
hand_out(struct overlay *o, const struct overlay_plan *p, struct sw_snapshot_mount *out)
{
        sw_auto(sw_fd) treefd = -1;
        sw_auto(sw_fd) dirfd = -1;
        sw_err *err = overlay_mount_plan(o, p, &treefd, &dirfd);

        if (err)
                return err;
        if (dirfd < 0)
                dirfd = openat(treefd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (dirfd < 0)
                return sw_err_sys(SW_E_IO, errno, "open an overlay");
        out->dirfd = sw_fd_steal(&dirfd);
        out->treefd = sw_fd_steal(&treefd);
        out->handle = NULL;
        return SW_OK;
}

sw_err *
overlay_view(void *store, sw_ctx *ctx, const struct sw_stack *stack,
             struct sw_snapshot_mount *out)
{
        struct overlay *o = store;
        sw_auto(snapdir_stack) st = SNAPDIR_STACK_INIT;
        sw_auto(overlay_plan) plan = { 0 };
        sw_err *err = sw_ctx_check(ctx);

        if (!err)
                err = snapdir_stack_check(o->dir, stack, &st);
        if (!err)
                /* without an upper one, overlayfs wants two */
                err = overlay_plan_stack(o, ctx, &st, 2, &plan);
        if (!err)
                err = hand_out(o, &plan, out);
        if (!err)
                out->handle = (void *) (uintptr_t) &view_mark;
        return sw_err_wrap(err, "view a stack of %zu layers", stack ? stack->n : 0);
}

/* An empty work directory: a volatile mount leaves a mark that would refuse the next. */
static sw_err *
make_work(struct overlay *o, const char *path)
{
        if (mkdirat(o->dir->dirfd, path, 0700) == 0)
                return SW_OK;
        if (errno != EEXIST)
                return snapdir_err(errno, "make", path);
        sw_err *err = snapdir_discard(o->dir, path);
        if (!err && mkdirat(o->dir->dirfd, path, 0700) < 0)
                err = snapdir_err(errno, "make", path);
        return err;
}

/* @places: with what containers mount on below all of it. */
static sw_err *
mount_active(struct overlay *o, sw_ctx *ctx, const char *key, bool places,
             struct sw_snapshot_mount *out)
{
        sw_auto(snapdir_stack) st = SNAPDIR_STACK_INIT;
        sw_auto(overlay_plan) plan = { 0 };
        sw_auto(sw_fd) fd = -1;
        bool opaque = false;
        sw_err *err = sw_ctx_check(ctx);

        if (!err)
                err = sw_id_check("layer", key);
        if (!err)
                err = snapdir_open_layer(o->dir, 'a', key, &fd, &opaque);
        if (!err && !opaque)
                err = snapdir_stack_read(o->dir, key, &st);
        if (!err)
                err = overlay_plan_stack(o, ctx, &st, places ? 0 : 1, &plan);
        if (!err && places)
                err = overlay_places(o);
        if (err)
                return sw_err_wrap(err, "mount layer %s", key);
        if (places)
                sw_array_push(&plan.lower, sw_strdup(OVERLAY_PLACES));
        plan.upper = sw_asprintf("a/%s/%s", key, opaque ? "fo" : "fs");
        plan.work = sw_asprintf("a/%s/work", key);
        err = make_work(o, plan.work);
        if (!err)
                err = hand_out(o, &plan, out);
        return sw_err_wrap(err, "mount layer %s", key);
}

sw_err *
overlay_mount(void *store, sw_ctx *ctx, const char *key, struct sw_snapshot_mount *out)
{
        return mount_active(store, ctx, key, false, out);
}

sw_err *
overlay_mount_root(void *store, sw_ctx *ctx, const char *key, struct sw_snapshot_mount *out)
{
        return mount_active(store, ctx, key, true, out);
}

struct fds {
        sw_fd dir, tree;
};

/* The kernel takes its time to let go of an overlay, on a busy machine milliseconds. */
static void
close_fds(void *arg)
{
        struct fds *f = arg;

        sw_fd_clear(&f->dir);
        sw_fd_clear(&f->tree);
        free(f);
}

sw_err *
overlay_unmount(void *store, struct sw_snapshot_mount *m)
{
        struct overlay *o = store;
        struct fds *f = sw_new(struct fds);

        *f = (struct fds){ m->dirfd, m->treefd };
        if (m->handle == &view_mark)
                janitor_add(o->dir->janitor, close_fds, f);
        else /* what was written on is mounted again, below others */
                close_fds(f);
        m->dirfd = m->treefd = -1;
        return SW_OK;
}

sw_err *
overlay_commit(void *store, sw_ctx *ctx, const char *key)
{
        struct overlay *o = store;
        char work[SNAPDIR_PATH];
        sw_err *err = sw_id_check("layer", key);

        (void) snprintf(work, sizeof(work), "a/%s/work", key);
        /* was it mounted? */
        if (!err && faccessat(o->dir->dirfd, work, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
                err = snapdir_trim(o->dir, ctx, key);
        return err ? sw_err_wrap(err, "commit layer %s", key) : snapdir_commit(o->dir, key);
}
