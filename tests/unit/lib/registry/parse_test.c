/*
 * parse_test.c - catches headers and error bodies of registries that are taken for
 * something else than they say: a parameter that becomes a challenge, a quote that does not
 * end, a next page that is none, an error whose words steer a terminal.
 */
#include <slipway/text.h>

#include "lib/registry/parse.h"
#include "tests/unit/unit.h"

/* All challenges of a header, as "scheme[token68](name=value)". */
static char *
shown(const char *s)
{
        sw_auto(sw__challenges) all = { 0 };
        sw_buf b = SW_BUF_INIT;

        ok(sw__challenge_parse(s, &all));
        for (size_t i = 0; i < all.n; i++) {
                const struct sw__challenge *c = &all.v[i];

                sw_buf_addf(&b, "%s", c->scheme);
                if (c->token68)
                        sw_buf_addf(&b, "[%s]", c->token68);
                for (size_t k = 0; k < c->params.n; k++)
                        sw_buf_addf(&b, "(%s=%s)", c->params.v[k].name,
                                    c->params.v[k].value);
        }
        return sw_buf_detach(&b);
}

START_TEST(challenges)
{
        static const struct {
                const char *header, *want;
        } cases[] = {
                { "Bearer "
                  "realm=\"https://a/"
                  "token\",service=\"r\",scope=\"repository:a:pull,push\"",
                  "bearer(realm=https://a/"
                  "token)(service=r)(scope=repository:a:pull,push)" },
                { "Basic realm=\"x\"", "basic(realm=x)" },
                { "basic", "basic" },
                { "Negotiate", "negotiate" },
                { "Negotiate YWJj==", "negotiate[YWJj==]" },
                { "Basic realm = x , Bearer realm=\"y\"", "basic(realm=x)bearer(realm=y)" },
                { "NTLM, Basic realm=x", "ntlmbasic(realm=x)" },
                { "Negotiate a=, Basic realm=x", "negotiate[a=]basic(realm=x)" },
                { ", ,Basic realm=x,,charset=\"UTF-8\",", "basic(realm=x)(charset=UTF-8)" },
                { "Bearer REALM=\"a\\\"b\\\\c\"", "bearer(realm=a\"b\\c)" },
                { "Bearer realm=\"\"", "bearer(realm=)" },
                { "", "" },
                { " , ", "" },
        };

        for (size_t i = 0; i < SW_COUNT(cases); i++) {
                sw_auto(sw_str) got = shown(cases[i].header);

                ck_assert_msg(strcmp(got, cases[i].want) == 0, "%s: %s, wanted %s",
                              cases[i].header, got, cases[i].want);
        }
}
END_TEST

START_TEST(wrong_challenges)
{
        static const char *const cases[] = {
                "Bearer realm=\"x",
                "Bearer realm=\"x\\",
                "Bearer a=b, realm=",
                "Bearer realm=a realm=b",
                "Bearer realm=a, realm=b",
                "=x",
                "Bearer \"x\"",
                "\"Bearer\" realm=x",
                "Bearer realm=\"a\nb\"",
                "Bearer realm=\"a\x7f\"",
                "Bearer realm=a; service=b",
                "Bearer/realm=a",
                "Bearer @",
        };

        for (size_t i = 0; i < SW_COUNT(cases); i++) {
                sw_auto(sw__challenges) all = { 0 };
                sw_err *err = sw__challenge_parse(cases[i], &all);

                ck_assert_msg(err != NULL, "accepted: %s", cases[i]);
                ck_assert_int_eq(sw_err_code(err), SW_E_INVALID);
                sw_err_free(err);
        }
}
END_TEST

START_TEST(too_many_challenges)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;
        sw_auto(sw__challenges) all = { 0 };
        sw_auto(sw__challenges) more = { 0 };

        for (int i = 0; i < 20; i++)
                sw_buf_addf(&b, "a%d,", i);
        fails(sw__challenge_parse(b.data, &all), SW_E_LIMIT, "too many challenges");
        sw_buf_clear(&b);
        sw_buf_adds(&b, "a ");
        for (int i = 0; i < 40; i++)
                sw_buf_addf(&b, "p%d=x,", i);
        fails(sw__challenge_parse(b.data, &more), SW_E_LIMIT, "too many parameters");
        while (b.len < 20000)
                sw_buf_addc(&b, ' ');
        fails(sw__challenge_parse(b.data, &more), SW_E_LIMIT, "over");
}
END_TEST

START_TEST(next_links)
{
        static const struct {
                const char *header, *want; /* NULL: none */
        } cases[] = {
                { "</v2/a/tags/list?n=2&last=b>; rel=\"next\"",
                  "/v2/a/tags/list?n=2&last=b" },
                { "<x>;rel=next", "x" },
                { "<x>; rel=prev, <y>; rel=next", "y" },
                { "<x,y;z>; title=\"a, \\\" b; rel=next\"; rel=next", "x,y;z" },
                { "<x>; REL=\"last NEXT\"", "x" },
                { "<x>; rel=nextish", NULL },
                { "<x>; rel=prev; rel=next", NULL }, /* the first one counts */
                { "<x>; foo; rel = next", "x" },
                { "<x>", NULL },
                { "", NULL },
        };
        static const char *const bad[] = { "x; rel=next", "<x; rel=next", "<x> rel=next",
                                           "<x>; rel=\"next", "<x>; rel=\"next\\" };

        for (size_t i = 0; i < SW_COUNT(cases); i++) {
                sw_auto(sw_str) got = NULL;

                ok(sw__link_next(cases[i].header, &got));
                ck_assert_msg(sw_str_eq(got, cases[i].want), "%s: %s", cases[i].header,
                              got ?: "none");
        }
        for (size_t i = 0; i < SW_COUNT(bad); i++) {
                char *got = NULL;

                fails(sw__link_next(bad[i], &got), SW_E_INVALID, "Link header");
        }
}
END_TEST

START_TEST(error_bodies)
{
        static const struct {
                const char *body, *want;
        } cases[] = {
                { "{\"errors\":[{\"code\":\"DENIED\",\"message\":\"no\"}]}", "DENIED: no" },
                { "{\"errors\":[{\"code\":\"A\"},{\"message\":\"b\"},{\"detail\":\"c\"},{"
                  "\"code\":\"D\"}]}",
                  "A; b; c" },
                { "{\"errors\":[{\"code\":\"A\",\"message\":\"b\",\"detail\":{\"x\":1}}]}",
                  "A: b" },
                { "{\"details\":\"wrong password\"}", "wrong password" },
                { "{\"error\":\"invalid_grant\",\"error_description\":\"x\"}",
                  "invalid_grant: x" },
                { "{\"errors\":[{\"code\":\"A\\u001b[2J\",\"message\":\"b\\nc\"}]}",
                  "A\\x1b[2J: b\\x0ac" },
                { "{\"errors\":\"x\"}", "" },
                { "{}", "" },
                { "[1]", "" },
                { "404 page not found\nmore\n", "404 page not found" },
                { "<html>sorry</html>", "" },
                { "", "" },
        };

        for (size_t i = 0; i < SW_COUNT(cases); i++) {
                sw_auto(sw_buf) b = SW_BUF_INIT;

                sw__errbody_text(cases[i].body, strlen(cases[i].body), &b);
                ck_assert_str_eq(b.data, cases[i].want);
        }
}
END_TEST

UNIT_MAIN("parse", challenges, wrong_challenges, too_many_challenges, next_links,
          error_bodies)
