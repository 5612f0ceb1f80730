/* lib/imagearchive/archive.c - the archive itself. */
#include <string.h>

#include "lib/imagearchive/imagearchive.h"
#include "lib/layer/tar.h"

/* The descriptor as a sink, with progress around it. */
struct sink {
        const struct sw_archive *a;
        struct sw_tar_fd fd;
        struct sw_tar_sink to;
};

static void
wrote(const struct sink *s, int64_t bytes)
{
        if (s->a->wrote)
                s->a->wrote(s->a->arg, bytes);
}

static sw_err *
sink_write(void *arg, const void *p, size_t n)
{
        struct sink *s = arg;

        wrote(s, (int64_t) n);
        return s->to.write(s->to.arg, p, n);
}

static sw_err *
sink_copy(void *arg, int fd, int64_t off, int64_t len)
{
        struct sink *s = arg;

        wrote(s, len);
        return s->to.copy(s->to.arg, fd, off, len);
}

static const struct sw_layer_meta as_dir = { .mode = 0755 }, as_file = { .mode = 0444 };

static sw_err *
tell_blob(sw_ctx *ctx, const struct sw_archive *a, const struct sw_archive_blob *b,
          const struct sw_layer_ops *ops, void *tar)
{
        char hex[SW_DIGEST_HEX_LEN + 1];
        sw_auto(sw_str) path =
                sw_asprintf("blobs/sha256/%s", sw_digest_hex(&b->digest, hex));
        sw_auto(sw_fd) fd = -1;
        sw_err *err;

        if (b->bytes)
                return ops->data(tar, path, &as_file, b->bytes->data, b->bytes->len);
        err = a->open(a->arg, ctx, b, &fd);
        return err ? err : ops->file(tar, path, &as_file, fd, 0, b->size);
}

static sw_err *
tell_documents(const struct sw_archive *a, const struct sw_layer_ops *ops, void *tar)
{
        sw_auto(sw_buf) index = SW_BUF_INIT;
        sw_auto(sw_buf) docker = SW_BUF_INIT;
        sw_descs entries = { 0 };
        sw_err *err;

        for (size_t i = 0; i < a->n_images; i++)
                sw_archive_entries(a->images[i].root, a->images[i].names, NULL, &entries);
        sw_archive_index_json(&entries, &index);
        sw_descs_release(&entries);
        err = ops->data(tar, "index.json", &as_file, index.data, index.len);
        if (!err && a->docker) {
                sw_archive_docker_json(a->images, a->n_images, &docker);
                err = ops->data(tar, "manifest.json", &as_file, docker.data, docker.len);
        }
        return err ? err
                   : ops->data(tar, "oci-layout", &as_file, SW_OCI_LAYOUT,
                               strlen(SW_OCI_LAYOUT));
}

static sw_err *
tell(sw_ctx *ctx, const struct sw_archive *a, const struct sw_layer_ops *ops, void *tar)
{
        sw_err *err = ops->mkdir(tar, "blobs", &as_dir);

        if (!err)
                err = ops->mkdir(tar, "blobs/sha256", &as_dir);
        for (size_t i = 0; i < a->n_blobs && !err; i++)
                err = tell_blob(ctx, a, &a->blobs[i], ops, tar);
        return err ? err : tell_documents(a, ops, tar);
}

sw_err *
sw_archive_write(sw_ctx *ctx, const struct sw_archive *a, int fd)
{
        struct sink s = { .a = a };
        const struct sw_tar_sink sink = { sink_write, sink_copy, &s };
        const struct sw_layer_ops *ops = sw_tar_ops();
        sw_tar *tar = sw_tar_new(ctx, &sink);
        sw_err *err;

        sw_tar_fd_init(&s.fd, fd, &s.to);
        err = tell(ctx, a, ops, tar);
        if (err)
                ops->abandon(tar);
        else
                err = ops->finish(tar);
        if (!err)
                err = sw_tar_fd_flush(&s.fd);
        sw_tar_fd_release(&s.fd);
        return err;
}
