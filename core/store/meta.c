/*
 * core/store/meta.c - the metadata environment: open, sync behind, close.
 *
 * Opening, with the lock that everybody takes who opens (metafile.c):
 *
 *      nobody else has it open?  -- no --> open
 *        | yes
 *        v
 *      file as `clean` says? -- no --> look at it; damaged: set it aside
 *        |
 *        v
 *      open; LMDB or the schema finds damage: close, set it aside, open
 *
 * Invariant: the file LMDB maps was sound when the first of the processes that have it open
 * began.
 */
#include "core/store/meta.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "core/store/lmdbcheck.h"
#include "core/store/metafile.h"
#include "core/store/spare.h"
#include <slipway/mem.h>
#include <slipway/time.h>

/* Address space, not disk: the file grows as it fills. Tried from the largest. */
static const size_t map_sizes[] = { SW_LMDB_FILE_MAX, (size_t) 8 << 30, (size_t) 1 << 30,
                                    (size_t) 128 << 20 };

enum { SYNC_DELAY_MS = 1000, SCHEMA_TEXT_MAX = 24 };

static const struct {
        const char *name;
        unsigned flags;
} databases[SW_META_N_DBS] = {
        [SW_META_LINKS] = { "links", MDB_DUPSORT },
        [SW_META_BACKLINKS] = { "backlinks", MDB_DUPSORT },
        [SW_META_RECORDS] = { "records", 0 },
        [SW_META_BYRESULT] = { "byresult", MDB_DUPSORT },
        [SW_META_NOTES] = { "notes", 0 },
        [SW_META_REFS] = { "refs", 0 },
        [SW_META_CHILDREN] = { "children", MDB_DUPSORT },
        [SW_META_NAMES] = { "names", MDB_DUPSORT },
        [SW_META_HOLDERS] = { "holders", MDB_DUPSORT },
        [SW_META_DOOMED] = { "doomed", 0 },
        [SW_META_STORE] = { "store", 0 },
        [SW_META_BLOBS] = { "blobs", MDB_DUPSORT },
        [SW_META_KEPT] = { "kept", MDB_DUPSORT },
        [SW_META_IMAGES] = { "images", 0 },
        [SW_META_HISTORY] = { "history", 0 },
};

/* Those that every file of schema 1 has; the others may have to be added. */
enum { FIRST_DBS = SW_META_NOTES + 1 };

struct sw_meta {
        struct sw__metafile file;
        size_t map_max; /* the largest map to try */
        MDB_env *env;
        MDB_dbi dbi[SW_META_N_DBS];

        /* The syncing thread. lock guards what follows. */
        pthread_t syncer;
        bool syncing; /* the thread was started */
        pthread_mutex_t lock;
        pthread_cond_t wake;
        bool dirty, stop;
        bool touched; /* committed, but worth no waiting */
        bool doubt;   /* LMDB found damage, or a sync failed */
};

sw_err *
sw__meta_err(int rc, const char *what)
{
        switch (rc) {
        case 0: return SW_OK;
        case ENOMEM: return sw_err_sys(SW_E_NOMEM, rc, "%s", what);
        case EACCES:
        case EPERM:
        case EROFS: return sw_err_sys(SW_E_DENIED, rc, "%s", what);
        case MDB_CORRUPTED:
        case MDB_PAGE_NOTFOUND:
        case MDB_INVALID:
        case MDB_INCOMPATIBLE:
        case MDB_CURSOR_FULL:
        case MDB_VERSION_MISMATCH:
        case MDB_PANIC: return sw_err_new(SW_E_CORRUPT, "%s: %s", what, mdb_strerror(rc));
        default: break;
        }
        if (rc > 0)
                return sw_err_sys(SW_E_IO, rc, "%s", what);
        return sw_err_new(SW_E_IO, "%s: %s", what, mdb_strerror(rc));
}

/* The map is as large as a file may be, where address space is not limited. Otherwise
 * others may have made the file larger than it, too. */
