/*
 * cmd/slipway/cli_help.c - what --help prints, from the tables of cli.h. Thread: main.
 */
#include <ctype.h>
#include <string.h>

#include <slipway/text.h>

#include "cmd/slipway/cli.h"
#include "cmd/slipway/term.h"

/* Widest left column; a longer entry has its help on the next line. */
#define LEFT_MAX 28

static bool
has_verbs_below(const struct cli_program *p, const char *name)
{
        for (size_t i = 0; i < p->n_verbs; i++)
                if (cli_is_below(p->verbs[i], name) && !p->verbs[i]->hidden)
                        return true;
        return false;
}

static void
add_arg(sw_buf *out, const struct cli_arg *a)
{
        sw_buf_addf(out, a->min ? " %s" : " [%s", a->name);
        if (a->max > 1)
                sw_buf_adds(out, "...");
        if (!a->min)
                sw_buf_addc(out, ']');
}

void
cli_add_usage(sw_buf *out, const struct cli_program *p, const struct cli_verb *v)
{
        sw_buf_adds(out, p->name);
        if (v)
                sw_buf_addf(out, " %s", v->name);
        if (!v || !v->run) {
                sw_buf_adds(out, " [FLAGS] COMMAND");
                return;
        }
        sw_buf_adds(out, " [FLAGS]");
        for (const struct cli_arg *a = v->args; a && a->name; a++)
                add_arg(out, a);
}

/* One entry of two columns. */
static void
add_entry(sw_buf *out, const char *left, size_t leftcols, const char *help, size_t width)
{
        size_t indent = leftcols + 4;

        sw_buf_addf(out, "  %s", left);
        if (term_len(left) > leftcols) {
                sw_buf_addc(out, '\n');
                term_pad(out, indent);
        } else {
                term_pad(out, leftcols - term_len(left) + 2);
        }
        term_add_wrapped(out, help, indent, width);
}

/* Two-column lists are collected first, to know how wide the left column is. */
struct entries {
        sw_strlist left, help;
};

static void
entries_print(sw_buf *out, const char *title, struct entries *e, size_t width)
{
        size_t cols = 0;

        for (size_t i = 0; i < e->left.n; i++) {
                size_t n = term_len(e->left.v[i]);
                if (n > cols && n <= LEFT_MAX)
                        cols = n;
        }
        if (cols == 0) /* every one is longer */
                cols = LEFT_MAX;
        if (e->left.n > 0)
                sw_buf_addf(out, "\n%s:\n", title);
        for (size_t i = 0; i < e->left.n; i++)
                add_entry(out, e->left.v[i], cols, e->help.v[i], width);
        sw_strlist_release(&e->left);
        sw_strlist_release(&e->help);
}

static void
add_verbs(sw_buf *out, const struct cli_program *p, const char *parent, size_t width)
{
        struct entries e = { 0 };

        for (size_t i = 0; i < p->n_verbs; i++) {
                const struct cli_verb *v = p->verbs[i];
                if (v->hidden || !cli_is_below(v, parent))
                        continue;
                sw_strlist_add(&e.left, cli_last_word(v));
                sw_strlist_add(&e.help, v->summary);
        }
        entries_print(out, "Commands", &e, width);
}

static void
add_args(sw_buf *out, const struct cli_arg *args, size_t width)
{
        struct entries e = { 0 };

        for (const struct cli_arg *a = args; a && a->name; a++) {
                sw_strlist_add(&e.left, a->name);
                sw_strlist_add(&e.help, a->help);
        }
        entries_print(out, "Arguments", &e, width);
}

static void
add_flags(sw_buf *out, const char *title, const struct cli_flag *flags, size_t width)
{
        struct entries e = { 0 };

        for (const struct cli_flag *f = flags; f && f->name; f++) {
                sw_auto(sw_buf) left = SW_BUF_INIT;
                if (f->letter)
                        sw_buf_addf(&left, "-%c, ", f->letter);
                else
                        sw_buf_adds(&left, "    ");
                sw_buf_addf(&left, "--%s", f->name);
                if (f->value)
                        sw_buf_addf(&left, " %s", f->value);
                sw_strlist_add(&e.left, left.data);
                if (f->type == CLI_LIST)
                        sw_strlist_take(&e.help, sw_asprintf("%s (repeatable)", f->help));
                else
                        sw_strlist_add(&e.help, f->help);
        }
        entries_print(out, title, &e, width);
}

/* The summary as a sentence, then the details. */
static void
add_text(sw_buf *out, const char *summary, const char *details, size_t width)
{
        sw_auto(sw_buf) text = SW_BUF_INIT;

        sw_buf_addf(&text, "%c%s.\n", toupper((unsigned char) *summary), summary + 1);
        if (details)
                sw_buf_addf(&text, "\n%s", details);
        sw_buf_addc(out, '\n');
        term_add_wrapped(out, text.data, 0, width);
}

void
cli_add_help(sw_buf *out, const struct cli_program *p, const struct cli_verb *v,
             size_t width)
{
        const char *name = v ? v->name : "";
        bool groups = has_verbs_below(p, name);

        sw_buf_adds(out, "Usage: ");
        cli_add_usage(out, p, v);
        sw_buf_addc(out, '\n');
        if (v && v->run && groups)
                sw_buf_addf(out, "       %s %s COMMAND\n", p->name, v->name);
        add_text(out, v ? v->summary : p->summary, v ? v->details : p->details, width);
        add_verbs(out, p, name, width);
        if (v) {
                add_args(out, v->args, width);
                add_flags(out, "Flags", v->flags, width);
        }
        add_flags(out, v ? "Flags of every command" : "Flags", p->flags, width);
        if (groups)
                sw_buf_addf(out, "\n'%s %s%sCOMMAND --help' tells more about a command.\n",
                            p->name, name, *name ? " " : "");
}
