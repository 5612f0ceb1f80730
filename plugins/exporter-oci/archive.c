/*
 * plugins/exporter-oci/archive.c - a tar archive, written straight to where it goes.
 */
#include "plugins/exporter-oci/oci.h"

#include <string.h>

#include "lib/layer/tar.h"

/* The descriptor as a sink, with progress around it. */
struct sink {
        struct sw_tar_fd fd;
        struct sw_tar_sink to;
        struct sw_imageexport_task task;
};

static sw_err *
sink_write(void *arg, const void *p, size_t n)
{
        struct sink *s = arg;

        sw_imageexport_add(&s->task, (int64_t) n);
        return s->to.write(s->to.arg, p, n);
}

static sw_err *
sink_copy(void *arg, int fd, int64_t off, int64_t len)
{
        struct sink *s = arg;

        sw_imageexport_add(&s->task, len);
        return s->to.copy(s->to.arg, fd, off, len);
}

static const struct sw_layer_meta as_dir = { .mode = 0755 }, as_file = { .mode = 0444 };

static sw_err *
tell_blob(const struct oci_job *j, const struct sw_made_blob *b,
          const struct sw_layer_ops *ops, void *tar)
{
        char hex[SW_DIGEST_HEX_LEN + 1];
        sw_auto(sw_str) path =
                sw_asprintf("blobs/sha256/%s", sw_digest_hex(&b->desc->digest, hex));
        sw_auto(sw_fd) fd = -1;
        sw_err *err;

        if (b->bytes)
                return ops->data(tar, path, &as_file, b->bytes->data, b->bytes->len);
        err = sw_made_layer_open(j->made, j->ctx, b->layer, &fd);
        return err ? err : ops->file(tar, path, &as_file, fd, 0, b->desc->size);
}

static sw_err *
tell_blobs(const struct oci_job *j, const struct sw_layer_ops *ops, void *tar)
{
        sw_made_blobs all = { 0 };
        sw_err *err = ops->mkdir(tar, "blobs", &as_dir);

        if (!err)
                err = ops->mkdir(tar, "blobs/sha256", &as_dir);
        sw_made_list(j->made, &all);
        for (size_t i = 0; i < all.n && !err; i++)
                err = tell_blob(j, &all.v[i], ops, tar);
        sw_array_release(&all);
        return err;
}

static sw_err *
tell_documents(const struct oci_job *j, const struct sw_layer_ops *ops, void *tar)
{
        sw_auto(sw_buf) index = SW_BUF_INIT;
        sw_auto(sw_buf) docker = SW_BUF_INIT;
        sw_descs entries = { 0 };
        sw_err *err;

        oci_entries(j, NULL, &entries);
        oci_index_json(&entries, &index);
        sw_descs_release(&entries);
        err = ops->data(tar, "index.json", &as_file, index.data, index.len);
        if (!err && j->docker) {
                oci_docker_json(j, &docker);
                err = ops->data(tar, "manifest.json", &as_file, docker.data, docker.len);
        }
        if (!err)
                err = ops->data(tar, "oci-layout", &as_file, OCI_LAYOUT_TEXT,
                                strlen(OCI_LAYOUT_TEXT));
        return err;
}

static sw_err *
write_to(const struct oci_job *j, int fd)
{
        struct sink s = { .to = { NULL } };
        const struct sw_tar_sink sink = { sink_write, sink_copy, &s };
        const struct sw_layer_ops *ops = sw_tar_ops();
        sw_tar *tar = sw_tar_new(j->ctx, &sink);
        sw_err *err;

        sw_tar_fd_init(&s.fd, fd, &s.to);
        sw_imageexport_begin(&s.task, j->ctx, "sending tarball", 0);
        err = tell_blobs(j, ops, tar);
        if (!err)
                err = tell_documents(j, ops, tar);
        if (err)
                ops->abandon(tar);
        else
                err = ops->finish(tar);
        if (!err)
                err = sw_tar_fd_flush(&s.fd);
        sw_imageexport_end(&s.task, !err);
        sw_tar_fd_release(&s.fd);
        return err;
}

sw_err *
oci_archive(const struct oci_job *j)
{
        const struct sw_export_target *t = j->req->target;
        sw_auto(sw_fd) fd = -1;
        sw_err *err;

        if (!t || !t->open_file)
                return sw_err_new(SW_E_INVALID,
                                  "there is nowhere to write the archive to; say dest=FILE "
                                  "or dest=-");
        err = t->open_file(t->arg, j->ctx, &fd);
        if (err)
                return err;
        if (isatty(fd))
                return sw_err_new(SW_E_INVALID, "archives are not written to a terminal; "
                                                "say dest=FILE");
        err = write_to(j, fd);
        if (err)
                return err;
        if (close(sw_fd_steal(&fd)) < 0)
                return sw_err_sys(SW_E_IO, errno, "close the archive");
        return t->commit ? t->commit(t->arg, j->ctx) : SW_OK;
}
