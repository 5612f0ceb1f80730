# Unit tests of core/store.
UNIT_TESTS += tests/unit/core/store/ref_test
tests_unit_core_store_ref_test_SOURCES = tests/unit/core/store/ref_test.c
