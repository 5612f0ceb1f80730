/*
 * core/ops/file.c - the file op: a graph of actions on trees, run with as few layers as its
 * outputs need.
 *
 * An action whose tree nobody else looks at hands it on: from an input, or from a tree that
 * was committed, a *chain* of actions writes one layer. A tree is committed when it is an
 * output, or a source, or where owners are looked up, or when two actions start from it.
 *
 *      order (what outputs need, inputs first) -> for each committed tree: its chain
 *        -> base view, layer writer, draft -> actions -> flush -> finish -> commit
 *
 * Thread: workers; data is copied by several (draftcopy.c).
 */
#include <string.h>

#include <slipway/time.h>

#include "core/ops/fileact.h"
#include "core/ops/internal.h"

/* What is known of the tree an action leaves. */
struct tree {
        unsigned users; /* actions that start from it */
        bool committed; /* it is to be a ref */
        sw_ref *ref;    /* owned, once it is; NULL: the empty tree */
        uint8_t seen;
};

struct run {
        const struct sw__op *op;
        const Pb__FileOp *pb;
        sw_ctx *ctx;
        sw_ref *const *in;
        size_t n_in;
        struct tree *trees; /* one per action */
        size_t *order;      /* actions that are needed, what they need before them */
        size_t n_order;
};

/* The index that a name is looked up in; -1: it is no name. */
static int64_t
lookup_index(const Pb__UserOpt *u)
{
        return u && u->user_case == PB__USER_OPT__USER_BY_NAME ? u->byname->input : -1;
}

/* ---- planning ----------------------------------------------------------------------- */

/* Trees of other actions that @a needs beside the one it works on. */
static size_t
other_needs(const struct run *r, const Pb__FileAction *a, size_t out[SW__LLB_ACTION_NEEDS])
{
        const Pb__ChownOpt *o = sw__llb_action_owner(a);
        int64_t all[] = { a->action_case == PB__FILE_ACTION__ACTION_COPY ? a->secondaryinput
                                                                         : -1,
                          o ? lookup_index(o->user) : -1, o ? lookup_index(o->group) : -1 };
        size_t n = 0;

        for (size_t i = 0; i < SW_COUNT(all); i++)
                if (all[i] >= (int64_t) r->n_in)
                        out[n++] = (size_t) all[i] - r->n_in;
        return n;
}

static size_t
all_needs(const struct run *r, const Pb__FileAction *a, size_t out[SW__LLB_ACTION_NEEDS])
{
        size_t n = other_needs(r, a, out);

        if (a->input >= (int64_t) r->n_in)
                out[n++] = (size_t) a->input - r->n_in;
        return n;
}

/* Depth first, without recursion: there may be as many actions as a definition has room
 * for. The definition was checked for loops. */
static void
visit(struct run *r, size_t root, size_t *stack, uint8_t *next)
{
        size_t depth = 0;

        if (r->trees[root].seen)
                return;
        stack[depth++] = root;
        r->trees[root].seen = 1;
        next[root] = 0;
        while (depth) {
                size_t at = stack[depth - 1], needs[SW__LLB_ACTION_NEEDS] = { 0 };
                size_t n = all_needs(r, r->pb->actions[at], needs);

                if (next[at] == n) {
                        r->order[r->n_order++] = at;
                        depth--;
                        continue;
                }
                size_t to = needs[next[at]++];
                if (!r->trees[to].seen) {
                        r->trees[to].seen = 1;
                        next[to] = 0;
                        stack[depth++] = to;
                }
        }
}

static void
plan(struct run *r)
{
        size_t n = r->pb->n_actions, needs[SW__LLB_ACTION_NEEDS];
        size_t *stack = sw_alloc_array(n, sizeof(*stack));
        uint8_t *next = sw_alloc(n);

        for (size_t i = 0; i < n; i++)
                if (r->pb->actions[i]->output != -1)
                        visit(r, i, stack, next);
        free(stack);
        free(next);
        for (size_t k = 0; k < r->n_order; k++) {
                size_t i = r->order[k];
                const Pb__FileAction *a = r->pb->actions[i];

                r->trees[i].committed |= a->output != -1;
                for (size_t j = other_needs(r, a, needs); j-- > 0;)
                        r->trees[needs[j]].committed = true;
                if (a->input >= (int64_t) r->n_in) {
                        struct tree *t = &r->trees[a->input - (int64_t) r->n_in];

                        t->committed |= ++t->users > 1;
                }
        }
}

/* ---- one action --------------------------------------------------------------------- */

static sw_ref *
tree_at(const struct run *r, int64_t index)
{
        if (index < 0)
                return NULL;
        return index < (int64_t) r->n_in ? r->in[index]
                                         : r->trees[index - (int64_t) r->n_in].ref;
}

