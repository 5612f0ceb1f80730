# plugins/@FOLDER@: made by ./dev new-plugin.
if PLUGIN_@COND@
plugin_LTLIBRARIES += plugins/@MODULE@.la
dist_check_SCRIPTS += plugins/@FOLDER@/test.sh
endif
plugins_@MODULE@_la_SOURCES = plugins/@FOLDER@/plugin.c
plugins_@MODULE@_la_LDFLAGS = $(PLUGIN_LINK)
plugins_@MODULE@_la_LIBADD = libslipway.la
