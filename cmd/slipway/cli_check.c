/*
 * cmd/slipway/cli_check.c - are the tables of the command line consistent?
 *
 * Run by the unit test and by `slipway dump-docs`, so that a wrong table fails the build
 * and not the user. Thread: main.
 */
#include <ctype.h>
#include <string.h>

#include <slipway/error.h>

#include "cmd/slipway/cli.h"

/* A name that needs no quoting anywhere: shell, man page, message. */
static bool
plain_name(const char *s)
{
        if (!islower((unsigned char) *s))
                return false;
        for (; *s; s++)
                if (!islower((unsigned char) *s) && !isdigit((unsigned char) *s) &&
                    *s != '-')
                        return false;
        return true;
}

/* Placeholders may hold what a bash word and an mdoc argument can hold unquoted. */
static bool
plain_placeholder(const char *s)
{
        if (!*s)
                return false;
        for (; *s; s++)
                if (!isalnum((unsigned char) *s) && !strchr("-_=:/|.", *s))
                        return false;
        return true;
}

static sw_err *
check_flag(const char *where, const struct cli_flag *f)
{
        if (!plain_name(f->name))
                return sw_err_new(SW_E_INTERNAL, "%s: --%s: bad name", where, f->name);
        if (f->letter && !isalpha((unsigned char) f->letter))
                return sw_err_new(SW_E_INTERNAL, "%s: --%s: bad letter", where, f->name);
        if (!f->help || !*f->help || f->help[strlen(f->help) - 1] == '.')
                return sw_err_new(SW_E_INTERNAL, "%s: --%s: help is missing or ends in '.'",
                                  where, f->name);
        if (cli_takes_value(f) != (f->value != NULL))
                return sw_err_new(SW_E_INTERNAL, "%s: --%s: placeholder and type disagree",
                                  where, f->name);
        if (f->value && !plain_placeholder(f->value))
                return sw_err_new(SW_E_INTERNAL, "%s: --%s: bad placeholder", where,
                                  f->name);
        return SW_OK;
}

/* No name or letter twice in @flags, nor in both @flags and @others. */
static sw_err *
check_flags(const char *where, const struct cli_flag *flags, const struct cli_flag *others)
{
        for (const struct cli_flag *f = flags; f && f->name; f++) {
                sw_err *err = check_flag(where, f);
                if (err)
                        return err;
                const struct cli_flag *lists[] = { f + 1, others };
                for (size_t i = 0; i < SW_COUNT(lists); i++)
                        for (const struct cli_flag *g = lists[i]; g && g->name; g++)
                                if (strcmp(f->name, g->name) == 0 ||
                                    (f->letter && f->letter == g->letter))
                                        return sw_err_new(SW_E_INTERNAL,
                                                          "%s: --%s clashes with --%s",
                                                          where, f->name, g->name);
        }
        return SW_OK;
}

static sw_err *
check_args(const struct cli_verb *v)
{
        bool optional = false;

        for (const struct cli_arg *a = v->args; a && a->name; a++) {
                if (!plain_placeholder(a->name) || !a->help || !*a->help)
                        return sw_err_new(SW_E_INTERNAL, "%s: argument %s: name or help",
                                          v->name, a->name);
                if (a->max == 0 || a->min > a->max || (optional && a->min > 0))
                        return sw_err_new(SW_E_INTERNAL, "%s: argument %s: counts", v->name,
                                          a->name);
                if (a->max == CLI_MANY && a[1].name)
                        return sw_err_new(SW_E_INTERNAL, "%s: argument %s is not the last",
                                          v->name, a->name);
                optional = optional || a->min < a->max;
        }
        return SW_OK;
}

/* Every part of the name is plain, and what it lies below exists and groups verbs or
 * agrees on the type of flags of the same name. */
static sw_err *
check_parent(const struct cli_program *p, const struct cli_verb *v)
{
        if (!plain_name(cli_last_word(v)))
                return sw_err_new(SW_E_INTERNAL, "%s: bad name", v->name);
        const char *space = strrchr(v->name, ' ');
        if (!space)
                return SW_OK;

        sw_auto(sw_str) name = sw_strndup(v->name, (size_t) (space - v->name));
        const struct cli_verb *parent = cli_find_verb(p, name);
        if (!parent)
                return sw_err_new(SW_E_INTERNAL, "%s: nothing is called %s", v->name, name);
        for (const struct cli_arg *a = parent->args; a && a->name; a++)
                if (a->min > 0)
                        return sw_err_new(SW_E_INTERNAL,
                                          "%s: takes arguments and groups %s", name,
                                          v->name);
        for (const struct cli_flag *f = parent->flags; f && f->name; f++)
                for (const struct cli_flag *g = v->flags; g && g->name; g++)
                        if (strcmp(f->name, g->name) == 0 && f->type != g->type)
                                return sw_err_new(SW_E_INTERNAL,
                                                  "%s: --%s has another type in %s",
                                                  v->name, f->name, name);
        return SW_OK;
}

static sw_err *
check_verb(const struct cli_program *p, size_t i)
{
        const struct cli_verb *v = p->verbs[i];
        sw_err *err = check_parent(p, v);

        if (err)
                return err;
        if (!v->summary || !*v->summary || v->summary[strlen(v->summary) - 1] == '.')
                return sw_err_new(SW_E_INTERNAL, "%s: summary is missing or ends in '.'",
                                  v->name);
        for (size_t j = i + 1; j < p->n_verbs; j++)
                if (strcmp(p->verbs[j]->name, v->name) == 0)
                        return sw_err_new(SW_E_INTERNAL, "%s: there are two", v->name);
        err = check_flags(v->name, v->flags, p->flags);
        return err ? err : check_args(v);
}

sw_err *
cli_check_tables(const struct cli_program *p)
{
        sw_err *err = check_flags(p->name, p->flags, NULL);

        for (size_t i = 0; !err && i < p->n_verbs; i++)
                err = check_verb(p, i);
        return err;
}
