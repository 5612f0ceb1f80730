/*
 * lib/registry/challenge.c - the WWW-Authenticate header.
 *
 *      challenges = challenge *( "," challenge )
 *      challenge  = scheme [ 1*SP ( token68 / [ param *( "," param ) ] ) ]
 *      param      = token "=" ( token / quoted-string )      with blanks around "="
 *
 * A comma may begin a parameter or a challenge: it is a parameter when a "=" follows the
 * name. Empty elements of the list are let be, as the grammar of lists wants it.
 */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "lib/registry/parse.h"

enum { MAX_LEN = 16 * 1024, MAX_CHALLENGES = 16, MAX_PARAMS = 32 };

void
sw__challenges_release(sw__challenges *c)
{
        for (size_t i = 0; i < c->n; i++) {
                struct sw__challenge *one = &c->v[i];

                for (size_t k = 0; k < one->params.n; k++) {
                        free(one->params.v[k].name);
                        free(one->params.v[k].value);
                }
                sw_array_release(&one->params);
                free(one->scheme);
                free(one->token68);
        }
        sw_array_release(c);
}

static bool
is_token(char c)
{
        return isalnum((unsigned char) c) || (c && strchr("!#$%&'*+-.^_`|~", c));
}

static const char *
skip_blanks(const char *p)
{
        return p + strspn(p, " \t");
}

static sw_err *
wrong(const char *start, const char *p, const char *what)
{
        return sw_err_new(SW_E_INVALID, "WWW-Authenticate header: %s at byte %td", what,
                          p - start);
}

static char *
take_token(const char **p, bool lower)
{
        const char *s = *p;

        while (is_token(**p))
                (*p)++;
        char *out = *p > s ? sw_strndup(s, (size_t) (*p - s)) : NULL;
        for (char *c = out; lower && c && *c; c++)
                *c = (char) tolower((unsigned char) *c);
        return out;
}

/* A quoted string at *@p; NULL: it does not end, or has control characters. */
static char *
take_quoted(const char **p)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;
        const char *s = *p + 1;

        for (; *s != '"'; s++) {
                if (*s == '\\')
                        s++;
                if ((unsigned char) *s < 0x20 && *s != '\t')
                        return NULL;
                if (*s == 0x7f)
                        return NULL;
                sw_buf_addc(&b, *s);
        }
        *p = s + 1;
        return sw_buf_detach(&b);
}

/* Where the "=" of a parameter stands that begins at @p, or NULL: it is none. */
static const char *
param_sign(const char *p)
{
        const char *s = p;

        while (is_token(*s))
                s++;
        if (s == p)
                return NULL;
        s = skip_blanks(s);
        return *s == '=' ? s : NULL;
}

static sw_err *
take_param(const char *start, const char **p, struct sw__challenge *c)
{
        sw_auto(sw_str) name = take_token(p, true);
        sw_auto(sw_str) value = NULL;

        *p = skip_blanks(*p) + 1; /* behind the sign, which the caller saw */
        *p = skip_blanks(*p);
        value = **p == '"' ? take_quoted(p) : take_token(p, false);
        if (!value)
                return wrong(start, *p, "a value is missing or does not end");
        if (sw__challenge_param(c, name))
                return wrong(start, *p, "a parameter is given twice");
        if (c->params.n >= MAX_PARAMS)
                return sw_err_new(SW_E_LIMIT,
                                  "WWW-Authenticate header: too many parameters");
        sw_array_push(&c->params, ((struct sw__challenge_param){ name, value }));
        name = value = NULL;
        return SW_OK;
}

/* "abc==" right behind the scheme, up to the end of the challenge. */
static char *
take_token68(const char **p)
{
        const char *s = *p;

        while (isalnum((unsigned char) *s) || (*s && strchr("-._~+/", *s)))
                s++;
        if (s == *p)
                return NULL;
        while (*s == '=')
                s++;
        const char *end = skip_blanks(s);
        if (*end && *end != ',')
                return NULL;
        char *out = sw_strndup(*p, (size_t) (s - *p));
        *p = end;
        return out;
}

/* The parameters behind a scheme, to the next challenge or the end. */
static sw_err *
take_params(const char *start, const char **p, struct sw__challenge *c)
{
        bool first = true;

        for (;; first = false) {
                const char *s = skip_blanks(*p);

                if (!first) {
                        if (*s && *s != ',')
                                return wrong(start, s, "a comma is missing");
                        while (*s == ',')
                                s = skip_blanks(s + 1);
                }
                if (!param_sign(s)) {
                        *p = s;
                        return SW_OK;
                }
                *p = s;
                sw_err *err = take_param(start, p, c);
                if (err)
                        return err;
        }
}

static sw_err *
take_challenge(const char *start, const char **p, struct sw__challenge *c)
{
        c->scheme = take_token(p, true);
        if (!c->scheme)
                return wrong(start, *p, "a scheme is missing");
        if (**p && **p != ' ' && **p != '\t' && **p != ',')
                return wrong(start, *p, "an unexpected character");
        *p = skip_blanks(*p);
        if (**p == ',' || !**p)
                return SW_OK;
        c->token68 = take_token68(p);
        if (c->token68)
                return SW_OK;
        if (!param_sign(*p))
                return wrong(start, *p, "a parameter is missing");
        return take_params(start, p, c);
}

sw_err *
sw__challenge_parse(const char *s, sw__challenges *out)
{
        const char *p = s;

        if (strlen(s) > MAX_LEN)
                return sw_err_new(SW_E_LIMIT, "WWW-Authenticate header: over %d bytes",
                                  MAX_LEN);
        for (;;) {
                while (*p == ',' || *p == ' ' || *p == '\t')
                        p++;
                if (!*p)
                        return SW_OK;
                if (out->n >= MAX_CHALLENGES)
                        return sw_err_new(SW_E_LIMIT,
                                          "WWW-Authenticate header: too many challenges");
                sw_array_push(out, ((struct sw__challenge){ 0 }));
                sw_err *err = take_challenge(s, &p, &out->v[out->n - 1]);
                if (err)
                        return err;
        }
}

const struct sw__challenge *
sw__challenge_find(const sw__challenges *c, const char *scheme)
{
        for (size_t i = 0; i < c->n; i++) {
                if (c->v[i].scheme && strcmp(c->v[i].scheme, scheme) == 0)
                        return &c->v[i];
        }
        return NULL;
}

const char *
sw__challenge_param(const struct sw__challenge *c, const char *name)
{
        for (size_t i = 0; i < c->params.n; i++) {
                if (strcmp(c->params.v[i].name, name) == 0)
                        return c->params.v[i].value;
        }
        return NULL;
}
