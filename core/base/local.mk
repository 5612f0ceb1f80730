# core/base: error, memory, text, digest, paths, threads, children, log.
libslipway_la_SOURCES += \
	core/base/version.c
