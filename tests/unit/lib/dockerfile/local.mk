UNIT_TESTS += \
	tests/unit/lib/dockerfile/cases_test
tests_unit_lib_dockerfile_cases_test_SOURCES = \
	tests/unit/lib/dockerfile/cases_test.c tests/unit/lib/dockerfile/cases.h
tests_unit_lib_dockerfile_cases_test_LDADD = lib/libdockerfile.la $(LDADD)
EXTRA_DIST += tests/data/dockerfile-cases
