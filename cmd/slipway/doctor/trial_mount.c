/*
 * cmd/slipway/doctor/trial_mount.c - trials of the newer mount calls; see trial.h.
 * Thread: main of the trial process.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <slipway/mem.h>
#include <slipway/spawn.h>

#include "cmd/slipway/cli.h"
#include "cmd/slipway/doctor/trial.h"

static int
mount_tmpfs(const char *where)
{
        sw_auto(sw_fd) fs = fsopen("tmpfs", FSOPEN_CLOEXEC);

        if (fs < 0 || fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) != 0)
                return errno;
        sw_auto(sw_fd) mnt = fsmount(fs, FSMOUNT_CLOEXEC, 0);
        if (mnt < 0 || move_mount(mnt, "", AT_FDCWD, where, MOVE_MOUNT_F_EMPTY_PATH) != 0)
                return errno;
        return umount2(where, MNT_DETACH) != 0 ? errno : 0;
}

void
trial_mount_api(struct trial *t)
{
        sw_auto(sw_str) where = sw_asprintf("%s/mount-api", t->dir);

        trial_say(t, "mount-api", mkdir(where, 0700) != 0 ? errno : mount_tmpfs(where));
}

/* ---- mapped ids ---- */

/* Start a process in a user namespace of its own; it says "ready" and waits for the end
 * of its stdin. */
static sw_err *
start_namespace_holder(sw_child **child, sw_fd *stdin_end, sw_fd *stdout_end)
{
        static const char *const argv[] = { "/proc/self/exe", "doctor-try-userns", NULL };
        struct sw_spawn s = SW_SPAWN_INIT;
        int in[2], out[2];

        if (pipe2(in, O_CLOEXEC) != 0)
                return sw_err_sys(SW_E_IO, errno, "pipe");
        sw_auto(sw_fd) in_read = in[0];
        *stdin_end = in[1];
        if (pipe2(out, O_CLOEXEC) != 0)
                return sw_err_sys(SW_E_IO, errno, "pipe");
        *stdout_end = out[0];
        sw_auto(sw_fd) out_write = out[1];
        s.argv = argv;
        s.fds_std[0] = in_read;
        s.fds_std[1] = out_write;
        return sw_spawn_start(&s, child);
}

/* Mount a copy of @dir, not attached anywhere, with the ids of @userns. */
static int
map_ids(const char *dir, int userns)
{
        sw_auto(sw_fd) tree = open_tree(AT_FDCWD, dir, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
        struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP,
                                   .userns_fd = (uint64_t) userns };

        if (tree < 0)
                return errno;
        return mount_setattr(tree, "", AT_EMPTY_PATH, &attr, sizeof(attr)) != 0 ? errno : 0;
}

void
trial_idmap(struct trial *t)
{
        sw_autoptr(sw_child) child = NULL;
        sw_auto(sw_fd) in = -1;
        sw_auto(sw_fd) out = -1;
        char ready;
        sw_err *err = start_namespace_holder(&child, &in, &out);

        if (err) {
                trial_say(t, "idmap", sw_err_errno(err) ? sw_err_errno(err) : EIO);
                sw_err_drop(err, "said as a result");
                return;
        }
        if (read(out, &ready, 1) != 1) { /* it could not make its namespace */
                trial_say(t, "idmap", EPERM);
                return;
        }
        sw_auto(sw_str) path = sw_asprintf("/proc/%d/ns/user", (int) sw_child_pid(child));
        sw_auto(sw_fd) userns = open(path, O_RDONLY | O_CLOEXEC);
        trial_say(t, "idmap", userns < 0 ? errno : map_ids(t->dir, userns));
}

static sw_err *
run_hold_userns(const struct cli_call *call)
{
        char c;

        (void) call;
        int err = trial_new_userns(0);
        if (err)
                return sw_err_sys(SW_E_DENIED, err, "make a user namespace");
        if (write(STDOUT_FILENO, "r", 1) != 1)
                return sw_err_sys(SW_E_IO, errno, "say ready");
        (void) !read(STDIN_FILENO, &c, 1); /* until the parent has what it wants */
        return SW_OK;
}

CLI_VERB(doctor_try_userns) = {
        .name = "doctor-try-userns",
        .summary = "hold a user namespace open, for slipway doctor",
        .run = run_hold_userns,
        .hidden = true,
};
