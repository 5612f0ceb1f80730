/*
 * core/ops/ops.c - the graph of a definition: an op behind each vertex, and the table
 * through which the solver calls them all.
 *
 * Thread: making a graph: any; the table: core/solver/op.h.
 */
#include <stdio.h>
#include <string.h>

#include "core/ops/internal.h"

/* Above this many bytes of a vertex, hashing it is no work for the scheduler's thread. */
#define FAST_BYTES ((size_t) 32 << 10)

/* Files that are named to explain why a step runs again. */
#define CHANGED_MAX 20

/* What stands for the empty tree in a result's id; refs have longer names. */
#define EMPTY_ID "empty"

/* ---- results ------------------------------------------------------------------------ */

static void
release_result(void *data)
{
        sw_ref_unref((sw_ref *) data);
}

static const struct sw_result_ops result_ops = {
        .size = sizeof(result_ops),
        .release = release_result,
};

sw_ref *
sw__ops_result_ref(const sw_result *r)
{
        return (sw_ref *) sw__result_data(r);
}

static sw_result *
result_new(const struct sw_ops_env *env, sw_ref *ref)
{
        char id[SW_RESULT_ID_MAX + 1];
        bool stored = !ref || sw__ref_is_stored(env->worker, ref);
        int n = 0;

        if (stored)
                n = snprintf(id, sizeof(id), "%s::%s", sw__root_worker_id(env->root),
                             ref ? sw_ref_id(ref) : EMPTY_ID);
        return sw__result_new(stored && (size_t) n < sizeof(id) ? id : NULL, &result_ops,
                              ref);
}

static sw_err *
load_result(void *self, sw_ctx *ctx, const char *id, sw_result **out)
{
        const struct sw_ops_env *env = self;
        const char *worker = sw__root_worker_id(env->root);
        size_t n = strlen(worker);
        sw_ref *ref = NULL;

        if (strncmp(id, worker, n) != 0 || strncmp(id + n, "::", 2) != 0)
                return sw_err_new(SW_E_NOT_FOUND, "result %s is of another worker", id);
        if (strcmp(id + n + 2, EMPTY_ID) != 0) {
                sw_err *err = sw_worker_load(env->worker, ctx, id + n + 2, &ref);

                if (err)
                        return err;
        }
        *out = result_new(env, ref);
        return SW_OK;
}

void
sw__ops_loader(const struct sw_ops_env *env, struct sw_result_loader *out)
{
        *out = (struct sw_result_loader){
                .size = sizeof(*out),
                .self = (void *) env,
                .load = load_result,
        };
}

/* ---- the table ---------------------------------------------------------------------- */

static void
hand_over_deps(const struct sw__op_keys *keys, struct sw_cache_map *out)
{
        for (size_t i = 0; i < keys->n_deps; i++) {
                if (keys->deps[i].selector[0])
                        out->deps[i].selector = sw_strdup(keys->deps[i].selector);
                out->deps[i].content = keys->deps[i].content;
        }
}

static sw_err *
cache_map(void *self, sw_op_call *call, sw_ctx *ctx, unsigned index,
          struct sw_cache_map *out)
{
        struct sw__op *op = self;
        struct sw__op_keys *keys = &op->keys;
        sw_err *err;

        if (op->kind->cache_map)
                return op->kind->cache_map(op, call, ctx, index, out);
        sw__op_keys_release(keys); /* of a call that was cancelled */
        keys->n_deps = op->pb->n_inputs;
        keys->deps = sw_alloc_array(keys->n_deps, sizeof(*keys->deps));
        err = op->kind->keys(op, keys);
        if (err)
                return err;
        (void) sw_digest_str(&keys->digest, out->digest);
        hand_over_deps(keys, out);
        return SW_OK;
}

static sw_err *
content_key(void *self, sw_op_call *call, sw_ctx *ctx, unsigned input, sw_result *in,
            char out[SW_KEY_TEXT_SIZE])
{
        struct sw__op *op = self;
        struct sw__op_dep *dep = &op->keys.deps[input];
        sw_digest digest;
        sw_err *err = sw__contenthash_key(op->env->worker, ctx, sw__ops_result_ref(in),
                                          dep->selects, dep->n_selects, &digest);

        (void) call;
        if (err)
                return sw_err_wrap(err, "failed to calculate the cache key of input %u",
                                   input);
        (void) sw_digest_str(&digest, out);
        dep->hashed = true;
        return SW_OK;
}

