/*
 * core/engine/historyold.c - what time takes from the history.
 *
 * Looked at when a build ends, and only as far as there is something to drop: records are
 * in the order of time, so the oldest ones that are not pinned decide.
 * Thread: any.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include <slipway/map.h>
#include <slipway/time.h>

#include "core/engine/history.h"

/* Stories without a record are younger than this while their builds begin. */
#define ORPHAN_AGE (SW_NS_PER_SEC * 3600)

/* Whether it may go; *stop: nothing that follows is old enough. */
static bool
is_old(const sw_history *h, const sw__built *b, int64_t before, bool *stop)
{
        int64_t end = sw__built_time(b->record->completedat);
        int fd;

        if (sw__built_time(b->record->createdat) > before) {
                *stop = true;
                return false;
        }
        if (b->record->pinned || end > before)
                return false;
        fd = end ? -2 : sw__history_lock(h, b->record->ref);
        if (fd >= 0)
                (void) close(fd);
        return fd != -1;
}

/* Whether there is anything to drop: most builds end without. */
static bool
any_old(const sw_history *h, sw__tx *tx, int64_t max_entries, int64_t before, size_t *many)
{
        const MDB_dbi dbi = sw__meta_dbi(tx->meta, SW_META_HISTORY);
        MDB_cursor *c = NULL;
        MDB_stat st = { 0 };
        MDB_val key, value;
        bool stop = false, any = false;

        if (mdb_stat(tx->txn, dbi, &st) || st.ms_entries <= (uint64_t) max_entries ||
            mdb_cursor_open(tx->txn, dbi, &c))
                return false;
        *many = st.ms_entries - (size_t) max_entries;
        while (!any && !stop && !mdb_cursor_get(c, &key, &value, MDB_NEXT)) {
                sw_autoptr(sw__built) b =
                        sw__built_decode(NULL, value.mv_data, value.mv_size);

                any = !b || is_old(h, b, before, &stop);
        }
        mdb_cursor_close(c);
        return any;
}

static int
drop(sw_history *h, MDB_cursor *c, size_t many, int64_t before, sw_strlist *gone)
{
        MDB_val key, value;
        bool stop = false;
        int rc = 0;

        while (gone->n < many && !stop &&
               !(rc = mdb_cursor_get(c, &key, &value, MDB_NEXT))) {
                sw_autoptr(sw__built) b =
                        sw__built_decode(NULL, value.mv_data, value.mv_size);

                if (b && !is_old(h, b, before, &stop))
                        continue;
                sw_strlist_add(gone, b ? b->record->ref : "");
                rc = mdb_cursor_del(c, 0); /* one that is damaged, too */
                if (rc)
                        break;
        }
        return rc == MDB_NOTFOUND ? 0 : rc;
}

/* Names of records, or NULL. */
static sw_map *
names(sw_history *h)
{
        sw_auto(sw_history_list) all = { 0 };
        sw_map *m = sw_map_new(NULL);
        sw_err *err = sw_history_builds(h, &all);

        for (size_t i = 0; i < all.n; i++)
                (void) sw_map_set(m, all.v[i].id, m);
        if (!err)
                return m;
        sw_err_drop(err, "another time");
        sw_map_free(m);
        return NULL;
}

/* Stories whose records are gone: a process died between the two. */
static void
sweep(sw_history *h, int64_t now)
{
        sw_autoptr(sw_map) known = names(h);
        int fd = openat(h->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
        struct dirent *e;
        struct stat st;

        if (!d && fd >= 0)
                (void) close(fd);
        while (d && known && (e = readdir(d)))
                if (e->d_name[0] != '.' && !sw_map_has(known, e->d_name) &&
                    fstatat(h->dir, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
                    now - sw_time_from_spec(&st.st_mtim) > ORPHAN_AGE)
                        (void) unlinkat(h->dir, e->d_name, 0);
        if (d)
                (void) closedir(d);
}

static sw_err *
drop_in(sw_history *h, sw__tx *tx, size_t many, int64_t before, sw_strlist *gone)
{
        MDB_cursor *c = NULL;
        int rc = mdb_cursor_open(tx->txn, sw__meta_dbi(tx->meta, SW_META_HISTORY), &c);

        if (!rc)
                rc = drop(h, c, many, before, gone);
        if (c)
                mdb_cursor_close(c);
        if (rc)
                return sw__meta_failed(tx->meta, rc, "drop old builds");
        return sw__tx_commit(tx, false);
}

void
sw__history_drop_old(sw_history *h, int64_t max_entries, int64_t max_age)
{
        sw_auto(sw__tx) tx = { 0 };
        sw_auto(sw_strlist) gone = { 0 };
        sw_meta *meta = sw__root_meta(h->root);
        const int64_t now = sw_time_now(), before = now - max_age;
        size_t many = 0;
        sw_err *err = sw__tx_begin(meta, false, &tx);

        if (!err && !any_old(h, &tx, max_entries, before, &many))
                return;
        sw__tx_abort(&tx);
        if (!err)
                err = sw__tx_begin(meta, true, &tx);
        if (!err)
                err = drop_in(h, &tx, many, before, &gone);
        if (err)
                sw_log_err(h->log, SW_LOG_WARN, err);
        for (size_t i = 0; i < gone.n && !err && h->dir >= 0; i++)
                (void) unlinkat(h->dir, gone.v[i], 0);
        if (gone.n && !err && h->dir >= 0)
                sweep(h, now);
        sw_err_drop(err, "the build is none the worse for it");
}
