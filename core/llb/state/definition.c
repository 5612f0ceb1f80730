/*
 * core/llb/state/definition.c - see definition.h. Maps are written sorted by key.
 *
 * The message is put together from the bytes of its parts, so that only one part at a time
 * is a message in tmp, and memory stays that of the entries. Most vertices have nothing in
 * their metadata but one of a few sets of capabilities, whose bytes are made once.
 */
#include <string.h>

#include <slipway/text.h>

#include "core/llb/state/definition.h"
#include "proto/pbscan.h"

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

/* The message's list for a set, in the resolver's arena. */
static void
list_caps(struct making *m, capset caps, struct cap_list *l)
{
        Slipway__Map__Bool *items =
                (Slipway__Map__Bool *) sw__pb_arena_alloc(&m->r.arena,
                                                          (CAP_COUNT + 1) * sizeof(*items));

        *l = (struct cap_list){ .caps = caps, .packed = SW_BUF_INIT };
        l->v = (Slipway__Map__Bool **) sw__pb_arena_alloc(&m->r.arena,
                                                          (CAP_COUNT + 1) * sizeof(*l->v));
        for (unsigned i = 0; i < CAP_COUNT; i++) {
                if (!(caps >> i & 1))
                        continue;
                items[l->n] = (Slipway__Map__Bool) SLIPWAY__MAP__BOOL__INIT;
                items[l->n].key = pb_text(sw__llb_cap_names[i]);
                items[l->n].has_value = items[l->n].value = 1;
                l->v[l->n] = &items[l->n];
                l->n++;
        }
}

