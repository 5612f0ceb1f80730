/*
 * tests/unit/plugins/exec-runc/stat_test.c - what cgroups count, read from directories that
 * look like theirs: machines have version 1 or 2, and not every controller.
 */
#include <fcntl.h>
#include <sys/eventfd.h>

#include <slipway/path.h>
#include <slipway/text.h>

#include "plugins/exec-runc/runc.h"
#include "tests/unit/tmp.h"

static char dir[128], outer[] = "/slipway/x";
static struct runc_cgroups all;
static struct runc_cgroup group;

static void
put(const char *hierarchy, const char *name, const char *text)
{
        sw_auto(sw_str) path = sw_asprintf("%s/slipway/x", hierarchy);
        sw_auto(sw_fd) top = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        sw_auto(sw_fd) fd = -1;

        ok(sw_path_mkdirs(top, path, 0755, &fd));
        ok(sw_path_write_file(fd, name, text, strlen(text), 0644));
}

static void
add_hierarchy(const char *name, const char *controllers)
{
        struct runc_hierarchy *h = &all.h[all.n++];

        h->path = sw_asprintf("%s/%s", dir, name);
        h->controllers = sw_strdup(controllers);
}

static void
set_up(void)
{
        unit_mkdtemp(dir, sizeof(dir), "cgroups");
        all = (struct runc_cgroups){ .usable = true };
        group = (struct runc_cgroup){
                .all = &all, .outer = outer, .oom_event = -1, .oom_control = -1
        };
}

static void
tear_down(void)
{
        sw_fd_clear(&group.oom_event);
        runc_cgroups_release(&all);
        ok(sw_path_remove(AT_FDCWD, dir));
}

static struct sw_exec_status
read_it(void)
{
        struct sw_exec_status s = {
                .cpu_ns = 77, .memory_peak = -1, .io_read = -1, .io_written = -1
        };

        runc_cgroup_read(&group, &s);
        return s;
}

/* Catches: figures of version 2 in wrong units, from wrong lines, or of one device only. */
START_TEST(version_2)
{
        all.v2 = true;
        add_hierarchy("two", "");
        put("two", "cpu.stat", "usage_usec 1234567\nuser_usec 1\nsystem_usec 2\n");
        put("two", "memory.peak", "8589934592\n");
        put("two", "memory.events", "low 0\nhigh 0\nmax 3\noom 1\noom_kill 0\n");
        put("two", "io.stat",
            "8:0 rbytes=1000 wbytes=20 rios=9 wios=9 dbytes=7 dios=7\n"
            "8:16 rbytes=5000000000 wbytes=3 rios=1 wios=1 dbytes=0 dios=0\n");
        struct sw_exec_status s = read_it();
        ck_assert_int_eq(s.cpu_ns, 1234567000);
        ck_assert_int_eq(s.memory_peak, 8589934592);
        ck_assert_int_eq(s.io_read, 5000001000);
        ck_assert_int_eq(s.io_written, 23);
        ck_assert(!s.out_of_memory);
        put("two", "memory.events", "max 3\noom 1\noom_kill 1\n");
        ck_assert(read_it().out_of_memory);
        put("two", "io.stat", "\n"); /* counted, and nothing was read */
        ck_assert_int_eq(read_it().io_read, 0);
}
END_TEST

/* Catches: what no controller counts told as 0, or the time of the process, which is known
 * without cgroups, lost. */
START_TEST(version_2_without_controllers)
{
        all.v2 = true;
        add_hierarchy("two", "");
        put("two", "cgroup.procs", "");
        struct sw_exec_status s = read_it();
        ck_assert_int_eq(s.cpu_ns, 77);
        ck_assert_int_eq(s.memory_peak, -1);
        ck_assert_int_eq(s.io_read, -1);
        ck_assert_int_eq(s.io_written, -1);
        ck_assert(!s.out_of_memory);
        put("two", "cpu.stat", "nr_periods 5\nxusage_usec 9\n");
        put("two", "memory.peak", "max\n");
        s = read_it();
        ck_assert_int_eq(s.cpu_ns, 77);
        ck_assert_int_eq(s.memory_peak, -1);
}
END_TEST

