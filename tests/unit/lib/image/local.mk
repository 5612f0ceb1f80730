UNIT_TESTS += \
	tests/unit/lib/image/manifest_test \
	tests/unit/lib/image/config_test
tests_unit_lib_image_manifest_test_SOURCES = tests/unit/lib/image/manifest_test.c
tests_unit_lib_image_manifest_test_LDADD = lib/libimage.la $(LDADD)
tests_unit_lib_image_config_test_SOURCES = tests/unit/lib/image/config_test.c
tests_unit_lib_image_config_test_LDADD = lib/libimage.la $(LDADD)
