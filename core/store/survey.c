/*
 * core/store/survey.c - everything that takes up disk space below a root. See survey.h.
 *
 * Records and who holds them are read in one transaction; sizes are measured after it.
 * What changed since is found out by whoever acts on it.
 */
#include "core/store/survey.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <slipway/time.h>

#include "core/store/prune_priv.h"
#include "core/store/survey_blobs.h"

/* ---- files ---- */

/* The inode was counted already. */
static bool
seen(sw_map *links, const struct stat *st)
{
        const uint64_t key[2] = { st->st_dev, st->st_ino };

        return !S_ISDIR(st->st_mode) && st->st_nlink > 1 &&
               !sw_map_set_bytes(links, key, sizeof(key), links);
}

/* What du(1) says of @path below @dirfd; the newest mtime. A missing one is 0. */
static sw_err *
disk_used(int dirfd, const char *path, sw_ctx *ctx, int64_t *bytes, int64_t *newest)
{
        sw_auto(sw_str) top = sw_asprintf("/proc/self/fd/%d/%s", dirfd, path);
        char *tops[] = { top, NULL };
        FTS *fts = fts_open(tops, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, NULL);
        sw_map *links = sw_map_new(NULL);
        sw_err *err = SW_OK;
        FTSENT *e;

        *bytes = *newest = 0;
        if (!fts)
                err = sw_err_sys(SW_E_IO, errno, "list %s", path);
        while (!err && (e = fts_read(fts))) {
                err = sw_ctx_check(ctx);
                /* what cannot be looked at has just gone, or is counted as nothing */
                if (e->fts_info == FTS_DP || e->fts_info == FTS_NS ||
                    e->fts_info == FTS_ERR || seen(links, e->fts_statp))
                        continue;
                *bytes += (int64_t) e->fts_statp->st_blocks * 512;
                if (sw_time_from_spec(&e->fts_statp->st_mtim) > *newest)
                        *newest = sw_time_from_spec(&e->fts_statp->st_mtim);
        }
        if (fts)
                (void) fts_close(fts);
        sw_map_free(links);
        return err;
}

/* ---- records ---- */

static bool
add_record(void *arg, const char *id, sw__rec *r)
{
        struct sw__survey *s = arg;
        struct sw__item it = {
                .id = sw_strdup(id),
                .size = r->measured ? r->size : -1,
                .stamp = r->size_stamp,
                .last_used = r->last_used_at,
                .created = r->created_at,
        };

        /* a copy of what matters: the record is the walk's */
        it.rec = sw_new(sw__rec);
        slipway__store__v1__ref__init(it.rec);
        it.rec->state = r->state;
        it.rec->kind = r->kind;
        it.rec->is_mutable = r->is_mutable;
        it.rec->usage_count = r->usage_count;
        it.rec->description = sw_strdup(r->description);
        it.rec->type = sw_strdup(r->type);
        it.rec->n_parents = r->n_parents;
        it.rec->parents = sw_alloc_array(r->n_parents + 1, sizeof(*r->parents));
        for (size_t i = 0; i < r->n_parents; i++)
                it.rec->parents[i] = sw_strdup(r->parents[i]);
        sw__survey_blobs_of(s, s->items.n, r, &it.blobs);
        sw_array_push(&s->items, it);
        (void) sw_map_set(s->by_id, id, (void *) (uintptr_t) s->items.n);
        return true;
}

static struct sw__item *
find(const struct sw__survey *s, const char *id)
{
        const uintptr_t at = (uintptr_t) sw_map_get(s->by_id, id);

        return at ? &s->items.v[at - 1] : NULL;
}

static void
join_parents(struct sw__survey *s)
{
        for (size_t i = 0; i < s->items.n; i++) {
                struct sw__item *it = &s->items.v[i];

                it->parents = sw_alloc_array(it->rec->n_parents + 1, sizeof(size_t));
                for (size_t k = 0; k < it->rec->n_parents; k++) {
                        struct sw__item *p = find(s, it->rec->parents[k]);

                        if (!p)
                                continue;
                        p->children++;
                        it->parents[it->n_parents++] = (size_t) (p - s->items.v);
                }
        }
}

