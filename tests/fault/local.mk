# What happens when the n-th allocation or system call fails. Needs modules to load.
if !STATIC_PLUGINS
check_PROGRAMS += tests/fault/fault_test
TESTS += tests/fault/fault_test
endif
tests_fault_fault_test_SOURCES = tests/fault/fault_test.c tests/fault/inject.c tests/fault/inject.h
tests_fault_fault_test_LDADD = libslipway.la -ldl
check_PROGRAMS += tests/fault/snapdir_test
TESTS += tests/fault/snapdir_test
tests_fault_snapdir_test_SOURCES = tests/fault/snapdir_test.c tests/fault/inject.c tests/fault/inject.h
tests_fault_snapdir_test_LDADD = libsnapdir.la libslipway.la -ldl -lpthread
