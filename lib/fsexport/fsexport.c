/* lib/fsexport/fsexport.c - what the exporters of plain files share. */
#include "lib/fsexport/fsexport.h"

#include <string.h>

#include <slipway/blob.h>
#include <slipway/text.h>
#include <slipway/time.h>

/* ---- attributes ---- */

static sw_err *
parse_epoch(const char *value, struct sw_fsexport *f)
{
        f->epoch_set = true;
        f->epoch = -1;
        if (!*value)
                return SW_OK;
        sw_err *err = sw_parse_int(value, 0, INT64_MAX / SW_NS_PER_SEC, &f->epoch);
        return sw_err_wrap(err, "invalid source-date-epoch: %s", value);
}

static sw_err *
parse_mode(const char *value, struct sw_fsexport *f)
{
        f->mirror = !strcmp(value, "delete");
        if (f->mirror || !strcmp(value, "copy") || !*value)
                return SW_OK;
        return sw_err_new(SW_E_INVALID, "attribute mode=%s: must be copy or delete", value);
}

static sw_err *
parse(sw_ctx *ctx, const struct sw_attr *a, bool local, struct sw_fsexport *f)
{
        if (!strcmp(a->key, "source-date-epoch"))
                return parse_epoch(a->value, f);
        if (!strcmp(a->key, "platform-split")) {
                sw_err *err = sw_parse_bool(a->value, &f->split);

                f->split_set = true;
                return err ? sw_err_wrap(err, "non-bool value specified for %s", a->key)
                           : SW_OK;
        }
        if (!strcmp(a->key, "mode") && local)
                return parse_mode(a->value, f);
        if (strcmp(a->key, "attestation-prefix") != 0 && strcmp(a->key, "dest") != 0 &&
            !strchr(a->key, '.'))
                sw_progress_warn(ctx, "attribute %s=%s is unknown to this exporter", a->key,
                                 a->value);
        return SW_OK;
}

sw_err *
sw_fsexport_resolve(sw_ctx *ctx, const struct sw_attr *attrs, size_t n, bool local,
                    void **resolved)
{
        struct sw_fsexport *f = sw_new(struct sw_fsexport);
        sw_err *err = SW_OK;

        for (size_t i = 0; i < n && !err; i++)
                err = parse(ctx, &attrs[i], local, f);
        if (err) {
                free(f);
                return err;
        }
        *resolved = f;
        return SW_OK;
}

void
sw_fsexport_release(void *self, void *resolved)
{
        (void) self;
        free(resolved);
}

bool
sw_fsexport_split(const struct sw_export_request *req)
{
        const struct sw_fsexport *f = req->resolved;

        return f->split_set ? f->split : req->multiple || req->n_refs > 1;
}

/* ns, or -1 for times as they are. */
static int64_t
epoch_ns(const struct sw_export_request *req)
{
        const struct sw_fsexport *f = req->resolved;
        int64_t seconds = f->epoch_set ? f->epoch : req->source_date_epoch;

        return seconds < 0 ? -1 : seconds * SW_NS_PER_SEC;
}

static char *
folder_of(const char *platform)
{
        char *s = sw_strdup(*platform ? platform : "unknown");

        for (char *p = s; *p; p++)
                if (*p == '/')
                        *p = '_';
        return s;
}

/* ---- progress ---- */

enum { TELL_EVERY = 100000000 };

void
sw_fsexport_begin(struct sw_fsexport_progress *g, sw_ctx *ctx, const char *id)
{
        *g = (struct sw_fsexport_progress){ .ctx = ctx };
        g->p.id = id;
        g->p.started = sw_time_now();
        g->told = sw_time_mono();
        sw_progress_status(ctx, &g->p);
}

void
sw_fsexport_add(struct sw_fsexport_progress *g, int64_t bytes)
{
        int64_t now = sw_time_mono();

        g->p.current += bytes;
        if (now - g->told < TELL_EVERY)
                return;
        g->told = now;
        sw_progress_status(g->ctx, &g->p);
}

void
sw_fsexport_end(struct sw_fsexport_progress *g)
{
        g->p.completed = sw_time_now();
        g->p.total = g->p.current;
        sw_progress_status(g->ctx, &g->p);
}

/* ---- all results ---- */

sw_err *
sw_fsexport_ready(sw_ctx *ctx, const struct sw_export_request *req)
{
        sw_err *err = SW_OK;

        for (size_t i = 0; req->worker && i < req->n_refs && !err; i++)
                if (req->refs[i].ref)
                        err = sw_ref_ready(req->worker, ctx, req->refs[i].ref);
        return err;
}

static sw_err *
tell_folder(const char *name, int64_t epoch, const struct sw_layer_ops *ops, void *w)
{
        const struct sw_layer_meta m = { .mode = 0755,
                                         .mtime = epoch >= 0 ? epoch : sw_time_now() };

        return ops->mkdir(w, name, &m);
}

static sw_err *
tell_result(sw_ctx *ctx, const struct sw_export_ref *r, const struct sw_walk_opts *opts,
            const struct sw_layer_ops *ops, void *w)
{
        sw_autoptr(sw_tree) tree = NULL;

        if (!r->ref)
                return SW_OK;
        sw_err *err = sw_ref_open(ctx, r->ref, &tree);
        if (!err)
                err = sw_layer_walk(ctx, sw_tree_fd(tree), opts, ops, w);
        return err ? err : sw_tree_close(sw_steal(tree));
}

sw_err *
sw_fsexport_each(sw_ctx *ctx, const struct sw_export_request *req, bool split,
                 const struct sw_layer_ops *ops, void *w,
                 void (*begin)(void *arg, const char *platform), void *arg)
{
        struct sw_walk_opts opts = { .no_root = true, .epoch = epoch_ns(req) };
        sw_err *err = sw_ctx_check(ctx);

        for (size_t i = 0; i < req->n_refs && !err; i++) {
                sw_auto(sw_str) folder = split ? folder_of(req->refs[i].platform) : NULL;

                if (begin)
                        begin(arg, req->refs[i].platform);
                opts.prefix = folder;
                if (folder && folder[0] == '.') /* "..", which is no folder of ours */
                        err = sw_err_new(SW_E_INVALID, "platform %s is none",
                                         req->refs[i].platform);
                else if (folder)
                        err = tell_folder(folder, opts.epoch, ops, w);
                if (!err)
                        err = tell_result(ctx, &req->refs[i], &opts, ops, w);
        }
        return err;
}
