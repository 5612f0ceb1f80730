# Unit tests of core/plugin. Those over fake plugins need modules that can be loaded.
noinst_HEADERS += tests/unit/core/plugin/hosted.h

UNIT_TESTS += tests/unit/core/plugin/kind_test
tests_unit_core_plugin_kind_test_SOURCES = tests/unit/core/plugin/kind_test.c

UNIT_TESTS += tests/unit/core/plugin/exporter_test
tests_unit_core_plugin_exporter_test_SOURCES = tests/unit/core/plugin/exporter_test.c

UNIT_TESTS += tests/unit/core/plugin/options_test
tests_unit_core_plugin_options_test_SOURCES = tests/unit/core/plugin/options_test.c

UNIT_TESTS += tests/unit/core/plugin/order_test
tests_unit_core_plugin_order_test_SOURCES = tests/unit/core/plugin/order_test.c

if !STATIC_PLUGINS
UNIT_TESTS += tests/unit/core/plugin/host_test tests/unit/core/plugin/broken_test
endif
tests_unit_core_plugin_host_test_SOURCES = tests/unit/core/plugin/host_test.c
tests_unit_core_plugin_broken_test_SOURCES = tests/unit/core/plugin/broken_test.c

if STATIC_PLUGINS
if PLUGIN_EXPORTER_DISCARD
UNIT_TESTS += tests/unit/core/plugin/builtin_test
endif
tests_unit_core_plugin_builtin_test_LDFLAGS = $(PROGRAM_LINK)
tests_unit_core_plugin_builtin_test_DEPENDENCIES = libslipway.la $(PROGRAM_DEPS)
endif
tests_unit_core_plugin_builtin_test_SOURCES = tests/unit/core/plugin/builtin_test.c
