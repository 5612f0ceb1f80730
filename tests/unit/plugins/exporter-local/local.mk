UNIT_TESTS += tests/unit/plugins/exporter-local/outdir_test
tests_unit_plugins_exporter_local_outdir_test_SOURCES = \
	lib/snapdir/copy.c \
	plugins/exporter-local/mirror.c \
	plugins/exporter-local/outdir.c \
	tests/unit/plugins/exporter-local/outdir_test.c
tests_unit_plugins_exporter_local_outdir_test_LDADD = lib/liblayer.la $(LDADD)
# Objects of their own: those of the plugin are libtool's.
tests_unit_plugins_exporter_local_outdir_test_CFLAGS = $(AM_CFLAGS)

# Through the modules.
if !STATIC_PLUGINS
UNIT_TESTS += tests/unit/plugins/exporter-local/platforms_test
endif
tests_unit_plugins_exporter_local_platforms_test_SOURCES = \
	tests/unit/plugins/exporter-local/platforms_test.c
EXTRA_tests_unit_plugins_exporter_local_platforms_test_DEPENDENCIES = \
	plugins/exporter_local.la plugins/exporter_tar.la
