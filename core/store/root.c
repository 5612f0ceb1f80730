/*
 * core/store/root.c - open and close a root: directories, version, metadata, leases.
 *
 * Power failure. Commits of metadata do not wait for the disk, nor do the files of layers.
 * The janitor syncs the file system behind them and then stores, under "synced", the boot
 * and the number of the last transaction that was covered (sync.c). Who opens the root
 * after another boot drops what was finished after that: refs whose files may be damaged;
 * and those whose layers are gone (missing.c). Within one boot nothing is ever lost,
 * whoever is killed.
 *
 * So what a start of the machine takes is what was stored in the last minute of storing, or
 * two: at most one minute before the mark is renewed by a process that lives so long, and
 * one by the process that begins then. It may be long ago that this was.
 */
#include "core/store/root.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include <slipway/path.h>
#include <slipway/text.h>
#include <slipway/time.h>

#include "core/store/blobhold.h"
#include "core/store/content_priv.h"
#include "core/store/unpack.h"

enum { ROOT_SCHEMA = 1 };

/* The kernel writes within half a minute by itself. */
#define SYNC_INTERVAL (60 * SW_NS_PER_SEC)

struct sw_root {
        int fd; /* of <root>, for reading */
        char *path;
        sw_log *log;
        sw_meta *meta;
        sw_content *content;
        sw_worker worker;
        bool worker_ready;
};

/* ---- directories ---- */

static sw_err *
absolute(const char *path, char **out)
{
        char cwd[PATH_MAX];

        if (*path == '/') {
                *out = sw_path_clean(path);
                return SW_OK;
        }
        if (!getcwd(cwd, sizeof(cwd)))
                return sw_err_sys(SW_E_IO, errno, "working directory");
        *out = sw_path_join(cwd, path);
        return SW_OK;
}

static sw_err *
open_dirs(sw_root *r, const char *path, bool read_only)
{
        sw_auto(sw_fd) slash = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        sw_err *err =
                slash < 0 ? sw_err_sys(SW_E_IO, errno, "open /") : absolute(path, &r->path);

        if (!err && read_only)
                err = sw_path_open(slash, r->path, O_RDONLY | O_DIRECTORY, 0, &r->fd);
        else if (!err)
                err = sw_path_mkdirs(slash, r->path, 0711, &r->fd);
        return err;
}

/* ---- VERSION ---- */

static sw_err *
read_version(sw_root *r, bool *missing)
{
        sw_auto(sw_buf) text = SW_BUF_INIT;
        int64_t version = 0;
        sw_err *err = sw_buf_read_file(&text, r->fd, "VERSION", 64);

        *missing = sw_err_code(err) == SW_E_NOT_FOUND;
        if (*missing) {
                sw_err_drop(err, "a new root");
                return SW_OK;
        }
        if (err)
                return err;
        while (text.len && text.data[text.len - 1] == '\n')
                sw_buf_truncate(&text, text.len - 1);
        err = sw_parse_int(text.data, 0, INT32_MAX, &version);
        if (err)
                return sw_err_wrap(err,
                                   "VERSION (remove the file if the rest is in order)");
        if (version > ROOT_SCHEMA)
                return sw_err_new(SW_E_UNSUPPORTED,
                                  "it was made by a newer slipway (version %d, this one "
                                  "knows %d): use that, or another --root",
                                  (int) version, ROOT_SCHEMA);
        return SW_OK;
}

static sw_err *
check_version(sw_root *r, bool read_only)
{
        sw_auto(sw_str) now = sw_asprintf("%d\n", ROOT_SCHEMA);
        bool missing;
        sw_err *err = read_version(r, &missing);

        if (err || !missing || read_only)
                return err;
        return sw_path_write_file(r->fd, "VERSION", now, strlen(now), 0644);
}

/* ---- what a power failure may have damaged ---- */

static sw_err *
read_boot_id(char **out)
{
        sw_auto(sw_buf) text = SW_BUF_INIT;
        sw_err *err =
                sw_buf_read_file(&text, AT_FDCWD, "/proc/sys/kernel/random/boot_id", 256);

        if (err)
                return err;
        text.data[strcspn(text.data, " \n")] = '\0';
        *out = sw_strdup(text.data);
        return SW_OK;
}

struct suspects {
        uint64_t sequence;
        sw_strlist ids;
        sw_strlist unpacked; /* only their files are */
};

static bool
suspect(void *arg, const char *id, sw__rec *rec)
{
        struct suspects *s = arg;

        if (rec->sequence > s->sequence || rec->state == SW__REC_ACTIVE)
                sw_strlist_add(&s->ids, id);
        else if (rec->unpacked > s->sequence)
                sw_strlist_add(&s->unpacked, id);
        return true;
}

