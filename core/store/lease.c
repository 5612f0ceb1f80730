/*
 * core/store/lease.c - leases. See lease.h.
 *
 * Between making a file and locking it, a sweeper may lock and remove it: who makes one
 * looks, once it has the lock, whether the name still is that file.
 */
#include "core/store/lease.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <slipway/mem.h>

static sw_err *
lease_err(const char *what, const char *id)
{
        const int e = errno;

        return sw_err_sys(e == EACCES || e == EPERM || e == EROFS ? SW_E_DENIED : SW_E_IO,
                          e, "%s lease %s", what, id);
}

static bool
is_linked(int fd)
{
        struct stat st;

        return fstat(fd, &st) == 0 && st.st_nlink > 0;
}

sw_err *
sw__lease_take(int dirfd, sw__lease *out)
{
        for (;;) {
                char id[SW_ID_SIZE];
                sw_auto(sw_fd) fd = openat(dirfd, sw_id_new(id),
                                           O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

                if (fd < 0)
                        return lease_err("make", id);
                if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
                        if (!is_linked(fd))
                                continue;
                        memcpy(out->id, id, sizeof(id));
                        out->fd = sw_fd_steal(&fd);
                        return SW_OK;
                }
                if (errno != EWOULDBLOCK && errno != EINTR)
                        return lease_err("lock", id);
                (void) unlinkat(dirfd, id, 0);
        }
}

void
sw__lease_drop(int dirfd, sw__lease *l)
{
        if (l->fd < 0)
                return;
        (void) unlinkat(dirfd, l->id, 0);
        sw_fd_clear(&l->fd);
}

/* ---- sweeping ---- */

/* Dead leases and their files, locked by us until they are removed. */
struct dead {
        sw_strlist ids;
        SW_ARRAY(int) fds;
};

static void
look_at(int dirfd, const char *id, struct dead *dead)
{
        sw_auto(sw_fd) fd = openat(dirfd, id, O_RDWR | O_CLOEXEC | O_NOFOLLOW);

        if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) != 0 || !is_linked(fd))
                return; /* alive, or swept by somebody else */
        sw_strlist_add(&dead->ids, id);
        sw_array_push(&dead->fds, sw_fd_steal(&fd));
}

static sw_err *
find_dead(int dirfd, const char *own, struct dead *dead)
{
        sw_auto(sw_fd) fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *d = fd < 0 ? NULL : fdopendir(fd);
        struct dirent *e;

        if (!d)
                return lease_err("list", "s");
        fd = -1; /* the stream's now */
        while ((e = readdir(d)))
                if (sw__id_ok(e->d_name) && !(own && strcmp(e->d_name, own) == 0))
                        look_at(dirfd, e->d_name, dead);
        (void) closedir(d);
        return SW_OK;
}

sw_err *
sw__lease_others(int dirfd, const char *own, bool *any)
{
        sw_auto(sw_fd) fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *d = fd < 0 ? NULL : fdopendir(fd);
        struct dirent *e;

        if (!d)
                return lease_err("list", "s");
        fd = -1; /* the stream's now */
        *any = false;
        while (!*any && (e = readdir(d))) {
                if (!sw__id_ok(e->d_name) || (own && strcmp(e->d_name, own) == 0))
                        continue;
                sw_auto(sw_fd) l =
                        openat(dirfd, e->d_name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
                *any = l >= 0 && flock(l, LOCK_EX | LOCK_NB) != 0;
        }
        (void) closedir(d);
        return SW_OK;
}

/* One ref that a dead process held. */
static sw_err *
let_go(sw__tx *tx, const char *id, const char *lease)
{
        sw_autoptr(sw__rec) rec = NULL;
        sw_err *err = sw__pair_del(tx, SW_META_HOLDERS, id, lease);

        if (!err)
                err = sw__rec_get(tx, id, &rec);
        if (err || !rec || rec->state != SW__REC_ACTIVE || strcmp(rec->lease, lease) != 0)
                return err;
        if (!rec->is_mutable || !rec->sequence) /* never was anything that is complete */
                return sw__rec_remove(tx, id, rec);
        rec->state = SW__REC_FREE;
        rec->measured = false;
        if (*rec->lease)
                rec->lease[0] = '\0';
        return sw__rec_put(tx, id, rec);
}

/* Leases that pairs tell of, and that have no file: it is made before the first pair. */
static sw_err *
find_lost(sw_meta *meta, int dirfd, const char *own, struct dead *dead)
{
        sw_auto(sw__tx) tx = { 0 };
        sw_auto(sw_strlist) refs = { 0 }, leases = { 0 };
        sw_err *err = sw__tx_begin(meta, false, &tx);

        if (!err)
                err = sw__pair_list(&tx, SW_META_HOLDERS, NULL, &refs, &leases);
        for (size_t i = 0; i < leases.n && !err; i++) {
                const char *id = leases.v[i];

                if ((own && strcmp(id, own) == 0) || sw_strlist_has(&dead->ids, id))
                        continue;
                if (!sw__id_ok(id) ||
                    (faccessat(dirfd, id, F_OK, 0) < 0 && errno == ENOENT))
                        sw_strlist_add(&dead->ids, id);
        }
        return err;
}

static sw_err *
sweep_pairs(sw_meta *meta, const struct dead *dead)
{
        sw_auto(sw__tx) tx = { 0 };
        sw_auto(sw_strlist) refs = { 0 }, leases = { 0 };
        bool any = false;
        sw_err *err = sw__tx_begin(meta, true, &tx);

        if (!err)
                err = sw__pair_list(&tx, SW_META_HOLDERS, NULL, &refs, &leases);
        for (size_t i = 0; i < refs.n && !err; i++) {
                if (!sw_strlist_has(&dead->ids, leases.v[i]))
                        continue;
                any = true;
                err = let_go(&tx, refs.v[i], leases.v[i]);
        }
        if (err || !any)
                return err;
        return sw__tx_commit(&tx, true);
}

sw_err *
sw__lease_sweep(sw_meta *meta, int dirfd, const char *own, bool thorough)
{
        struct dead dead = { 0 };
        sw_err *err = find_dead(dirfd, own, &dead);

        if (!err && thorough)
                err = find_lost(meta, dirfd, own, &dead);
        if (!err && dead.ids.n)
                err = sweep_pairs(meta, &dead);
        for (size_t i = 0; i < dead.fds.n; i++) {
                if (!err)
                        (void) unlinkat(dirfd, dead.ids.v[i], 0);
                (void) close(dead.fds.v[i]);
        }
        sw_array_release(&dead.fds);
        sw_strlist_release(&dead.ids);
        return sw_err_wrap(err, "sweep leases of processes that died");
}
