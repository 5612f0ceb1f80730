/*
 * cmd/slipway/progress/screen.h - a picture that is drawn again and again in one place of a
 * terminal.
 *
 *      screen_init(s)
 *      screen_measure(s, fd)                   before each picture: s->width, s->height
 *      screen_add(s, "text", columns) ...      its rows, from the top
 *      screen_paint(s, out)                    what is to be written, at once
 *      screen_paint_last(s, out)               the same for the last one, which stays
 *
 * Only rows that changed are written. While they are, the terminal is asked to show nothing
 * of it (synchronized output), to hide the cursor and not to wrap: all of that is undone by
 * the same write, so that the terminal is left as it was whenever the program ends. Between
 * two pictures the cursor stands at the beginning of the row below.
 *
 * When the terminal becomes narrower most of them break the rows that are there into
 * several; where they stand is reckoned then, and the picture is written whole.
 * Thread: one at a time.
 */
#ifndef SLIPWAY_CMD_PROGRESS_SCREEN_H
#define SLIPWAY_CMD_PROGRESS_SCREEN_H

#include <slipway/array.h>
#include <slipway/buf.h>

struct screen_row {
        char *text;
        size_t columns;
};

typedef SW_ARRAY(struct screen_row) screen_rows;

struct screen {
        size_t width, height; /* of the terminal */
        screen_rows next;     /* being made */
        screen_rows shown;    /* on the terminal */
        size_t shown_width, shown_height;
        bool reflows; /* rows that are too long are broken */
};

void screen_init(struct screen *s);
void screen_release(struct screen *s);
/** screen_measure - @fd: the terminal. One that does not know its size has 80 x 24. */
void screen_measure(struct screen *s, int fd);
/** screen_add - @text: one row with colours and nothing else that a terminal obeys, which
 *  takes @columns; copied. */
void screen_add(struct screen *s, const char *text, size_t columns);
void screen_paint(struct screen *s, sw_buf *out);
void screen_paint_last(struct screen *s, sw_buf *out);
/** screen_clear - the picture goes away; what is written next stands where it was. */
void screen_clear(struct screen *s, sw_buf *out);
/** screen_forget - others wrote to the terminal: the next picture is drawn below that. */
void screen_forget(struct screen *s);

#endif
