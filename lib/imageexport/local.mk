# lib/imageexport: results become an image; what exporters of images share.
noinst_LTLIBRARIES += lib/libimageexport.la
lib_libimageexport_la_SOURCES = \
	lib/imageexport/annotations.c \
	lib/imageexport/attrs.c \
	lib/imageexport/imageexport.h \
	lib/imageexport/imageexport_priv.h \
	lib/imageexport/layers.c \
	lib/imageexport/made.c \
	lib/imageexport/make.c \
	lib/imageexport/plain.c \
	lib/imageexport/progress.c
