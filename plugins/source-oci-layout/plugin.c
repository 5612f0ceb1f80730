/*
 * plugins/source-oci-layout/plugin.c - oci-layout://NAME: images in directories that have
 * the OCI image layout, and oci-layout+blob://NAME@DIGEST: a blob of one as a file.
 *
 * The directory is one that the client offers ("oci:STORE" among the session's
 * directories), or one that the option `layouts` names. The locator of a layer is the name
 * of the store.
 * Thread: any; one instance by one thread at a time.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <slipway/path.h>
#include <slipway/source.h>
#include <slipway/text.h>

#include "lib/imagesource/imagesource.h"

#define BLOB_SCHEME "oci-layout+blob://"
#define REF_NAME    "org.opencontainers.image.ref.name"
#define FULL_NAME   "io.containerd.image.name"

enum { PIECE = 256 * 1024 };

struct layouts {
        struct sw_image_place place; /* first, for lib/imagesource */
        const sw_strlist *named;     /* "NAME=DIR" of the configuration */
};

/* ---- a directory as a place ---- */

/* The directory of a store. */
static sw_err *
open_store(const struct layouts *l, sw_ctx *ctx, sw_session *session, const char *store,
           int *dirfd)
{
        const size_t n = strlen(store);
        sw_err *err = SW_OK;

        for (size_t i = 0; i < l->named->n; i++) {
                const char *s = l->named->v[i];

                if (strncmp(s, store, n) != 0 || s[n] != '=')
                        continue;
                *dirfd = open(s + n + 1, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                return *dirfd < 0 ? sw_err_sys(SW_E_CONFIG, errno,
                                               "option layouts: open %s", s + n + 1)
                                  : SW_OK;
        }
        if (session) {
                sw_auto(sw_str) name = sw_asprintf("oci:%s", store);

                err = sw_session_directory(session, ctx, name, dirfd);
                if (sw_err_code(err) != SW_E_NOT_FOUND)
                        return err;
                sw_err_drop(err, "told in other words");
        }
        return sw_err_new(SW_E_NOT_FOUND,
                          "OCI layout %.128s is not offered: name it with --oci-layout "
                          "%.128s=DIR",
                          store, store);
}

/* The file of a blob, of the size that is expected (-1: any). */
static sw_err *
open_blob(const struct layouts *l, sw_ctx *ctx, sw_session *session, const char *store,
          const sw_digest *digest, int64_t size, int *fd, int64_t *is)
{
        char hex[SW_DIGEST_HEX_LEN + 1];
        sw_auto(sw_str) path = sw_asprintf("blobs/sha256/%s", sw_digest_hex(digest, hex));
        sw_auto(sw_fd) dir = -1;
        sw_auto(sw_fd) file = -1;
        struct stat st;
        sw_err *err = open_store(l, ctx, session, store, &dir);

        if (!err)
                err = sw_path_open(dir, path, O_RDONLY | O_NONBLOCK, 0, &file);
        if (err)
                return sw_err_wrap(err, "OCI layout %s", store);
        if (fstat(file, &st) < 0)
                return sw_err_sys(SW_E_IO, errno, "look at %s", path);
        if (!S_ISREG(st.st_mode))
                return sw_err_new(SW_E_INVALID, "%s is no regular file", path);
        if (size >= 0 && st.st_size != size)
                return sw_err_new(SW_E_CORRUPT, "%s has %lld bytes, not %lld", path,
                                  (long long) st.st_size, (long long) size);
        *fd = sw_fd_steal(&file);
        *is = st.st_size;
        return SW_OK;
}

static sw_err *
layout_document(void *self, sw_ctx *ctx, sw_session *session, const char *store,
                const sw_desc *d, size_t max, sw_buf *out)
{
        sw_auto(sw_fd) fd = -1;
        int64_t size;
        sw_err *err = open_blob(self, ctx, session, store, &d->digest, d->size, &fd, &size);

        return err ? err : sw_buf_read_fd(out, fd, max, "a document of an OCI layout");
}

static sw_err *
send_blob(sw_ctx *ctx, int fd, sw_hasher *h, const struct sw_image_sink *sink)
{
        sw_auto(sw_str) piece = sw_alloc(PIECE);
        int64_t done = 0;
        sw_err *err;

        for (;;) {
                ssize_t n = read(fd, piece, PIECE);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return sw_err_sys(SW_E_IO, errno, "read a blob");
                if (n == 0)
                        return SW_OK;
                sw_hasher_add(h, piece, (size_t) n);
                err = sw_ctx_check(ctx);
                if (!err)
                        err = sink->write(sink->arg, piece, (size_t) n);
                if (err)
                        return err;
                done += n;
                if (sink->progress)
                        sink->progress(sink->arg, done);
        }
}

static sw_err *
layout_blob(void *self, sw_ctx *ctx, sw_session *session, const char *store,
            const sw_desc *d, const struct sw_image_sink *sink)
{
        sw_autoptr(sw_hasher) h = sw_hasher_new();
        char digest[SW_DIGEST_STR_SIZE];
        sw_auto(sw_fd) fd = -1;
        int64_t size;
        sw_err *err = open_blob(self, ctx, session, store, &d->digest, d->size, &fd, &size);

        if (!err)
                err = send_blob(ctx, fd, h, sink);
        if (err)
                return err;
        const sw_digest is = sw_hasher_finish(h);
        return sw_digest_eq(&is, &d->digest)
                       ? SW_OK
                       : sw_err_new(SW_E_CORRUPT,
                                    "OCI layout %s: blob %s is not what its name says",
                                    store, sw_digest_str(&d->digest, digest));
}

/* ---- tags ---- */

/* Whether an entry of index.json goes by @tag: its name, or the end of its full name. */
static bool
has_tag(const sw_desc *d, const char *tag)
{
        const char *name = sw_pairs_get(&d->annotations, REF_NAME);
        const char *full = sw_pairs_get(&d->annotations, FULL_NAME);
        const char *colon = full ? strrchr(full, ':') : NULL;

        return sw_str_eq(name, tag) || (colon && strcmp(colon + 1, tag) == 0);
}

static sw_err *
find_tag(const sw_manifest *index, const char *store, const char *tag, sw_desc *out)
{
        const sw_desc *found = NULL;
        size_t n = 0;

        for (size_t i = 0; i < index->entries.n; i++)
                if (!tag || has_tag(&index->entries.v[i], tag)) {
                        found = &index->entries.v[i];
                        n++;
                }
        if (n == 1) {
                sw_desc_copy(out, found);
                return SW_OK;
        }
        if (tag && n > 1)
                return sw_err_new(SW_E_INVALID,
                                  "OCI layout %s: %zu entries of its index.json are called "
                                  "%.128s",
                                  store, n, tag);
        return sw_err_new(SW_E_NOT_FOUND,
                          tag ? "OCI layout %s: nothing in its index.json is called %.128s"
                              : "OCI layout %s: its index.json does not have just one "
                                "image: name a tag or digest%s",
                          store, tag ? tag : "");
}

static sw_err *
layout_resolve(void *self, sw_ctx *ctx, sw_session *session, const char *store,
               const char *tag, const sw_digest *digest, sw_desc *out, sw_buf *body)
{
        sw_auto(sw_manifest) index = { 0 };
        sw_auto(sw_buf) text = SW_BUF_INIT;
        sw_auto(sw_fd) fd = -1;
        int64_t size;
        sw_err *err;

        if (digest) {
                err = open_blob(self, ctx, session, store, digest, -1, &fd, &size);
                if (!err)
                        err = sw_buf_read_fd(body, fd, SW_MANIFEST_MAX, "a manifest");
                if (!err)
                        err = sw_manifest_parse(NULL, body->data, body->len, &index);
                if (!err)
                        *out = (sw_desc){
                                .media_type = sw_strdup(index.media_type),
                                .digest = *digest,
                                .size = size,
                        };
                return err;
        }
        err = open_store(self, ctx, session, store, &fd);
        if (!err)
                err = sw_buf_read_file(&text, fd, "index.json", SW_MANIFEST_MAX);
        if (!err)
                err = sw_manifest_parse(SW_MT_OCI_INDEX, text.data, text.len, &index);
        if (err)
                return sw_err_wrap(err, "OCI layout %s: index.json", store);
        return find_tag(&index, store, tag, out);
}

/* ---- the source ---- */

/* NAME[:TAG][@DIGEST] */
static sw_err *
split_name(const char *text, char **store, char **tag, bool *pinned, sw_digest *digest)
{
        const char *at = strchr(text, '@');
        const size_t n = at ? (size_t) (at - text) : strlen(text);
        const char *colon = memrchr(text, ':', n);
        const char *slash = memrchr(text, '/', n);

        if (colon && slash && colon < slash)
                colon = NULL; /* of a port */
        *store = sw_strndup(text, colon ? (size_t) (colon - text) : n);
        if (colon)
                *tag = sw_strndup(colon + 1, n - (size_t) (colon + 1 - text));
        *pinned = at != NULL;
        if (!**store || (*tag && !**tag))
                return sw_err_new(SW_E_INVALID,
                                  "%.200s: an OCI layout is named "
                                  "NAME[:TAG][@sha256:…]",
                                  text);
        return at ? sw_digest_parse(at + 1, SIZE_MAX, digest) : SW_OK;
}

static sw_err *
layout_open(void *self, sw_ctx *ctx, const struct sw_source_request *req, void **inst)
{
        const struct layouts *l = self;
        const char *scheme = strstr(req->identifier, "://");
        const char *text = scheme ? scheme + 3 : req->identifier;
        const char *given = sw_attr_get(req->attrs, req->n_attrs, "oci.store");
        sw_auto(sw_str) store = NULL;
        sw_auto(sw_str) tag = NULL;
        const bool blob = sw_str_has_prefix(req->identifier, BLOB_SCHEME);
        bool pinned;
        sw_digest digest;
        sw_err *err = split_name(text, &store, &tag, &pinned, &digest);
        const struct sw_image_source_opts opts = {
                .place = &l->place,
                .locator = given && *given ? given : store,
                .shown = text,
                .tag = tag,
                .digest = pinned ? &digest : NULL,
                .order = SW_IMAGE_PLACE_ONLY,
                .req = req,
        };

        (void) ctx;
        if (err)
                return err;
        if (blob && !(given && *given))
                return sw_err_new(SW_E_INVALID, "oci-layout blob source requires store id");
        return sw_image_table_open(&opts, blob, inst);
}

/* ---- the plugin ---- */

static sw_err *
layout_init(const struct sw_plugin_env *env, void **self)
{
        const sw_strlist *named = sw_options_list(env->options, "layouts");

        for (size_t i = 0; i < named->n; i++) {
                const char *eq = strchr(named->v[i], '=');

                if (!eq || eq == named->v[i] || eq[1] != '/')
                        return sw_err_new(SW_E_CONFIG,
                                          "option layouts: %.200s is not NAME=/DIRECTORY",
                                          named->v[i]);
        }
        struct layouts *l = sw_new(struct layouts);
        l->named = named;
        l->place = (struct sw_image_place){
                .plugin = "oci-layout",
                .self = l,
                .keep_blobs = sw_options_bool(env->options, "keepBlobs"),
                .resolve = layout_resolve,
                .document = layout_document,
                .blob = layout_blob,
        };
        *self = l;
        return SW_OK;
}

static void
layout_shutdown(void *self)
{
        free(self);
}

static const struct sw_option options[] = {
        { "layouts", SW_OPT_LIST, NULL,
          "directories that builds may use: NAME=/DIRECTORY" },
        { "keepBlobs", SW_OPT_BOOL, "true",
          "keep layers packed, too, for exporting them without the directory" },
        { NULL, 0, NULL, NULL },
};

static const char *const schemes[] = { "oci-layout", "oci-layout+blob", NULL };

static const struct sw_source_ops ops = {
        .hdr = SW_OPS_SIZE(struct sw_source_ops),
        .schemes = schemes,
        .open = layout_open,
        .cache_key = sw_image_table_key,
        .snapshot = sw_image_table_snapshot,
        .close = sw_image_table_close,
        .resolve = sw_image_table_resolve,
        .blob_fetch = sw_image_table_blob_fetch,
        .blob_unpack = sw_image_table_blob_unpack,
};

SW_PLUGIN(source_oci_layout) = {
        SW_PLUGIN_V1(SW_KIND_SOURCE, "oci-layout"),
        .summary = "images in directories of the OCI layout",
        .options = options,
        .ops = &ops.hdr,
        .init = layout_init,
        .shutdown = layout_shutdown,
};
