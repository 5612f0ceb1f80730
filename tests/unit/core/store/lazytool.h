/*
 * tests/unit/core/store/lazytool.h - a source whose blobs are their own names: the blob
 * "one" holds the tar "tar of one", which is a file "one" with these bytes. What it does is
 * told by letters in the locator. Every unpacking leaves a line in <root>.log, so that
 * several processes can be counted.
 */
#ifndef SLIPWAY_TESTS_LAZYTOOL_H
#define SLIPWAY_TESTS_LAZYTOOL_H

#include <stdatomic.h>

#include <slipway/source.h>
#include <slipway/time.h>

#include "tests/unit/core/store/blobtool.h"

struct lazy_source {
        atomic_int unpacked, fetched, running, most; /* most: at the same time */
        atomic_int fail;                             /* that many calls of "f" still fail */
        atomic_bool hold;                            /* "h" waits until this is false */
        atomic_int holding;
        sw_session *_Atomic session; /* of the last call */
};
static struct lazy_source lazy;

static inline sw_digest
lazy_digest(const char *name)
{
        return sw_digest_of(name, strlen(name));
}

/* What blob it is: the locator is "LETTERS:NAME". */
static inline const char *
lazy_name(const char *locator)
{
        return strchr(locator, ':') + 1;
}

static inline bool
lazy_says(const char *locator, char letter)
{
        const char *p = strchr(locator, letter);

        return p && p < strchr(locator, ':');
}

static inline void
lazy_log(const char *name)
{
        sw_auto(sw_str) path = sw_asprintf("%s.log", dir);
        sw_auto(sw_str) line = sw_asprintf("%s\n", name);
        sw_auto(sw_fd) fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

        if (fd < 0 || write(fd, line, strlen(line)) != (ssize_t) strlen(line))
                abort();
}

/* How often a blob was unpacked, by anybody. */
static inline int
lazy_logged(const char *name)
{
        sw_auto(sw_str) path = sw_asprintf("%s.log", dir);
        char line[256];
        int n = 0;
        FILE *f = fopen(path, "r");

        while (f && fgets(line, sizeof(line), f))
                n += strlen(line) == strlen(name) + 1 &&
                     strncmp(line, name, strlen(name)) == 0;
        if (f)
                fclose(f);
        return n;
}

static sw_err *
lazy_wait(sw_ctx *ctx)
{
        sw_err *err = SW_OK;

        atomic_fetch_add(&lazy.holding, 1);
        while (!err && atomic_load(&lazy.hold)) {
                (void) sw_cancel_wait(sw_ctx_cancel(ctx), SW_NS_PER_MS);
                err = sw_ctx_check(ctx);
        }
        atomic_fetch_sub(&lazy.holding, 1);
        return err;
}

static sw_err *
lazy_tell(sw_ctx *ctx, const char *locator, const struct sw_layer_ops *ops, void *writer,
          sw_strlist *implied)
{
        const struct sw_layer_meta m = { .mode = 0644 }, d = { .mode = 0755 };
        const char *name = lazy_name(locator);
        sw_err *err = SW_OK;

        if (lazy_says(locator, 'd')) { /* it is in a directory that it does not have */
                sw_auto(sw_str) path = sw_asprintf("dir/%s", name);

                err = ops->mkdir(writer, "dir", &d);
                sw_strlist_add(implied, "dir");
                if (!err)
                        err = ops->data(writer, path, &m, name, strlen(name));
        }
        if (!err)
                err = ops->data(writer, name, &m, name, strlen(name));
        if (!err && lazy_says(locator, 'h'))
                err = lazy_wait(ctx);
        if (!err && lazy_says(locator, 'f') && atomic_fetch_sub(&lazy.fail, 1) > 0)
                err = sw_err_new(SW_E_CORRUPT, "the blob %s lies", name);
        return err;
}

static sw_err *
lazy_unpack(void *self, sw_ctx *ctx, sw_session *session, sw_worker *worker,
            const char *locator, const struct sw_blob *blob, const struct sw_layer_ops *ops,
            void *writer, sw_strlist *implied)
{
        const int now = atomic_fetch_add(&lazy.running, 1) + 1;
        int most = atomic_load(&lazy.most);

        (void) self;
        (void) worker;
        (void) blob;
        lazy.session = session;
        while (now > most && !atomic_compare_exchange_weak(&lazy.most, &most, now)) {
        }
        sw_err *err = lazy_tell(ctx, locator, ops, writer, implied);
        atomic_fetch_sub(&lazy.running, 1);
        if (err)
                return err;
        atomic_fetch_add(&lazy.unpacked, 1);
        lazy_log(lazy_name(locator));
        return SW_OK;
}

