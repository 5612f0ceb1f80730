/*
 * core/llb/marshal.c - see marshal.h. Thread: any.
 */
#include "core/llb/marshal.h"

void
sw__llb_pack(const ProtobufCMessage *m, sw_buf *out)
{
        size_t n = protobuf_c_message_get_packed_size(m);

        if (!n)
                return;
        sw_buf_reserve(out, n);
        out->len += protobuf_c_message_pack(m, (uint8_t *) out->data + out->len);
        out->data[out->len] = '\0';
}

void
sw__llb_pack_op(const Pb__Op *op, sw_buf *out)
{
        Pb__Op fields = *op, kind = PB__OP__INIT;

        /* Two halves of one message: what is not in the oneof, then the oneof. */
        fields.op_case = PB__OP__OP__NOT_SET;
        kind.op_case = op->op_case;
        kind.exec = op->exec;
        sw__llb_pack(&fields.base, out);
        sw__llb_pack(&kind.base, out);
}
