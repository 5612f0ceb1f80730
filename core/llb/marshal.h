/*
 * core/llb/marshal.h - an op to the bytes that its digest is taken over.
 *
 * sw__pb_pack() gives what Go's deterministic marshalling gives, but for one thing: Go
 * writes the members of a oneof after all other fields, which shows in pb.Op alone.
 */
#ifndef SLIPWAY_CORE_LLB_MARSHAL_H
#define SLIPWAY_CORE_LLB_MARSHAL_H

#include <slipway/buf.h>

#include "proto/pb.pb-c.h"

/** sw__llb_pack_op - append @op; maps in it are sorted already. */
SW_API void sw__llb_pack_op(const Pb__Op *op, sw_buf *out);

#endif
