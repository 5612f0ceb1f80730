# Unit tests of the state builder.
UNIT_TESTS += \
	tests/unit/core/llb/state/vectors_test
tests_unit_core_llb_state_vectors_test_SOURCES = tests/unit/core/llb/state/vectors_test.c
tests_unit_core_llb_state_vectors_test_LDADD = libslipway_proto.la $(LDADD) $(PROTOBUF_C_LIBS)
