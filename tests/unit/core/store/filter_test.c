/*
 * Filter expressions: which records they match, and that mistakes are told with the place.
 */
#include <slipway/mem.h>

#include "core/store/refs.h"
#include "tests/unit/unit.h"

static sw_err *
make(sw_filter **out, const char *expr)
{
        sw_auto(sw_strlist) l = { 0 };

        sw_strlist_add(&l, expr);
        return sw__filter_new(&l, out);
}

static bool
matches(const char *expr)
{
        sw_auto(sw_strlist) parents = { 0 };
        sw_autoptr(sw_filter) f = NULL;
        struct sw_usage u = { .id = "abc",
                              .parents = &parents,
                              .is_mutable = true,
                              .description = "mount /a \"b\"",
                              .type = "regular" };

        sw_strlist_add(&parents, "p");
        sw_strlist_add(&parents, "q");
        ok(make(&f, expr));
        return sw__filter_match(f, &u);
}

START_TEST(records_match)
{
        ck_assert(matches(""));
        ck_assert(matches("id==abc"));
        ck_assert(matches(" id == abc , type==regular"));
        ck_assert(!matches("id==abc,type==internal"));
        ck_assert(!matches("id==ab"));
        ck_assert(matches("id!=ab"));
        ck_assert(matches("id~=^a.c$"));
        ck_assert(matches("id~=/^a.c$/"));
        ck_assert(matches("id~=|b|,mutable"));
        ck_assert(!matches("id~=/^b/"));
        ck_assert(matches("parents==p;q"));
        ck_assert(matches("description==\"mount /a \\\"b\\\"\""));
        ck_assert(matches("description~=/mount \\/a/"));
        ck_assert(matches("description==\"mount\\x20/a \\\"b\\\"\""));
        ck_assert(matches("mutable"));
        ck_assert(matches("mutable==true"));
        ck_assert(!matches("immutable"));
        ck_assert(!matches("inuse"));
        ck_assert(matches("inuse!=true"));
        ck_assert(matches("private"));
        ck_assert(!matches("shared"));
}
END_TEST

/* Of several filters one is enough; none match everything. */
START_TEST(several_are_alternatives)
{
        sw_auto(sw_strlist) l = { 0 };
        sw_autoptr(sw_filter) f = NULL;
        sw_autoptr(sw_filter) none = NULL;
        struct sw_usage u = { .id = "abc", .type = "internal", .description = "" };

        ok(sw__filter_new(&l, &none));
        ck_assert(sw__filter_match(none, &u));
        ck_assert(sw__filter_match(NULL, &u));
        sw_strlist_add(&l, "type==regular");
        sw_strlist_add(&l, "type==internal");
        ok(sw__filter_new(&l, &f));
        ck_assert(sw__filter_match(f, &u));
        u.type = "frontend";
        ck_assert(!sw__filter_match(f, &u));
}
END_TEST

static void
refused(const char *expr, const char *part)
{
        sw_filter *f;

        fails(make(&f, expr), SW_E_INVALID, part);
}

/* Matching those takes exponential time, and expressions come from clients. */
START_TEST(back_references_are_refused)
{
        refused("id~=/(a*)*\\1/", "back-references");
        refused("id~=/([\\])\\1/", "back-references");
        refused("id~=\"(.)\\\\1\"", "back-references");
        ck_assert(!matches("id~=/a\\\\1/")); /* a backslash, and 1 */
        ck_assert(matches("description~=/mount .a/"));
}
END_TEST

START_TEST(mistakes_are_told)
{
        refused("typ==x", "did you mean type?");
        refused("type==regular,,", "field is missing at byte 14");
        refused("type==", "value is missing");
        refused("type=regular", "comma is missing");
        refused("id==\"abc", "not closed");
        refused("id==\"a\\q\"", "unknown escape");
        refused("id==\"a\\x00\"", "NUL");
        refused("id~=/(/", "filter \"id~=/(/\"");
        refused("id~=a{9}{9}", "far or twice");
        refused("id~=/a{1,256}/", "far or twice");
        ck_assert(matches("id~=/^[a-c]{1,255}$/"));
        refused("labels.\"x\"==y", "there is no field labels.");
        sw_auto(sw_str) huge = sw_alloc(5000);
        sw_filter *f;
        memset(huge, 'i', 4999);
        fails(make(&f, huge), SW_E_LIMIT, "4096");
}
END_TEST

UNIT_MAIN("filter", records_match, several_are_alternatives, back_references_are_refused,
          mistakes_are_told)
