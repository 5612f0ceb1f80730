/*
 * core/store/prune.c - remove what is not used, within limits.
 *
 *      survey -> candidates -> remove some -> their parents become candidates -> ...
 *
 * What is chosen from is a survey, which others may have overtaken: each record is looked
 * at again in the transaction that removes it, and only goes when nobody holds it, nothing
 * is made on it and it was not used since. Its layer goes after that; see reap.c.
 *
 * With limits, the least and longest unused go first, one at a time, until the limits are
 * kept; without, everything that matches.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

#include <slipway/path.h>
#include <slipway/time.h>

#include "core/store/blobhold.h"
#include "core/store/images.h"
#include "core/store/prune_priv.h"
#include "core/store/survey.h"

/* Records removed in one transaction. */
enum { BATCH = 10 };

struct pruning {
        sw_worker *w;
        sw_ctx *ctx;
        const struct sw_prune_opts *opts;
        sw_usage_fn *fn;
        void *arg;
        struct sw__survey s;
        bool *gone; /* per item: removed, or turned out to be in use */
        bool limited;
        int64_t keep, cutoff;
        bool stop;    /* by fn */
        bool removed; /* something, since the survey */
};

/* ---- limits ---- */

sw_err *
sw__disk_stat(int rootfd, struct sw__disk *out)
{
        struct statvfs v;

        if (fstatvfs(rootfd, &v) < 0)
                return sw_err_sys(SW_E_IO, errno, "size of the disk");
        out->total = (int64_t) v.f_blocks * (int64_t) v.f_frsize;
        out->free = (int64_t) v.f_bavail * (int64_t) v.f_frsize;
        return SW_OK;
}

int64_t
sw__prune_keep(const struct sw_prune_opts *o, int64_t total, int64_t disk_free)
{
        int64_t keep = o->max_used_space > 0 ? o->max_used_space : INT64_MAX;

        if (o->min_free_space > disk_free && keep > total - (o->min_free_space - disk_free))
                keep = total - (o->min_free_space - disk_free);
        if (keep == INT64_MAX) /* no cap: kept as it is, or down to what is reserved */
                keep = o->min_free_space > 0 ? total : o->reserved_space;
        return keep > o->reserved_space ? keep : o->reserved_space;
}

static sw_err *
set_limits(struct pruning *p)
{
        const struct sw_prune_opts *o = p->opts;
        struct sw__disk disk = { 0 };

        p->limited =
                o->max_used_space > 0 || o->min_free_space > 0 || o->reserved_space > 0;
        p->cutoff = o->keep_duration > 0 ? sw_time_now() - o->keep_duration : INT64_MAX;
        if (!p->limited)
                return SW_OK;
        sw_err *err = sw__disk_stat(p->w->rootfd, &disk);
        if (!err)
                p->keep = sw__prune_keep(o, p->s.total, disk.free);
        return err;
}

/* ---- choosing ---- */

static bool
is_candidate(struct pruning *p, size_t i)
{
        const struct sw__item *it = &p->s.items.v[i];
        sw_auto(sw_strlist) parents = { 0 };
        struct sw_usage u;

        if (p->gone[i] || it->held || it->kept || it->children ||
            (it->rec && it->rec->state == SW__REC_ACTIVE) || it->last_used > p->cutoff)
                return false;
        sw__survey_tell(&p->s, i, &parents, &u);
        if (!p->opts->all && (strcmp(u.type, "internal") == 0 ||
                              strcmp(u.type, "frontend") == 0 || u.shared))
                return false;
        return sw__filter_match(p->opts->filter, &u);
}

struct candidate {
        size_t at; /* of the item */
        int64_t last_used, count;
        double score;
};

static int
by_time(const void *a, const void *b)
{
        const struct candidate *x = a, *y = b;

        return (x->last_used > y->last_used) - (x->last_used < y->last_used);
}

static int
by_count(const void *a, const void *b)
{
        const struct candidate *x = a, *y = b;

        return (x->count > y->count) - (x->count < y->count);
}

static int
by_score(const void *a, const void *b)
{
        const struct candidate *x = a, *y = b;

        if (x->score != y->score)
                return x->score > y->score ? 1 : -1;
        return x->last_used != y->last_used ? by_time(a, b)
                                            : (x->at > y->at) - (x->at < y->at);
}

