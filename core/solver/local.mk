# core/solver: jobs, the shared graph, edges, cache keys, claims, progress, trace.
noinst_HEADERS += \
	core/solver/core.h core/solver/host.h core/solver/inbox.h core/solver/internal.h core/solver/keystore.h core/solver/op.h \
	core/solver/solver.h core/solver/story.h \
	core/solver/story_impl.h core/solver/tight.h core/solver/trace.h
libslipway_la_SOURCES += \
	core/solver/act.c \
	core/solver/cacheset.c \
	core/solver/claim.c \
	core/solver/core.c \
	core/solver/edge.c \
	core/solver/fail.c \
	core/solver/gather.c \
	core/solver/graph.c \
	core/solver/host.c \
	core/solver/inbox.c \
	core/solver/job.c \
	core/solver/keep.c \
	core/solver/key.c \
	core/solver/keystore_lmdb.c core/solver/keystore_lmdb.h \
	core/solver/keystore_lmdb_impl.h \
	core/solver/keystore_lmdb_place.c \
	core/solver/keystore_lmdb_read.c \
	core/solver/keystore_mem.c \
	core/solver/loan.c \
	core/solver/lookup.c \
	core/solver/map.c \
	core/solver/ready.c \
	core/solver/result.c \
	core/solver/run.c \
	core/solver/solver.c \
	core/solver/solver_job.c \
	core/solver/story.c \
	core/solver/story_log.c \
	core/solver/story_read.c \
	core/solver/story_warn.c \
	core/solver/trace.c \
	core/solver/trace_text.c \
	core/solver/why.c \
	core/solver/work.c
