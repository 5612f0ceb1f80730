/*
 * core/llb/graph.c - from the bytes of a definition to vertices: nodes, inputs, order,
 * digests.
 *
 * Two digests matter. Inputs refer to the digest of the bytes as they came. A vertex has
 * the digest of its op marshalled anew, with the new digests of its inputs; the two are the
 * same unless the writer marshals in its own way, a source was changed by policy, or
 * commands go through the proxy.
 * Everything is linear in the size of the definition; nothing recurses.
 * Thread: any, one at a time per definition.
 */
#include <inttypes.h>
#include <string.h>

#include <slipway/text.h>

#include "core/llb/llb_priv.h"
#include "core/llb/marshal.h"

/* Behind the bytes of a command that goes through the proxy, with the NUL before it. */
#define PROXY_SALT "\0buildkit.proxy-network.v0"

/* ---- nodes ------------------------------------------------------------------------- */

static const char *
given_str(const sw_definition *def, const struct sw__llb_node *node,
          char out[SW_DIGEST_STR_SIZE])
{
        return sw_digest_str(&def->given[node - def->nodes], out);
}

static sw_err *
read_node(sw_definition *def, struct sw__llb_node *node)
{
        char digest[SW_DIGEST_STR_SIZE];
        sw_err *err;

        err = sw__pb_unpack(&pb__op__descriptor, &def->arena.allocator, node->bytes->data,
                            node->bytes->len, &node->op);
        if (!err && def->arena.used > 2 * SW_DEFINITION_MAX_MEMORY)
                err = sw_err_new(SW_E_LIMIT, "the definition needs more than %zu MiB",
                                 2 * SW_DEFINITION_MAX_MEMORY >> 20);
        if (err) {
                sw_err_set_vertex(err, given_str(def, node, digest));
                return sw_err_wrap(err, "failed to parse llb proto op (vertex %s)",
                                   given_str(def, node, digest));
        }
        for (size_t i = 0; i < node->op->n_inputs; i++) {
                int64_t index = node->op->inputs[i]->index;
                struct sw__llb_check c = { .digest = given_str(def, node, digest) };

                if (index < 0 || index > INT32_MAX)
                        return sw__llb_bad(sw__llb_at(&c, "inputs[%zu].index", i),
                                           "invalid input %zu output index %" PRId64, i,
                                           index);
        }
        return SW_OK;
}

sw_err *
sw__llb_read_nodes(sw_definition *def)
{
        size_t n = def->pb->n_def;
        sw_err *err;

        def->nodes = (struct sw__llb_node *) sw__pb_arena_alloc(&def->arena,
                                                                n * sizeof(*def->nodes));
        def->given = (sw_digest *) sw__pb_arena_alloc(&def->arena, n * sizeof(*def->given));
        sw__llb_index_init(&def->by_given, n, def->given);
        for (size_t i = 0; i < n; i++) {
                struct sw__llb_node *node = &def->nodes[def->n_nodes];
                uint32_t same;

                memset(node, 0, sizeof(*node));
                node->bytes = &def->pb->def[i];
                def->given[def->n_nodes] =
                        sw_digest_of(node->bytes->data, node->bytes->len);
                same = sw__llb_index_find(&def->by_given, &def->given[def->n_nodes]);
                if (same != SW__LLB_NONE) {
                        def->last = same;
                        continue;
                }
                err = read_node(def, node);
                if (err)
                        return err;
                sw__llb_index_add(&def->by_given, def->n_nodes);
                def->last = def->n_nodes++;
        }
        return SW_OK;
}

/* ---- inputs and order --------------------------------------------------------------- */

static sw_err *
missing_input(const sw_definition *def, const struct sw__llb_node *node, size_t i)
{
        char digest[SW_DIGEST_STR_SIZE];
        struct sw__llb_check c = { .def = def,
                                   .op = node->op,
                                   .digest = given_str(def, node, digest) };
        const char *name = node->op->inputs[i]->digest;
        sw_auto(sw_buf) b = SW_BUF_INIT;

        if (sw_digest_is(name, SIZE_MAX))
                sw_buf_adds(&b, name);
        else
                sw_buf_add_quoted(&b, name, strlen(name), 100);
        return sw__llb_bad(sw__llb_at(&c, "inputs[%zu].digest", i),
                           "invalid missing input digest %s", b.data);
}

