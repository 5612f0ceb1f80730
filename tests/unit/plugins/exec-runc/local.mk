# Unit tests of plugins/exec-runc, with real runtimes.
UNIT_TESTS += tests/unit/plugins/exec-runc/run_test
tests_unit_plugins_exec_runc_run_test_SOURCES = \
	tests/unit/plugins/exec-runc/box.h \
	tests/unit/plugins/exec-runc/run_test.c
EXTRA_tests_unit_plugins_exec_runc_run_test_DEPENDENCIES = plugins/executor_runc.la
