/*
 * core/store/gc.c - what is pruned by itself, and when.
 *
 * After a build that stored something, at most once a minute, by a list of rules: those of
 * the configuration, or else the reference's four, from what is cheapest to make again to
 * everything. And when a layer is begun on a disk that is nearly full, so that a build
 * fails for want of space only when there is nothing left to remove.
 */
#include <stdio.h>
#include <string.h>

#include <slipway/text.h>
#include <slipway/time.h>

#include "core/store/prune_priv.h"
#include "core/store/worker_priv.h"

#define GB   INT64_C(1000000000)
#define MB   INT64_C(1000000)
#define GIB  (INT64_C(1) << 30)
#define HOUR (3600 * SW_NS_PER_SEC)

/* A disk is nearly full with less than this, or than a fiftieth of it, whichever is less;
 * or with less than a rule wants to be free. */
#define NEARLY_FULL GIB
/* Measuring new layers takes time: not after every build. */
#define GC_INTERVAL (60 * SW_NS_PER_SEC)
/* Looking for something to remove is not worth while more often. */
#define ROOM_INTERVAL (10 * SW_NS_PER_SEC)

/* ---- rules ---- */

struct caps {
        int64_t reserved, max_used, min_free;
};

/* A share of the disk, in whole gigabytes, as the reference rounds it. */
static int64_t
percent(int64_t disk, int pct)
{
        if (disk <= 0)
                return 2 * GB;
        return (disk / 100 * pct / GIB + 1) * GB;
}

static int64_t
at_most(int64_t v, int64_t max)
{
        return v < max ? v : max;
}

/* A size of the configuration, or the default where it says nothing. */
static int64_t
size_or(const sw_config *c, const char *key, int64_t disk, int64_t dflt)
{
        return c && sw_config_has(c, key) ? sw_config_diskspace(c, key, disk) : dflt;
}

static struct caps
default_caps(const sw_config *c, int64_t disk)
{
        const int64_t old = size_or(c, "worker.oci.gckeepstorage", disk,
                                    at_most(percent(disk, 10), 10 * GB));

        return (struct caps){
                .reserved = size_or(c, "worker.oci.reservedSpace", disk, old),
                .max_used = size_or(c, "worker.oci.maxUsedSpace", disk,
                                    at_most(percent(disk, 80), 100 * GB)),
                .min_free = size_or(c, "worker.oci.minFreeSpace", disk, percent(disk, 20)),
        };
}

static struct sw_gc_rule *
add_rule(sw_gc_policy *p, struct caps caps)
{
        struct sw_gc_rule r = { 0 };

        r.opts.reserved_space = caps.reserved;
        r.opts.max_used_space = caps.max_used;
        r.opts.min_free_space = caps.min_free;
        sw_array_push(&p->rules, r);
        return &p->rules.v[p->rules.n - 1];
}

/* Sources, caches and check-outs of two days ago; anything of two months ago; anything;
 * what is internal too. */
static void
add_defaults(sw_gc_policy *p, struct caps caps)
{
        struct sw_gc_rule *r = add_rule(p, (struct caps){ .max_used = 512 * MB });

        sw_strlist_add(&r->filters, "type==source.local");
        sw_strlist_add(&r->filters, "type==exec.cachemount");
        sw_strlist_add(&r->filters, "type==source.git.checkout");
        r->opts.keep_duration = 48 * HOUR;
        add_rule(p, caps)->opts.keep_duration = 60 * 24 * HOUR;
        (void) add_rule(p, caps);
        add_rule(p, caps)->opts.all = true;
}

static void
add_configured(sw_gc_policy *p, const sw_config *c, const char *which, int64_t disk)
{
        struct sw_gc_rule *r = add_rule(p, (struct caps){ 0 });
        const struct {
                const char *name;
                int64_t *to;
        } sizes[] = { { "keepBytes", &r->opts.reserved_space },
                      { "reservedSpace", &r->opts.reserved_space },
                      { "maxUsedSpace", &r->opts.max_used_space },
                      { "minFreeSpace", &r->opts.min_free_space } };

        for (size_t i = 0; i < SW_COUNT(sizes); i++) {
                sw_auto(sw_str) key =
                        sw_asprintf("worker.oci.gcpolicy.%s.%s", which, sizes[i].name);

                *sizes[i].to = size_or(c, key, disk, *sizes[i].to);
        }
        sw_auto(sw_str) all = sw_asprintf("worker.oci.gcpolicy.%s.all", which);
        sw_auto(sw_str) keep = sw_asprintf("worker.oci.gcpolicy.%s.keepDuration", which);
        sw_auto(sw_str) filters = sw_asprintf("worker.oci.gcpolicy.%s.filters", which);
        r->opts.all = sw_config_bool(c, all);
        r->opts.keep_duration = sw_config_has(c, keep) ? sw_config_int(c, keep) : 0;
        const sw_strlist *list = sw_config_list(c, filters);
        for (size_t i = 0; i < list->n; i++)
                sw_strlist_add(&r->filters, list->v[i]);
}

sw_err *
sw__gc_policy(sw_worker *w, const sw_config *config, sw_gc_policy *out)
{
        sw_auto(sw_strlist) names = { 0 };
        struct sw__disk disk = { 0 };
        sw_gc_policy p = { 0 };
        sw_err *err = sw__disk_stat(w->rootfd, &disk);

        if (err)
                return err;
        if (config)
                sw_config_names(config, "worker.oci.gcpolicy", &names);
        if (config && !sw_config_bool(config, "worker.oci.gc"))
                ; /* nothing goes by itself */
        else if (names.n == 0)
                add_defaults(&p, default_caps(config, disk.total));
        else
                for (size_t i = 0; i < names.n; i++)
                        add_configured(&p, config, names.v[i], disk.total);
        *out = p;
        return SW_OK;
}

