# exporter-image: the result as an image in the store, and in registries.
if PLUGIN_EXPORTER_IMAGE
if HAVE_CURL
plugin_LTLIBRARIES += plugins/exporter_image.la
endif
endif
plugins_exporter_image_la_SOURCES = \
	plugins/exporter-image/image.c \
	plugins/exporter-image/image.h \
	plugins/exporter-image/names.c \
	plugins/exporter-image/plugin.c \
	plugins/exporter-image/push.c
plugins_exporter_image_la_LDFLAGS = $(PLUGIN_LINK)
plugins_exporter_image_la_LIBADD = lib/libimageexport.la lib/libregistry.la lib/libimage.la \
	lib/liblayerpack.la lib/liblayer.la libslipway.la $(BASE_LIBS)
EXTRA_DIST += plugins/exporter-image/contract
