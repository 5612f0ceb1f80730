/*
 * core/llb/dump.c - a definition decoded for printing.
 *
 * Printing is for looking at definitions that do not work, too: nothing is checked but that
 * the bytes decode.
 * Thread: any.
 */
#include <string.h>

#include "core/llb/dump.h"

static sw_err *
decode_op(struct sw__llb_dump *d, size_t i)
{
        const ProtobufCBinaryData *bytes = &d->pb->def[i];
        struct sw__llb_dump_op *o = &d->ops[i];
        sw_digest digest = sw_digest_of(bytes->data, bytes->len);
        sw_err *err;

        *o = (struct sw__llb_dump_op){ 0 };
        sw_digest_str(&digest, o->digest);
        err = sw__pb_unpack(&pb__op__descriptor, &d->arena.allocator, bytes->data,
                            bytes->len, &o->op);
        if (!err && d->arena.used > 2 * SW_DEFINITION_MAX_MEMORY)
                err = sw_err_new(SW_E_LIMIT, "the definition needs more than %zu MiB",
                                 2 * SW_DEFINITION_MAX_MEMORY >> 20);
        if (err)
                return sw_err_wrap(err, "failed to parse op %zu (%s)", i, o->digest);
        sw_map_set(d->by_digest, o->digest, o);
        return SW_OK;
}

/* Equal ops are all in the list, so the metadata of one is given to each. */
static void
attach_metadata(struct sw__llb_dump *d)
{
        sw_autoptr(sw_map) by_digest = sw_map_new(NULL);

        for (size_t i = 0; i < d->pb->n_metadata; i++)
                sw_map_set(by_digest, d->pb->metadata[i]->key, d->pb->metadata[i]->value);
        for (size_t i = 0; i < d->n; i++)
                d->ops[i].metadata =
                        (const Pb__OpMetadata *) sw_map_get(by_digest, d->ops[i].digest);
}

const char **
sw__llb_dump_places(const Pb__Op *op)
{
        const char **at = (const char **) sw_alloc_array(op->n_inputs, sizeof(*at));
        const Pb__ExecOp *exec = op->op_case == PB__OP__OP_EXEC ? op->exec : NULL;

        for (size_t i = 0; i < op->n_inputs; i++)
                at[i] = "";
        for (size_t i = 0; exec && i < exec->n_mounts; i++) {
                const Pb__Mount *m = exec->mounts[i];

                if (m->input >= 0 && (uint64_t) m->input < op->n_inputs &&
                    strcmp(m->dest, "/") != 0)
                        at[m->input] = m->dest;
        }
        return at;
}

static sw_err *
decode(struct sw__llb_dump *d, const void *p, size_t n)
{
        sw_err *err;

        err = sw__pb_unpack(&pb__definition__descriptor, &d->arena.allocator, p, n, &d->pb);
        if (err)
                return sw_err_wrap(err, "failed to parse llb definition");
        d->ops = (struct sw__llb_dump_op *) sw__pb_arena_alloc(&d->arena,
                                                               (d->pb->n_def + 1) *
                                                                       sizeof(*d->ops));
        for (; d->n < d->pb->n_def; d->n++) {
                err = decode_op(d, d->n);
                if (err)
                        return err;
        }
        attach_metadata(d);
        return SW_OK;
}

sw_err *
sw_llb_dump(const void *p, size_t n, enum sw_llb_dump how, sw_buf *out)
{
        struct sw__llb_dump d = { .by_digest = sw_map_new(NULL) };
        sw_err *err;

        sw__pb_arena_init(&d.arena);
        err = decode(&d, p, n);
        if (!err) {
                switch (how) {
                case SW_LLB_DUMP_JSON: sw__llb_dump_json(&d, out); break;
                case SW_LLB_DUMP_DOT: sw__llb_dump_dot(&d, out); break;
                case SW_LLB_DUMP_MAPS: sw__llb_dump_maps(&d, out); break;
                case SW_LLB_DUMP_TREE: sw__llb_dump_tree(&d, out); break;
                }
        }
        sw_map_free(d.by_digest);
        sw__pb_arena_release(&d.arena);
        return err;
}
