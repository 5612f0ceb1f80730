/*
 * core/base/patternauto.c - one pattern of a list as an automaton.
 *
 * A pattern is a row of tokens; a bit of a set says "what was read so far takes us before
 * this token". One character moves all bits at once, so time is path times pattern, by 64.
 *
 *      LIT, ANY ('?'), CLASS    move on by one character
 *      STAR                     stays on what is no '/'; or moves on by nothing
 *      DIRS, INSIDE             two tokens for "**" or "**" and '/' before something else:
 *                               any number of whole directories, as in (.*[/])?
 *      REST                     "**" at the end: everything
 *
 * INSIDE and REST do not pass a newline, which is how the reference's expressions are.
 * Thread: any; an automaton is read-only.
 */
#include <string.h>

#include <slipway/array.h>
#include <slipway/text.h>

#include "core/base/pattern.h"

enum kind { LIT, ANY, CLASS, STAR, DIRS, INSIDE, REST };

struct token {
        enum kind kind;
        uint32_t c;          /* LIT */
        bool negated;        /* CLASS */
        size_t first, count; /* CLASS: ranges */
};

#define MAX_TABLE_WORDS 4 /* longer patterns do without the table */
#define TABLE_CHARS     128

struct sw__automaton {
        SW_ARRAY(struct token) tokens;
        SW_ARRAY(struct sw__range) ranges;
        size_t words;    /* of a set: tokens and the end */
        uint64_t *skip;  /* may move on by nothing */
        uint64_t *skip2; /* may move on by two */
        /* for each ASCII character, tokens that move on by it, then tokens that stay */
        uint64_t *table; /* NULL: too long */
};

static bool
in_class(const struct sw__automaton *a, const struct token *t, uint32_t c)
{
        bool in = false;

        for (size_t i = 0; i < t->count && !in; i++)
                in = a->ranges.v[t->first + i].lo <= c && c <= a->ranges.v[t->first + i].hi;
        return in != t->negated;
}

static bool
moves_on(const struct sw__automaton *a, const struct token *t, uint32_t c)
{
        switch (t->kind) {
        case LIT: return t->c == c;
        case ANY: return c != '/';
        case CLASS: return in_class(a, t, c);
        case INSIDE: return c == '/';
        default: return false;
        }
}

static bool
stays(const struct token *t, uint32_t c)
{
        switch (t->kind) {
        case STAR: return c != '/';
        case INSIDE:
        case REST: return c != '\n';
        default: return false;
        }
}

static void
set_bit(uint64_t *set, size_t i)
{
        set[i / 64] |= UINT64_C(1) << (i % 64);
}

/* @on and @stay: tokens that move on, and that stay, by @c. */
static void
sets_of(const struct sw__automaton *a, uint32_t c, uint64_t *on, uint64_t *stay)
{
        memset(on, 0, a->words * sizeof(*on));
        memset(stay, 0, a->words * sizeof(*stay));
        for (size_t i = 0; i < a->tokens.n; i++) {
                if (moves_on(a, &a->tokens.v[i], c))
                        set_bit(on, i);
                if (stays(&a->tokens.v[i], c))
                        set_bit(stay, i);
        }
}

static void
add_token(struct sw__automaton *a, enum kind kind, uint32_t c)
{
        sw_array_push(&a->tokens, ((struct token){ .kind = kind, .c = c }));
}

/* A class, *@p behind its '['; the syntax was checked. false: a range that is empty. */
static bool
add_class(struct sw__automaton *a, const char **p, const char *end)
{
        struct token t = { .kind = CLASS, .first = a->ranges.n };
        struct sw__range r;

        t.negated = *p < end && **p == '^';
        *p += t.negated;
        while (t.count == 0 || **p != ']') {
                if (!sw__class_next(p, end, &r) || r.lo > r.hi)
                        return false;
                sw_array_push(&a->ranges, r);
                t.count++;
        }
        ++*p;
        sw_array_push(&a->tokens, t);
        return true;
}

/* Stars, *@p behind the first one. */
static void
add_stars(struct sw__automaton *a, const char **p, const char *end)
{
        if (*p == end || **p != '*') {
                add_token(a, STAR, 0);
                return;
        }
        ++*p;
        if (*p < end && **p == '/')
                ++*p;
        if (*p == end) {
                add_token(a, REST, 0);
                return;
        }
        add_token(a, DIRS, 0);
        add_token(a, INSIDE, 0);
}

static bool
add_tokens(struct sw__automaton *a, const char *p, const char *end)
{
        size_t len;

        while (p < end) {
                if (*p == '*') {
                        p++;
                        add_stars(a, &p, end);
                } else if (*p == '?') {
                        p++;
                        add_token(a, ANY, 0);
                } else if (*p == '[') {
                        p++;
                        if (!add_class(a, &p, end))
                                return false;
                } else {
                        if (*p == '\\' && p + 1 < end)
                                p++;
                        add_token(a, LIT, sw__rune(p, (size_t) (end - p), &len));
                        p += len;
                }
        }
        return true;
}

