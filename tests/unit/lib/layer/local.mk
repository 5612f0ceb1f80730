UNIT_TESTS += tests/unit/lib/layer/tar_test
tests_unit_lib_layer_tar_test_SOURCES = tests/unit/lib/layer/tar_test.c
tests_unit_lib_layer_tar_test_LDADD = lib/liblayer.la $(LDADD)
