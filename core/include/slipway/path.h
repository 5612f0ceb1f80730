/*
 * slipway/path.h - paths below a directory descriptor.
 *
 * Every function resolves PATH as if ROOTFD were "/": absolute paths and absolute
 * symlinks start at ROOTFD, ".." never leaves it, and no component is ever looked up
 * outside, also while other threads or processes rename things. Resolution is
 * openat2(RESOLVE_IN_ROOT), or, where the kernel has none, a walk that opens component by
 * component and gives the same answers. At most SW_PATH_MAX_LINKS symlinks are followed,
 * and no magic link of /proc. A path is shorter than PATH_MAX.
 *
 * Descriptors handed back are O_CLOEXEC. "" and "/" name the root itself.
 * Thread: any.   Errors everywhere: SW_E_NOT_FOUND (ENOENT, ENOTDIR), SW_E_EXISTS,
 * SW_E_DENIED (EACCES, EPERM), SW_E_LIMIT (ELOOP, ENAMETOOLONG), SW_E_INVALID (EINVAL,
 * EISDIR: a name that cannot be used for this), SW_E_BUSY, SW_E_IO; messages show the path
 * quoted.
 */
#ifndef SLIPWAY_PATH_H
#define SLIPWAY_PATH_H

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/types.h>

#include <slipway/buf.h>

SW_BEGIN_DECLS

#define SW_PATH_MAX_LINKS 255

/** sw_path_open - open(2) in the root; the last component is followed unless @flags has
 *  O_NOFOLLOW (O_PATH | O_NOFOLLOW opens a symlink itself). With O_CREAT the file is made
 *  with @mode exactly (no umask). Opening a FIFO waits for the other end, as open(2) does:
 *  in a tree from outside, look with O_PATH first or add O_NONBLOCK. No terminal found
 *  there becomes the controlling one. */
SW_API SW_NODISCARD sw_err *sw_path_open(int rootfd, const char *path, int flags,
                                         mode_t mode, int *fd);

/** sw_path_open_parent - open the directory that holds the last component, which is not
 *  followed, also when a '/' comes after it. @dirfd: O_PATH, for the *at calls. @base: the
 *  last component, from malloc; never "", "." or "..": where the path ends in those, they
 *  are resolved. A path that names the root is SW_E_INVALID. */
SW_API SW_NODISCARD sw_err *sw_path_open_parent(int rootfd, const char *path, int *dirfd,
                                                char **base);

/** sw_path_stat - fstatat in the root; @follow: the last component. */
SW_API SW_NODISCARD sw_err *sw_path_stat(int rootfd, const char *path, bool follow,
                                         struct stat *st);

/** sw_path_readlink - the target of the symlink at @path; at most PATH_MAX bytes. */
SW_API SW_NODISCARD sw_err *sw_path_readlink(int rootfd, const char *path, char **target);

/** sw_path_mkdirs - make the directory and its missing parents with @mode exactly;
 *  existing ones are left as they are; where a symlink leads nowhere, that place is made.
 *  @fd: the last directory, O_RDONLY; may be NULL. */
SW_API SW_NODISCARD sw_err *sw_path_mkdirs(int rootfd, const char *path, mode_t mode,
                                           int *fd);

/** sw_path_put - keep these bytes, with their SHA-256 behind them, as the file @name (no
 *  path) in @dirfd, mode 0600, in the place of what is there. All of it is there or none,
 *  for a moment also while it replaces one; who is killed leaves nothing behind. The disk
 * is not waited for: for what can be made again.   Since: 0.1 */
SW_API SW_NODISCARD sw_err *sw_path_put(int dirfd, const char *name, const void *p,
                                        size_t n);

/** sw_path_get - what sw_path_put() kept, at most @limit bytes, into the empty @out.
 *  Errors: SW_E_NOT_FOUND; SW_E_CORRUPT: damaged, or another program's; SW_E_LIMIT.
 *  Since: 0.1 */
SW_API SW_NODISCARD sw_err *sw_path_get(int dirfd, const char *name, size_t limit,
                                        sw_buf *out);

/** sw_path_remove - remove a file or a whole tree; the last component is not followed, no
 *  symlink below is followed, anything mounted below is an error (SW_E_BUSY). A missing
 *  one is fine. Trees of any depth; constant number of descriptors. */
SW_API SW_NODISCARD sw_err *sw_path_remove(int rootfd, const char *path);

/** sw_path_write_file - write @path whole or not at all: temporary file beside it, fsync,
 *  rename, fsync of the directory. A symlink at @path is replaced, not followed. */
SW_API SW_NODISCARD sw_err *sw_path_write_file(int rootfd, const char *path, const void *p,
                                               size_t n, mode_t mode);

/* Text only; nothing is looked up. Results are from malloc. */
/** sw_path_clean - Go's path.Clean: "a//b/./c/.." is "a/b"; "" is ".". */
SW_API char *sw_path_clean(const char *path);
/** sw_path_join - Go's path.Join of two; empty parts are left out. */
SW_API char *sw_path_join(const char *a, const char *b);
/** sw_path_base - last element as Go's path.Base: "/" for "/", "." for "". */
SW_API char *sw_path_base(const char *path);
/** sw_path_name_ok - whether @name can be one directory entry: not empty, ".", "..", no
 *  '/', at most 255 bytes. */
SW_API bool sw_path_name_ok(const char *name);
/** sw_path_safe_name - what is left of a name that comes from outside: its last component,
 *  without blanks around it, or "download" where that cannot name one file or has control
 *  characters.   Since: 0.1 */
SW_API char *sw_path_safe_name(const char *s);
/** sw_path_cmp - the order of listings (ref.h): '/' sorts before every other byte, so that
 *  what is in a directory follows it in one run. Below, at or above 0.   Since: 0.1 */
SW_API int sw_path_cmp(const char *a, const char *b);

SW_END_DECLS
#endif
