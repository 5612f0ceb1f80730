# snapshot-overlay: layers as upper directories of overlayfs.
if PLUGIN_SNAPSHOT_OVERLAY
plugin_LTLIBRARIES += plugins/snapshotter_overlay.la
endif
plugins_snapshotter_overlay_la_SOURCES = \
	plugins/snapshot-overlay/classic.c \
	plugins/snapshot-overlay/mount.c \
	plugins/snapshot-overlay/overlay.h \
	plugins/snapshot-overlay/places.c \
	plugins/snapshot-overlay/plan.c \
	plugins/snapshot-overlay/plugin.c \
	plugins/snapshot-overlay/probe.c \
	plugins/snapshot-overlay/store.c
plugins_snapshotter_overlay_la_LDFLAGS = $(PLUGIN_LINK)
plugins_snapshotter_overlay_la_LIBADD = libsnapdir.la libslipway.la -lpthread
