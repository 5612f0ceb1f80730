# lib/image: names, manifests and configurations of images, for the plugins that move them.
noinst_LTLIBRARIES += lib/libimage.la
lib_libimage_la_SOURCES = \
	lib/image/choose.c \
	lib/image/config.c \
	lib/image/configmake.c \
	lib/image/desc.c \
	lib/image/image.h \
	lib/image/image_priv.h \
	lib/image/jsonout.c \
	lib/image/manifest.c \
	lib/image/media.c
lib_libimage_la_LIBADD = $(BASE_LIBS)
