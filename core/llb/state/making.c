/*
 * core/llb/state/making.c - the walk over the graph. See making.h.
 */
#include <string.h>

#include "core/llb/marshal.h"
#include "core/llb/state/definition.h"
#include "core/llb/state/making.h"
#include "proto/pbscan.h"

enum {
        MAX_NESTED = 8,  /* source maps of definitions of source maps */
        FEW_INPUTS = 16, /* of one op, that need no table */
};

/* ---- constraints and metadata ------------------------------------------------------ */

/* Both sorted; of equal keys @b's stays. */
static void
merge_description(struct making *m, struct meta *into, const struct pair *b, size_t n)
{
        const struct pair *a = into->description;
        size_t na = into->n_description, i = 0, k = 0, total = 0;
        struct pair *v;

        if (!n)
                return;
        if (!na) {
                into->description = b;
                into->n_description = n;
                return;
        }
        v = (struct pair *) sw__pb_arena_alloc(&m->r.arena, (na + n) * sizeof(*v));
        while (i < na || k < n) {
                int c = i == na ? 1 : k == n ? -1 : strcmp(a[i].key, b[k].key);

                v[total++] = c < 0 ? a[i] : b[k];
                i += c <= 0;
                k += c >= 0;
        }
        into->description = v;
        into->n_description = total;
}

static void
merge_meta(struct making *m, struct meta *into, const struct meta *from)
{
        into->ignore_cache |= from->ignore_cache;
        merge_description(m, into, from->description, from->n_description);
        if (from->export_cache != SW_LLB_EXPORT_CACHE_DEFAULT)
                into->export_cache = from->export_cache;
        into->caps |= from->caps;
        if (from->group_id) {
                into->group_id = from->group_id;
                into->group_name = from->group_name;
                into->group_weak = from->group_weak;
        }
        if (from->resources)
                into->resources = from->resources;
}

static struct meta
meta_of(const struct opts *o)
{
        return (struct meta){ .ignore_cache = o->ignore_cache,
                              .description = o->description,
                              .n_description = o->n_description,
                              .export_cache = o->export_cache,
                              .group_id = o->group_id,
                              .group_name = o->group_name,
                              .group_weak = o->group_weak,
                              .resources = o->has_resources ? &o->resources : NULL };
}

static void
set_constraints(struct making *m, const struct vertex *v, Pb__Op *op)
{
        const sw_strlist *lists[] = { &m->base.filters, &v->opts.filters };
        Pb__WorkerConstraints *c =
                PB_NEW(m, Pb__WorkerConstraints, PB__WORKER_CONSTRAINTS__INIT);

        c->filter = PB_ARRAY(m, char *, lists[0]->n + lists[1]->n);
        for (size_t i = 0; i < SW_COUNT(lists); i++)
                for (size_t k = 0; k < lists[i]->n; k++)
                        c->filter[c->n_filter++] = lists[i]->v[k];
        op->constraints = c;
}

Pb__Platform *
sw__llb_pb_platform(struct making *m, const sw_platform *p)
{
        Pb__Platform *pb = PB_NEW(m, Pb__Platform, PB__PLATFORM__INIT);

        pb->architecture = pb_text(p->arch);
        pb->os = pb_text(p->os);
        pb->variant = pb_text(p->variant);
        pb->osversion = pb_text(p->os_version);
        pb->osfeatures = (char **) (void *) p->os_features;
        while (pb->osfeatures && pb->osfeatures[pb->n_osfeatures])
                pb->n_osfeatures++;
        return pb;
}

/* ---- inputs ------------------------------------------------------------------------ */

sw_err *
sw__llb_input_of(struct making *m, struct output out, const struct entry **entry,
                 int64_t *index)
{
        sw_err *err = sw__llb_resolve_output(&m->r, out, &out);

        if (err)
                return err;
        *index = out.index;
        *entry =
                out.v ? (const struct entry *) sw__llb_table_get(&m->done, out.v, 0) : NULL;
        return SW_OK;
}

void
sw__llb_inputs_init(struct inputs *in)
{
        *in = (struct inputs){ NULL, 0, 0, { NULL, 0, 0 } };
}

