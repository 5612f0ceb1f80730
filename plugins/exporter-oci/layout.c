/*
 * plugins/exporter-oci/layout.c - a directory that may have other images in it already.
 *
 * Blobs come first and index.json last, each under its name only when it is whole: who
 * reads the directory meanwhile finds the images of before, or those and this one.
 */
#include "plugins/exporter-oci/oci.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include <slipway/id.h>
#include <slipway/path.h>
#include <slipway/text.h>

#include "lib/imagearchive/imagearchive.h"
#include "lib/layer/tar.h"

/* ---- blobs ---- */

static bool
is_there(int dir, const char *name, int64_t size)
{
        struct stat st;

        return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
               st.st_size == size;
}

/* All of @from into @to, within the kernel where that can be. */
static sw_err *
copy_bytes(int from, int to, int64_t size)
{
        struct sw_tar_fd f;
        struct sw_tar_sink sink;
        sw_err *err;

        sw_tar_fd_init(&f, to, &sink);
        err = sink.copy(sink.arg, from, 0, size);
        if (!err)
                err = sw_tar_fd_flush(&f);
        sw_tar_fd_release(&f);
        return err;
}

static sw_err *
copy_layer(const struct oci_job *j, int dir, const struct sw_made_blob *b, const char *name)
{
        char id[SW_ID_SIZE];
        sw_auto(sw_str) pending = sw_asprintf(".slipway-%s", sw_id_new(id));
        sw_auto(sw_fd) from = -1;
        sw_err *err = sw_made_layer_open(j->made, j->ctx, b->layer, &from);

        if (err)
                return err;
        sw_auto(sw_fd) to =
                openat(dir, pending, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
        if (to < 0)
                return sw_err_sys(SW_E_IO, errno, "write blob %s", name);
        err = copy_bytes(from, to, b->desc->size);
        if (!err && close(sw_fd_steal(&to)) < 0)
                err = sw_err_sys(SW_E_IO, errno, "write blob %s", name);
        if (!err && renameat(dir, pending, dir, name) < 0)
                err = sw_err_sys(SW_E_IO, errno, "write blob %s", name);
        if (err)
                (void) unlinkat(dir, pending, 0);
        return err;
}

static sw_err *
put_blob(const struct oci_job *j, int dir, const struct sw_made_blob *b,
         struct sw_imageexport_task *task)
{
        char name[SW_DIGEST_HEX_LEN + 1];
        sw_err *err = sw_ctx_check(j->ctx);

        (void) sw_digest_hex(&b->desc->digest, name);
        if (err || is_there(dir, name, b->desc->size))
                return err;
        if (b->bytes)
                err = sw_path_write_file(dir, name, b->bytes->data, b->bytes->len, 0644);
        else
                err = copy_layer(j, dir, b, name);
        if (!err)
                sw_imageexport_add(task, b->desc->size);
        return err;
}

static sw_err *
put_blobs(const struct oci_job *j, int root)
{
        struct sw_imageexport_task task;
        sw_made_blobs all = { 0 };
        sw_auto(sw_fd) dir = -1;
        sw_err *err = sw_path_mkdirs(root, "blobs/sha256", 0755, &dir);

        if (err)
                return err;
        sw_imageexport_begin(&task, j->ctx, "copying blobs", 0);
        sw_made_list(j->made, &all);
        for (size_t i = 0; i < all.n && !err; i++)
                err = put_blob(j, dir, &all.v[i], &task);
        sw_array_release(&all);
        sw_imageexport_end(&task, !err);
        return err;
}

/* ---- index.json ---- */

/* Whether an image has the place that a new one takes. */
static bool
same_name(const sw_desc *a, const sw_desc *b)
{
        static const char name[] = "io.containerd.image.name";
        static const char ref[] = "org.opencontainers.image.ref.name";

        return sw_str_eq(sw_pairs_get(&a->annotations, name),
                         sw_pairs_get(&b->annotations, name)) &&
               sw_str_eq(sw_pairs_get(&a->annotations, ref),
                         sw_pairs_get(&b->annotations, ref));
}

static bool
is_replaced(const sw_desc *d, const sw_descs *fresh)
{
        for (size_t i = 0; i < fresh->n; i++)
                if (same_name(d, &fresh->v[i]))
                        return true;
        return false;
}

/* The images that stay, then the new ones. */
static sw_err *
read_index(int root, const sw_descs *fresh, sw_descs *out)
{
        sw_auto(sw_buf) text = SW_BUF_INIT;
        sw_auto(sw_manifest) m = { .media_type = NULL };
        sw_err *err = sw_buf_read_file(&text, root, "index.json", SW_MANIFEST_MAX);

        if (sw_err_code(err) == SW_E_NOT_FOUND) {
                sw_err_drop(err, "there was no image yet");
                return SW_OK;
        }
        if (!err)
                err = sw_manifest_parse(SW_MT_OCI_INDEX, text.data, text.len, &m);
        for (size_t i = 0; i < m.entries.n && !err; i++) {
                sw_desc d;

                if (is_replaced(&m.entries.v[i], fresh))
                        continue;
                sw_desc_copy(&d, &m.entries.v[i]);
                sw_array_push(out, d);
        }
        return err;
}

static sw_err *
put_index(const struct oci_job *j, int root)
{
        sw_descs fresh = { 0 }, all = { 0 };
        sw_auto(sw_buf) text = SW_BUF_INIT;
        sw_err *err;

        sw_archive_entries(&j->made->root, &j->names, "latest", &fresh);
        err = read_index(root, &fresh, &all);
        for (size_t i = 0; i < fresh.n && !err; i++) {
                sw_array_push(&all, fresh.v[i]);
                fresh.v[i] = (sw_desc){ .media_type = NULL };
        }
        if (!err)
                err = sw_path_write_file(root, "oci-layout", SW_OCI_LAYOUT,
                                         strlen(SW_OCI_LAYOUT), 0644);
        sw_archive_index_json(&all, &text);
        if (!err)
                err = sw_path_write_file(root, "index.json", text.data, text.len, 0644);
        sw_descs_release(&fresh);
        sw_descs_release(&all);
        return err;
}

sw_err *
oci_directory(const struct oci_job *j)
{
        const struct sw_export_target *t = j->req->target;
        sw_auto(sw_fd) root = -1;
        sw_err *err;

        if (!t || !t->open_dir)
                return sw_err_new(SW_E_INVALID,
                                  "there is no directory to write to; say dest=DIR");
        err = t->open_dir(t->arg, j->ctx, &root);
        if (!err)
                err = put_blobs(j, root);
        if (!err)
                err = put_index(j, root);
        if (!err && t->commit)
                err = t->commit(t->arg, j->ctx);
        return err;
}
