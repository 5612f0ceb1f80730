/*
 * plugins/source-local/dirref.c - the ref: a listing of the directory, and a copy of it for
 * those that need a directory of the store (a command's mounts, a base to write on).
 *
 * The copy is made when it is asked for first. Its names in the store are made of
 * everything that is in it, by digest where all of that is known, and by the state of its
 * files where none of them changed just now: the same directory is copied once. Thread:
 * any.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <slipway/time.h>

#include "plugins/source-local/local.h"

#define MAX_XATTRS 65536

struct dirref {
        struct sw_listing listing;
        sw_worker *worker;
        char *name;
        struct list *list;
        int dirfd;
        int statedir;
        char *cache_name;
        const struct local *local; /* or NULL */
        pthread_mutex_t lock;      /* items of the list, and the counts */
        size_t known;              /* items with a digest that is worth keeping */
        size_t learnt;             /* of them, since the state was written */
        pthread_mutex_t copying;
        sw_ref *copy;
};

/* ---- the listing ---- */

static void
get_stat(void *self, size_t i, struct stat *st)
{
        struct dirref *d = self;
        const struct sw_entry *e = &d->list->v[i];

        (void) pthread_mutex_lock(&d->lock);
        const struct item it = d->list->items[i];
        (void) pthread_mutex_unlock(&d->lock);
        *st = (struct stat){
                .st_dev = it.dev,
                .st_ino = it.ino,
                .st_mode = it.mode,
                .st_nlink = 1,
                .st_uid = e->uid,
                .st_gid = e->gid,
                .st_rdev = e->rdev,
                .st_size = it.size,
        };
        st->st_mtim = sw_time_to_spec(it.mtime);
        st->st_ctim = sw_time_to_spec(it.ctime);
}

static bool
get_known(void *self, size_t i, sw_digest *out)
{
        struct dirref *d = self;

        (void) pthread_mutex_lock(&d->lock);
        bool known = d->list->items[i].known;
        if (known)
                *out = d->list->items[i].digest;
        (void) pthread_mutex_unlock(&d->lock);
        return known;
}

static void
learn(void *self, size_t i, const struct stat *st, const sw_digest *digest)
{
        struct dirref *d = self;
        struct item *it = &d->list->items[i];

        (void) pthread_mutex_lock(&d->lock);
        if (it->dev != st->st_dev || it->ino != st->st_ino || it->size != st->st_size ||
            it->mtime != sw_time_from_spec(&st->st_mtim) ||
            it->ctime != sw_time_from_spec(&st->st_ctim))
                it->racy = true; /* it changed since the walk, so just now */
        it->dev = st->st_dev;
        it->ino = st->st_ino;
        it->size = st->st_size;
        it->mtime = sw_time_from_spec(&st->st_mtim);
        it->ctime = sw_time_from_spec(&st->st_ctim);
        it->digest = *digest;
        if (!it->racy) {
                d->known += !it->known;
                d->learnt++;
        }
        it->known = true;
        (void) pthread_mutex_unlock(&d->lock);
}

static void
save_locked(struct dirref *d)
{
        if (d->statedir >= 0 && d->learnt > 0)
                statcache_save(d->statedir, d->cache_name, d->list,
                               d->local ? d->local->log : NULL);
        d->learnt = 0;
}

/* The file is written whole: only when there is much that is new. The rest is written when
 * the ref goes. */
static void
settle(void *self, sw_ctx *ctx)
{
        struct dirref *d = self;

        (void) ctx;
        (void) pthread_mutex_lock(&d->lock);
        if (d->learnt >= 1000 && d->learnt >= d->known / 4)
                save_locked(d);
        (void) pthread_mutex_unlock(&d->lock);
}

/* ---- the copy ---- */

struct copier {
        struct dirref *d;
        sw_ctx *ctx;
        const struct sw_layer_ops *ops;
        void *w;
        char *value; /* room for an extended attribute */
};

static struct sw_layer_meta
meta_of(const struct sw_entry *e, int64_t mtime)
{
        return (struct sw_layer_meta){ e->mode & 07777, e->uid, e->gid, mtime };
}

/* Those of the user, and capabilities: what is in an image. */
static sw_err *
copy_xattrs(struct copier *c, const struct sw_entry *e, int fd)
{
        char names[4096];
        ssize_t n = flistxattr(fd, names, sizeof(names));

        for (ssize_t i = 0; i < n; i += (ssize_t) strlen(names + i) + 1) {
                const char *name = names + i;

                if ((strncmp(name, "user.", 5) != 0 &&
                     strcmp(name, "security.capability") != 0) ||
                    strncmp(name, "user.overlay.", 13) == 0)
                        continue;
                ssize_t len = fgetxattr(fd, name, c->value, MAX_XATTRS);
                if (len < 0)
                        continue; /* gone meanwhile */
                sw_err *err = c->ops->xattr(c->w, e->path, name, c->value, (size_t) len);
                if (err)
                        return err;
        }
        return SW_OK;
}