void
sw__llb_inputs_release(struct inputs *in)
{
        free(in->v);
        sw__llb_table_release(&in->index);
}

/* Few inputs are quicker looked through; the digest of an entry is there once. */
static int64_t
find_input(const struct inputs *in, const struct entry *entry, int64_t index)
{
        const union datum *known;

        for (size_t i = 0; i < in->n && i < FEW_INPUTS; i++)
                if (in->v[i]->digest == entry->digest && in->v[i]->index == index)
                        return (int64_t) i;
        if (in->n <= FEW_INPUTS)
                return -1;
        known = sw__llb_table_find(&in->index, entry, index);
        return known ? (int64_t) known->n : -1;
}

static int64_t
push_input(struct making *m, struct inputs *in, const struct entry *entry, int64_t index)
{
        Pb__Input *pb = PB_NEW(m, Pb__Input, PB__INPUT__INIT);

        pb->digest = pb_text(entry->digest);
        pb->index = index;
        sw_array_push(in, pb);
        if (in->n > FEW_INPUTS)
                sw__llb_table_add(&in->index, entry, index,
                                  (union datum){ .n = in->n - 1 });
        return (int64_t) in->n - 1;
}

sw_err *
sw__llb_inputs_add(struct making *m, struct inputs *in, struct output out,
                   int64_t *position)
{
        const struct entry *entry;
        int64_t index;
        sw_err *err = sw__llb_input_of(m, out, &entry, &index);

        if (err)
                return err;
        *position = entry ? find_input(in, entry, index) : -1;
        if (entry && *position < 0)
                *position = push_input(m, in, entry, index);
        return SW_OK;
}

/* ---- entries ----------------------------------------------------------------------- */

/* Source maps are compared by what is in them: the same text may come in twice. */
static int32_t
map_index(struct making *m, const sw_source_map *map)
{
        const union datum *known = sw__llb_table_find(&m->map_index, map, 0);
        size_t i = 0;

        if (known)
                return (int32_t) known->n;
        for (; i < m->maps.n; i++) {
                const sw_source_map *o = m->maps.v[i];

                if (o->len == map->len && strcmp(o->filename, map->filename) == 0 &&
                    strcmp(o->language, map->language) == 0 &&
                    (!o->len || memcmp(o->data, map->data, o->len) == 0))
                        break;
        }
        if (i == m->maps.n)
                sw_array_push(&m->maps, map);
        sw__llb_table_add(&m->map_index, map, 0, (union datum){ .n = i });
        return (int32_t) i;
}

static void
add_places(struct making *m, struct entry *e, const struct vertex *v)
{
        for (size_t i = 0; i < v->opts.n_locations; i++) {
                struct place *p =
                        (struct place *) sw__pb_arena_alloc(&m->r.arena, sizeof(*p));

                *p = (struct place){ NULL, map_index(m, v->opts.locations[i].map),
                                     &v->opts.locations[i] };
                *e->last_place = p;
                e->last_place = &p->next;
        }
}

static struct entry *
new_entry(struct making *m, const sw_digest *d)
{
        struct entry *e = (struct entry *) sw__pb_arena_alloc(&m->r.arena, sizeof(*e));

        memset(e, 0, sizeof(*e));
        e->raw = *d;
        sw_digest_str(d, e->digest);
        e->last_place = &e->places;
        sw__llb_write_field(m->out, 1, m->bytes.data, m->bytes.len);
        sw_array_push(&m->entries, e);
        return e;
}

/* The entry for the bytes in m->bytes: the one there is, or a new one at the end. */
static struct entry *
entry_for_bytes(struct making *m)
{
        sw_digest d = sw_digest_of(m->bytes.data, m->bytes.len);
        struct entry *first, *e;
        int64_t start;

        memcpy(&start, d.b, sizeof(start));
        first = (struct entry *) sw__llb_table_get(&m->by_digest, m, start);
        for (e = first; e; e = e->same_start)
                if (sw_digest_eq(&e->raw, &d))
                        return e;
        e = new_entry(m, &d);
        if (first) {
                e->same_start = first->same_start;
                first->same_start = e;
        } else {
                sw__llb_table_add(&m->by_digest, m, start, (union datum){ .p = e });
        }
        return e;
}

