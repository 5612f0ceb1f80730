# core/ops: the ops of LLB for the solver.
noinst_HEADERS += \
	core/ops/archlib.h \
	core/ops/cachemap_priv.h \
	core/ops/draft.h \
	core/ops/draft_priv.h \
	core/ops/exec.h \
	core/ops/fileact.h \
	core/ops/former.h \
	core/ops/internal.h \
	core/ops/kept.h \
	core/ops/ops.h \
	core/ops/view.h
libslipway_la_SOURCES += \
	core/ops/archlib.c \
	core/ops/build.c \
	core/ops/cachemap.c \
	core/ops/cachemapfile.c \
	core/ops/draft.c \
	core/ops/draftcopy.c \
	core/ops/entitlement.c \
	core/ops/exec.c \
	core/ops/execcache.c \
	core/ops/execdebug.c \
	core/ops/execfail.c \
	core/ops/execio.c \
	core/ops/execmount.c \
	core/ops/execprivate.c \
	core/ops/execrunning.c \
	core/ops/file.c \
	core/ops/fileact.c \
	core/ops/filecopy.c \
	core/ops/filerequired.c \
	core/ops/fileunpack.c \
	core/ops/former.c \
	core/ops/kept.c \
	core/ops/modeset.c \
	core/ops/nests.c \
	core/ops/ops.c \
	core/ops/owner.c \
	core/ops/resolve.c \
	core/ops/source.c \
	core/ops/stack.c \
	core/ops/view.c \
	core/ops/viewtime.c
