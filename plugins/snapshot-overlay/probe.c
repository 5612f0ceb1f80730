/*
 * plugins/snapshot-overlay/probe.c - whether overlayfs can be used on a directory, and if
 * not, why, and what to do.
 *
 * Thread: any; everything is made in a directory of its own, which is removed.
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "plugins/snapshot-overlay/overlay.h"

/* The remedy that belongs to what failed. */
static sw_err *
explain(sw_err *err)
{
        const char *remedy = "use the snapshotter native instead";

        if (sw_err_errno(err) == ENODEV)
                remedy = "this kernel has no overlayfs: load it (modprobe overlay), or use "
                         "the "
                         "snapshotter native";
        else if (sw_err_errno(err) == EPERM || sw_err_errno(err) == EACCES)
                remedy = geteuid() == 0
                                 ? "mounting is not permitted here: give the container "
                                   "CAP_SYS_ADMIN or a user namespace of its own, or use "
                                   "the "
                                   "snapshotter native"
                                 : "mounting needs root or a user namespace (Linux 5.11): "
                                   "run it under 'unshare --map-root-user --map-auto', or "
                                   "use the snapshotter native";
        else if (sw_err_errno(err) == EINVAL)
                remedy = "the directory is on a file system that cannot be an upper layer "
                         "(another overlay, a network file system): put the root on a "
                         "volume "
                         "with ext4, xfs or btrfs, or use the snapshotter native";
        sw_auto(sw_str) reason = sw_strdup(sw_err_message(err));
        sw_err_free(err);
        return sw_err_new(SW_E_UNSUPPORTED, "%s; %s", reason, remedy);
}

/* A layer on another: what is removed in it leaves a whiteout, and both can be looked at.
 */
static sw_err *
try_mount(struct overlay *o)
{
        struct overlay_plan p = { 0 };
        int treefd = -1, dirfd = -1;
        struct stat st;

        if (mkdirat(o->dir->dirfd, "l", 0755) < 0 ||
            mkdirat(o->dir->dirfd, "l/gone", 0755) < 0 ||
            mkdirat(o->dir->dirfd, "u", 0755) < 0 || mkdirat(o->dir->dirfd, "w", 0755) < 0)
                return snapdir_err(errno, "make a directory for", "a trial");
        sw_array_push(&p.lower, sw_strdup("l"));
        p.upper = sw_strdup("u");
        p.work = sw_strdup("w");
        sw_err *err = overlay_mount_plan(o, &p, &treefd, &dirfd);
        overlay_plan_release(&p);
        if (err)
                return err;
        if (unlinkat(treefd >= 0 ? treefd : dirfd, "gone", AT_REMOVEDIR) < 0 ||
            fstatat(o->dir->dirfd, "u/gone", &st, AT_SYMLINK_NOFOLLOW) < 0)
                err = sw_err_sys(SW_E_IO, errno, "remove something in an overlay");
        else if (!snapdir_is_whiteout(o->dir, o->dir->dirfd, "u/gone", &st) ||
                 o->dir->file_whiteouts)
                err = sw_err_new(SW_E_UNSUPPORTED, "overlayfs makes no whiteouts here");
        sw_fd_clear(&treefd);
        sw_fd_clear(&dirfd);
        return err;
}

sw_err *
overlay_probe(void *self, sw_ctx *ctx, int dirfd)
{
        const enum overlay_api *api = self;
        struct overlay o = { .api = api ? *api : OVERLAY_AUTO };
        struct snapdir_trial t;
        sw_err *err = snapdir_trial_begin(dirfd, &t);

        (void) ctx;
        if (!err) {
                o.dir = t.dir;
                err = try_mount(&o);
        }
        snapdir_trial_end(&t);
        return err ? explain(err) : SW_OK;
}
