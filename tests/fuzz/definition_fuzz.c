/*
 * tests/fuzz/definition_fuzz.c - definitions from outside. What is accepted must be whole:
 * inputs before vertices, outputs that are there, names that are text, digests that stay
 * when they are computed again; and it prints in every way.
 *
 * Bytes that are changed at random no longer have the digests that inputs refer to, so
 * every input is tried twice: as it is, and with the inputs of each op linked to ops before
 * it and a last op added.
 */
#include <slipway/definition.h>
#include <slipway/json.h>
#include <slipway/text.h>

#include "core/llb/llb_priv.h"
#include "core/llb/marshal.h"
#include "tests/fuzz/fuzz.h"

static void
check_text(const char *s)
{
        fuzz_check(s && sw_utf8_valid(s, strlen(s)));
}

static void
check_vertex(const sw_definition *def, size_t i)
{
        const sw_llb_vertex *v = sw_definition_vertex(def, i);
        const sw_platform *platform = sw_llb_vertex_platform(v);
        size_t n;

        fuzz_check(sw_llb_vertex_index(v) == i);
        fuzz_check(sw_llb_vertex_kind(v) >= SW_OP_SOURCE);
        fuzz_check(sw_digest_is(sw_llb_vertex_digest_str(v), SIZE_MAX));
        fuzz_check(sw_definition_find(def, sw_llb_vertex_digest(v)) == v);
        fuzz_check(platform && platform->os && platform->arch);
        check_text(sw_llb_vertex_name(v));
        for (size_t k = 0; k < sw_llb_vertex_n_inputs(v); k++) {
                struct sw_llb_edge e = sw_llb_vertex_input(v, k);

                fuzz_check(e.vertex < i);
                fuzz_check(e.output <
                           sw_llb_vertex_n_outputs(sw_definition_vertex(def, e.vertex)));
        }
        const struct sw_llb_pair *pairs = sw_llb_vertex_descriptions(v, &n);
        for (size_t k = 0; k < n; k++)
                fuzz_check(k == 0 || strcmp(pairs[k - 1].key, pairs[k].key) < 0);
        const struct sw_llb_vertex_location *locations = sw_llb_vertex_locations(v, &n);
        for (size_t k = 0; k < n; k++)
                check_text(locations[k].map->filename);
}

/* Computing digests again changes nothing. */
static void
check_digests(sw_definition *def)
{
        size_t n = sw_definition_count(def);
        sw_digest *before = (sw_digest *) sw_alloc_array(n, sizeof(*before));

        for (size_t i = 0; i < n; i++)
                before[i] = *sw_llb_vertex_digest(sw_definition_vertex(def, i));
        fuzz_check(fuzz_ok(sw__definition_redigest(def)));
        fuzz_check(sw_definition_count(def) == n);
        for (size_t i = 0; i < n; i++)
                fuzz_check(sw_digest_eq(&before[i], sw_llb_vertex_digest(
                                                            sw_definition_vertex(def, i))));
        free(before);
}

static bool
dump_all(const void *p, size_t n)
{
        sw_auto(sw_buf) json = SW_BUF_INIT, dot = SW_BUF_INIT, tree = SW_BUF_INIT;
        sw_auto(sw_buf) maps = SW_BUF_INIT;
        sw_autoptr(sw_json) whole = NULL;

        if (!fuzz_ok(sw_llb_dump(p, n, SW_LLB_DUMP_JSON, &json)))
                return false;
        fuzz_check(fuzz_ok(sw_llb_dump(p, n, SW_LLB_DUMP_DOT, &dot)));
        fuzz_check(fuzz_ok(sw_llb_dump(p, n, SW_LLB_DUMP_TREE, &tree)));
        fuzz_check(fuzz_ok(sw_llb_dump(p, n, SW_LLB_DUMP_MAPS, &maps)));
        fuzz_check(fuzz_ok(sw_json_parse("maps", maps.data, maps.len, &whole)));
        for (char *line = json.data, *end; *line; line = end + 1) {
                sw_autoptr(sw_json) doc = NULL;

                end = strchr(line, '\n');
                fuzz_check(end != NULL);
                fuzz_check(
                        fuzz_ok(sw_json_parse("dump", line, (size_t) (end - line), &doc)));
        }
        for (const unsigned char *c = (const unsigned char *) tree.data; *c; c++)
                fuzz_check(*c >= 0x20 || *c == '\n');
        return true;
}

