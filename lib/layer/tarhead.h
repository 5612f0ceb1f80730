/*
 * lib/layer/tarhead.h - the header of one tar entry, and pax records. Pure: bytes only.
 */
#ifndef SLIPWAY_LIB_LAYER_TARHEAD_H
#define SLIPWAY_LIB_LAYER_TARHEAD_H

#include <sys/types.h>

#include <slipway/array.h>
#include <slipway/buf.h>

enum { SW_TAR_BLOCK = 512 };

struct sw_tar_entry {
        char type;        /* '0' to '6' */
        const char *name; /* a directory's ends in '/' */
        const char *link; /* '1': name of an entry; '2': target; else "" */
        mode_t mode;
        uint32_t uid, gid;
        int64_t size;  /* bytes of data behind the header */
        int64_t mtime; /* seconds since the epoch */
        unsigned dev_major, dev_minor;
};

/** sw_tar_xattr - add a record to @records, and its place to @names: "NAME\x01OFF LEN".
 *  Errors: SW_E_INVALID: a name with '=' in it cannot be written. */
SW_NODISCARD sw_err *sw_tar_xattr(sw_strlist *names, sw_buf *records, const char *name,
                                  const void *p, size_t n);

/** sw_tar_head - append the header, with a pax header in front when one is needed.
 *  @names: sorted; @records: what sw_tar_xattr() added. Errors: SW_E_LIMIT: pax records of
 *  more than 8 MiB. */
SW_NODISCARD sw_err *sw_tar_head(sw_buf *out, const struct sw_tar_entry *e,
                                 const sw_strlist *names, const sw_buf *records);

#endif