/* Add to each score its rank, 0 to 1, in the order of @cmp; equals rank equal. */
static void
add_ranks(struct candidate *c, size_t n, int (*cmp)(const void *, const void *))
{
        size_t max = 0, rank = 0;

        qsort(c, n, sizeof(*c), cmp);
        for (size_t i = 1; i < n; i++)
                max += cmp(&c[i - 1], &c[i]) != 0;
        for (size_t i = 0; i < n && max; i++) {
                rank += i && cmp(&c[i - 1], &c[i]) != 0;
                c[i].score += (double) rank / (double) max;
        }
}

typedef SW_ARRAY(struct candidate) candidates;

static void
choose(struct pruning *p, candidates *out)
{
        for (size_t i = 0; i < p->s.items.n; i++) {
                const struct sw__item *it = &p->s.items.v[i];
                struct candidate c = { i, it->last_used, it->rec ? it->rec->usage_count : 0,
                                       0 };

                if (is_candidate(p, i))
                        sw_array_push(out, c);
        }
        if (out->n == 0)
                return;
        add_ranks(out->v, out->n, by_time);
        add_ranks(out->v, out->n, by_count);
        qsort(out->v, out->n, sizeof(*out->v), by_score);
}

/* ---- removing ---- */

/* Take the record out if it still may go. *removed false: it may not. */
static sw_err *
remove_record(sw__tx *tx, const struct sw__item *it, bool *removed)
{
        sw_autoptr(sw__rec) rec = NULL;
        bool held = false, parent = false, kept = false;
        sw_err *err = sw__rec_get(tx, it->id, &rec);

        *removed = false;
        if (err || !rec || rec->state == SW__REC_ACTIVE ||
            rec->last_used_at != it->last_used)
                return err;
        err = sw__pair_any(tx, SW_META_HOLDERS, it->id, &held);
        if (!err)
                err = sw__pair_any(tx, SW_META_CHILDREN, it->id, &parent);
        if (!err)
                err = sw__pair_any(tx, SW_META_KEPT, it->id, &kept);
        if (err || held || parent || kept)
                return err;
        *removed = true;
        return sw__rec_remove(tx, it->id, rec);
}

static void
tell(struct pruning *p, size_t i)
{
        sw_auto(sw_strlist) parents = { 0 };
        struct sw__item *it = &p->s.items.v[i];
        struct sw_usage u;

        sw__survey_gone(&p->s, i);
        sw__survey_tell(&p->s, i, &parents, &u);
        p->s.total -= it->size;
        if (it->rec && p->opts->released) {
                sw_auto(sw_str) result = sw_asprintf("%s::%s", p->w->id, it->id);

                p->opts->released(p->opts->released_arg, result);
        }
        if (p->fn && !p->stop)
                p->stop = !p->fn(p->arg, &u);
}

/* Layers first: their space is what it is about. */
static sw_err *
finish_batch(struct pruning *p, const size_t *at, const bool *removed, size_t n)
{
        sw_err *first = SW_OK;

        for (size_t i = 0; i < n; i++) {
                const struct sw__item *it = &p->s.items.v[at[i]];

                p->gone[at[i]] = true;
                if (!removed[i])
                        continue;
                p->removed = true;
                sw_err *err = SW_OK;
                if (it->rec->kind == SW__REC_LAYER)
                        err = sw__reap_one(p->w, p->ctx, it->id);
                else
                        sw__forget_notes(p->w, it->id);
                for (size_t k = 0; k < it->blobs.n && !err; k++)
                        err = sw__blob_drop(p->w, it->blobs.v[k], NULL);
                if (first)
                        sw_err_drop(err, "the first one is told");
                else
                        first = err;
                tell(p, at[i]);
        }
        return first;
}

static sw_err *
remove_batch(struct pruning *p, const size_t *at, size_t n)
{
        bool removed[BATCH] = { false };
        sw_auto(sw__tx) tx = { 0 };
        sw_err *err = sw__tx_begin(p->w->meta, true, &tx);

        for (size_t i = 0; i < n && !err; i++)
                err = remove_record(&tx, &p->s.items.v[at[i]], &removed[i]);
        if (!err)
                err = sw__tx_commit(&tx, true);
        return err ? err : finish_batch(p, at, removed, n);
}

/* A part can be emptied only while nobody works with it. Of blobs it is known one by one.
 */