static void
try_definition(const void *p, size_t n)
{
        sw_autoptr(sw_definition) def = NULL;
        struct sw_llb_edge result;
        bool dumped = dump_all(p, n);

        if (!fuzz_ok(sw_definition_decode(p, n, NULL, &def)))
                return;
        fuzz_check(dumped && !sw_definition_is_empty(p, n));
        result = sw_definition_result(def);
        fuzz_check(result.vertex < sw_definition_count(def));
        fuzz_check(result.output <
                   sw_llb_vertex_n_outputs(sw_definition_vertex(def, result.vertex)));
        for (size_t i = 0; i < sw_definition_count(def); i++)
                check_vertex(def, i);
        check_digests(def);
        for (size_t i = 0; i < sw_definition_count(def); i++)
                check_vertex(def, i);
}

/* ---- linking ------------------------------------------------------------------------ */

struct linked {
        struct sw__pb_arena arena;
        Pb__Definition def;
        char (*digests)[SW_DIGEST_STR_SIZE];
};

static void
add_op(struct linked *l, const Pb__Op *op)
{
        sw_buf b = SW_BUF_INIT;
        size_t i = l->def.n_def++;
        sw_digest d;

        sw__llb_pack_op(op, &b);
        d = sw_digest_of(b.data, b.len);
        sw_digest_str(&d, l->digests[i]);
        l->def.def[i].len = b.len;
        l->def.def[i].data = (uint8_t *) sw__pb_arena_strndup(&l->arena, b.data, b.len);
        sw_buf_release(&b);
}

/* Inputs of the @i-th op name earlier ops; which ones is up to what stood there. */
static void
link_op(struct linked *l, Pb__Op *op)
{
        size_t n = l->def.n_def;

        if (n == 0)
                op->n_inputs = 0;
        for (size_t k = 0; k < op->n_inputs; k++)
                op->inputs[k]->digest =
                        l->digests[((uint8_t) op->inputs[k]->digest[0] + k) % n];
        add_op(l, op);
}

static void
link_metadata(struct linked *l, const Pb__Definition *from)
{
        l->def.metadata = from->metadata;
        l->def.n_metadata = from->n_metadata;
        for (size_t i = 0; i < from->n_metadata; i++)
                from->metadata[i]->key = l->digests[i % l->def.n_def];
        l->def.source = from->source;
        for (size_t i = 0; from->source && i < from->source->n_locations; i++)
                from->source->locations[i]->key = l->digests[i % l->def.n_def];
}

static void
try_linked(const uint8_t *p, size_t n)
{
        struct linked l = { .def = PB__DEFINITION__INIT };
        sw_auto(sw_buf) out = SW_BUF_INIT;
        Pb__Definition *from = NULL;
        Pb__Input in = PB__INPUT__INIT, *ins = &in;
        Pb__Op *op, last = PB__OP__INIT;

        sw__pb_arena_init(&l.arena);
        if (fuzz_ok(sw__pb_unpack(&pb__definition__descriptor, &l.arena.allocator, p, n,
                                  &from)) &&
            from->n_def) {
                l.def.def = (ProtobufCBinaryData *) sw__pb_arena_alloc(
                        &l.arena, (from->n_def + 1) * sizeof(*l.def.def));
                l.digests = sw__pb_arena_alloc(&l.arena,
                                               (from->n_def + 1) * sizeof(*l.digests));
                for (size_t i = 0; i < from->n_def; i++)
                        if (fuzz_ok(sw__pb_unpack(&pb__op__descriptor, &l.arena.allocator,
                                                  from->def[i].data, from->def[i].len,
                                                  &op)))
                                link_op(&l, op);
                if (l.def.n_def) {
                        in.digest = l.digests[l.def.n_def - 1];
                        last.inputs = &ins;
                        last.n_inputs = 1;
                        add_op(&l, &last);
                        link_metadata(&l, from);
                        sw__pb_pack(&l.def.base, &out);
                        try_definition(out.data, out.len);
                }
        }
        sw__pb_arena_release(&l.arena);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        try_definition(data, size);
        try_linked(data, size);
        return 0;
}
