/*
 * cmd/slipway/progress/width.h - columns that text takes on a terminal, without a locale.
 * Thread: any.
 */
#ifndef SLIPWAY_CMD_PROGRESS_WIDTH_H
#define SLIPWAY_CMD_PROGRESS_WIDTH_H

#include <slipway/buf.h>

/** width_add - as much of @s (valid UTF-8) as fits into @room columns. Returns the columns
 *  it takes. */
size_t width_add(sw_buf *b, const char *s, size_t room);
/** width_of - the columns that @s takes. */
size_t width_of(const char *s);

#endif
