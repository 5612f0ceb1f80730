/*
 * cmd/slipway/term.h - what goes to a terminal: harmless text, width, colour, wrapping.
 *
 * Everything that came from outside (file names, plugin summaries, messages) passes
 * term_add_text() on its way out, so that no escape sequence reaches the terminal.
 * Widths count code points; nothing here needs a locale. Thread: main.
 */
#ifndef SLIPWAY_CMD_TERM_H
#define SLIPWAY_CMD_TERM_H

#include <slipway/buf.h>

/** term_add_text - @s with control characters, bidirectional overrides and invalid UTF-8
 *  as \xNN. Newlines too: one line stays one line. */
void term_add_text(sw_buf *b, const char *s);

/** term_width - columns of the terminal at @fd ($COLUMNS counts more); 0: no terminal. */
size_t term_width(int fd);
/** term_colour - whether to write colours to @fd: a terminal, no NO_COLOR, not "dumb". */
bool term_colour(int fd);

/** term_len - columns that valid UTF-8 text takes. */
size_t term_len(const char *s);

/**
 * term_add_wrapped - paragraphs of text, broken at spaces.
 * @text:   paragraphs apart by empty lines; a line that begins with a space is kept as it
 *          is. Harmless already.
 * @indent: columns in front of each line but the first, which the caller has begun.
 * @width:  columns a line may take; 0: not broken at all.
 * Ends with a newline.
 */
void term_add_wrapped(sw_buf *b, const char *text, size_t indent, size_t width);

/** term_pad - add @n spaces. */
void term_pad(sw_buf *b, size_t n);

#endif
