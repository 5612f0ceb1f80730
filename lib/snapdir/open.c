/*
 * lib/snapdir/open.c - open a store: its directories, what a crash left, what new files are
 * like here; and stores for a trial.
 *
 * Invariant: t/<id> is removed by whoever holds its lock, and only by him.
 *
 * Thread: any.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "lib/snapdir/snapdir.h"

/* ---- open and close ---------------------------------------------------------------- */

/* Lock a directory below t/; -1 when somebody else has it or it is gone. */
static int
lock_temp(struct snapdir *s, const char *path)
{
        sw_auto(sw_fd) fd =
                openat(s->dirfd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        struct stat st;

        if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0 || fstat(fd, &st) < 0 ||
            st.st_nlink == 0)
                return -1;
        return sw_fd_steal(&fd);
}

/* Remove what processes that are gone have left. */
static sw_err *
sweep(struct snapdir *s)
{
        sw_auto(sw_fd) fd = openat(s->dirfd, "t", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        sw_err *err = SW_OK;
        const struct dirent *e;

        DIR *dir = fd < 0 ? NULL : fdopendir(fd);
        if (!dir)
                return snapdir_err(errno, "read", "t");
        (void) sw_fd_steal(&fd);
        while (!err && (e = readdir(dir))) {
                if (e->d_name[0] == '.')
                        continue;
                sw_auto(sw_str) path = sw_asprintf("t/%s", e->d_name);
                sw_auto(sw_fd) lock = lock_temp(s, path);
                if (lock >= 0)
                        err = sw_path_remove(s->dirfd, path);
        }
        (void) closedir(dir);
        return err;
}

static sw_err *
make_dirs(struct snapdir *s)
{
        static const char *const dirs[] = { "a", "c", "t", "e", "e/0", "e/1" };
        const struct timespec epoch[2] = { { 0, 0 }, { 0, 0 } };

        for (size_t i = 0; i < SW_COUNT(dirs); i++) {
                const bool empty = dirs[i][0] == 'e' && dirs[i][1];

                if (mkdirat(s->dirfd, dirs[i], 0700) == 0) {
                        if (empty && (fchmodat(s->dirfd, dirs[i], 0755, 0) < 0 ||
                                      utimensat(s->dirfd, dirs[i], epoch, 0) < 0))
                                return snapdir_err(errno, "make", dirs[i]);
                } else if (errno != EEXIST) {
                        return snapdir_err(errno, "make", dirs[i]);
                }
        }
        return SW_OK;
}

/* The directory of this process below t/. */
static sw_err *
make_proc(struct snapdir *s)
{
        for (int i = 0; i < 100; i++) {
                char path[SNAPDIR_PATH];

                (void) snprintf(path, sizeof(path), "t/%s", sw_id_new(s->proc));
                if (mkdirat(s->dirfd, path, 0700) < 0) {
                        if (errno != ENOENT) /* a trial has just ended, see below */
                                return snapdir_err(errno, "make", path);
                        (void) mkdirat(s->dirfd, "t", 0700);
                        continue;
                }
                s->procfd = lock_temp(s, path);
                if (s->procfd >= 0)
                        return SW_OK;
                if (errno != EWOULDBLOCK && errno != ENOENT && errno != 0)
                        return snapdir_err(errno, "lock", path);
        }
        return sw_err_new(SW_E_BUSY, "other processes remove what this one makes");
}

/* Whether whiteouts are files. That is a property of the store: once one process had to
 * make them so, "w" says it to all that come later. */
static sw_err *
find_whiteouts(struct snapdir *s, const char *trial)
{
        s->file_whiteouts = faccessat(s->dirfd, "w", F_OK, AT_SYMLINK_NOFOLLOW) == 0;
        if (s->file_whiteouts)
                return SW_OK;
        if (errno != ENOENT)
                return snapdir_err(errno, "look at", "w");
        if (mknodat(s->dirfd, trial, S_IFCHR, makedev(0, 0)) == 0)
                return unlinkat(s->dirfd, trial, 0) < 0
                               ? snapdir_err(errno, "remove", trial)
                               : SW_OK;
        if (errno != EPERM && errno != EACCES && errno != EOPNOTSUPP && errno != EINVAL)
                return snapdir_err(errno, "make a device in", "t");
        sw_auto(sw_fd) fd =
                openat(s->dirfd, "w", O_CREAT | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0)
                return snapdir_err(errno, "make", "w");
        s->file_whiteouts = true;
        return SW_OK;
}

/* What new files get: owner, mode; and which attributes may be set. A default access list
 * from above would show in every layer: it is taken off. */
static sw_err *
find_facts(struct snapdir *s)
{
        char path[SNAPDIR_PATH];
        struct stat st;

        (void) fremovexattr(s->procfd, "system.posix_acl_default");
        snapdir_temp(s, path);
        sw_auto(sw_fd) fd =
                openat(s->dirfd, path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0777);
        if (fd < 0 || unlinkat(s->dirfd, path, 0) < 0 || fstat(fd, &st) < 0)
                return snapdir_err(errno, "make", path);
        s->uid = st.st_uid;
        s->gid = st.st_gid;
        s->lost = 0777 & ~st.st_mode;
        sw_err *err = find_whiteouts(s, path);
        if (err)
                return err;
        if (fsetxattr(fd, "trusted.overlay.opaque", "y", 1, 0) == 0)
                return SW_OK;
        s->userxattr = true;
        if (fsetxattr(fd, "user.overlay.opaque", "y", 1, 0) == 0)
                return SW_OK;
        return sw_err_sys(SW_E_UNSUPPORTED, errno,
                          "this file system keeps no extended attributes for us: neither "
                          "trusted.* nor user.* can be set; put the root on ext4, xfs, "
                          "btrfs, or tmpfs of Linux 6.6");
}

sw_err *
snapdir_open(int dirfd, struct snapdir **out)
{
        struct snapdir *s = sw_new(struct snapdir);

        s->dirfd = dirfd;
        s->procfd = -1;
        s->known = sw_map_new(NULL);
        s->janitor = janitor_new("sw-discard");
        pthread_mutex_init(&s->lock, NULL);
        sw_err *err = make_dirs(s);
        if (!err)
                err = sweep(s);
        if (!err)
                err = make_proc(s);
        if (!err)
                err = find_facts(s);
        if (err) {
                snapdir_close(s);
                return err;
        }
        *out = s;
        return SW_OK;
}

void
snapdir_close(struct snapdir *s)
{
        janitor_free(s->janitor);
        if (s->procfd >= 0) {
                sw_auto(sw_str) path = sw_asprintf("t/%s", s->proc);

                sw_err_drop(sw_path_remove(s->dirfd, path), "the next open sweeps it");
                (void) close(s->procfd);
        }
        pthread_mutex_destroy(&s->lock);
        sw_map_free(s->known);
        sw_strlist_release(&s->checked);
        free(s);
}

/* ---- trials ------------------------------------------------------------------------ */

/* A directory below t/, locked, so that the next open removes it if we do not. */
static sw_err *
make_trial_dir(struct snapdir_trial *t)
{
        char id[SW_ID_SIZE];
        struct stat st;

        for (int i = 0; i < 100; i++) {
                if (mkdirat(t->parentfd, "t", 0700) == 0)
                        t->made = true;
                else if (errno != EEXIST)
                        break;
                (void) snprintf(t->path, sizeof(t->path), "t/%s", sw_id_new(id));
                if (mkdirat(t->parentfd, t->path, 0700) < 0) {
                        if (errno != ENOENT)
                                break;
                        continue;
                }
                t->fd = openat(t->parentfd, t->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                if (t->fd >= 0 && flock(t->fd, LOCK_EX | LOCK_NB) == 0 &&
                    fstat(t->fd, &st) == 0 && st.st_nlink > 0)
                        return SW_OK;
                sw_fd_clear(&t->fd);
                (void) unlinkat(t->parentfd, t->path, AT_REMOVEDIR);
        }
        t->path[0] = '\0';
        return sw_err_sys(SW_E_UNSUPPORTED, errno, "the directory cannot be written");
}

sw_err *
snapdir_trial_begin(int dirfd, struct snapdir_trial *t)
{
        *t = (struct snapdir_trial){ .parentfd = dirfd, .fd = -1 };
        sw_err *err = make_trial_dir(t);

        return err ? err : snapdir_open(t->fd, &t->dir);
}

void
snapdir_trial_end(struct snapdir_trial *t)
{
        if (t->dir)
                snapdir_close(t->dir);
        if (*t->path)
                sw_err_drop(sw_path_remove(t->parentfd, t->path),
                            "the outcome of the trial counts");
        sw_fd_clear(&t->fd);
        if (t->made) /* others see to it that they have one */
                (void) unlinkat(t->parentfd, "t", AT_REMOVEDIR);
}
