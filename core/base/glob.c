/*
 * core/base/glob.c - Go's path.Match, quirk for quirk.
 *
 * A pattern is cut into chunks, each with or without a star before it. A chunk has no star
 * in it, so it matches at a place or it does not; the star before it gives the leftmost
 * place at which it does, and that choice is never taken back. So time is pattern times
 * path at most. (Taking it back could only matter where a class matches a '/', and there
 * Go does not either.)
 * Thread: any.
 */
#include <string.h>

#include <slipway/pattern.h>
#include <slipway/text.h>

#include "core/base/pattern.h"
#include "core/base/utf8.h"

/* The character at @s, as Go decodes it: a byte that is none counts as U+FFFD. */
uint32_t
sw__rune(const char *s, size_t n, size_t *len)
{
        uint32_t c;
        size_t l = sw__utf8_decode(s, n, &c);

        *len = l ? l : 1;
        return l ? c : SW__RUNE_BAD;
}

/* One bound of a range in a class; false: the class is malformed. */
static bool
class_char(const char **p, const char *end, uint32_t *out)
{
        size_t len;

        if (*p == end || **p == '-' || **p == ']')
                return false;
        if (**p == '\\' && ++*p == end)
                return false;
        *out = sw__rune(*p, (size_t) (end - *p), &len);
        if (*out == SW__RUNE_BAD && len == 1)
                return false;
        *p += len;
        return *p != end; /* the class has yet to be closed */
}

bool
sw__class_next(const char **p, const char *end, struct sw__range *out)
{
        if (!class_char(p, end, &out->lo))
                return false;
        out->hi = out->lo;
        if (**p != '-')
                return true;
        ++*p;
        return class_char(p, end, &out->hi);
}

/* What is left to match, and of what. */
struct chunk {
        const char *p, *end; /* pattern */
        const char *s, *s_end;
        bool failed; /* no match; the rest is looked at for its syntax alone */
};

/* A class, its '[' gone; false: malformed. */
static bool
match_class(struct chunk *c)
{
        uint32_t ch = 0;
        bool negated = c->p < c->end && *c->p == '^', match = false;
        size_t len, n = 0;
        struct sw__range r;

        if (!c->failed) {
                ch = sw__rune(c->s, (size_t) (c->s_end - c->s), &len);
                c->s += len;
        }
        c->p += negated;
        while (n == 0 || c->p == c->end || *c->p != ']') {
                if (!sw__class_next(&c->p, c->end, &r))
                        return false;
                match = match || (r.lo <= ch && ch <= r.hi);
                n++;
        }
        c->p++;
        if (match == negated)
                c->failed = true;
        return true;
}

static void
match_any(struct chunk *c)
{
        size_t len;

        c->p++;
        if (c->failed)
                return;
        if (*c->s == '/')
                c->failed = true;
        (void) sw__rune(c->s, (size_t) (c->s_end - c->s), &len);
        c->s += len;
}

/* Match all of a chunk at the beginning of s; false: malformed. */
static bool
match_chunk(struct chunk *c)
{
        while (c->p < c->end) {
                if (c->s == c->s_end)
                        c->failed = true;
                if (*c->p == '[') {
                        c->p++;
                        if (!match_class(c))
                                return false;
                        continue;
                }
                if (*c->p == '?') {
                        match_any(c);
                        continue;
                }
                if (*c->p == '\\' && ++c->p == c->end)
                        return false;
                if (!c->failed && *c->p != *c->s++)
                        c->failed = true;
                c->p++;
        }
        return true;
}

/* Where the chunk at @p ends: at a star outside of classes. */
static const char *
chunk_end(const char *p)
{
        bool in_class = false;

        for (; *p; p++) {
                if (*p == '\\' && p[1])
                        p++;
                else if (*p == '[')
                        in_class = true;
                else if (*p == ']')
                        in_class = false;
                else if (*p == '*' && !in_class)
                        break;
        }
        return p;
}

/* The chunk [p, end) at @s; on a match *rest is what comes after. */
static bool
chunk_matches(const char *p, const char *end, const char *s, const char **rest)
{
        struct chunk c = { p, end, s, s + strlen(s), false };

        if (!match_chunk(&c) || c.failed)
                return false;
        *rest = c.s;
        return true;
}

/* The chunk after a star, or without one: at which place? */
static bool
place_chunk(const char *p, const char *end, bool star, const char **s)
{
        const char *rest;
        bool last = *end == '\0';

        if (chunk_matches(p, end, *s, &rest) && (*rest == '\0' || !last)) {
                *s = rest;
                return true;
        }
        for (const char *at = *s; star && *at && *at != '/'; at++) {
                if (!chunk_matches(p, end, at + 1, &rest) || (last && *rest))
                        continue;
                *s = rest;
                return true;
        }
        return false;
}

/* Whether every chunk is well formed. */
static bool
well_formed(const char *pattern)
{
        for (const char *p = pattern; *p;) {
                while (*p == '*')
                        p++;
                const char *end = chunk_end(p);
                struct chunk c = { p, end, "", NULL, true };

                c.s_end = c.s;
                if (!match_chunk(&c))
                        return false;
                p = end;
        }
        return true;
}

bool
sw_glob_match(const char *pattern, const char *path)
{
        const char *p = pattern, *s = path;

        if (!well_formed(pattern))
                return false;
        while (*p) {
                bool star = false;

                for (; *p == '*'; p++)
                        star = true;
                const char *end = chunk_end(p);
                if (star && p == end) /* a star at the end takes the rest of the name */
                        return strchr(s, '/') == NULL;
                if (!place_chunk(p, end, star, &s))
                        return false;
                p = end;
        }
        return *s == '\0';
}

sw_err *
sw_glob_check(const char *pattern)
{
        sw_auto(sw_buf) shown = SW_BUF_INIT;

        if (well_formed(pattern))
                return SW_OK;
        sw_buf_add_quoted(&shown, pattern, strlen(pattern), 200);
        return sw_err_new(SW_E_INVALID,
                          "syntax error in pattern %s: a class needs '[', characters or "
                          "ranges, ']'; a '\\' needs a character after it",
                          shown.data);
}
