# core/solver: jobs, the shared graph, edges, cache keys, claims, progress, trace.
noinst_HEADERS += \
	core/solver/keystore.h core/solver/op.h core/solver/progress.h core/solver/solver.h
libslipway_la_SOURCES += \
	core/solver/key.c \
	core/solver/keystore_lmdb.c core/solver/keystore_lmdb.h \
	core/solver/keystore_mem.c
