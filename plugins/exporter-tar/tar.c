/*
 * plugins/exporter-tar/tar.c - the archive of a result. A result that is a map of platforms
 * always has a folder for each, as the reference does it.
 */
#include "plugins/exporter-tar/tar.h"

#include "lib/layer/tar.h"

/* The descriptor as a sink, with progress around it. */
struct sink {
        struct sw_tar_fd fd;
        struct sw_tar_sink to;
        struct sw_fsexport_progress progress;
};

static sw_err *
sink_write(void *arg, const void *p, size_t n)
{
        struct sink *s = arg;

        sw_fsexport_add(&s->progress, (int64_t) n);
        return s->to.write(s->to.arg, p, n);
}

static sw_err *
sink_copy(void *arg, int fd, int64_t off, int64_t len)
{
        struct sink *s = arg;

        sw_fsexport_add(&s->progress, len);
        return s->to.copy(s->to.arg, fd, off, len);
}

static sw_err *
archive(sw_ctx *ctx, const struct sw_export_request *req, struct sink *s)
{
        const struct sw_tar_sink sink = { sink_write, sink_copy, s };
        const struct sw_layer_ops *ops = sw_tar_ops();
        sw_tar *tar = sw_tar_new(ctx, &sink);
        sw_err *err = sw_fsexport_each(ctx, req, req->multiple || req->n_refs > 1, ops, tar,
                                       NULL, NULL);

        if (err) {
                ops->abandon(tar);
                return err;
        }
        err = ops->finish(tar);
        return err ? err : sw_tar_fd_flush(&s->fd);
}

sw_err *
tar_export(sw_ctx *ctx, const struct sw_export_request *req)
{
        const struct sw_export_target *t = req->target;
        sw_auto(sw_fd) fd = -1;
        struct sink s;

        if (!t || !t->open_file)
                return sw_err_new(
                        SW_E_INVALID,
                        "there is nowhere to write the archive to; say dest=FILE or "
                        "dest=-");
        sw_err *err = sw_fsexport_ready(ctx, req);
        if (!err)
                err = t->open_file(t->arg, ctx, &fd);
        if (err)
                return err;
        sw_tar_fd_init(&s.fd, fd, &s.to);
        sw_fsexport_begin(&s.progress, ctx, "sending tarball");
        err = archive(ctx, req, &s);
        sw_tar_fd_release(&s.fd);
        if (err)
                return err;
        if (close(sw_fd_steal(&fd)) < 0)
                return sw_err_sys(SW_E_IO, errno, "close the archive");
        if (t->commit)
                err = t->commit(t->arg, ctx);
        if (!err)
                sw_fsexport_end(&s.progress);
        return err;
}
