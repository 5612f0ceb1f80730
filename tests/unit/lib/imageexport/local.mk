UNIT_TESTS += tests/unit/lib/imageexport/attrs_test
tests_unit_lib_imageexport_attrs_test_SOURCES = tests/unit/lib/imageexport/attrs_test.c
tests_unit_lib_imageexport_attrs_test_LDADD = lib/libimageexport.la lib/libimage.la lib/liblayerpack.la \
	lib/liblayer.la $(LDADD)
UNIT_TESTS += tests/unit/lib/imageexport/make_test
tests_unit_lib_imageexport_make_test_SOURCES = tests/unit/lib/imageexport/make_test.c
tests_unit_lib_imageexport_make_test_LDADD = $(tests_unit_lib_imageexport_attrs_test_LDADD)