static sw_err *
resolve(sw_definition *def, struct sw__llb_node *node)
{
        size_t n = node->op->n_inputs;

        node->inputs = (uint32_t *) sw__pb_arena_alloc(&def->arena,
                                                       (n + 1) * sizeof(*node->inputs));
        for (size_t i = 0; i < n; i++) {
                const char *name = node->op->inputs[i]->digest;
                uint32_t input = SW__LLB_NONE;
                sw_digest d;

                if (sw__llb_digest_read(name, &d))
                        input = sw__llb_index_find(&def->by_given, &d);
                /* The last op is a pointer at the result; nothing can be made of it. */
                if (input == SW__LLB_NONE || input == def->last)
                        return missing_input(def, node, i);
                node->inputs[i] = input;
        }
        return SW_OK;
}

/* Where the walk is in a node: the input to look at next. */
struct frame {
        uint32_t node, next;
};

/* Depth first from @root, inputs into the order before what uses them. */
static sw_err *
sort_from(sw_definition *def, uint32_t root, struct frame *stack, uint32_t *n_sorted)
{
        size_t depth = 0;

        if (def->nodes[root].seen)
                return SW_OK;
        stack[depth++] = (struct frame){ root, 0 };
        def->nodes[root].seen = 1;
        while (depth) {
                struct frame *f = &stack[depth - 1];
                struct sw__llb_node *node = &def->nodes[f->node];
                uint32_t input;

                if (f->next == node->op->n_inputs) {
                        node->seen = 2;
                        def->order[(*n_sorted)++] = f->node;
                        depth--;
                        continue;
                }
                input = node->inputs[f->next++];
                if (def->nodes[input].seen == 1)
                        return sw_err_new(SW_E_INVALID, "the definition has a cycle");
                if (def->nodes[input].seen == 0) {
                        def->nodes[input].seen = 1;
                        stack[depth++] = (struct frame){ input, 0 };
                }
        }
        return SW_OK;
}

sw_err *
sw__llb_resolve_inputs(sw_definition *def)
{
        uint32_t n = def->n_nodes, n_sorted = 0;
        struct frame *stack;
        sw_err *err;

        for (uint32_t i = 0; i < n; i++) {
                err = resolve(def, &def->nodes[i]);
                if (err)
                        return err;
        }
        def->order = (uint32_t *) sw__pb_arena_alloc(&def->arena, n * sizeof(*def->order));
        stack = (struct frame *) sw__pb_arena_alloc(&def->arena, n * sizeof(*stack));
        for (uint32_t i = 0; i < n; i++) {
                err = sort_from(def, i, stack, &n_sorted);
                if (err)
                        return err;
        }
        return SW_OK;
}

/* ---- digests ------------------------------------------------------------------------ */

/* The proxy captures what a command does on the network, unless it has none. */
static bool
uses_proxy(const sw_definition *def, const Pb__Op *op)
{
        return def->proxy_network && op->op_case == PB__OP__OP_EXEC && op->exec &&
               op->exec->network != PB__NET_MODE__NONE;
}

static void
rename_inputs(sw_definition *def, const struct sw__llb_node *node)
{
        for (size_t i = 0; i < node->op->n_inputs; i++) {
                const struct sw__llb_node *input = &def->nodes[node->inputs[i]];
                const char *now = def->vertices[input->vertex].digest_str;

                if (strcmp(node->op->inputs[i]->digest, now) != 0)
                        node->op->inputs[i]->digest =
                                sw__pb_arena_strndup(&def->arena, now, SW_DIGEST_STR_LEN);
        }
}

static sw_digest
digest_of(sw_definition *def, const struct sw__llb_node *node, sw_buf *scratch)
{
        sw_buf_clear(scratch);
        sw__llb_pack_op(node->op, scratch);
        if (uses_proxy(def, node->op))
                sw_buf_add(scratch, PROXY_SALT, sizeof(PROXY_SALT) - 1);
        else if (scratch->len == node->bytes->len && scratch->len &&
                 memcmp(scratch->data, node->bytes->data, scratch->len) == 0)
                return def->given[node - def->nodes];
        return sw_digest_of(scratch->data, scratch->len);
}

