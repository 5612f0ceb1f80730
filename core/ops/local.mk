# core/ops: the ops of LLB for the solver.
noinst_HEADERS += core/ops/internal.h core/ops/later.h core/ops/ops.h core/ops/view.h
libslipway_la_SOURCES += \
	core/ops/build.c \
	core/ops/cachemap.c \
	core/ops/exec.c \
	core/ops/file.c \
	core/ops/ops.c \
	core/ops/resolve.c \
	core/ops/source.c \
	core/ops/stack.c \
	core/ops/view.c
