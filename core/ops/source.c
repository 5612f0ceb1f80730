/*
 * core/ops/source.c - the source op: a tree from outside, through the source manager.
 *
 * The source is opened by the first cache map and kept until the op goes. What its plugin
 * needs of a client comes from whichever job holds the vertex then.
 * Thread: workers.
 */
#include <string.h>

#include "core/ops/internal.h"

struct state {
        sw_source *source; /* NULL until opened */
};

/* One call into the plugin, with a job on loan. */
struct ask {
        const struct sw__op *op;
        unsigned index;
        struct sw_source_key *key;
        sw_ref **ref;
};

static sw_err *
open_source(struct sw__op *op, sw_ctx *ctx)
{
        struct state *s = op->state;
        const Pb__SourceOp *pb = op->pb->source;
        struct sw_attr *attrs;
        sw_auto(sw_str) platform = sw_platform_str(sw_llb_vertex_platform(op->v));
        sw_err *err;

        if (s->source)
                return SW_OK;
        attrs = sw_alloc_array(pb->n_attrs, sizeof(*attrs));
        for (size_t i = 0; i < pb->n_attrs; i++)
                attrs[i] = (struct sw_attr){ pb->attrs[i]->key, pb->attrs[i]->value };
        err = sw__sources_open(op->env->sources, ctx,
                               &(struct sw_source_request){
                                       .size = sizeof(struct sw_source_request),
                                       .identifier = pb->identifier,
                                       .attrs = attrs,
                                       .n_attrs = pb->n_attrs,
                                       .platform = platform,
                                       .no_cache = op->no_cache,
                               },
                               &s->source);
        free(attrs);
        return err;
}

static sw_err *
ask_key(void *arg, sw_ctx *ctx, const struct sw_op_job *job)
{
        struct ask *a = arg;
        struct state *s = a->op->state;

        return sw__source_cache_key(s->source, ctx, job->session, a->index, a->key);
}

static sw_err *
ask_snapshot(void *arg, sw_ctx *ctx, const struct sw_op_job *job)
{
        struct ask *a = arg;
        struct state *s = a->op->state;

        return sw__source_snapshot(s->source, ctx, job->session, a->ref);
}

static sw_err *
cache_map(struct sw__op *op, sw_op_call *call, sw_ctx *ctx, unsigned index,
          struct sw_cache_map *out)
{
        struct sw_source_key key = { .size = sizeof(key) };
        struct ask a = { .op = op, .index = index, .key = &key };
        sw_err *err = open_source(op, ctx);

        if (!err)
                err = sw__op_with_job(call, ask_key, &a);
        if (err)
                return err;
        sw__op_source_digest(key.key, out->digest);
        out->more = key.more;
        sw__source_key_release(&key);
        return SW_OK;
}

static sw_err *
execute(struct sw__op *op, sw_op_call *call, sw_ctx *ctx, sw_ref *const *in, size_t n_in,
        sw_ref **out, size_t n_out)
{
        struct ask a = { .op = op, .ref = &out[0] };
        sw_err *err = open_source(op, ctx);

        (void) in;
        (void) n_in;
        (void) n_out;
        return err ? err : sw__op_with_job(call, ask_snapshot, &a);
}

static void
release(struct sw__op *op)
{
        struct state *s = op->state;

        sw__source_close(s->source);
        free(s);
}

static const struct sw__op_kind kind = {
        .name = "source",
        .cache_map = cache_map,
        .execute = execute,
        .release = release,
};

sw_err *
sw__op_source_new(struct sw__op *op, const struct sw_ops_job *job)
{
        (void) job;
        op->state = sw_new(struct state);
        op->kind = &kind;
        return SW_OK;
}
