# lib/http: single HTTP exchanges on libcurl, and what goes around them: trust, URLs, waits
# between tries. For the registry client and the plugins that download.
if HAVE_CURL
noinst_LTLIBRARIES += lib/libhttp.la
endif
lib_libhttp_la_SOURCES = \
	lib/http/curl.c \
	lib/http/curl.h \
	lib/http/http.c \
	lib/http/http.h \
	lib/http/loop.c \
	lib/http/printable.c \
	lib/http/retry.c \
	lib/http/retry.h \
	lib/http/tls.c \
	lib/http/tls.h \
	lib/http/url.c \
	lib/http/url.h \
	lib/http/xfer.c \
	lib/http/xfer.h
lib_libhttp_la_CFLAGS = $(AM_CFLAGS) $(CURL_CFLAGS)
lib_libhttp_la_LIBADD = $(BASE_LIBS)
