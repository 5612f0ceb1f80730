UNIT_TESTS += \
	tests/unit/lib/dockerfile/cases_test \
	tests/unit/lib/dockerfile/limits_test \
	tests/unit/lib/dockerfile/report_test
tests_unit_lib_dockerfile_cases_test_SOURCES = \
	tests/unit/lib/dockerfile/cases_test.c tests/unit/lib/dockerfile/cases.h
tests_unit_lib_dockerfile_cases_test_LDADD = lib/libdockerfile.la $(LDADD)
tests_unit_lib_dockerfile_limits_test_SOURCES = tests/unit/lib/dockerfile/limits_test.c
tests_unit_lib_dockerfile_limits_test_LDADD = lib/libdockerfile.la $(LDADD)
tests_unit_lib_dockerfile_report_test_SOURCES = tests/unit/lib/dockerfile/report_test.c
tests_unit_lib_dockerfile_report_test_LDADD = lib/libdockerfile.la $(LDADD)
EXTRA_DIST += tests/data/dockerfile-cases
UNIT_TESTS += tests/unit/lib/dockerfile/vectors_test
tests_unit_lib_dockerfile_vectors_test_SOURCES = \
	tests/unit/lib/dockerfile/vectors_test.c tests/unit/lib/dockerfile/fakebridge.h \
	tests/unit/core/llb/frontjson.h
tests_unit_lib_dockerfile_vectors_test_LDADD = lib/libdockerfile.la libslipway_proto.la $(LDADD) \
	$(PROTOBUF_C_LIBS) -lpthread
UNIT_TESTS += tests/unit/lib/dockerfile/convert_test
tests_unit_lib_dockerfile_convert_test_SOURCES = \
	tests/unit/lib/dockerfile/convert_test.c tests/unit/lib/dockerfile/cases.h \
	tests/unit/lib/dockerfile/fakebridge.h
tests_unit_lib_dockerfile_convert_test_LDADD = lib/libdockerfile.la $(LDADD) -lpthread
