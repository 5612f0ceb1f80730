UNIT_TESTS += tests/unit/lib/janitor/janitor_test
tests_unit_lib_janitor_janitor_test_SOURCES = tests/unit/lib/janitor/janitor_test.c
tests_unit_lib_janitor_janitor_test_LDADD = libjanitor.la $(LDADD) -lpthread
