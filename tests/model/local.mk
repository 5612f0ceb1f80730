# tests/model: the solver's core against a naive evaluator.
noinst_HEADERS += tests/model/model.h
check_PROGRAMS += tests/model/solver_model
TESTS += tests/model/solver_model
tests_model_solver_model_SOURCES = tests/model/solver_model.c tests/model/world.c \
	tests/model/need.c \
	tests/model/drive.c tests/model/scenario.c

# Claims and cancellation, explored by spin.
EXTRA_DIST += tests/model/claims.pml
dist_check_SCRIPTS += tests/model/claims.sh
