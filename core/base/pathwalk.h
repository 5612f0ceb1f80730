/*
 * core/base/pathwalk.h - the walk behind slipway/path.h, and what its files share.
 *
 * Functions here answer 0 or an errno: the file that was asked from outside makes the one
 * error object, with the path as it was given.
 */
#ifndef SLIPWAY_BASE_PATHWALK_H
#define SLIPWAY_BASE_PATHWALK_H

#include <sys/types.h>

#include <slipway/error.h>

/* open(2) with @root as "/"; flags as normalised by sw_path_open. */
int sw__walk_open(int root, const char *path, int flags, mode_t mode, int *fd);

/* The directory that holds the last component (O_PATH), and that component, from malloc.
 * EINVAL when the path names the root. */
int sw__walk_parent(int root, const char *path, int *dirfd, char **base);

/* Make what is missing; @fd, if not NULL, is the last directory (O_RDONLY). */
int sw__walk_mkdirs(int root, const char *path, mode_t mode, int *fd);

/* Give a file that was just made its mode, whatever the umask took away. */
int sw__exact_mode(int fd, mode_t mode);

/** sw__path_force_walk - for tests: walk even where openat2 works. */
SW_API void sw__path_force_walk(bool on);

/* "VERB \"PATH\": reason" with the code that belongs to @err. */
#define sw__path_err(err, verb, path) sw__path_err_at(SW_HERE, err, verb, path)
SW_NODISCARD sw_err *sw__path_err_at(struct sw_place place, int err, const char *verb,
                                     const char *path);

#endif
