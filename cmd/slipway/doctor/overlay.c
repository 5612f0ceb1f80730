/*
 * cmd/slipway/doctor/overlay.c - what the trials say of overlayfs and mapped ids.
 * Thread: main.
 */
#include <errno.h>
#include <string.h>

#include <slipway/buf.h>

#include "cmd/slipway/doctor/doctor.h"

static bool
works(const doctor *d, const char *name)
{
        const char *tried = doctor_tried(d, name);

        return tried && !*tried;
}

/* Without a mount namespace nothing can be built: containers need one. */
static void
check_namespace(doctor *d)
{
        const char *tried = doctor_tried(d, "namespace");

        if (tried && !*tried) {
                doctor_add(d, DOCTOR_OK, "mount-namespace", "%s",
                           d->uid == 0 ? "can be made"
                                       : "can be made, inside a user namespace");
                return;
        }
        const char *why = tried ? tried : d->trial_error;
        doctor_add(d, DOCTOR_MISSING, "mount-namespace", "%s",
                   why ? why : "could not be tried");
        /* what making mounts private says where / is no mount point */
        if (tried && strcmp(tried, strerror(EINVAL)) == 0)
                doctor_remedy(d, "/ is not a mount point, as in a chroot: mount --bind DIR "
                                 "DIR before chroot DIR");
        else if (d->uid == 0)
                doctor_remedy(d, "give this container the capability SYS_ADMIN (docker run "
                                 "--privileged), or run slipway outside of it");
        else
                doctor_remedy(d, "allow user namespaces (see user-namespaces), or run "
                                 "slipway as root");
}

static void
check_overlay(doctor *d)
{
        bool plain = works(d, "overlay"), user = works(d, "overlay-userxattr");
        const char *why = doctor_tried(d, "overlay");
        sw_auto(sw_buf) extras = SW_BUF_INIT;

        if (!plain && !user) {
                doctor_add(d, DOCTOR_WARN, "overlayfs",
                           "a mount below %s fails: %s; the snapshotter \"native\" copies "
                           "every layer instead",
                           d->near, why ? why : "could not be tried");
                doctor_remedy(d,
                              "modprobe overlay; and keep the root on ext4, xfs or btrfs: "
                              "slipway --root DIR");
                return;
        }
        if (user)
                sw_buf_adds(&extras, ", userxattr");
        if (works(d, "overlay-metacopy"))
                sw_buf_adds(&extras, ", metacopy, redirect_dir");
        if (works(d, "overlay-volatile"))
                sw_buf_adds(&extras, ", volatile");
        doctor_add(d, DOCTOR_OK, "overlayfs", "mounted and written below %s; it has%s",
                   d->writable ? d->near : "/tmp",
                   extras.len ? extras.data + 1 : " no options");
}

static void
check_idmap(doctor *d)
{
        const char *tried = doctor_tried(d, "idmap");

        if (works(d, "idmap")) {
                doctor_add(d, DOCTOR_OK, "idmapped-mounts", "work on the file system of %s",
                           d->writable ? d->near : "/tmp");
                return;
        }
        doctor_add(d, DOCTOR_WARN, "idmapped-mounts",
                   "%s: files are given new owners one by one where ids must be mapped",
                   tried ? tried : "could not be tried");
        if (d->uid == 0)
                doctor_remedy(d,
                              "boot a kernel of version 5.12 or later (5.19 for overlay), "
                              "and keep the root on ext4, xfs or btrfs");
        else
                doctor_remedy(d,
                              "run slipway as root: the kernel allows them to root only");
}

void
doctor_overlay(doctor *d)
{
        check_namespace(d);
        check_overlay(d);
        check_idmap(d);
}