static sw_err *
read_owner(const struct run *r, const Pb__ChownOpt *o, struct sw__owner *out)
{
        sw_auto(sw__view) users = { .rootfd = -1, .dir = -1 };
        sw_auto(sw__view) groups = { .rootfd = -1, .dir = -1 };
        int64_t u = o ? lookup_index(o->user) : -1, g = o ? lookup_index(o->group) : -1;
        sw_worker *w = r->op->env->worker;
        sw_err *err = SW_OK;

        *out = (struct sw__owner){ 0 };
        if (!o)
                return SW_OK;
        if (u >= 0)
                err = sw__view_open(w, r->ctx, tree_at(r, u), &users);
        if (!err && g >= 0)
                err = sw__view_open(w, r->ctx, tree_at(r, g), &groups);
        if (!err)
                err = sw__owner_read(o, &users, &groups, out);
        if (!err)
                err = sw__view_close(&users);
        return err ? err : sw__view_close(&groups);
}

static sw_err *
run_copy(const struct run *r, sw__draft *d, const Pb__FileAction *a,
         const struct sw__owner *owner)
{
        sw_auto(sw__view) src = { .rootfd = -1, .dir = -1 };
        sw_err *err = sw__view_open(r->op->env->worker, r->ctx,
                                    tree_at(r, a->secondaryinput), &src);

        if (!err)
                err = sw__file_copy(d, a->copy, &src, owner, r->ctx);
        return err ? err : sw__view_close(&src);
}

static sw_err *
run_action(const struct run *r, sw__draft *d, const Pb__FileAction *a)
{
        struct sw__owner owner;
        sw_err *err = sw_ctx_check(r->ctx);

        if (!err)
                err = read_owner(r, sw__llb_action_owner(a), &owner);
        if (err)
                return err;
        switch (a->action_case) {
        case PB__FILE_ACTION__ACTION_COPY: return run_copy(r, d, a, &owner);
        case PB__FILE_ACTION__ACTION_MKFILE: return sw__file_mkfile(d, a->mkfile, &owner);
        case PB__FILE_ACTION__ACTION_MKDIR: return sw__file_mkdir(d, a->mkdir, &owner);
        case PB__FILE_ACTION__ACTION_SYMLINK:
                return sw__file_symlink(d, a->symlink, &owner);
        default: return sw__file_rm(d, a->rm);
        }
}

/* ---- one chain ---------------------------------------------------------------------- */

/* The actions that lead to @last from a tree that is there, in their order; returns how
 * many, the first one in @out[0]. */
static size_t
gather_chain(const struct run *r, size_t last, size_t *out)
{
        size_t n = 0, at = last;

        for (;;) {
                int64_t from = r->pb->actions[at]->input;

                out[n++] = at;
                if (from < (int64_t) r->n_in)
                        break;
                at = (size_t) from - r->n_in;
                if (r->trees[at].committed)
                        break;
        }
        for (size_t i = 0; i < n / 2; i++) {
                size_t t = out[i];

                out[i] = out[n - 1 - i];
                out[n - 1 - i] = t;
        }
        return n;
}

/* What people call the step, its inputs, and the tree that it makes: the next run of it has
 * the same name, also when its inputs are others. NULL: archives may make more names of any
 * file, so that none can be shared. */
static sw__former *
former_of(const struct run *r, size_t last, const size_t *chain, size_t n)
{
        const struct sw__op *op = r->op;
        sw_auto(sw_buf) name = SW_BUF_INIT;
        char hex[SW_DIGEST_HEX_LEN + 1];

        for (size_t i = 0; i < n; i++) {
                const Pb__FileAction *a = r->pb->actions[chain[i]];

                if (a->action_case == PB__FILE_ACTION__ACTION_COPY &&
                    a->copy->attemptunpackdockercompatibility)
                        return NULL;
        }
        sw_buf_addf(&name, "%s\n%zu\n%s", sw_digest_hex(&op->keys.digest, hex), last,
                    sw_llb_vertex_name(op->v));
        for (size_t i = 0; i < r->n_in; i++) {
                size_t in = sw_llb_vertex_input(op->v, i).vertex;

                sw_buf_addf(&name, "\n%s",
                            sw_llb_vertex_name(sw_definition_vertex(op->def, in)));
        }
        return sw__former_new(op->env->worker, r->ctx, name.data, !op->no_cache);
}

static sw_err *
write_chain(const struct run *r, sw_layer *layer, sw_ref *base, const size_t *chain,
            size_t n, sw__former *former)
{
        sw_auto(sw__view) view = { .rootfd = -1, .dir = -1 };
        const struct sw_layer_ops *ops;
        sw__draft *d;
        void *w;
        sw_err *err = sw__view_open(r->op->env->worker, r->ctx, base, &view);

        if (!err)
                err = sw_layer_write(layer, r->ctx, &ops, &w);
        if (err)
                return err;
        d = sw__draft_new(r->ctx, &view, ops, w, sw_time_now());
        sw__draft_set_spool(d, sw__root_fd(r->op->env->root));
        sw__draft_set_former(d, former);
        for (size_t i = 0; i < n && !err; i++)
                err = run_action(r, d, r->pb->actions[chain[i]]);
        if (!err)
                err = sw__draft_flush(d);
        sw__draft_free(d);
        if (err) {
                ops->abandon(w);
                return err;
        }
        err = ops->finish(w);
        return err ? err : sw__view_close(&view);
}