static sw_err *
lazy_fetch(void *self, sw_ctx *ctx, sw_session *session, sw_worker *worker,
           const char *locator, const struct sw_blob *blob)
{
        (void) self;
        (void) ctx;
        (void) blob;
        lazy.session = session;
        atomic_fetch_add(&lazy.fetched, 1);
        if (lazy_says(locator, 'f') && atomic_fetch_sub(&lazy.fail, 1) > 0)
                return sw_err_new(SW_E_NOT_FOUND, "%s is not there", locator);
        (void) put_blob(worker, lazy_name(locator));
        return SW_OK;
}

static const struct sw_source_ops lazy_ops = {
        .hdr = SW_OPS_SIZE(struct sw_source_ops),
        .blob_fetch = lazy_fetch,
        .blob_unpack = lazy_unpack,
};

static inline void
lazy_open(void)
{
        open_root();
        sw__root_use_source(root, &lazy_ops, NULL);
}

static inline void
lazy_before(void)
{
        memset(&lazy, 0, sizeof(lazy));
        before();
        sw__root_use_source(root, &lazy_ops, NULL);
}

static inline void
lazy_after(void)
{
        sw_auto(sw_str) path = sw_asprintf("%s.log", dir);

        (void) unlink(path);
        after();
}

static inline void
lazy_reopen(void)
{
        sw__root_close(root);
        lazy_open();
}

/* A lazy layer on @parent. @locator: "LETTERS:NAME". */
static inline sw_err *
lazy_try(sw_ref *parent, const char *locator, sw_ref **out)
{
        const struct sw_blob_origin origin = { "fake", locator };
        sw_auto(sw_str) tar = sw_asprintf("tar of %s", lazy_name(locator));
        const struct sw_blob b = blob_of(lazy_name(locator), tar);

        return sw_worker_blob_layer(w, NULL, parent, &b, &origin,
                                    SW_REF_DESC(.description = locator), out);
}

static inline sw_ref *
lazy_make(sw_ref *parent, const char *locator)
{
        sw_ref *r;

        ok(lazy_try(parent, locator, &r));
        return r;
}

/* n layers, "a" to ..., one on the other; the top one. */
static inline sw_ref *
lazy_chain(int n, const char *letters)
{
        sw_ref *top = NULL;

        for (int i = 0; i < n; i++) {
                sw_auto(sw_str) locator = sw_asprintf("%s:%c", letters, 'a' + i);
                sw_ref *next = lazy_make(top, locator);

                sw_ref_unref(top);
                top = next;
        }
        return top;
}

static inline void
lazy_chain_name(char out[96], int n)
{
        static const char *const tars[] = {
                "tar of a", "tar of b", "tar of c", "tar of d",
                "tar of e", "tar of f", "tar of g", "tar of h"
        };

        (void) chain_name(out, (size_t) n, tars);
}

/* How many layers of the tree have no files. */
static inline size_t
lazy_count(sw_ref *r)
{
        sw_chain *c;
        size_t n = 0;

        ok(sw_ref_chain(w, NULL, r, &c));
        for (size_t i = 0; i < sw_chain_count(c); i++)
                n += sw_chain_get(c, i)->lazy;
        sw_chain_free(c);
        return n;
}

/* Whether layer @id has a file @path with the bytes @text. */
static inline bool
lazy_has(const char *id, const char *path, const char *text)
{
        sw_auto(sw_str) full = sw_asprintf("%s/snapshots/fake/%s/data/%s", dir, id, path);
        sw_auto(sw_fd) fd = open(full, O_RDONLY | O_CLOEXEC);
        char buf[64] = "";

        return fd >= 0 && read(fd, buf, sizeof(buf) - 1) == (ssize_t) strlen(text) &&
               strcmp(buf, text) == 0;
}

/* Layers that are not whole. */
static inline int
lazy_rubbish(void)
{
        sw_auto(sw_str) path = sw_asprintf("%s/snapshots/fake", dir);
        DIR *d = opendir(path);
        struct dirent *e;
        int n = 0;

        while (d && (e = readdir(d))) {
                sw_auto(sw_str) committed = sw_asprintf("%s/%s/committed", path, e->d_name);

                n += *e->d_name != '.' && access(committed, F_OK) < 0;
        }
        if (d)
                closedir(d);
        return n;
}

#endif
