/*
 * cmd/slipway/environ.c - see environ.h.
 *
 * A misspelt variable changes nothing, and nothing else would show it. Only a warning: an
 * environment is shared, and others may give such names a meaning of their own.
 * Thread: main.
 */
#include "cmd/slipway/environ.h"

#include <string.h>

#include <slipway/text.h>

#include "cmd/slipway/term.h"

#define PREFIX "SLIPWAY_"

enum { PREFIX_LEN = sizeof(PREFIX) - 1 };

/* Those of our own tests. */
static const char *const others[] = { PREFIX "MODEL_" };

static bool
is_ours(const char *name)
{
        return strncmp(name, PREFIX, PREFIX_LEN) == 0;
}

static bool
is_known(const struct cli_program *p, const char *name)
{
        for (size_t i = 0; i < SW_COUNT(others); i++)
                if (sw_str_has_prefix(name, others[i]))
                        return true;
        for (const struct cli_env *e = p->env; e->name; e++)
                if (strcmp(e->name, name) == 0)
                        return true;
        return false;
}

/* The prefix is left out: with it, any two names would be near. */
static const char *
nearest(const struct cli_program *p, const char *name)
{
        SW_ARRAY(const char *) names = { 0 };

        for (const struct cli_env *e = p->env; e->name; e++)
                if (is_ours(e->name))
                        sw_array_push(&names, e->name + PREFIX_LEN);
        const char *near = sw_near(name + PREFIX_LEN, names.v, names.n);
        sw_array_release(&names);
        return near;
}

void
environ_add_unknown(sw_buf *out, const struct cli_program *p, const char *const *env)
{
        for (; *env; env++) {
                size_t len = strcspn(*env, "=");

                if (!is_ours(*env) || (*env)[len] == '\0' || (*env)[len + 1] == '\0')
                        continue;
                sw_auto(sw_str) name = sw_strndup(*env, len);
                if (is_known(p, name))
                        continue;
                const char *near = nearest(p, name);
                sw_buf_addf(out, "%s: warning: ", p->name);
                term_add_text(out, name);
                sw_buf_adds(out, " is set, but no variable of that name is known");
                if (near)
                        sw_buf_addf(out, "; did you mean %s%s?", PREFIX, near);
                sw_buf_addc(out, '\n');
        }
}
