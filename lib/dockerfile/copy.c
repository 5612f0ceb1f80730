/* lib/dockerfile/copy.c - ADD and COPY: sources, here-documents among them, flags. Pure. */
#include <string.h>

#include "lib/dockerfile/typer.h"

enum { EXCLUDE, CHOWN, CHMOD, LINK, COMMON };
enum { FROM = COMMON, PARENTS, COPY_FLAGS };
enum { KEEP_GIT_DIR = COMMON, CHECKSUM, UNPACK, ADD_FLAGS };

static const struct sw_df_flag copy_flags[COPY_FLAGS] = {
        [EXCLUDE] = { .name = "exclude", .type = SW_DF_FLAG_STRINGS },
        [CHOWN] = { .name = "chown", .type = SW_DF_FLAG_STRING },
        [CHMOD] = { .name = "chmod", .type = SW_DF_FLAG_STRING },
        [LINK] = { .name = "link", .type = SW_DF_FLAG_BOOL },
        [FROM] = { .name = "from", .type = SW_DF_FLAG_STRING },
        [PARENTS] = { .name = "parents", .type = SW_DF_FLAG_BOOL },
};
static const struct sw_df_flag add_flags[ADD_FLAGS] = {
        [EXCLUDE] = { .name = "exclude", .type = SW_DF_FLAG_STRINGS },
        [CHOWN] = { .name = "chown", .type = SW_DF_FLAG_STRING },
        [CHMOD] = { .name = "chmod", .type = SW_DF_FLAG_STRING },
        [LINK] = { .name = "link", .type = SW_DF_FLAG_BOOL },
        [KEEP_GIT_DIR] = { .name = "keep-git-dir", .type = SW_DF_FLAG_BOOL },
        [CHECKSUM] = { .name = "checksum", .type = SW_DF_FLAG_STRING },
        [UNPACK] = { .name = "unpack", .type = SW_DF_FLAG_BOOL },
};
enum { FLAGS_MAX = ADD_FLAGS };

/* A value; one that is empty is none. */
static const char *
given(const struct sw_df_flag *flag)
{
        const char *text = flag->value.text;

        return text && *text ? text : NULL;
}

static sw_err *
read_flags(struct sw_df_typer *t, struct sw_df_copy *c)
{
        bool add = t->node->kind == SW_DF_ADD;
        size_t n = add ? (size_t) ADD_FLAGS : (size_t) COPY_FLAGS;
        struct sw_df_flag f[FLAGS_MAX] = { 0 };
        sw_err *err;

        memcpy(f, add ? add_flags : copy_flags, n * sizeof(*f));
        err = sw_df_flags_read(t, f, n);
        c->excludes = sw_df_flag_strs(t, &f[EXCLUDE]);
        sw_df_flags_end(f, n);
        c->chown = given(&f[CHOWN]);
        c->chmod = given(&f[CHMOD]);
        c->link = f[LINK].yes == SW_DF_YES;
        if (add) {
                c->keep_git_dir = f[KEEP_GIT_DIR].yes;
                c->checksum = given(&f[CHECKSUM]);
                c->unpack = f[UNPACK].yes;
        } else {
                c->from = given(&f[FROM]);
                c->parents = f[PARENTS].yes == SW_DF_YES;
        }
        return err;
}

/* The here-document called @name; the last of those that share it. */
static struct sw_df_inline
inline_of(struct sw_df_typer *t, const char *name)
{
        struct sw_df_inline in = { .content = "", .expand = true };
        sw_auto(sw_buf) chomped = SW_BUF_INIT;

        in.name = sw_df_arena_str(t->arena, name, strlen(name));
        for (size_t i = t->node->n_heredocs; i-- > 0;) {
                const struct sw_df_heredoc *doc = &t->node->heredocs[i];

                if (strcmp(doc->name, name) != 0)
                        continue;
                in.content = doc->content;
                in.len = doc->len;
                in.expand = doc->expand;
                if (doc->chomp) {
                        sw_df_chomp(doc->content, doc->len, &chomped);
                        in.content = sw_df_arena_str(t->arena, chomped.data, chomped.len);
                        in.len = chomped.len;
                }
                break;
        }
        return in;
}

static void
read_sources(struct sw_df_typer *t, struct sw_df_copy *c)
{
        size_t n = t->node->args.n - 1;
        const char **paths = sw_df_arena_take(t->arena, n * sizeof(*paths));
        SW_ARRAY(struct sw_df_inline) inlines = { 0 };

        for (size_t i = 0; i < n; i++) {
                const char *word = t->node->args.v[i].text;
                char *name = NULL;

                if (sw_df_heredoc_word(word, &name))
                        sw_array_push(&inlines, inline_of(t, name));
                else
                        paths[c->sources.n++] = word;
                free(name);
        }
        c->sources.v = paths;
        c->n_inlines = inlines.n;
        c->inlines = sw_df_arena_keep(t->arena, inlines.v, inlines.n, sizeof(*inlines.v));
        sw_array_release(&inlines);
}

sw_err *
sw_df_type_copy(struct sw_df_typer *t, struct sw_df_cmd *out)
{
        const struct sw_df_words *args = &t->node->args;
        struct sw_df_copy *c = &out->copy;
        sw_err *err;

        if (args->n < 2)
                return sw_err_new(SW_E_INVALID,
                                  "%s requires at least two arguments, but only one was "
                                  "provided. Destination could not be determined",
                                  out->name);
        err = read_flags(t, c);
        if (err)
                return err;
        c->dest = args->v[args->n - 1].text;
        if (sw_df_heredoc_word(c->dest, NULL))
                return sw_df_bad(t, &args->v[args->n - 1],
                                 sw_err_new(SW_E_INVALID,
                                            "%s cannot accept a heredoc as a destination",
                                            out->name));
        read_sources(t, c);
        return SW_OK;
}
