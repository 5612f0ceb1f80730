/*
 * plugins/frontend-dockerfile/syntax.c - "# syntax=NAME" asks for another frontend, an
 * image that the plugin gateway.v0 would run. Those that name the official one at a version
 * that is covered here are answered here: it is what they would do.
 */
#include <string.h>

#include <slipway/imagename.h>
#include <slipway/text.h>

#include "plugins/frontend-dockerfile/dockerfile.h"

enum { MINOR_MAX = 24 }; /* of docker/dockerfile:1.N */

/* A dot and a number of at most three digits, no larger than @max; *p is put behind them.
 */
static bool
take_number(const char **p, unsigned max)
{
        const char *s = *p;
        unsigned n = 0;

        if (*s++ != '.')
                return false;
        for (*p = s; s - *p < 3 && *s >= '0' && *s <= '9'; s++)
                n = n * 10 + (unsigned) (*s - '0');
        if (s == *p || n > max)
                return false;
        *p = s;
        return true;
}

/* "labs", "1-labs", "1.7", "1.7.1", "latest", "master". */
static bool
covered(const char *tag, bool *labs)
{
        sw_auto(sw_str) version = sw_strdup(tag);
        char *dash = strchr(version, '-');
        const char *rest = version;

        *labs = strcmp(tag, "labs") == 0 || sw_str_has_suffix(tag, "-labs") ||
                strcmp(tag, "experimental") == 0;
        if (*labs && !dash)
                return true;
        if (dash) {
                if (!*labs && strcmp(dash, "-experimental") != 0)
                        return false;
                *dash = '\0';
        }
        if (strcmp(version, "latest") == 0 || strcmp(version, "master") == 0 ||
            strcmp(version, "1") == 0)
                return true;
        if (*rest++ != '1' || !take_number(&rest, MINOR_MAX))
                return false;
        return !*rest || (take_number(&rest, 999) && !*rest);
}

static bool
is_official(const char *source, bool *labs)
{
        sw_auto(sw_image_name) name = { .host = NULL };
        sw_err *err = sw_image_name_parse(source, &name);

        *labs = false;
        if (err) {
                sw_err_drop(err, "no name of ours");
                return false;
        }
        if (strcmp(name.host, "docker.io") != 0 ||
            (strcmp(name.repo, "docker/dockerfile") != 0 &&
             strcmp(name.repo, "docker/dockerfile-upstream") != 0))
                return false;
        if (!name.tag && name.has_digest)
                return false; /* of an unknown version */
        return covered(name.tag ?: "latest", labs);
}

static sw_err *
refuse(const char *source, bool switched_off)
{
        return sw_df_err(SW_E_UNSUPPORTED,
                         "the Dockerfile asks for the frontend %s, an image that the "
                         "frontend plugin gateway.v0 would run, which is not installed "
                         "(package slipway-frontend-gateway); to go on without it, %s",
                         source,
                         switched_off ? "let the option \"official\" of the plugin "
                                        "frontend/dockerfile be true"
                                      : "take the syntax line out, or let it name "
                                        "docker/dockerfile:1, which is built in");
}

typedef struct sw_df_syntax sw_df_syntax;
SW_DEFINE_AUTO(sw_df_syntax, sw_df_syntax_release)

sw_err *
syntax_check(const struct dockerfile *self, const sw_df_client *c, struct syntax *out)
{
        const char *given = sw_df_config_get(c->config, "build-arg:BUILDKIT_SYNTAX");
        sw_auto(sw_df_syntax) found = { .value = NULL };
        sw_auto(sw_str) first = NULL;
        const struct sw_df_range at = { 0, 0 };
        const char *source;
        bool official;
        sw_err *err;

        *out = (struct syntax){ .devices = false };
        if (sw_df_config_get(c->config, "cmdline"))
                return SW_OK;
        sw_df_syntax_find(&c->text, &found);
        if (given) {
                given += strspn(given, " \t");
                first = sw_strndup(given, strcspn(given, " \t"));
        }
        source = first ?: found.source;
        if (!source || !*source)
                return SW_OK;
        official = is_official(source, &out->devices);
        if (official && self->official)
                return SW_OK;
        err = refuse(source, official);
        if (first)
                return sw_df_wrap(err, "failed with build-arg:BUILDKIT_SYNTAX = %s", given);
        return sw_df_blame(err, &c->text,
                           found.line ? (struct sw_df_range){ found.line, found.line }
                                      : at);
}
