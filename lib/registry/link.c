/*
 * lib/registry/link.c - the Link header: where the next page is.
 *
 *      links = link *( "," link )       link = "<" target ">" *( ";" name [ "=" value ] )
 */
#include <string.h>
#include <strings.h>

#include "lib/registry/parse.h"

enum { MAX_LEN = 16 * 1024 };

static const char *
skip_blanks(const char *p)
{
        return p + strspn(p, " \t");
}

/* Past a value at @p, quoted or not; *@n bytes of it are at *@at. NULL: it does not end. */
static const char *
skip_value(const char *p, const char **at, size_t *n)
{
        if (*p != '"') {
                *at = p;
                *n = strcspn(p, " \t;,\"");
                return p + *n;
        }
        *at = ++p;
        for (; *p != '"'; p++) {
                if (*p == '\\' && p[1])
                        p++;
                if (!*p)
                        return NULL;
        }
        *n = (size_t) (p - *at);
        return p + 1;
}

/* Whether "next" is one of the words of a rel. */
static bool
has_next(const char *s, size_t n)
{
        while (n > 0) {
                size_t word = 0;

                while (word < n && s[word] != ' ')
                        word++;
                if (word == 4 && strncasecmp(s, "next", 4) == 0)
                        return true;
                s += word;
                n -= word;
                while (n > 0 && *s == ' ') {
                        s++;
                        n--;
                }
        }
        return false;
}

/* Past the parameters of a link; @next: whether they say it is the next one. */
static const char *
skip_params(const char *p, bool *next)
{
        const char *value = "";
        bool seen = false; /* only the first rel counts */
        size_t n = 0;

        for (p = skip_blanks(p); *p == ';'; p = skip_blanks(p)) {
                p = skip_blanks(p + 1);
                const char *name = p;
                p += strcspn(p, " \t=;,");
                bool rel = p - name == 3 && strncasecmp(name, "rel", 3) == 0;
                p = skip_blanks(p);
                if (*p != '=')
                        continue;
                p = skip_value(skip_blanks(p + 1), &value, &n);
                if (!p)
                        return NULL;
                if (rel && !seen)
                        *next = has_next(value, n);
                seen = seen || rel;
        }
        return p;
}

sw_err *
sw__link_next(const char *s, char **out)
{
        const char *p = s;

        if (strlen(s) > MAX_LEN)
                return sw_err_new(SW_E_LIMIT, "Link header: over %d bytes", MAX_LEN);
        for (;;) {
                bool next = false;

                while (*p == ',' || *p == ' ' || *p == '\t')
                        p++;
                if (!*p)
                        break;
                if (*p != '<')
                        return sw_err_new(SW_E_INVALID, "Link header: no \"<\" at byte %td",
                                          p - s);
                const char *target = p + 1;
                size_t n = strcspn(target, ">");
                if (!target[n])
                        return sw_err_new(SW_E_INVALID, "Link header: a target has no end");
                p = skip_params(target + n + 1, &next);
                if (!p || (*p && *p != ','))
                        return sw_err_new(SW_E_INVALID, "Link header: a wrong parameter");
                if (next) {
                        *out = sw_strndup(target, n);
                        return SW_OK;
                }
        }
        *out = NULL;
        return SW_OK;
}
