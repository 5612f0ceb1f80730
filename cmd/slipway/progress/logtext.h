/*
 * cmd/slipway/progress/logtext.h - lines that commands printed, on their way to a terminal.
 * Thread: any.
 */
#ifndef SLIPWAY_CMD_PROGRESS_LOGTEXT_H
#define SLIPWAY_CMD_PROGRESS_LOGTEXT_H

#include <slipway/buf.h>

/** logtext_add - @line without what moves the cursor, clears or renames things; colours
 *  stay where @colour, and are ended with it. What is left that a terminal would obey is
 *  shown as \xNN; tabs stay. */
void logtext_add(sw_buf *b, const char *line, bool colour);
/** logtext_last - where what is seen of @line begins: a program that draws its progress
 *  with carriage returns overwrites the rest. */
const char *logtext_last(const char *line);

#endif
