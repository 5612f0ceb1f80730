/*
 * plugins/snapshot-overlay/mount.c - a detached overlayfs mount by the mount API.
 *
 * Layers are given one by one ("lowerdir+", Linux 6.7), by a path below the descriptor of
 * the store: so neither the length of an option string nor the working directory matters,
 * and no layer needs a descriptor. Thread: any; no state.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

#include "plugins/snapshot-overlay/overlay.h"

void
overlay_plan_release(struct overlay_plan *p)
{
        for (size_t i = 0; i < p->lower.n; i++)
                free(p->lower.v[i]);
        sw_array_release(&p->lower);
        sw_str_clear(&p->upper);
        sw_str_clear(&p->work);
}

/* What the kernel has to say about a context, as one line; "" when nothing. */
static void
read_messages(int fs, char *out, size_t size)
{
        ssize_t n;
        size_t len = 0;
        char line[256];

        while ((n = read(fs, line, sizeof(line))) > 0 && len + (size_t) n + 3 < size) {
                if (n > 2 && line[1] == ' ') { /* "e " before an error */
                        memmove(line, line + 2, (size_t) (n -= 2));
                }
                while (n > 0 && line[n - 1] == '\n')
                        n--;
                len += (size_t) snprintf(out + len, size - len, "%s%.*s", len ? ", " : ": ",
                                         (int) n, line);
        }
        out[len] = '\0';
}

static sw_err *
refused(int fs, int sys, const char *what)
{
        char said[600] = "";

        read_messages(fs, said, sizeof(said));
        return sw_err_sys(sys == ENOENT ? SW_E_NOT_FOUND : SW_E_IO, sys,
                          "mount overlay%s%s%s", what ? ": " : "", what ? what : "", said);
}

static sw_err *
set_path(int fs, const struct snapdir *s, const char *key, const char *path)
{
        char full[SNAPDIR_PATH + 32];

        (void) snprintf(full, sizeof(full), "/proc/self/fd/%d/%s", s->dirfd, path);
        if (fsconfig(fs, FSCONFIG_SET_STRING, key, full, 0) < 0)
                return refused(fs, errno, path);
        return SW_OK;
}

static sw_err *
set_options(int fs, const struct snapdir *s, const struct overlay_plan *p)
{
        static const struct {
                const char *key, *value;
        } options[] = {
                { "metacopy", "off" },
                { "redirect_dir", "nofollow" },
                { "index", "off" },
                { "xino", "off" },
        };

        for (size_t i = 0; i < SW_COUNT(options); i++)
                if (fsconfig(fs, FSCONFIG_SET_STRING, options[i].key, options[i].value, 0) <
                    0)
                        return refused(fs, errno, options[i].key);
        if (s->userxattr && fsconfig(fs, FSCONFIG_SET_FLAG, "userxattr", NULL, 0) < 0)
                return refused(fs, errno, "userxattr");
        if (!p->upper)
                return SW_OK;
        sw_err *err = set_path(fs, s, "upperdir", p->upper);
        if (!err)
                err = set_path(fs, s, "workdir", p->work);
        if (!err && fsconfig(fs, FSCONFIG_SET_FLAG, "volatile", NULL, 0) < 0)
                err = refused(fs, errno, "volatile");
        return err;
}

/* *old: the kernel lacks what this needs; then there is no error. */
static sw_err *
mount_new(const struct snapdir *s, const struct overlay_plan *p, int *treefd, bool *old)
{
        sw_auto(sw_fd) fs = fsopen("overlay", FSOPEN_CLOEXEC);

        *old = false;
        if (fs < 0 && (errno == ENOSYS || errno == EPERM)) {
                *old = errno == ENOSYS;
                return *old ? SW_OK
                            : sw_err_sys(SW_E_DENIED, errno,
                                         "mount overlay: not permitted");
        }
        if (fs < 0)
                return sw_err_sys(SW_E_IO, errno, "mount overlay");
        for (size_t i = 0; i < p->lower.n; i++) {
                sw_err *err = set_path(fs, s, "lowerdir+", p->lower.v[i]);

                if (err && i == 0 && sw_err_errno(err) == EINVAL) {
                        sw_err_drop(err, "this kernel takes no layers one by one");
                        *old = true;
                        return SW_OK;
                }
                if (err)
                        return err;
        }
        sw_err *err = set_options(fs, s, p);
        if (err)
                return err;
        if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
                return refused(fs, errno, NULL);
        *treefd = fsmount(fs, FSMOUNT_CLOEXEC, p->upper ? 0 : MOUNT_ATTR_RDONLY);
        return *treefd < 0 ? refused(fs, errno, NULL) : SW_OK;
}

sw_err *
overlay_mount_plan(struct overlay *o, const struct overlay_plan *p, int *treefd, int *dirfd)
{
        bool old = o->api == OVERLAY_CLASSIC;
        sw_err *err = old ? SW_OK : mount_new(o->dir, p, treefd, &old);

        if (err || !old)
                return err;
        if (o->api == OVERLAY_NEW)
                return sw_err_new(
                        SW_E_UNSUPPORTED,
                        "this kernel's overlayfs has no lowerdir+ (Linux 6.7): set "
                        "the option mount-api to auto");
        return overlay_mount_classic(o, p, treefd, dirfd);
}
