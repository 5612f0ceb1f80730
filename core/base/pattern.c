/*
 * core/base/pattern.c - lists of patterns as in .dockerignore, and include and exclude
 * patterns of sources and copies: answers are those of moby's patternmatcher.
 *
 * Most patterns are plain names, "name/" + "**" or "**" + "/name", and are compared as
 * text; the others are automata (patternauto.c).
 *
 * A pattern that matched a directory matches everything in it; whether it did is in the
 * directory's state, a bit for each pattern. A pattern is not looked at when it could not
 * change the answer so far, and then counts as one that did not match: that shows in what
 * is below, and is kept as it is.
 * Thread: any; a list is read-only.
 */
#include <string.h>

#include <slipway/array.h>
#include <slipway/path.h>
#include <slipway/text.h>

#include "core/base/pattern.h"

#define MAX_PATTERN 4096 /* bytes: no path is longer */

enum how {
        EXACT,
        PREFIX, /* text is what a match begins with */
        SUFFIX, /* text is what a match ends with */
        AUTOMATON,
};

struct pattern {
        char *text;
        size_t len;
        enum how how;
        bool except;
        struct sw__automaton *automaton;
};

struct sw_patterns {
        SW_ARRAY(struct pattern) list;
        bool exceptions;
};

static void
pattern_release(struct pattern *p)
{
        free(p->text);
        sw__automaton_free(p->automaton);
}

void
sw_patterns_free(sw_patterns *p)
{
        if (!p)
                return;
        for (size_t i = 0; i < p->list.n; i++)
                pattern_release(&p->list.v[i]);
        sw_array_release(&p->list);
        free(p);
}

/* Bytes of white space at @s, 0 if there is none: ASCII, and the two of Latin-1. */
static size_t
space_at(const char *s, size_t n)
{
        if (n && strchr(" \t\n\v\f\r", *s) && *s)
                return 1;
        if (n > 1 && (unsigned char) s[0] == 0xc2 &&
            ((unsigned char) s[1] == 0x85 || (unsigned char) s[1] == 0xa0))
                return 2;
        return 0;
}

static char *
trimmed(const char *s)
{
        size_t n = strlen(s), k;

        while ((k = space_at(s, n)) > 0) {
                s += k;
                n -= k;
        }
        for (;;) {
                if (n > 0 && space_at(s + n - 1, 1))
                        n--;
                else if (n > 1 && space_at(s + n - 2, 2) == 2)
                        n -= 2;
                else
                        return sw_strndup(s, n);
        }
}

/* How to match p->text; what is not needed of it is cut off. */
static sw_err *
compile(struct pattern *p)
{
        size_t plain = strcspn(p->text, "*?[]\\");

        if (plain == p->len) {
                p->how = EXACT;
                return SW_OK;
        }
        if (plain > 0 && strcmp(p->text + plain, "**") == 0) {
                p->how = PREFIX;
                p->text[plain] = '\0';
                p->len = plain;
                return SW_OK;
        }
        if (strncmp(p->text, "**", 2) == 0 && !strpbrk(p->text + 2, "*?[]\\")) {
                p->how = SUFFIX;
                p->len -= 2;
                memmove(p->text, p->text + 2, p->len + 1);
                return SW_OK;
        }
        p->how = AUTOMATON;
        return sw__automaton_new(p->text, &p->automaton);
}

static sw_err *
add(sw_patterns *ps, const char *raw)
{
        sw_auto(sw_str) text = trimmed(raw);
        struct pattern p = { 0 };

        if (strlen(text) > MAX_PATTERN)
                return sw_err_new(SW_E_INVALID,
                                  "pattern of %zu bytes is longer than any path",
                                  strlen(text));
        if (!*text)
                return SW_OK;
        sw_auto(sw_str) clean = sw_path_clean(text);
        p.except = clean[0] == '!';
        if (p.except && !clean[1])
                return sw_err_new(SW_E_INVALID, "illegal exclusion pattern: \"!\"");
        sw_err *err = sw_glob_check(clean + p.except);
        if (err)
                return err;
        p.text = sw_strdup(clean + p.except);
        p.len = strlen(p.text);
        err = compile(&p);
        if (err) {
                pattern_release(&p);
                return err;
        }
        ps->exceptions = ps->exceptions || p.except;
        sw_array_push(&ps->list, p);
        return SW_OK;
}

