/*
 * lib/snapdir/usage.c - what a layer takes on disk.
 *
 * Everything below a/<key> or c/<key>, each inode once. Files in c/<key>/f.* are names of
 * files that belong to the parts and are counted with those; directories there, and copies
 * (which have one name), are counted here. So the sum over all layers is what du(1) says of
 * the store, but for its fixed directories.
 *
 * Thread: any; all state is on the stack of the caller.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "lib/snapdir/snapdir.h"

struct count {
        sw_ctx *ctx;
        struct sw_snapshot_usage *out;
        sw_map *seen;    /* inodes with several names */
        sw_strlist todo; /* directories yet to be read, relative to the layer's */
        int dirfd;
};

static void
add(struct count *c, const struct stat *st, bool shared)
{
        if (!S_ISDIR(st->st_mode) && st->st_nlink > 1) {
                const uint64_t id[2] = { st->st_dev, st->st_ino };

                if (shared || !sw_map_set_bytes(c->seen, id, sizeof(id), c))
                        return;
        }
        c->out->bytes += (int64_t) st->st_blocks * 512;
        c->out->inodes++;
}

static sw_err *
count_entry(struct count *c, int dirfd, const char *dir, const char *name)
{
        struct stat st;

        if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? SW_OK : snapdir_err(errno, "look at", name);
        add(c, &st, dir[0] == 'f' && dir[1] == '.');
        if (S_ISDIR(st.st_mode))
                sw_strlist_take(&c->todo,
                                *dir ? sw_asprintf("%s/%s", dir, name) : sw_strdup(name));
        return SW_OK;
}

static sw_err *
count_dir(struct count *c, const char *path)
{
        sw_auto(sw_fd) fd = snapdir_open_dir(c->dirfd, path);
        const struct dirent *e;
        sw_err *err = SW_OK;

        if (fd < 0)
                return errno == ENOENT ? SW_OK : snapdir_err(errno, "read", path);
        DIR *d = fdopendir(fd);
        if (!d)
                return snapdir_err(errno, "read", path);
        const int dirfd = sw_fd_steal(&fd);
        for (errno = 0; !err && (e = readdir(d)); errno = 0)
                if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
                        err = count_entry(c, dirfd, path, e->d_name);
        if (!err && errno)
                err = snapdir_err(errno, "read", path);
        (void) closedir(d);
        return err ? err : sw_ctx_check(c->ctx);
}

sw_err *
snapdir_usage(struct snapdir *s, sw_ctx *ctx, const char *key,
              struct sw_snapshot_usage *out)
{
        struct sw_snapshot_usage sum = { 0 };
        struct stat st;
        char path[SNAPDIR_PATH];
        sw_err *err = sw_id_check("layer", key);

        if (err)
                return err;
        sw_auto(sw_fd) fd = -1;
        for (const char *state = "aca"; *state && fd < 0; state++) { /* or just committed */
                (void) snprintf(path, sizeof(path), "%c/%s", *state, key);
                fd = openat(s->dirfd, path,
                            O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        }
        if (fd < 0)
                return errno == ENOENT
                               ? sw_err_new(SW_E_NOT_FOUND, "there is no layer %s", key)
                               : snapdir_err(errno, "open layer", key);
        sw_autoptr(sw_map) seen = sw_map_new(NULL);
        struct count c = { .ctx = ctx, .out = &sum, .seen = seen, .dirfd = fd };
        if (fstat(fd, &st) < 0)
                return snapdir_err(errno, "look at layer", key);
        add(&c, &st, false);
        sw_strlist_add(&c.todo, "");
        while (!err && c.todo.n) {
                sw_auto(sw_str) next = c.todo.v[--c.todo.n];

                err = count_dir(&c, next);
        }
        sw_strlist_release(&c.todo);
        if (!err)
                *out = sum;
        return err;
}
