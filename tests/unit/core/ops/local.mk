# Unit tests of core/ops.
ops_test_libs = libslipway_proto.la $(LDADD) $(PROTOBUF_C_LIBS)
noinst_HEADERS += tests/unit/core/ops/applied.h tests/unit/core/ops/tree.h
UNIT_TESTS += \
	tests/unit/core/ops/actions_test \
	tests/unit/core/ops/cachemap_test \
	tests/unit/core/ops/copy_test
tests_unit_core_ops_actions_test_SOURCES = tests/unit/core/ops/actions_test.c
tests_unit_core_ops_actions_test_LDADD = $(ops_test_libs)
tests_unit_core_ops_copy_test_SOURCES = tests/unit/core/ops/copy_test.c
tests_unit_core_ops_copy_test_LDADD = $(ops_test_libs)
tests_unit_core_ops_cachemap_test_SOURCES = tests/unit/core/ops/cachemap_test.c
tests_unit_core_ops_cachemap_test_LDADD = $(ops_test_libs)
EXTRA_DIST += \
	tests/data/cachemap/001-basic.llb \
	tests/data/cachemap/002-scratch-copy.llb \
	tests/data/cachemap/003-multistage.llb \
	tests/data/cachemap/004-env-arg.llb \
	tests/data/cachemap/006-heredoc-run.llb \
	tests/data/cachemap/013-workdir-user.llb \
	tests/data/cachemap/019-from-stage-index.llb \
	tests/data/cachemap/030-many-copies.llb
