/*
 * cmd/slipway/cli_man.c - man pages in mdoc, from the tables of cli.h.
 *
 * Free text is only ever written on lines of its own, never as an argument of a macro, so
 * that no word of it can be taken for one. Thread: main; runs while slipway is built.
 */
#include <ctype.h>
#include <string.h>
#include <time.h>

#include <slipway/text.h>
#include <slipway/time.h>

#include "cmd/slipway/cli.h"

/* One character of text; @start: at the start of a line of the page. */
static void
add_char(sw_buf *out, char c, bool start, bool literal)
{
        switch (c) {
        case '\\': sw_buf_adds(out, "\\e"); break;
        case '-': sw_buf_adds(out, "\\-"); break;
        case '`': sw_buf_adds(out, "\\(ga"); break;
        case '^': sw_buf_adds(out, "\\(ha"); break;
        case '~': sw_buf_adds(out, "\\(ti"); break;
        case '\'': sw_buf_adds(out, literal || start ? "\\(aq" : "'"); break;
        case '.': sw_buf_adds(out, start ? "\\&." : "."); break;
        default: sw_buf_addc(out, c); break;
        }
}

/* A word of prose; a hyphen between letters may break, dashes of flags may not. */
static void
add_word(sw_buf *out, const char *s, size_t n, bool start)
{
        for (size_t i = 0; i < n; i++) {
                bool hyphen = s[i] == '-' && i > 0 && i + 1 < n && s[0] != '-' &&
                              isalpha((unsigned char) s[i - 1]) &&
                              isalpha((unsigned char) s[i + 1]);
                if (hyphen)
                        sw_buf_addc(out, '-');
                else
                        add_char(out, s[i], start && i == 0, false);
        }
}

/* Words of one paragraph; a new sentence begins a new line, as mdoc wants it. */
static void
add_prose(sw_buf *out, const char *s, const char *end)
{
        bool start = true;

        for (s += strspn(s, " \n"); s < end; s += strspn(s, " \n")) {
                size_t n = strcspn(s, " \n");
                if (!start)
                        sw_buf_addc(out, ' ');
                add_word(out, s, n, start);
                start = s[n - 1] == '.' && s + n < end;
                if (start)
                        sw_buf_addc(out, '\n');
                s += n;
        }
        sw_buf_addc(out, '\n');
}

static void
add_literal_line(sw_buf *out, const char *s, const char *end)
{
        bool start = true;

        for (; s < end; s++) {
                add_char(out, *s, start, true);
                start = false;
        }
        sw_buf_addc(out, '\n');
}

/* Paragraphs as in cli_verb.details. */
static void
add_text(sw_buf *out, const char *text)
{
        bool display = false, first = true;

        while (*text) {
                const char *end = strchrnul(text, '\n');
                bool literal = *text == ' ';
                if (display && !literal)
                        sw_buf_adds(out, ".Ed\n");
                if (!display && literal)
                        sw_buf_adds(out, ".Bd -literal -offset indent\n");
                display = literal;
                while (!literal && end > text && *end && end[1] && end[1] != '\n' &&
                       end[1] != ' ')
                        end = strchrnul(end + 1, '\n');
                if (literal) {
                        size_t indent = strspn(text, " ");
                        add_literal_line(out, text + (indent > 4 ? 4 : indent), end);
                } else if (end > text) {
                        if (!first)
                                sw_buf_adds(out, ".Pp\n");
                        add_prose(out, text, end);
                        first = false;
                }
                text = *end ? end + 1 : end;
        }
        if (display)
                sw_buf_adds(out, ".Ed\n");
}

/* Help of one line, as a sentence. */
static void
add_sentence(sw_buf *out, const char *s)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;

        sw_buf_addf(&b, "%c%s.", toupper((unsigned char) *s), s + 1);
        add_prose(out, b.data, b.data + b.len);
}

/* A placeholder or word of ours as an argument of a macro. */
static void
add_macro_word(sw_buf *out, const char *s)
{
        sw_buf_adds(out, "\\&");
        for (; *s; s++)
                add_char(out, *s, false, true);
}

