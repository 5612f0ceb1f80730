/*
 * lib/dockerfile/directive.c - parser directives, and the syntax directive of texts that
 * may be something else than a Dockerfile. Pure.
 */
#include <jansson.h>
#include <strings.h>

#include <slipway/mem.h>

#include "lib/dockerfile/directive.h"
#include "lib/dockerfile/parse.h"

const char *const sw_df_directive_names[SW_DF_DIRECTIVES] = {
        [SW_DF_DIRECTIVE_SYNTAX] = "syntax",
        [SW_DF_DIRECTIVE_ESCAPE] = "escape",
        [SW_DF_DIRECTIVE_CHECK] = "check",
};

struct sw_df_span
sw_df_text_start(const char *data, size_t len)
{
        size_t skip = len >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;

        return (struct sw_df_span){ data + skip, len - skip };
}

bool
sw_df_text_line(struct sw_df_span *rest, struct sw_df_span *line)
{
        if (!rest->n)
                return false;
        const char *stop = memchr(rest->s, '\n', rest->n);
        size_t n = stop ? (size_t) (stop - rest->s) : rest->n;

        *line = (struct sw_df_span){ rest->s, n };
        rest->s += n + (stop != NULL);
        rest->n -= n + (stop != NULL);
        while (line->n && line->s[line->n - 1] == '\r')
                line->n--;
        return true;
}

static bool
is_letter(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool
sw_df_directive_line(struct sw_df_span line, const char *comment,
                     enum sw_df_directive_name *name, struct sw_df_span *value)
{
        size_t skip = strlen(comment), n = 0;

        if (line.n < skip || memcmp(line.s, comment, skip) != 0)
                return false;
        line = sw_df_trim((struct sw_df_span){ line.s + skip, line.n - skip });
        while (n < line.n &&
               (is_letter(line.s[n]) || (n && line.s[n] >= '0' && line.s[n] <= '9')))
                n++;

        struct sw_df_span rest =
                sw_df_trim_left((struct sw_df_span){ line.s + n, line.n - n });

        if (!rest.n || rest.s[0] != '=')
                return false;
        *value = sw_df_trim_left((struct sw_df_span){ rest.s + 1, rest.n - 1 });
        for (int d = 0; d < SW_DF_DIRECTIVES && value->n; d++)
                if (strlen(sw_df_directive_names[d]) == n &&
                    strncasecmp(sw_df_directive_names[d], line.s, n) == 0) {
                        *name = (enum sw_df_directive_name) d;
                        return true;
                }
        return false;
}

static void
set_syntax(struct sw_df_syntax *out, struct sw_df_span value, int line)
{
        const char *blank = memchr(value.s, ' ', value.n);

        out->value = sw_strndup(value.s, value.n);
        out->source = sw_strndup(value.s, blank ? (size_t) (blank - value.s) : value.n);
        out->line = line;
}

/* A directive after @comment. Twice the same one: what stands there is not to be trusted,
 * and the parser will say so. */
static bool
find_line(struct sw_df_span rest, const char *comment, int before, struct sw_df_syntax *out)
{
        unsigned seen = 0;
        struct sw_df_span line, value;
        enum sw_df_directive_name name;

        for (int n = before + 1; sw_df_text_line(&rest, &line); n++) {
                if (!sw_df_directive_line(sw_df_trim_left(line), comment, &name, &value) ||
                    seen & 1U << name)
                        break;
                seen |= 1U << name;
                if (name != SW_DF_DIRECTIVE_SYNTAX)
                        continue;
                set_syntax(out, value, n);
                return true;
        }
        return false;
}

static void
find_json(struct sw_df_span rest, int before, struct sw_df_syntax *out)
{
        struct sw_df_span body = sw_df_trim(rest);

        if (!body.n || body.s[0] != '{' || body.s[body.n - 1] != '}')
                return;
        json_t *doc = json_loadb(body.s, body.n, JSON_DECODE_INT_AS_REAL, NULL);
        const char *s = json_string_value(json_object_get(doc, "syntax"));

        if (s && *s)
                set_syntax(out, (struct sw_df_span){ s, strlen(s) }, before + 1);
        json_decref(doc);
}

void
sw_df_syntax_find(const struct sw_df_text *text, struct sw_df_syntax *out)
{
        struct sw_df_span rest = sw_df_text_start(text->data, text->len), line;
        int before = 0;

        *out = (struct sw_df_syntax){ 0 };
        if (text->len > SW_DF_TEXT_MAX || memchr(text->data, '\0', text->len))
                return;
        if (rest.n >= 2 && memcmp(rest.s, "#!", 2) == 0) {
                (void) sw_df_text_line(&rest, &line);
                before = 1;
        }
        if (!find_line(rest, "#", before, out) && !find_line(rest, "//", before, out))
                find_json(rest, before, out);
}

void
sw_df_syntax_release(struct sw_df_syntax *s)
{
        free(s->value);
        free(s->source);
        *s = (struct sw_df_syntax){ 0 };
}
