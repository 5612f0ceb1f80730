/*
 * dockerauth_test.c - catches credentials that are found for the wrong host or not for the
 * right one, a broken file that passes for a missing one, a secret in an error, a helper
 * that is run with the wrong words, believed when it fails, or run again and again.
 */
#include <fcntl.h>
#include <sys/stat.h>

#include <slipway/localsession.h>
#include <slipway/mem.h>
#include <slipway/path.h>
#include <slipway/time.h>

#include "tests/unit/tmp.h"

static char dir[128];

static void
write_file(const char *name, const char *text, int mode)
{
        char path[256];

        (void) snprintf(path, sizeof(path), "%s/%s", dir, name);
        int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0644);
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(write(fd, text, strlen(text)), (int) strlen(text));
        ck_assert_int_eq(fchmod(fd, (mode_t) mode), 0);
        ck_assert_int_eq(close(fd), 0);
}

static void
before(void)
{
        char path[512];

        unit_mkdtemp(dir, sizeof(dir), "auth");
        ck_assert_int_eq(unsetenv("REGISTRY_AUTH_FILE"), 0);
        ck_assert_int_eq(unsetenv("XDG_RUNTIME_DIR"), 0);
        ck_assert_int_eq(unsetenv("XDG_CONFIG_HOME"), 0);
        ck_assert_int_eq(setenv("HOME", dir, 1), 0);
        ck_assert_int_eq(setenv("DOCKER_CONFIG", dir, 1), 0);
        (void) snprintf(path, sizeof(path), "%s:/usr/bin:/bin", dir);
        ck_assert_int_eq(setenv("PATH", path, 1), 0);
}

static void
after(void)
{
        ok(sw_path_remove(AT_FDCWD, dir));
}

/* What a new local session has for a host, as "user secret"; "-" for what is NULL. */
static void
gives(const char *host, const char *want)
{
        sw_autoptr(sw_local_session) l = sw_local_session_new();
        sw_auto(sw_str) user = NULL;
        sw_auto(sw_str) secret = NULL;

        ok(sw_session_credentials(sw_local_session_get(l), NULL, host, &user, &secret));
        sw_auto(sw_str) got = sw_asprintf("%s %s", user ?: "-", secret ?: "-");
        ck_assert_str_eq(got, want);
}

static void
refuses(const char *text, const char *part)
{
        sw_autoptr(sw_local_session) l = sw_local_session_new();
        char *user = NULL, *secret = NULL, path[256];

        write_file("config.json", text, 0600);
        sw_err *err = sw_session_credentials(sw_local_session_get(l), NULL, "a.example",
                                             &user, &secret);
        ck_assert_ptr_nonnull(err);
        (void) snprintf(path, sizeof(path), "%s/config.json", dir);
        ck_assert_msg(strstr(sw_err_message(err), path) != NULL, "%s", sw_err_message(err));
        ck_assert_msg(strstr(sw_err_message(err), part) != NULL, "%s", sw_err_message(err));
        ck_assert_ptr_null(strstr(sw_err_message(err), "geheim"));
        ck_assert_ptr_null(user);
        ck_assert_ptr_null(secret);
        sw_err_free(err);
}

START_TEST(missing_is_anonymous)
{
        gives("a.example", "- -");
        write_file("config.json", "{}", 0600);
        gives("a.example", "- -");
        write_file("config.json", "{\"auths\":{\"a.example\":{}},\"currentContext\":\"x\"}",
                   0600);
        gives("a.example", "- -");
}
END_TEST

START_TEST(reads_auths)
{
        write_file(
                "config.json",
                "{\"auths\":{"
                "\"a.example\":{\"auth\":\"dXNlcjpwYTpzcw==\"},"
                "\"b.example:5000\":{\"username\":\"u\",\"password\":\"p\"},"
                "\"https://c.example/v2/\":{\"identitytoken\":\"idt\",\"auth\":\"dTpw\"},"
                "\"d.example\":{\"registrytoken\":\"rt\"},"
                "\"e.example/one/repo\":{\"auth\":\"dTpw\"},"
                "\"f.example\":{\"auth\":\"dTpwAAA=\"}}}",
                0600);
        gives("a.example", "user pa:ss");
        gives("A.Example", "user pa:ss");
        gives("b.example:5000", "u p");
        gives("b.example", "- -");
        gives("c.example", "- idt");
        gives("d.example", " rt");
        gives("e.example", "- -");
        gives("f.example", "u p");
        gives("example", "- -");
}
END_TEST

