# source-local: local://, directories of the client that are not copied.
if PLUGIN_SOURCE_LOCAL
plugin_LTLIBRARIES += plugins/source_local.la
endif
source_local_files = plugins/source-local/dirref.c plugins/source-local/follow.c \
	plugins/source-local/list.c plugins/source-local/local.h \
	plugins/source-local/report.c plugins/source-local/statcache.c \
	plugins/source-local/walk.c
plugins_source_local_la_SOURCES = plugins/source-local/plugin.c $(source_local_files)
plugins_source_local_la_LDFLAGS = $(PLUGIN_LINK)
plugins_source_local_la_LIBADD = libslipway.la $(BASE_LIBS)