static sw_err *
map_is_full(sw_meta *m, int rc, const char *what)
{
        MDB_envinfo info = { 0 };

        (void) mdb_env_info(m->env, &info);
        const bool limited = info.me_mapsize < SW_LMDB_FILE_MAX;
        return sw_err_new(SW_E_LIMIT, "%s: the metadata %s more than %zu MiB, which is %s",
                          what, rc == MDB_MAP_FULL ? "would have" : "has",
                          info.me_mapsize >> 20,
                          limited ? "all this process can map: raise its limit of address "
                                    "space (ulimit -v)"
                                  : "all there may be: slipway prune makes room in it");
}

sw_err *
sw__meta_failed(sw_meta *m, int rc, const char *what)
{
        if (rc == MDB_MAP_FULL || rc == MDB_MAP_RESIZED)
                return map_is_full(m, rc, what);
        if (rc == EIO && sw__spare_disk_is_full(m->file.dirfd))
                rc = ENOSPC; /* LMDB's word for a write that was cut short */
        sw_err *err = sw__meta_err(rc, what);

        if (sw_err_code(err) == SW_E_CORRUPT) {
                pthread_mutex_lock(&m->lock);
                m->doubt = true;
                pthread_mutex_unlock(&m->lock);
        }
        return err;
}

/* ---- opening ---- */

static sw_err *
read_schema(MDB_txn *txn, MDB_dbi main_dbi)
{
        MDB_val key = { 6, (void *) "schema" }, value;
        int rc = mdb_get(txn, main_dbi, &key, &value);
        int64_t version = 0;

        if (rc == MDB_NOTFOUND)
                return sw_err_new(SW_E_CORRUPT, "the number of its schema is missing");
        if (rc)
                return sw__meta_err(rc, "read the schema");
        if (value.mv_size > SCHEMA_TEXT_MAX)
                value.mv_size = SCHEMA_TEXT_MAX;
        sw_auto(sw_str) text = sw_strndup(value.mv_data, value.mv_size);
        if (!sw__metafile_read_schema(text, &version))
                return sw_err_new(SW_E_CORRUPT, "the number of its schema is damaged");
        if (version > SW_META_SCHEMA)
                return sw__metafile_too_new(version, SW_META_SCHEMA);
        return SW_OK;
}

static sw_err *
write_schema(MDB_txn *txn, MDB_dbi main_dbi)
{
        sw_auto(sw_str) now = sw_asprintf("%d %d", SW_META_SCHEMA, SW_META_SCHEMA);
        MDB_val key = { 6, (void *) "schema" }, value = { strlen(now), now };

        return sw__meta_err(mdb_put(txn, main_dbi, &key, &value, 0), "write the schema");
}

static sw_err *
open_database(sw_meta *m, MDB_txn *txn, int i, bool make)
{
        const unsigned want = databases[i].flags;
        unsigned flags = 0;
        int rc = mdb_dbi_open(txn, databases[i].name, want | (make ? MDB_CREATE : 0),
                              &m->dbi[i]);

        if (!rc)
                rc = mdb_dbi_flags(txn, m->dbi[i], &flags);
        if (rc == MDB_NOTFOUND || (!rc && flags != want))
                rc = MDB_INCOMPATIBLE;
        return sw__meta_err(rc, databases[i].name);
}

/* Whether the databases that were added later are there. */
static int
has_later_ones(MDB_txn *txn, MDB_dbi main_dbi, bool *out)
{
        int rc = 0;

        for (int i = FIRST_DBS; i < SW_META_N_DBS && !rc; i++) {
                MDB_val k = { strlen(databases[i].name), (void *) databases[i].name }, v;

                rc = mdb_get(txn, main_dbi, &k, &v);
        }
        *out = rc == 0;
        return rc == MDB_NOTFOUND ? 0 : rc;
}

/* All is made in one transaction: what lacks a part is damaged. @lacking: something has to
 * be made, and was not, because @write is false. */
