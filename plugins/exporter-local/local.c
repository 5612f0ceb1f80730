/* plugins/exporter-local/local.c - results into a directory of the client. */
#include "plugins/exporter-local/local.h"

#include <string.h>

#include "plugins/exporter-local/outdir.h"

static void
wrote(void *arg, int64_t bytes)
{
        sw_fsexport_add(arg, bytes);
}

static void
begin(void *arg, const char *platform)
{
        outdir_source(arg, platform);
}

sw_err *
local_export(sw_ctx *ctx, const struct sw_export_request *req)
{
        const struct sw_fsexport *f = req->resolved;
        const struct sw_export_target *t = req->target;
        bool split = sw_fsexport_split(req);
        const char *platform = req->n_refs == 1 ? req->refs[0].platform : "";
        sw_auto(sw_str) id =
                sw_asprintf("copying files%s%s", *platform ? " " : "", platform);
        struct sw_fsexport_progress progress;
        const struct outdir_opts opts = {
                .unique = !split && req->n_refs > 1,
                .mirror = f->mirror,
                .wrote = wrote,
                .arg = &progress,
        };
        sw_auto(sw_fd) dirfd = -1;

        if (!t || !t->open_dir)
                return sw_err_new(SW_E_INVALID,
                                  "there is no directory to write to; say dest=DIR");
        sw_err *err = sw_fsexport_ready(ctx, req);
        if (!err)
                err = t->open_dir(t->arg, ctx, &dirfd);
        if (err)
                return err;
        sw_fsexport_begin(&progress, ctx, id);
        outdir *o = outdir_new(ctx, dirfd, &opts);
        err = sw_fsexport_each(ctx, req, split, outdir_ops(), o, begin, o);
        if (err)
                outdir_ops()->abandon(o);
        else
                err = outdir_ops()->finish(o);
        if (!err && t->commit)
                err = t->commit(t->arg, ctx);
        if (!err)
                sw_fsexport_end(&progress);
        return err;
}
