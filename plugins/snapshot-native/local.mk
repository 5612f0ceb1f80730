# snapshot-native: layers as directories, trees as plain copies; needs no overlayfs.
if PLUGIN_SNAPSHOT_NATIVE
plugin_LTLIBRARIES += plugins/snapshotter_native.la
endif
plugins_snapshotter_native_la_SOURCES = \
	plugins/snapshot-native/native.h \
	plugins/snapshot-native/plugin.c \
	plugins/snapshot-native/store.c
plugins_snapshotter_native_la_LDFLAGS = $(PLUGIN_LINK)
plugins_snapshotter_native_la_LIBADD = libsnapdir.la libslipway.la -lpthread
