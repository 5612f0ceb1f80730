/*
 * lib/dockerfile/parse.c - from text to nodes: lines, directives, comments, continuations,
 * here-documents.
 *
 * One pass over the text. A line is read by next_line(), which counts it and checks its
 * length; an instruction is one such line and those that continue it, joined in p->joined,
 * with a note of where each part came from (pieces). Then words.c cuts it up, and the
 * bodies of its here-documents are taken from the lines that follow.
 *
 * The ranges of nodes and places of errors are lines of the text, from 1.
 */
#include <slipway/array.h>

#include "lib/dockerfile/directive.h"
#include "lib/dockerfile/lint.h"
#include "lib/dockerfile/words.h"

struct parser {
        sw_df_tree *tree;
        struct sw_df_arena *arena;
        struct sw_df_span rest; /* of the text */
        int line;               /* number of the line read last */
        const char *line_start; /* of it, before anything was trimmed */
        bool in_directives;
        sw_buf joined;
        SW_ARRAY(struct sw_df_piece) pieces;
        SW_ARRAY(const char *) comments;
        SW_ARRAY(struct sw_df_node) nodes;
};

static sw_err *
blame_line(struct parser *p, sw_err *err)
{
        return sw_df_blame(err, &p->tree->text, (struct sw_df_range){ p->line, p->line });
}

/* The next line, @raw with its end, if @raw is not NULL. *@got: there was one. */
static sw_err *
next_line(struct parser *p, struct sw_df_span *line, struct sw_df_span *raw, bool *got)
{
        struct sw_df_span before = p->rest;

        *got = sw_df_text_line(&p->rest, line);
        if (!*got)
                return SW_OK;
        p->line++;
        p->line_start = p->line == 1 ? p->tree->text.data : before.s;
        before.n -= p->rest.n;
        if (raw)
                *raw = before;
        if (before.n > SW_DF_LINE_MAX + (before.s[before.n - 1] == '\n'))
                return blame_line(
                        p, sw_err_new(SW_E_INVALID,
                                      "dockerfile line greater than max allowed size of %d",
                                      SW_DF_LINE_MAX));
        return SW_OK;
}

static sw_err *
set_escape(struct parser *p, struct sw_df_span value)
{
        if (value.n == 1 && (value.s[0] == '`' || value.s[0] == '\\')) {
                p->tree->escape = value.s[0];
                return SW_OK;
        }
        sw_auto(sw_str) text = sw_strndup(value.s, value.n);
        sw_auto(sw_str) shown = sw_df_plain(text);

        return sw_err_new(SW_E_INVALID, "invalid escape token '%s' does not match ` or \\",
                          shown);
}

/* *@is: whether @line (trimmed at its start) is a directive; then it has taken effect. */
static sw_err *
try_directive(struct parser *p, struct sw_df_span line, bool *is)
{
        enum sw_df_directive_name name = SW_DF_DIRECTIVES;
        struct sw_df_span value = { 0 };

        *is = p->in_directives && sw_df_directive_line(line, "#", &name, &value);
        p->in_directives = *is;
        if (!*is)
                return SW_OK;

        struct sw_df_directive *all[SW_DF_DIRECTIVES] = { &p->tree->syntax,
                                                          &p->tree->escape_directive,
                                                          &p->tree->check };
        struct sw_df_directive *d = all[name];

        if (d->value)
                return blame_line(p, sw_err_new(SW_E_INVALID,
                                                "only one %s parser directive can be used",
                                                sw_df_directive_names[name]));
        d->value = sw_df_arena_str(p->arena, value.s, value.n);
        d->line = p->line;
        if (name == SW_DF_DIRECTIVE_ESCAPE)
                return blame_line(p, set_escape(p, value));
        return SW_OK;
}

/* Comments above an instruction; an empty one parts it from those before. */
static void
add_comment(struct parser *p, struct sw_df_span line)
{
        struct sw_df_span text = sw_df_trim((struct sw_df_span){ line.s + 1, line.n - 1 });

        if (!text.n)
                p->comments.n = 0;
        else
                sw_array_push(&p->comments, sw_df_arena_str(p->arena, text.s, text.n));
}

/* Add a physical line to the joined one. Returns whether the next one continues it: it
 * ends with one escape (two are an escaped one), blanks after it aside. */
