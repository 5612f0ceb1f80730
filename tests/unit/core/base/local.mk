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

UNIT_TESTS += tests/unit/core/base/array_test
tests_unit_core_base_array_test_SOURCES = tests/unit/core/base/array_test.c

UNIT_TESTS += tests/unit/core/base/buf_test
tests_unit_core_base_buf_test_SOURCES = tests/unit/core/base/buf_test.c

UNIT_TESTS += tests/unit/core/base/digest_test
tests_unit_core_base_digest_test_SOURCES = tests/unit/core/base/digest_test.c

UNIT_TESTS += tests/unit/core/base/error_test
tests_unit_core_base_error_test_SOURCES = tests/unit/core/base/error_test.c

UNIT_TESTS += tests/unit/core/base/id_test
tests_unit_core_base_id_test_SOURCES = tests/unit/core/base/id_test.c

UNIT_TESTS += tests/unit/core/base/json_test
tests_unit_core_base_json_test_SOURCES = tests/unit/core/base/json_test.c

UNIT_TESTS += tests/unit/core/base/mem_test
tests_unit_core_base_mem_test_SOURCES = tests/unit/core/base/mem_test.c

UNIT_TESTS += tests/unit/core/base/siphash_test
tests_unit_core_base_siphash_test_SOURCES = tests/unit/core/base/siphash_test.c

UNIT_TESTS += tests/unit/core/base/text_test
tests_unit_core_base_text_test_SOURCES = tests/unit/core/base/text_test.c

UNIT_TESTS += tests/unit/core/base/time_test
tests_unit_core_base_time_test_SOURCES = tests/unit/core/base/time_test.c

UNIT_TESTS += tests/unit/core/base/pathremove_test
tests_unit_core_base_pathremove_test_SOURCES = tests/unit/core/base/pathremove_test.c

UNIT_TESTS += tests/unit/core/base/pathtext_test
tests_unit_core_base_pathtext_test_SOURCES = tests/unit/core/base/pathtext_test.c

UNIT_TESTS += tests/unit/core/base/pool_test
tests_unit_core_base_pool_test_SOURCES = tests/unit/core/base/pool_test.c

UNIT_TESTS += tests/unit/core/base/spawn_test
tests_unit_core_base_spawn_test_SOURCES = tests/unit/core/base/spawn_test.c

UNIT_TESTS += tests/unit/core/base/glob_test
tests_unit_core_base_glob_test_SOURCES = tests/unit/core/base/glob_test.c

UNIT_TESTS += tests/unit/core/base/pattern_test
tests_unit_core_base_pattern_test_SOURCES = tests/unit/core/base/pattern_test.c

UNIT_TESTS += tests/unit/core/base/io_test
tests_unit_core_base_io_test_SOURCES = tests/unit/core/base/io_test.c

UNIT_TESTS += tests/unit/core/base/tarhead_test
tests_unit_core_base_tarhead_test_SOURCES = tests/unit/core/base/tarhead_test.c
