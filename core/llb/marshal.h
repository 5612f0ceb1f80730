/*
 * core/llb/marshal.h - protobuf messages to the bytes that digests are taken over.
 *
 * The bytes are those of the Go implementation's deterministic marshalling. protobuf-c
 * gives the same, fields in ascending number and zero values left out, with two exceptions:
 * maps are lists of entries here, so whoever fills a message sorts them by key; and Go
 * writes the members of a oneof after all other fields, which matters in pb.Op alone.
 */
#ifndef SLIPWAY_CORE_LLB_MARSHAL_H
#define SLIPWAY_CORE_LLB_MARSHAL_H

#include <slipway/buf.h>

#include "proto/pb.pb-c.h"

/* Append @op; maps in it are sorted already. */
SW_API void sw__llb_pack_op(const Pb__Op *op, sw_buf *out);

/* Append any message but pb.Op. */
SW_API void sw__llb_pack(const ProtobufCMessage *m, sw_buf *out);

#endif