static sw_err *
open_databases_in(sw_meta *m, MDB_txn *txn, bool write, bool *lacking)
{
        MDB_dbi main_dbi;
        MDB_stat stat;
        bool later = false;
        int rc = mdb_dbi_open(txn, NULL, 0, &main_dbi);

        if (!rc)
                rc = mdb_stat(txn, main_dbi, &stat);
        const bool make = !rc && stat.ms_entries == 0;
        if (!rc && !make)
                rc = has_later_ones(txn, main_dbi, &later);
        if (rc)
                return sw__meta_err(rc, "look at the databases");
        sw_err *err = make ? SW_OK : read_schema(txn, main_dbi);
        *lacking = !err && !write && (make || !later);
        if (err || *lacking)
                return err;
        if (make)
                err = write_schema(txn, main_dbi);
        for (int i = 0; i < SW_META_N_DBS && !err; i++)
                err = open_database(m, txn, i, make || (write && i >= FIRST_DBS));
        return err;
}

static sw_err *
try_databases(sw_meta *m, bool write, bool *lacking)
{
        MDB_txn *txn;
        int rc = mdb_txn_begin(m->env, NULL, write ? 0 : MDB_RDONLY, &txn);

        if (rc)
                return sw__meta_err(rc, "begin a transaction");
        sw_err *err = open_databases_in(m, txn, write, lacking);
        if (err || *lacking) {
                mdb_txn_abort(txn);
                return err;
        }
        /* Also ends the reading one: only then do its handles stay. */
        return sw__meta_err(mdb_txn_commit(txn), "commit");
}

/* Reading first: the writer's lock may be held by another process for a while. */
static sw_err *
open_databases(sw_meta *m)
{
        bool lacking = false;
        sw_err *err = try_databases(m, false, &lacking);

        return err || !lacking ? err : try_databases(m, true, &lacking);
}

/* Under limits of address space, a smaller map is better than none. */
static int
open_env(sw_meta *m)
{
        sw_auto(sw_str) path = sw_asprintf("/proc/self/fd/%d", m->file.dirfd);
        int rc = 0;

        for (size_t i = 0; i < SW_COUNT(map_sizes); i++) {
                const size_t size = map_sizes[i] < m->map_max ? map_sizes[i] : m->map_max;

                rc = mdb_env_create(&m->env);
                if (!rc)
                        rc = mdb_env_set_mapsize(m->env, size);
                if (!rc)
                        rc = mdb_env_set_maxdbs(m->env, SW_META_N_DBS + 4);
                if (!rc)
                        rc = mdb_env_set_maxreaders(m->env, 512);
                if (!rc)
                        rc = mdb_env_open(m->env, path,
                                          MDB_NOSYNC | MDB_NOTLS | MDB_NORDAHEAD, 0600);
                if (rc != ENOMEM && rc != EINVAL) /* the latter is valgrind's */
                        break;
                mdb_env_close(m->env);
                m->env = NULL;
        }
        return rc;
}

static void
close_env(sw_meta *m)
{
        if (m->env)
                mdb_env_close(m->env);
        m->env = NULL;
}

static sw_err *
open_files(sw_meta *m)
{
        sw_err *err = sw__meta_err(open_env(m), "map data.mdb");

        if (err)
                return err;
        struct stat st;
        int fd;
        if (mdb_env_get_fd(m->env, &fd) == 0 && fstat(fd, &st) == 0)
                m->file.ino = st.st_ino;
        (void) mdb_reader_check(m->env, NULL); /* slots of killed processes */
        return open_databases(m);
}

static sw_err *
open_all(sw_meta *m, const char *dir)
{
        sw_err *err = sw__metafile_enter(&m->file, dir);

        if (!err && m->file.alone)
                err = sw__metafile_inspect(&m->file);
        if (!err)
                err = open_files(m);
        if (sw_err_code(err) == SW_E_CORRUPT && m->file.alone) {
                close_env(m);
                sw_err *aside = sw__metafile_set_aside(&m->file, err);
                sw_err_drop(err, "told to the log");
                err = aside ? aside : open_files(m);
        }
        if (!err)
                err = sw__metafile_stay(&m->file);
        if (!err)
                sw__spare_make(m->file.dirfd);
        return err;
}

/* ---- syncing behind ---- */