/* ---- what inputs were when the op ran last ---- */

/* Two copies of "/" to "/" are the same op: what people call the step and its input tells
 * them apart. */
static char *
note_name(const struct sw__op *op, size_t input)
{
        size_t index = sw_llb_vertex_input(op->v, input).vertex;
        const sw_llb_vertex *in = sw_definition_vertex(op->def, index);
        char hex[SW_DIGEST_HEX_LEN + 1];
        sw_auto(sw_str) text =
                sw_asprintf("%s\n%s\n%s", sw_digest_hex(&op->keys.digest, hex),
                            sw_llb_vertex_name(op->v), sw_llb_vertex_name(in));
        sw_digest name = sw_digest_of(text, strlen(text));

        return sw_asprintf("op-%s-%zu", sw_digest_hex(&name, hex), input);
}

/* So that its next run can be explained. */
static void
note_inputs(const struct sw__op *op, sw_ref *const *in)
{
        for (size_t i = 0; i < op->keys.n_deps; i++) {
                sw_auto(sw_str) name = NULL;

                if (!op->keys.deps[i].hashed)
                        continue;
                name = note_name(op, i);
                sw__contenthash_note(op->env->worker, in[i], name);
        }
}

static sw_err *
changed_paths(void *self, sw_op_call *call, sw_ctx *ctx, unsigned input, sw_result *in,
              const char *before, const char *now, sw_strlist *paths)
{
        const struct sw__op *op = self;
        const struct sw__op_dep *dep = &op->keys.deps[input];
        sw_auto(sw_str) name = note_name(op, input);

        (void) call;
        (void) before; /* of any step with this op */
        (void) now;
        return sw__contenthash_changed(op->env->worker, ctx, name, sw__ops_result_ref(in),
                                       dep->selects, dep->n_selects, CHANGED_MAX, paths);
}

/* ---- running ---- */

static void
drop_refs(sw_ref **refs, size_t n)
{
        for (size_t i = 0; i < n; i++)
                sw_ref_unref(refs[i]);
}

static sw_err *
execute(void *self, sw_op_call *call, sw_ctx *ctx, sw_result *const *in, size_t n_in,
        sw_result **out, size_t n_out)
{
        struct sw__op *op = self;
        sw_ref **refs = sw_alloc_array(n_in + n_out, sizeof(*refs)), **made = refs + n_in;
        sw_err *err;

        for (size_t i = 0; i < n_in; i++)
                refs[i] = sw__ops_result_ref(in[i]);
        err = op->kind->execute(op, call, ctx, refs, n_in, made, n_out);
        if (err)
                drop_refs(made, n_out);
        else
                note_inputs(op, refs);
        for (size_t i = 0; i < n_out && !err; i++)
                out[i] = result_new(op->env, made[i]);
        free(refs);
        return err;
}

static void
free_op(void *self)
{
        struct sw__op *op = self;

        if (op->kind && op->kind->release)
                op->kind->release(op);
        sw__op_keys_release(&op->keys);
        sw_definition_free(op->def);
        free(op);
}

#define TABLE(FLAGS)                                                                       \
        {                                                                                  \
                .size = sizeof(struct sw_op_ops), .flags = (FLAGS),                        \
                .cache_map = cache_map, .content_key = content_key, .execute = execute,    \
                .changed_paths = changed_paths, .free = free_op,                           \
        }

/* One table for each set of flags. */
static const struct sw_op_ops tables[] = {
        TABLE(0),
        TABLE(SW_OP_FAST_CACHE_MAP),
        TABLE(SW_OP_FAST_CACHE_MAP | SW_OP_FAST_EXECUTE),
        TABLE(SW_OP_WAITS_FOR_SOLVER),
        TABLE(SW_OP_WAITS_FOR_SOLVER | SW_OP_FAST_CACHE_MAP),
};

static const struct sw_op_ops *
table_for(const struct sw__op *op)
{
        uint32_t flags = op->kind->flags;

        if (protobuf_c_message_get_packed_size(&op->pb->base) > FAST_BYTES)
                flags &= ~(uint32_t) SW_OP_FAST_CACHE_MAP;
        for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
                if (tables[i].flags == flags)
                        return &tables[i];
        return &tables[0];
}

/* ---- the graph ---------------------------------------------------------------------- */

