# lib/registry: a client of registries, for the plugins that pull and push. Who links it
# links lib/libimage.la, too.
if HAVE_CURL
noinst_LTLIBRARIES += lib/libregistry.la
endif
lib_libregistry_la_SOURCES = \
	lib/registry/auth.c \
	lib/registry/blob.c \
	lib/registry/certs.c \
	lib/registry/challenge.c \
	lib/registry/client.h \
	lib/registry/errbody.c \
	lib/registry/hosts.c \
	lib/registry/link.c \
	lib/registry/list.c \
	lib/registry/parse.h \
	lib/registry/pull.c \
	lib/registry/push.c \
	lib/registry/registry.c \
	lib/registry/registry.h \
	lib/registry/slots.c \
	lib/registry/talk.c \
	lib/registry/token.c \
	lib/registry/url.c
lib_libregistry_la_CFLAGS = $(AM_CFLAGS) $(CURL_CFLAGS)
lib_libregistry_la_LIBADD = lib/libhttp.la $(BASE_LIBS)