static sw_err *
remove_part(struct pruning *p, size_t i)
{
        const struct sw__item *it = &p->s.items.v[i];
        bool alone = strcmp(it->id, "content") == 0;
        sw_err *err = alone ? SW_OK : sw__alone(p->w, &alone);

        p->gone[i] = true;
        if (err || !alone)
                return err;
        err = sw__part_empty(p->w, p->ctx, it->path, &p->s.items.v[i].size);
        if (!err)
                tell(p, i);
        return err;
}

/* Blobs that nobody names are nothing that anybody could want to choose: they go whenever
 * everything may that was not used since. */
static sw_err *
remove_content(struct pruning *p)
{
        if (p->opts->filter || p->limited || p->stop)
                return SW_OK;
        for (size_t i = 0; i < p->s.items.n; i++) {
                const struct sw__item *it = &p->s.items.v[i];

                if (!it->rec && !p->gone[i] && strcmp(it->id, "content") == 0 &&
                    it->last_used <= p->cutoff)
                        return remove_part(p, i);
        }
        return SW_OK;
}

static bool
enough(const struct pruning *p)
{
        return p->stop || (p->limited && p->s.total <= p->keep);
}

/* Go through the candidates in their order. */
static sw_err *
prune_round(struct pruning *p, const candidates *c)
{
        size_t batch[BATCH], n = 0;
        int64_t left = p->s.total;
        sw_err *err = SW_OK;

        for (size_t i = 0; i < c->n && !err; i++) {
                const size_t at = c->v[i].at;
                const struct sw__item *it = &p->s.items.v[at];

                err = sw_ctx_check(p->ctx);
                if (err || p->stop || (p->limited && left <= p->keep))
                        break;
                left -= it->size;
                if (it->rec)
                        batch[n++] = at;
                else
                        err = remove_part(p, at);
                if (!err && n == BATCH) {
                        err = remove_batch(p, batch, n);
                        left = p->s.total;
                        n = 0;
                }
        }
        if (!err && n && !p->stop)
                err = remove_batch(p, batch, n);
        return err;
}

static bool
any_shared(const struct sw__survey *s)
{
        for (size_t i = 0; i < s->items.n; i++)
                if (s->items.v[i].stamp)
                        return true;
        return false;
}

/* What was counted with a layer that has gone may be another's, too, and there still: then
 * less was won than was said. */
static sw_err *
count_again(struct pruning *p)
{
        if (!p->limited || !p->removed || !any_shared(&p->s))
                return SW_OK;
        sw__survey_release(&p->s);
        p->s = (struct sw__survey){ 0 };
        p->removed = false;
        sw_err *err = sw__survey_make(p->w, p->ctx, true, &p->s);
        free(p->gone);
        p->gone = sw_alloc_array(p->s.items.n + 1, sizeof(*p->gone));
        return err;
}

static sw_err *
prune_all(struct pruning *p)
{
        while (!enough(p)) {
                candidates c = { 0 };

                choose(p, &c);
                const size_t n = c.n;
                sw_err *err = prune_round(p, &c);
                sw_array_release(&c);
                if (!err)
                        err = count_again(p);
                if (err || n == 0)
                        return err;
        }
        return SW_OK;
}

/* What stands in the way of knowing what there is. */
static sw_err *
clear_up(sw_worker *w, sw_ctx *ctx)
{
        sw_err *err = sw__lease_sweep(w->meta, w->leases_fd,
                                      w->lease.fd < 0 ? NULL : w->lease.id, true);

        if (!err)
                err = sw__images_sweep(w);
        if (!err)
                err = sw__reap_unknown(w, ctx);
        return err ? err : sw__reap(w, ctx);
}

sw_err *
sw__worker_prune(sw_worker *w, sw_ctx *ctx, const struct sw_prune_opts *opts,
                 sw_usage_fn *fn, void *arg)
{
        struct pruning p = { .w = w, .ctx = ctx, .opts = opts, .fn = fn, .arg = arg };
        sw_err *err = clear_up(w, ctx);

        if (!err)
                err = sw__survey_make(w, ctx, true, &p.s);
        if (err)
                return sw_err_wrap(err, "prune");
        p.gone = sw_alloc_array(p.s.items.n + 1, sizeof(*p.gone));
        err = set_limits(&p);
        if (!err)
                err = prune_all(&p);
        if (!err)
                err = remove_content(&p);
        free(p.gone);
        sw__survey_release(&p.s);
        return sw_err_wrap(err, "prune");
}
