# exporter-local: the files of the result in a directory.
if PLUGIN_EXPORTER_LOCAL
plugin_LTLIBRARIES += plugins/exporter_local.la
endif
plugins_exporter_local_la_SOURCES = \
	lib/snapdir/copy.c \
	plugins/exporter-local/local.c \
	plugins/exporter-local/local.h \
	plugins/exporter-local/mirror.c \
	plugins/exporter-local/mirror.h \
	plugins/exporter-local/outdir.c \
	plugins/exporter-local/outdir.h \
	plugins/exporter-local/plugin.c
plugins_exporter_local_la_LDFLAGS = $(PLUGIN_LINK)
plugins_exporter_local_la_LIBADD = lib/libfsexport.la lib/liblayer.la libslipway.la
