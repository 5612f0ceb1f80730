# frontend-dockerfile: Dockerfiles, as BuildKit's frontend of that name reads them.
if PLUGIN_FRONTEND_DOCKERFILE
plugin_LTLIBRARIES += plugins/frontend_dockerfile.la
endif
plugins_frontend_dockerfile_la_SOURCES = \
	plugins/frontend-dockerfile/build.c \
	plugins/frontend-dockerfile/build.h \
	plugins/frontend-dockerfile/dockerfile.h \
	plugins/frontend-dockerfile/plugin.c \
	plugins/frontend-dockerfile/requests.c \
	plugins/frontend-dockerfile/result.c \
	plugins/frontend-dockerfile/syntax.c \
	plugins/frontend-dockerfile/warn.c
plugins_frontend_dockerfile_la_LDFLAGS = $(PLUGIN_LINK)
plugins_frontend_dockerfile_la_LIBADD = lib/libdockerfile.la libslipway.la $(BASE_LIBS) -lpthread
