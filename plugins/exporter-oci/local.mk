# exporter-oci: the result as an image in an archive or a directory.
if PLUGIN_EXPORTER_OCI
plugin_LTLIBRARIES += plugins/exporter_oci.la
endif
plugins_exporter_oci_la_SOURCES = \
	plugins/exporter-oci/archive.c \
	plugins/exporter-oci/layout.c \
	plugins/exporter-oci/oci.c \
	plugins/exporter-oci/oci.h \
	plugins/exporter-oci/plugin.c
plugins_exporter_oci_la_LDFLAGS = $(PLUGIN_LINK)
plugins_exporter_oci_la_LIBADD = lib/libimageexport.la lib/libimagearchive.la lib/libimage.la lib/liblayerpack.la lib/liblayer.la libslipway.la $(BASE_LIBS)
