/*
 * cmd/slipway/doctor/trial_overlay.c - trials with the overlay file system; see trial.h.
 * Thread: main of the trial process.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <slipway/mem.h>
#include <slipway/path.h>

#include "cmd/slipway/doctor/trial.h"

/* Directories of one overlay: DIR/NAME/{lower,upper,work,merged}. */
static int
make_directories(const char *base)
{
        static const char *const names[] = { "", "/lower", "/upper", "/work", "/merged" };

        for (size_t i = 0; i < SW_COUNT(names); i++) {
                sw_auto(sw_str) path = sw_asprintf("%s%s", base, names[i]);
                if (mkdir(path, 0700) != 0)
                        return errno;
        }
        return 0;
}

static int
make_file(const char *path)
{
        sw_auto(sw_fd) fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

        if (fd < 0)
                return errno;
        return write(fd, "x", 1) != 1 ? errno : 0;
}

/* What a build does on an overlay: write a new file, change and remove one from below. */
static int
use_overlay(const char *base)
{
        sw_auto(sw_str) changed = sw_asprintf("%s/merged/changed", base);
        sw_auto(sw_str) removed = sw_asprintf("%s/merged/removed", base);
        sw_auto(sw_str) added = sw_asprintf("%s/merged/added", base);
        int err = make_file(added);

        if (err)
                return err;
        if (chmod(changed, 0640) != 0 || unlink(removed) != 0)
                return errno;
        return access(removed, F_OK) == 0 ? EIO : 0;
}

/* The kernel leaves directories in "work" that only root can look into, if only the root of
 * this namespace: so they are removed here. The parent looks whether all is gone. */
static void
end_overlay(const char *base, const char *merged)
{
        sw_auto(sw_fd) top = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

        (void) umount2(merged, MNT_DETACH);
        sw_err_drop(sw_path_remove(top, base), "the parent tries again and tells");
}

/* @name: of the trial. @options: more mount options, with a leading comma, or "". */
static void
try_overlay(struct trial *t, const char *name, const char *options)
{
        sw_auto(sw_str) base = sw_asprintf("%s/%s", t->dir, name);
        sw_auto(sw_str) merged = sw_asprintf("%s/merged", base);
        sw_auto(sw_str) changed = sw_asprintf("%s/lower/changed", base);
        sw_auto(sw_str) removed = sw_asprintf("%s/lower/removed", base);
        sw_auto(sw_str) data =
                sw_asprintf("lowerdir=%s/lower,upperdir=%s/upper,workdir=%s/work%s", base,
                            base, base, options);
        int err = make_directories(base);

        if (!err)
                err = make_file(changed);
        if (!err)
                err = make_file(removed);
        if (!err && mount("overlay", merged, "overlay", 0, data) != 0)
                err = errno;
        else if (!err) {
                err = use_overlay(base);
                end_overlay(base, merged);
        }
        trial_say(t, name, err);
}

void
trial_overlays(struct trial *t)
{
        try_overlay(t, "overlay", "");
        try_overlay(t, "overlay-userxattr", ",userxattr");
        try_overlay(t, "overlay-metacopy", ",metacopy=on,redirect_dir=on");
        try_overlay(t, "overlay-volatile", ",volatile");
}
