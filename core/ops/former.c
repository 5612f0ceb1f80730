/*
 * core/ops/former.c - what a step copied when it ran last. See former.h.
 *
 *      magic | id of the layer, NULs behind it | marks, sorted
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include <slipway/array.h>
#include <slipway/path.h>

#include "core/ops/former.h"

#define MAGIC    "swcopy 1"
#define MAX_FILE ((size_t) 1 << 30)

struct header {
        char magic[8];
        char layer[136];
};

struct sw__former {
        sw_worker *w;
        sw_ctx *ctx;
        char *name;
        bool loaded, spoiled;
        sw_ref *ref; /* holds the layer; or NULL */
        char layer[136];
        sw_buf old; /* header and marks of the layer */
        SW_ARRAY(sw_digest) marks;
};

sw__former *
sw__former_new(sw_worker *w, sw_ctx *ctx, const char *name, bool use)
{
        sw__former *f = sw_new(sw__former);
        const sw_digest d = sw_digest_of(name, strlen(name));
        char hex[SW_DIGEST_HEX_LEN + 1];

        f->w = w;
        f->ctx = ctx;
        f->name = sw_asprintf("copy-%s", sw_digest_hex(&d, hex));
        f->loaded = !use;
        sw_buf_init(&f->old);
        return f;
}

void
sw__former_free(sw__former *f)
{
        if (!f)
                return;
        sw_ref_unref(f->ref);
        sw_buf_release(&f->old);
        sw_array_release(&f->marks);
        free(f->name);
        free(f);
}

/* ---- the layer that was made last ---- */

static sw_err *
read_file(sw__former *f)
{
        sw_auto(sw_fd) dirfd = -1;
        struct header h;
        sw_err *err = sw__worker_hashes(f->w, &dirfd);

        if (!err)
                err = sw_path_get(dirfd, f->name, MAX_FILE, &f->old);
        if (err)
                return err;
        if (f->old.len < sizeof(h) || (f->old.len - sizeof(h)) % sizeof(sw_digest) != 0)
                return sw_err_new(SW_E_CORRUPT, "%s is no list of files", f->name);
        memcpy(&h, f->old.data, sizeof(h));
        if (memcmp(h.magic, MAGIC, sizeof(h.magic)) != 0 || h.layer[sizeof(h.layer) - 1])
                return sw_err_new(SW_E_CORRUPT, "%s is no list of files", f->name);
        memcpy(f->layer, h.layer, sizeof(f->layer));
        return sw_id_check("layer", f->layer);
}

const char *
sw__former_load(sw__former *f)
{
        const char *own;
        sw_err *err;

        if (!f->loaded) {
                f->loaded = true;
                err = read_file(f);
                if (!err)
                        err = sw_worker_load(f->w, f->ctx, f->layer, &f->ref);
                sw_err_drop(err, "all files are copied then");
        }
        own = f->ref ? sw__ref_own_layer(f->ref) : NULL;
        return own && strcmp(own, f->layer) == 0 ? f->layer : NULL;
}

/* ---- marks ---- */

sw_digest
sw__former_mark(sw_hasher *h, const char *path, const sw_digest *content,
                const struct sw_layer_meta *m)
{
        const struct {
                uint64_t mode, uid, gid;
                int64_t mtime;
        } meta = { m->mode, m->uid, m->gid, m->mtime };

        sw_hasher_add(h, content->b, sizeof(content->b));
        sw_hasher_add(h, &meta, sizeof(meta));
        sw_hasher_add(h, path, strlen(path));
        return sw_hasher_finish(h);
}

static int
cmp_marks(const void *a, const void *b)
{
        return memcmp(a, b, sizeof(sw_digest));
}

bool
sw__former_has(const sw__former *f, const sw_digest *mark)
{
        if (!f->ref)
                return false;
        return bsearch(mark, f->old.data + sizeof(struct header),
                       (f->old.len - sizeof(struct header)) / sizeof(*mark), sizeof(*mark),
                       cmp_marks) != NULL;
}

void
sw__former_add(sw__former *f, const sw_digest *mark)
{
        sw_array_push(&f->marks, *mark);
}

void
sw__former_spoil(sw__former *f)
{
        f->spoiled = true;
}

void
sw__former_keep(sw__former *f, const char *layer)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;
        sw_auto(sw_fd) dirfd = -1;
        struct header h = { .magic = MAGIC };
        sw_err *err;

        if (f->spoiled || f->marks.n < SW__FORMER_LEAST || strlen(layer) >= sizeof(h.layer))
                return;
        (void) snprintf(h.layer, sizeof(h.layer), "%s", layer);
        qsort(f->marks.v, f->marks.n, sizeof(*f->marks.v), cmp_marks);
        sw_buf_reserve(&b, sizeof(h) + f->marks.n * sizeof(*f->marks.v));
        sw_buf_add(&b, &h, sizeof(h));
        sw_buf_add(&b, f->marks.v, f->marks.n * sizeof(*f->marks.v));
        err = sw__worker_hashes(f->w, &dirfd);
        if (!err)
                err = sw_path_put(dirfd, f->name, b.data, b.len);
        sw_err_drop(err, "the next run copies all files then");
}