/* They are dropped whole: what was made on top of one is younger, and goes with it. Files
 * of a layer that was lazy may be younger than what is on top: they can be had again. */
static sw_err *
drop_suspects(sw__tx *tx, const char *boot, uint64_t sequence, size_t *n)
{
        struct suspects s = { .sequence = sequence };
        sw_auto(sw_str) mark = sw__sync_text(boot, mdb_txn_id(tx->txn));
        sw_err *err = sw__rec_each(tx, suspect, &s);

        for (size_t i = 0; i < s.ids.n && !err; i++) {
                sw_autoptr(sw__rec) rec = NULL;

                err = sw__rec_get(tx, s.ids.v[i], &rec);
                if (!err && rec)
                        err = sw__rec_remove(tx, s.ids.v[i], rec);
        }
        for (size_t i = 0; i < s.unpacked.n && !err; i++) {
                sw_autoptr(sw__rec) rec = NULL;

                err = sw__rec_get(tx, s.unpacked.v[i], &rec);
                if (!err && rec)
                        err = sw__rec_make_lazy(tx, s.unpacked.v[i], rec);
        }
        *n = s.ids.n;
        sw_strlist_release(&s.ids);
        sw_strlist_release(&s.unpacked);
        if (!err)
                err = sw__text_put(tx, SW_META_STORE, "unchecked", "");
        return err ? err : sw__text_put(tx, SW_META_STORE, "synced", mark);
}

/* ---- what the metadata says of the root ---- */

static sw_err *
settle_in(sw_root *r, sw__tx *tx, const char *boot, size_t *dropped)
{
        sw_auto(sw_str) mark = NULL, id = NULL;
        uint64_t sequence;
        int64_t time;
        sw_err *err = sw__text_get(tx, SW_META_STORE, "worker", &id);

        if (!err)
                err = sw__text_get(tx, SW_META_STORE, "synced", &mark);
        if (!err && (!id || !sw__id_ok(id) || strlen(id) > SW_ID_LEN))
                err = sw__text_put(tx, SW_META_STORE, "worker", sw_id_new(r->worker.id));
        else if (!err)
                snprintf(r->worker.id, sizeof(r->worker.id), "%s", id);
        if (!err && !sw__sync_parse(mark, boot, &sequence, &time)) {
                err = drop_suspects(tx, boot, sequence, dropped);
                atomic_store(&r->worker.unchecked, true);
        }
        return err ? err : sw__tx_commit(tx, true);
}

/* What processes before this one left is synced with the first ref that this one stores: a
 * build that is cached does not wait for the disk. By then it is old enough to have been
 * written by itself, and there is little to wait for. */
static void
plan_sync(sw_root *r, sw__tx *tx, uint64_t sequence, int64_t time)
{
        const int64_t now = sw_time_now();

        /* a transaction that reads has the number of the last one */
        r->worker.overdue = mdb_txn_id(tx->txn) > sequence + 1 &&
                            (time > now || now - time > SYNC_INTERVAL);
}

/* Whether nothing has to be written: the worker's id is there, and the boot is the same. */
static sw_err *
is_settled(sw_root *r, const char *boot, bool *out)
{
        sw_auto(sw__tx) tx = { 0 };
        sw_auto(sw_str) mark = NULL, id = NULL, unchecked = NULL;
        uint64_t sequence;
        int64_t time;
        sw_err *err = sw__tx_begin(r->meta, false, &tx);

        if (!err)
                err = sw__text_get(&tx, SW_META_STORE, "worker", &id);
        if (!err)
                err = sw__text_get(&tx, SW_META_STORE, "synced", &mark);
        if (!err)
                err = sw__text_get(&tx, SW_META_STORE, "unchecked", &unchecked);
        atomic_store(&r->worker.unchecked, unchecked != NULL);
        *out = !err && id && sw__id_ok(id) && strlen(id) <= SW_ID_LEN &&
               sw__sync_parse(mark, boot, &sequence, &time);
        if (*out) {
                snprintf(r->worker.id, sizeof(r->worker.id), "%s", id);
                plan_sync(r, &tx, sequence, time);
        }
        return err;
}

