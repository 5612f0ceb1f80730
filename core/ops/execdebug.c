/*
 * core/ops/execdebug.c - what commands that failed left: kept for a while, and entered.
 *
 * Kept are the trees as the command left them, each committed like any other, and the op.
 * Who enters gets what the op mounts, opened as for the command: new layers on these trees,
 * that go when they leave, so that each finds what the command left; caches as they are by
 * then; secrets and agents if they are given again. No value of a secret is kept.
 *
 * Thread: the one that runs the command, or the shell.
 */
#include <stdio.h>
#include <string.h>

#include <slipway/path.h>
#include <slipway/text.h>
#include <slipway/time.h>

#include "core/ops/exec.h"
#include "core/ops/kept.h"
#include "proto/pbuf.h"

/* ---- keeping ------------------------------------------------------------------------- */

/* What @p shows now. @held: the ref of what had to be committed, handed back; or NULL. */
static sw_err *
keep_tree(struct sw__exec_place *p, struct sw__kept_tree *out, sw_ref **held)
{
        *out = (struct sw__kept_tree){ .own = p->layer != NULL };
        if (p->layer) {
                sw_fd_clear(&p->fd);
                p->m = NULL;
                sw_err *err = sw_layer_unmount(p->layer, NULL);
                if (!err)
                        err = sw_layer_commit(sw_steal(p->layer), NULL, held);
                if (err)
                        return err;
        }
        const sw_ref *ref = out->own ? *held : p->input;
        if (ref)
                (void) snprintf(out->ref, sizeof(out->ref), "%s", sw_ref_id(ref));
        return SW_OK;
}

static void
pack_op(const struct sw__exec *x, sw_buf *out)
{
        size_t n = pb__exec_op__get_packed_size(x->pb);

        sw_buf_reserve(out, n);
        out->len = pb__exec_op__pack(x->pb, (uint8_t *) out->data);
        out->data[out->len] = 0;
}

static sw_err *
keep_all(struct sw__exec *x, sw_ref **held)
{
        sw_auto(sw__kept) k = {
                .vertex = sw_strdup(x->vertex),
                .expires = sw_time_now() + x->env->debug_kept_for_s * INT64_C(1000000000),
        };

        for (size_t i = 0; i < x->n_places; i++) {
                struct sw__kept_tree t;
                sw_err *err = keep_tree(&x->places[i], &t, &held[i]);

                if (err)
                        return err;
                sw_array_push(&k.trees, t);
        }
        if (x->root >= k.trees.n)
                return sw_err_new(SW_E_INTERNAL, "a command without a root");
        memcpy(k.ref, k.trees.v[x->root].ref, sizeof(k.ref));
        pack_op(x, &k.op);
        return sw__kept_write(x->env->root, &k);
}

sw_err *
sw__exec_keep(struct sw__exec *x, sw_err *err)
{
        if (!x->env->debug_kept_for_s || sw_err_code(err) != SW_E_STEP ||
            !x->places[x->root].layer)
                return err;
        sw_ref **held = sw_alloc_array(x->n_places, sizeof(sw_ref *));
        sw_err *failed = keep_all(x, held);
        if (failed) {
                sw_progress_warn(x->ctx, "the root of the failed command is not kept: %s",
                                 sw_err_message(failed));
                sw_err_drop(failed, "told; the command's own error matters");
        }
        for (size_t i = 0; i < x->n_places; i++)
                sw_ref_unref(held[i]);
        free(held);
        return err;
}

/* ---- entering ------------------------------------------------------------------------ */

struct entering {
        const struct sw_ops_env *env;
        const struct sw_ops_shell *req;
        sw__kept kept;
        struct sw__pb_arena arena;
        Pb__ExecOp *op; /* in the arena; changed to what is to be run */
        sw_ref **in;    /* one for each mount of it */
        size_t n_in;
};

/* The op, which is one that could be in a definition: a file may be of another version. */
static sw_err *
read_op(struct entering *e)
{
        const sw__kept *k = &e->kept;
        uint32_t n_outputs;
        sw_err *err = sw__pb_unpack(&pb__exec_op__descriptor, &e->arena.allocator,
                                    k->op.data, k->op.len, &e->op);

        for (size_t i = 0; !err && i < e->op->n_mounts; i++)
                e->op->mounts[i]->input = -1;
        Pb__Op whole = PB__OP__INIT;
        struct sw__llb_check check = { .op = &whole, .digest = k->vertex };
        if (!err)
                err = sw__llb_validate_exec(&check, e->op, &n_outputs);
        if (!err && e->op->n_mounts != k->trees.n)
                err = sw_err_new(SW_E_INVALID, "%zu mounts and %zu trees", e->op->n_mounts,
                                 k->trees.n);
        return sw_err_wrap(err, "read what is kept as %s", k->ref);
}

static sw_err *
check_leave(const struct entering *e)
{
        const struct sw_ops_job job = { .allowed = e->req->allowed };
        const struct sw__exec_wish wish = {
                .network_host = e->op->network == PB__NET_MODE__HOST,
                .insecure = e->op->security == PB__SECURITY_MODE__INSECURE,
        };

        return sw__entitled(&job, &wish);
}