/* Catches: figures of version 1 from the wrong hierarchy, or only when a controller has one
 * of its own. */
START_TEST(version_1)
{
        add_hierarchy("cpu", ",cpu,cpuacct,");
        add_hierarchy("mem", ",memory,");
        add_hierarchy("blk", ",blkio,");
        add_hierarchy("two", ""); /* beside it, as on mixed machines */
        put("cpu", "cpuacct.usage", "1234567890\n");
        put("mem", "memory.max_usage_in_bytes", "4096\n");
        put("blk", "blkio.throttle.io_service_bytes_recursive",
            "8:0 Read 100\n8:0 Write 20\n8:0 Sync 1\n8:16 Read 3\n8:16 Write 4\nTotal "
            "127\n");
        put("two", "cpu.stat", "usage_usec 1\n");
        struct sw_exec_status s = read_it();
        ck_assert_int_eq(s.cpu_ns, 1234567890);
        ck_assert_int_eq(s.memory_peak, 4096);
        ck_assert_int_eq(s.io_read, 103);
        ck_assert_int_eq(s.io_written, 24);
        ck_assert(!s.out_of_memory);
        group.oom_event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        ck_assert(!read_it().out_of_memory);
        ck_assert_int_eq(eventfd_write(group.oom_event, 2), 0);
        ck_assert(read_it().out_of_memory);
}
END_TEST

/* Catches: a container without a cgroup of its own that is told what others used. */
START_TEST(no_cgroup)
{
        all.v2 = true;
        add_hierarchy("two", "");
        put("two", "cpu.stat", "usage_usec 1\n");
        group.outer = NULL;
        ck_assert_int_eq(read_it().cpu_ns, 77);
}
END_TEST

/* Catches: a process moved about in a hierarchy that limits it, or to a cgroup that is not
 * its own. */
START_TEST(where_to_warm)
{
        char all_lines[] = "3:name=systemd:/a/b\n2:memory:/m\n0::/u\n";
        char second[] = "2:memory:/m\n0::/u/v\n", neither[] = "2:memory:/m\n";
        char outside[] = "0::/../x\n", broken[] = "\n:\n0:\n0::\n0:::/\n";

        add_hierarchy("memory", ",rw,memory,");
        ck_assert_ptr_null(runc_warm_path(&all, neither));
        add_hierarchy("two", "");
        sw_auto(sw_str) in_two = runc_warm_path(&all, second);
        ck_assert(sw_str_has_prefix(in_two, dir));
        ck_assert_str_eq(in_two + strlen(dir), "/two/u/v");
        ck_assert_ptr_null(runc_warm_path(&all, neither));
        ck_assert_ptr_null(runc_warm_path(&all, outside));
        ck_assert_ptr_null(runc_warm_path(&all, broken));
        add_hierarchy("named", ",rw,name=systemd,");
        sw_auto(sw_str) in_named = runc_warm_path(&all, all_lines);
        ck_assert(sw_str_has_prefix(in_named, dir));
        ck_assert_str_eq(in_named + strlen(dir), "/named/a/b");
}
END_TEST

int
main(void)
{
        Suite *s = suite_create("cgroupstat");
        TCase *t = tcase_create("cgroupstat");

        tcase_add_checked_fixture(t, set_up, tear_down);
        tcase_add_test(t, version_2);
        tcase_add_test(t, version_2_without_controllers);
        tcase_add_test(t, version_1);
        tcase_add_test(t, no_cgroup);
        tcase_add_test(t, where_to_warm);
        suite_add_tcase(s, t);
        SRunner *r = srunner_create(s);
        srunner_set_tap(r, "-");
        srunner_run_all(r, CK_SILENT);
        int failed = srunner_ntests_failed(r);
        srunner_free(r);
        return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
