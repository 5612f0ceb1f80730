/*
 * core/llb/describe.c - what is known about a vertex beside its op: metadata, platform,
 * locations in source maps.
 *
 * Metadata and locations are found by the digest of the bytes as they came and stay with
 * the vertex when its digest changes. Thread: any, one at a time per definition.
 */
#include <string.h>

#include "core/llb/llb_priv.h"

/* ---- finding ------------------------------------------------------------------------ */

static struct sw__llb_node *
node_named(const sw_definition *def, const char *digest)
{
        uint32_t i = SW__LLB_NONE;
        sw_digest d;

        if (digest && sw__llb_digest_read(digest, &d))
                i = sw__llb_index_find(&def->by_given, &d);
        return i == SW__LLB_NONE ? NULL : &def->nodes[i];
}

/* The entries come as they were written: not sorted, maybe without a value; the last one
 * of a key counts. */
void
sw__llb_attach(sw_definition *def)
{
        const Pb__Source *source = def->pb->source;
        struct sw__llb_node *node;

        for (size_t i = 0; i < def->pb->n_metadata; i++) {
                node = node_named(def, def->pb->metadata[i]->key);
                if (!node)
                        continue;
                node->metadata = def->pb->metadata[i]->value;
                if (node->metadata)
                        sw__pb_canonical(&def->pb->metadata[i]->value->base,
                                         &def->arena.allocator);
        }
        for (size_t i = 0; source && i < source->n_locations; i++) {
                node = node_named(def, source->locations[i]->key);
                if (node)
                        node->locations = source->locations[i]->value;
        }
}

sw_err *
sw__llb_read_maps(sw_definition *def)
{
        const Pb__Source *source = def->pb->source;
        size_t n = source ? source->n_infos : 0;

        def->n_maps = n;
        def->maps = (struct sw_llb_source_map *)
                sw__pb_arena_alloc(&def->arena, (n + 1) * sizeof(*def->maps));
        for (size_t i = 0; i < n; i++)
                def->maps[i] =
                        (struct sw_llb_source_map){ .filename = source->infos[i]->filename,
                                                    .language = source->infos[i]->language,
                                                    .data = source->infos[i]->data.data,
                                                    .len = source->infos[i]->data.len };
        for (size_t i = 0; source && i < source->n_locations; i++) {
                const Pb__LocationsEntry *e = source->locations[i];

                for (size_t k = 0; e->value && k < e->value->n_locations; k++) {
                        int32_t index = e->value->locations[k]->sourceindex;

                        if (index < 0 || (size_t) index >= n)
                                return sw_err_new(SW_E_INVALID,
                                                  "invalid source index %d, %zu provided "
                                                  "(Source.locations[%zu].locations[%zu])",
                                                  (int) index, n, i, k);
                }
        }
        return SW_OK;
}

/* ---- platform ----------------------------------------------------------------------- */

static bool
same_platform(const Pb__Platform *a, const Pb__Platform *b)
{
        if (a == b)
                return true;
        if (!a || !b || strcmp(a->os, b->os) != 0 ||
            strcmp(a->architecture, b->architecture) != 0 ||
            strcmp(a->variant, b->variant) != 0 ||
            strcmp(a->osversion, b->osversion) != 0 || a->n_osfeatures != b->n_osfeatures)
                return false;
        for (size_t i = 0; i < a->n_osfeatures; i++)
                if (strcmp(a->osfeatures[i], b->osfeatures[i]) != 0)
                        return false;
        return true;
}

/* Most vertices of a definition are for one platform: that of an input is shared. */
static const sw_platform *
platform_of(sw_definition *def, const sw_llb_vertex *v)
{
        const Pb__Platform *p = v->op->platform;
        const char **features;
        sw_platform *made;

        if (!p)
                return def->default_platform;
        for (size_t i = 0; i < v->op->n_inputs && i < 4; i++) {
                const sw_llb_vertex *in = &def->vertices[v->inputs[i].vertex];

                if (same_platform(p, in->op->platform))
                        return in->platform;
        }
        features = (const char **) sw_alloc_array(p->n_osfeatures + 1, sizeof(*features));
        for (size_t i = 0; i < p->n_osfeatures; i++)
                features[i] = p->osfeatures[i];
        made = sw_platform_normalize(&(struct sw_platform){ .os = p->os,
                                                            .arch = p->architecture,
                                                            .variant = p->variant,
                                                            .os_version = p->osversion,
                                                            .os_features = features });
        free(features);
        sw_array_push(&def->platforms, made);
        return made;
}

