# Unit tests of core/base.
UNIT_TESTS += tests/unit/core/base/map_test
tests_unit_core_base_map_test_SOURCES = tests/unit/core/base/map_test.c

UNIT_TESTS += tests/unit/core/base/cancel_test
tests_unit_core_base_cancel_test_SOURCES = tests/unit/core/base/cancel_test.c

UNIT_TESTS += tests/unit/core/base/ctx_test
tests_unit_core_base_ctx_test_SOURCES = tests/unit/core/base/ctx_test.c

UNIT_TESTS += tests/unit/core/base/log_test
tests_unit_core_base_log_test_SOURCES = tests/unit/core/base/log_test.c

UNIT_TESTS += tests/unit/core/base/path_test
tests_unit_core_base_path_test_SOURCES = tests/unit/core/base/path_test.c
