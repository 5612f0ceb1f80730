/*
 * plugins/exec-runc/box.c - the box of a container: a tmpfs with all that its runtime needs
 * to find by path, and where each tree and mount is attached in it.
 *
 *      config.json hosts resolv.conf pid log     files
 *      state/                                    the runtime's own
 *      root/ t/N m/N                             the root, the trees, the mounts
 *      empty/
 *
 * It is attached nowhere here: this process reaches it through its descriptor, the runtime
 * at `path`, in the mount namespace it is started in.
 *
 * What lies in one of the container's trees is attached by the child, as a copy made once
 * the tree is attached; what lies on a mount of this process has to be copied here, because
 * the child's namespace has other mounts.
 *
 * Thread: any; a box belongs to one run.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <slipway/io.h>
#include <slipway/path.h>

#include "plugins/exec-runc/runc.h"

/* A place in a mount: same values, same thing. */
struct place {
        unsigned long long mount, inode;
        dev_t dev;
        mode_t mode;
};

static sw_err *
place_of(int fd, struct place *out)
{
        struct statx st;

        if (statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_MNT_ID, &st) != 0)
                return sw_err_sys(SW_E_IO, errno, "look at descriptor %d", fd);
        *out = (struct place){ .mount = st.stx_mnt_id,
                               .inode = st.stx_ino,
                               .dev = (dev_t) st.stx_dev_major << 32 | st.stx_dev_minor,
                               .mode = st.stx_mode };
        return SW_OK;
}

static bool
same_place(const struct place *a, const struct place *b)
{
        return a->mount == b->mount && a->inode == b->inode && a->dev == b->dev;
}

static sw_err *
new_tmpfs(sw_fd *out)
{
        sw_auto(sw_fd) fs = fsopen("tmpfs", FSOPEN_CLOEXEC);

        if (fs < 0 && errno == ENOSYS)
                return sw_err_sys(
                        SW_E_UNSUPPORTED, errno,
                        "this kernel cannot mount what a container needs (fsopen, "
                        "Linux 5.2)");
        if (fs < 0 || fsconfig(fs, FSCONFIG_SET_STRING, "mode", "0700", 0) != 0)
                return sw_err_sys(errno == EPERM ? SW_E_DENIED : SW_E_IO, errno,
                                  "make a tmpfs for a container");
        /* the environment is in there, with secrets: not to be written to a disk, where the
         * kernel can promise that (6.4) */
        (void) fsconfig(fs, FSCONFIG_SET_FLAG, "noswap", NULL, 0);
        if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) != 0)
                return sw_err_sys(errno == EPERM ? SW_E_DENIED : SW_E_IO, errno,
                                  "make a tmpfs for a container");
        *out = fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
        if (*out < 0)
                return sw_err_sys(SW_E_IO, errno, "mount a tmpfs for a container");
        return SW_OK;
}

