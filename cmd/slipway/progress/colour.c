/*
 * cmd/slipway/progress/colour.c - see colour.h. Thread: main.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <slipway/array.h>
#include <slipway/text.h>

#include "cmd/slipway/progress/colour.h"

static const struct {
        const char *name;
        int code;
} names[] = {
        { "default", 39 },      { "black", 30 },       { "red", 31 },
        { "green", 32 },        { "yellow", 33 },      { "blue", 34 },
        { "magenta", 35 },      { "cyan", 36 },        { "white", 37 },
        { "light-black", 90 },  { "light-red", 91 },   { "light-green", 92 },
        { "light-yellow", 93 }, { "light-blue", 94 },  { "light-magenta", 95 },
        { "light-cyan", 96 },   { "light-white", 97 },
};

/* "R,G,B", each 0 to 255. */
static bool
parse_rgb(const char *s, char out[32])
{
        sw_auto(sw_strlist) parts = { 0 };
        int64_t v[3];

        sw_strlist_split(&parts, s, ',');
        if (parts.n != 3)
                return false;
        for (size_t i = 0; i < 3; i++) {
                sw_err *err = sw_parse_int(parts.v[i], 0, 255, &v[i]);
                bool bad = err != SW_OK;

                sw_err_drop(err, "what is no colour is left out");
                if (bad)
                        return false;
        }
        (void) snprintf(out, 32, "\033[38;2;%d;%d;%dm", (int) v[0], (int) v[1], (int) v[2]);
        return true;
}

static bool
parse_colour(const char *s, char out[32])
{
        for (size_t i = 0; i < SW_COUNT(names); i++)
                if (strcasecmp(s, names[i].name) == 0) {
                        (void) snprintf(out, 32, "\033[%dm", names[i].code);
                        return true;
                }
        return parse_rgb(s, out);
}

static void
set(struct colours *c, const char *key, const char *value)
{
        static const char *const keys[] = { "run", "cancel", "error", "warning" };
        const char **const places[] = { &c->done, &c->cancel, &c->error, &c->warning };

        for (size_t i = 0; i < SW_COUNT(keys); i++)
                if (strcasecmp(key, keys[i]) == 0 && parse_colour(value, c->store[i]))
                        *places[i] = c->store[i];
}

void
colours_init(struct colours *c)
{
        const char *wanted = getenv("BUILDKIT_COLORS");
        sw_auto(sw_strlist) parts = { 0 };

        *c = (struct colours){ .done = NULL };
        c->done = "\033[34m";
        c->cancel = c->warning = "\033[33m";
        c->error = "\033[31m";
        c->log = "\033[2m";
        sw_strlist_split(&parts, wanted ? wanted : "", ':');
        for (size_t i = 0; i < parts.n; i++) {
                char *eq = strchr(parts.v[i], '=');

                if (!eq)
                        continue;
                *eq = '\0';
                set(c, parts.v[i], eq + 1);
        }
}
