# Unit tests of plugins/exec-runc, with real runtimes.
UNIT_TESTS += tests/unit/plugins/exec-runc/run_test
tests_unit_plugins_exec_runc_run_test_SOURCES = \
	tests/unit/plugins/exec-runc/box.h \
	tests/unit/plugins/exec-runc/run_test.c
EXTRA_tests_unit_plugins_exec_runc_run_test_DEPENDENCIES = plugins/executor_runc.la

# Parts of the plugin by themselves.
UNIT_TESTS += tests/unit/plugins/exec-runc/stat_test
tests_unit_plugins_exec_runc_stat_test_SOURCES = \
	plugins/exec-runc/cgroup.c \
	plugins/exec-runc/cgroupstat.c \
	plugins/exec-runc/warm.c \
	tests/unit/plugins/exec-runc/stat_test.c
tests_unit_plugins_exec_runc_stat_test_CFLAGS = $(AM_CFLAGS) # objects of its own

UNIT_TESTS += tests/unit/plugins/exec-runc/filter_test
tests_unit_plugins_exec_runc_filter_test_SOURCES = \
	plugins/exec-runc/filter.c \
	plugins/exec-runc/seccomp.c \
	tests/unit/plugins/exec-runc/filter_test.c
tests_unit_plugins_exec_runc_filter_test_CFLAGS = $(AM_CFLAGS) # objects of its own
