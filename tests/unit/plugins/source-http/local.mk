if HAVE_CURL
UNIT_TESTS += tests/unit/plugins/source-http/http_test
endif
tests_unit_plugins_source_http_http_test_SOURCES = $(source_http_files) \
	tests/unit/plugins/source-http/http_test.c
# Objects of their own: those of the plugin are libtool's.
tests_unit_plugins_source_http_http_test_CFLAGS = $(AM_CFLAGS)
tests_unit_plugins_source_http_http_test_LDADD = lib/libhttp.la $(LDADD)
