/*
 * slipway/io.h - writing all of a buffer to a descriptor; telling bytes that come apart.
 *
 * write(2) may take less than it is given, be interrupted, or find a pipe or terminal full
 * that somebody made non-blocking. These go on until everything is taken. They tell errno
 * and not an error object: only the caller knows what was written, and puts it into words
 * with sw_err_sys().
 */
#ifndef SLIPWAY_IO_H
#define SLIPWAY_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <slipway/api.h>

SW_BEGIN_DECLS

/** sw_write_all - write the @n bytes at @p to @fd. 0, or the errno of the write that
 *  failed (EIO where nothing was taken and no reason given); some bytes may be written
 *  then. Who writes to a pipe or socket sees to SIGPIPE. Thread: any. Blocks: yes.
 *  Since: 0.1 */
SW_API SW_NODISCARD int sw_write_all(int fd, const void *p, size_t n);

/** sw_pwrite_all - the same to @at bytes from the start of a file; the descriptor's own
 *  position is neither used nor moved.   Since: 0.1 */
SW_API SW_NODISCARD int sw_pwrite_all(int fd, const void *p, size_t n, int64_t at);

/** sw_tar_starts - whether these bytes begin with the header of a tar archive: its sum is
 *  right. Compressed ones do not.   Since: 0.1 */
SW_API bool sw_tar_starts(const void *p, size_t n);

SW_END_DECLS
#endif
