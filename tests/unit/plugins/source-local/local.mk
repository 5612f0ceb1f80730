UNIT_TESTS += tests/unit/plugins/source-local/local_test
tests_unit_plugins_source_local_local_test_SOURCES = \
	plugins/source-local/plugin.c $(source_local_files) \
	tests/unit/plugins/source-local/local_test.c
# Objects of their own: those of the plugin are libtool's.
tests_unit_plugins_source_local_local_test_CFLAGS = $(AM_CFLAGS)
