UNIT_TESTS += tests/unit/lib/snapdir/snapdir_test
tests_unit_lib_snapdir_snapdir_test_SOURCES = tests/unit/lib/snapdir/snapdir_test.c
tests_unit_lib_snapdir_snapdir_test_LDADD = libsnapdir.la $(LDADD) -lpthread
