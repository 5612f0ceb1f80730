# core/plugin: the plugin host.
libslipway_la_SOURCES += \
	core/plugin/check.c \
	core/plugin/elf.c \
	core/plugin/exporter.c \
	core/plugin/general.c \
	core/plugin/host.c core/plugin/host_priv.h \
	core/plugin/kind.c \
	core/plugin/load.c \
	core/plugin/missing.c \
	core/plugin/open.c \
	core/plugin/options.c \
	core/plugin/order.c \
	core/plugin/search.c