/* Made once for each set. Valid until the next call. */
static const struct cap_list *
cap_list(struct making *m, capset caps)
{
        Pb__OpMetadata md = PB__OP_METADATA__INIT;
        struct cap_list l;

        for (size_t i = 0; i < m->cap_lists.n; i++)
                if (m->cap_lists.v[i].caps == caps)
                        return &m->cap_lists.v[i];
        list_caps(m, caps, &l);
        md.caps = l.v;
        md.n_caps = l.n;
        sw__pb_pack(&md.base, &l.packed);
        sw_array_push(&m->cap_lists, l);
        return &m->cap_lists.v[m->cap_lists.n - 1];
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
        const struct cap_list *caps = cap_list(m, meta->caps);

        md->ignore_cache = meta->ignore_cache;
        md->n_description = meta->n_description;
        md->description = sw__llb_pb_pairs(&m->tmp, meta->description, meta->n_description);
        if (meta->export_cache != SW_LLB_EXPORT_CACHE_DEFAULT) {
                md->export_cache = PB_NEW(m, Pb__ExportCache, PB__EXPORT_CACHE__INIT);
                md->export_cache->value = meta->export_cache == SW_LLB_EXPORT_CACHE_ON;
        }
        md->caps = caps->v;
        md->n_caps = caps->n;
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

static Pb__Locations *
pb_locations(struct making *m, const struct entry *e)
{
        Pb__Locations *l = PB_NEW(m, Pb__Locations, PB__LOCATIONS__INIT);
        size_t n = 0;

        for (const struct place *p = e->places; p; p = p->next)
                n++;
        l->locations = PB_ARRAY(m, Pb__Location *, n);
        for (const struct place *p = e->places; p; p = p->next)
                l->locations[l->n_locations++] = pb_location(m, p);
        return l;
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
                return sw_err_wrap(err, "source map of %s",
                                   sw__llb_shown(map->filename).text);
        info->definition = pb__definition__unpack(&m->tmp.allocator, def.len,
                                                  (const uint8_t *) def.data);
        if (!info->definition)
                return sw_err_new(SW_E_NOMEM, "source map of %s",
                                  sw__llb_shown(map->filename).text);
        return SW_OK;
}

/* ---- the whole --------------------------------------------------------------------- */

static int
by_digest(const void *a, const void *b)
{
        return sw_digest_cmp(&(*(const struct entry *const *) a)->raw,
                             &(*(const struct entry *const *) b)->raw);
}

void
sw__llb_write_field(sw_buf *out, unsigned number, const void *bytes, size_t n)
{
        size_t left = n;

        sw_buf_addc(out, (char) (number << 3 | 2));
        for (; left >= 0x80; left >>= 7)
                sw_buf_addc(out, (char) (left | 0x80));
        sw_buf_addc(out, (char) left);
        sw_buf_add(out, bytes, n);
}

/* An entry of a map, field @number: key and value are always written. */
static void
write_entry(struct making *m, sw_buf *out, unsigned number, const struct entry *e,
            const char *value, size_t n)
{
        sw_buf_clear(&m->bytes);
        sw__llb_write_field(&m->bytes, 1, e->digest, SW_DIGEST_STR_LEN);
        sw__llb_write_field(&m->bytes, 2, value, n);
        sw__llb_write_field(out, number, m->bytes.data, m->bytes.len);
}

static bool
only_caps(const struct meta *meta)
{
        return !meta->ignore_cache && !meta->n_description && !meta->export_cache &&
               !meta->group_id && !meta->resources;
}

static sw_err *
write_metadata(struct making *m, struct entry **sorted, sw_buf *out)
{
        sw_auto(sw_buf) value = SW_BUF_INIT;
        sw_err *err = SW_OK;

        for (size_t i = 0; !err && i < m->entries.n; i++) {
                const struct meta *meta = &sorted[i]->meta;

                if (only_caps(meta)) {
                        const sw_buf *packed = &cap_list(m, meta->caps)->packed;

                        write_entry(m, out, 2, sorted[i], packed->data, packed->len);
                        continue;
                }
                sw_buf_clear(&value);
                sw__pb_pack(&pb_meta(m, meta)->base, &value);
                err = sw__pb_scan(&pb__op_metadata__descriptor,
                                  (const uint8_t *) value.data, value.len);
                write_entry(m, out, 2, sorted[i], value.data, value.len);
                sw__pb_arena_clear(&m->tmp);
        }
        return sw_err_wrap(err, "options of a vertex");
}

static void
write_locations(struct making *m, struct entry **sorted, sw_buf *out)
{
        const struct entry *last = m->entries.v[m->entries.n - 1];
        sw_auto(sw_buf) value = SW_BUF_INIT;

        for (size_t i = 0; i < m->entries.n; i++) {
                if (sorted[i] == last)
                        continue;
                sw_buf_clear(&value);
                if (sorted[i]->places)
                        sw__pb_pack(&pb_locations(m, sorted[i])->base, &value);
                write_entry(m, out, 1, sorted[i], value.data, value.len);
                sw__pb_arena_clear(&m->tmp);
        }
}

static sw_err *
write_infos(struct making *m, const struct sw_llb_opts *opts, int nested, sw_buf *out)
{
        sw_auto(sw_buf) value = SW_BUF_INIT;

        for (size_t i = 0; i < m->maps.n; i++) {
                const sw_source_map *map = m->maps.v[i];
                Pb__SourceInfo info = PB__SOURCE_INFO__INIT;
                sw_err *err;

                if (!sw_utf8_valid(map->filename, strlen(map->filename)) ||
                    !sw_utf8_valid(map->language, strlen(map->language)))
                        return sw_err_new(SW_E_INVALID,
                                          "source map: file name or language is not valid "
                                          "UTF-8");
                info.filename = pb_text(map->filename);
                info.language = pb_text(map->language);
                info.data = (ProtobufCBinaryData){ map->len, (uint8_t *) map->data };
                err = set_map_definition(m, map, opts, nested, &info);
                if (err)
                        return err;
                sw_buf_clear(&value);
                sw__pb_pack(&info.base, &value);
                sw__llb_write_field(out, 2, value.data, value.len);
                sw__pb_arena_clear(&m->tmp);
        }
        return SW_OK;
}

sw_err *
sw__llb_write_rest(struct making *m, const struct sw_llb_opts *opts, int nested,
                   sw_buf *out)
{
        size_t n = m->entries.n;
        struct entry **sorted = (struct entry **) sw_alloc_array(n, sizeof(*sorted));
        sw_auto(sw_buf) source = SW_BUF_INIT;
        sw_err *err;

        memcpy(sorted, m->entries.v, n * sizeof(*sorted));
        qsort(sorted, n, sizeof(*sorted), by_digest);
        err = write_metadata(m, sorted, out);
        write_locations(m, sorted, &source);
        if (!err)
                err = write_infos(m, opts, nested, &source);
        free(sorted);
        if (!err)
                sw__llb_write_field(out, 3, source.data, source.len);
        return err;
}
