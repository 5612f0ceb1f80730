/*
 * core/llb/state/definition.c - see definition.h. Maps are written sorted by key. Messages
 * live in tmp, which holds nothing else by now.
 */
#include <string.h>

#include "core/llb/state/definition.h"

Slipway__Map__String **
sw__llb_pb_pairs(struct sw__pb_arena *a, const struct pair *v, size_t n)
{
        Slipway__Map__String **list;
        Slipway__Map__String *items;

        if (!n)
                return NULL;
        list = (Slipway__Map__String **) sw__pb_arena_alloc(a, n * sizeof(*list));
        items = (Slipway__Map__String *) sw__pb_arena_alloc(a, n * sizeof(*items));
        for (size_t i = 0; i < n; i++) {
                items[i] = (Slipway__Map__String) SLIPWAY__MAP__STRING__INIT;
                items[i].key = v[i].key;
                items[i].value = v[i].value;
                list[i] = &items[i];
        }
        return list;
}

/* ---- metadata ---------------------------------------------------------------------- */

static void
set_caps(struct making *m, capset caps, Pb__OpMetadata *md)
{
        md->caps = PB_ARRAY(m, Slipway__Map__Bool *, __builtin_popcountll(caps));
        for (unsigned i = 0; i < CAP_COUNT; i++) {
                Slipway__Map__Bool *cap;

                if (!(caps >> i & 1))
                        continue;
                cap = PB_NEW(m, Slipway__Map__Bool, SLIPWAY__MAP__BOOL__INIT);
                cap->key = pb_text(sw__llb_cap_names[i]);
                cap->has_value = cap->value = 1;
                md->caps[md->n_caps++] = cap;
        }
}

static Pb__LinuxResources *
pb_resources(struct making *m, const struct sw_llb_resources *r)
{
        Pb__LinuxResources *pb = PB_NEW(m, Pb__LinuxResources, PB__LINUX_RESOURCES__INIT);

        pb->memory = r->memory;
        pb->memoryswap = r->memory_swap;
        pb->cpushares = r->cpu_shares;
        pb->cpuperiod = r->cpu_period;
        pb->cpuquota = r->cpu_quota;
        pb->cpusetcpus = pb_text(r->cpuset_cpus);
        pb->cpusetmems = pb_text(r->cpuset_mems);
        return pb;
}

static Pb__OpMetadata *
pb_meta(struct making *m, const struct meta *meta)
{
        Pb__OpMetadata *md = PB_NEW(m, Pb__OpMetadata, PB__OP_METADATA__INIT);

        md->ignore_cache = meta->ignore_cache;
        md->n_description = meta->n_description;
        md->description = sw__llb_pb_pairs(&m->tmp, meta->description, meta->n_description);
        if (meta->export_cache != SW_LLB_EXPORT_CACHE_DEFAULT) {
                md->export_cache = PB_NEW(m, Pb__ExportCache, PB__EXPORT_CACHE__INIT);
                md->export_cache->value = meta->export_cache == SW_LLB_EXPORT_CACHE_ON;
        }
        set_caps(m, meta->caps, md);
        if (meta->group_id) {
                md->progress_group = PB_NEW(m, Pb__ProgressGroup, PB__PROGRESS_GROUP__INIT);
                md->progress_group->id = pb_text(meta->group_id);
                md->progress_group->name = pb_text(meta->group_name);
                md->progress_group->weak = meta->group_weak;
        }
        if (meta->resources)
                md->linux_resources = pb_resources(m, meta->resources);
        return md;
}

/* ---- source maps ------------------------------------------------------------------- */

static Pb__Position *
pb_position(struct making *m, int32_t line, int32_t character)
{
        Pb__Position *p = PB_NEW(m, Pb__Position, PB__POSITION__INIT);

        p->line = line;
        p->character = character;
        return p;
}

static Pb__Location *
pb_location(struct making *m, const struct place *place)
{
        const struct location *from = place->location;
        Pb__Location *l = PB_NEW(m, Pb__Location, PB__LOCATION__INIT);

        l->sourceindex = place->map;
        l->n_ranges = from->n;
        l->ranges = PB_ARRAY(m, Pb__Range *, from->n);
        for (size_t i = 0; i < from->n; i++) {
                const struct sw_llb_range *r = &from->ranges[i];

                l->ranges[i] = PB_NEW(m, Pb__Range, PB__RANGE__INIT);
                l->ranges[i]->start = pb_position(m, r->start_line, r->start_character);
                l->ranges[i]->end = pb_position(m, r->end_line, r->end_character);
        }
        return l;
}

