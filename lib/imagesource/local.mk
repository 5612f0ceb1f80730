# lib/imagesource: what sources of images have in common.
noinst_LTLIBRARIES += lib/libimagesource.la
lib_libimagesource_la_SOURCES = \
	lib/imagesource/blobfile.c \
	lib/imagesource/documents.c \
	lib/imagesource/documents_priv.h \
	lib/imagesource/imagesource.h \
	lib/imagesource/source.c \
	lib/imagesource/table.c \
	lib/imagesource/unpack.c
