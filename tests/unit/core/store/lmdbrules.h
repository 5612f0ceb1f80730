/*
 * tests/unit/core/store/lmdbrules.h - every rule of the check of LMDB files by itself: a
 * sound file, one edit that breaks that rule and little else, and what the check says.
 *
 * An edit is tried on every page it fits; on some pages it must be found, and where it is
 * not (pages that are free), nothing may be said at all.
 */
#ifndef SLIPWAY_TESTS_LMDBRULES_H
#define SLIPWAY_TESTS_LMDBRULES_H

#include "tests/unit/core/store/metatool.h"

enum { PAGE = 4096, HEADER = 16, META = 16, DBS = META + 24, DB = 48 };
enum { BRANCH = 1, LEAF = 2, OVERFLOW_PAGE = 4, SUBPAGE = 0x52 };
enum { BIG = 1, SUBDB = 2, DUP = 4 };

static sw_buf sound = SW_BUF_INIT;

/* ---- places in a page ---- */

static inline unsigned
get16(const uint8_t *p)
{
        return p[0] | (unsigned) p[1] << 8;
}

static inline void
put16(uint8_t *p, unsigned v)
{
        p[0] = (uint8_t) v;
        p[1] = (uint8_t) (v >> 8);
}

static inline void
put64(uint8_t *p, uint64_t v)
{
        memcpy(p, &v, 8);
}

static inline uint64_t
get64(const uint8_t *p)
{
        uint64_t v;

        memcpy(&v, p, 8);
        return v;
}

static inline unsigned
flags(const uint8_t *page)
{
        return get16(page + 10);
}

static inline bool
is_tree(const uint8_t *page)
{
        return flags(page) == LEAF || flags(page) == BRANCH;
}

static inline unsigned
count(const uint8_t *page)
{
        return is_tree(page) || flags(page) == SUBPAGE ? (get16(page + 12) - HEADER) / 2
                                                       : 0;
}

static inline uint8_t *
node(uint8_t *page, unsigned i)
{
        return page + get16(page + HEADER + 2 * i);
}

static inline uint8_t *
data_of(uint8_t *n)
{
        return n + 8 + get16(n + 6);
}

/* The first node with exactly these flags, or NULL. */
static inline uint8_t *
with_flags(uint8_t *page, unsigned want)
{
        for (unsigned i = 0; flags(page) == LEAF && i < count(page); i++)
                if (get16(node(page, i) + 4) == want)
                        return node(page, i);
        return NULL;
}

static inline uint8_t *
subpage(uint8_t *page)
{
        uint8_t *n = with_flags(page, DUP);

        return n ? data_of(n) : NULL;
}

/* The newer meta page. */
static inline uint8_t *
meta(uint8_t *file)
{
        return get64(file + DBS + 2 * DB + 8) > get64(file + PAGE + DBS + 2 * DB + 8)
                       ? file
                       : file + PAGE;
}

/* ---- edits: false where the page is not one for it ---- */

typedef bool edit_fn(uint8_t *file, uint8_t *page);

#define EDIT(name) static bool name(SW_UNUSED uint8_t *file, SW_UNUSED uint8_t *page)
#define ONCE                                                                               \
        do {                                                                               \
                if (page != file)                                                          \
                        return false;                                                      \
        } while (0)

/* One rule: its edit, and words of what the check says then. */
struct rule {
        const char *name;
        edit_fn *edit;
        const char *says;
};

#define R(name, says)                                                                      \
        {                                                                                  \
#name, name, says                                                          \
        }

/* How often the edit was found with these words. */
static inline unsigned
try_rule(const struct rule *r, uint8_t *copy)
{
        unsigned found = 0;

        for (size_t at = 0; at < sound.len; at += PAGE) {
                memcpy(copy, sound.data, sound.len);
                if (!r->edit(copy, copy + at))
                        continue;
                sw_err *err = sw__lmdb_check(copy, sound.len);
                must_be(!err || sw_err_code(err) == SW_E_CORRUPT);
                found += err && strstr(sw_err_message(err), r->says);
                sw_err_drop(err, "counted");
        }
        return found;
}

/* Each of the rules is found broken somewhere. */
static inline void
try_rules(const struct rule *rules, size_t n)
{
        tool_make(400, &sound);
        uint8_t *copy = malloc(sound.len);

        ck_assert_ptr_nonnull(copy);
        ok(sw__lmdb_check(sound.data, sound.len));
        for (size_t i = 0; i < n; i++)
                ck_assert_msg(try_rule(&rules[i], copy) > 0, "%s: nothing says \"%s\"",
                              rules[i].name, rules[i].says);
        free(copy);
}

#endif
