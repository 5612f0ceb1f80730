/*
 * core/base/pathremove.c - remove a file or a whole tree.
 *
 * Depth first, with an explicit stack. The first KEEP levels keep their directory open;
 * below that only the deepest one is, and the way back is "..", believed only when it
 * leads to the very directory we came down from (device, inode, mount and birth time).
 * When it does not, because somebody moved things meanwhile, we start again from the top.
 * So the number of descriptors is constant at any depth, and nothing is ever removed from
 * a directory that was not reached from the top by names that were not links.
 *
 * A directory on another mount is refused: by its mount id, because a bind mount of the
 * same file system has the same device.
 *
 * Thread: any; all state is on the stack of the caller.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include <slipway/array.h>
#include <slipway/path.h>

#include "core/base/pathwalk.h"

#define KEEP 16
/* How often others may undo our work before we give up. */
#define MAX_SETBACKS 1000
/* How often one name may turn from a file to a directory and back while we remove it. */
#define MAX_FLIPS 64

/* What makes a directory the same one. */
struct identity {
        uint64_t ino, mount;
        uint32_t dev_major, dev_minor;
        struct statx_timestamp born;
};

struct level {
        char *name; /* in the directory above */
        DIR *dir;   /* NULL: closed, to be reached by ".." */
        struct identity id;
};

struct removal {
        int parent;       /* of the first level; borrowed */
        const char *base; /* name of the first level there */
        const char *path; /* as asked for, for messages */
        uint64_t mount;   /* of the parent */
        SW_ARRAY(struct level) levels;
        bool removed;      /* anything, since the last setback */
        unsigned setbacks; /* in a row */
};

static int
identify(int fd, struct identity *id)
{
        struct statx sx;

        if (statx(fd, "", AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW | AT_STATX_DONT_SYNC,
                  STATX_INO | STATX_BTIME | STATX_MNT_ID, &sx) != 0)
                return errno;
        *id = (struct identity){ .ino = sx.stx_ino,
                                 .dev_major = sx.stx_dev_major,
                                 .dev_minor = sx.stx_dev_minor };
        /* before Linux 5.8 there is no mount id: the device is the next best */
        id->mount = sx.stx_mask & STATX_MNT_ID
                            ? sx.stx_mnt_id
                            : (uint64_t) sx.stx_dev_major << 32 | sx.stx_dev_minor;
        if (sx.stx_mask & STATX_BTIME)
                id->born = sx.stx_btime;
        return 0;
}

static bool
same(const struct identity *a, const struct identity *b)
{
        return a->ino == b->ino && a->mount == b->mount && a->dev_major == b->dev_major &&
               a->dev_minor == b->dev_minor && a->born.tv_sec == b->born.tv_sec &&
               a->born.tv_nsec == b->born.tv_nsec;
}

static void
drop_level(struct removal *r)
{
        struct level *l = &r->levels.v[--r->levels.n];

        if (l->dir)
                (void) closedir(l->dir);
        free(l->name);
}

/* An error about @name in the deepest level. */
static sw_err *
failed_at(const struct removal *r, int err, const char *name)
{
        sw_auto(sw_buf) at = SW_BUF_INIT;

        sw_buf_adds(&at, r->path);
        for (size_t i = 1; i < r->levels.n; i++)
                sw_buf_addf(&at, "/%s", r->levels.v[i].name);
        if (r->levels.n)
                sw_buf_addf(&at, "/%s", name);
        return sw__path_err(err,
                            err == EBUSY ? "remove (it is mounted or in use)" : "remove",
                            at.data);
}

/* Open the directory @name of @dirfd as the deepest level. When it is not there any more,
 * or no directory, nothing is done: whoever empties @dirfd will look again. */
static sw_err *
enter(struct removal *r, int dirfd, const char *name)
{
        struct identity id = { 0 };
        sw_auto(sw_fd) fd =
                openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        if (fd < 0)
                return errno == ENOENT || errno == ENOTDIR ? SW_OK
                                                           : failed_at(r, errno, name);
        int err = identify(fd, &id);
        if (!err && id.mount != r->mount)
                err = EBUSY;
        if (err)
                return failed_at(r, err, name);
        DIR *dir = fdopendir(fd);
        if (!dir)
                return failed_at(r, errno, name);
        (void) sw_fd_steal(&fd);
        char *copy = sw_strdup(name); /* @name may belong to the listing closed below */
        struct level *above = r->levels.n > KEEP ? &r->levels.v[r->levels.n - 1] : NULL;
        if (above && above->dir) {
                (void) closedir(above->dir);
                above->dir = NULL;
        }
        sw_array_push(&r->levels, (struct level){ copy, dir, id });
        return SW_OK;
}

