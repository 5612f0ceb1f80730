/*
 * plugins/snapshot-overlay/places.c - a layer below all others, with what every container
 * mounts on.
 *
 * A container's runtime mounts on files and directories that many roots do not have. Made
 * in the upper directory and removed again they cost a copied-up directory, and all of a
 * commit's looking for what is left of it. Here they lie at the bottom, and a layer that
 * nobody wrote to stays empty. It is made once for a store, in one piece.
 *
 * Thread: any.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "plugins/snapshot-overlay/overlay.h"

static const struct {
        const char *path;
        mode_t mode;
} places[] = {
        { "/proc", S_IFDIR | 0755 },
        { "/sys", S_IFDIR | 0755 },
        { "/dev", S_IFDIR | 0755 },
        { "/etc/hosts", S_IFREG | 0644 },
        { "/etc/resolv.conf", S_IFREG | 0644 }, /* those above */
        { "/etc", S_IFDIR | 0755 },
        { "", S_IFDIR | 0755 },
};

static sw_err *
make_all(struct snapdir *s, const char *top)
{
        static const char *const above[] = { "", "/etc" };
        const struct timespec epoch[2] = { { 0, 0 }, { 0, 0 } };
        char path[SNAPDIR_PATH + 32];

        for (size_t i = 0; i < SW_COUNT(above); i++) {
                (void) snprintf(path, sizeof(path), "%s%s", top, above[i]);
                if (mkdirat(s->dirfd, path, 0755) < 0)
                        return snapdir_err(errno, "make", path);
        }
        for (size_t i = 0; i < SW_COUNT(places); i++) {
                const mode_t mode = places[i].mode;

                (void) snprintf(path, sizeof(path), "%s%s", top, places[i].path);
                int rc = S_ISDIR(mode) ? mkdirat(s->dirfd, path, 0755)
                                       : mknodat(s->dirfd, path, S_IFREG | 0644, 0);
                if ((rc < 0 && errno != EEXIST) ||
                    fchmodat(s->dirfd, path, mode & 07777, 0) < 0 ||
                    utimensat(s->dirfd, path, epoch, 0) < 0)
                        return snapdir_err(errno, "make", path);
        }
        return SW_OK;
}

sw_err *
overlay_places(struct overlay *o)
{
        struct snapdir *s = o->dir;
        char temp[SNAPDIR_PATH];

        if (atomic_load(&o->has_places) ||
            faccessat(s->dirfd, OVERLAY_PLACES, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
                atomic_store(&o->has_places, true);
                return SW_OK;
        }
        snapdir_temp(s, temp);
        sw_err *err = make_all(s, temp);
        if (!err &&
            renameat2(s->dirfd, temp, s->dirfd, OVERLAY_PLACES, RENAME_NOREPLACE) == 0)
                return SW_OK;
        if (!err && errno != EEXIST) /* somebody was quicker */
                err = snapdir_err(errno, "make", OVERLAY_PLACES);
        sw_err *left = sw_path_remove(s->dirfd, temp);
        if (err)
                sw_err_drop(left, "the first error is told");
        return err ? err : left;
}
