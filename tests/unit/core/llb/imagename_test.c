/*
 * Names of images.
 *
 * Catches: a name that is filled up differently than docker does it, and names that would
 * be sent to a registry though they are none.
 */
#include <slipway/mem.h>

#include "core/llb/imagename.h"
#include "tests/unit/unit.h"

#define HEX    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define DIGEST "sha256:" HEX

static const struct {
        const char *in, *out;
} good[] = {
        { "alpine", "docker.io/library/alpine" },
        { "alpine:3.20", "docker.io/library/alpine:3.20" },
        { "alpine@" DIGEST, "docker.io/library/alpine@" DIGEST },
        { "alpine:3@" DIGEST, "docker.io/library/alpine:3@" DIGEST },
        { "o/app", "docker.io/o/app" },
        { "docker.io/alpine", "docker.io/library/alpine" },
        { "index.docker.io/alpine", "docker.io/library/alpine" },
        { "docker.io/a/b/c:t", "docker.io/a/b/c:t" },
        { "ghcr.io/o/app:v1", "ghcr.io/o/app:v1" },
        { "localhost/app", "localhost/app" },
        { "localhost:5000/app:x", "localhost:5000/app:x" },
        { "REG/app", "REG/app" },
        { "[::1]:5000/app", "[::1]:5000/app" },
        { "[2001:db8::1]/app:1", "[2001:db8::1]/app:1" },
        { "127.0.0.1:80/a.b_c__d-e---f/x", "127.0.0.1:80/a.b_c__d-e---f/x" },
        { "a:_", "docker.io/library/a:_" },
};

START_TEST(normalized)
{
        sw_auto(sw_image_name) n = { .host = NULL };
        sw_auto(sw_str) s = NULL;

        ok(sw_image_name_parse(good[_i].in, &n));
        s = sw_image_name_str(&n);
        ck_assert_str_eq(s, good[_i].out);
}
END_TEST

static const struct {
        const char *in, *host, *repo, *tag, *familiar;
} parts[] = {
        { "alpine", "docker.io", "library/alpine", "latest", "alpine:latest" },
        { "docker.io/library/alpine:3", "docker.io", "library/alpine", "3", "alpine:3" },
        { "o/app", "docker.io", "o/app", "latest", "o/app:latest" },
        { "library/a/b", "docker.io", "library/a/b", "latest", "library/a/b:latest" },
        { "docker.io/a.b/c:t", "docker.io", "a.b/c", "t", "docker.io/a.b/c:t" },
        { "h:5000/a/b:t", "h:5000", "a/b", "t", "h:5000/a/b:t" },
        { "ghcr.io/a", "ghcr.io", "a", "latest", "ghcr.io/a:latest" },
        { "alpine@" DIGEST, "docker.io", "library/alpine", NULL, "alpine@" DIGEST },
};

/* Would catch a host that is asked for another repository than meant, a tag put on what a
 * digest names, and a short form that means another image. */
START_TEST(taken_apart)
{
        sw_auto(sw_image_name) n = { .host = NULL };
        sw_auto(sw_str) s = NULL;

        ok(sw_image_name_parse(parts[_i].in, &n));
        sw_image_name_default_tag(&n);
        ck_assert_str_eq(n.host, parts[_i].host);
        ck_assert_str_eq(n.repo, parts[_i].repo);
        ck_assert_pstr_eq(n.tag, parts[_i].tag);
        s = sw_image_name_familiar(&n);
        ck_assert_str_eq(s, parts[_i].familiar);
}
END_TEST

/* Would catch a digest of another algorithm that is dropped, so that the tag counts. */
START_TEST(other_digests)
{
        sw_auto(sw_image_name) n = { .host = NULL };
        sw_auto(sw_str) digest = NULL;

        fails(sw_image_name_parse("x.y/a:t@sha512:" HEX HEX, &n), SW_E_UNSUPPORTED,
              "sha256");
        ok(sw__image_name_parse_any("x.y/a@sha512:" HEX HEX, &n, &digest));
        ck_assert_str_eq(digest, "sha512:" HEX HEX);
        ck_assert(!n.has_digest);
}
END_TEST

static const struct {
        const char *in, *why;
} bad[] = {
        { "", "empty" },
        { HEX, "bare digest" },
        { "Alpine", "capitals" },
        { "a/B", "capitals" },
        { "a:", "tag" },
        { "a:-x", "tag" },
        { "a:x y", "tag" },
        { "a@sha256:12", "digest" },
        { "a@" DIGEST "0", "digest" },
        { "a@sha256:" HEX "\n", "digest" },
        { "a@md5:12", "too short" },
        { "a@nodigest", "without an algorithm" },
        { "a@-x:" HEX, "algorithm" },
        { "/a", "form" },
        { "a/", "form" },
        { "a//b", "form" },
        { "a.io/", "no repository" },
        { "a..b", "form" },
        { "a___b", "form" },
        { "-a", "form" },
        { "a-", "form" },
        { "a b", "form" },
        { "a.-b.io/x", "host" },
        { "a.io:/x", "host" },
        { "a.io:8x/x", "host" },
        { "[::1/x", "host" },
        { "[g::]/x", "host" },
        { "a.io/../../etc", "form" },
        { "a.io/x:t:u", "tag" },
};

START_TEST(refused)
{
        sw_image_name n;

        fails(sw_image_name_parse(bad[_i].in, &n), SW_E_INVALID, bad[_i].why);
}
END_TEST

START_TEST(far_too_long)
{
        char *s = (char *) sw_alloc(100001);
        sw_image_name n;

        memset(s, 'a', 300);
        fails(sw_image_name_parse(s, &n), SW_E_INVALID, "longer than 255");
        memset(s, 'a', 100000);
        fails(sw_image_name_parse(s, &n), SW_E_INVALID, "too long");
        free(s);
}
END_TEST

int
main(void)
{
        Suite *s = suite_create("imagename");
        TCase *t = tcase_create("imagename");
        SRunner *r;
        int failed;

        tcase_add_loop_test(t, normalized, 0, SW_COUNT(good));
        tcase_add_loop_test(t, taken_apart, 0, SW_COUNT(parts));
        tcase_add_test(t, other_digests);
        tcase_add_loop_test(t, refused, 0, SW_COUNT(bad));
        tcase_add_test(t, far_too_long);
        suite_add_tcase(s, t);
        r = srunner_create(s);
        srunner_set_tap(r, "-");
        srunner_run_all(r, CK_SILENT);
        failed = srunner_ntests_failed(r);
        srunner_free(r);
        return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
