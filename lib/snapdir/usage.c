/*
 * lib/snapdir/usage.c - what a layer takes on disk.
 *
 * A layer is everything below a/<key> or c/<key>, each inode once, but for c/<key>/f.*,
 * which come and go while the layer stays the same. The layer "" is what is besides: fixed
 * directories, what is being made or removed, and those f.*, whose files are mostly names
 * of files that belong to layers and are counted with them. The sum is what du(1) says of
 * the store.
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
        sw_map *seen;    /* inodes with several names; NULL: those are not counted */
        sw_strlist todo; /* directories yet to be read, relative to dirfd */
        int dirfd;
        bool layer; /* dirfd is that of a layer */
};

static void
add(struct count *c, const struct stat *st)
{
        if (!S_ISDIR(st->st_mode) && st->st_nlink > 1) {
                const uint64_t id[2] = { st->st_dev, st->st_ino };

                if (!c->seen || !sw_map_set_bytes(c->seen, id, sizeof(id), c))
                        return;
        }
        c->out->bytes += (int64_t) st->st_blocks * 512;
        c->out->inodes++;
}

static bool
is_flat(const char *name)
{
        return name[0] == 'f' && name[1] == '.';
}

static sw_err *
count_entry(struct count *c, int dirfd, const char *dir, const char *name)
{
        struct stat st;

        if (c->layer && !*dir && is_flat(name))
                return SW_OK;
        if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? SW_OK : snapdir_err(errno, "look at", name);
        add(c, &st);
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

/* Everything below the directory @path of @c->dirfd, and itself. */
static sw_err *
count_tree(struct count *c, const char *path)
{
        struct stat st;
        sw_err *err = SW_OK;

        if (fstatat(c->dirfd, *path ? path : ".", &st, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? SW_OK : snapdir_err(errno, "look at", path);
        add(c, &st);
        sw_strlist_add(&c->todo, path);
        while (!err && c->todo.n) {
                sw_auto(sw_str) next = c->todo.v[--c->todo.n];

                err = count_dir(c, next);
        }
        sw_strlist_release(&c->todo);
        return err;
}

/* What is in the directory @path, or only those that are flats, as paths. */
static void
list_below(struct snapdir *s, const char *path, bool flats, sw_strlist *out)
{
        sw_auto(sw_fd) fd = snapdir_open_dir(s->dirfd, path);
        DIR *d = fd < 0 ? NULL : fdopendir(fd);
        const struct dirent *e;

        if (!d) /* it has just gone */
                return;
        fd = -1; /* the stream's now */
        while ((e = readdir(d)))
                if (flats ? is_flat(e->d_name) : e->d_name[0] != '.')
                        sw_strlist_take(out, sw_asprintf("%s/%s", path, e->d_name));
        (void) closedir(d);
}

static sw_err *
count_flats(struct snapdir *s, struct count *c)
{
        sw_auto(sw_strlist) layers = { 0 }, flats = { 0 };
        sw_err *err = SW_OK;

        list_below(s, "c", false, &layers);
        for (size_t i = 0; i < layers.n; i++)
                list_below(s, layers.v[i], true, &flats);
        for (size_t i = 0; i < flats.n && !err; i++)
                err = count_tree(c, flats.v[i]);
        return err;
}

static sw_err *
count_rest(struct snapdir *s, struct count *c)
{
        static const char *const own[] = { ".", "a", "c" };
        struct stat st;

        c->dirfd = s->dirfd;
        c->seen = NULL;
        for (size_t i = 0; i < SW_COUNT(own); i++)
                if (fstatat(s->dirfd, own[i], &st, AT_SYMLINK_NOFOLLOW) == 0)
                        add(c, &st);
        sw_err *err = count_tree(c, "e");
        if (!err)
                err = count_tree(c, "t");
        if (!err)
                err = count_flats(s, c);
        if (!err && s->procfd >= 0 && fstat(s->procfd, &st) == 0) { /* goes with us */
                c->out->bytes -= (int64_t) st.st_blocks * 512;
                c->out->inodes--;
        }
        return err;
}

static sw_err *
open_layer(struct snapdir *s, const char *key, sw_fd *out)
{
        char path[SNAPDIR_PATH];
        sw_err *err = sw_id_check("layer", key);

        if (err)
                return err;
        for (const char *state = "aca"; *state; state++) { /* or just committed */
                (void) snprintf(path, sizeof(path), "%c/%s", *state, key);
                *out = openat(s->dirfd, path,
                              O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
                if (*out >= 0)
                        return SW_OK;
        }
        return errno == ENOENT ? sw_err_new(SW_E_NOT_FOUND, "there is no layer %s", key)
                               : snapdir_err(errno, "open layer", key);
}

sw_err *
snapdir_usage(struct snapdir *s, sw_ctx *ctx, const char *key,
              struct sw_snapshot_usage *out)
{
        struct sw_snapshot_usage sum = { 0 };
        sw_autoptr(sw_map) seen = sw_map_new(NULL);
        struct count c = { .ctx = ctx, .out = &sum, .seen = seen, .layer = *key != 0 };
        sw_auto(sw_fd) fd = -1;
        sw_err *err = *key ? open_layer(s, key, &fd) : count_rest(s, &c);

        if (!err && *key) {
                c.dirfd = fd;
                err = count_tree(&c, "");
        }
        if (!err)
                *out = sum;
        return err;
}
