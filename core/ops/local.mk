# core/ops: the ops of LLB for the solver.
noinst_HEADERS += core/ops/internal.h core/ops/ops.h
