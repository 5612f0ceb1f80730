/*
 * core/ops/build.c - the build op: a definition that an earlier step made is built inside
 * this build, for whichever job holds the vertex.
 *
 * It waits for the solver, so it takes no place among the ops that run. How deep builds may
 * stand inside each other is limited, since a step can make definitions without end.
 * Thread: workers.
 */
#include <string.h>

#include "core/ops/internal.h"
#include "core/ops/view.h"

#define DEFINITION_INPUT "buildkit.llb.definition"
#define DEFINITION_FILE  "buildkit.llb.definition"
#define FILE_ATTR        "llbbuild.filename"
#define MAX_DEPTH        16

struct nested {
        const struct sw__op *op;
        sw_definition *def;
        sw_ref **out;
};

static sw_ref *
definition_input(const Pb__BuildOp *pb, sw_ref *const *in)
{
        for (size_t i = 0; i < pb->n_inputs; i++)
                if (strcmp(pb->inputs[i]->key, DEFINITION_INPUT) == 0)
                        return in[pb->inputs[i]->value->input];
        return NULL;
}

static const char *
definition_file(const Pb__BuildOp *pb)
{
        for (size_t i = 0; i < pb->n_attrs; i++)
                if (strcmp(pb->attrs[i]->key, FILE_ATTR) == 0)
                        return pb->attrs[i]->value;
        return DEFINITION_FILE;
}

static sw_err *
read_definition(const struct sw__op *op, sw_ctx *ctx, sw_ref *ref, sw_definition **out)
{
        const char *file = definition_file(op->pb->build);
        sw_auto(sw_buf) bytes = SW_BUF_INIT;
        sw_auto(sw__view) view = { .rootfd = -1, .dir = -1 };
        sw_err *err = sw__view_open(op->env->worker, ctx, ref, &view);

        if (!err)
                err = sw__view_read(&view, file, SW_DEFINITION_MAX_BYTES, &bytes);
        if (!err)
                err = sw__view_close(&view);
        if (!err)
                err = sw_definition_decode(
                        bytes.data, bytes.len,
                        SW_DEFINITION_OPTS(.platform = op->def->default_platform,
                                           .proxy_network = op->def->proxy_network),
                        out);
        if (err) {
                sw_auto(sw_str) shown = sw__path_shown(file);

                err = sw_err_wrap(err, "read the definition %s", shown);
        }
        return err;
}

static void
cancel_solve(void *arg)
{
        sw__solve_cancel(arg, "the build around it was cancelled");
}

static sw_err *
wait_for(sw_ctx *ctx, sw_solve *solve, sw_ref **out)
{
        uint64_t handle = 0;
        sw_cancel *cancel = sw_ctx_cancel(ctx);
        sw_err *err;

        if (cancel)
                handle = sw_cancel_on(cancel, cancel_solve, solve);
        err = sw__solve_wait(solve);
        if (handle)
                sw_cancel_off(cancel, handle);
        if (!err)
                *out = sw_ref_ref(sw__ops_result_ref(sw__solve_result(solve, 0)));
        return err;
}

static sw_err *
solve_nested(void *arg, sw_ctx *ctx, const struct sw_op_job *job)
{
        struct nested *n = arg;
        const struct sw_ops_job *outer = job->client;
        sw_autoptr(sw_solve) solve = NULL;
        struct sw_ops_job inner;
        struct sw_graph graph;
        sw_err *err;

        if (!outer || !job->job)
                return sw_err_new(SW_E_UNSUPPORTED, "this job cannot build inside a build");
        inner = *outer;
        inner.depth = n->op->depth + 1;
        err = sw__ops_graph(n->op->env, &inner, n->def, n->op->no_cache, &graph);
        if (err)
                return err;
        err = sw__solve_start(job->job, &graph, &solve);
        sw__ops_graph_release(&graph);
        return err ? err : wait_for(ctx, solve, n->out);
}

static sw_err *
execute(struct sw__op *op, sw_op_call *call, sw_ctx *ctx, sw_ref *const *in, size_t n_in,
        sw_ref **out, size_t n_out)
{
        sw_autoptr(sw_definition) def = NULL;
        struct nested n = { .op = op, .out = &out[0] };
        void *nest;
        sw_err *err;

        (void) n_in;
        (void) n_out;
        if (op->depth >= MAX_DEPTH)
                return sw_err_new(SW_E_LIMIT,
                                  "builds inside builds are nested more than %d deep",
                                  MAX_DEPTH);
        err = read_definition(op, ctx, definition_input(op->pb->build, in), &def);
        if (err)
                return err;
        n.def = def;
        err = sw__nest_begin(op->env->nests, op->v, def, &nest);
        if (!err)
                err = sw__op_with_job(call, solve_nested, &n);
        sw__nest_end(op->env->nests, nest);
        return sw_err_wrap(err, "build inside a build");
}

static const struct sw__op_kind kind = {
        .name = "build",
        .flags = SW_OP_FAST_CACHE_MAP | SW_OP_WAITS_FOR_SOLVER,
        .keys = sw__op_keys_plain,
        .execute = execute,
};

sw_err *
sw__op_build_new(struct sw__op *op, const struct sw_ops_job *job)
{
        (void) job;
        op->kind = &kind;
        return SW_OK;
}
