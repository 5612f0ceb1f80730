/*
 * core/ops/stack.c - the ops that move no data: merge and diff make refs of other refs'
 * layers, passthrough hands its inputs on.
 *
 * Thread: workers; passthrough on the scheduler's, too.
 */
#include "core/ops/internal.h"

/* The ref that an index of an op names; -1 and the empty tree are NULL. */
static sw_ref *
input(sw_ref *const *in, int64_t i)
{
        return i < 0 ? NULL : in[i];
}

/* What a description has room for; the rest of a large merge is not named. */
enum { MAX_NAMED = 1000 };

static const char *
id_of(const sw_ref *r)
{
        return r ? sw_ref_id(r) : "";
}

/* ---- merge -------------------------------------------------------------------------- */

static sw_err *
merge(struct sw__op *op, sw_op_call *call, sw_ctx *ctx, sw_ref *const *in, size_t n_in,
      sw_ref **out, size_t n_out)
{
        const Pb__MergeOp *pb = op->pb->merge;
        sw_ref **refs = sw_alloc_array(pb->n_inputs, sizeof(sw_ref *));
        sw_auto(sw_buf) what = SW_BUF_INIT;
        sw_err *err = SW_OK;

        (void) call;
        (void) n_in;
        (void) n_out;
        sw_buf_adds(&what, "merge ");
        for (size_t i = 0; i < pb->n_inputs && !err; i++) {
                err = sw__ops_stored(op->env, ctx, input(in, pb->inputs[i]->input),
                                     &refs[i]);
                if (refs[i] && what.len < MAX_NAMED)
                        sw_buf_addf(&what, "%s%s", what.len > 6 ? ";" : "", id_of(refs[i]));
        }
        if (!err)
                err = sw_worker_merge(op->env->worker, ctx, refs, pb->n_inputs,
                                      SW_REF_DESC(.description = what.data), &out[0]);
        for (size_t i = 0; i < pb->n_inputs; i++)
                sw_ref_unref(refs[i]);
        free(refs);
        return err;
}

static const struct sw__op_kind merge_kind = {
        .name = "merge",
        .flags = SW_OP_FAST_CACHE_MAP,
        .keys = sw__op_keys_plain,
        .execute = merge,
};

sw_err *
sw__op_merge_new(struct sw__op *op, const struct sw_ops_job *job)
{
        (void) job;
        op->kind = &merge_kind;
        return SW_OK;
}

/* ---- diff --------------------------------------------------------------------------- */

static sw_err *
diff(struct sw__op *op, sw_op_call *call, sw_ctx *ctx, sw_ref *const *in, size_t n_in,
     sw_ref **out, size_t n_out)
{
        const Pb__DiffOp *pb = op->pb->diff;
        sw_ref *lower = input(in, pb->lower->input), *upper = input(in, pb->upper->input);
        sw_autoptr(sw_ref) from = NULL;
        sw_autoptr(sw_ref) to = NULL;
        sw_auto(sw_str) what = NULL;
        sw_err *err;

        (void) call;
        (void) n_in;
        (void) n_out;
        if (!lower) {
                out[0] = sw_ref_ref(upper);
                return SW_OK;
        }
        if (lower == upper)
                return SW_OK;
        what = sw_asprintf("diff \"%s\" -> \"%s\"", id_of(lower), id_of(upper));
        err = sw__ops_stored(op->env, ctx, lower, &from);
        if (!err)
                err = sw__ops_stored(op->env, ctx, upper, &to);
        if (!err)
                err = sw_worker_diff(op->env->worker, ctx, from, to,
                                     SW_REF_DESC(.description = what), &out[0]);
        return err;
}

static const struct sw__op_kind diff_kind = {
        .name = "diff",
        .flags = SW_OP_FAST_CACHE_MAP,
        .keys = sw__op_keys_plain,
        .execute = diff,
};

sw_err *
sw__op_diff_new(struct sw__op *op, const struct sw_ops_job *job)
{
        (void) job;
        op->kind = &diff_kind;
        return SW_OK;
}

/* ---- passthrough -------------------------------------------------------------------- */

static sw_err *
pass(struct sw__op *op, sw_op_call *call, sw_ctx *ctx, sw_ref *const *in, size_t n_in,
     sw_ref **out, size_t n_out)
{
        const Pb__PassthroughOp *pb = op->pb->passthrough;

        (void) call;
        (void) ctx;
        (void) n_in;
        for (size_t i = 0; i < n_out; i++)
                out[i] = sw_ref_ref(input(in, pb->outputs[i]));
        return SW_OK;
}

static const struct sw__op_kind passthrough_kind = {
        .name = "passthrough",
        .flags = SW_OP_FAST_CACHE_MAP | SW_OP_FAST_EXECUTE,
        .keys = sw__op_keys_plain,
        .execute = pass,
};

sw_err *
sw__op_passthrough_new(struct sw__op *op, const struct sw_ops_job *job)
{
        (void) job;
        op->kind = &passthrough_kind;
        return SW_OK;
}
