# core/llb: definitions: bytes, checks, vertices.
libslipway_la_SOURCES += \
	core/llb/marshal.c \
	core/llb/marshal.h
