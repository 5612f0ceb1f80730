/*
 * core/store/meta.c - the metadata environment: open, look for damage, sync behind, close.
 *
 * Opening, with the lock on `users`:
 *
 *      exclusive at once?  -- no --> wait for shared, then just open
 *        | yes: nobody else has it open
 *        v
 *      file as `clean` says? -- no --> look at it; damaged: set it aside
 *        |
 *        v
 *      make it shared, open
 *
 * `clean` holds size and time of last change, so any commit makes it stale until the last
 * process closes. Being killed does no damage to the file, only power failure does, and
 * then the boot differs. Invariant: the file LMDB maps was sound when the first of the
 * processes that have it open began.
 */
#include "core/store/meta.h"

#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/store/lmdbcheck.h"
#include <slipway/buf.h>
#include <slipway/mem.h>
#include <slipway/text.h>
#include <slipway/time.h>

/* Address space, not disk: the file grows as it fills. Tried from the largest. */
static const size_t map_sizes[] = { (size_t) 64 << 30, (size_t) 8 << 30, (size_t) 1 << 30 };

enum { SYNC_DELAY_MS = 1000, SCHEMA_TEXT_MAX = 16 };

static const struct {
        const char *name;
        unsigned flags;
} databases[SW_META_N_DBS] = {
        [SW_META_LINKS] = { "links", MDB_DUPSORT },
        [SW_META_BACKLINKS] = { "backlinks", MDB_DUPSORT },
        [SW_META_RECORDS] = { "records", 0 },
        [SW_META_BYRESULT] = { "byresult", MDB_DUPSORT },
        [SW_META_NOTES] = { "notes", 0 },
};

struct sw_meta {
        int dirfd, users; /* users: holds a shared flock while open */
        sw_log *log;
        MDB_env *env;
        MDB_dbi dbi[SW_META_N_DBS];

        /* The syncing thread. lock guards what follows. */
        pthread_t syncer;
        bool syncing; /* the thread was started */
        pthread_mutex_t lock;
        pthread_cond_t wake;
        bool dirty, stop;
        bool changed; /* something was committed, or `clean` was stale at the start */
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
        case MDB_VERSION_MISMATCH:
        case MDB_PANIC: return sw_err_new(SW_E_CORRUPT, "%s: %s", what, mdb_strerror(rc));
        default: break;
        }
        if (rc > 0)
                return sw_err_sys(SW_E_IO, rc, "%s", what);
        return sw_err_new(SW_E_IO, "%s: %s", what, mdb_strerror(rc));
}

/* ---- how the last process left it
 * ------------------------------------------------------------ */

/* What `clean` says of the file as it is now: boot, size, time of last change. */
static sw_err *
file_state(int dirfd, sw_buf *out)
{
        struct stat st;

        if (fstatat(dirfd, "data.mdb", &st, AT_SYMLINK_NOFOLLOW) < 0)
                return sw_err_sys(errno == ENOENT ? SW_E_NOT_FOUND : SW_E_IO, errno,
                                  "look at data.mdb");
        sw_err *err =
                sw_buf_read_file(out, AT_FDCWD, "/proc/sys/kernel/random/boot_id", 64);
        if (err)
                return err;
        sw_buf_addf(out, "%jd %jd.%09ld %ju\n", (intmax_t) st.st_size,
                    (intmax_t) st.st_mtim.tv_sec, st.st_mtim.tv_nsec,
                    (uintmax_t) st.st_ino);
        return SW_OK;
}

static bool
left_clean(int dirfd)
{
        sw_auto(sw_buf) now = SW_BUF_INIT;
        sw_auto(sw_buf) then = SW_BUF_INIT;
        sw_err *err = file_state(dirfd, &now);

        if (!err)
                err = sw_buf_read_file(&then, dirfd, "clean", 4096);
        if (err) {
                sw_err_drop(err, "what cannot be told is looked at");
                return false;
        }
        return then.len == now.len && memcmp(then.data, now.data, now.len) == 0;
}

/* ---- damage
 * ---------------------------------------------------------------------------------- */

