/*
 * lib/dockerfile/heredoc.c - words that announce a here-document: <<NAME, << NAME, 3<<NAME,
 * <<-NAME, <<"NAME". Pure.
 */
#include <slipway/array.h>

#include "lib/dockerfile/expand.h"
#include "lib/dockerfile/words.h"

/* The one word that @text is when it is read in that way; NULL: none or several. */
static char *
only_word(const char *text, unsigned flags)
{
        struct sw_df_lex lex = { .escape = '\\', .flags = flags };
        sw_auto(sw_strlist) words = { 0 };
        sw_err *err = sw_df_expand_words(&lex, text, &words);

        if (err) {
                sw_err_drop(err, "what cannot be read is no name");
                return NULL;
        }
        return words.n == 1 ? sw_steal(words.v[0]) : NULL;
}

/* Whether @word is one; @out->name is then from malloc. */
static bool
read_word(const char *word, struct sw_df_heredoc *out)
{
        while (*word >= '0' && *word <= '9')
                word++;
        if (word[0] != '<' || word[1] != '<')
                return false;
        word += 2;
        out->chomp = *word == '-';
        word += out->chomp;
        word += strspn(word, " \t\n\f\r");
        if (!*word || strchr(word, '<'))
                return false;

        /* A name that is another once its quotes are gone was quoted; escapes do not count.
         */
        sw_auto(sw_str) bare = only_word(word, SW_DF_KEEP_UNSET);
        sw_auto(sw_str) raw = only_word(word, SW_DF_KEEP_UNSET | SW_DF_KEEP_QUOTES);

        if (!bare || !raw)
                return false;
        out->expand = strcmp(bare, raw) == 0;
        out->name = sw_steal(bare);
        return true;
}

bool
sw_df_heredoc_word(const char *word, char **name)
{
        struct sw_df_heredoc doc = { 0 };

        if (!read_word(word, &doc))
                return false;
        if (name)
                *name = (char *) doc.name;
        else
                free((char *) doc.name);
        return true;
}

struct finder {
        struct sw_df_arena *arena;
        SW_ARRAY(struct sw_df_heredoc) docs;
};

static void
look_at_word(void *arg, const char *word)
{
        struct finder *f = arg;
        struct sw_df_heredoc doc = { 0 };

        if (f->docs.n > SW_DF_HEREDOCS_MAX || !read_word(word, &doc))
                return;
        char *name = (char *) doc.name;

        doc.name = sw_df_arena_str(f->arena, name, strlen(name));
        free(name);
        sw_array_push(&f->docs, doc);
}

sw_err *
sw_df_heredocs_find(struct sw_df_arena *arena, const char *line, struct sw_df_heredoc **out,
                    size_t *n)
{
        struct sw_df_lex lex = { .escape = '\\',
                                 .flags = SW_DF_KEEP_UNSET | SW_DF_KEEP_QUOTES |
                                          SW_DF_KEEP_ESCAPES };
        struct finder f = { .arena = arena };
        sw_err *err = sw_df_expand_each(&lex, line, look_at_word, &f);

        if (err) {
                sw_err_drop(err, "a line that only its shell can read has none");
                f.docs.n = 0;
        }
        *n = f.docs.n;
        *out = sw_df_arena_keep(arena, f.docs.v, f.docs.n, sizeof(*f.docs.v));
        sw_array_release(&f.docs);
        if (*n > SW_DF_HEREDOCS_MAX)
                return sw_err_new(SW_E_LIMIT,
                                  "instruction with more than %d here-documents",
                                  SW_DF_HEREDOCS_MAX);
        return SW_OK;
}

void
sw_df_chomp(const char *content, size_t len, sw_buf *out)
{
        const char *p = content, *end = content + len;

        while (p < end) {
                while (p < end && *p == '\t')
                        p++;
                const char *stop = memchr(p, '\n', (size_t) (end - p));

                stop = stop ? stop + 1 : end;
                sw_buf_add(out, p, (size_t) (stop - p));
                p = stop;
        }
}
