/*
 * Unit tests of core/store/aside.c. Catch: what was set aside that fills the disk; the
 * newest removed instead of the oldest; somebody else's files taken for ours.
 */
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <slipway/mem.h>
#include <slipway/path.h>
#include <slipway/text.h>
#include <slipway/time.h>

#include "core/store/aside.h"
#include "tests/unit/tmp.h"
#include "tests/unit/unit.h"

static char dir[64];
static int at = -1;

static void
begin(void)
{
        unit_mkdtemp(dir, sizeof(dir), "aside");
        at = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        ck_assert_int_ge(at, 0);
}

static void
end(void)
{
        sw_auto(sw_fd) top = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

        ok(sw_path_remove(top, dir));
        ck_assert_int_eq(close(at), 0);
}

static void
put(const char *name)
{
        sw_auto(sw_fd) fd = openat(at, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

        ck_assert_msg(fd >= 0, "%s", name);
}

static bool
there(const char *name)
{
        struct stat st;

        return fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static int
entries(void)
{
        DIR *d = opendir(dir);
        const struct dirent *e;
        int n = 0;

        while ((e = readdir(d)))
                n += e->d_name[0] != '.';
        (void) closedir(d);
        return n;
}

START_TEST(renames)
{
        sw_auto(sw_str) name = NULL;
        int64_t when;

        put("file");
        ok(sw__set_aside(at, "file", NULL, &name));
        ck_assert(!there("file") && there(name));
        ck_assert(sw_str_has_prefix(name, "file.damaged-"));
        ok(sw_time_parse(name + strlen("file.damaged-"), &when));
        ck_assert_int_lt(sw_time_now() - when, 3600 * SW_NS_PER_SEC);
}
END_TEST

START_TEST(keeps_the_newest_three)
{
        static const char *const older[] = { "file.damaged-2020-01-01T00:00:00Z",
                                             "file.damaged-2020-01-01T00:00:00Z.2",
                                             "file.damaged-2020-01-01T00:00:00.5Z",
                                             "file.damaged-2019-12-31T23:59:59Z",
                                             "file.damaged-2020-01-01T00:00:00Z.10" };
        sw_auto(sw_str) name = NULL;

        for (size_t i = 0; i < SW_COUNT(older); i++)
                put(older[i]);
        put("file");
        ok(sw__set_aside(at, "file", NULL, &name));
        ck_assert(there(name));
        ck_assert(there("file.damaged-2020-01-01T00:00:00.5Z"));
        ck_assert(there("file.damaged-2020-01-01T00:00:00Z.10"));
        ck_assert(!there("file.damaged-2020-01-01T00:00:00Z"));
        ck_assert(!there("file.damaged-2020-01-01T00:00:00Z.2"));
        ck_assert(!there("file.damaged-2019-12-31T23:59:59Z"));
}
END_TEST

START_TEST(removes_directories)
{
        for (int i = 0; i < 6; i++) {
                sw_auto(sw_str) name = NULL;
                sw_auto(sw_str) inside = sw_asprintf("file/%d", i);

                ck_assert_int_eq(mkdirat(at, "file", 0700), 0);
                put(inside);
                ok(sw__set_aside(at, "file", NULL, &name));
                ck_assert(there(name));
        }
        ck_assert_int_eq(entries(), SW_ASIDE_KEPT); /* nothing of the first ones is left */
}
END_TEST

START_TEST(leaves_what_is_not_ours)
{
        static const char *const others[] = {
                "file.damaged-",
                "file.damaged-2020-01-01",
                "file.damaged-2020-01-01T00:00:00",
                "file.damaged-2020-01-01T00:00:00Z.",
                "file.damaged-2020-01-01T00:00:00Z.0",
                "file.damaged-2020-01-01T00:00:00Z.x",
                "file.damaged-2020-01-01T00:00:00Zx",
                "file.damaged-2020-01-01T00:00:00Z.1.gz",
                "file.damaged-for-anna",
                "other.damaged-2020-01-01T00:00:00Z",
                "xfile.damaged-2020-01-01T00:00:00Z",
        };

        for (size_t i = 0; i < SW_COUNT(others); i++)
                put(others[i]);
        for (int i = 0; i < 5; i++) {
                sw_auto(sw_str) name = NULL;

                put("file");
                ok(sw__set_aside(at, "file", NULL, &name));
        }
        for (size_t i = 0; i < SW_COUNT(others); i++)
                ck_assert_msg(there(others[i]), "%s", others[i]);
}
END_TEST

START_TEST(says_what_is_not_there)
{
        sw_auto(sw_str) name = NULL;

        fails(sw__set_aside(at, "file", NULL, &name), SW_E_NOT_FOUND,
              "set the damaged file aside");
        ck_assert_ptr_null(name);
}
END_TEST

UNIT_MAIN_WITH("aside", begin, end, renames, keeps_the_newest_three, removes_directories,
               leaves_what_is_not_ours, says_what_is_not_there)
