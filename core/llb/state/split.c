/*
 * core/llb/state/split.c - a command line to words.
 *
 *   START  between words        '#' here starts a comment up to the end of the line
 *   WORD   in a word            quotes and backslashes may come anywhere in it
 *   DOUBLE in "…"               a backslash takes the next character as it is
 *   SINGLE in '…'               everything as it is
 *
 * Nothing is expanded and no operator is known: "a && b" is three words. Thread: any.
 */
#include <string.h>

#include "core/llb/state/run.h"

enum split_state { START, WORD, DOUBLE, SINGLE, COMMENT };

struct splitter {
        enum split_state state;
        sw_buf word;
        sw_strlist *out;
};

static bool
is_space(char c)
{
        return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void
end_word(struct splitter *s)
{
        sw_strlist_take(s->out, sw_buf_detach(&s->word));
        s->state = START;
}

/* A character in START or WORD, where quoting may begin. */
static void
take_bare(struct splitter *s, char c)
{
        if (is_space(c)) {
                if (s->state == WORD)
                        end_word(s);
        } else if (c == '#' && s->state == START) {
                s->state = COMMENT;
        } else if (c == '"') {
                s->state = DOUBLE;
        } else if (c == '\'') {
                s->state = SINGLE;
        } else {
                sw_buf_addc(&s->word, c);
                s->state = WORD;
        }
}

static void
take(struct splitter *s, char c)
{
        switch (s->state) {
        case START:
        case WORD: take_bare(s, c); break;
        case DOUBLE:
        case SINGLE:
                if (c == (s->state == DOUBLE ? '"' : '\''))
                        s->state = WORD;
                else
                        sw_buf_addc(&s->word, c);
                break;
        case COMMENT:
                if (c == '\n')
                        s->state = START;
                break;
        }
}

/* Detach gives NUL-ended text also for an empty word: '' is one. */
static sw_err *
split(struct splitter *s, const char *line)
{
        for (const char *p = line; *p; p++) {
                if (*p != '\\' || s->state == SINGLE || s->state == COMMENT) {
                        take(s, *p);
                        continue;
                }
                if (!*++p)
                        return sw_err_new(SW_E_INVALID, "command ends in a backslash: %s",
                                          sw__llb_shown(line).text);
                sw_buf_addc(&s->word, *p);
                if (s->state == START)
                        s->state = WORD;
        }
        if (s->state == DOUBLE || s->state == SINGLE)
                return sw_err_new(SW_E_INVALID,
                                  "command has a %s quote that is not closed: %s",
                                  s->state == DOUBLE ? "double" : "single",
                                  sw__llb_shown(line).text);
        if (s->state == WORD)
                end_word(s);
        return SW_OK;
}

sw_err *
sw__llb_split_command(const char *line, sw_strlist *out)
{
        struct splitter s = { .state = START, .word = SW_BUF_INIT, .out = out };
        sw_err *err = sw__llb_check_text("command", line);

        if (!err)
                err = split(&s, line);
        sw_buf_release(&s.word);
        return err;
}
