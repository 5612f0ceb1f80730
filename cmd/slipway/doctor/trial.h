/*
 * cmd/slipway/doctor/trial.h - trying mounts for real, in a process of their own.
 *
 * `slipway doctor` runs `slipway doctor-try DIR`: a new mount namespace (with a new user
 * namespace where there is no privilege), then each trial, then one JSON object on stdout:
 * name -> "" when it works, else why not. Mounts vanish with the namespace; DIR is removed
 * by the parent.
 *
 *      namespace          a mount namespace, the thing the others need
 *      overlay            an overlay can be mounted, written through, a file hidden in it
 *      overlay-userxattr  with -o userxattr, which unprivileged overlays need
 *      overlay-metacopy   with -o metacopy=on,redirect_dir=on
 *      overlay-volatile   with -o volatile, which leaves out syncing
 *      mount-api          fsopen, fsmount, move_mount
 *      idmap              a directory of DIR's file system mounted with mapped ids
 *      reflink            two files of DIR's file system can share blocks
 */
#ifndef SLIPWAY_CMD_DOCTOR_TRIAL_H
#define SLIPWAY_CMD_DOCTOR_TRIAL_H

#include <slipway/json.h>

struct trial {
        const char *dir;
        sw_json *results;
};

/** trial_say - result of @name: @err 0 works, else an errno. */
void trial_say(struct trial *t, const char *name, int err);

/** trial_new_userns - become root of a new user namespace that has only this user in it,
 *  and unshare what @more says (CLONE_NEWNS). Returns 0 or an errno. */
int trial_new_userns(int more);

void trial_overlays(struct trial *t);  /* trial_overlay.c */
void trial_mount_api(struct trial *t); /* trial_mount.c */
void trial_idmap(struct trial *t);     /* trial_mount.c */

#endif