/* Sync at most once in SYNC_DELAY_MS. Closing syncs by itself. */
static void *
sync_main(void *arg)
{
        sw_meta *m = arg;
        struct timespec until;

        pthread_mutex_lock(&m->lock);
        while (!m->stop) {
                if (!m->dirty) {
                        pthread_cond_wait(&m->wake, &m->lock);
                        continue;
                }
                until = sw_time_to_spec(sw_time_mono() + SYNC_DELAY_MS * SW_NS_PER_MS);
                while (!m->stop &&
                       pthread_cond_timedwait(&m->wake, &m->lock, &until) == 0) {
                }
                if (m->stop)
                        break;
                m->dirty = false;
                pthread_mutex_unlock(&m->lock);
                int rc = mdb_env_sync(m->env, 1);
                if (rc)
                        sw_log_line(m->file.log, SW_LOG_WARN, "store",
                                    "sync the metadata: %s", mdb_strerror(rc));
                pthread_mutex_lock(&m->lock);
                m->doubt |= rc != 0;
        }
        pthread_mutex_unlock(&m->lock);
        return NULL;
}

/* With no signals: they are for those who wait for them. */
static bool
start_syncing(sw_meta *m)
{
        sigset_t all, before;

        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        const bool started = pthread_create(&m->syncer, NULL, sync_main, m) == 0;
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        return started;
}

sw_err *
sw__meta_begin(sw_meta *m, bool write, MDB_txn **txn, const char *doing)
{
        if (write)
                sw__spare_use(m->file.dirfd);
        return sw__meta_failed(m, mdb_txn_begin(m->env, NULL, write ? 0 : MDB_RDONLY, txn),
                               doing);
}

void
sw__meta_committed(sw_meta *m)
{
        pthread_mutex_lock(&m->lock);
        if (!m->dirty) {
                m->dirty = true;
                /* Started by the first commit: a build that changes nothing needs none. */
                if (!m->syncing)
                        m->syncing = start_syncing(m);
                else
                        pthread_cond_signal(&m->wake);
        }
        pthread_mutex_unlock(&m->lock);
}

void
sw__meta_touched(sw_meta *m)
{
        pthread_mutex_lock(&m->lock);
        m->touched = true;
        pthread_mutex_unlock(&m->lock);
}

static void
stop_syncing(sw_meta *m)
{
        pthread_mutex_lock(&m->lock);
        m->stop = true;
        pthread_cond_signal(&m->wake);
        pthread_mutex_unlock(&m->lock);
        if (m->syncing)
                pthread_join(m->syncer, NULL);
}

/* Have what is in memory on its way to the disk, without waiting for it. */
static void
begin_writing(sw_meta *m)
{
        int fd;

        if (mdb_env_get_fd(m->env, &fd) == 0)
                (void) sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
}

/* ---- open and close ---- */

sw_err *
sw__meta_open(const char *dir, sw_log *log, sw_meta **out)
{
        return sw__meta_open_within(dir, log, SW_LMDB_FILE_MAX, out);
}

sw_err *
sw__meta_open_within(const char *dir, sw_log *log, size_t map_max, sw_meta **out)
{
        sw_meta *m = sw_new(sw_meta);
        pthread_condattr_t attr;

        m->file = (struct sw__metafile){ .dirfd = -1, .users = -1, .log = log };
        m->file.newest = SW_META_SCHEMA;
        m->map_max = map_max;
        pthread_mutex_init(&m->lock, NULL);
        pthread_condattr_init(&attr);
        pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
        pthread_cond_init(&m->wake, &attr);
        pthread_condattr_destroy(&attr);
        sw_err *err = open_all(m, dir);
        if (err) {
                sw__meta_close(m);
                return sw_err_wrap(err, "metadata in %s", dir);
        }
        *out = m;
        return SW_OK;
}

void
sw__meta_close(sw_meta *m)
{
        if (!m)
                return;
        stop_syncing(m);
        const bool opened = m->env != NULL;
        if (opened && m->dirty && mdb_env_sync(m->env, 1) != 0)
                m->doubt = true;
        else if (opened && m->touched)
                begin_writing(m);
        close_env(m);
        m->file.doubt = m->doubt;
        sw__metafile_leave(&m->file, opened);
        pthread_cond_destroy(&m->wake);
        pthread_mutex_destroy(&m->lock);
        free(m);
}

MDB_env *
sw__meta_env(const sw_meta *m)
{
        return m->env;
}

MDB_dbi
sw__meta_dbi(const sw_meta *m, enum sw_meta_db db)
{
        return m->dbi[db];
}
