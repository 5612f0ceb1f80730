/*
 * http_test.c - catches names of files that are paths, or not those that BuildKit takes
 * from the same headers; dates that are taken for others; cache keys that are not
 * BuildKit's; attributes that go unchecked.
 */
#include <slipway/text.h>

#include "plugins/source-http/http.h"
#include "tests/unit/unit.h"

START_TEST(dispositions)
{
        static const struct {
                const char *header, *want; /* NULL: none */
        } cases[] = {
                { "attachment; filename=a.txt", "a.txt" },
                { "attachment; filename=\"a b.txt\"", "a b.txt" },
                { "ATTACHMENT;FILENAME=\"a\"", "a" },
                { "attachment ; filename = \"a\" ; x=y", "a" },
                { "attachment; filename=\"a\\\"b\"", "a\"b" },
                { "attachment; filename=\"C:\\dir\\a\"", "C:\\dir\\a" },
                { "attachment; filename=a; filename*=UTF-8''%c3%a9", "\xc3\xa9" },
                { "attachment; filename*=utf-8'en'b%20c; filename=a", "b c" },
                { "attachment; filename*=us-ascii''x", "x" },
                { "attachment; filename=a; filename*=iso-8859-1''%e9", "a" },
                { "attachment; filename=a; filename*=UTF-8''%zz", "a" },
                { "attachment; filename=a;", "a" },
                { "inline", NULL },
                { "attachment", NULL },
                { "attachment; filename=\"\"", NULL },
                { "attachment; filename=\"a", NULL },
                { "attachment; filename=a b", NULL },
                { "attachment; filename=a; filename=b", NULL },
                { "attachment; filename", NULL },
                { "attachment; =a", NULL },
                { "; filename=a", NULL },
                { "", NULL },
        };

        for (size_t i = 0; i < SW_COUNT(cases); i++) {
                sw_auto(sw_str) name = name_of_disposition(cases[i].header);

                ck_assert_msg(sw_str_eq(name, cases[i].want), "%s: %s", cases[i].header,
                              name ? name : "(none)");
        }
}
END_TEST

START_TEST(long_dispositions)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;

        sw_buf_adds(&b, "attachment");
        for (int i = 0; i < 100; i++)
                sw_buf_addf(&b, ";p%d=x", i);
        sw_buf_adds(&b, ";filename=a");
        ck_assert_ptr_null(name_of_disposition(b.data));
        for (int i = 0; i < 10000; i++)
                sw_buf_addc(&b, 'a');
        ck_assert_ptr_null(name_of_disposition(b.data));
}
END_TEST

START_TEST(dates)
{
        static const struct {
                const char *text;
                int64_t want;
        } good[] = {
                { "Sun, 06 Nov 1994 08:49:37 GMT", 784111777 },
                { "Sunday, 06-Nov-94 08:49:37 GMT", 784111777 },
                { "Sun Nov  6 08:49:37 1994", 784111777 },
                { "Thu, 01 Jan 1970 00:00:00 GMT", 0 },
                { "Wed, 31 Dec 1969 23:59:59 GMT", -1 },
                { "Sat, 29 Feb 2020 00:00:00 GMT", 1582934400 },
        };
        static const char *const bad[] = {
                "",
                "soon",
                "Sun, 06 Nov 1994 08:49:37",
                "Sun, 06 Nov 1994 08:49:37 GMT x",
                "Sun, 06 Nov 1994 08:49:37 CET",
                "Sun, 31 Feb 1994 08:49:37 GMT",
                "Sun, 06 Nxv 1994 08:49:37 GMT",
                "Sun, 06 Nov 1994 25:49:37 GMT",
                "Sun, -6 Nov 1994 08:49:37 GMT",
                "784111777",
        };

        for (size_t i = 0; i < SW_COUNT(good); i++) {
                int64_t t = 12345;

                ck_assert_msg(date_parse(good[i].text, &t), "%s", good[i].text);
                ck_assert_int_eq(t, good[i].want);
        }
        for (size_t i = 0; i < SW_COUNT(bad); i++) {
                int64_t t;

                ck_assert_msg(!date_parse(bad[i], &t), "%s", bad[i]);
        }
        sw_auto(sw_buf) b = SW_BUF_INIT;
        date_add(&b, 784111777);
        ck_assert_str_eq(b.data, "Sun, 06 Nov 1994 08:49:37 GMT");
}
END_TEST

