# exporter-discard: drop the result; for benchmarks.
if PLUGIN_EXPORTER_DISCARD
plugin_LTLIBRARIES += plugins/exporter_discard.la
endif
plugins_exporter_discard_la_SOURCES = plugins/exporter-discard/plugin.c
plugins_exporter_discard_la_LDFLAGS = $(PLUGIN_LINK)
plugins_exporter_discard_la_LIBADD = libslipway.la
