/*
 * core/llb/marshal.c - see marshal.h. Thread: any.
 */
#include "core/llb/marshal.h"
#include "proto/pbuf.h"

void
sw__llb_pack_op(const Pb__Op *op, sw_buf *out)
{
        Pb__Op fields = *op, kind = PB__OP__INIT;

        /* Two halves of one message: what is not in the oneof, then the oneof, then what
         * this version does not know. */
        fields.op_case = PB__OP__OP__NOT_SET;
        fields.base.n_unknown_fields = 0;
        kind.base.n_unknown_fields = op->base.n_unknown_fields;
        kind.base.unknown_fields = op->base.unknown_fields;
        kind.op_case = op->op_case;
        kind.exec = op->exec;
        sw__pb_pack(&fields.base, out);
        sw__pb_pack(&kind.base, out);
}
