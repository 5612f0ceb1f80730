# exporter-tar: the result as a tar archive.
if PLUGIN_EXPORTER_TAR
plugin_LTLIBRARIES += plugins/exporter_tar.la
endif
plugins_exporter_tar_la_SOURCES = \
	plugins/exporter-tar/plugin.c \
	plugins/exporter-tar/tar.c \
	plugins/exporter-tar/tar.h
plugins_exporter_tar_la_LDFLAGS = $(PLUGIN_LINK)
plugins_exporter_tar_la_LIBADD = lib/libfsexport.la lib/liblayer.la libslipway.la
