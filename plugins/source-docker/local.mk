# source-docker: docker-image://, images of registries.
if PLUGIN_SOURCE_DOCKER
if HAVE_CURL
plugin_LTLIBRARIES += plugins/source_docker.la
endif
endif
plugins_source_docker_la_SOURCES = plugins/source-docker/plugin.c
plugins_source_docker_la_LDFLAGS = $(PLUGIN_LINK)
plugins_source_docker_la_LIBADD = lib/libimagesource.la lib/libregistry.la lib/libimage.la \
	lib/liblayerpack.la lib/liblayer.la libslipway.la $(BASE_LIBS)
