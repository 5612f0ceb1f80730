/*
 * proto/pbscan.h - the look through a message before protobuf-c decodes it; for pbuf.c,
 * and for those who put messages together from strings that others gave them.
 */
#ifndef SLIPWAY_PROTO_PBSCAN_H
#define SLIPWAY_PROTO_PBSCAN_H

#include <protobuf-c/protobuf-c.h>

#include <slipway/error.h>

/** sw__pb_scan - whether @n bytes at @p may be decoded as @desc.
 *  Errors: SW_E_INVALID, SW_E_LIMIT; they name the message and the field. */
SW_API SW_NODISCARD sw_err *sw__pb_scan(const ProtobufCMessageDescriptor *desc,
                                        const uint8_t *p, size_t n);

#endif