START_TEST(knows_the_hub_by_its_names)
{
        write_file("config.json",
                   "{\"auths\":{\"https://index.docker.io/v1/\":{\"auth\":\"dTpw\"}}}",
                   0600);
        gives("docker.io", "u p");
        gives("registry-1.docker.io", "u p");
        gives("index.docker.io", "u p");
        gives("x.docker.io", "- -");
        write_file("config.json", "{\"auths\":{\"docker.io\":{\"auth\":\"dTpw\"}}}", 0600);
        gives("registry-1.docker.io", "u p");
}
END_TEST

START_TEST(broken_files_are_errors)
{
        refuses("{\"auths\":", "line 1");
        refuses("[]", "no JSON object");
        refuses("{\"auths\":[]}", "auths");
        refuses("{\"auths\":{\"a.example\":\"geheim\"}}", "auths.\"a.example\"");
        refuses("{\"auths\":{\"a.example\":{\"auth\":\"geheim!\"}}}",
                "auths.\"a.example\": auth");
        refuses("{\"auths\":{\"a.example\":{\"auth\":\"Z2VoZWlt\"}}}", "auth");
        refuses("{\"auths\":{\"a.example\":{\"auth\":7}}}", "auth");
        refuses("{\"credsStore\":\"../x\"}", "credsStore");
        refuses("{\"credHelpers\":{\"a.example\":\"a b\"}}", "credHelpers");
}
END_TEST

START_TEST(looks_where_podman_does)
{
        char path[256];

        (void) snprintf(path, sizeof(path), "%s/containers", dir);
        ck_assert_int_eq(mkdir(path, 0700), 0);
        ck_assert_int_eq(setenv("XDG_RUNTIME_DIR", dir, 1), 0);
        write_file("containers/auth.json",
                   "{\"auths\":{\"a.example\":{\"auth\":\"dTpw\"}}}", 0600);
        gives("a.example", "u p");
        write_file("config.json", "{\"auths\":{\"a.example\":{\"auth\":\"eDp5\"}}}", 0600);
        gives("a.example", "x y");
        write_file("other", "{\"auths\":{\"b.example\":{\"auth\":\"eDp5\"}}}", 0600);
        (void) snprintf(path, sizeof(path), "%s/other", dir);
        ck_assert_int_eq(setenv("REGISTRY_AUTH_FILE", path, 1), 0);
        gives("a.example", "- -"); /* that file and no other */
        gives("b.example", "x y");

        sw_autoptr(sw_local_session) l = sw_local_session_new();
        sw_auto(sw_buf) places = SW_BUF_INIT;
        sw_session_credential_places(sw_local_session_get(l), &places);
        ck_assert_str_eq(places.data, path);
}
END_TEST

START_TEST(asks_helpers)
{
        write_file("docker-credential-good",
                   "#!/bin/sh\n[ \"$1\" = get ] || exit 9\nread -r s\n"
                   "echo \"{\\\"ServerURL\\\":\\\"$s\\\",\\\"Username\\\":\\\"at $s\\\","
                   "\\\"Secret\\\":\\\"s\\\"}\"\n",
                   0755);
        write_file("docker-credential-token",
                   "#!/bin/sh\necho '{\"Username\":\"<token>\",\"Secret\":\"t\"}'\n", 0755);
        write_file("docker-credential-none",
                   "#!/bin/sh\necho 'credentials not found in native keychain'\nexit 1\n",
                   0755);
        write_file("config.json",
                   "{\"credsStore\":\"good\",\"credHelpers\":{\"t.example\":\"token\","
                   "\"n.example\":\"none\",\"e.example\":\"\"},"
                   "\"auths\":{\"n.example\":{\"auth\":\"dTpw\"},\"e.example\":{\"auth\":"
                   "\"dTpw\"},"
                   "\"a.example\":{\"auth\":\"dTpw\"}}}",
                   0600);
        gives("a.example", "at a.example s"); /* before what the file has */
        gives("docker.io", "at https://index.docker.io/v1/ s");
        gives("t.example", "- t");
        gives("n.example", "u p");
        gives("e.example", "u p");
}
END_TEST