/* Load what was mounted. What is stored no longer is left out, but for the root. */
static sw_err *
load_trees(struct entering *e)
{
        size_t n = 0;

        e->in = sw_alloc_array(e->kept.trees.n, sizeof(sw_ref *));
        for (size_t i = 0; i < e->kept.trees.n; i++) {
                const char *id = e->kept.trees.v[i].ref;
                Pb__Mount *m = e->op->mounts[i];
                sw_err *err =
                        *id ? sw_worker_load(e->env->worker, e->req->ctx, id, &e->in[n])
                            : SW_OK;

                if (err &&
                    (sw_err_code(err) != SW_E_NOT_FOUND || strcmp(m->dest, "/") == 0))
                        return err;
                if (err) {
                        sw_ctx_logf(e->req->ctx, SW_LOG_WARN,
                                    "%s is not mounted: it is no longer stored", m->dest);
                        sw_err_drop(err, "told");
                        continue;
                }
                m->input = *id ? (int64_t) n : -1;
                e->op->mounts[n++] = m;
                e->n_in = n;
        }
        e->op->n_mounts = n;
        return SW_OK;
}

/* Somebody else at the same place: nothing of the client's has to be there. */
static void
change_op(struct entering *e)
{
        static const char *const shell[] = { "/bin/sh", NULL };
        const struct sw_ops_shell *r = e->req;
        const char *const *args = r->args && *r->args ? r->args : shell;
        Pb__Meta *meta = e->op->meta;

        meta->n_args = 0;
        while (args[meta->n_args])
                meta->n_args++;
        meta->args = sw__pb_arena_alloc(&e->arena, meta->n_args * sizeof(char *));
        for (size_t i = 0; i < meta->n_args; i++)
                meta->args[i] = sw__pb_arena_strndup(&e->arena, args[i], strlen(args[i]));
        if (r->user)
                meta->user = sw__pb_arena_strndup(&e->arena, r->user, strlen(r->user));
        for (size_t i = 0; i < e->op->n_mounts; i++) {
                Pb__Mount *m = e->op->mounts[i];

                if (m->mounttype == PB__MOUNT_TYPE__SECRET)
                        m->secretopt->optional = true;
                if (m->mounttype == PB__MOUNT_TYPE__SSH)
                        m->sshopt->optional = true;
        }
        for (size_t i = 0; i < e->op->n_secretenv; i++)
                e->op->secretenv[i]->optional = true;
}

static void
tell_missing(const struct sw__exec *x)
{
        for (size_t i = 0; i < x->n_places; i++) {
                const struct sw__exec_place *p = &x->places[i];

                if (p->skipped && p->pb->mounttype == PB__MOUNT_TYPE__SECRET)
                        sw_ctx_logf(x->ctx, SW_LOG_WARN,
                                    "%s is not there: give it with --secret id=%s,src=FILE",
                                    p->dest, p->pb->secretopt->id);
                else if (p->skipped)
                        sw_ctx_logf(x->ctx, SW_LOG_WARN,
                                    "%s is not there: give the agent with --ssh %s",
                                    p->dest, p->pb->sshopt->id);
        }
}

static sw_err *
enter(struct entering *e, struct sw_exec_status *out)
{
        struct sw__exec x;

        sw__exec_init(&x, e->env, e->req->ctx, e->op);
        x.vertex = e->kept.vertex;
        x.shell = e->req;
        sw_err *err = sw__exec_open_places(&x, e->in);
        if (!err)
                tell_missing(&x);
        if (!err)
                err = sw__exec_run(&x);
        *out = x.status;
        sw_err *closed = sw__exec_close(&x);
        if (err)
                sw_err_drop(closed, "the first error is the one to tell");
        return err ? err : closed;
}

sw_err *
sw__ops_shell(const struct sw_ops_env *env, const struct sw_ops_shell *r,
              struct sw_exec_status *out)
{
        struct entering e = { .env = env, .req = r };
        sw_err *err = sw__kept_read(env->root, r->kept, &e.kept);

        sw__pb_arena_init(&e.arena);
        if (!err)
                err = read_op(&e);
        if (!err)
                err = check_leave(&e);
        if (!err)
                err = load_trees(&e);
        if (!err) {
                change_op(&e);
                err = enter(&e, out);
        }
        for (size_t i = 0; i < e.n_in; i++)
                sw_ref_unref(e.in[i]);
        free(e.in);
        sw__pb_arena_release(&e.arena);
        sw__kept_release(&e.kept);
        return err;
}

sw_err *
sw__ops_shell_resize(const struct sw_ops_env *env, sw_ctx *ctx, const char *container,
                     unsigned rows, unsigned columns)
{
        const struct sw_executor_ops *ops;
        void *self;
        sw_err *err = sw__exec_find(env, false, &ops, &self);

        if (!err && !SW_OPS_HAS(ops, struct sw_executor_ops, resize))
                err = sw_err_new(SW_E_UNSUPPORTED, "the executor has no terminals");
        return err ? err : ops->resize(self, ctx, container, rows, columns);
}

sw_err *
sw__ops_shell_signal(const struct sw_ops_env *env, sw_ctx *ctx, const char *container,
                     int sig)
{
        const struct sw_executor_ops *ops;
        void *self;
        sw_err *err = sw__exec_find(env, false, &ops, &self);

        if (!err && !SW_OPS_HAS(ops, struct sw_executor_ops, signal))
                err = sw_err_new(SW_E_UNSUPPORTED, "the executor takes no signals");
        return err ? err : ops->signal(self, ctx, container, sig);
}