/* Remove one entry, or enter it when it is a directory with something in it. */
static sw_err *
remove_entry(struct removal *r, int dirfd, const char *name, bool is_dir)
{
        for (int i = 0; i < MAX_FLIPS; i++) {
                if (unlinkat(dirfd, name, is_dir ? AT_REMOVEDIR : 0) == 0) {
                        r->removed = true;
                        return SW_OK;
                }
                if (errno == ENOENT)
                        return SW_OK;
                if (is_dir && (errno == ENOTEMPTY || errno == EEXIST))
                        return enter(r, dirfd, name);
                if (errno != (is_dir ? ENOTDIR : EISDIR))
                        return failed_at(r, errno, name);
                is_dir = !is_dir;
        }
        return failed_at(r, EBUSY, name);
}

/* Somebody moved or added something; true when that goes on without any progress. */
static bool
setback(struct removal *r)
{
        r->setbacks = r->removed ? 1 : r->setbacks + 1;
        r->removed = false;
        return r->setbacks > MAX_SETBACKS;
}

/* Everything from the top again: the way back up is not what it was. */
static sw_err *
start_again(struct removal *r)
{
        while (r->levels.n)
                drop_level(r);
        if (setback(r))
                return failed_at(r, EBUSY, r->base);
        return remove_entry(r, r->parent, r->base, true);
}

/* Give the second deepest level its directory back; ESTALE when it cannot be reached. */
static int
climb(struct removal *r)
{
        struct level *above = &r->levels.v[r->levels.n - 2];
        int below = dirfd(r->levels.v[r->levels.n - 1].dir);
        struct identity id = { 0 };

        if (above->dir)
                return 0;
        sw_auto(sw_fd) fd =
                openat(below, "..", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return errno == EMFILE || errno == ENFILE ? errno : ESTALE;
        if (identify(fd, &id) != 0 || !same(&id, &above->id))
                return ESTALE;
        above->dir = fdopendir(fd);
        if (!above->dir)
                return errno;
        (void) sw_fd_steal(&fd);
        return 0;
}

/* The deepest level is empty: remove it from the one above. */
static sw_err *
leave(struct removal *r)
{
        size_t n = r->levels.n;
        int err = n > 1 ? climb(r) : 0;

        if (err == ESTALE)
                return start_again(r);
        if (err)
                return failed_at(r, err, "..");
        int above = n > 1 ? dirfd(r->levels.v[n - 2].dir) : r->parent;
        sw_auto(sw_str) name = sw_steal(r->levels.v[n - 1].name);
        drop_level(r);
        sw_err *failed = remove_entry(r, above, name, true);
        if (failed || r->levels.n < n)
                return failed;
        /* entered again: it was filled */
        return setback(r) ? failed_at(r, EBUSY, name) : SW_OK;
}

/* The next entry of the deepest level; NULL at its end, with *err when it cannot be read.
 */
static const struct dirent *
next_entry(struct removal *r, int *err)
{
        const struct dirent *e;

        do {
                errno = 0;
                e = readdir(r->levels.v[r->levels.n - 1].dir);
        } while (e && (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0));
        /* a directory that is itself removed says ENOENT: nothing is left in it */
        *err = e || errno == ENOENT ? 0 : errno;
        return e;
}

static sw_err *
remove_tree(struct removal *r)
{
        sw_err *failed = remove_entry(r, r->parent, r->base, false);

        while (!failed && r->levels.n) {
                int err, here = dirfd(r->levels.v[r->levels.n - 1].dir);
                const struct dirent *e = next_entry(r, &err);

                if (err)
                        failed = failed_at(r, err, ".");
                else if (e)
                        failed = remove_entry(r, here, e->d_name, e->d_type == DT_DIR);
                else
                        failed = leave(r);
        }
        while (r->levels.n)
                drop_level(r);
        sw_array_release(&r->levels);
        return failed;
}

sw_err *
sw_path_remove(int rootfd, const char *path)
{
        sw_auto(sw_fd) parent = -1;
        sw_auto(sw_str) base = NULL;
        struct identity id = { 0 };
        sw_err *failed = sw_path_open_parent(rootfd, path, &parent, &base);

        if (failed && sw_err_code(failed) == SW_E_NOT_FOUND) {
                sw_err_drop(failed, "what is below a missing directory is missing, too");
                return SW_OK;
        }
        if (failed)
                return sw_err_wrap(failed, "remove");
        int err = identify(parent, &id);
        if (err)
                return sw__path_err(err, "remove", path);
        struct removal r = {
                .parent = parent, .base = base, .path = path, .mount = id.mount
        };
        return remove_tree(&r);
}
