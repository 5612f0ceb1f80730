/*
 * core/ops/archlib.h - libarchive, loaded when the first archive has to be read: it brings
 * a dozen libraries along, which every other build would have to wait for.
 */
#ifndef SLIPWAY_CORE_OPS_ARCHLIB_H
#define SLIPWAY_CORE_OPS_ARCHLIB_H

#include <archive.h>
#include <archive_entry.h>

#include <slipway/error.h>

/* The functions that are used, as members of the same name less "archive_". */
#define SW__ARCHLIB(F)                                                                     \
        F(read_new)                                                                        \
        F(read_free)                                                                       \
        F(read_support_filter_gzip)                                                        \
        F(read_support_filter_bzip2)                                                       \
        F(read_support_filter_xz)                                                          \
        F(read_support_filter_zstd)                                                        \
        F(read_support_format_tar)                                                         \
        F(read_open_fd)                                                                    \
        F(read_next_header)                                                                \
        F(read_data_block)                                                                 \
        F(error_string)                                                                    \
        F(entry_pathname)                                                                  \
        F(entry_filetype)                                                                  \
        F(entry_perm)                                                                      \
        F(entry_uid)                                                                       \
        F(entry_gid)                                                                       \
        F(entry_size)                                                                      \
        F(entry_mtime)                                                                     \
        F(entry_mtime_nsec)                                                                \
        F(entry_symlink)                                                                   \
        F(entry_hardlink)                                                                  \
        F(entry_rdev)                                                                      \
        F(entry_xattr_reset)                                                               \
        F(entry_xattr_next)

struct sw__archlib {
#define SW__ARCHLIB_MEMBER(f) __typeof__(&archive_##f) f;
        SW__ARCHLIB(SW__ARCHLIB_MEMBER)
#undef SW__ARCHLIB_MEMBER
};

/** sw__archlib_load - once loaded, it stays. Thread: any. Errors: SW_E_UNSUPPORTED. */
SW_NODISCARD sw_err *sw__archlib_load(struct sw__archlib *out);

#endif