static void
add_flag(sw_buf *out, const struct cli_flag *f)
{
        sw_buf_adds(out, ".It ");
        if (f->letter)
                sw_buf_addf(out, "Fl %c , ", f->letter);
        sw_buf_adds(out, "Fl ");
        sw_buf_addc(out, '-');
        for (const char *s = f->name; *s; s++)
                add_char(out, *s, false, true);
        if (f->value) {
                sw_buf_adds(out, " Ar ");
                add_macro_word(out, f->value);
        }
        sw_buf_addc(out, '\n');
        add_sentence(out, f->help);
        if (f->type == CLI_LIST)
                sw_buf_adds(out, "May be given several times.\n");
}

static void
add_flags(sw_buf *out, const struct cli_flag *flags)
{
        if (!flags || !flags->name)
                return;
        sw_buf_adds(out, ".Bl -tag -width Ds\n");
        for (const struct cli_flag *f = flags; f->name; f++)
                add_flag(out, f);
        sw_buf_adds(out, ".El\n");
}

static void
add_args(sw_buf *out, const struct cli_arg *args)
{
        if (!args || !args->name)
                return;
        sw_buf_adds(out, ".Bl -tag -width Ds\n");
        for (const struct cli_arg *a = args; a->name; a++) {
                sw_buf_adds(out, ".It Ar ");
                add_macro_word(out, a->name);
                sw_buf_addc(out, '\n');
                add_sentence(out, a->help);
        }
        sw_buf_adds(out, ".El\n");
}

static void
add_synopsis(sw_buf *out, const struct cli_program *p, const struct cli_verb *v)
{
        sw_buf_addf(out, ".Nm %s %s\n", p->name, v->name);
        for (const struct cli_flag *f = v->flags; f && f->name; f++) {
                sw_buf_addf(out, ".Op Fl -%s", f->name);
                if (f->value) {
                        sw_buf_adds(out, " Ar ");
                        add_macro_word(out, f->value);
                }
                sw_buf_addc(out, '\n');
        }
        for (const struct cli_arg *a = v->args; a && a->name; a++) {
                sw_buf_adds(out, a->min ? ".Ar " : ".Op Ar ");
                add_macro_word(out, a->name);
                sw_buf_adds(out, a->max > 1 ? " ...\n" : "\n");
        }
}

static void
add_header(sw_buf *out, const char *page, const char *summary, int64_t date)
{
        time_t t = (time_t) (date / SW_NS_PER_SEC);
        static const char *const months[] = { "January", "February", "March",
                                              "April",   "May",      "June",
                                              "July",    "August",   "September",
                                              "October", "November", "December" };
        struct tm tm = { .tm_year = 70, .tm_mday = 1 };

        (void) gmtime_r(&t, &tm);
        sw_buf_addf(out, ".Dd %s %d, %d\n.Dt ", months[tm.tm_mon], tm.tm_mday,
                    1900 + tm.tm_year);
        for (const char *s = page; *s; s++)
                sw_buf_addc(out, (char) toupper((unsigned char) *s));
        sw_buf_addf(out, " 1\n.Os slipway %s\n.Sh NAME\n.Nm %s\n.Nd ", sw_version(), page);
        add_macro_word(out, summary);
        sw_buf_addc(out, '\n');
}

static void
add_exit_status(sw_buf *out)
{
        sw_buf_adds(out, ".Sh EXIT STATUS\n"
                         ".Bl -tag -width Ds\n"
                         ".It 0\n"
                         "Everything asked for was done.\n"
                         ".It 1\n"
                         "Something failed while it was done; one line on standard error "
                         "says what.\n"
                         ".It 2\n"
                         "The command line or the configuration is wrong; nothing was "
                         "done.\n"
                         ".It 3\n"
                         "What was built could not be pushed.\n"
                         ".El\n");
}

/* Whether @v is @top or lies below it. */
static bool
is_within(const struct cli_verb *v, const struct cli_verb *top)
{
        size_t n = strlen(top->name);

        return strncmp(v->name, top->name, n) == 0 &&
               (v->name[n] == '\0' || v->name[n] == ' ');
}

/* See also: every other page, in order, with commas between. @self: name of the verb whose
 * page this is, "" for the program's own. */
