# core/llb/state: the state builder behind <slipway/llb.h>.
libslipway_la_SOURCES += \
	core/llb/state/ask.c \
	core/llb/state/caps.c \
	core/llb/state/caps.h \
	core/llb/state/definition.c \
	core/llb/state/definition.h \
	core/llb/state/files.c \
	core/llb/state/files.h \
	core/llb/state/git.c \
	core/llb/state/graph.c \
	core/llb/state/making.c \
	core/llb/state/making.h \
	core/llb/state/making_exec.c \
	core/llb/state/making_file.c \
	core/llb/state/making_ops.c \
	core/llb/state/node.c \
	core/llb/state/object.c \
	core/llb/state/object.h \
	core/llb/state/opts.c \
	core/llb/state/query.c \
	core/llb/state/query.h \
	core/llb/state/run.c \
	core/llb/state/run.h \
	core/llb/state/source.c \
	core/llb/state/source.h \
	core/llb/state/split.c \
	core/llb/state/state.h \
	core/llb/state/table.c \
	core/llb/state/table.h \
	core/llb/state/vertex.c
