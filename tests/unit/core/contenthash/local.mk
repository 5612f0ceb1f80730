# Unit tests of core/contenthash.
UNIT_TESTS += tests/unit/core/contenthash/contenthash_test
tests_unit_core_contenthash_contenthash_test_SOURCES = tests/unit/core/contenthash/contenthash_test.c

# Over layers of a real snapshotter.
if !STATIC_PLUGINS
UNIT_TESTS += tests/unit/core/contenthash/keep_test
endif
tests_unit_core_contenthash_keep_test_SOURCES = tests/unit/core/contenthash/keep_test.c
EXTRA_tests_unit_core_contenthash_keep_test_DEPENDENCIES = plugins/snapshotter_overlay.la

# For tests/integration/contenthash.py.
check_PROGRAMS += tests/unit/core/contenthash/hash_tool
tests_unit_core_contenthash_hash_tool_SOURCES = tests/unit/core/contenthash/hash_tool.c