static bool
add_piece(struct parser *p, struct sw_df_span line)
{
        char escape = p->tree->escape;
        size_t n = line.n;
        bool more;

        while (n && (line.s[n - 1] == ' ' || line.s[n - 1] == '\t'))
                n--;
        more = n && line.s[n - 1] == escape && (n == 1 || line.s[n - 2] != escape);
        if (more)
                line.n = n - 1;
        if (line.n) {
                sw_array_push(&p->pieces,
                              (struct sw_df_piece){ (uint32_t) p->joined.len,
                                                    (uint32_t) (line.s - p->line_start),
                                                    p->line });
                sw_buf_add(&p->joined, line.s, line.n);
        }
        return more;
}

/* The first line of an instruction has been read: join those that continue it. */
static sw_err *
join_lines(struct parser *p, struct sw_df_span line, int *empty)
{
        sw_err *err = SW_OK;
        bool more, got, blank = false;

        sw_buf_clear(&p->joined);
        p->pieces.n = 0;
        more = add_piece(p, line);
        while (more) {
                err = next_line(p, &line, NULL, &got);
                if (err)
                        return err;
                if (!got)
                        break;

                struct sw_df_span text = sw_df_trim_left(line);

                if (text.n && text.s[0] == '#')
                        continue;
                if (!text.n)
                        blank = true;
                else
                        more = add_piece(p, line);
        }
        *empty = blank ? p->line : 0;
        return SW_OK;
}

/* The body of @doc: lines up to its name. */
static sw_err *
read_heredoc(struct parser *p, struct sw_df_heredoc *doc)
{
        const char *from = p->rest.s;
        size_t name_len = strlen(doc->name);
        struct sw_df_span line, raw = { from, 0 };
        bool got;

        for (;;) {
                sw_err *err = next_line(p, &line, &raw, &got);

                if (err)
                        return err;
                if (!got)
                        return sw_err_new(SW_E_INVALID, "unterminated heredoc");
                while (doc->chomp && line.n && line.s[0] == '\t') {
                        line.s++;
                        line.n--;
                }
                if (line.n == name_len && memcmp(line.s, doc->name, name_len) == 0)
                        break;
        }
        doc->len = (size_t) (raw.s - from);
        doc->content = sw_df_arena_str(p->arena, from, doc->len);
        return SW_OK;
}

static bool
may_have_heredocs(const struct sw_df_node *node)
{
        if (node->sub)
                node = node->sub;
        return !node->json && (node->kind == SW_DF_ADD || node->kind == SW_DF_COPY ||
                               node->kind == SW_DF_RUN);
}

static sw_err *
read_heredocs(struct parser *p, struct sw_df_node *node)
{
        struct sw_df_heredoc *docs = NULL;
        sw_err *err;

        if (!may_have_heredocs(node) || !strstr(node->line, "<<"))
                return SW_OK;
        err = sw_df_heredocs_find(p->arena, node->line, &docs, &node->n_heredocs);
        for (size_t i = 0; !err && i < node->n_heredocs; i++)
                err = read_heredoc(p, &docs[i]);
        node->heredocs = docs;
        return err;
}

/* The rules that a comment "check=..." names; one that cannot be read names none. */
static uint64_t
named_rules(const char *comment)
{
        struct sw_df_check check = { 0 };

        if (strncmp(comment, "check=", 6) == 0)
                sw_err_drop(sw_df_check_parse(comment + 6, &check),
                            "a comment may say what it likes");
        return check.named;
}

static void
take_comments(struct parser *p, struct sw_df_node *node)
{
        size_t n = p->comments.n < SW_DF_COMMENTS_MAX ? p->comments.n : SW_DF_COMMENTS_MAX;

        node->n_comments = n;
        if (n == 0)
                return;
        node->comments = sw_df_arena_keep(p->arena, p->comments.v + p->comments.n - n, n,
                                          sizeof(*p->comments.v));
        p->comments.n = 0;
        for (size_t i = 0; i < n; i++)
                node->checks |= named_rules(node->comments[i]);
}

