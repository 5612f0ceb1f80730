/*
 * cmd/slipway/template.c - see template.h. Thread: main.
 *
 * A template is a flat list of nodes; RANGE and IF know where their ELSE and END are, so
 * that running it needs no tree.
 */
#include <ctype.h>
#include <string.h>

#include <slipway/text.h>

#include "cmd/slipway/template.h"

enum { TEXT_MAX = 64 << 10, DEPTH_MAX = 32, OUTPUT_MAX = 256 << 20 };

enum node_kind { TEXT, PRINT, RANGE, IF, ELSE, END };
enum function { PLAIN, JSON, LEN };

struct node {
        enum node_kind kind;
        enum function fn;
        char *text;         /* TEXT, or PRINT of a string */
        const char *member; /* of the dot; NULL: the dot itself */
        size_t other, end;  /* RANGE, IF: index of ELSE (or END), and of END */
};

struct template
{
        SW_ARRAY(struct node) nodes;
};

struct parser {
        const char *start, *at;
        const struct template_field *fields;
        template *t;
        size_t open[DEPTH_MAX]; /* RANGE and IF without their END */
        size_t depth;
        bool trim; /* white space at the start of the next text */
};

static sw_err *
bad(const struct parser *p, const char *what)
{
        return sw_err_new(SW_E_USAGE,
                          "--format: %s at byte %zu (there are {{json .}}, {{.Field}}, "
                          "{{len .Field}}, {{range}}, {{if}}, {{else}} and {{end}})",
                          what, (size_t) (p->at - p->start));
}

/* ---- text between actions ---- */

static void
add_text(struct parser *p, const char *s, size_t n)
{
        struct node node = { .kind = TEXT };
        sw_auto(sw_buf) b = SW_BUF_INIT;

        while (p->trim && n && isspace((unsigned char) *s)) {
                s++;
                n--;
        }
        for (size_t i = 0; i < n; i++) {
                static const char from[] = "ntr\\", to[] = "\n\t\r\\";
                const char *known = s[i] == '\\' && i + 1 < n && s[i + 1]
                                            ? strchr(from, s[i + 1])
                                            : NULL;

                sw_buf_addc(&b, known ? to[known - from] : s[i]);
                i += known != NULL;
        }
        node.text = sw_buf_detach(&b);
        sw_array_push(&p->t->nodes, node);
}

/* ---- inside of an action ---- */

static void
skip_space(struct parser *p)
{
        while (isspace((unsigned char) *p->at))
                p->at++;
}

/* The next word of letters, if it is @word. */
static bool
take_word(struct parser *p, const char *word)
{
        const size_t n = strlen(word);

        if (strncmp(p->at, word, n) != 0 || isalnum((unsigned char) p->at[n]) ||
            p->at[n] == '_')
                return false;
        p->at += n;
        skip_space(p);
        return true;
}

static sw_err *
take_field(struct parser *p, const char **member)
{
        size_t n = 0;

        p->at++; /* the dot */
        while (isalnum((unsigned char) p->at[n]) || p->at[n] == '_')
                n++;
        *member = NULL;
        if (n == 0)
                return SW_OK;
        sw_auto(sw_str) name = sw_strndup(p->at, n);
        sw_auto(sw_buf) all = SW_BUF_INIT;
        for (const struct template_field *f = p->fields; f->name; f++) {
                if (strcmp(f->name, name) == 0) {
                        *member = f->member;
                        p->at += n;
                        return SW_OK;
                }
                sw_buf_addf(&all, "%s%s", all.len ? ", " : "", f->name);
        }
        return sw_err_new(SW_E_USAGE, "--format: there is no field .%.50s (there are %s)",
                          name, all.data);
}

/* "...", with the escapes that people use. */
static sw_err *
take_string(struct parser *p, char **out)
{
        static const char from[] = "nt\"\\", to[] = "\n\t\"\\";
        sw_auto(sw_buf) text = SW_BUF_INIT;
        const char *end = p->at + 1;

        for (; *end && *end != '"'; end++) {
                const char *escape = *end == '\\' && end[1] ? strchr(from, end[1]) : NULL;

                if (*end == '\\' && !escape)
                        return bad(p, "an escape that is none of \\n \\t \\\" \\\\");
                sw_buf_addc(&text, escape ? to[escape - from] : *end);
                end += escape != NULL;
        }
        if (!*end)
                return bad(p, "a string that is not closed");
        *out = sw_strndup(text.len ? text.data : "", text.len);
        p->at = end + 1;
        return SW_OK;
}

/* "." | ".Field" */
static sw_err *
take_operand(struct parser *p, struct node *node)
{
        if (*p->at != '.')
                return bad(p, "this is not understood");
        return take_field(p, &node->member);
}

static sw_err *
take_print(struct parser *p, struct node *node)
{
        node->kind = PRINT;
        if (take_word(p, "json"))
                node->fn = JSON;
        else if (take_word(p, "len"))
                node->fn = LEN;
        else if (*p->at == '"')
                return take_string(p, &node->text);
        return take_operand(p, node);
}

