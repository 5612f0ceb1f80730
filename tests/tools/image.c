/*
 * tests/tools/image.c - put documents into a root as an image, for tests of the verbs.
 *
 *      image ROOT NAME TYPE FILE [FILE...]     FILE: the manifest, then what it points at
 *
 * Thread: main.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include <slipway/blob.h>
#include <slipway/buf.h>

#include "core/store/root.h"

static sw_err *
put_file(sw_content *c, const char *path, sw_digest *digest, int64_t *len)
{
        sw_auto(sw_buf) text = SW_BUF_INIT;
        sw_ingest *in;
        sw_err *err = sw_buf_read_file(&text, AT_FDCWD, path, 64 << 20);

        if (err)
                return err;
        *digest = sw_digest_of(text.data, text.len);
        *len = (int64_t) text.len;
        err = sw_content_ingest(c, NULL, path, digest, *len, &in);
        if (sw_err_code(err) == SW_E_EXISTS) {
                sw_err_drop(err, "as good");
                return SW_OK;
        }
        if (!err)
                err = sw_ingest_write(in, text.data, text.len);
        return err ? err : sw_ingest_commit(in, digest, NULL);
}

static sw_err *
put_image(sw_worker *w, char **argv, int n)
{
        struct sw_image image = { .size = sizeof(image),
                                  .name = argv[0],
                                  .media_type = argv[1] };
        sw_digest *blobs = sw_alloc_array((size_t) n, sizeof(*blobs));
        int64_t len;
        sw_err *err = put_file(sw_worker_content(w), argv[2], &image.digest, &image.len);

        for (int i = 0; i < n - 3 && !err; i++)
                err = put_file(sw_worker_content(w), argv[3 + i], &blobs[i], &len);
        if (!err)
                err = sw_images_put(w, NULL, &image, blobs, (size_t) n - 3, NULL, 0);
        free(blobs);
        return err;
}

int
main(int argc, char **argv)
{
        const struct sw_root_opts opts = { .path = argc > 1 ? argv[1] : NULL };
        sw_root *root = NULL;

        if (argc < 5) {
                fprintf(stderr, "usage: image ROOT NAME TYPE FILE...\n");
                return 2;
        }
        sw_err *err = sw__root_open(&opts, &root);
        if (!err)
                err = put_image(sw__root_worker(root), argv + 2, argc - 2);
        if (err)
                fprintf(stderr, "image: %s\n", sw_err_message(err));
        sw__root_close(root);
        const int status = err ? 1 : 0;
        sw_err_free(err);
        return status;
}
