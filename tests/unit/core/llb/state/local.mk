# Unit tests of the state builder.
state_test_libs = libslipway_proto.la $(LDADD) $(PROTOBUF_C_LIBS)
UNIT_TESTS += \
	tests/unit/core/llb/state/digests_test \
	tests/unit/core/llb/state/errors_test \
	tests/unit/core/llb/state/graph_test \
	tests/unit/core/llb/state/random_test \
	tests/unit/core/llb/state/split_test \
	tests/unit/core/llb/state/threads_test \
	tests/unit/core/llb/state/values_test \
	tests/unit/core/llb/state/vectors_test
tests_unit_core_llb_state_digests_test_SOURCES = \
	tests/unit/core/llb/state/digests_test.c tests/unit/core/llb/state/make.h
tests_unit_core_llb_state_digests_test_LDADD = $(state_test_libs)
tests_unit_core_llb_state_graph_test_SOURCES = \
	tests/unit/core/llb/state/graph_test.c tests/unit/core/llb/state/make.h
tests_unit_core_llb_state_graph_test_LDADD = $(state_test_libs)
tests_unit_core_llb_state_values_test_SOURCES = \
	tests/unit/core/llb/state/values_test.c tests/unit/core/llb/state/make.h
tests_unit_core_llb_state_values_test_LDADD = $(state_test_libs)
tests_unit_core_llb_state_vectors_test_SOURCES = tests/unit/core/llb/state/vectors_test.c
tests_unit_core_llb_state_vectors_test_LDADD = $(state_test_libs)
tests_unit_core_llb_state_errors_test_SOURCES = \
	tests/unit/core/llb/state/errors_test.c tests/unit/core/llb/state/make.h
tests_unit_core_llb_state_errors_test_LDADD = $(state_test_libs)
tests_unit_core_llb_state_split_test_SOURCES = \
	tests/unit/core/llb/state/split_test.c tests/unit/core/llb/state/make.h
tests_unit_core_llb_state_split_test_LDADD = $(state_test_libs)
tests_unit_core_llb_state_threads_test_SOURCES = \
	tests/unit/core/llb/state/threads_test.c tests/unit/core/llb/state/make.h
tests_unit_core_llb_state_threads_test_LDADD = $(state_test_libs) -lpthread
tests_unit_core_llb_state_random_test_SOURCES = \
	tests/unit/core/llb/state/random_test.c tests/unit/core/llb/state/make.h
tests_unit_core_llb_state_random_test_LDADD = $(state_test_libs)
