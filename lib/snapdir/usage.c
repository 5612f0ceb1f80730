/*
 * lib/snapdir/usage.c - what a layer takes on disk.
 *
 * A layer is everything below a/<key> or c/<key>, each inode once, but for c/<key>/f.*,
 * which come and go while the layer stays the same, and for files that it shares with a
 * layer that came before it and is there (share.c). The layer "" is what is besides: fixed
 * directories, what is being made or removed, files of sharers, and those f.*, whose files
 * are mostly names of files that belong to layers and are counted with them. The sum is
 * what du(1) says of the store.
 *
 * Thread: any; all state is on the stack of the caller.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

#include <slipway/digest.h>

#include "lib/snapdir/snapdir.h"

struct count {
        sw_ctx *ctx;
        struct sw_snapshot_usage *out;
        sw_map *seen;    /* inodes with several names; NULL: those are not counted */
        sw_strlist todo; /* directories yet to be read, relative to dirfd */
        int dirfd;
        bool layer; /* dirfd is that of a layer */
        struct snapdir *s;
        const sw_strlist *before; /* layers it may have files in common with; or NULL */
        int nearest;              /* what is read now, in the first of them; -1: not open */
};

/* The directory of another layer that is @dir ("fs/a/b") in this one; -1: there is none. */
static int
open_other(const struct count *c, const char *key, const char *dir)
{
        sw_auto(sw_fd) root = -1;
        bool opaque;
        const char *slash = strchr(dir, '/');
        sw_err *err = snapdir_open_layer(c->s, 'c', key, &root, &opaque);

        if (err) {
                sw_err_drop(err, "it is being made, or has just gone");
                err = snapdir_open_layer(c->s, 'a', key, &root, &opaque);
        }
        sw_err_drop(err, "then it has gone");
        return root < 0 ? -1 : snapdir_open_dir(root, slash ? slash + 1 : ".");
}

static bool
is_at(int dirfd, const char *name, const struct stat *st)
{
        struct stat other;

        return dirfd >= 0 && fstatat(dirfd, name, &other, AT_SYMLINK_NOFOLLOW) == 0 &&
               other.st_dev == st->st_dev && other.st_ino == st->st_ino;
}

/* Whether a file counts with another layer. Nearly always the nearest one has it, too. */
static bool
is_shared(struct count *c, const char *dir, const char *name, const struct stat *st)
{
        if (!c->before || !c->before->n || strncmp(dir, "fs", 2) != 0 ||
            (dir[2] && dir[2] != '/'))
                return false;
        if (c->nearest < 0)
                c->nearest = open_other(c, c->before->v[0], dir);
        if (is_at(c->nearest, name, st))
                return true;
        for (size_t i = 1; i < c->before->n; i++) {
                sw_auto(sw_fd) fd = open_other(c, c->before->v[i], dir);

                if (is_at(fd, name, st))
                        return true;
        }
        return false;
}

/* @dir, @name: of what is not the root. */
static void
add(struct count *c, const struct stat *st, const char *dir, const char *name)
{
        if (!S_ISDIR(st->st_mode) && st->st_nlink > 1) {
                const uint64_t id[2] = { st->st_dev, st->st_ino };

                if (!c->seen || is_shared(c, dir, name, st) ||
                    !sw_map_set_bytes(c->seen, id, sizeof(id), c))
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

        if (c->layer && !*dir && (is_flat(name) || strcmp(name, SNAPDIR_SHARERS) == 0))
                return SW_OK;
        if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? SW_OK : snapdir_err(errno, "look at", name);
        add(c, &st, dir, name);
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
        sw_fd_clear(&c->nearest);
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
        add(c, &st, "", "");
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

/* Files of sharers: each has a name in several layers. */
static void
count_sharers(struct snapdir *s, struct count *c, const sw_strlist *layers)
{
        sw_autoptr(sw_map) seen = sw_map_new(NULL);

        for (size_t i = 0; i < layers->n; i++) {
                sw_auto(sw_str) path = sw_asprintf("%s/" SNAPDIR_SHARERS, layers->v[i]);
                struct stat st;

                if (fstatat(s->dirfd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
                        continue;
                const uint64_t id[2] = { st.st_dev, st.st_ino };
                if (!sw_map_set_bytes(seen, id, sizeof(id), seen))
                        continue;
                c->out->bytes += (int64_t) st.st_blocks * 512;
                c->out->inodes++;
        }
}

static sw_err *
count_flats(struct snapdir *s, struct count *c)
{
        sw_auto(sw_strlist) layers = { 0 }, flats = { 0 };
        sw_err *err = SW_OK;

        list_below(s, "c", false, &layers);
        for (size_t i = 0; i < layers.n; i++)
                list_below(s, layers.v[i], true, &flats);
        list_below(s, "a", false, &layers);
        count_sharers(s, c, &layers);
        for (size_t i = 0; i < flats.n && !err; i++)
                err = count_tree(c, flats.v[i]);
        return err;
}

static sw_err *
count_rest(struct snapdir *s, struct count *c)
{
        static const char *const own[] = { ".", "a", "c" };
        struct stat st;

        janitor_wait(s->janitor); /* what is going is not there to stay */
        c->dirfd = s->dirfd;
        c->seen = NULL;
        for (size_t i = 0; i < SW_COUNT(own); i++)
                if (fstatat(s->dirfd, own[i], &st, AT_SYMLINK_NOFOLLOW) == 0)
                        add(c, &st, "", "");
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

/* Which layers a count depends on. */
static uint64_t
stamp_of(const sw_strlist *before)
{
        sw_auto(sw_str) all = sw_strlist_join(before, "\n");
        const sw_digest d = sw_digest_of(all, strlen(all));
        uint64_t stamp;

        memcpy(&stamp, d.b, sizeof(stamp));
        return before->n ? stamp | 1 : 0;
}

sw_err *
snapdir_usage_stamp(struct snapdir *s, const char *key, uint64_t *out)
{
        sw_auto(sw_strlist) before = { 0 };
        sw_err *err = sw_id_check("layer", key);

        if (!err)
                err = snapdir_sharers_before(s, key, &before);
        if (!err)
                *out = stamp_of(&before);
        return err;
}

sw_err *
snapdir_usage(struct snapdir *s, sw_ctx *ctx, const char *key,
              struct sw_snapshot_usage *out)
{
        struct sw_snapshot_usage sum = { 0 };
        sw_autoptr(sw_map) seen = sw_map_new(NULL);
        sw_auto(sw_strlist) before = { 0 };
        struct count c = { .ctx = ctx,
                           .out = &sum,
                           .seen = seen,
                           .layer = *key != 0,
                           .s = s,
                           .before = &before,
                           .nearest = -1 };
        sw_auto(sw_fd) fd = -1;
        sw_err *err = *key ? open_layer(s, key, &fd) : count_rest(s, &c);

        if (!err && *key)
                err = snapdir_sharers_before(s, key, &before);
        if (!err && *key) {
                sum.stamp = stamp_of(&before);
                c.dirfd = fd;
                err = count_tree(&c, "");
        }
        if (!err)
                *out = sum;
        return err;
}
