/*
 * plugins/snapshot-overlay/classic.c - the same mount on kernels before 6.7, by mount(2).
 *
 * All options have to fit into one page, so layers get names of one to three digits:
 * symlinks in a temporary directory, which is the working directory of a thread of its own.
 * That thread has a mount namespace of its own, too: nothing is ever seen on the host. What
 * it mounts is taken out as a detached copy (open_tree, Linux 5.2); before that, as an open
 * directory of a mount that is detached lazily, which can be read and written but not
 * mounted elsewhere.
 *
 * Thread: any; waits for the thread it starts.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

#include "plugins/snapshot-overlay/overlay.h"

struct classic {
        int dirfd; /* where the links are, and "m", the mount point */
        const char *options;
        unsigned long flags;
        int treefd, outfd; /* results */
        sw_err *err;
};

static void *
classic_main(void *arg)
{
        struct classic *c = arg;

        /* first the directory: overlayfs takes layers of the namespace it is mounted in
         * only, and a descriptor stays in the old one, while the working directory moves */
        if (unshare(CLONE_FS) < 0 || fchdir(c->dirfd) < 0 || unshare(CLONE_NEWNS) < 0 ||
            mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0) {
                c->err = sw_err_sys(SW_E_DENIED, errno, "get a mount namespace");
                return NULL;
        }
        if (mount("overlay", "m", "overlay", c->flags, c->options) < 0) {
                c->err = sw_err_sys(SW_E_IO, errno, "mount overlay (mount(2), %s)",
                                    c->options);
                return NULL;
        }
        c->treefd = open_tree(AT_FDCWD, "m", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
        if (c->treefd < 0 && errno == ENOSYS) {
                c->outfd = open("m", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                if (c->outfd < 0 || umount2("m", MNT_DETACH) < 0)
                        c->err = sw_err_sys(SW_E_IO, errno, "open an overlay");
        } else if (c->treefd < 0) {
                c->err = sw_err_sys(SW_E_IO, errno, "take an overlay out");
        }
        return NULL;
}

static sw_err *
add_link(int dirfd, const char *path, const char *name)
{
        char target[SNAPDIR_PATH + 16];

        (void) snprintf(target, sizeof(target), "../../../%s", path);
        if (symlinkat(target, dirfd, name) < 0)
                return snapdir_err(errno, "make link", name);
        return SW_OK;
}

/* Links for every layer, and the options that name them. */
static sw_err *
make_links(const struct overlay *o, const struct overlay_plan *p, int dirfd,
           sw_buf *options)
{
        sw_err *err = SW_OK;

        sw_buf_addf(options,
                    "metacopy=off,redirect_dir=nofollow,index=off,xino=off%s,lowerdir=",
                    o->dir->userxattr ? ",userxattr" : "");
        for (size_t i = 0; i < p->lower.n && !err; i++) {
                char name[24];

                (void) snprintf(name, sizeof(name), "%zu", i);
                err = add_link(dirfd, p->lower.v[i], name);
                sw_buf_addf(options, "%s%s", i ? ":" : "", name);
        }
        if (!err && p->upper) {
                err = add_link(dirfd, p->upper, "u");
                if (!err)
                        err = add_link(dirfd, p->work, "w");
                sw_buf_adds(options, ",upperdir=u,workdir=w");
        }
        if (!err && options->len >= 4096)
                err = sw_err_new(SW_E_LIMIT, "%zu layers are more than mount(2) can take",
                                 p->lower.n);
        return err;
}

static sw_err *
in_thread(struct classic *c)
{
        pthread_t thread;
        int sys = pthread_create(&thread, NULL, classic_main, c);

        if (sys)
                return sw_err_sys(SW_E_IO, sys, "start a thread");
        (void) pthread_join(thread, NULL);
        return c->err;
}

sw_err *
overlay_mount_classic(struct overlay *o, const struct overlay_plan *p, int *treefd,
                      int *dirfd)
{
        struct classic c = { .flags = p->upper ? 0 : MS_RDONLY, .treefd = -1, .outfd = -1 };
        sw_auto(sw_buf) options = SW_BUF_INIT;
        char temp[SNAPDIR_PATH];

        snapdir_temp(o->dir, temp);
        if (mkdirat(o->dir->dirfd, temp, 0700) < 0)
                return snapdir_err(errno, "make", temp);
        sw_auto(sw_fd) fd = openat(o->dir->dirfd, temp,
                                   O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        sw_err *err = SW_OK;
        if (fd < 0 || mkdirat(fd, "m", 0700) < 0)
                err = snapdir_err(errno, "make a mount point in", temp);
        if (!err)
                err = make_links(o, p, fd, &options);
        c.dirfd = fd;
        c.options = options.data;
        if (!err)
                err = in_thread(&c);
        sw_err *left = sw_path_remove(o->dir->dirfd, temp);
        if (err || left) {
                sw_fd_clear(&c.treefd);
                sw_fd_clear(&c.outfd);
                sw_err_drop(err ? left : NULL, "the first error is told");
                return err ? err : left;
        }
        *treefd = c.treefd;
        if (c.treefd < 0)
                *dirfd = c.outfd;
        return SW_OK;
}
