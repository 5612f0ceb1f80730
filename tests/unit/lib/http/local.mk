# Unit tests of lib/http.
if HAVE_CURL
UNIT_TESTS += tests/unit/lib/http/near_test
endif
tests_unit_lib_http_near_test_SOURCES = tests/unit/lib/http/near_test.c
tests_unit_lib_http_near_test_LDADD = lib/libhttp.la $(LDADD)