static void
add_see_also(sw_buf *out, const struct cli_program *p, const char *self)
{
        bool first = true;

        sw_buf_adds(out, ".Sh SEE ALSO\n");
        if (*self) {
                sw_buf_addf(out, ".Xr %s 1", p->name);
                first = false;
        }
        for (size_t i = 0; i < p->n_verbs; i++) {
                const struct cli_verb *v = p->verbs[i];
                if (v->hidden || strcmp(v->name, self) == 0 || !cli_is_below(v, ""))
                        continue;
                sw_buf_addf(out, "%s.Xr %s-%s 1", first ? "" : " ,\n", p->name, v->name);
                first = false;
        }
        sw_buf_addc(out, '\n');
}

static void
add_program_page(sw_buf *out, const struct cli_program *p, int64_t date)
{
        add_header(out, p->name, p->summary, date);
        sw_buf_addf(out,
                    ".Sh SYNOPSIS\n.Nm\n.Op Ar flags\n.Ar command\n.Op Ar argument ...\n"
                    ".Sh DESCRIPTION\n");
        add_text(out, p->details);
        sw_buf_adds(out, ".Sh COMMANDS\n.Bl -tag -width Ds\n");
        for (size_t i = 0; i < p->n_verbs; i++) {
                const struct cli_verb *v = p->verbs[i];
                if (v->hidden || !cli_is_below(v, ""))
                        continue;
                sw_buf_addf(out, ".It Cm %s\n", v->name);
                add_sentence(out, v->summary);
                sw_buf_addf(out, "See\n.Xr %s-%s 1 .\n", p->name, v->name);
        }
        sw_buf_adds(out, ".El\n.Sh FLAGS OF EVERY COMMAND\n");
        add_flags(out, p->flags);
        sw_buf_adds(out, ".Sh ENVIRONMENT\n.Bl -tag -width Ds\n");
        for (const struct cli_env *e = p->env; e && e->name; e++) {
                sw_buf_addf(out, ".It Ev %s\n", e->name);
                add_sentence(out, e->help);
        }
        sw_buf_adds(out, ".El\n");
        add_exit_status(out);
        add_see_also(out, p, "");
}

static void
add_verb_section(sw_buf *out, const struct cli_program *p, const struct cli_verb *v)
{
        sw_buf_addf(out, ".Ss %s %s\n", p->name, v->name);
        add_sentence(out, v->summary);
        if (v->details) {
                sw_buf_adds(out, ".Pp\n");
                add_text(out, v->details);
        }
        add_args(out, v->args);
        add_flags(out, v->flags);
}

static void
add_verb_page(sw_buf *out, const struct cli_program *p, const struct cli_verb *top,
              int64_t date)
{
        sw_auto(sw_str) page = sw_asprintf("%s-%s", p->name, top->name);

        add_header(out, page, top->summary, date);
        sw_buf_adds(out, ".Sh SYNOPSIS\n");
        for (size_t i = 0; i < p->n_verbs; i++)
                if (is_within(p->verbs[i], top) && p->verbs[i]->run && !p->verbs[i]->hidden)
                        add_synopsis(out, p, p->verbs[i]);
        sw_buf_adds(out, ".Sh DESCRIPTION\n");
        for (size_t i = 0; i < p->n_verbs; i++)
                if (is_within(p->verbs[i], top) && !p->verbs[i]->hidden)
                        add_verb_section(out, p, p->verbs[i]);
        sw_buf_addf(out,
                    ".Pp\nThe flags and environment variables of every command are in\n"
                    ".Xr %s 1 .\n",
                    p->name);
        add_exit_status(out);
        add_see_also(out, p, top->name);
}

sw_err *
cli_add_man(sw_buf *out, const struct cli_program *p, const char *page, int64_t date)
{
        size_t n = strlen(p->name);

        if (strcmp(page, p->name) == 0) {
                add_program_page(out, p, date);
                return SW_OK;
        }
        const struct cli_verb *v = NULL;
        if (strncmp(page, p->name, n) == 0 && page[n] == '-')
                v = cli_find_verb(p, page + n + 1);
        if (!v || v->hidden || strchr(v->name, ' '))
                return sw_err_new(SW_E_NOT_FOUND, "there is no man page %s", page);
        add_verb_page(out, p, v, date);
        return SW_OK;
}