static sw_err *
make_op(struct making *m, const struct vertex *v, Pb__Op *op, capset *caps)
{
        switch (v->kind) {
        case VERTEX_SOURCE: return sw__llb_make_source(m, v, op, caps);
        case VERTEX_EXEC: return sw__llb_make_exec(m, v, op, caps);
        case VERTEX_FILE: return sw__llb_make_file(m, v, op, caps);
        default: return sw__llb_make_other(m, v, op);
        }
}

static const char *
name_of(const struct vertex *v)
{
        static const char *const kinds[] = {
                [VERTEX_SOURCE] = "source", [VERTEX_EXEC] = "run",
                [VERTEX_FILE] = "files",    [VERTEX_MERGE] = "merge",
                [VERTEX_DIFF] = "diff",     [VERTEX_PASSTHROUGH] = "passthrough",
                [VERTEX_BUILD] = "build",   [VERTEX_LATE] = "late",
        };

        for (size_t i = 0; i < v->opts.n_description; i++)
                if (strcmp(v->opts.description[i].key, "llb.customname") == 0)
                        return v->opts.description[i].value;
        return kinds[v->kind];
}

/* The op into m->bytes. Strings come from the caller as they are: what no reader would
 * take, because it is no UTF-8 or too much, is told here, where it says which vertex. */
static sw_err *
pack_vertex(struct making *m, const struct vertex *v, Pb__Op *op)
{
        set_constraints(m, v, op);
        sw_buf_clear(&m->bytes);
        sw__llb_pack_op(op, &m->bytes);
        return sw__pb_scan(&pb__op__descriptor, (const uint8_t *) m->bytes.data,
                           m->bytes.len);
}

/* All inputs of @v have entries. */
static sw_err *
make_entry(struct making *m, const struct vertex *v)
{
        struct meta meta = meta_of(&m->base), own = meta_of(&v->opts);
        Pb__Op op = PB__OP__INIT;
        struct entry *e;
        sw_err *err;

        merge_meta(m, &meta, &own);
        meta.caps = v->caps;
        err = make_op(m, v, &op, &meta.caps);
        if (!err)
                err = pack_vertex(m, v, &op);
        if (!err) {
                if (v->kind == VERTEX_EXEC && meta.resources)
                        meta.caps |= CAP(EXEC_META_LINUX_RESOURCES);
                e = entry_for_bytes(m);
                merge_meta(m, &e->meta, &meta);
                add_places(m, e, v);
                sw__llb_table_put(&m->done, v, e);
        }
        sw__pb_arena_clear(&m->tmp);
        if (!err)
                return SW_OK; /* making a name fit to be shown takes as long as the op */
        return sw_err_wrap(err, "vertex %s", sw__llb_shown(name_of(v)).text);
}

/* ---- the walk ---------------------------------------------------------------------- */

struct frame {
        const struct vertex *v;
        size_t next; /* input to look at */
};
typedef SW_ARRAY(struct frame) frames;

/* Go on with the topmost frame: down into an input that has no entry, or up. */
static sw_err *
step(struct making *m, frames *stack)
{
        struct frame *f = &stack->v[stack->n - 1];
        sw_err *err;

        while (f->next < f->v->n_inputs) {
                struct output in;

                err = sw__llb_resolve_output(&m->r, f->v->inputs[f->next++], &in);
                if (err)
                        return sw_err_wrap(err, "input of vertex %s",
                                           sw__llb_shown(name_of(f->v)).text);
                if (in.v && !sw__llb_table_get(&m->done, in.v, 0)) {
                        sw_array_push(stack, (struct frame){ in.v, 0 });
                        return SW_OK;
                }
        }
        err = make_entry(m, f->v);
        stack->n--;
        return err;
}

