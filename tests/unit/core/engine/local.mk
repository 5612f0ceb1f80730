# Unit tests of core/engine; they load real exporters.
if !STATIC_PLUGINS
UNIT_TESTS += tests/unit/core/engine/build_test tests/unit/core/engine/disk_test
endif
tests_unit_core_engine_build_test_SOURCES = tests/unit/core/engine/build_test.c tests/unit/core/engine/fixture.h
tests_unit_core_engine_disk_test_SOURCES = tests/unit/core/engine/disk_test.c tests/unit/core/engine/fixture.h
EXTRA_tests_unit_core_engine_build_test_DEPENDENCIES = plugins/exporter_discard.la plugins/exporter_local.la

if !STATIC_PLUGINS
UNIT_TESTS += tests/unit/core/engine/steady_test
endif
tests_unit_core_engine_steady_test_SOURCES = tests/unit/core/engine/steady_test.c
EXTRA_tests_unit_core_engine_steady_test_DEPENDENCIES = plugins/exporter_discard.la

if !STATIC_PLUGINS
UNIT_TESTS += tests/unit/core/engine/frontend_test
endif
tests_unit_core_engine_frontend_test_SOURCES = tests/unit/core/engine/frontend_test.c tests/unit/core/engine/fixture.h
EXTRA_tests_unit_core_engine_frontend_test_DEPENDENCIES = plugins/exporter_local.la plugins/source_local.la tests/fake-plugins/frontend_fake.la tests/fake-plugins/source_fake.la

UNIT_TESTS += tests/unit/core/engine/story_test
tests_unit_core_engine_story_test_SOURCES = tests/unit/core/engine/story_test.c
tests_unit_core_engine_story_test_LDADD = $(LDADD) $(ZSTD_LIBS)
if !STATIC_PLUGINS
UNIT_TESTS += tests/unit/core/engine/history_test
endif
tests_unit_core_engine_history_test_SOURCES = tests/unit/core/engine/history_test.c tests/unit/core/engine/fixture.h
tests_unit_core_engine_history_test_LDADD = $(LDADD) $(LMDB_LIBS)
EXTRA_tests_unit_core_engine_history_test_DEPENDENCIES = plugins/exporter_discard.la