static sw_err *
open_block(struct parser *p, struct node *node, enum node_kind kind)
{
        if (p->depth == DEPTH_MAX)
                return bad(p, "blocks too deep in one another");
        node->kind = kind;
        p->open[p->depth++] = p->t->nodes.n;
        return take_operand(p, node);
}

static sw_err *
end_block(struct parser *p, struct node *node, enum node_kind kind)
{
        node->kind = kind;
        if (p->depth == 0)
                return bad(p, kind == END ? "an {{end}} of nothing"
                                          : "an {{else}} of nothing");
        struct node *block = &p->t->nodes.v[p->open[p->depth - 1]];
        if (kind == ELSE && block->other)
                return bad(p, "a second {{else}}");
        if (!block->other)
                block->other = p->t->nodes.n;
        if (kind == END) {
                block->end = p->t->nodes.n;
                p->depth--;
        }
        return SW_OK;
}

static sw_err *
take_action(struct parser *p, struct node *node)
{
        if (take_word(p, "range"))
                return open_block(p, node, RANGE);
        if (take_word(p, "if"))
                return open_block(p, node, IF);
        if (take_word(p, "else"))
                return end_block(p, node, ELSE);
        if (take_word(p, "end"))
                return end_block(p, node, END);
        return take_print(p, node);
}

static sw_err *
take_close(struct parser *p)
{
        skip_space(p);
        p->trim = p->at[0] == '-' && isspace((unsigned char) p->at[-1]);
        p->at += p->trim;
        if (strncmp(p->at, "}}", 2) != 0)
                return bad(p, "this is not understood");
        p->at += 2;
        return SW_OK;
}

/* After "{{". */
static sw_err *
parse_action(struct parser *p)
{
        struct node node = { .kind = PRINT };
        sw_err *err;

        skip_space(p);
        if (strncmp(p->at, "/*", 2) == 0) {
                const char *end = strstr(p->at, "*/");

                if (!end)
                        return bad(p, "a comment that is not closed");
                p->at = end + 2;
                return take_close(p);
        }
        err = take_action(p, &node);
        sw_array_push(&p->t->nodes, node);
        return err ? err : take_close(p);
}

static sw_err *
parse(struct parser *p)
{
        while (*p->at) {
                const char *action = strstr(p->at, "{{");
                size_t n = action ? (size_t) (action - p->at) : strlen(p->at);
                const bool trim =
                        action && action[2] == '-' && isspace((unsigned char) action[3]);

                while (trim && n && isspace((unsigned char) p->at[n - 1]))
                        n--;
                add_text(p, p->at, n);
                p->trim = false;
                if (!action)
                        break;
                p->at = action + 2 + trim;
                sw_err *err = parse_action(p);
                if (err)
                        return err;
        }
        return p->depth ? bad(p, "an {{end}} is missing") : SW_OK;
}

sw_err *
template_parse(const char *text, const struct template_field *fields, template **out)
{
        sw_autoptr(template) t = sw_new(template);
        struct parser p = { .fields = fields, .t = t };

        if (strnlen(text, TEXT_MAX + 1) > TEXT_MAX)
                return sw_err_new(SW_E_USAGE, "--format: longer than %d bytes", TEXT_MAX);
        p.start = p.at = strcmp(text, "json") == 0 ? "{{json .}}" : text;
        sw_err *err = parse(&p);
        if (!err)
                *out = sw_steal(t);
        return err;
}

void
template_free(template *t)
{
        if (!t)
                return;
        for (size_t i = 0; i < t->nodes.n; i++)
                free(t->nodes.v[i].text);
        sw_array_release(&t->nodes);
        free(t);
}

/* ---- values ---- */

static void
add_json(sw_buf *out, const sw_json *v)
{
        const char *key;
        sw_json *member;
        size_t i;

        if (json_is_string(v)) {
                sw_json_add_str(out, json_string_value(v), json_string_length(v));
        } else if (json_is_integer(v)) {
                sw_buf_addf(out, "%lld", (long long) json_integer_value(v));
        } else if (json_is_array(v)) {
                sw_buf_addc(out, '[');
                for (i = 0; i < json_array_size(v); i++) {
                        sw_buf_adds(out, i ? "," : "");
                        add_json(out, json_array_get(v, i));
                }
                sw_buf_addc(out, ']');
        } else if (json_is_object(v)) {
                sw_buf_addc(out, '{');
                i = 0;
                json_object_foreach((sw_json *) v, key, member)
                {
                        sw_buf_adds(out, i++ ? "," : "");
                        sw_json_add_str(out, key, strlen(key));
                        sw_buf_addc(out, ':');
                        add_json(out, member);
                }
                sw_buf_addc(out, '}');
        } else {
                sw_buf_adds(out, json_is_true(v)    ? "true"
                                 : json_is_false(v) ? "false"
                                                    : "null");
        }
}

