/*
 * core/llb/vertex.c - what callers read from a vertex. Thread: any.
 */
#include <string.h>

#include "core/llb/llb_priv.h"

size_t
sw_llb_vertex_index(const sw_llb_vertex *v)
{
        return v->index;
}

enum sw_op_kind
sw_llb_vertex_kind(const sw_llb_vertex *v)
{
        return v->kind;
}

const sw_digest *
sw_llb_vertex_digest(const sw_llb_vertex *v)
{
        return &v->def->digests[v->index];
}

const char *
sw_llb_vertex_digest_str(const sw_llb_vertex *v)
{
        return v->digest_str;
}

size_t
sw_llb_vertex_n_inputs(const sw_llb_vertex *v)
{
        return v->op->n_inputs;
}

struct sw_llb_edge
sw_llb_vertex_input(const sw_llb_vertex *v, size_t i)
{
        return v->inputs[i];
}

size_t
sw_llb_vertex_n_outputs(const sw_llb_vertex *v)
{
        return v->n_outputs;
}

const char *
sw_llb_vertex_name(const sw_llb_vertex *v)
{
        return v->name;
}

const sw_platform *
sw_llb_vertex_platform(const sw_llb_vertex *v)
{
        return v->platform;
}

bool
sw_llb_vertex_ignore_cache(const sw_llb_vertex *v)
{
        return v->ignore_cache;
}

enum sw_llb_export_cache
sw_llb_vertex_export_cache(const sw_llb_vertex *v)
{
        return v->export_cache;
}

const char *
sw_llb_vertex_description(const sw_llb_vertex *v, const char *key)
{
        for (size_t i = 0; i < v->n_descriptions; i++)
                if (strcmp(v->descriptions[i].key, key) == 0)
                        return v->descriptions[i].value;
        return NULL;
}

const struct sw_llb_pair *
sw_llb_vertex_descriptions(const sw_llb_vertex *v, size_t *n)
{
        *n = v->n_descriptions;
        return v->descriptions;
}

const struct sw_llb_progress_group *
sw_llb_vertex_progress_group(const sw_llb_vertex *v)
{
        return v->group;
}

const struct sw_llb_resources *
sw_llb_vertex_resources(const sw_llb_vertex *v)
{
        return v->resources;
}

const char *const *
sw_llb_vertex_filters(const sw_llb_vertex *v, size_t *n)
{
        const Pb__WorkerConstraints *c = v->op->constraints;

        *n = c ? c->n_filter : 0;
        return c ? (const char *const *) c->filter : NULL;
}

const struct sw_llb_vertex_location *
sw_llb_vertex_locations(const sw_llb_vertex *v, size_t *n)
{
        *n = v->n_locations;
        return v->locations;
}
