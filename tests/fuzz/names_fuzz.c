/*
 * tests/fuzz/names_fuzz.c - names of images, URLs of git repositories, platforms, command
 * lines and image configurations, as people and registries write them. What is accepted
 * must be in its final form: read again, it stays as it is.
 */
#include <slipway/llb.h>
#include <slipway/text.h>

#include "core/llb/giturl.h"
#include "core/llb/imagename.h"
#include "tests/fuzz/fuzz.h"

static void
fuzz_image(const char *text)
{
        sw_auto(sw_image_name) n = { .host = NULL };
        sw_auto(sw_image_name) again = { .host = NULL };
        sw_auto(sw_image_name) any = { .host = NULL };
        sw_auto(sw_str) full = NULL;
        sw_auto(sw_str) full2 = NULL;
        sw_auto(sw_str) short_ = NULL;
        sw_auto(sw_str) digest = NULL;

        (void) fuzz_ok(sw__image_name_parse_any(text, &any, &digest));
        if (!fuzz_ok(sw_image_name_parse(text, &n)))
                return;
        fuzz_check(any.host && any.has_digest == n.has_digest);
        fuzz_check(!strstr(n.repo, "..") && !strstr(n.repo, "//") && *n.host && *n.repo);
        full = sw_image_name_str(&n);
        fuzz_check(fuzz_ok(sw_image_name_parse(full, &again)));
        full2 = sw_image_name_str(&again);
        fuzz_check(strcmp(full, full2) == 0);
        short_ = sw_image_name_familiar(&n);
        sw_image_name_release(&again);
        free(sw_steal(full2));
        fuzz_check(fuzz_ok(sw_image_name_parse(short_, &again)));
        full2 = sw_image_name_str(&again);
        fuzz_check(strcmp(full, full2) == 0);
}

static void
fuzz_git(const char *text)
{
        sw_auto(git_url) u = { NULL, NULL, NULL, NULL };
        sw_auto(git_url) again = { NULL, NULL, NULL, NULL };

        if (!fuzz_ok(sw__git_url_parse(text, &u)))
                return;
        fuzz_check(*u.host && *u.scheme);
        fuzz_check(fuzz_ok(sw__git_url_parse(u.remote, &again)));
        fuzz_check(strcmp(u.remote, again.remote) == 0);
        fuzz_check(strcmp(u.host, again.host) == 0 && strcmp(u.path, again.path) == 0);
}

static void
fuzz_platform(const char *text)
{
        sw_autoptr(sw_platform) p = NULL;
        sw_autoptr(sw_platform) n = NULL;
        sw_autoptr(sw_platform) again = NULL;
        sw_auto(sw_str) one = NULL;
        sw_auto(sw_str) two = NULL;
        sw_auto(sw_str) three = NULL;

        if (!fuzz_ok(sw_platform_parse(text, &p)))
                return;
        one = sw_platform_str(p);
        n = sw_platform_normalize(p);
        two = sw_platform_str(n);
        fuzz_check(strcmp(one, two) == 0);
        fuzz_check(fuzz_ok(sw_platform_parse(one, &again)));
        three = sw_platform_str(again);
        fuzz_check(strcmp(one, three) == 0);
}

static void
fuzz_command(const char *text, const sw_state *s)
{
        sw_autoptr(sw_run) r = sw_run_new(s);
        sw_autoptr(sw_state) root = NULL;
        sw_auto(sw_buf) def = SW_BUF_INIT;

        if (!fuzz_ok(sw_run_command(r, text)) || !fuzz_ok(sw_run_end(r, NULL, &root)))
                return;
        /* what is no UTF-8 is refused here: a definition cannot hold it */
        if (fuzz_ok(sw_state_marshal(root, NULL, &def)))
                fuzz_check(def.len);
        else
                fuzz_check(!sw_utf8_valid(text, strlen(text)));
}

static void
fuzz_config(const char *text, size_t size, const sw_state *s)
{
        sw_autoptr(sw_state) with = NULL;
        sw_auto(sw_strlist) env = { 0 };
        sw_auto(sw_str) dir = NULL;

        if (!fuzz_ok(sw_state_image_config(s, text, size, &with)))
                return;
        fuzz_check(fuzz_ok(sw_state_get_env_list(with, NULL, &env)));
        fuzz_check(fuzz_ok(sw_state_get_dir(with, NULL, &dir)) && dir[0] == '/');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        sw_autoptr(sw_state) scratch = sw_llb_scratch();
        sw_auto(sw_str) text = sw_strndup((const char *) data, size);

        fuzz_image(text);
        fuzz_git(text);
        fuzz_platform(text);
        fuzz_command(text, scratch);
        fuzz_config((const char *) data, size, scratch);
        return 0;
}
