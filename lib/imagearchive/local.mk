# lib/imagearchive: images as tar archives. Who links it links libimage.la and liblayer.la, too.
noinst_LTLIBRARIES += lib/libimagearchive.la
lib_libimagearchive_la_SOURCES = \
	lib/imagearchive/archive.c \
	lib/imagearchive/imagearchive.h \
	lib/imagearchive/index.c
