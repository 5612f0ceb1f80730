/*
 * local_test.c - catches a local session that offers what was not named, does not say what
 * is wrong with a name, reads a secret once instead of each time, or takes a pipe for a
 * file.
 */
#include <fcntl.h>
#include <sys/stat.h>

#include <slipway/localsession.h>
#include <slipway/path.h>

#include "tests/unit/tmp.h"

static char dir[128];
static sw_local_session *l;

static void
before(void)
{
        unit_mkdtemp(dir, sizeof(dir), "local");
        l = sw_local_session_new();
}

static void
after(void)
{
        sw_local_session_free(l);
        ok(sw_path_remove(AT_FDCWD, dir));
}

static void
write_file(const char *name, const char *text)
{
        char path[256];
        FILE *f;

        (void) snprintf(path, sizeof(path), "%s/%s", dir, name);
        f = fopen(path, "w");
        ck_assert_ptr_nonnull(f);
        (void) fputs(text, f);
        ck_assert_int_eq(fclose(f), 0);
}

#define spec(...)                                                                          \
        ({                                                                                 \
                static char spec_[1024];                                                   \
                (void) snprintf(spec_, sizeof(spec_), __VA_ARGS__);                        \
                spec_;                                                                     \
        })

static void
secret_is(const char *id, const char *want)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;

        ok(sw_session_secret(sw_local_session_get(l), NULL, id, &b));
        ck_assert_str_eq(b.data, want);
}

START_TEST(offers_directories)
{
        sw_auto(sw_buf) none = SW_BUF_INIT;
        int fd = -1;
        struct stat a, b;

        ok(sw_local_session_add_local(l, spec("context=%s", dir)));
        ok(sw_session_directory(sw_local_session_get(l), NULL, "context", &fd));
        ck_assert_int_eq(fstat(fd, &a), 0);
        ck_assert_int_eq(stat(dir, &b), 0);
        ck_assert(a.st_ino == b.st_ino);
        ck_assert_int_eq(close(fd), 0);
        fails(sw_session_directory(sw_local_session_get(l), NULL, "x", &fd), SW_E_NOT_FOUND,
              "no access allowed to dir \"x\" (there is: context)");
        fails(sw_session_secret(sw_local_session_get(l), NULL, "x", &none), SW_E_NOT_FOUND,
              "no secret \"x\"");
}
END_TEST

START_TEST(says_what_is_wrong_with_a_directory)
{
        write_file("file", "");
        fails(sw_local_session_add_local(l, "context"), SW_E_USAGE, "NAME=DIR");
        fails(sw_local_session_add_local(l, "=x"), SW_E_USAGE, "NAME=DIR");
        fails(sw_local_session_add_local(l, spec("a=%s/none", dir)), SW_E_NOT_FOUND,
              "none");
        fails(sw_local_session_add_local(l, spec("a=%s/file", dir)), SW_E_INVALID, "file");
        ok(sw_local_session_add_local(l, spec("a=%s", dir)));
        fails(sw_local_session_add_local(l, spec("a=%s", dir)), SW_E_USAGE, "twice");
}
END_TEST

START_TEST(reads_secrets_each_time)
{
        write_file("s", "one");
        ok(sw_local_session_add_secret(l, spec("id=s,src=%s/s", dir)));
        secret_is("s", "one");
        write_file("s", "two");
        secret_is("s", "two");
        ok(sw_local_session_add_secret(l, spec("ID=q,\"source=%s/s\"", dir)));
        secret_is("q", "two");
}
END_TEST

START_TEST(finds_secrets_in_the_environment)
{
        sw_auto(sw_buf) none = SW_BUF_INIT;

        ck_assert_int_eq(setenv("SW_TEST_SECRET", "hush", 1), 0);
        ok(sw_local_session_add_secret(l, "id=a,env=SW_TEST_SECRET"));
        secret_is("a", "hush");
        ok(sw_local_session_add_secret(l, "id=b,type=env,src=SW_TEST_SECRET"));
        secret_is("b", "hush");
        ok(sw_local_session_add_secret(l, "id=SW_TEST_SECRET"));
        secret_is("SW_TEST_SECRET", "hush");
        ok(sw_local_session_add_secret(l, "id=c,env=SW_TEST_NONE"));
        fails(sw_session_secret(sw_local_session_get(l), NULL, "c", &none), SW_E_NOT_FOUND,
              "SW_TEST_NONE is not set");
}
END_TEST

START_TEST(refuses_secrets_that_are_none)
{
        char fifo[256], big[256];

        (void) snprintf(fifo, sizeof(fifo), "%s/fifo", dir);
        ck_assert_int_eq(mkfifo(fifo, 0600), 0);
        fails(sw_local_session_add_secret(l, spec("id=a,src=%s", fifo)), SW_E_INVALID,
              "no regular file");
        write_file("big", "");
        (void) snprintf(big, sizeof(big), "%s/big", dir);
        ck_assert_int_eq(truncate(big, SW_SECRET_MAX + 1), 0);
        fails(sw_local_session_add_secret(l, spec("id=a,src=%s", big)), SW_E_LIMIT,
              "more than");
        ck_assert_int_eq(truncate(big, SW_SECRET_MAX), 0);
        ok(sw_local_session_add_secret(l, spec("id=a,src=%s", big)));
        fails(sw_local_session_add_secret(l, spec("id=a,src=%s/none", dir)), SW_E_NOT_FOUND,
              "none");
        fails(sw_local_session_add_secret(l, "src=/etc/passwd"), SW_E_USAGE, "missing ID");
        fails(sw_local_session_add_secret(l, "id=a,what=b"), SW_E_USAGE,
              "unexpected key 'what'");
        fails(sw_local_session_add_secret(l, "id=a,type=magic"), SW_E_USAGE, "magic");
        fails(sw_local_session_add_secret(l, "id"), SW_E_INVALID, "invalid value id");
        fails(sw_local_session_add_secret(l, "id=a,\"src=b"), SW_E_INVALID, "not closed");
        fails(sw_local_session_add_secret(l, "id=a,s\"rc=b"), SW_E_INVALID, "quote");
}
END_TEST

UNIT_MAIN_WITH("localsession", before, after, offers_directories,
               says_what_is_wrong_with_a_directory, reads_secrets_each_time,
               finds_secrets_in_the_environment, refuses_secrets_that_are_none)