static sw_err *
walk(struct making *m, const struct vertex *v)
{
        frames stack = { 0 };
        sw_err *err = SW_OK;

        sw_array_push(&stack, (struct frame){ v, 0 });
        while (!err && stack.n)
                err = step(m, &stack);
        sw_array_release(&stack);
        return err;
}

/* The last op points to the result and has the capabilities of the whole. */
static sw_err *
make_last(struct making *m, struct output out)
{
        Pb__Op op = PB__OP__INIT;
        struct inputs in;
        struct meta meta = { .caps = CAP(CONSTRAINTS) | CAP(PLATFORM) };
        int64_t position;
        sw_err *err;

        sw__llb_inputs_init(&in);
        err = sw__llb_inputs_add(m, &in, out, &position);
        if (!err) {
                op.inputs = in.v;
                op.n_inputs = in.n;
                for (size_t i = 0; i < m->entries.n; i++) {
                        const struct meta *e = &m->entries.v[i]->meta;

                        meta.caps |= e->ignore_cache ? CAP(META_IGNORE_CACHE) : 0;
                        meta.caps |= e->n_description ? CAP(META_DESCRIPTION) : 0;
                        meta.caps |= e->export_cache ? CAP(META_EXPORT_CACHE) : 0;
                }
                sw_buf_clear(&m->bytes);
                sw__llb_pack_op(&op, &m->bytes);
                entry_for_bytes(m)->meta = meta;
        }
        sw__llb_inputs_release(&in);
        sw__pb_arena_clear(&m->tmp);
        return err;
}

/* ---- one marshalling --------------------------------------------------------------- */

static void
making_init(struct making *m, const struct sw_llb_opts *in)
{
        sw__llb_resolver_init(&m->r, in);
        m->platform = m->base.platform ? m->base.platform : sw_platform_host();
        m->local_unique =
                m->base.local_unique ? m->base.local_unique : sw_id_new(m->random_unique);
        sw__pb_arena_init(&m->tmp);
        sw_buf_init(&m->bytes);
}

static void
making_release(struct making *m)
{
        struct dead dead = { NULL };

        sw__llb_resolver_release(&m->r);
        sw__llb_opts_release(&m->base, &dead);
        sw__pb_arena_release(&m->tmp);
        sw_buf_release(&m->bytes);
        sw__llb_table_release(&m->done);
        sw__llb_table_release(&m->by_digest);
        sw__llb_table_release(&m->map_index);
        for (size_t i = 0; i < m->cap_lists.n; i++)
                sw_buf_release(&m->cap_lists.v[i].packed);
        sw_array_release(&m->cap_lists);
        sw_array_release(&m->entries);
        sw_array_release(&m->maps);
        sw__llb_object_bury(&dead);
}

static sw_err *
make_all(struct making *m, const sw_state *s, const struct sw_llb_opts *opts, int nested,
         sw_buf *out)
{
        const size_t start = out->len;
        struct output result;
        sw_err *err = sw__llb_resolve_output(&m->r, s->out, &result);

        if (err || !result.v)
                return err;
        m->out = out;
        err = walk(m, result.v);
        if (!err)
                err = make_last(m, result);
        if (!err)
                err = sw__llb_write_rest(m, opts, nested, out);
        if (err)
                sw_buf_truncate(out, start);
        return err;
}

sw_err *
sw__llb_marshal_nested(const sw_state *s, const struct sw_llb_opts *opts, int nested,
                       sw_buf *out)
{
        struct making m = { 0 };
        struct sw_llb_opts in;
        sw_err *err;

        if (nested > MAX_NESTED)
                return sw_err_new(SW_E_LIMIT,
                                  "source maps refer to states with source maps more than "
                                  "%d times",
                                  MAX_NESTED);
        err = sw__llb_take_options("options", &in, sizeof(in), opts);
        if (!err)
                err = sw__llb_opts_take(opts, &m.base);
        if (err)
                return err;
        making_init(&m, &in);
        err = make_all(&m, s, opts, nested, out);
        making_release(&m);
        return err;
}

sw_err *
sw_state_marshal(const sw_state *s, const struct sw_llb_opts *opts, sw_buf *out)
{
        return sw__llb_marshal_nested(s, opts, 0, out);
}