/* What is held is in use, and what it was made on; the same of what images keep. */
static void
spread_use(struct sw__survey *s)
{
        SW_ARRAY(size_t) todo = { 0 };

        for (size_t i = 0; i < s->items.n; i++) {
                s->items.v[i].shared = s->items.v[i].kept;
                if (s->items.v[i].held || s->items.v[i].kept)
                        sw_array_push(&todo, i);
        }
        while (todo.n) {
                struct sw__item *it = &s->items.v[todo.v[--todo.n]];
                bool news = !it->in_use;

                it->in_use = true;
                for (size_t k = 0; k < it->n_parents; k++) {
                        struct sw__item *p = &s->items.v[it->parents[k]];

                        news |= it->shared && !p->shared;
                        p->shared |= it->shared;
                }
                if (!news)
                        continue;
                for (size_t k = 0; k < it->n_parents; k++)
                        sw_array_push(&todo, it->parents[k]);
        }
        sw_array_release(&todo);
}

static sw_err *
read_records(sw_worker *w, struct sw__survey *s)
{
        sw_auto(sw__tx) tx = { 0 };
        sw_auto(sw_strlist) refs = { 0 }, leases = { 0 }, kept = { 0 }, images = { 0 };
        sw_err *err = sw__tx_begin(w->meta, false, &tx);

        if (!err)
                err = sw__rec_each(&tx, add_record, s);
        if (!err)
                err = sw__pair_list(&tx, SW_META_HOLDERS, NULL, &refs, &leases);
        for (size_t i = 0; i < refs.n; i++) {
                struct sw__item *it = find(s, refs.v[i]);

                if (it)
                        it->held = true;
        }
        if (!err)
                err = sw__pair_list(&tx, SW_META_KEPT, NULL, &kept, &images);
        for (size_t i = 0; i < kept.n; i++) {
                struct sw__item *it = find(s, kept.v[i]);

                if (it)
                        it->kept = true;
        }
        return err;
}

/* ---- sizes ---- */

static sw_err *
measure_one(sw_worker *w, sw_ctx *ctx, struct sw__item *it)
{
        struct sw_snapshot_usage u;

        it->size = 0;
        it->stamp = 0;
        if (it->rec->kind != SW__REC_LAYER)
                return SW_OK;
        sw_err *err = sw__snapshots_usage(w->snaps, ctx, it->id, &u);
        if (!err) {
                it->size = u.bytes;
                it->stamp = u.stamp;
        }
        if (sw_err_code(err) != SW_E_NOT_FOUND)
                return err;
        sw_err_drop(err, "it was just begun, or has just gone");
        return SW_OK;
}

/* Sizes of what does not change are worth remembering. */
static sw_err *
remember(sw_worker *w, const struct sw__survey *s, const size_t *which, size_t n)
{
        sw_auto(sw__tx) tx = { 0 };
        sw_err *err = sw__tx_begin(w->meta, true, &tx);

        for (size_t i = 0; i < n && !err; i++) {
                const struct sw__item *it = &s->items.v[which[i]];
                sw_autoptr(sw__rec) r = NULL;

                err = sw__rec_get(&tx, it->id, &r);
                if (err || !r || r->state == SW__REC_ACTIVE ||
                    r->last_used_at != it->last_used)
                        continue; /* it was written on meanwhile */
                r->size = it->size;
                r->size_stamp = it->stamp;
                r->measured = true;
                err = sw__rec_put(&tx, it->id, r);
        }
        return err ? err : sw__tx_commit(&tx, false);
}

/* Forget a size that is that no more: a layer has gone which had files counted. */
static sw_err *
check_size(sw_worker *w, sw_ctx *ctx, struct sw__item *it)
{
        uint64_t stamp;

        if (it->size < 0 || !it->stamp)
                return SW_OK;
        sw_err *err = sw__snapshots_stamp(w->snaps, ctx, it->id, &stamp);
        if (!err && stamp != it->stamp)
                it->size = -1;
        return err;
}

static sw_err *
measure(sw_worker *w, sw_ctx *ctx, struct sw__survey *s)
{
        SW_ARRAY(size_t) fresh = { 0 };
        sw_err *err = SW_OK;

        for (size_t i = 0; i < s->items.n && !err; i++) {
                struct sw__item *it = &s->items.v[i];

                err = check_size(w, ctx, it);
                if (err || it->size >= 0)
                        continue;
                err = sw_ctx_check(ctx);
                if (!err)
                        err = measure_one(w, ctx, it);
                if (!err && it->rec->state != SW__REC_ACTIVE &&
                    it->rec->state != SW__REC_LAZY)
                        sw_array_push(&fresh, i);
        }
        /* A full disk must not stop those who make room. */
        if (!err && fresh.n)
                sw_err_drop(remember(w, s, fresh.v, fresh.n), "measured again next time");
        sw_array_release(&fresh);
        return err;
}

/* ---- parts ---- */