/* An instruction starts with @line (read, trimmed at its start). */
static sw_err *
read_instruction(struct parser *p, struct sw_df_span line)
{
        struct sw_df_node node = { .range = { p->line, p->line } };
        struct sw_df_word bad = { 0 };
        sw_err *err = join_lines(p, line, &node.empty_continuation);

        if (err)
                return err;
        node.range.last = p->line;
        node.line = sw_df_arena_str(p->arena, p->joined.data, p->joined.len);
        node.n_pieces = p->pieces.n;
        node.pieces =
                sw_df_arena_keep(p->arena, p->pieces.v, p->pieces.n, sizeof(*p->pieces.v));
        take_comments(p, &node);

        struct sw_df_cut cut = { p->arena, p->tree->escape, node.line };

        err = sw_df_node_cut(&cut, (struct sw_df_span){ node.line, p->joined.len }, false,
                             &node, &bad);
        if (err)
                return sw_df_blame_word(err, &p->tree->text, &node, &bad);
        err = read_heredocs(p, &node);
        node.range.last = p->line;
        if (err)
                return sw_df_blame(err, &p->tree->text, node.range);
        if (p->nodes.n >= SW_DF_NODES_MAX)
                return blame_line(p, sw_err_new(SW_E_LIMIT, "more than %d instructions",
                                                SW_DF_NODES_MAX));
        sw_array_push(&p->nodes, node);
        return SW_OK;
}

static sw_err *
read_line(struct parser *p, struct sw_df_span line)
{
        bool directive;
        sw_err *err;

        line = sw_df_trim_left(line);
        err = try_directive(p, line, &directive);
        if (err || directive)
                return err;
        if (!line.n)
                p->comments.n = 0;
        else if (line.s[0] == '#')
                add_comment(p, line);
        else
                return read_instruction(p, line);
        return SW_OK;
}

static sw_err *
read_all(struct parser *p)
{
        struct sw_df_span line;
        sw_err *err = SW_OK;
        bool got = true;

        while (!err) {
                err = next_line(p, &line, NULL, &got);
                if (err || !got)
                        break;
                err = read_line(p, line);
        }
        if (!err && !p->nodes.n)
                err = blame_line(p, sw_err_new(SW_E_INVALID, "file with no instructions"));
        return err;
}

/* What cannot be a Dockerfile at all. */
static sw_err *
check_text(const struct sw_df_text *text)
{
        if (text->len == 0)
                return sw_err_new(SW_E_INVALID, "the Dockerfile cannot be empty");
        if (text->len > SW_DF_TEXT_MAX)
                return sw_err_new(SW_E_LIMIT, "%s is larger than %d bytes", text->file,
                                  SW_DF_TEXT_MAX);
        if (text->len >= 2 && (memcmp(text->data, "\xff\xfe", 2) == 0 ||
                               memcmp(text->data, "\xfe\xff", 2) == 0))
                return sw_err_new(SW_E_INVALID, "%s is UTF-16; save it as UTF-8",
                                  text->file);

        const char *nul = memchr(text->data, '\0', text->len);

        if (!nul)
                return SW_OK;
        int line = 1;

        for (const char *c = text->data; c < nul; c++)
                line += *c == '\n';
        return sw_df_blame(sw_err_new(SW_E_INVALID,
                                      "dockerfile parse error on line %d: NUL character",
                                      line),
                           text, (struct sw_df_range){ line, line });
}

static sw_df_tree *
tree_new(const struct sw_df_text *text)
{
        sw_df_tree *tree = sw_new(sw_df_tree);

        tree->arena = sw_df_arena_new();
        tree->text.file = sw_df_arena_str(tree->arena, text->file, strlen(text->file));
        tree->text.data = sw_df_arena_str(tree->arena, text->data, text->len);
        tree->text.len = text->len;
        tree->escape = '\\';
        return tree;
}

sw_err *
sw_df_parse(const struct sw_df_text *text, sw_df_tree **out)
{
        sw_err *err = check_text(text);

        if (err)
                return err;
        sw_autoptr(sw_df_tree) tree = tree_new(text);
        struct parser p = {
                .tree = tree,
                .arena = tree->arena,
                .rest = sw_df_text_start(tree->text.data, tree->text.len),
                .in_directives = true,
                .joined = SW_BUF_INIT,
        };

        err = read_all(&p);
        tree->n_nodes = p.nodes.n;
        tree->nodes = sw_df_arena_keep(p.arena, p.nodes.v, p.nodes.n, sizeof(*p.nodes.v));
        sw_buf_release(&p.joined);
        sw_array_release(&p.pieces);
        sw_array_release(&p.comments);
        sw_array_release(&p.nodes);
        if (!err)
                *out = sw_steal(tree);
        return err;
}

void
sw_df_tree_free(sw_df_tree *tree)
{
        if (!tree)
                return;
        sw_df_arena_free(tree->arena);
        free(tree);
}
