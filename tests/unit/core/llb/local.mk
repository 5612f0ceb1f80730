# Unit tests of core/llb.
llb_test_libs = libslipway_proto.la $(LDADD) $(PROTOBUF_C_LIBS)
UNIT_TESTS += \
	tests/unit/core/llb/definition_test \
	tests/unit/core/llb/dump_test \
	tests/unit/core/llb/frontend_test \
	tests/unit/core/llb/giturl_test \
	tests/unit/core/llb/imagename_test \
	tests/unit/core/llb/platform_test \
	tests/unit/core/llb/validate_test
tests_unit_core_llb_definition_test_SOURCES = \
	tests/unit/core/llb/definition_test.c tests/unit/core/llb/made.h
tests_unit_core_llb_definition_test_LDADD = $(llb_test_libs)
tests_unit_core_llb_dump_test_SOURCES = \
	tests/unit/core/llb/dump_test.c tests/unit/core/llb/made.h
tests_unit_core_llb_dump_test_LDADD = $(llb_test_libs)
tests_unit_core_llb_frontend_test_SOURCES = \
	tests/unit/core/llb/frontend_test.c tests/unit/core/llb/frontjson.h
tests_unit_core_llb_frontend_test_LDADD = $(llb_test_libs)
tests_unit_core_llb_validate_test_SOURCES = \
	tests/unit/core/llb/validate_test.c tests/unit/core/llb/made.h
tests_unit_core_llb_validate_test_LDADD = $(llb_test_libs)
tests_unit_core_llb_giturl_test_SOURCES = tests/unit/core/llb/giturl_test.c
tests_unit_core_llb_imagename_test_SOURCES = tests/unit/core/llb/imagename_test.c
tests_unit_core_llb_platform_test_SOURCES = tests/unit/core/llb/platform_test.c
