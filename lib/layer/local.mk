# lib/layer: trees and archives, for the plugins that read or write them.
noinst_LTLIBRARIES += lib/liblayer.la
lib_liblayer_la_SOURCES = \
	lib/layer/spool.c \
	lib/layer/spool.h \
	lib/layer/tar.c \
	lib/layer/tar.h \
	lib/layer/tarfd.c \
	lib/layer/tarhead.c \
	lib/layer/tarhead.h \
	lib/layer/walk.c \
	lib/layer/walk.h

# Packed layers. Who links this links liblayer.la, too.
noinst_LTLIBRARIES += lib/liblayerpack.la
lib_liblayerpack_la_SOURCES = \
	lib/layer/pack.c \
	lib/layer/pack.h \
	lib/layer/pack_priv.h \
	lib/layer/packgzip.c \
	lib/layer/packstargz.c \
	lib/layer/packzstd.c \
	lib/layer/unpack.c \
	lib/layer/unpack.h \
	lib/layer/unpackahead.c \
	lib/layer/unpackahead.h \
	lib/layer/unpacked.c \
	lib/layer/unpackpax.c \
	lib/layer/unpacksparse.c \
	lib/layer/unpacktar.c \
	lib/layer/unpacktar.h
lib_liblayerpack_la_CFLAGS = $(AM_CFLAGS) $(LAYERPACK_CFLAGS)
lib_liblayerpack_la_LIBADD = $(LAYERPACK_LIBS)
