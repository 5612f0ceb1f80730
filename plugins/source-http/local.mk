# source-http: http:// and https://, one file each.
if PLUGIN_SOURCE_HTTP
if HAVE_CURL
plugin_LTLIBRARIES += plugins/source_http.la
endif
endif
source_http_files = plugins/source-http/date.c plugins/source-http/fetch.c \
	plugins/source-http/head.c plugins/source-http/http.h plugins/source-http/name.c \
	plugins/source-http/name.h plugins/source-http/remember.c plugins/source-http/request.c \
	plugins/source-http/source.c plugins/source-http/source.h plugins/source-http/spec.c \
	plugins/source-http/tree.c plugins/source-http/trip.h
plugins_source_http_la_SOURCES = plugins/source-http/plugin.c $(source_http_files)
plugins_source_http_la_LDFLAGS = $(PLUGIN_LINK)
plugins_source_http_la_LIBADD = lib/libhttp.la libslipway.la $(BASE_LIBS)
