/*
 * core/ops/execcache.c - cache mounts: mutable trees by name, and who shares them.
 *
 *      (none) -> TAKING -> SHARED (users > 0) -> GIVING BACK -> (none)
 *                  | \---> ALONE (one user) ------/
 *                  \-> (none), with nobody waiting longer: the next one tries
 *
 * Shared caches of this process stand in a table; whoever asks for one that is being taken
 * or given back waits, so that two never get different trees. A mount is used up by the
 * container that gets it, so each user has a copy of it; kernels before 6.15 make no copies
 * of mounts that are attached nowhere, and there one user follows the other (ALONE).
 * Another process that has the tree is not waited for: then this one gets a tree of its
 * own, as with private ones.
 *
 * The lock guards the table and the entries' state; it is not held across calls of the
 * worker. Thread: any.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>

#include <slipway/digest.h>
#include <slipway/map.h>
#include <slipway/time.h>

#include "core/ops/exec.h"

#define NAME_MAX_BYTES 300 /* longer ids are digested */
#define POLL_NS        (50 * SW_NS_PER_MS)

struct sw__cache {
        char *name;
        enum { CACHE_TAKING, CACHE_SHARED, CACHE_ALONE, CACHE_GIVING_BACK } state;
        unsigned users;
        sw_layer *layer;
        const struct sw_snapshot_mount *m; /* never attached itself while it is SHARED */
};

struct sw_caches {
        pthread_mutex_t lock;
        sw_map *by_name; /* borrowed struct sw__cache */
};

sw_caches *
sw__caches_new(void)
{
        sw_caches *c = sw_new(sw_caches);

        pthread_mutex_init(&c->lock, NULL);
        c->by_name = sw_map_new(NULL);
        return c;
}

void
sw__caches_free(sw_caches *c)
{
        if (!c)
                return;
        sw_map_free(c->by_name);
        pthread_mutex_destroy(&c->lock);
        free(c);
}

char *
sw__cache_name(const char *id, const sw_ref *parent)
{
        sw_auto(sw_str) full = sw_asprintf("%s%s%s", id, parent ? ":" : "",
                                           parent ? sw_ref_id(parent) : "");

        if (strlen(full) <= NAME_MAX_BYTES)
                return sw_asprintf("cache-dir:%s", full);
        char text[SW_DIGEST_STR_SIZE];
        sw_digest d = sw_digest_of(full, strlen(full));
        return sw_asprintf("cache-dir:%s", sw_digest_str(&d, text));
}

static sw_err *
take_layer(const struct sw_ops_env *env, sw_ctx *ctx, const char *name, bool wait,
           sw_ref *parent, const char *description, sw_layer **layer,
           const struct sw_snapshot_mount **m)
{
        sw_err *err =
                sw_worker_take(env->worker, ctx, name, parent,
                               SW_REF_DESC(.description = description,
                                           .type = "exec.cachemount", .is_mutable = true),
                               wait, false, layer);

        if (err)
                return err;
        err = sw_layer_mount(*layer, ctx, m);
        if (err) {
                sw_err_drop(sw_layer_release(*layer, NULL), "the first error is the one");
                *layer = NULL;
        }
        return err;
}

/* The entry of that name that can be used, or a new one that is being taken, by us. Waits
 * for those on their way. NULL when cancelled. */
static struct sw__cache *
enter(sw_caches *t, sw_ctx *ctx, const char *name, bool *ours)
{
        for (;;) {
                pthread_mutex_lock(&t->lock);
                struct sw__cache *c = sw_map_get(t->by_name, name);
                *ours = !c;
                if (!c) {
                        c = sw_new(struct sw__cache);
                        c->name = sw_strdup(name);
                        (void) sw_map_set(t->by_name, name, c);
                }
                if (*ours || c->state == CACHE_SHARED) {
                        c->users++;
                        pthread_mutex_unlock(&t->lock);
                        return c;
                }
                pthread_mutex_unlock(&t->lock);
                if (sw_cancel_wait(sw_ctx_cancel(ctx), POLL_NS / 10))
                        return NULL;
        }
}