/* 0 when the op is none of these, which validation refuses. */
static enum sw_op_kind
kind_of(const Pb__Op *op)
{
        switch (op->op_case) {
        case PB__OP__OP_SOURCE: return SW_OP_SOURCE;
        case PB__OP__OP_EXEC: return SW_OP_EXEC;
        case PB__OP__OP_FILE: return SW_OP_FILE;
        case PB__OP__OP_BUILD: return SW_OP_BUILD;
        case PB__OP__OP_MERGE: return SW_OP_MERGE;
        case PB__OP__OP_DIFF: return SW_OP_DIFF;
        case PB__OP__OP_PASSTHROUGH: return SW_OP_PASSTHROUGH;
        default: return (enum sw_op_kind) 0;
        }
}

/* The vertex of @node: a new one, or the one that has the digest already. */
static void
make_vertex(sw_definition *def, struct sw__llb_node *node, const sw_digest *digest)
{
        uint32_t same = sw__llb_index_find(&def->by_digest, digest);
        sw_llb_vertex *v;

        if (same != SW__LLB_NONE) {
                node->vertex = same;
                return;
        }
        v = &def->vertices[def->n_vertices];
        *v = (sw_llb_vertex){ .def = def,
                              .index = (uint32_t) def->n_vertices++,
                              .node = (uint32_t) (node - def->nodes),
                              .op = node->op,
                              .kind = kind_of(node->op) };
        def->digests[v->index] = *digest;
        sw_digest_str(digest, v->digest_str);
        sw__llb_index_add(&def->by_digest, v->index);
        node->vertex = v->index;
}

static void
connect(sw_definition *def, sw_llb_vertex *v)
{
        const struct sw__llb_node *node = &def->nodes[v->node];
        size_t n = v->op->n_inputs;

        v->inputs = (struct sw_llb_edge *) sw__pb_arena_alloc(&def->arena,
                                                              (n + 1) * sizeof(*v->inputs));
        for (size_t i = 0; i < n; i++)
                v->inputs[i] = (struct sw_llb_edge){
                        .vertex = def->nodes[node->inputs[i]].vertex,
                        .output = (uint32_t) v->op->inputs[i]->index,
                };
}

static sw_err *
find_result(sw_definition *def)
{
        const struct sw__llb_node *last = &def->nodes[def->last];
        char digest[SW_DIGEST_STR_SIZE];
        struct sw__llb_check c = { .def = def,
                                   .op = last->op,
                                   .digest = given_str(def, last, digest) };

        if (def->n_vertices == 0)
                return sw_err_new(SW_E_INVALID, "invalid LLB with %zu vertexes",
                                  def->n_vertices + 1);
        if (last->op->n_inputs == 0)
                return sw__llb_bad(sw__llb_at(&c, "inputs"),
                                   "invalid LLB with no inputs on last vertex");
        if (last->op->n_inputs > 1)
                return sw__llb_bad(sw__llb_at(&c, "inputs"),
                                   "invalid LLB with %zu inputs on last vertex, which only "
                                   "points at the result",
                                   last->op->n_inputs);
        if (last->op->op_case != PB__OP__OP__NOT_SET)
                return sw__llb_bad(sw__llb_at(&c, "op"), "invalid LLB with an op on last "
                                                         "vertex, which only points at the "
                                                         "result");
        def->result = (struct sw_llb_edge){
                .vertex = def->nodes[last->inputs[0]].vertex,
                .output = (uint32_t) last->op->inputs[0]->index,
        };
        return SW_OK;
}

sw_err *
sw__llb_make_vertices(sw_definition *def)
{
        sw_auto(sw_buf) scratch = SW_BUF_INIT;

        def->n_vertices = 0;
        def->vertices =
                (sw_llb_vertex *) sw__pb_arena_alloc(&def->arena,
                                                     def->n_nodes * sizeof(*def->vertices));
        sw__llb_index_release(&def->by_digest);
        def->digests =
                (sw_digest *) sw__pb_arena_alloc(&def->arena,
                                                 def->n_nodes * sizeof(*def->digests));
        sw__llb_index_init(&def->by_digest, def->n_nodes, def->digests);
        for (uint32_t i = 0; i < def->n_nodes; i++) {
                struct sw__llb_node *node = &def->nodes[def->order[i]];
                sw_digest digest;

                if (def->order[i] == def->last)
                        continue;
                rename_inputs(def, node);
                digest = digest_of(def, node, &scratch);
                make_vertex(def, node, &digest);
        }
        for (size_t i = 0; i < def->n_vertices; i++)
                connect(def, &def->vertices[i]);
        return find_result(def);
}