static sw_err *
add_part(sw_worker *w, sw_ctx *ctx, struct sw__survey *s, const char *id, const char *path)
{
        struct sw__item it = { 0 };
        int64_t newest;
        sw_err *err = disk_used(w->rootfd, path, ctx, &it.size, &newest);

        if (strcmp(path, "content") == 0) /* but for those that layers have */
                it.size -= sw__survey_blob_total(s);
        if (err || it.size <= 0)
                return err;
        it.id = sw_strdup(id);
        it.path = sw_strdup(path);
        it.last_used = it.created = newest;
        sw_array_push(&s->items, it);
        return SW_OK;
}

/* Names in a directory; a missing one has none. */
static void
list_names(int dirfd, const char *path, sw_strlist *out)
{
        sw_auto(sw_fd) fd =
                openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        DIR *d = fd < 0 ? NULL : fdopendir(fd);
        struct dirent *e;

        if (!d)
                return;
        fd = -1; /* the stream's now */
        while ((e = readdir(d)))
                if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
                        sw_strlist_add(out, e->d_name);
        (void) closedir(d);
        sw_strlist_sort(out);
}

static sw_err *
add_state(sw_worker *w, sw_ctx *ctx, struct sw__survey *s)
{
        sw_auto(sw_strlist) kinds = { 0 };
        sw_err *err = SW_OK;

        list_names(w->rootfd, "state", &kinds);
        for (size_t i = 0; i < kinds.n && !err; i++) {
                sw_auto(sw_str) dir = sw_asprintf("state/%s", kinds.v[i]);
                sw_auto(sw_strlist) names = { 0 };

                list_names(w->rootfd, dir, &names);
                for (size_t k = 0; k < names.n && !err; k++) {
                        sw_auto(sw_str) path = sw_asprintf("%s/%s", dir, names.v[k]);
                        sw_auto(sw_str) id =
                                sw_asprintf("state.%s.%s", kinds.v[i], names.v[k]);

                        err = add_part(w, ctx, s, id, path);
                }
        }
        return err;
}

/* Blocks of the file itself. */
static int64_t
own_blocks(int dirfd, const char *path)
{
        struct stat st;

        return fstatat(dirfd, path, &st, AT_SYMLINK_NOFOLLOW) == 0
                       ? (int64_t) st.st_blocks * 512
                       : 0;
}

/* Directories that parts and stores of layers are in. */
static int64_t
frame_size(int rootfd)
{
        sw_auto(sw_strlist) kinds = { 0 };
        int64_t sum = own_blocks(rootfd, ".") + own_blocks(rootfd, "snapshots") +
                      own_blocks(rootfd, "state");

        list_names(rootfd, "state", &kinds);
        for (size_t i = 0; i < kinds.n; i++) {
                sw_auto(sw_str) path = sw_asprintf("state/%s", kinds.v[i]);

                sum += own_blocks(rootfd, path);
        }
        return sum;
}

struct unknown {
        sw_worker *w;
        sw_ctx *ctx;
        const struct sw__survey *s;
        int64_t bytes;
        sw_err *err;
};

static bool
add_unknown(void *arg, const char *key, bool committed)
{
        struct unknown *u = arg;
        const struct sw__item *it = find(u->s, key);
        struct sw_snapshot_usage usage = { 0 };

        (void) committed;
        if (it && it->rec && it->rec->kind == SW__REC_LAYER)
                return true;
        sw_err *err = sw__snapshots_usage(u->w->snaps, u->ctx, key, &usage);
        if (sw_err_code(err) == SW_E_NOT_FOUND)
                sw_err_drop(err, "it has just gone");
        else
                u->err = err;
        u->bytes += usage.bytes;
        return !u->err;
}

/* What the snapshotter has that is no layer of a record. */
static sw_err *
measure_rest(sw_worker *w, sw_ctx *ctx, const struct sw__survey *s, int64_t *bytes)
{
        struct unknown u = { .w = w, .ctx = ctx, .s = s };
        struct sw_snapshot_usage rest = { 0 };
        bool any = false;
        sw_err *err = sw__snapshots_any(w->snaps, &any);

        *bytes = 0;
        if (err || !any)
                return err;
        err = sw__snapshots_list(w->snaps, ctx, add_unknown, &u);
        if (!err)
                err = u.err;
        else
                sw_err_drop(u.err, "the first one is told");
        if (!err)
                err = sw__snapshots_usage(w->snaps, ctx, "", &rest);
        *bytes = u.bytes + rest.bytes;
        return err;
}