static sw_err *
make_tree(struct run *r, size_t last, size_t *chain)
{
        size_t n = gather_chain(r, last, chain);
        sw_autoptr(sw__former) former = former_of(r, last, chain, n);
        sw_autoptr(sw_ref) base = NULL;
        sw_autoptr(sw_layer) layer = NULL;
        sw_err *err = sw__ops_stored(r->op->env, r->ctx,
                                     tree_at(r, r->pb->actions[chain[0]]->input), &base);

        if (!err)
                err = sw_worker_layer(r->op->env->worker, r->ctx, base,
                                      SW_REF_DESC(.description =
                                                          sw_llb_vertex_name(r->op->v)),
                                      &layer);
        if (!err)
                err = write_chain(r, layer, base, chain, n, former);
        if (!err)
                err = sw_layer_commit(sw_steal(layer), r->ctx, &r->trees[last].ref);
        if (!err && former)
                sw__former_keep(former, sw_ref_id(r->trees[last].ref));
        return err;
}

static sw_err *
execute(struct sw__op *op, sw_op_call *call, sw_ctx *ctx, sw_ref *const *in, size_t n_in,
        sw_ref **out, size_t n_out)
{
        size_t n = op->pb->file->n_actions;
        struct run r = { .op = op, .pb = op->pb->file, .ctx = ctx, .in = in, .n_in = n_in };
        size_t *chain = sw_alloc_array(n, sizeof(*chain));
        sw_err *err = SW_OK;

        (void) call;
        (void) n_out;
        r.trees = sw_alloc_array(n, sizeof(*r.trees));
        r.order = sw_alloc_array(n, sizeof(*r.order));
        plan(&r);
        for (size_t k = 0; k < r.n_order && !err; k++)
                if (r.trees[r.order[k]].committed)
                        err = make_tree(&r, r.order[k], chain);
        for (size_t i = 0; i < n; i++) {
                if (!err && r.pb->actions[i]->output != -1)
                        out[r.pb->actions[i]->output] = sw_ref_ref(r.trees[i].ref);
                sw_ref_unref(r.trees[i].ref);
        }
        free(r.trees);
        free(r.order);
        free(chain);
        return err;
}

static const struct sw__op_kind kind = {
        .name = "file",
        .flags = SW_OP_FAST_CACHE_MAP,
        .keys = sw__op_keys_file,
        .execute = execute,
};

sw_err *
sw__op_file_new(struct sw__op *op, const struct sw_ops_job *job)
{
        (void) job;
        op->kind = &kind;
        return SW_OK;
}

/* ---- trees that are not stored ------------------------------------------------------ */

static sw_err *
store_tree(const struct sw_ops_env *env, sw_ctx *ctx, sw_ref *ref, sw_layer *layer)
{
        Pb__FileActionCopy all = PB__FILE_ACTION_COPY__INIT;
        const struct sw__owner as_is = { 0 };
        sw_auto(sw__view) src = { .rootfd = -1, .dir = -1 };
        struct sw__view nothing;
        const struct sw_layer_ops *ops;
        sw__draft *d;
        void *w;
        sw_err *err = sw__view_open(env->worker, ctx, ref, &src);

        if (!err)
                err = sw_layer_write(layer, ctx, &ops, &w);
        if (err)
                return err;
        all.src = all.dest = (char *) "/";
        all.mode = -1;
        all.timestamp = -1;
        all.createdestpath = all.dircopycontents = true;
        sw__view_of_dir(-1, &nothing);
        d = sw__draft_new(ctx, &nothing, ops, w, sw_time_now());
        err = sw__file_copy(d, &all, &src, &as_is, ctx);
        sw__draft_free(d);
        if (err) {
                ops->abandon(w);
                return err;
        }
        err = ops->finish(w);
        return err ? err : sw__view_close(&src);
}

/* A directory that nobody keeps for us: a layer of its own. */
static sw_err *
copy_tree(const struct sw_ops_env *env, sw_ctx *ctx, sw_ref *ref, sw_ref **out)
{
        sw_autoptr(sw_layer) layer = NULL;
        sw_err *err = sw_worker_layer(env->worker, ctx, NULL,
                                      SW_REF_DESC(.description = sw_ref_id(ref)), &layer);

        if (!err)
                err = store_tree(env, ctx, ref, layer);
        if (!err)
                err = sw_layer_commit(sw_steal(layer), ctx, out);
        return sw_err_wrap(err, "store %s", sw_ref_id(ref));
}

sw_err *
sw__ops_stored(const struct sw_ops_env *env, sw_ctx *ctx, sw_ref *ref, sw_ref **out)
{
        sw_autoptr(sw_ref) stored = NULL;
        sw_err *err;

        if (!ref) {
                *out = NULL;
                return SW_OK;
        }
        err = sw_ref_stored(ctx, ref, &stored);
        if (err)
                return err;
        if (!sw__ref_is_stored(env->worker, stored))
                return copy_tree(env, ctx, stored, out);
        *out = sw_steal(stored);
        return SW_OK;
}