static sw_err *
copy_file(struct copier *c, size_t i)
{
        const struct sw_entry *e = &c->d->list->v[i];
        sw_auto(sw_fd) fd = -1;
        struct stat st;
        sw_err *err = sw_listing_open(&c->d->listing, i, &fd, &st);

        if (err)
                return err;
        struct sw_layer_meta m = meta_of(e, sw_time_from_spec(&st.st_mtim));
        err = c->ops->file(c->w, e->path, &m, fd, 0, st.st_size);
        if (!err)
                err = copy_xattrs(c, e, fd);
        if (!err)
                err = sw_listing_check(&c->d->listing, i, fd, &st);
        return err;
}

static sw_err *
copy_dir(struct copier *c, size_t i)
{
        const struct sw_entry *e = &c->d->list->v[i];
        struct sw_layer_meta m = meta_of(e, e->mtime);
        sw_auto(sw_fd) fd = -1;
        struct stat st;
        sw_err *err = c->ops->mkdir(c->w, e->path, &m);

        if (!err)
                err = sw_listing_open(&c->d->listing, i, &fd, &st);
        return err ? err : copy_xattrs(c, e, fd);
}

static sw_err *
copy_hardlink(struct copier *c, size_t i)
{
        const struct sw_entry *e = &c->d->list->v[i];
        struct stat st;

        get_stat(c->d, e->same_as - 1, &st);
        const struct sw_layer_meta m = meta_of(e, sw_time_from_spec(&st.st_mtim));
        return c->ops->hardlink(c->w, e->path, c->d->list->v[e->same_as - 1].path, &m);
}

static sw_err *
copy_entry(struct copier *c, size_t i)
{
        const struct sw_entry *e = &c->d->list->v[i];
        struct sw_layer_meta m = meta_of(e, e->mtime);

        if (e->same_as)
                return copy_hardlink(c, i);
        if (S_ISDIR(e->mode))
                return copy_dir(c, i);
        if (S_ISLNK(e->mode))
                return c->ops->symlink(c->w, e->path, &m, e->link);
        if (S_ISREG(e->mode))
                return copy_file(c, i);
        return c->ops->node(c->w, e->path, &m, e->mode & S_IFMT, e->rdev);
}

static sw_err *
copy_all(struct copier *c)
{
        struct sw_layer_meta root = { .mode = 0755 };
        sw_err *err = c->ops->mkdir(c->w, "", &root);

        for (size_t i = 0; i < c->d->list->n && !err; i++) {
                err = sw_ctx_check(c->ctx);
                if (!err)
                        err = sw_err_wrap(copy_entry(c, i), "copy %s",
                                          c->d->list->v[i].path);
        }
        return err;
}

static sw_err *
fill_layer(struct dirref *d, sw_ctx *ctx, sw_layer *layer)
{
        struct copier c = { .d = d, .ctx = ctx };
        sw_err *err = sw_layer_write(layer, ctx, &c.ops, &c.w);

        if (err)
                return err;
        c.value = sw_alloc(MAX_XATTRS);
        err = copy_all(&c);
        free(c.value);
        if (!err)
                return c.ops->finish(c.w);
        c.ops->abandon(c.w);
        return err;
}

/* What an entry adds to the name of the tree: its digest, or else the state of its file.
 * False: that says too little. */
static bool
name_entry(struct dirref *d, size_t i, bool by_digest, sw_hasher *h)
{
        const struct sw_entry *e = &d->list->v[i];

        (void) pthread_mutex_lock(&d->lock);
        const struct item it = d->list->items[i];
        (void) pthread_mutex_unlock(&d->lock);
        if (by_digest ? !it.known : it.racy)
                return false;
        sw_hasher_add(h, e->path, strlen(e->path) + 1);
        sw_hasher_add(h, &it.mtime, sizeof(it.mtime));
        sw_hasher_add(h, &e->same_as, sizeof(e->same_as));
        if (by_digest) {
                sw_hasher_add(h, it.digest.b, sizeof(it.digest.b));
        } else {
                const uint64_t state[] = { it.dev, it.ino, (uint64_t) it.ctime,
                                           (uint64_t) it.size, it.mode };

                sw_hasher_add(h, state, sizeof(state));
        }
        return true;
}

/* A name made of everything in the tree; NULL when that is not known. */
static char *
name_of_all(struct dirref *d, bool by_digest)
{
        sw_autoptr(sw_hasher) h = sw_hasher_new();
        char hex[SW_DIGEST_HEX_LEN + 1];

        for (size_t i = 0; i < d->list->n; i++)
                if (!name_entry(d, i, by_digest, h))
                        return NULL;
        sw_digest all = sw_hasher_finish(h);
        return sw_asprintf("source-local:%s:%s", by_digest ? "content" : "state",
                           sw_digest_hex(&all, hex));
}