static void
make_sets(struct sw__automaton *a)
{
        a->words = a->tokens.n / 64 + 1;
        a->skip = sw_alloc_array(a->words, sizeof(*a->skip));
        a->skip2 = sw_alloc_array(a->words, sizeof(*a->skip2));
        for (size_t i = 0; i < a->tokens.n; i++) {
                enum kind k = a->tokens.v[i].kind;

                if (k == STAR || k == REST || k == DIRS)
                        set_bit(a->skip, i);
                if (k == DIRS)
                        set_bit(a->skip2, i);
        }
        if (a->words > MAX_TABLE_WORDS)
                return;
        a->table = sw_alloc_array(2 * TABLE_CHARS * a->words, sizeof(*a->table));
        for (uint32_t c = 0; c < TABLE_CHARS; c++)
                sets_of(a, c, a->table + 2 * c * a->words,
                        a->table + (2 * c + 1) * a->words);
}

sw_err *
sw__automaton_new(const char *pattern, struct sw__automaton **out)
{
        struct sw__automaton *a = sw_new(struct sw__automaton);

        if (!add_tokens(a, pattern, pattern + strlen(pattern))) {
                sw_auto(sw_buf) shown = SW_BUF_INIT;

                sw__automaton_free(a);
                sw_buf_add_quoted(&shown, pattern, strlen(pattern), 200);
                return sw_err_new(SW_E_INVALID, "pattern %s has an empty range",
                                  shown.data);
        }
        make_sets(a);
        *out = a;
        return SW_OK;
}

void
sw__automaton_free(struct sw__automaton *a)
{
        if (!a)
                return;
        sw_array_release(&a->tokens);
        sw_array_release(&a->ranges);
        free(a->skip);
        free(a->skip2);
        free(a->table);
        free(a);
}

/* @set |= (@from & @mask) << @by; by is 1 or 2. Returns whether @set grew. */
static bool
shift_in(uint64_t *set, const uint64_t *from, const uint64_t *mask, size_t words, int by)
{
        uint64_t carry = 0;
        bool grew = false;

        for (size_t i = 0; i < words; i++) {
                uint64_t v = from[i] & mask[i], add = v << by | carry;

                carry = v >> (64 - by);
                grew = grew || (add & ~set[i]) != 0;
                set[i] |= add;
        }
        return grew;
}

/* Where nothing at all takes us. */
static void
skip_on(const struct sw__automaton *a, uint64_t *set)
{
        bool grew;

        do {
                grew = shift_in(set, set, a->skip, a->words, 1);
                grew = shift_in(set, set, a->skip2, a->words, 2) || grew;
        } while (grew);
}

/* Room for sets: the current one, the next one, and two that are worked out. */
struct sets {
        uint64_t small[4 * MAX_TABLE_WORDS];
        uint64_t *cur, *next, *on, *stay;
        uint64_t *big;
};

static void
sets_init(struct sets *s, const struct sw__automaton *a)
{
        s->big = a->words > MAX_TABLE_WORDS ? sw_alloc_array(4 * a->words, sizeof(uint64_t))
                                            : NULL;
        s->cur = s->big ? s->big : s->small;
        s->next = s->cur + a->words;
        s->on = s->next + a->words;
        s->stay = s->on + a->words;
        memset(s->cur, 0, a->words * sizeof(uint64_t));
        s->cur[0] = 1;
        skip_on(a, s->cur);
}

/* Read one character; false: nothing can match any more. */
static bool
step(const struct sw__automaton *a, struct sets *s, uint32_t c)
{
        const uint64_t *on = s->on, *stay = s->stay;
        uint64_t any = 0, *t;

        if (a->table && c < TABLE_CHARS) {
                on = a->table + 2 * c * a->words;
                stay = on + a->words;
        } else {
                sets_of(a, c, s->on, s->stay);
        }
        for (size_t i = 0; i < a->words; i++)
                s->next[i] = s->cur[i] & stay[i];
        (void) shift_in(s->next, s->cur, on, a->words, 1);
        for (size_t i = 0; i < a->words; i++)
                any |= s->next[i];
        t = s->cur;
        s->cur = s->next;
        s->next = t;
        if (any)
                skip_on(a, s->cur);
        return any != 0;
}

static bool
run(const struct sw__automaton *a, struct sets *s, const char *p, size_t n)
{
        size_t len;

        for (size_t i = 0; i < n; i += len) {
                uint32_t c = (unsigned char) p[i];

                len = 1;
                if (c >= 0x80)
                        c = sw__rune(p + i, n - i, &len);
                if (!step(a, s, c))
                        return false;
        }
        return true;
}

bool
sw__automaton_match(const struct sw__automaton *a, const char *path, size_t len)
{
        struct sets s;

        sets_init(&s, a);
        bool m = run(a, &s, path, len) &&
                 (s.cur[a->tokens.n / 64] >> (a->tokens.n % 64) & 1) != 0;
        free(s.big);
        return m;
}

bool
sw__automaton_below(const struct sw__automaton *a, const char *dir)
{
        struct sets s;

        sets_init(&s, a);
        bool m = run(a, &s, dir, strlen(dir)) && run(a, &s, "/", 1);
        free(s.big);
        return m;
}
