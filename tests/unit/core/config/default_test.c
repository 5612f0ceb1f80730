/*
 * core/config/default.c - directories by user and environment. Catches a user's program
 * that would use the system's directories, and unusable variables that are believed.
 */
#include <fcntl.h>
#include <sched.h>
#include <sys/types.h>

#include <slipway/text.h>

#include "core/config/schema.h"
#include "tests/unit/core/config/load.h"

/* Become nobody in particular; each test is a process of its own. False: not allowed. */
static bool
become_user(void)
{
        return geteuid() != 0 || setresuid(12345, 12345, 12345) == 0;
}

static void
clear_env(void)
{
        unsetenv("XDG_DATA_HOME");
        unsetenv("XDG_CONFIG_HOME");
        unsetenv("XDG_RUNTIME_DIR");
        setenv("HOME", "/home/me", 1);
}

START_TEST(root_uses_the_system)
{
        sw_autoptr(sw_config) c = NULL;

        if (geteuid() != 0)
                return;
        clear_env();
        setenv("USER", "root", 1);
        c = sw_config_new();
        sw_auto(sw_str) file = sw__config_default_path();
        ck_assert_str_eq(sw_config_str(c, "root"), "/var/lib/slipway");
        ck_assert_str_eq(sw_config_list(c, "grpc.address")->v[0],
                         "unix:///run/slipway/slipwayd.sock");
        ck_assert_str_eq(sw_config_str(c, "otel.socketPath"),
                         "/run/slipway/otel-grpc.sock");
        ck_assert_str_eq(file, SW_SYSCONFDIR "/slipway/slipway.yaml");
}
END_TEST

/* Become root of a new user namespace; false: not allowed here. */
static bool
become_mapped_root(void)
{
        sw_auto(sw_str) map = sw_asprintf("0 %u 1", (unsigned) geteuid());
        sw_auto(sw_fd) fd = -1;

        if (unshare(CLONE_NEWUSER) < 0)
                return false;
        fd = open("/proc/self/uid_map", O_WRONLY | O_CLOEXEC);
        return fd >= 0 && write(fd, map, strlen(map)) > 0 && geteuid() == 0;
}

START_TEST(mapped_root_counts_as_its_user)
{
        if (!become_mapped_root())
                return;
        clear_env();
        setenv("USER", "somebody", 1);
        sw_auto(sw_str) own = sw__config_default_path();
        ck_assert_str_eq(own, "/home/me/.config/slipway/slipway.yaml");

        /* in a container, where nobody is anybody else */
        setenv("USER", "root", 1);
        sw_auto(sw_str) root = sw__config_default_path();
        ck_assert_str_eq(root, SW_SYSCONFDIR "/slipway/slipway.yaml");
        unsetenv("USER");
        sw_auto(sw_str) unset = sw__config_default_path();
        ck_assert_str_eq(unset, SW_SYSCONFDIR "/slipway/slipway.yaml");
}
END_TEST

START_TEST(users_use_their_own)
{
        if (!become_user())
                return;
        clear_env();
        setenv("XDG_DATA_HOME", "/data", 1);
        setenv("XDG_CONFIG_HOME", "/config", 1);
        setenv("XDG_RUNTIME_DIR", "/rt", 1);
        sw_autoptr(sw_config) c = sw_config_new();
        sw_auto(sw_str) file = sw__config_default_path();

        ck_assert_str_eq(sw_config_str(c, "root"), "/data/slipway");
        ck_assert_str_eq(sw_config_list(c, "grpc.address")->v[0],
                         "unix:///rt/slipway/slipwayd.sock");
        ck_assert_str_eq(sw_config_str(c, "otel.socketPath"), "/rt/slipway/otel-grpc.sock");
        ck_assert_str_eq(sw_config_str(c, "worker.oci.cniConfigPath"),
                         "/config/slipway/cni.json");
        ck_assert_str_eq(file, "/config/slipway/slipway.yaml");
}
END_TEST

START_TEST(without_xdg_the_home_directory_is_used)
{
        if (!become_user())
                return;
        clear_env();
        /* what is not an absolute path counts as unset */
        setenv("XDG_DATA_HOME", "relative", 1);
        setenv("XDG_CONFIG_HOME", "", 1);
        setenv("XDG_RUNTIME_DIR", "/run\n/x", 1);
        sw_autoptr(sw_config) c = sw_config_new();
        sw_auto(sw_str) file = sw__config_default_path();
        sw_auto(sw_str) address = sw_asprintf("unix:///run/user/%u/slipway/slipwayd.sock",
                                              (unsigned) geteuid());

        ck_assert_str_eq(sw_config_str(c, "root"), "/home/me/.local/share/slipway");
        ck_assert_str_eq(sw_config_list(c, "grpc.address")->v[0], address);
        ck_assert_str_eq(file, "/home/me/.config/slipway/slipway.yaml");
}
END_TEST

START_TEST(homeless_users_have_no_default)
{
        if (geteuid() != 0 || !become_user())
                return;
        clear_env();
        unsetenv("HOME"); /* and 12345 is not in the password file */
        sw_autoptr(sw_config) c = sw_config_new();

        ck_assert_ptr_null(sw__config_default_path());
        ck_assert_ptr_null(sw_config_str(c, "root"));
        ck_assert(!sw_config_has(c, "root"));
}
END_TEST

UNIT_MAIN("default", root_uses_the_system, mapped_root_counts_as_its_user,
          users_use_their_own, without_xdg_the_home_directory_is_used,
          homeless_users_have_no_default)
