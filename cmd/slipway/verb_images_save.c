/*
 * cmd/slipway/verb_images_save.c - `slipway images save`: images of the store as an
 * archive.
 *
 * Every blob is opened before anything is written, so that an image of which something is
 * not here fails at once. A file appears under its name when it is whole.
 * Thread: main.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include <slipway/id.h>
#include <slipway/map.h>
#include <slipway/text.h>

#include "cmd/slipway/images.h"
#include "lib/imagearchive/imagearchive.h"

enum { DEPTH_MAX = 2 };

/* One image as the archive lists it. */
struct saved {
        sw_desc root;
        sw_strlist name;
        sw_manifest manifest;
        SW_ARRAY(sw_digest) layers;
};

struct saving {
        sw_worker *w;
        SW_ARRAY(struct saved *) images;
        SW_ARRAY(struct sw_archive_blob) blobs;
        sw_map *seen; /* digests of blobs */
};

static void
release(struct saving *s)
{
        for (size_t i = 0; i < s->images.n; i++) {
                struct saved *one = s->images.v[i];

                sw_desc_release(&one->root);
                sw_strlist_release(&one->name);
                sw_manifest_release(&one->manifest);
                sw_array_release(&one->layers);
                free(one);
        }
        sw_array_release(&s->images);
        sw_array_release(&s->blobs);
        sw_map_free(s->seen);
}

/* ---- what an image is made of ---- */

static sw_err *
add_blob(struct saving *s, const sw_desc *d, bool *fresh)
{
        struct sw_blob_info info;
        sw_err *err;

        *fresh = sw_map_set_bytes(s->seen, d->digest.b, sizeof(d->digest.b), s);
        if (!*fresh)
                return SW_OK;
        err = sw_content_info(sw_worker_content(s->w), &d->digest, &info);
        if (sw_err_code(err) == SW_E_NOT_FOUND)
                return sw_err_wrap(err, "a part of it is elsewhere and was never fetched "
                                        "(a build with -o type=oci fetches what it "
                                        "writes)");
        if (!err && info.size != d->size)
                err = sw_err_new(SW_E_CORRUPT, "a blob has %lld bytes, not %lld",
                                 (long long) info.size, (long long) d->size);
        if (!err)
                sw_array_push(&s->blobs, (struct sw_archive_blob){ .digest = d->digest,
                                                                   .size = d->size });
        return err;
}

static sw_err *
read_manifest(struct saving *s, const sw_desc *d, sw_manifest *out)
{
        sw_auto(sw_buf) text = SW_BUF_INIT;
        sw_err *err = image_read(s->w, &d->digest, SW_MANIFEST_MAX, &text);

        return err ? err : sw_manifest_parse(d->media_type, text.data, text.len, out);
}

static sw_err *
add_parts(struct saving *s, const sw_manifest *m, int depth)
{
        sw_err *err = SW_OK;
        bool fresh;

        if (m->kind == SW_MEDIA_MANIFEST)
                err = add_blob(s, &m->config, &fresh);
        for (size_t i = 0; i < m->layers.n && !err; i++)
                if (!sw_media_foreign(m->layers.v[i].media_type))
                        err = add_blob(s, &m->layers.v[i], &fresh);
        for (size_t i = 0; i < m->entries.n && !err; i++) {
                sw_auto(sw_manifest) below = { 0 };

                err = add_blob(s, &m->entries.v[i], &fresh);
                if (err || !fresh || !depth)
                        continue;
                err = read_manifest(s, &m->entries.v[i], &below);
                if (!err)
                        err = add_parts(s, &below, depth - 1);
        }
        return err;
}

static sw_err *
add_image(struct saving *s, const struct sw_image *image, bool docker)
{
        struct saved *one = sw_new(struct saved);
        bool fresh;
        sw_err *err;

        sw_array_push(&s->images, one);
        sw_strlist_add(&one->name, image->name);
        one->root = (sw_desc){ .media_type = sw_strdup(image->media_type),
                               .digest = image->digest,
                               .size = image->len };
        err = add_blob(s, &one->root, &fresh);
        if (!err)
                err = read_manifest(s, &one->root, &one->manifest);
        if (!err && docker && one->manifest.kind == SW_MEDIA_INDEX)
                err = sw_err_new(SW_E_UNSUPPORTED, "it is of several platforms, which "
                                                   "docker archives cannot have; "
                                                   "--as oci");
        if (!err)
                err = add_parts(s, &one->manifest, DEPTH_MAX);
        for (size_t i = 0; i < one->manifest.layers.n; i++)
                sw_array_push(&one->layers, one->manifest.layers.v[i].digest);
        return sw_err_wrap(err, "image %s", image->name);
}

