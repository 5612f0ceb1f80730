# core/llb: definitions: bytes, checks, vertices, printing; names and platforms.
libslipway_la_SOURCES += \
	core/llb/caps.c \
	core/llb/check.c \
	core/llb/definition.c \
	core/llb/describe.c \
	core/llb/dump.c core/llb/dump.h \
	core/llb/dump_dot.c \
	core/llb/dump_json.c \
	core/llb/dump_maps.c \
	core/llb/dump_tree.c \
	core/llb/giturl.c core/llb/giturl.h \
	core/llb/graph.c \
	core/llb/imagename.c core/llb/imagename.h \
	core/llb/index.c core/llb/index.h \
	core/llb/llb_priv.h \
	core/llb/marshal.c core/llb/marshal.h \
	core/llb/name.c \
	core/llb/platform.c \
	core/llb/shown.c \
	core/llb/shown.h \
	core/llb/validate.c \
	core/llb/validate_exec.c \
	core/llb/validate_file.c \
	core/llb/vertex.c
