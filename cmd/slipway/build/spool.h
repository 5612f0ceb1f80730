/*
 * cmd/slipway/build/spool.h - a directory for what comes from standard input, while a build
 * reads it.
 *
 * It lies in <root>/stdin, is this process's own as long as it is locked, and goes when it
 * is freed. What a killed process left is removed by the next build. Thread: main.
 */
#ifndef SLIPWAY_CMD_BUILD_SPOOL_H
#define SLIPWAY_CMD_BUILD_SPOOL_H

#include <slipway/cancel.h>

typedef struct spool spool;

/** spool_sweep - remove what processes that were killed left. @root: of the engine. */
void spool_sweep(const char *root);
/** spool_new - @root: that of the engine, which has made it. @out: handed back. */
SW_NODISCARD sw_err *spool_new(const char *root, spool **out);
/** spool_dir - make a directory in it. @path: its absolute path, from malloc. */
SW_NODISCARD sw_err *spool_dir(spool *s, const char *name, char **path);
/** spool_put - the file @dir/@name: @n bytes at @head, then all that standard input has.
 *  Errors: SW_E_IO, SW_E_CANCELLED. Blocks: until the other end is done. */
SW_NODISCARD sw_err *spool_put(spool *s, const char *dir, const char *name,
                               const void *head, size_t n, sw_cancel *cancel);
/** spool_free - NULL is fine. */
void spool_free(spool *s);
SW_DEFINE_AUTOPTR(spool, spool_free)

#endif