START_TEST(helpers_that_fail_are_told)
{
        static const char *const config = "{\"credsStore\":\"bad\"}";

        refuses(config, "docker-credential-bad");
        write_file("docker-credential-bad",
                   "#!/bin/sh\necho no keys\necho locked >&2\nexit 3\n", 0755);
        refuses(config, "status 3: \"no keys\": \"locked\"");
        write_file("docker-credential-bad", "#!/bin/sh\nkill -9 $$\n", 0755);
        refuses(config, "signal 9");
        write_file("docker-credential-bad", "#!/bin/sh\necho geheim\n", 0755);
        refuses(config, "its answer");
        write_file("docker-credential-bad", "#!/bin/sh\necho '{\"Secret\":\"geheim\"}'\n",
                   0755);
        refuses(config, "Username");
        write_file("docker-credential-bad", "#!/bin/sh\nhead -c 2000000 /dev/zero\n", 0755);
        refuses(config, "docker-credential-bad");
}
END_TEST

START_TEST(a_helper_is_asked_once)
{
        sw_autoptr(sw_local_session) l = sw_local_session_new();
        char counter[256], script[512];
        struct stat st;

        (void) snprintf(counter, sizeof(counter), "%s/count", dir);
        (void) snprintf(
                script, sizeof(script),
                "#!/bin/sh\necho x >>%s\necho '{\"Username\":\"u\",\"Secret\":\"s\"}'\n",
                counter);
        write_file("docker-credential-good", script, 0755);
        write_file("config.json", "{\"credsStore\":\"good\"}", 0600);
        for (int i = 0; i < 5; i++) {
                sw_auto(sw_str) user = NULL;
                sw_auto(sw_str) secret = NULL;

                ok(sw_session_credentials(sw_local_session_get(l), NULL, "a.example", &user,
                                          &secret));
                ck_assert_str_eq(secret, "s");
        }
        ck_assert_int_eq(stat(counter, &st), 0);
        ck_assert_int_eq(st.st_size, 2);
}
END_TEST

static void *
cancel_soon(void *arg)
{
        (void) sw_cancel_wait(NULL, 100 * SW_NS_PER_MS);
        sw_cancel_now(arg, "enough");
        return NULL;
}

START_TEST(a_helper_that_hangs_is_ended)
{
        sw_autoptr(sw_local_session) l = sw_local_session_new();
        sw_autoptr(sw_cancel) token = sw_cancel_new(NULL);
        sw_autoptr(sw_ctx) ctx = sw_ctx_new(token, NULL, NULL, NULL, NULL);
        char *user = NULL, *secret = NULL;
        pthread_t thread;

        write_file("docker-credential-slow", "#!/bin/sh\nexec sleep 100\n", 0755);
        write_file("config.json", "{\"credsStore\":\"slow\"}", 0600);
        int64_t start = sw_time_mono();
        ck_assert_int_eq(pthread_create(&thread, NULL, cancel_soon, token), 0);
        fails(sw_session_credentials(sw_local_session_get(l), ctx, "a.example", &user,
                                     &secret),
              SW_E_CANCELLED, "enough");
        ck_assert_int_lt(sw_time_mono() - start, 20 * SW_NS_PER_SEC);
        ck_assert_int_eq(pthread_join(thread, NULL), 0);
}
END_TEST

UNIT_MAIN_WITH("dockerauth", before, after, missing_is_anonymous, reads_auths,
               knows_the_hub_by_its_names, broken_files_are_errors, looks_where_podman_does,
               asks_helpers, helpers_that_fail_are_told, a_helper_is_asked_once,
               a_helper_that_hangs_is_ended)