/* ---- metadata ----------------------------------------------------------------------- */

static void
copy_descriptions(sw_definition *def, sw_llb_vertex *v, const Pb__OpMetadata *md)
{
        v->n_descriptions = md->n_description;
        v->descriptions = (struct sw_llb_pair *) sw__pb_arena_alloc(
                &def->arena, (md->n_description + 1) * sizeof(*v->descriptions));
        for (size_t i = 0; i < md->n_description; i++)
                v->descriptions[i] = (struct sw_llb_pair){
                        .key = md->description[i]->key,
                        .value = md->description[i]->value,
                };
}

static void
copy_metadata(sw_definition *def, sw_llb_vertex *v, const Pb__OpMetadata *md)
{
        const Pb__ProgressGroup *g = md->progress_group;
        const Pb__LinuxResources *r = md->linux_resources;

        v->ignore_cache = md->ignore_cache;
        if (md->export_cache)
                v->export_cache = md->export_cache->value ? SW_LLB_EXPORT_CACHE_ON
                                                          : SW_LLB_EXPORT_CACHE_OFF;
        copy_descriptions(def, v, md);
        if (g) {
                v->group = (struct sw_llb_progress_group *)
                        sw__pb_arena_alloc(&def->arena, sizeof(*v->group));
                *v->group = (struct sw_llb_progress_group){ .id = g->id,
                                                            .name = g->name,
                                                            .weak = g->weak };
        }
        if (r && v->kind == SW_OP_EXEC) {
                v->resources = (struct sw_llb_resources *)
                        sw__pb_arena_alloc(&def->arena, sizeof(*v->resources));
                *v->resources = (struct sw_llb_resources){ .memory = r->memory,
                                                           .memory_swap = r->memoryswap,
                                                           .cpu_shares = r->cpushares,
                                                           .cpu_period = r->cpuperiod,
                                                           .cpu_quota = r->cpuquota,
                                                           .cpuset_cpus = r->cpusetcpus,
                                                           .cpuset_mems = r->cpusetmems };
        }
}

/* ---- locations ---------------------------------------------------------------------- */

static void
copy_ranges(sw_definition *def, struct sw_llb_vertex_location *to, const Pb__Location *l)
{
        struct sw_llb_range *r =
                (struct sw_llb_range *) sw__pb_arena_alloc(&def->arena,
                                                           (l->n_ranges + 1) * sizeof(*r));

        for (size_t i = 0; i < l->n_ranges; i++) {
                const Pb__Position *start = l->ranges[i]->start, *end = l->ranges[i]->end;

                r[i] = (struct sw_llb_range){ .start_line = start ? start->line : 0,
                                              .start_character =
                                                      start ? start->character : 0,
                                              .end_line = end ? end->line : 0,
                                              .end_character = end ? end->character : 0 };
        }
        to->ranges = r;
        to->n_ranges = l->n_ranges;
}

static void
copy_locations(sw_definition *def, sw_llb_vertex *v, const Pb__Locations *l)
{
        v->n_locations = l->n_locations;
        v->locations = (struct sw_llb_vertex_location *) sw__pb_arena_alloc(
                &def->arena, (l->n_locations + 1) * sizeof(*v->locations));
        for (size_t i = 0; i < l->n_locations; i++) {
                v->locations[i].map = &def->maps[l->locations[i]->sourceindex];
                copy_ranges(def, &v->locations[i], l->locations[i]);
        }
}

void
sw__llb_describe(sw_definition *def, sw_llb_vertex *v)
{
        const struct sw__llb_node *node = &def->nodes[v->node];

        if (node->metadata)
                copy_metadata(def, v, node->metadata);
        if (node->locations)
                copy_locations(def, v, node->locations);
        v->platform = platform_of(def, v);
        v->name = sw__llb_make_name(def, v);
}
