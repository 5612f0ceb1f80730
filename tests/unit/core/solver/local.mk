# Unit tests of core/solver.
UNIT_TESTS += tests/unit/core/solver/keystore_test
tests_unit_core_solver_keystore_test_SOURCES = tests/unit/core/solver/keystore_test.c \
	tests/unit/core/store/metatool.h
tests_unit_core_solver_keystore_test_LDADD = $(LDADD) $(LMDB_LIBS)

UNIT_TESTS += tests/unit/core/solver/keystore_kill_test
tests_unit_core_solver_keystore_kill_test_SOURCES = \
	tests/unit/core/solver/keystore_kill_test.c tests/unit/core/store/metatool.h
tests_unit_core_solver_keystore_kill_test_LDADD = $(LDADD) $(LMDB_LIBS)

UNIT_TESTS += tests/unit/core/solver/trace_test
tests_unit_core_solver_trace_test_SOURCES = tests/unit/core/solver/trace_test.c

noinst_HEADERS += tests/unit/core/solver/fake.h
UNIT_TESTS += tests/unit/core/solver/solver_test
tests_unit_core_solver_solver_test_SOURCES = tests/unit/core/solver/solver_test.c

UNIT_TESTS += tests/unit/core/solver/ahead_test
tests_unit_core_solver_ahead_test_SOURCES = tests/unit/core/solver/ahead_test.c

UNIT_TESTS += tests/unit/core/solver/stress_test
tests_unit_core_solver_stress_test_SOURCES = tests/unit/core/solver/stress_test.c

UNIT_TESTS += tests/unit/core/solver/story_test
tests_unit_core_solver_story_test_SOURCES = tests/unit/core/solver/story_test.c

UNIT_TESTS += tests/unit/core/solver/work_test
tests_unit_core_solver_work_test_SOURCES = tests/unit/core/solver/work_test.c

UNIT_TESTS += tests/unit/core/solver/loan_test
tests_unit_core_solver_loan_test_SOURCES = tests/unit/core/solver/loan_test.c

UNIT_TESTS += tests/unit/core/solver/hostile_test
tests_unit_core_solver_hostile_test_SOURCES = tests/unit/core/solver/hostile_test.c
