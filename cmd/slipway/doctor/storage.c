/*
 * cmd/slipway/doctor/storage.c - where slipway stores: can it, on what, how much room.
 * Thread: main.
 */
#include <errno.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>

#include <slipway/mem.h>
#include <slipway/text.h>

#include "cmd/slipway/doctor/doctor.h"

#define LOW_SPACE  (INT64_C(10) * 1000 * 1000 * 1000)
#define LOW_INODES 200000

/* File systems by magic. bad: why a root on it is worse; NULL: it is fine. */
static const struct {
        unsigned long magic;
        const char *name, *bad;
} known[] = {
        { EXT4_SUPER_MAGIC, "ext4", NULL },
        { 0x58465342, "xfs", NULL },
        { BTRFS_SUPER_MAGIC, "btrfs", NULL },
        { F2FS_SUPER_MAGIC, "f2fs", NULL },
        { 0xca451a4e, "bcachefs", NULL },
        { 0x2fc12fc1, "zfs", NULL },
        { TMPFS_MAGIC, "tmpfs", "it is lost when the machine is switched off" },
        { OVERLAYFS_SUPER_MAGIC, "overlay", "an overlay cannot be the top of another one" },
        { NFS_SUPER_MAGIC, "nfs", "locks and overlays do not work on a network" },
        { 0xff534d42, "cifs", "locks and overlays do not work on a network" },
        { FUSE_SUPER_MAGIC, "fuse", "overlays do not work on it" },
        { ECRYPTFS_SUPER_MAGIC, "ecryptfs", "overlays do not work on it" },
};

static void
check_writable(doctor *d)
{
        bool there = strcmp(d->near, d->root) == 0;

        if (d->writable) {
                doctor_add(d, DOCTOR_OK, "root", "%s %s", d->root,
                           there ? "is writable" : "can be made");
                return;
        }
        doctor_add(d, DOCTOR_MISSING, "root", "%s: %s is not writable", d->root, d->near);
        if (d->uid == 0)
                doctor_remedy(d, "mount it read-write, or slipway --root DIR");
        else
                doctor_remedy(d, "slipway --root DIR with a directory of your own");
}

static void
check_file_system(doctor *d)
{
        struct statfs fs;

        if (statfs(d->near, &fs) != 0) {
                doctor_add(d, DOCTOR_WARN, "file-system", "%s: %s", d->near,
                           strerror(errno));
                doctor_remedy(d, "slipway --root DIR with a directory that can be read");
                return;
        }
        for (size_t i = 0; i < SW_COUNT(known); i++) {
                if ((unsigned long) fs.f_type != known[i].magic)
                        continue;
                if (!known[i].bad) {
                        doctor_add(d, DOCTOR_OK, "file-system", "%s", known[i].name);
                        return;
                }
                doctor_add(d, DOCTOR_WARN, "file-system", "%s: %s", known[i].name,
                           known[i].bad);
                doctor_remedy(d,
                              "slipway --root DIR with a directory on ext4, xfs or btrfs");
                return;
        }
        doctor_add(d, DOCTOR_OK, "file-system", "of type 0x%lx", (unsigned long) fs.f_type);
}

static void
check_space(doctor *d)
{
        struct statvfs v;
        char text[32];

        if (statvfs(d->near, &v) != 0)
                return; /* said by check_file_system */
        int64_t bytes = (int64_t) v.f_bavail * (int64_t) v.f_frsize;
        bool low = bytes < LOW_SPACE;
        doctor_add(d, low ? DOCTOR_WARN : DOCTOR_OK, "space", "%s free",
                   sw_size_str(bytes, text));
        if (low)
                doctor_remedy(d, "slipway --root DIR with a directory on a larger disk");
        if (v.f_files > 0 && v.f_favail < LOW_INODES) {
                doctor_add(d, DOCTOR_WARN, "inodes", "%llu free",
                           (unsigned long long) v.f_favail);
                doctor_remedy(d,
                              "slipway --root DIR with a directory on a file system made "
                              "with more inodes");
        }
}

static void
check_reflink(doctor *d)
{
        const char *tried = doctor_tried(d, "reflink");

        if (!d->writable)
                return; /* it was tried elsewhere */
        if (tried && !*tried) {
                doctor_add(d, DOCTOR_OK, "reflink",
                           "files are copied without their blocks");
                return;
        }
        doctor_add(d, DOCTOR_OK, "reflink", "none (%s): files are copied whole",
                   tried ? tried : "could not be tried");
        doctor_remedy(d,
                      "slipway --root DIR with a directory on btrfs, or on xfs made with "
                      "mkfs.xfs -m reflink=1");
}

void
doctor_storage(doctor *d)
{
        check_writable(d);
        check_file_system(d);
        check_space(d);
        check_reflink(d);
}
