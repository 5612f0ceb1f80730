/*
 * count.h - counting what is in a tree.
 */
#ifndef EXPORTER_COUNT_H
#define EXPORTER_COUNT_H

#include <slipway/ref.h>

struct count {
        long long files, directories, others; /* entries; the root is left out */
        long long bytes;                      /* of regular files */
};

/* Add what is in @ref (NULL: empty) to @n. Errors: as sw_ref_open; SW_E_IO. */
sw_err *count_tree(sw_ctx *ctx, sw_ref *ref, struct count *n);

#endif
