/*
 * plugins/exporter-oci/archive.c - a tar archive, written straight to where it goes.
 */
#include "plugins/exporter-oci/oci.h"

#include "lib/imagearchive/imagearchive.h"

/* What the archive's writer is handed, and gives back. */
struct writing {
        const struct oci_job *j;
        struct sw_imageexport_task task;
};

static sw_err *
open_layer(void *arg, sw_ctx *ctx, const struct sw_archive_blob *b, int *fd)
{
        const struct writing *w = arg;

        return sw_made_layer_open(w->j->made, ctx, b->of, fd);
}

static void
wrote(void *arg, int64_t bytes)
{
        sw_imageexport_add(&((struct writing *) arg)->task, bytes);
}

static void
list_blobs(const struct sw_made *m, struct sw_archive_blob **out, size_t *n)
{
        sw_made_blobs all = { 0 };

        sw_made_list(m, &all);
        *n = all.n;
        *out = sw_alloc_array(all.n + 1, sizeof(**out));
        for (size_t i = 0; i < all.n; i++)
                (*out)[i] = (struct sw_archive_blob){ .digest = all.v[i].desc->digest,
                                                      .size = all.v[i].desc->size,
                                                      .bytes = all.v[i].bytes,
                                                      .of = all.v[i].layer };
        sw_array_release(&all);
}

static sw_digest *
list_layers(const struct sw_made_image *image)
{
        sw_digest *v = sw_alloc_array(image->layers.n + 1, sizeof(*v));

        for (size_t i = 0; i < image->layers.n; i++)
                v[i] = image->layers.v[i].desc.digest;
        return v;
}

static sw_err *
write_to(const struct oci_job *j, int fd)
{
        const struct sw_made_image *one = &j->made->images.v[0];
        struct sw_archive_blob *blobs;
        sw_digest *layers = list_layers(one);
        struct writing w = { .j = j };
        const struct sw_archive_image image = {
                .root = &j->made->root,
                .names = &j->names,
                .config = j->made->is_index ? NULL : &one->config_desc.digest,
                .layers = layers,
                .n_layers = one->layers.n,
        };
        struct sw_archive a = { .images = &image,
                                .n_images = 1,
                                .docker = j->docker,
                                .open = open_layer,
                                .wrote = wrote,
                                .arg = &w };
        sw_err *err;

        list_blobs(j->made, &blobs, &a.n_blobs);
        a.blobs = blobs;
        sw_imageexport_begin(&w.task, j->ctx, "sending tarball", 0);
        err = sw_archive_write(j->ctx, &a, fd);
        sw_imageexport_end(&w.task, !err);
        free(blobs);
        free(layers);
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