static Pb__LocationsEntry *
pb_locations(struct making *m, const struct entry *e)
{
        Pb__LocationsEntry *entry =
                PB_NEW(m, Pb__LocationsEntry, PB__LOCATIONS_ENTRY__INIT);
        Pb__Locations *l = PB_NEW(m, Pb__Locations, PB__LOCATIONS__INIT);
        size_t n = 0;

        for (const struct place *p = e->places; p; p = p->next)
                n++;
        l->locations = PB_ARRAY(m, Pb__Location *, n);
        for (const struct place *p = e->places; p; p = p->next)
                l->locations[l->n_locations++] = pb_location(m, p);
        entry->key = pb_text(e->digest);
        entry->value = l;
        return entry;
}

/* The definition of the tree that has the text, as a message. */
static sw_err *
set_map_definition(struct making *m, const sw_source_map *map,
                   const struct sw_llb_opts *opts, int nested, Pb__SourceInfo *info)
{
        sw_auto(sw_buf) def = SW_BUF_INIT;
        sw_err *err;

        if (!map->state)
                return SW_OK;
        err = sw__llb_marshal_nested(map->state, opts, nested + 1, &def);
        if (err)
                return sw_err_wrap(err, "source map of %.200s", map->filename);
        info->definition = pb__definition__unpack(&m->tmp.allocator, def.len,
                                                  (const uint8_t *) def.data);
        if (!info->definition)
                return sw_err_new(SW_E_NOMEM, "source map of %.200s", map->filename);
        return SW_OK;
}

static sw_err *
set_infos(struct making *m, const struct sw_llb_opts *opts, int nested, Pb__Source *source)
{
        sw_err *err = SW_OK;

        source->infos = PB_ARRAY(m, Pb__SourceInfo *, m->maps.n);
        for (size_t i = 0; !err && i < m->maps.n; i++) {
                const sw_source_map *map = m->maps.v[i];
                Pb__SourceInfo *info = PB_NEW(m, Pb__SourceInfo, PB__SOURCE_INFO__INIT);

                info->filename = pb_text(map->filename);
                info->language = pb_text(map->language);
                info->data = (ProtobufCBinaryData){ map->len, (uint8_t *) map->data };
                err = set_map_definition(m, map, opts, nested, info);
                source->infos[source->n_infos++] = info;
        }
        return err;
}

/* ---- the whole --------------------------------------------------------------------- */

static int
by_digest(const void *a, const void *b)
{
        return strcmp((*(const struct entry *const *) a)->digest,
                      (*(const struct entry *const *) b)->digest);
}

/* All maps have digests for keys. */
static void
set_maps(struct making *m, Pb__Definition *def, Pb__Source *source)
{
        const struct entry *terminal = m->entries.v[m->entries.n - 1];
        size_t n = m->entries.n;
        const struct entry **sorted = PB_ARRAY(m, const struct entry *, n);

        memcpy(sorted, m->entries.v, n * sizeof(*sorted));
        qsort(sorted, n, sizeof(*sorted), by_digest);
        def->metadata = PB_ARRAY(m, Pb__OpMetadataEntry *, n);
        source->locations = PB_ARRAY(m, Pb__LocationsEntry *, n);
        for (size_t i = 0; i < n; i++) {
                Pb__OpMetadataEntry *md =
                        PB_NEW(m, Pb__OpMetadataEntry, PB__OP_METADATA_ENTRY__INIT);

                md->key = pb_text(sorted[i]->digest);
                md->value = pb_meta(m, &sorted[i]->meta);
                def->metadata[def->n_metadata++] = md;
                if (sorted[i] != terminal)
                        source->locations[source->n_locations++] =
                                pb_locations(m, sorted[i]);
        }
}

sw_err *
sw__llb_write_definition(struct making *m, const struct sw_llb_opts *opts, int nested,
                         sw_buf *out)
{
        Pb__Definition def = PB__DEFINITION__INIT;
        Pb__Source source = PB__SOURCE__INIT;
        sw_err *err = set_infos(m, opts, nested, &source);

        if (err)
                return err;
        def.def = PB_ARRAY(m, ProtobufCBinaryData, m->entries.n);
        for (size_t i = 0; i < m->entries.n; i++)
                def.def[def.n_def++] = (ProtobufCBinaryData){ m->entries.v[i]->len,
                                                              m->entries.v[i]->bytes };
        set_maps(m, &def, &source);
        def.source = &source;
        sw__pb_pack(&def.base, out);
        return SW_OK;
}