static sw_err *
new_copy(struct dirref *d, sw_ctx *ctx, sw_ref **out)
{
        sw_auto(sw_str) description = sw_asprintf("local source for %s", d->name);
        sw_layer *layer = NULL;
        sw_err *err = sw_worker_layer(d->worker, ctx, NULL,
                                      SW_REF_DESC(.description = description,
                                                  .type = "source.local"),
                                      &layer);

        if (err)
                return err;
        err = fill_layer(d, ctx, layer);
        if (!err)
                return sw_layer_commit(layer, ctx, out);
        sw_layer_abandon(layer);
        return err;
}

/* One that was made before is as good, and may have been left by a build long ago. */
static sw_err *
make_copy(struct dirref *d, sw_ctx *ctx, sw_ref **out)
{
        char *names[] = { name_of_all(d, true), name_of_all(d, false) };
        sw_autoptr(sw_ref) copy = NULL;
        bool made = false;
        sw_err *err = SW_OK;

        for (size_t i = 0; i < 2 && !err && !copy; i++)
                if (names[i])
                        err = sw_worker_find(d->worker, ctx, names[i], &copy);
        if (!err && !copy) {
                err = new_copy(d, ctx, &copy);
                made = true;
        }
        for (size_t i = 0; i < 2 && !err && made; i++)
                if (names[i])
                        err = sw_ref_add_name(d->worker, ctx, copy, names[i]);
        free(names[0]);
        free(names[1]);
        if (!err)
                *out = sw_steal(copy);
        return err;
}

static sw_err *
get_stored(void *self, sw_ctx *ctx, sw_ref **out)
{
        struct dirref *d = self;
        sw_err *err = sw_ctx_lock(ctx, &d->copying);

        if (err)
                return err;
        if (!d->copy && !d->worker)
                err = sw_err_new(SW_E_UNSUPPORTED, "there is no store to copy it to");
        else if (!d->copy) {
                sw_progress_note(ctx, "copying local directory %s", d->name);
                err = sw_err_wrap(make_copy(d, ctx, &d->copy), "local directory %s",
                                  d->name);
        }
        if (!err)
                *out = sw_ref_ref(d->copy);
        (void) pthread_mutex_unlock(&d->copying);
        return err;
}

/* ---- the ref ---- */

static const struct sw_listing *
get_listing(void *self)
{
        const struct dirref *d = self;

        return &d->listing;
}

static void
save_and_free(void *arg)
{
        struct dirref *d = arg;

        save_locked(d); /* nobody else has it any more */
        list_free(d->list);
        sw_fd_clear(&d->dirfd);
        sw_fd_clear(&d->statedir);
        free(d->cache_name);
        free(d->name);
        (void) pthread_mutex_destroy(&d->lock);
        (void) pthread_mutex_destroy(&d->copying);
        free(d);
}

/* Nobody waits for the writing but the end of the plugin. */
static void
release(void *self)
{
        struct dirref *d = self;

        sw_ref_unref(d->copy);
        d->copy = NULL;
        if (d->learnt > 0 && d->statedir >= 0 && d->local) {
                sw_err *err = sw_pool_submit(d->local->saver, save_and_free, d);

                if (!err)
                        return;
                sw_err_drop(err, "it is written at once then");
        }
        save_and_free(d);
}

static const struct sw_ref_ops ops = {
        .size = sizeof(ops),
        .release = release,
        .listing = get_listing,
        .stored = get_stored,
};

sw_ref *
dirref_new(sw_worker *worker, const char *name, int dirfd, struct list *list, int statedir,
           const char *cache_name, const struct local *local)
{
        struct dirref *d = sw_new(struct dirref);
        sw_auto(sw_str) id = sw_asprintf("local:%s", name);

        d->worker = worker;
        d->name = sw_strdup(name);
        d->list = list;
        d->dirfd = dirfd;
        d->statedir = statedir;
        d->cache_name = sw_strdup(cache_name);
        d->local = local;
        for (size_t i = 0; i < list->n; i++)
                d->known += list->items[i].known;
        (void) pthread_mutex_init(&d->lock, NULL);
        (void) pthread_mutex_init(&d->copying, NULL);
        d->listing = (struct sw_listing){
                .size = sizeof(d->listing),
                .n = list->n,
                .v = list->v,
                .dirfd = dirfd,
                .self = d,
                .stat = get_stat,
                .known = get_known,
                .learn = learn,
                .settle = settle,
        };
        return sw_ref_new(id, &ops, d);
}