sw_err *
sw_patterns_new(const char *const *list, size_t n, sw_patterns **out)
{
        sw_autoptr(sw_patterns) ps = sw_new(sw_patterns);

        for (size_t i = 0; i < n; i++) {
                sw_err *err = add(ps, list[i]);

                if (err)
                        return err;
        }
        *out = sw_steal(ps);
        return SW_OK;
}

void
sw_pattern_state_release(struct sw_pattern_state *s)
{
        free(s->bits);
        s->bits = NULL;
}

static bool
matches(const struct pattern *p, const char *path, size_t len)
{
        switch (p->how) {
        case EXACT: return len == p->len && memcmp(path, p->text, len) == 0;
        case PREFIX: return len >= p->len && memcmp(path, p->text, p->len) == 0;
        case SUFFIX:
                if (len >= p->len && memcmp(path + len - p->len, p->text, p->len) == 0)
                        return true;
                return p->len > 0 && p->text[0] == '/' && len == p->len - 1 &&
                       memcmp(path, p->text + 1, len) == 0;
        case AUTOMATON: return sw__automaton_match(p->automaton, path, len);
        }
        return false;
}

/* The path, or a directory above it. */
static bool
matches_up(const struct pattern *p, const char *path)
{
        if (matches(p, path, strlen(path)))
                return true;
        for (const char *s = strchr(path, '/'); s; s = strchr(s + 1, '/')) {
                if (s > path && matches(p, path, (size_t) (s - path)))
                        return true;
        }
        return false;
}

bool
sw_patterns_match(const sw_patterns *ps, const char *path,
                  const struct sw_pattern_state *parent, struct sw_pattern_state *state)
{
        const uint64_t *above = parent ? parent->bits : NULL;
        size_t len = strlen(path);
        bool matched = false;

        if (state)
                state->bits = sw_alloc_array(ps->list.n / 64 + 1, sizeof(*state->bits));
        for (size_t i = 0; i < ps->list.n; i++) {
                const struct pattern *p = &ps->list.v[i];
                bool m = above && (above[i / 64] >> (i % 64) & 1);

                if (!m && p->except != matched) /* it could not change the answer */
                        continue;
                if (!m)
                        m = above ? matches(p, path, len) : matches_up(p, path);
                if (!m)
                        continue;
                if (state)
                        state->bits[i / 64] |= UINT64_C(1) << (i % 64);
                matched = !p->except;
        }
        return matched;
}

/* Whether something in the directory @dir can match. */
static bool
may_match_in(const struct pattern *p, const char *dir)
{
        size_t n = strlen(dir), common = n < p->len ? n : p->len;

        switch (p->how) {
        case EXACT: return p->len > n && memcmp(p->text, dir, n) == 0 && p->text[n] == '/';
        case PREFIX:
                if (memcmp(p->text, dir, common) != 0)
                        return false;
                return p->len <= n || p->text[n] == '/';
        case SUFFIX: return true;
        case AUTOMATON: return sw__automaton_below(p->automaton, dir);
        }
        return true;
}

static bool
any_in(const sw_patterns *ps, const char *dir, bool except)
{
        for (size_t i = 0; i < ps->list.n; i++) {
                if (ps->list.v[i].except != except)
                        continue;
                if (!*dir || may_match_in(&ps->list.v[i], dir))
                        return true;
        }
        return false;
}

bool
sw_patterns_may_match_below(const sw_patterns *p, const char *dir)
{
        return any_in(p, dir, false);
}

bool
sw_patterns_may_except_below(const sw_patterns *p, const char *dir)
{
        return p->exceptions && any_in(p, dir, true);
}