static void
forget(sw_caches *t, struct sw__cache *c)
{
        pthread_mutex_lock(&t->lock);
        (void) sw_map_remove(t->by_name, c->name);
        pthread_mutex_unlock(&t->lock);
        free(c->name);
        free(c);
}

/* Another mount of the same tree; a directory that is no mount of its own can be used by
 * all. *alone: this kernel makes none, and there is no error. */
static sw_err *
copy_mount(const struct sw_snapshot_mount *from, struct sw__cache_use *out, bool *alone)
{
        *alone = false;
        out->m = *from;
        if (from->treefd < 0)
                return SW_OK;
        sw_auto(sw_fd) tree = open_tree(from->treefd, "",
                                        AT_EMPTY_PATH | AT_RECURSIVE | OPEN_TREE_CLONE |
                                                OPEN_TREE_CLOEXEC);
        *alone = tree < 0 && errno == EINVAL;
        if (*alone)
                return SW_OK;
        sw_auto(sw_fd) dir =
                tree < 0 ? -1 : openat(tree, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (dir < 0)
                return sw_err_sys(SW_E_IO, errno, "share a cache mount");
        out->m.dirfd = sw_fd_steal(&dir);
        out->m.treefd = sw_fd_steal(&tree);
        out->own = true;
        return SW_OK;
}

static sw_err *
take_shared(const struct sw_ops_env *env, sw_ctx *ctx, const char *name, sw_ref *parent,
            const char *description, struct sw__cache_use *out)
{
        bool ours, alone;
        struct sw__cache *c = enter(env->caches, ctx, name, &ours);

        if (!c)
                return sw_ctx_check(ctx);
        if (ours) {
                sw_err *err = take_layer(env, ctx, name, false, parent, description,
                                         &c->layer, &c->m);

                if (err) {
                        forget(env->caches, c);
                        return err;
                }
        }
        *out = (struct sw__cache_use){ .shared = c, .layer = c->layer };
        sw_err *err = copy_mount(c->m, out, &alone);
        if (ours) {
                pthread_mutex_lock(&env->caches->lock);
                c->state = alone ? CACHE_ALONE : CACHE_SHARED;
                pthread_mutex_unlock(&env->caches->lock);
        }
        if (err)
                sw_err_drop(sw__cache_give_back(env, out), "the first error is the one");
        return err;
}

sw_err *
sw__cache_take(const struct sw_ops_env *env, sw_ctx *ctx, const char *name,
               Pb__CacheSharingOpt sharing, sw_ref *parent, const char *description,
               struct sw__cache_use *out)
{
        const struct sw_snapshot_mount *m = NULL;

        *out = (struct sw__cache_use){ 0 };
        if (sharing == PB__CACHE_SHARING_OPT__SHARED && env->caches)
                return take_shared(env, ctx, name, parent, description, out);
        sw_err *err = take_layer(env, ctx, name, sharing == PB__CACHE_SHARING_OPT__LOCKED,
                                 parent, description, &out->layer, &m);
        if (!err)
                out->m = *m;
        return err;
}

sw_err *
sw__cache_give_back(const struct sw_ops_env *env, struct sw__cache_use *u)
{
        struct sw__cache *c = u->shared;
        sw_layer *layer = u->layer;

        if (u->own) {
                (void) close(u->m.dirfd);
                (void) close(u->m.treefd);
        }
        *u = (struct sw__cache_use){ 0 };
        if (!c)
                return sw_layer_release(layer, NULL);
        pthread_mutex_lock(&env->caches->lock);
        bool last = --c->users == 0;
        if (last)
                c->state = CACHE_GIVING_BACK;
        pthread_mutex_unlock(&env->caches->lock);
        if (!last)
                return SW_OK;
        sw_err *err = sw_layer_release(layer, NULL);
        forget(env->caches, c);
        return err;
}

/* The one that the next command would get; those that others have stay theirs. */
sw_err *
sw__cache_drop(const struct sw_ops_env *env, sw_ctx *ctx, const char *name)
{
        sw_layer *l = NULL;
        sw_err *err =
                sw_worker_take(env->worker, ctx, name, NULL,
                               SW_REF_DESC(.type = "exec.cachemount", .is_mutable = true),
                               false, true, &l);

        if (!err && l)
                sw_layer_abandon(l);
        return err;
}
