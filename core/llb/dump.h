/*
 * core/llb/dump.h - what the three ways of printing a definition share: its ops decoded,
 * not checked.
 */
#ifndef SLIPWAY_CORE_LLB_DUMP_H
#define SLIPWAY_CORE_LLB_DUMP_H

#include <slipway/map.h>

#include "core/llb/llb_priv.h"

struct sw__llb_dump_op {
        Pb__Op *op;
        const Pb__OpMetadata *metadata; /* or NULL */
        char digest[SW_DIGEST_STR_SIZE];
        bool shown; /* for the tree */
};

struct sw__llb_dump {
        struct sw__pb_arena arena;
        Pb__Definition *pb;
        struct sw__llb_dump_op *ops; /* in the order of the definition */
        size_t n;
        sw_map *by_digest; /* digest string -> op; the last one of equal ops */
};

/* Where a command has each of its inputs mounted; "" for "/" and where nothing is. Of
 * several mounts the last counts. From malloc; the strings are borrowed. */
const char **sw__llb_dump_places(const Pb__Op *op);

/* Whether a value is the one that is left out, and how much room one takes in a list. */
bool sw__llb_value_empty(const ProtobufCFieldDescriptor *f, const void *p);
size_t sw__llb_value_size(const ProtobufCFieldDescriptor *f);

void sw__llb_dump_json(const struct sw__llb_dump *d, sw_buf *out);
void sw__llb_dump_dot(const struct sw__llb_dump *d, sw_buf *out);
void sw__llb_dump_maps(const struct sw__llb_dump *d, sw_buf *out);
void sw__llb_dump_tree(struct sw__llb_dump *d, sw_buf *out);

#endif
