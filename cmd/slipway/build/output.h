/*
 * cmd/slipway/build/output.h - what --output says: an exporter, its attributes, a place.
 *
 * A file appears under its name only when all of it is there; until then it has no name,
 * or one that begins with a dot. Thread: adding by main; targets by the exporter's.
 */
#ifndef SLIPWAY_CMD_BUILD_OUTPUT_H
#define SLIPWAY_CMD_BUILD_OUTPUT_H

#include <slipway/array.h>
#include <slipway/engine.h>

struct output {
        char *type;
        SW_ARRAY(struct sw_attr) attrs; /* strings from malloc */
        char *dest;                     /* path, "-" for stdout, or NULL */
        struct sw_export_target target;
        int fd;        /* the file being written, or -1 */
        int dirfd;     /* of the directory it will be in, or -1 */
        char *base;    /* its name there */
        char *pending; /* the name it has meanwhile; NULL: none */
};

typedef struct outputs {
        SW_ARRAY(struct output *) all;
        SW_ARRAY(struct sw_build_output) asked; /* for the request */
} outputs;

/** outputs_add - one --output. Errors: SW_E_USAGE; SW_E_IO (where it is to be written). */
SW_NODISCARD sw_err *outputs_add(outputs *o, const char *spec);
/** output_set - an attribute; @value replaces what was said before. */
void output_set(struct output *o, const char *key, const char *value);
/** outputs_ready - after the last: fill asked. */
void outputs_ready(outputs *o);
/** outputs_at - where asked[i] comes from; NULL: from nothing here, it is one of --load. */
const struct output *outputs_at(const outputs *o, size_t i);
/** output_dest - a path, "-" for standard output, or NULL: it writes to no place of ours.
 */
const char *output_dest(const struct output *o);
/** outputs_release - what was begun and never committed is removed. */
void outputs_release(outputs *o);
SW_DEFINE_AUTO(outputs, outputs_release)

#endif
