/*
 * core/llb/state/vertex.c - vertices and source maps. Thread: any.
 */
#include <string.h>

#include "core/llb/state/files.h"
#include "core/llb/state/run.h"
#include "core/llb/state/state.h"

struct vertex *
sw__llb_vertex_new(enum vertex_kind kind, struct opts *opts, const struct output *inputs,
                   size_t n_inputs)
{
        struct vertex *v = sw_new(struct vertex);

        sw__llb_object_init(&v->o, OBJECT_VERTEX);
        v->kind = kind;
        v->opts = *opts;
        memset(opts, 0, sizeof(*opts));
        v->inputs = (struct output *) sw_alloc_array(n_inputs, sizeof(*inputs));
        v->n_inputs = n_inputs;
        for (size_t i = 0; i < n_inputs; i++) {
                v->inputs[i] = inputs[i];
                output_ref(inputs[i]);
        }
        return v;
}

static void
late_release(struct late *l, struct dead *dead)
{
        sw__llb_object_drop(&l->state->o, dead);
        if (l->free_arg)
                l->free_arg(l->arg);
}

void
sw__llb_vertex_release(struct vertex *v, struct dead *dead)
{
        sw__llb_opts_release(&v->opts, dead);
        for (size_t i = 0; i < v->n_inputs; i++)
                sw__llb_object_drop(v->inputs[i].v ? &v->inputs[i].v->o : NULL, dead);
        free(v->inputs);
        switch (v->kind) {
        case VERTEX_SOURCE:
                free(v->source.identifier);
                sw__llb_pairs_free(v->source.attrs, v->source.n_attrs);
                break;
        case VERTEX_EXEC: sw__llb_exec_release(v->exec, dead); break;
        case VERTEX_FILE: sw__llb_object_drop(v->files ? &v->files->o : NULL, dead); break;
        case VERTEX_PASSTHROUGH:
                free(v->pass.id);
                free(v->pass.outputs);
                break;
        case VERTEX_BUILD: free(v->filename); break;
        case VERTEX_LATE: late_release(&v->late, dead); break;
        case VERTEX_MERGE:
        case VERTEX_DIFF: break;
        }
        free(v);
}

const sw_platform *
sw__llb_output_platform(struct output out)
{
        if (!out.v || (out.v->kind != VERTEX_SOURCE && out.v->kind != VERTEX_EXEC))
                return NULL;
        return out.v->opts.platform;
}

/* ---- source maps ------------------------------------------------------------------- */

sw_source_map *
sw_source_map_new(const char *filename, const char *language, const void *data, size_t len,
                  const sw_state *state)
{
        sw_source_map *m = sw_new(sw_source_map);

        sw__llb_object_init(&m->o, OBJECT_SOURCE_MAP);
        m->filename = sw_strdup(filename);
        m->language = sw_strdup(language ? language : "");
        m->data = len ? sw_memdup(data, len) : NULL;
        m->len = len;
        m->state = state ? sw_state_ref(state) : NULL;
        return m;
}

sw_source_map *
sw_source_map_ref(sw_source_map *m)
{
        sw__llb_object_ref(&m->o);
        return m;
}

void
sw_source_map_unref(sw_source_map *m)
{
        sw__llb_object_unref(m ? &m->o : NULL);
}

void
sw__llb_source_map_release(sw_source_map *m, struct dead *dead)
{
        sw__llb_object_drop(m->state ? &m->state->o : NULL, dead);
        free(m->filename);
        free(m->language);
        free(m->data);
        free(m);
}
