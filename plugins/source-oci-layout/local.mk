# source-oci-layout: oci-layout://, images in directories.
if PLUGIN_SOURCE_OCI_LAYOUT
plugin_LTLIBRARIES += plugins/source_oci_layout.la
endif
plugins_source_oci_layout_la_SOURCES = plugins/source-oci-layout/plugin.c
plugins_source_oci_layout_la_LDFLAGS = $(PLUGIN_LINK)
plugins_source_oci_layout_la_LIBADD = lib/libimagesource.la lib/libimage.la lib/liblayerpack.la lib/liblayer.la \
	libslipway.la $(BASE_LIBS)