static sw__op_maker *const makers[] = {
        [SW_OP_SOURCE] = sw__op_source_new,
        [SW_OP_EXEC] = sw__op_exec_new,
        [SW_OP_FILE] = sw__op_file_new,
        [SW_OP_BUILD] = sw__op_build_new,
        [SW_OP_MERGE] = sw__op_merge_new,
        [SW_OP_DIFF] = sw__op_diff_new,
        [SW_OP_PASSTHROUGH] = sw__op_passthrough_new,
};

static sw_err *
make_op(const struct sw_ops_env *env, const struct sw_ops_job *job,
        const sw_definition *def, const sw_llb_vertex *v, bool no_cache,
        struct sw__op **out)
{
        struct sw__op *op = sw_new(struct sw__op);
        sw_err *err;

        op->env = env;
        op->def = sw__definition_ref((sw_definition *) def); /* only its count changes */
        op->v = v;
        op->pb = sw__llb_vertex_op(v);
        op->depth = job->depth;
        op->no_cache = no_cache || sw_llb_vertex_ignore_cache(v);
        err = makers[sw_llb_vertex_kind(v)](op, job);
        if (err) {
                sw_err_set_vertex(err, sw_llb_vertex_digest_str(v));
                free_op(op);
                return err;
        }
        *out = op;
        return SW_OK;
}

static struct sw_vertex_input *
make_inputs(const sw_llb_vertex *v)
{
        size_t n = sw_llb_vertex_n_inputs(v);
        struct sw_vertex_input *inputs = sw_alloc_array(n, sizeof(*inputs));

        for (size_t i = 0; i < n; i++) {
                struct sw_llb_edge e = sw_llb_vertex_input(v, i);

                inputs[i] = (struct sw_vertex_input){ (uint32_t) e.vertex, e.output };
        }
        return inputs;
}

static struct sw_vertex_group *
make_group(const sw_llb_vertex *v)
{
        const struct sw_llb_progress_group *g = sw_llb_vertex_progress_group(v);
        struct sw_vertex_group *out;

        if (!g)
                return NULL;
        out = sw_new(struct sw_vertex_group);
        *out = (struct sw_vertex_group){ .id = g->id, .name = g->name, .weak = g->weak };
        return out;
}

static struct sw_vertex
make_vertex(struct sw__op *op)
{
        return (struct sw_vertex){
                .digest = *sw_llb_vertex_digest(op->v),
                .ops = table_for(op),
                .op = op,
                .inputs = make_inputs(op->v),
                .n_inputs = (uint32_t) sw_llb_vertex_n_inputs(op->v),
                .n_outputs = (uint32_t) sw_llb_vertex_n_outputs(op->v),
                .ignore_cache = op->no_cache,
                .name = sw_llb_vertex_name(op->v),
                .group = make_group(op->v),
                .limit = op->limit,
                .units = op->units,
        };
}

/* The vertices that were made when one could not be: with their ops. */
static void
drop_vertices(struct sw_vertex *v, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                free_op(v[i].op);
                free((void *) v[i].inputs);
                free((void *) v[i].group);
        }
        free(v);
}

sw_err *
sw__ops_graph(const struct sw_ops_env *env, const struct sw_ops_job *job,
              const sw_definition *def, bool no_cache, struct sw_graph *out)
{
        size_t n = sw_definition_count(def);
        struct sw_llb_edge result = sw_definition_result(def);
        struct sw_vertex *vertices = sw_alloc_array(n, sizeof(*vertices));
        struct sw_vertex_input *root;

        for (size_t i = 0; i < n; i++) {
                struct sw__op *op;
                sw_err *err =
                        make_op(env, job, def, sw_definition_vertex(def, i), no_cache, &op);

                if (err) {
                        drop_vertices(vertices, i);
                        return err;
                }
                vertices[i] = make_vertex(op);
        }
        root = sw_new(struct sw_vertex_input);
        *root = (struct sw_vertex_input){ (uint32_t) result.vertex, result.output };
        *out = (struct sw_graph){
                .vertices = vertices,
                .n_vertices = (uint32_t) n,
                .roots = root,
                .n_roots = 1,
        };
        return SW_OK;
}

void
sw__ops_graph_release(struct sw_graph *g)
{
        for (uint32_t i = 0; i < g->n_vertices; i++) {
                free((void *) g->vertices[i].inputs);
                free((void *) g->vertices[i].group);
        }
        free((void *) g->vertices);
        free((void *) g->roots);
        *g = (struct sw_graph){ 0 };
}
