/*
 * plugins/source-git/source.c - the operations: what a ref stands for, and its tree.
 *
 * The remote is asked once for each instance.
 * Thread: any; one instance by one thread at a time.
 */
#include <string.h>

#include <slipway/digest.h>

#include "plugins/source-git/run.h"
#include "plugins/source-git/source.h"

struct source {
        struct git *plugin;
        sw_worker *worker;
        struct spec spec;
        bool known; /* what the ref stands for */
        struct resolved what;
};

sw_err *
git_open(void *self, sw_ctx *ctx, const struct sw_source_request *req, void **inst)
{
        struct source *s = sw_new(struct source);
        sw_err *err = spec_init(&s->spec, req);

        (void) ctx;
        if (err) {
                git_close(self, s);
                return err;
        }
        s->plugin = self;
        s->worker = req->worker;
        *inst = s;
        return SW_OK;
}

void
git_close(void *self, void *inst)
{
        struct source *s = inst;

        (void) self;
        spec_release(&s->spec);
        free(s->what.ref);
        free(s);
}

/* ---- with git ---- */

static sw_err *
begin(const struct source *s, sw_ctx *ctx, sw_session *session, struct shared *shared,
      struct runner *r)
{
        sw_err *err = runner_begin(r, s->plugin, &s->spec, ctx, session);

        if (!err)
                err = shared_open_state(s->worker, shared);
        if (!err && s->spec.remote.kind == REMOTE_SSH && s->spec.ssh)
                err = agent_start(ctx, session, s->spec.ssh, shared->state, &r->agent);
        return err;
}

static sw_err *
settle(struct source *s, sw_ctx *ctx, sw_session *session)
{
        sw_auto(git_shared) shared = { .state = -1, .lock = -1 };
        sw_auto(runner) r = { .known_hosts = -1 };
        sw_err *err = SW_OK;

        if (s->known)
                return SW_OK;
        err = begin(s, ctx, session, &shared, &r);
        if (!err)
                err = resolve_ref(&r, shared.state, &s->what);
        s->known = !err;
        if (err) {
                free(sw_steal(s->what.ref));
                memset(&s->what, 0, sizeof(s->what));
        }
        return err;
}

/* ---- the operations ---- */

sw_err *
git_key(void *self, void *inst, sw_ctx *ctx, sw_session *session, unsigned index,
        struct sw_source_key *out)
{
        struct source *s = inst;
        sw_err *err = settle(s, ctx, session);

        (void) self;
        (void) index;
        if (err)
                return err;
        out->key = spec_cache_key(&s->spec, &s->what);
        out->pin = sw_strdup(s->what.sha);
        out->more = false;
        return SW_OK;
}

/* The tree is found again by all that makes it. */
static char *
tree_name(const struct source *s)
{
        sw_auto(sw_str) key = spec_cache_key(&s->spec, &s->what);
        sw_auto(sw_str) all = sw_asprintf("%s %s", s->spec.remote.url, key);
        const sw_digest d = sw_digest_of(all, strlen(all));
        char hex[SW_DIGEST_HEX_LEN + 1];

        return sw_asprintf("git-snapshot:%s", sw_digest_hex(&d, hex));
}

static sw_err *
write_tree(const struct source *s, struct runner *r, const struct tree *t, sw_ref **out)
{
        sw_auto(sw_str) description =
                sw_asprintf("git snapshot for %s#%s", s->spec.remote.url,
                            *s->spec.ref ? s->spec.ref : s->what.ref);
        sw_autoptr(sw_layer) layer = NULL;
        const struct sw_layer_ops *ops;
        void *w;
        sw_err *err = sw_worker_layer(s->worker, r->ctx, NULL,
                                      SW_REF_DESC(.description = description,
                                                  .type = "source.git.checkout"),
                                      &layer);

        if (!err)
                err = sw_layer_write(layer, r->ctx, &ops, &w);
        if (err)
                return err;
        err = tree_tell(t, r, ops, w);
        if (err)
                ops->abandon(w);
        else
                err = ops->finish(w);
        return err ? err : sw_layer_commit(sw_steal(layer), r->ctx, out);
}

static sw_err *
make_tree(const struct source *s, sw_ctx *ctx, sw_session *session, sw_ref **out)
{
        sw_auto(git_shared) state = { .state = -1, .lock = -1 };
        sw_auto(runner) r = { .known_hosts = -1 };
        sw_auto(git_tree) t = { .place = { .fd = -1 } };
        sw_err *err = begin(s, ctx, session, &state, &r);

        if (!err)
                err = tree_make(&t, s->worker, &state, &r, &s->what);
        return err ? err : write_tree(s, &r, &t, out);
}

sw_err *
git_snapshot(void *self, void *inst, sw_ctx *ctx, sw_session *session, sw_ref **out)
{
        struct source *s = inst;
        sw_autoptr(sw_layer) lease = NULL;
        sw_autoptr(sw_ref) ref = NULL;
        sw_err *err = settle(s, ctx, session);

        (void) self;
        if (err)
                return err;
        sw_auto(sw_str) name = tree_name(s);
        err = sw_worker_find(s->worker, ctx, name, out);
        if (err || *out)
                return err;
        /* while there is one that is being made, nobody prunes what git works on */
        err = sw_worker_layer(s->worker, ctx, NULL, SW_REF_DESC(.type = "internal"),
                              &lease);
        if (!err)
                err = make_tree(s, ctx, session, &ref);
        if (!err)
                err = sw_ref_add_name(s->worker, ctx, ref, name);
        if (!err)
                *out = sw_steal(ref);
        return err;
}

static sw_err *
take_time(void *arg, const struct shared *shared, const struct runner *r,
          const struct resolved *what, const char *commit, int64_t time)
{
        struct sw_source_meta *out = arg;

        (void) shared;
        (void) r;
        (void) what;
        (void) commit;
        out->has_time = true;
        out->time = time;
        return SW_OK;
}

sw_err *
git_resolve(void *self, void *inst, sw_ctx *ctx, sw_session *session, bool config,
            struct sw_source_meta *out)
{
        struct source *s = inst;
        sw_auto(git_shared) state = { .state = -1, .lock = -1 };
        sw_auto(runner) r = { .known_hosts = -1 };
        sw_autoptr(sw_layer) lease = NULL;
        sw_err *err = settle(s, ctx, session);

        (void) self;
        (void) config;
        if (!err)
                err = sw_worker_layer(s->worker, ctx, NULL, SW_REF_DESC(.type = "internal"),
                                      &lease);
        if (!err)
                err = begin(s, ctx, session, &state, &r);
        if (!err)
                err = with_commit(s->worker, &r, &s->what, take_time, out);
        if (err)
                return err;
        out->digest = sw_strdup(s->what.sha);
        out->name = sw_strdup(s->what.ref);
        return SW_OK;
}