/* ---- the archive ---- */

static int
by_digest(const void *a, const void *b)
{
        return sw_digest_cmp(&((const struct sw_archive_blob *) a)->digest,
                             &((const struct sw_archive_blob *) b)->digest);
}

static sw_err *
open_blob(void *arg, sw_ctx *ctx, const struct sw_archive_blob *b, int *fd)
{
        const struct saving *s = arg;

        (void) ctx;
        return sw_content_open(sw_worker_content(s->w), &b->digest, fd, NULL);
}

static sw_err *
write_archive(struct saving *s, bool docker, int fd)
{
        struct sw_archive_image *images = sw_alloc_array(s->images.n + 1, sizeof(*images));
        sw_err *err;

        if (s->blobs.n > 1)
                qsort(s->blobs.v, s->blobs.n, sizeof(*s->blobs.v), by_digest);
        for (size_t i = 0; i < s->images.n; i++) {
                const struct saved *one = s->images.v[i];

                images[i] = (struct sw_archive_image){
                        .root = &one->root,
                        .names = &one->name,
                        .config = one->manifest.kind == SW_MEDIA_MANIFEST
                                          ? &one->manifest.config.digest
                                          : NULL,
                        .layers = one->layers.v,
                        .n_layers = one->layers.n,
                };
        }
        const struct sw_archive a = { .blobs = s->blobs.v,
                                      .n_blobs = s->blobs.n,
                                      .images = images,
                                      .n_images = s->images.n,
                                      .docker = docker,
                                      .open = open_blob,
                                      .arg = s };
        err = sw_archive_write(NULL, &a, fd);
        free(images);
        return err;
}

static sw_err *
save_file(struct saving *s, bool docker, const char *path)
{
        char id[SW_ID_SIZE];
        sw_auto(sw_str) pending = sw_asprintf("%s.%s", path, sw_id_new(id));
        sw_auto(sw_fd) fd = open(pending, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        sw_err *err;

        if (fd < 0)
                return sw_err_sys(SW_E_IO, errno, "write %s", path);
        err = write_archive(s, docker, fd);
        if (!err && close(sw_fd_steal(&fd)) < 0)
                err = sw_err_sys(SW_E_IO, errno, "write %s", path);
        if (!err && rename(pending, path) < 0)
                err = sw_err_sys(SW_E_IO, errno, "write %s", path);
        if (err)
                (void) unlink(pending);
        return err;
}

static sw_err *
save(struct saving *s, bool docker, const char *path)
{
        if (path && strcmp(path, "-") != 0)
                return save_file(s, docker, path);
        if (isatty(STDOUT_FILENO))
                return sw_err_new(SW_E_USAGE, "--output FILE is missing, and archives are "
                                              "not written to a terminal");
        return write_archive(s, docker, STDOUT_FILENO);
}

static sw_err *
run_save(const struct cli_call *call)
{
        sw_auto(store) st = STORE_INIT;
        struct saving s = { .seen = sw_map_new(NULL) };
        bool docker = sw_str_eq(cli_str(call, "as"), "docker");
        sw_err *err = store_open(&st, call, true);

        for (size_t i = 0; !err && cli_argument(call, i); i++) {
                sw_auto(sw_image_list) found = { 0 };

                err = image_find(&st, cli_argument(call, i), &found);
                s.w = st.root ? sw__root_worker(st.root) : NULL;
                if (!err)
                        err = add_image(&s, &found.v[0], docker);
        }
        if (!err)
                err = save(&s, docker, cli_str(call, "output"));
        release(&s);
        return err;
}

static const struct cli_flag save_flags[] = {
        { .name = "output",
          .letter = 'o',
          .type = CLI_STRING,
          .complete = CLI_FILES,
          .value = "FILE",
          .help = "write to FILE; - or nothing for standard output" },
        { .name = "as",
          .type = CLI_CHOICE,
          .value = "oci|docker",
          .help = "oci, or docker, for docker load, too" },
        { .name = NULL },
};

static const struct cli_arg save_args[] = {
        { .name = "NAME",
          .min = 1,
          .max = CLI_MANY,
          .complete = CLI_IMAGES,
          .help = "an image; app is docker.io/library/app:latest" },
        { .name = NULL },
};

CLI_VERB(images_save) = {
        .name = "images save",
        .summary = "write images to an archive",
        .details = "The archive has all images that are named, each blob once. skopeo and "
                   "podman read it; with --as docker, docker load does, too.\n"
                   "\n"
                   "  slipway images save app:1 -o app.tar\n"
                   "  slipway images save --as docker app:1 | docker load\n",
        .flags = save_flags,
        .args = save_args,
        .run = run_save,
};