START_TEST(etags)
{
        static const char *const cases[][2] = {
                { "\"a\"", "\"a\"" }, { "W/\"a\"", "\"a\"" }, { "a", "a" },
                { "", "" },           { "\"a\n\"", "" },
        };

        for (size_t i = 0; i < SW_COUNT(cases); i++) {
                sw_auto(sw_buf) b = SW_BUF_INIT;

                etag_add(&b, cases[i][0]);
                ck_assert_str_eq(b.data, cases[i][1]);
        }
}
END_TEST

static sw_err *
spec_of(struct spec *s, const char *url, const struct sw_attr *attrs, size_t n)
{
        const struct sw_source_request req = {
                .size = sizeof(req),
                .identifier = url,
                .attrs = attrs,
                .n_attrs = n,
        };

        memset(s, 0, sizeof(*s));
        return http_spec_init(s, &req);
}

START_TEST(names_of_urls)
{
        static const char *const cases[][2] = {
                { "https://example.com/dir/g", "g" },
                { "https://example.com/dir/", "dir" },
                { "https://example.com/f.txt?x=y/z#w", "f.txt" },
                { "https://example.com/a%20b", "a b" },
                { "https://example.com/..%2f..%2fpasswd", "passwd" },
                { "https://example.com/a%0ab", "download" },
                { "https://example.com", "download" },
                { "https://example.com/", "download" },
                { "https://example.com/?f=x", "download" },
        };

        for (size_t i = 0; i < SW_COUNT(cases); i++) {
                struct spec s;

                ok(spec_of(&s, cases[i][0], NULL, 0));
                sw_auto(sw_str) name = spec_name(&s, NULL);
                ck_assert_msg(strcmp(name, cases[i][1]) == 0, "%s: %s", cases[i][0], name);
                http_spec_release(&s);
        }
}
END_TEST

/* Expected values: SHA-256 of the documents as Go writes them, by another program. */
START_TEST(cache_keys)
{
        static const struct sw_attr attrs[] = {
                { "http.filename", "f" },
                { "http.perm", "0644" },
                { "http.uid", "1" },
                { "http.gid", "2" },
                { "http.authheadersecret", "s" },
                { "http.header.accept", "a<b" },
                { "http.header.user-agent", "u" },
                { "http.header.cookie", "dropped" },
        };
        struct content c = { .name = NULL };
        struct spec s;

        memset(c.digest.b, 0xab, sizeof(c.digest.b));
        ok(spec_of(&s, "https://example.com/f.txt", NULL, 0));
        sw_auto(sw_str) plain = http_spec_cache_key(&s, &c);
        ck_assert_str_eq(plain, "sha256:31874000f4557103bd845400eb619b084"
                                "ff93a34a5ae0d5c4e2b5c0ce97a81f3");
        http_spec_release(&s);

        c.has_time = true;
        c.time = 1580702706;
        ok(spec_of(&s, "https://example.com/f.txt", attrs, SW_COUNT(attrs)));
        sw_auto(sw_str) full = http_spec_cache_key(&s, &c);
        ck_assert_str_eq(full, "sha256:40dbccb18fc8e75e20300642b9eb4ed0c"
                               "0656828f87496ba7efd0c0506fbad6a");
        http_spec_release(&s);
}
END_TEST

START_TEST(refused)
{
        static const struct {
                const char *url;
                struct sw_attr attr;
                int code;
                const char *part;
        } cases[] = {
                { "http://", { "a", "b" }, SW_E_INVALID, "no URL" },
                { "ftp://a/b", { "a", "b" }, SW_E_INVALID, "no URL" },
                { "http://a/b", { "http.perm", "010000" }, SW_E_INVALID, "http.perm" },
                { "http://a/b", { "http.perm", "-1" }, SW_E_INVALID, "http.perm" },
                { "http://a/b", { "http.uid", "4294967295" }, SW_E_INVALID, "http.uid" },
                { "http://a/b",
                  { "http.checksum", "sha256:00" },
                  SW_E_INVALID,
                  "checksum" },
                { "http://a/b",
                  { "http.header.accept", "x\r\ny" },
                  SW_E_INVALID,
                  "header" },
                { "http://a/b", { "http.sig.signature", "x" }, SW_E_INVALID, "both" },
                { "http://u:hidden@a/b", { "http.uid", "x" }, SW_E_INVALID, "http://a/b" },
                { "http://buildkit-session/x", { "a", "b" }, SW_E_UNSUPPORTED, "daemon" },
        };

        for (size_t i = 0; i < SW_COUNT(cases); i++) {
                struct spec s;

                fails(spec_of(&s, cases[i].url, &cases[i].attr, 1), cases[i].code,
                      cases[i].part);
                http_spec_release(&s);
        }
}
END_TEST

UNIT_MAIN("http", dispositions, long_dispositions, dates, etags, names_of_urls, cache_keys,
          refused)
