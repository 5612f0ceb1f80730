# Unit tests of core/base.
UNIT_TESTS += tests/unit/core/base/map_test
tests_unit_core_base_map_test_SOURCES = tests/unit/core/base/map_test.c