static sw_err *
make_place(const struct runc_box *b, const char *name, bool directory)
{
        if (directory) {
                if (mkdirat(b->fd, name, 0700) == 0)
                        return SW_OK;
        } else {
                sw_auto(sw_fd) fd =
                        openat(b->fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
                if (fd >= 0)
                        return SW_OK;
        }
        return sw_err_sys(SW_E_IO, errno, "make %s for a container", name);
}

static const char *
full_path(struct runc_box *b, const char *name)
{
        sw_strlist_take(&b->texts, sw_asprintf("%s/%s", b->path, name));
        return b->texts.v[b->texts.n - 1];
}

/* Have the child attach @fd at @name in the box. */
static sw_err *
attach(struct runc_box *b, int fd, const char *name, mode_t mode, bool copy)
{
        sw_err *err = make_place(b, name, S_ISDIR(mode));

        if (!err)
                sw_array_push(&b->mounts,
                              (struct sw_spawn_mount){ fd, full_path(b, name), copy });
        return err;
}

/* A copy of what @fd shows on a mount of this process, with what is mounted below it. */
static sw_err *
set_attributes(int fd, uint64_t set)
{
        struct mount_attr attr = { .attr_set = set };

        if (!set || syscall(SYS_mount_setattr, fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr,
                            sizeof(attr)) == 0)
                return SW_OK;
        return sw_err_sys(SW_E_IO, errno, "set what a mount of a container allows");
}

static sw_err *
copy_here(struct runc_box *b, int fd, bool readonly, int *out)
{
        int copy = open_tree(fd, "",
                             AT_EMPTY_PATH | AT_RECURSIVE | OPEN_TREE_CLONE |
                                     OPEN_TREE_CLOEXEC);

        if (copy < 0)
                return sw_err_sys(errno == EPERM ? SW_E_DENIED : SW_E_IO, errno,
                                  "take hold of a directory for a container");
        sw_array_push(&b->owned, copy);
        *out = copy;
        return set_attributes(copy, (readonly ? MOUNT_ATTR_RDONLY : 0) |
                                            (b->nodev ? MOUNT_ATTR_NODEV : 0));
}

/* The container's trees: where they are, and where they will be. */
struct trees {
        size_t n;
        struct place *place;
        const char **name; /* full paths */
};

static sw_err *
find_trees(struct runc_box *b, const struct sw_exec_container *c, struct trees *t)
{
        t->n = c->n_trees;
        t->place = sw_alloc_array(t->n, sizeof(*t->place));
        t->name = sw_alloc_array(t->n, sizeof(*t->name));
        for (size_t i = 0; i < t->n; i++) {
                char name[32];
                sw_err *err = place_of(c->trees[i], &t->place[i]);

                (void) snprintf(name, sizeof(name), "t%zu", i);
                if (!err)
                        err = set_attributes(c->trees[i], b->nodev ? MOUNT_ATTR_NODEV : 0);
                if (!err)
                        err = attach(b, c->trees[i], name, t->place[i].mode, false);
                if (err)
                        return err;
                t->name[i] = b->mounts.v[b->mounts.n - 1].target;
        }
        return SW_OK;
}

/* Attach what @fd is at @name, unless it is the root of a tree, which has its place. */
static sw_err *
add_place(struct runc_box *b, const struct trees *t, int fd, bool readonly,
          const char *name, const char **path)
{
        struct place p;
        bool in_tree = false;
        int copy = fd;
        sw_err *err = place_of(fd, &p);

        if (err)
                return err;
        for (size_t i = 0; i < t->n; i++) {
                if (same_place(&t->place[i], &p)) {
                        *path = t->name[i];
                        return SW_OK;
                }
                in_tree = in_tree || t->place[i].mount == p.mount;
        }
        if (!in_tree)
                err = copy_here(b, fd, readonly, &copy);
        if (!err)
                err = attach(b, copy, name, p.mode, in_tree);
        if (!err)
                *path = b->mounts.v[b->mounts.n - 1].target;
        return err;
}

static sw_err *
add_mounts(struct runc_box *b, const struct trees *t, const struct sw_exec_container *c)
{
        const char *path = "";
        sw_err *err = add_place(b, t, c->rootfd, false, "root", &path);

        b->root = sw_strdup(path);
        for (size_t i = 0; !err && i < c->n_mounts; i++) {
                const struct sw_exec_mount *m = &c->mounts[i];
                char name[32];

                path = "";
                (void) snprintf(name, sizeof(name), "m%zu", i);
                if (m->type == SW_EXEC_BIND)
                        err = sw_err_wrap(add_place(b, t, m->fd, m->readonly, name, &path),
                                          "mount at %s", m->target);
                sw_strlist_add(&b->sources, path);
        }
        return err;
}

sw_err *
runc_box_open(struct runc_box *b, const char *path, const struct sw_exec_container *c,
              const char *hide, bool nodev)
{
        struct trees t = { 0 };

        *b = (struct runc_box){ .fd = -1, .path = path, .nodev = nodev };
        sw_err *err = new_tmpfs(&b->fd);
        if (!err) {
                sw_array_push(&b->mounts, (struct sw_spawn_mount){ b->fd, path, false });
                err = make_place(b, "state", true);
        }
        if (!err)
                err = find_trees(b, c, &t);
        if (!err)
                err = add_mounts(b, &t, c);
        if (!err && hide) {
                err = make_place(b, "empty", true);
                int fd = openat(b->fd, "empty", O_PATH | O_DIRECTORY | O_CLOEXEC);
                if (fd >= 0) {
                        sw_array_push(&b->owned, fd);
                        sw_array_push(&b->mounts,
                                      (struct sw_spawn_mount){ fd, hide, true });
                }
        }
        free(t.place);
        free(t.name);
        if (err)
                runc_box_release(b);
        return err;
}

sw_err *
runc_box_write(int box_fd, const char *name, const void *p, size_t n)
{
        sw_auto(sw_fd) fd =
                openat(box_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
        int err = fd < 0 ? errno : sw_write_all(fd, p, n);

        return err ? sw_err_sys(SW_E_IO, err, "write %s of a container", name) : SW_OK;
}

void
runc_box_release(struct runc_box *b)
{
        for (size_t i = 0; i < b->owned.n; i++)
                (void) close(b->owned.v[i]);
        sw_array_release(&b->owned);
        sw_array_release(&b->mounts);
        sw_strlist_release(&b->texts);
        sw_strlist_release(&b->sources);
        free(b->root);
        b->root = NULL;
        sw_fd_clear(&b->fd);
}
