/*
 * core/llb/definition.c - decoding a definition, step by step, and what callers read.
 *
 * Thread: decode and free: any; a definition that is decoded is read by any number.
 */
#include <string.h>

#include "core/llb/llb_priv.h"
#include "core/llb/state/state.h"

/* ---- loading ------------------------------------------------------------------------ */

/* Check and describe every vertex, inputs first. Names and outputs of inputs are there
 * when they are needed. */
static sw_err *
load_vertices(sw_definition *def)
{
        struct sw_llb_edge r = def->result;

        for (size_t i = 0; i < def->n_vertices; i++) {
                sw_err *err = sw__llb_validate(def, &def->vertices[i]);

                if (err)
                        return err;
                sw__llb_describe(def, &def->vertices[i]);
        }
        if (r.output >= def->vertices[r.vertex].n_outputs)
                return sw_err_new(SW_E_INVALID,
                                  "invalid input 0 output index %u on last vertex: vertex "
                                  "%s has %u outputs",
                                  (unsigned) r.output, def->vertices[r.vertex].digest_str,
                                  (unsigned) def->vertices[r.vertex].n_outputs);
        return SW_OK;
}

static sw_err *
check_metadata(const sw_definition *def, const struct sw_definition_opts *opts)
{
        for (uint32_t i = 0; i < def->n_nodes; i++) {
                const struct sw__llb_node *node = &def->nodes[i];
                char digest[SW_DIGEST_STR_SIZE];
                struct sw__llb_check c = { .def = def, .op = node->op };
                sw_err *err;

                if (!node->metadata)
                        continue;
                c.digest = sw_digest_str(&def->given[i], digest);
                err = sw__llb_validate_metadata(&c, node->metadata, opts);
                if (err)
                        return err;
        }
        return SW_OK;
}

static sw_err *
load(sw_definition *def, const void *p, size_t n, const struct sw_definition_opts *opts)
{
        sw_err *err;

        err = sw__pb_unpack_unsorted(&pb__definition__descriptor, &def->arena.allocator, p,
                                     n, &def->pb);
        if (err)
                return sw_err_wrap(err, "failed to parse llb definition");
        if (def->pb->n_def == 0)
                return sw_err_new(SW_E_INVALID, "invalid empty definition");
        err = sw__llb_read_nodes(def);
        if (!err)
                err = sw__llb_resolve_inputs(def);
        if (!err)
                err = sw__llb_make_vertices(def);
        if (!err)
                err = sw__llb_read_maps(def);
        if (err)
                return err;
        sw__llb_attach(def);
        err = check_metadata(def, opts);
        return err ? err : load_vertices(def);
}

sw_err *
sw_definition_decode(const void *p, size_t n, const struct sw_definition_opts *opts,
                     sw_definition **out)
{
        sw_autoptr(sw_definition) def = sw_new(sw_definition);
        struct sw_definition_opts o;
        sw_platform *platform;
        sw_err *err = sw__llb_take_options("definition options", &o, sizeof(o), opts);

        sw__pb_arena_init(&def->arena);
        if (err)
                return err;
        def->proxy_network = o.proxy_network;
        platform = sw_platform_normalize(o.platform ? o.platform : sw_platform_host());
        sw_array_push(&def->platforms, platform);
        def->default_platform = platform;
        err = load(def, p, n, &o);
        if (err)
                return sw_err_wrap(err, "failed to load LLB");
        *out = sw_steal(def);
        return SW_OK;
}

sw_definition *
sw__definition_ref(sw_definition *def)
{
        atomic_fetch_add_explicit(&def->holders, 1, memory_order_relaxed);
        return def;
}

void
sw_definition_free(sw_definition *def)
{
        if (!def || atomic_fetch_sub_explicit(&def->holders, 1, memory_order_acq_rel) != 0)
                return;
        sw__llb_index_release(&def->by_given);
        sw__llb_index_release(&def->by_digest);
        for (size_t i = 0; i < def->platforms.n; i++)
                sw_platform_free(def->platforms.v[i]);
        sw_array_release(&def->platforms);
        sw__pb_arena_release(&def->arena);
        free(def);
}

bool
sw_definition_is_empty(const void *p, size_t n)
{
        struct sw__pb_arena arena;
        Pb__Definition *pb = NULL;
        sw_err *err;
        bool empty;

        if (n == 0)
                return true;
        sw__pb_arena_init(&arena);
        err = sw__pb_unpack_unsorted(&pb__definition__descriptor, &arena.allocator, p, n,
                                     &pb);
        empty = !err && pb->n_def == 0;
        sw_err_drop(err, "what is broken is not empty; decoding says so");
        sw__pb_arena_release(&arena);
        return empty;
}

/* ---- changing sources --------------------------------------------------------------- */

void
sw__definition_set_source(sw_definition *def, size_t vertex, const char *identifier)
{
        def->vertices[vertex].op->source->identifier =
                sw__pb_arena_strndup(&def->arena, identifier, strlen(identifier));
}

void
sw__definition_set_attr(sw_definition *def, size_t vertex, const char *key,
                        const char *value)
{
        Pb__SourceOp *source = def->vertices[vertex].op->source;
        Slipway__Map__String **attrs, *attr;
        size_t n = source->n_attrs;

        for (size_t i = 0; i < n; i++)
                if (strcmp(source->attrs[i]->key, key) == 0) {
                        source->attrs[i]->value =
                                sw__pb_arena_strndup(&def->arena, value, strlen(value));
                        return;
                }
        attr = (Slipway__Map__String *) sw__pb_arena_alloc(&def->arena, sizeof(*attr));
        slipway__map__string__init(attr);
        attr->key = sw__pb_arena_strndup(&def->arena, key, strlen(key));
        attr->value = sw__pb_arena_strndup(&def->arena, value, strlen(value));
        attrs = (Slipway__Map__String **) sw__pb_arena_alloc(&def->arena,
                                                             (n + 1) * sizeof(*attrs));
        if (n)
                memcpy(attrs, source->attrs, n * sizeof(*attrs));
        attrs[n] = attr;
        source->attrs = attrs;
        source->n_attrs = n + 1;
        sw__pb_canonical(&source->base, &def->arena.allocator);
}

sw_err *
sw__definition_redigest(sw_definition *def)
{
        sw_err *err = sw__llb_make_vertices(def);

        if (!err)
                err = load_vertices(def);
        return sw_err_wrap(err, "failed to load LLB");
}

/* ---- reading ------------------------------------------------------------------------ */

size_t
sw_definition_count(const sw_definition *def)
{
        return def->n_vertices;
}

const sw_llb_vertex *
sw_definition_vertex(const sw_definition *def, size_t i)
{
        return &def->vertices[i];
}

struct sw_llb_edge
sw_definition_result(const sw_definition *def)
{
        return def->result;
}

const sw_llb_vertex *
sw_definition_find(const sw_definition *def, const sw_digest *digest)
{
        uint32_t i = sw__llb_index_find(&def->by_digest, digest);

        return i == SW__LLB_NONE ? NULL : &def->vertices[i];
}

const struct sw_llb_source_map *
sw_definition_source_maps(const sw_definition *def, size_t *n)
{
        *n = def->n_maps;
        return def->maps;
}
