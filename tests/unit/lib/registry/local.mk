# Unit tests of lib/registry; tests/integration/registry-*.sh have the rest.
if HAVE_CURL
UNIT_TESTS += tests/unit/lib/registry/parse_test
endif
tests_unit_lib_registry_parse_test_SOURCES = tests/unit/lib/registry/parse_test.c
tests_unit_lib_registry_parse_test_LDADD = lib/libregistry.la $(LDADD)