/* SW_OK: sound, or no file at all. SW_E_CORRUPT: damaged. */
static sw_err *
look_for_damage(int dirfd)
{
        sw_auto(sw_fd) fd = openat(dirfd, "data.mdb", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        struct stat st;

        if (fd < 0)
                return errno == ENOENT ? SW_OK
                                       : sw_err_sys(SW_E_IO, errno, "open data.mdb");
        if (fstat(fd, &st) < 0)
                return sw_err_sys(SW_E_IO, errno, "look at data.mdb");
        if (!S_ISREG(st.st_mode))
                return sw_err_new(SW_E_CORRUPT, "data.mdb is not a file");
        if (st.st_size == 0)
                return SW_OK; /* LMDB begins a new one in it */
        void *p = mmap(NULL, (size_t) st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (p == MAP_FAILED)
                return sw_err_sys(SW_E_IO, errno, "read data.mdb");
        sw_err *err = sw__lmdb_check(p, (size_t) st.st_size);
        munmap(p, (size_t) st.st_size);
        return err;
}

static sw_err *
set_aside(sw_meta *m, const sw_err *why)
{
        char when[SW_TIME_STR_SIZE];
        sw_auto(sw_str) name =
                sw_asprintf("data.mdb.damaged-%s", sw_time_str(sw_time_now(), when));

        if (renameat(m->dirfd, "data.mdb", m->dirfd, name) < 0)
                return sw_err_sys(SW_E_IO, errno, "set the damaged metadata aside as %s",
                                  name);
        (void) unlinkat(m->dirfd, "lock.mdb", 0);
        sw_log_line(
                m->log, SW_LOG_WARN, "store",
                "metadata is damaged (%s); set aside as meta/%s, begun anew: the cache is "
                "empty, nothing else is lost",
                sw_err_message(why), name);
        return SW_OK;
}

/* With the exclusive lock: make sure that LMDB can map what is there. */
static sw_err *
make_sound(sw_meta *m)
{
        if (left_clean(m->dirfd))
                return SW_OK;
        m->changed = true;
        sw_err *err = look_for_damage(m->dirfd);
        if (sw_err_code(err) != SW_E_CORRUPT)
                return err;
        sw_err *aside = set_aside(m, err);
        sw_err_drop(err, "told to the log");
        return aside;
}

static sw_err *
lock_users(sw_meta *m)
{
        sw_err *err = SW_OK;

        m->users =
                openat(m->dirfd, "users", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (m->users < 0)
                return sw_err_sys(errno == EACCES ? SW_E_DENIED : SW_E_IO, errno,
                                  "open users");
        bool alone = flock(m->users, LOCK_EX | LOCK_NB) == 0;
        if (alone)
                err = make_sound(m);
        while (!err && flock(m->users, LOCK_SH) < 0)
                if (errno != EINTR)
                        err = sw_err_sys(SW_E_IO, errno, "lock users");
        return err;
}

/* ---- opening
 * --------------------------------------------------------------------------------- */

static sw_err *
check_schema(MDB_txn *txn, bool make, bool *missing)
{
        MDB_val key = { 6, (void *) "schema" }, value;
        sw_auto(sw_str) now = sw_asprintf("%d", SW_META_SCHEMA);
        MDB_dbi main_dbi;
        int rc = mdb_dbi_open(txn, NULL, 0, &main_dbi);

        if (!rc)
                rc = mdb_get(txn, main_dbi, &key, &value);
        if (rc == MDB_NOTFOUND && !make) {
                *missing = true;
                return SW_OK;
        }
        if (rc == MDB_NOTFOUND) {
                value = (MDB_val){ strlen(now), now };
                return sw__meta_err(mdb_put(txn, main_dbi, &key, &value, 0),
                                    "write the schema");
        }
        if (rc)
                return sw__meta_err(rc, "read the schema");
        int64_t version = 0;
        sw_auto(sw_str) text =
                sw_strndup(value.mv_data, value.mv_size > SCHEMA_TEXT_MAX ? SCHEMA_TEXT_MAX
                                                                          : value.mv_size);
        sw_err *err = sw_parse_int(text, 1, INT32_MAX, &version);
        if (err)
                return sw_err_wrap(err, "schema of the metadata");
        if (version > SW_META_SCHEMA)
                return sw_err_new(SW_E_UNSUPPORTED,
                                  "made by a newer slipway (schema %" PRId64
                                  ", this one knows %d); "
                                  "use that one, or another --root",
                                  version, SW_META_SCHEMA);
        return SW_OK;
}

/* @make: in a transaction that writes, making what is missing. MDB_NOTFOUND otherwise. */
static sw_err *
open_databases_in(sw_meta *m, bool make, bool *missing)
{
        MDB_txn *txn;
        int rc = mdb_txn_begin(m->env, NULL, make ? 0 : MDB_RDONLY, &txn);

        *missing = false;
        if (rc)
                return sw__meta_err(rc, "begin a transaction");
        sw_err *err = check_schema(txn, make, missing);
        for (int i = 0; i < SW_META_N_DBS && !err && !*missing; i++) {
                rc = mdb_dbi_open(txn, databases[i].name,
                                  databases[i].flags | (make ? MDB_CREATE : 0), &m->dbi[i]);
                *missing = rc == MDB_NOTFOUND;
                err = *missing ? SW_OK : sw__meta_err(rc, databases[i].name);
        }
        if (err || *missing) {
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
        bool missing;
        sw_err *err = open_databases_in(m, false, &missing);

        if (err || !missing)
                return err;
        m->changed = true;
        return open_databases_in(m, true, &missing);
}

/* Under limits of address space, a smaller map is better than none. */
static int
open_env(sw_meta *m)
{
        sw_auto(sw_str) path = sw_asprintf("/proc/self/fd/%d", m->dirfd);
        int rc = 0;

        for (size_t i = 0; i < SW_COUNT(map_sizes); i++) {
                rc = mdb_env_create(&m->env);
                if (!rc)
                        rc = mdb_env_set_mapsize(m->env, map_sizes[i]);
                if (!rc)
                        rc = mdb_env_set_maxdbs(m->env, SW_META_N_DBS + 4);
                if (!rc)
                        rc = mdb_env_set_maxreaders(m->env, 512);
                if (!rc)
                        rc = mdb_env_open(m->env, path,
                                          MDB_NOSYNC | MDB_NOTLS | MDB_NORDAHEAD, 0600);
                if (rc != ENOMEM)
                        break;
                mdb_env_close(m->env);
                m->env = NULL;
        }
        return rc;
}

/* ---- syncing behind
 * -------------------------------------------------------------------------- */

static void
after_ms(struct timespec *t, long ms)
{
        clock_gettime(CLOCK_MONOTONIC, t);
        t->tv_nsec += ms % 1000 * 1000000;
        t->tv_sec += ms / 1000 + t->tv_nsec / 1000000000;
        t->tv_nsec %= 1000000000;
}

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
                after_ms(&until, SYNC_DELAY_MS);
                while (!m->stop &&
                       pthread_cond_timedwait(&m->wake, &m->lock, &until) == 0) {
                }
                if (m->stop)
                        break;
                m->dirty = false;
                pthread_mutex_unlock(&m->lock);
                int rc = mdb_env_sync(m->env, 1);
                if (rc)
                        sw_log_line(m->log, SW_LOG_WARN, "store", "sync the metadata: %s",
                                    mdb_strerror(rc));
                pthread_mutex_lock(&m->lock);
        }
        pthread_mutex_unlock(&m->lock);
        return NULL;
}

void
sw__meta_committed(sw_meta *m)
{
        pthread_mutex_lock(&m->lock);
        m->changed = true;
        if (!m->dirty) {
                m->dirty = true;
                /* Started by the first commit: a build that changes nothing needs none. */
                if (!m->syncing)
                        m->syncing = pthread_create(&m->syncer, NULL, sync_main, m) == 0;
                else
                        pthread_cond_signal(&m->wake);
        }
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

/* ---- open and close
 * -------------------------------------------------------------------------- */

static sw_err *
open_all(sw_meta *m, const char *dir)
{
        if (mkdir(dir, 0700) < 0 && errno != EEXIST)
                return sw_err_sys(errno == EACCES ? SW_E_DENIED : SW_E_IO, errno,
                                  "make it");
        m->dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (m->dirfd < 0)
                return sw_err_sys(errno == EACCES ? SW_E_DENIED : SW_E_IO, errno,
                                  "open it");
        sw_err *err = lock_users(m);
        if (!err)
                err = sw__meta_err(open_env(m), "map data.mdb");
        if (!err) {
                (void) mdb_reader_check(m->env, NULL); /* slots of killed processes */
                err = open_databases(m);
        }
        return err;
}

sw_err *
sw__meta_open(const char *dir, sw_log *log, sw_meta **out)
{
        sw_meta *m = sw_new(sw_meta);
        pthread_condattr_t attr;

        m->dirfd = m->users = -1;
        m->log = log;
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

static sw_err *
write_clean(int dirfd, const sw_buf *state)
{
        sw_auto(sw_fd) fd =
                openat(dirfd, "clean.new",
                       O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

        if (fd < 0 || write(fd, state->data, state->len) != (ssize_t) state->len ||
            renameat(dirfd, "clean.new", dirfd, "clean") < 0)
                return sw_err_sys(SW_E_IO, errno, "write clean");
        return SW_OK;
}

/* Say how the file was left, if nobody else has it open. Not synced: after a power failure
 * the boot differs anyway. */
static void
leave_clean(sw_meta *m)
{
        sw_auto(sw_buf) state = SW_BUF_INIT;

        if (!m->changed || flock(m->users, LOCK_EX | LOCK_NB) < 0)
                return;
        sw_err *err = file_state(m->dirfd, &state);
        if (!err)
                err = write_clean(m->dirfd, &state);
        sw_err_drop(err, "the next process looks for damage, that is all");
}

void
sw__meta_close(sw_meta *m)
{
        if (!m)
                return;
        stop_syncing(m);
        bool sound = false;
        if (m->env) {
                sound = !m->dirty || mdb_env_sync(m->env, 1) == 0;
                mdb_env_close(m->env);
        }
        if (sound)
                leave_clean(m);
        sw_fd_clear(&m->users);
        sw_fd_clear(&m->dirfd);
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
