# Unit tests of core/config.
noinst_HEADERS += tests/unit/core/config/load.h

UNIT_TESTS += tests/unit/core/config/check_test
tests_unit_core_config_check_test_SOURCES = tests/unit/core/config/check_test.c

UNIT_TESTS += tests/unit/core/config/config_test
tests_unit_core_config_config_test_SOURCES = tests/unit/core/config/config_test.c

UNIT_TESTS += tests/unit/core/config/default_test
tests_unit_core_config_default_test_SOURCES = tests/unit/core/config/default_test.c

UNIT_TESTS += tests/unit/core/config/explain_test
tests_unit_core_config_explain_test_SOURCES = tests/unit/core/config/explain_test.c

UNIT_TESTS += tests/unit/core/config/load_test
tests_unit_core_config_load_test_SOURCES = tests/unit/core/config/load_test.c

UNIT_TESTS += tests/unit/core/config/merge_test
tests_unit_core_config_merge_test_SOURCES = tests/unit/core/config/merge_test.c

UNIT_TESTS += tests/unit/core/config/plugin_test
tests_unit_core_config_plugin_test_SOURCES = tests/unit/core/config/plugin_test.c

UNIT_TESTS += tests/unit/core/config/schema_test
tests_unit_core_config_schema_test_SOURCES = tests/unit/core/config/schema_test.c

UNIT_TESTS += tests/unit/core/config/yaml_test
tests_unit_core_config_yaml_test_SOURCES = tests/unit/core/config/yaml_test.c