/* As fmt.Print shows it. */
static void
add_plain(sw_buf *out, const sw_json *v)
{
        if (json_is_string(v)) {
                sw_buf_add(out, json_string_value(v), json_string_length(v));
        } else if (json_is_array(v)) {
                sw_buf_addc(out, '[');
                for (size_t i = 0; i < json_array_size(v); i++) {
                        sw_buf_adds(out, i ? " " : "");
                        add_plain(out, json_array_get(v, i));
                }
                sw_buf_addc(out, ']');
        } else if (!v || json_is_null(v)) {
                sw_buf_adds(out, "<nil>");
        } else {
                add_json(out, v);
        }
}

static bool
is_true(const sw_json *v)
{
        if (json_is_string(v))
                return json_string_length(v) > 0;
        if (json_is_integer(v))
                return json_integer_value(v) != 0;
        if (json_is_array(v))
                return json_array_size(v) > 0;
        return json_is_true(v) || json_is_object(v);
}

/* ---- running ---- */

struct loop {
        size_t node; /* the RANGE */
        const sw_json *list, *dot;
        size_t i;
};

struct run {
        const template *t;
        sw_buf *out;
        const sw_json *dot;
        struct loop loops[DEPTH_MAX];
        size_t depth;
};

static sw_err *
value_of(const struct run *r, const struct node *n, const sw_json **out)
{
        *out = r->dot;
        if (!n->member)
                return SW_OK;
        if (!json_is_object(r->dot))
                return sw_err_new(SW_E_USAGE,
                                  "--format: .%s of %s (put it into {{range .}}…{{end}})",
                                  n->member,
                                  json_is_array(r->dot) ? "a list" : "a simple value");
        *out = json_object_get(r->dot, n->member);
        return SW_OK;
}

static sw_err *
print_node(const struct run *r, const struct node *n)
{
        const sw_json *v;

        if (n->text) {
                sw_buf_adds(r->out, n->text);
                return SW_OK;
        }
        sw_err *err = value_of(r, n, &v);
        if (err)
                return err;
        if (n->fn == JSON)
                add_json(r->out, v);
        else if (n->fn == LEN)
                sw_buf_addf(r->out, "%zu",
                            json_is_string(v) ? json_string_length(v) : json_array_size(v));
        else
                add_plain(r->out, v);
        return SW_OK;
}

/* Enter a block; *at is where to go on. */
static sw_err *
enter(struct run *r, size_t *at)
{
        const struct node *n = &r->t->nodes.v[*at];
        const sw_json *v;
        sw_err *err = value_of(r, n, &v);

        if (err)
                return err;
        if (n->kind == IF) {
                *at = is_true(v) ? *at + 1 : n->other + 1;
                return SW_OK;
        }
        if (v && !json_is_array(v) && !json_is_null(v))
                return sw_err_new(SW_E_USAGE, "--format: {{range}} over what is no list");
        if (json_array_size(v) == 0) {
                *at = n->other + 1;
                return SW_OK;
        }
        r->loops[r->depth++] = (struct loop){ *at, v, r->dot, 0 };
        r->dot = json_array_get(v, 0);
        ++*at;
        return SW_OK;
}

/* At an ELSE or END: round again, or out of the block. */
static void
leave(struct run *r, size_t *at)
{
        struct loop *l = r->depth ? &r->loops[r->depth - 1] : NULL;
        const struct node *block = l ? &r->t->nodes.v[l->node] : NULL;

        if (block && block->other == *at) {
                if (++l->i < json_array_size(l->list)) {
                        r->dot = json_array_get(l->list, l->i);
                        *at = l->node + 1;
                        return;
                }
                r->dot = l->dot;
                r->depth--;
                *at = block->end + 1;
                return;
        }
        if (r->t->nodes.v[*at].kind == END) {
                ++*at;
                return;
        }
        /* the ELSE of an IF whose first part ran: behind its END */
        for (size_t i = 0; i < *at; i++)
                if (r->t->nodes.v[i].kind == IF && r->t->nodes.v[i].other == *at) {
                        *at = r->t->nodes.v[i].end + 1;
                        return;
                }
        ++*at;
}

sw_err *
template_run(const template *t, const sw_json *dot, sw_buf *out)
{
        struct run r = { .t = t, .out = out, .dot = dot };
        size_t at = 0;

        while (at < t->nodes.n) {
                const struct node *n = &t->nodes.v[at];
                sw_err *err = SW_OK;

                if (out->len > OUTPUT_MAX)
                        return sw_err_new(SW_E_LIMIT, "--format makes more than 256 MiB");
                if (n->kind == TEXT)
                        sw_buf_adds(out, t->nodes.v[at++].text);
                else if (n->kind == PRINT)
                        err = print_node(&r, &t->nodes.v[at++]);
                else if (n->kind == RANGE || n->kind == IF)
                        err = enter(&r, &at);
                else
                        leave(&r, &at);
                if (err)
                        return err;
        }
        return SW_OK;
}
