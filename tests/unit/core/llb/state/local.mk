# Unit tests of the state builder.
UNIT_TESTS += \
	tests/unit/core/llb/state/digests_test \
	tests/unit/core/llb/state/vectors_test
STATE_TEST_LIBS = libslipway_proto.la $(LDADD) $(PROTOBUF_C_LIBS)
tests_unit_core_llb_state_digests_test_SOURCES = tests/unit/core/llb/state/digests_test.c
tests_unit_core_llb_state_digests_test_LDADD = $(STATE_TEST_LIBS)
tests_unit_core_llb_state_vectors_test_SOURCES = tests/unit/core/llb/state/vectors_test.c
tests_unit_core_llb_state_vectors_test_LDADD = $(STATE_TEST_LIBS)