/* All that is neither a layer nor a part of its own. */
static sw_err *
add_meta(sw_worker *w, sw_ctx *ctx, struct sw__survey *s)
{
        static const char *const others[] = { "content", "hashes", "logs", "snapshots",
                                              "state" };
        sw_auto(sw_strlist) names = { 0 };
        struct sw__item it = { 0 };
        sw_err *err = measure_rest(w, ctx, s, &it.size);

        it.size += frame_size(w->rootfd);
        list_names(w->rootfd, ".", &names);
        for (size_t i = 0; i < names.n && !err; i++) {
                bool other = false;
                int64_t bytes, newest;

                for (size_t k = 0; k < SW_COUNT(others); k++)
                        other |= strcmp(names.v[i], others[k]) == 0;
                if (other)
                        continue;
                err = disk_used(w->rootfd, names.v[i], ctx, &bytes, &newest);
                it.size += err ? 0 : bytes;
                if (!err && newest > it.last_used)
                        it.last_used = newest;
        }
        if (err)
                return err;
        it.id = sw_strdup("meta");
        it.in_use = it.held = true;
        it.created = it.last_used;
        sw_array_push(&s->items, it);
        return SW_OK;
}

static sw_err *
add_parts(sw_worker *w, sw_ctx *ctx, struct sw__survey *s)
{
        static const char *const parts[] = { "content", "hashes", "logs" };
        sw_err *err = SW_OK;

        for (size_t i = 0; i < SW_COUNT(parts) && !err; i++)
                err = add_part(w, ctx, s, parts[i], parts[i]);
        if (!err)
                err = add_state(w, ctx, s);
        return err ? err : add_meta(w, ctx, s);
}

/* ---- all ---- */

sw_err *
sw__survey_make(sw_worker *w, sw_ctx *ctx, bool parts, struct sw__survey *out)
{
        struct sw__survey s = { .by_id = sw_map_new(NULL),
                                .blobs = sw_map_new(sw__survey_blob_free) };
        sw_err *err = read_records(w, &s);

        if (!err) {
                join_parents(&s);
                spread_use(&s);
                err = measure(w, ctx, &s);
        }
        if (!err)
                sw__survey_measure_blobs(w, &s);
        if (!err && parts)
                err = add_parts(w, ctx, &s);
        if (err) {
                sw__survey_release(&s);
                return err;
        }
        for (size_t i = 0; i < s.items.n; i++)
                s.total += s.items.v[i].shared ? 0 : s.items.v[i].size;
        *out = s;
        return SW_OK;
}

void
sw__survey_release(struct sw__survey *s)
{
        for (size_t i = 0; i < s->items.n; i++) {
                struct sw__item *it = &s->items.v[i];

                free(it->id);
                free(it->path);
                free(it->parents);
                sw_strlist_release(&it->blobs);
                if (it->rec)
                        sw__rec_free(it->rec);
        }
        sw_array_release(&s->items);
        sw_map_free(s->by_id);
        sw_map_free(s->blobs);
}

sw_err *
sw__survey_total(sw_worker *w, sw_ctx *ctx, int64_t *total)
{
        struct sw__survey s;
        sw_err *err = sw__survey_make(w, ctx, true, &s);

        if (err)
                return err;
        *total = s.total;
        sw__survey_release(&s);
        return SW_OK;
}

static void
tell_part(const struct sw__item *it, struct sw_usage *out)
{
        out->type = "internal";
        out->is_mutable = true;
        out->description = !it->path                          ? "metadata of the store"
                           : strcmp(it->path, "content") == 0 ? "blobs"
                           : strcmp(it->path, "hashes") == 0  ? "content hashes"
                           : strcmp(it->path, "logs") == 0    ? "logs of steps"
                                                              : "state of a plugin";
}

void
sw__survey_tell(const struct sw__survey *s, size_t i, sw_strlist *parents,
                struct sw_usage *out)
{
        const struct sw__item *it = &s->items.v[i];

        *out = (struct sw_usage){ .parents = parents,
                                  .in_use = it->in_use,
                                  .shared = it->shared,
                                  .size = it->size,
                                  .created = it->created,
                                  .last_used = it->last_used };
        snprintf(out->id, sizeof(out->id), "%s", it->id);
        if (!it->rec) {
                tell_part(it, out);
                return;
        }
        out->is_mutable = it->rec->is_mutable || it->rec->state == SW__REC_ACTIVE;
        out->usage_count = it->rec->usage_count;
        out->description = it->rec->description;
        out->type = *it->rec->type ? it->rec->type : "regular";
        for (size_t k = 0; k < it->rec->n_parents; k++)
                sw_strlist_add(parents, it->rec->parents[k]);
}
