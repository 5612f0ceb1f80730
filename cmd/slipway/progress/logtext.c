/*
 * cmd/slipway/progress/logtext.c - see logtext.h. Sequences as ECMA-48 has them.
 * Thread: any.
 */
#include <string.h>

#include <slipway/mem.h>

#include "cmd/slipway/progress/logtext.h"
#include "cmd/slipway/term.h"

#define ESC '\033'
#define BEL '\007'

/* Bytes of the control sequence at @s, "\033[" that is, or 0 when it has no end. */
static size_t
csi_len(const char *s)
{
        size_t n = 2;

        while (s[n] >= 0x20 && s[n] < 0x40)
                n++;
        return s[n] >= 0x40 && s[n] < 0x7f ? n + 1 : 0;
}

/* A string for the terminal: "\033]0;title\007"; ended by BEL or "\033\\". */
static size_t
string_len(const char *s)
{
        size_t n = 2;

        while (s[n] && s[n] != BEL && s[n] != ESC)
                n++;
        if (s[n] == BEL)
                return n + 1;
        return s[n] == ESC && s[n + 1] == '\\' ? n + 2 : 0;
}

/* Two bytes, or more of which all but the last are between space and slash. */
static size_t
other_len(const char *s)
{
        size_t n = 1;

        while (s[n] >= 0x20 && s[n] < 0x30)
                n++;
        return s[n] >= 0x30 && s[n] < 0x7f ? n + 1 : 0;
}

static size_t
sequence_len(const char *s)
{
        if (s[1] == '[')
                return csi_len(s);
        if (s[1] && strchr("]P_^X", s[1]))
                return string_len(s);
        return other_len(s);
}

/* Numbers and "m" alone: colours and weights. */
static bool
is_colour(const char *s, size_t n)
{
        return n > 2 && s[1] == '[' && s[n - 1] == 'm' &&
               strspn(s + 2, "0123456789;:") == n - 3;
}

static void
add_piece(sw_buf *b, const char *s, size_t n)
{
        sw_auto(sw_str) piece = sw_strndup(s, n);

        if (n > 0)
                term_add_text(b, piece);
}

void
logtext_add(sw_buf *b, const char *line, bool colour)
{
        bool coloured = false;

        while (*line) {
                size_t n = strcspn(line, "\t\033");

                add_piece(b, line, n);
                line += n;
                if (*line == '\t') {
                        sw_buf_addc(b, '\t');
                        line++;
                } else if (*line == ESC) {
                        n = sequence_len(line);
                        if (n == 0) {
                                n = 1;
                                add_piece(b, line, n);
                        } else if (colour && is_colour(line, n)) {
                                sw_buf_add(b, line, n);
                                coloured = true;
                        }
                        line += n;
                }
        }
        if (coloured)
                sw_buf_adds(b, "\033[0m");
}

const char *
logtext_last(const char *line)
{
        size_t n = strlen(line);

        while (n > 0 && line[n - 1] == '\r')
                n--;
        while (n > 0 && line[n - 1] != '\r')
                n--;
        return line + n;
}
