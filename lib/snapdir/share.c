/*
 * lib/snapdir/share.c - files that several layers have in common: one inode, with a name
 * under the same path in each of them.
 *
 * That is safe because the files of committed layers are never written to, and the writer
 * refuses to change one that is shared. What it takes on disk must count once: with the
 * first layer that has it and is there. So the layers with files in common know each other,
 * in the order of their coming, by a file "sharers" that has a name in each of them:
 *
 *      the writer of a layer that is to share files with another one, which is leased,
 *      takes a name of that one's "sharers" and adds a line to it; only then it links
 *
 * Layers that are gone stay in it, and are passed over. So nothing has to be written when a
 * layer goes, and whoever is killed leaves nothing wrong; but what is counted with a layer
 * changes when one before it goes: that is what the stamp of a usage is for.
 *
 * Thread: any, for different layers; writer_share() see slipway/layer.h.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include <slipway/io.h>
#include <slipway/time.h>

#include "lib/snapdir/writer_priv.h"

/* Lines of a file of sharers: more than ever come together. */
#define SHARERS_MAX (16 << 20)
enum { TRIES = 3, ID_MAX = 128 };

/* ---- who shares -------------------------------------------------------------------- */

static bool
is_there(struct snapdir *s, const char *key)
{
        char path[SNAPDIR_PATH];

        for (const char *state = "aca"; *state; state++) { /* or just committed */
                (void) snprintf(path, sizeof(path), "%c/%s", *state, key);
                if (faccessat(s->dirfd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
                        return true;
        }
        return false;
}

static sw_err *
read_sharers(struct snapdir *s, const char *key, sw_buf *out)
{
        sw_err *err = SW_OK;

        for (const char *state = "aca"; *state; state++) {
                char path[SNAPDIR_PATH];

                (void) snprintf(path, sizeof(path), "%c/%s/" SNAPDIR_SHARERS, *state, key);
                err = sw_buf_read_file(out, s->dirfd, path, SHARERS_MAX);
                if (sw_err_code(err) != SW_E_NOT_FOUND)
                        return err;
                sw_err_drop(err, "it shares nothing, or is just being committed");
        }
        return SW_OK;
}

sw_err *
snapdir_sharers_before(struct snapdir *s, const char *key, sw_strlist *out)
{
        sw_auto(sw_buf) text = SW_BUF_INIT;
        sw_auto(sw_strlist) all = { 0 };
        sw_err *err = read_sharers(s, key, &text);
        size_t n = 0;

        if (err || !text.len)
                return err;
        sw_strlist_split(&all, text.data, '\n');
        while (n < all.n && strcmp(all.v[n], key) != 0)
                n++;
        while (n-- > 0)
                if (strlen(all.v[n]) <= ID_MAX && is_there(s, all.v[n]))
                        sw_strlist_add(out, all.v[n]);
        return SW_OK;
}

/* ---- joining them ------------------------------------------------------------------ */

/* The file of sharers of a committed layer that has none. */
static sw_err *
make_sharers(struct snapdir *s, const char *key, const char *path)
{
        char temp[SNAPDIR_PATH];

        snapdir_temp(s, temp);
        sw_auto(sw_fd) fd =
                openat(s->dirfd, temp, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
        sw_auto(sw_str) line = sw_asprintf("%s\n", key);
        if (fd < 0)
                return snapdir_err(errno, "make", temp);
        const int failed = sw_write_all(fd, line, strlen(line));
        sw_err *err = failed ? snapdir_err(failed, "write", temp) : SW_OK;
        if (!err && linkat(s->dirfd, temp, s->dirfd, path, 0) < 0 && errno != EEXIST)
                err = snapdir_err(errno, "make", path);
        (void) unlinkat(s->dirfd, temp, 0);
        return err;
}

static sw_err *
add_sharer(struct snapdir *s, const char *key, const char *path)
{
        sw_auto(sw_fd) fd =
                openat(s->dirfd, path, O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC);
        sw_auto(sw_str) line = sw_asprintf("%s\n", key);

        if (fd < 0)
                return snapdir_err(errno, "open", path);
        const int failed = sw_write_all(fd, line, strlen(line));
        return failed ? snapdir_err(failed, "write", path) : SW_OK;
}

/* *ok false: the two cannot share. */
static sw_err *
join(struct snapdir *s, const char *key, const char *partner, bool *ok)
{
        char from[SNAPDIR_PATH], to[SNAPDIR_PATH];
        struct stat a, b;

        (void) snprintf(from, sizeof(from), "c/%s/" SNAPDIR_SHARERS, partner);
        (void) snprintf(to, sizeof(to), "a/%s/" SNAPDIR_SHARERS, key);
        for (int i = 0; i < TRIES; i++) {
                if (linkat(s->dirfd, from, s->dirfd, to, 0) == 0) {
                        *ok = true;
                        return add_sharer(s, key, to);
                }
                if (errno != ENOENT)
                        break;
                sw_err *err = make_sharers(s, partner, from);
                if (err)
                        return err;
        }
        if (errno == EMLINK || errno == EPERM)
                return SW_OK;
        if (errno != EEXIST)
                return snapdir_err(errno, "share files with layer", partner);
        /* an earlier writer of this layer did */
        *ok = fstatat(s->dirfd, from, &a, AT_SYMLINK_NOFOLLOW) == 0 &&
              fstatat(s->dirfd, to, &b, AT_SYMLINK_NOFOLLOW) == 0 && a.st_dev == b.st_dev &&
              a.st_ino == b.st_ino;
        return SW_OK;
}

/* Be ready to share with @key; *ok false: it cannot be. */
static sw_err *
choose_partner_locked(struct writer *w, const char *key, bool *ok)
{
        sw_auto(sw_fd) fd = -1;
        bool opaque, joined = false;
        sw_err *err;

        *ok = w->partnerfd >= 0 && strcmp(w->partner, key) == 0;
        if (*ok || *w->partner)
                return SW_OK;
        err = sw_id_check("layer", key);
        if (err)
                return err;
        (void) snprintf(w->partner, sizeof(w->partner), "%s", key);
        err = snapdir_open_layer(w->s, 'c', key, &fd, &opaque);
        if (sw_err_code(err) == SW_E_NOT_FOUND) {
                sw_err_drop(err, "nothing is shared with what is gone");
                return SW_OK;
        }
        if (!err && !opaque && !w->opaque)
                err = join(w->s, w->key, key, &joined);
        if (!err && joined)
                w->partnerfd = sw_fd_steal(&fd);
        *ok = !err && joined;
        return err;
}

/* ---- files ------------------------------------------------------------------------- */

/* The directory of the partner's that is @d here; -1: it has none. */
static int
open_twin_locked(struct writer *w, struct wdir *d)
{
        if (d->twin < 0)
                d->twin = snapdir_open_dir(w->partnerfd, *d->path ? d->path : ".");
        return d->twin;
}

static bool
is_like(const struct stat *st, const struct sw_layer_meta *m, int64_t len)
{
        return S_ISREG(st->st_mode) && (st->st_mode & 07777) == m->mode &&
               st->st_uid == m->uid && st->st_gid == m->gid && st->st_size == len &&
               sw_time_from_spec(&st->st_mtim) == m->mtime;
}

static sw_err *
link_twin(struct writer *w, const struct place *at, const char *path, int twin, bool *done)
{
        for (int i = 0; i < TRIES; i++) {
                if (linkat(twin, at->base, at->dir->fd, at->base, 0) == 0) {
                        *done = true;
                        return SW_OK;
                }
                if (errno == EMLINK || errno == EPERM || errno == ENOENT)
                        return SW_OK;
                if (errno != EEXIST)
                        break;
                sw_err *err = writer_clear(w, at, path);
                if (err)
                        return err;
        }
        return snapdir_err(errno, "share", path);
}

sw_err *
writer_share(void *arg, const char *path, const struct sw_layer_meta *m, int64_t len,
             const char *key, bool *done)
{
        struct writer *w = arg;
        struct place at;
        struct stat st;
        bool ok = false;
        int twin = -1;
        sw_err *err = sw_cancel_check(w->cancel);

        *done = false;
        if (!err)
                err = writer_enter(w, path, &at);
        if (err)
                return err;
        pthread_mutex_lock(&w->lock);
        err = choose_partner_locked(w, key, &ok);
        if (!err && ok)
                twin = open_twin_locked(w, at.dir);
        pthread_mutex_unlock(&w->lock);
        if (!err && twin >= 0 && fstatat(twin, at.base, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
            is_like(&st, m, len))
                err = link_twin(w, &at, path, twin, done);
        writer_leave(w, &at);
        return err;
}

sw_err *
writer_check_own(struct writer *w, const struct place *at)
{
        struct stat mine, other;
        int twin = -1;

        if (w->partnerfd < 0 ||
            fstatat(at->dir->fd, at->base, &mine, AT_SYMLINK_NOFOLLOW) < 0 ||
            mine.st_nlink < 2 || S_ISDIR(mine.st_mode))
                return SW_OK;
        pthread_mutex_lock(&w->lock);
        twin = open_twin_locked(w, at->dir);
        pthread_mutex_unlock(&w->lock);
        if (twin >= 0 && fstatat(twin, at->base, &other, AT_SYMLINK_NOFOLLOW) == 0 &&
            other.st_dev == mine.st_dev && other.st_ino == mine.st_ino)
                return snapdir_err(EINVAL, "it is another layer's, too:", at->base);
        return SW_OK;
}
