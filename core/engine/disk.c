/*
 * core/engine/disk.c - what is stored: usage, prune, garbage collection after builds.
 *
 * The keys of a result go with it; the key store belongs to the scheduler's thread.
 * Thread: any.
 */
#include "core/engine/engine_priv.h"

/* ---- Records as the public header has them ---- */

struct told {
        sw_disk_fn *fn;
        void *arg;
};

static bool
tell(void *arg, const struct sw_usage *u)
{
        const struct told *t = arg;
        const struct sw_disk_record r = {
                .id = u->id,
                .parents = (const char *const *) (u->parents ? u->parents->v : NULL),
                .n_parents = u->parents ? u->parents->n : 0,
                .is_mutable = u->is_mutable,
                .in_use = u->in_use,
                .shared = u->shared,
                .size = u->size,
                .created = u->created,
                .last_used = u->last_used,
                .usage_count = u->usage_count,
                .description = u->description,
                .type = u->type,
        };

        return t->fn ? t->fn(t->arg, &r) : true;
}

static sw_err *
make_filter(const char *const *exprs, sw_filter **out)
{
        sw_auto(sw_strlist) list = { 0 };

        for (; exprs && *exprs; exprs++)
                sw_strlist_add(&list, *exprs);
        return list.n > 0 ? sw__filter_new(&list, out) : SW_OK;
}

sw_err *
sw_engine_usage(sw_engine *e, sw_cancel *cancel, const char *const *filters, sw_disk_fn *fn,
                void *arg)
{
        sw_autoptr(sw_filter) filter = NULL;
        sw_autoptr(sw_ctx) ctx = sw_ctx_new(cancel, e->log, NULL, NULL, "core/engine");
        struct told t = { fn, arg };
        sw_err *err = make_filter(filters, &filter);

        return err ? err : sw__worker_usage(e->env.worker, ctx, filter, 0, tell, &t);
}

/* ---- Prune ---- */

struct release {
        sw_engine *engine;
        const char *result;
        sw_err *err;
};

static void
release_keys(void *arg)
{
        struct release *r = arg;
        sw_keystore *ks = r->engine->keys;

        r->err = ks->ops->release(ks, r->result);
        if (!r->err)
                r->err = ks->ops->commit(ks);
}

/* A key whose result has gone would be found, then found to be of no use: no harm. */
static void
released(void *arg, const char *result)
{
        struct release r = { arg, result, NULL };

        sw__solver_call(r.engine->solver, release_keys, &r);
        if (r.err)
                sw_log_err(r.engine->log, SW_LOG_WARN, r.err);
        sw_err_drop(r.err, "told");
}

/* Builds that ended a moment ago use nothing. */
static void
let_go(sw_engine *e)
{
        sw__solver_settle(e->solver);
        sw__worker_let_go(e->env.worker);
}

static sw_err *
prune(sw_engine *e, sw_ctx *ctx, struct sw_prune_opts *opts, struct told *t)
{
        opts->released = released;
        opts->released_arg = e;
        let_go(e);
        return sw__worker_prune(e->env.worker, ctx, opts, tell, t);
}

sw_err *
sw_engine_prune(sw_engine *e, sw_cancel *cancel, const struct sw_prune_request *req,
                sw_disk_fn *fn, void *arg)
{
        sw_autoptr(sw_filter) filter = NULL;
        sw_autoptr(sw_ctx) ctx = sw_ctx_new(cancel, e->log, NULL, NULL, "core/engine");
        struct told t = { fn, arg };
        sw_err *err = make_filter(req->filters, &filter);
        struct sw_prune_opts opts = {
                .filter = filter,
                .all = req->all,
                .keep_duration = req->keep_duration,
                .reserved_space = req->reserved_space,
                .max_used_space = req->max_used_space,
                .min_free_space = req->min_free_space,
        };

        return err ? err : prune(e, ctx, &opts, &t);
}

/* ---- Garbage collection ---- */

void
sw__engine_auto_gc(sw_engine *e)
{
        sw__worker_auto_gc(e->env.worker, e->config, released, e);
}

static sw_err *
collect(sw_engine *e, sw_cancel *cancel, bool now)
{
        sw_autoptr(sw_ctx) ctx = sw_ctx_new(cancel, e->log, NULL, NULL, "core/engine");
        if (now)
                let_go(e);
        sw_err *err = now ? sw__worker_gc_now(e->env.worker, ctx, e->config, released, e)
                          : sw__worker_gc(e->env.worker, ctx, e->config, released, e);

        return sw_err_wrap(err, "garbage collection");
}

sw_err *
sw_engine_gc(sw_engine *e, sw_cancel *cancel)
{
        return collect(e, cancel, true);
}

void
sw__engine_after_build(sw_engine *e, sw_cancel *cancel)
{
        sw_err *err = collect(e, cancel, false);

        if (err && sw_err_code(err) != SW_E_CANCELLED)
                sw_log_err(e->log, SW_LOG_WARN, err);
        sw_err_drop(err, "the build is none the worse for it");
        if (e->logs >= 0)
                sw__steplog_prune(e->logs, sw_config_int(e->config, "history.maxAge"),
                                  sw_config_int(e->config, "history.maxEntries"), e->log);
}