static sw_err *
settle(sw_root *r, const char *other_boot, bool read_only)
{
        sw_auto(sw__tx) tx = { 0 };
        bool settled = false;
        size_t dropped = 0;
        sw_err *err = SW_OK;

        if (other_boot)
                r->worker.boot = sw_strdup(other_boot);
        else
                err = read_boot_id(&r->worker.boot);
        if (!err)
                err = is_settled(r, r->worker.boot, &settled);
        if (err || settled || read_only)
                return err;
        err = sw__tx_begin(r->meta, true, &tx);
        if (!err)
                err = settle_in(r, &tx, r->worker.boot, &dropped);
        if (!err && dropped)
                sw_log_line(r->log, SW_LOG_INFO, "store",
                            "the machine was started again: %zu trees that were made just "
                            "before are dropped",
                            dropped);
        return err;
}

/* ---- open and close ---- */

static sw_err *
open_worker(sw_root *r, const struct sw_root_opts *opts)
{
        sw_worker *w = &r->worker;
        struct sw__snapshots_opts snaps = {
                .rootfd = r->fd,
                .meta = r->meta,
                .host = opts->host,
                .wanted = opts->snapshotter,
                .log = opts->log,
        };

        w->rootfd = r->fd;
        w->meta = r->meta;
        w->content = r->content;
        w->host = opts->host;
        w->log = opts->log;
        w->read_only = opts->read_only;
        r->content->hold = opts->read_only ? NULL : sw__blob_hold;
        r->content->hold_arg = w;
        w->leases_fd = -1;
        sw__held_init(w);
        w->snaps = sw__snapshots_new(&snaps);
        r->worker_ready = true;
        if (opts->read_only) /* which takes no lease; the root may be in the making */
                return SW_OK;
        sw_err *err = sw_path_mkdirs(r->fd, "leases", 0700, &w->leases_fd);
        if (!err)
                err = sw__lease_sweep(r->meta, w->leases_fd, NULL, false);
        if (!err)
                err = sw__reap_later(w);
        return err;
}

static sw_err *
open_parts(sw_root *r, const struct sw_root_opts *opts)
{
        sw_err *err = open_dirs(r, opts->path, opts->read_only);

        if (!err)
                err = check_version(r, opts->read_only);
        if (err)
                return err;
        sw_auto(sw_str) meta = sw_path_join(r->path, "meta");
        err = sw__meta_open(meta, opts->log, &r->meta);
        if (!err)
                err = settle(r, opts->boot, opts->read_only);
        if (!err)
                err = sw__content_open(r->fd, opts->log, opts->read_only, &r->content);
        if (!err)
                err = open_worker(r, opts);
        return err;
}

/* What to do about it, where that is not said yet. */
static const char *
remedy(const sw_err *err)
{
        switch (sw_err_errno(err)) {
        case EROFS:
                return "is on a file system that is read-only: choose another with --root";
        case EACCES:
        case EPERM: return "is not open to this user: choose another with --root";
        case ENOTDIR:
        case EEXIST: return "is no directory: choose another with --root";
        case ENOSPC:
        case EDQUOT:
                return "is on a disk that is full: make room, or choose another with "
                       "--root";
        case ENAMETOOLONG: return "has too long a name: choose another with --root";
        }
        return NULL;
}

sw_err *
sw__root_open(const struct sw_root_opts *opts, sw_root **out)
{
        sw_root *r = sw_new(sw_root);

        r->fd = -1;
        r->log = opts->log;
        sw_err *err = open_parts(r, opts);
        if (err) {
                const char *hint = remedy(err);

                sw__root_close(r);
                return sw_err_wrap(err, "root %s%s%s", opts->path, hint ? " " : "",
                                   hint ? hint : "");
        }
        *out = r;
        return SW_OK;
}

void
sw__root_close(sw_root *r)
{
        if (!r)
                return;
        if (r->worker_ready) {
                sw__held_drop_all(&r->worker);
                sw__snapshots_close(r->worker.snaps);
                sw__held_release(&r->worker);
                sw_fd_clear(&r->worker.leases_fd);
        }
        sw__content_close(r->content);
        sw__meta_close(r->meta);
        sw_fd_clear(&r->fd);
        free(r->worker.boot);
        free(r->path);
        free(r);
}

void
sw__root_use_snapshotter(sw_root *r, const char *name, const struct sw_snapshotter_ops *ops,
                         void *self)
{
        sw__snapshots_use(r->worker.snaps, name, ops, self);
}

void
sw__root_use_source(sw_root *r, const struct sw_source_ops *ops, void *self)
{
        r->worker.source = ops;
        r->worker.source_self = self;
}

int
sw__root_fd(const sw_root *r)
{
        return r->fd;
}

sw_meta *
sw__root_meta(sw_root *r)
{
        return r->meta;
}

sw_worker *
sw__root_worker(sw_root *r)
{
        return &r->worker;
}

const char *
sw__root_worker_id(sw_root *r)
{
        return r->worker.id;
}
