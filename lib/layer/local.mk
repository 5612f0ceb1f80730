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
EXTRA_DIST += lib/layer/pack.h lib/layer/unpack.h
