# core/llb: definitions: bytes, checks, vertices; names and platforms.
libslipway_la_SOURCES += \
	core/llb/giturl.c \
	core/llb/giturl.h \
	core/llb/imagename.c \
	core/llb/imagename.h \
	core/llb/marshal.c \
	core/llb/marshal.h \
	core/llb/platform.c
