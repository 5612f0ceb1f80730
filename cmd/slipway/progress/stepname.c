/*
 * cmd/slipway/progress/stepname.c - see stepname.h. Thread: any.
 */
#include <string.h>

#include "cmd/slipway/progress/stepname.h"

/* "2/5" or " 2/12" at the end of the @n bytes at @s; where the stage ends in front of it,
 * or NULL when there is none. */
static const char *
find_number(const char *s, size_t n)
{
        static const char digits[] = "0123456789";
        const char *end = s + n, *p = end;

        while (p > s && strchr(digits, p[-1]))
                p--;
        if (p == end || p == s || *--p != '/')
                return NULL;
        end = p;
        while (p > s && strchr(digits, p[-1]))
                p--;
        if (p == end)
                return NULL;
        if (p > s && p[-1] != ' ')
                return NULL;
        while (p > s && p[-1] == ' ')
                p--;
        return p;
}

static bool
is_word(const char *s, size_t n, const char *word)
{
        return n == strlen(word) && memcmp(s, word, n) == 0;
}

void
step_name_parse(const char *name, struct step_name *out)
{
        const char *end = *name == '[' ? strchr(name, ']') : NULL, *stage_end;
        const char *word;

        *out = (struct step_name){ .text = name };
        if (!end)
                return;
        for (word = end; word > name + 1 && word[-1] != ' '; word--)
                ;
        out->internal = is_word(word, (size_t) (end - word), "internal") ||
                        is_word(name + 1, (size_t) (end - name - 1), "auth");
        stage_end = find_number(name + 1, (size_t) (end - name - 1));
        if (stage_end) {
                out->stage = name + 1;
                out->stage_len = (size_t) (stage_end - out->stage);
        }
        if (stage_end || out->internal) {
                out->text = end + 1;
                out->text += strspn(out->text, " ");
        }
}