void
sw__gc_policy_release(sw_gc_policy *p)
{
        for (size_t i = 0; i < p->rules.n; i++)
                sw_strlist_release(&p->rules.v[i].filters);
        sw_array_release(&p->rules);
}

/* ---- doing it ---- */

static sw_err *
apply(sw_worker *w, sw_ctx *ctx, const struct sw_gc_rule *rule,
      void (*released)(void *arg, const char *result), void *arg)
{
        sw_autoptr(sw_filter) filter = NULL;
        struct sw_prune_opts opts = rule->opts;
        sw_err *err = sw__filter_new(&rule->filters, &filter);

        if (err)
                return sw_err_wrap(err, "worker.oci.gcpolicy");
        opts.filter = filter;
        opts.released = released;
        opts.released_arg = arg;
        return sw__worker_prune(w, ctx, &opts, NULL, NULL);
}

/* Whether the rule has something to do with @total bytes used. */
static sw_err *
is_over(sw_worker *w, const struct sw_prune_opts *o, int64_t total, bool *over)
{
        struct sw__disk disk = { 0 };
        sw_err *err = sw__disk_stat(w->rootfd, &disk);

        *over = !o->reserved_space && !o->max_used_space && !o->min_free_space;
        if (!err && !*over)
                *over = total > sw__prune_keep(o, total, disk.free);
        return err;
}

sw_err *
sw__worker_gc_now(sw_worker *w, sw_ctx *ctx, const sw_config *config,
                  void (*released)(void *arg, const char *result), void *arg)
{
        sw_auto(sw_gc_policy) p = { 0 };
        int64_t total = -1;
        bool over = false;
        sw_err *err = sw__gc_policy(w, config, &p);

        for (size_t i = 0; i < p.rules.n && !err; i++) {
                if (total < 0)
                        err = sw__survey_total(w, ctx, &total);
                if (!err)
                        err = is_over(w, &p.rules.v[i].opts, total, &over);
                if (err || !over)
                        continue;
                err = apply(w, ctx, &p.rules.v[i], released, arg);
                total = -1;
        }
        return sw_err_wrap(err, "automatic pruning");
}

/* Whether it is time again, of all processes; then the next one waits from now on. */
static sw_err *
is_time(sw_worker *w, bool *out)
{
        sw_auto(sw__tx) tx = { 0 };
        sw_auto(sw_str) last = NULL;
        const int64_t now = sw_time_now();
        sw_auto(sw_str) text = sw_asprintf("%lld", (long long) now);
        int64_t then = 0;
        sw_err *err = sw__tx_begin(w->meta, true, &tx);

        *out = false;
        if (!err)
                err = sw__text_get(&tx, SW_META_STORE, "pruned", &last);
        if (err)
                return err;
        if (last)
                sw_err_drop(sw_parse_int(last, 0, INT64_MAX, &then), "then it is time");
        if (last && then <= now && now - then < GC_INTERVAL)
                return SW_OK;
        *out = last != NULL; /* a new root has nothing that is old */
        err = sw__text_put(&tx, SW_META_STORE, "pruned", text);
        return err ? err : sw__tx_commit(&tx, false);
}

/* What the history of builds tells of is kept as long as that. */
static sw_err *
age_logs(sw_worker *w, const sw_config *c)
{
        const bool age = c && sw_config_has(c, "history.maxAge");
        const bool entries = c && sw_config_has(c, "history.maxEntries");

        return sw__logs_age(w,
                            entries ? (size_t) sw_config_int(c, "history.maxEntries") : 50,
                            age ? sw_config_int(c, "history.maxAge") : 48 * HOUR);
}

sw_err *
sw__worker_gc(sw_worker *w, sw_ctx *ctx, const sw_config *config,
              void (*released)(void *arg, const char *result), void *arg)
{
        bool now;

        if (!atomic_exchange(&w->stored, false))
                return SW_OK;
        sw_err *err = is_time(w, &now);
        if (!err && now)
                err = age_logs(w, config);
        if (err || !now)
                return sw_err_wrap(err, "automatic pruning");
        return sw__worker_gc_now(w, ctx, config, released, arg);
}

void
sw__worker_auto_gc(sw_worker *w, const sw_config *config,
                   void (*released)(void *arg, const char *result), void *arg)
{
        w->auto_gc = true;
        w->gc_config = config;
        w->gc_released = released;
        w->gc_arg = arg;
}

static bool
nearly_full(sw_worker *w)
{
        sw_auto(sw_gc_policy) p = { 0 };
        struct sw__disk disk = { 0 };
        sw_err *err = sw__disk_stat(w->rootfd, &disk);
        int64_t wanted = at_most(NEARLY_FULL, disk.total / 50);

        if (!err)
                err = sw__gc_policy(w, w->gc_config, &p);
        if (err) {
                sw_err_drop(err, "then nobody knows");
                return false;
        }
        for (size_t i = 0; i < p.rules.n; i++)
                if (wanted < p.rules.v[i].opts.min_free_space)
                        wanted = p.rules.v[i].opts.min_free_space;
        return disk.free < wanted;
}

void
sw__make_room(sw_worker *w, sw_ctx *ctx)
{
        const int64_t now = sw_time_mono();
        int_least64_t last = atomic_load(&w->made_room);

        if (!w->auto_gc || (last && now - last < ROOM_INTERVAL) ||
            !atomic_compare_exchange_strong(&w->made_room, &last, now) || !nearly_full(w))
                return;
        sw_err *err = sw__worker_gc_now(w, ctx, w->gc_config, w->gc_released, w->gc_arg);
        if (err)
                sw_log_err(w->log, SW_LOG_WARN, err);
        sw_err_drop(err, "what is begun will tell whether there is room");
}
