# core/config: the configuration, from YAML, the environment and flags.
libslipway_la_SOURCES += \
	core/config/check.c \
	core/config/config.c \
	core/config/default.c \
	core/config/explain.c \
	core/config/keypath.c \
	core/config/level.c \
	core/config/load.c \
	core/config/merge.c \
	core/config/plugin.c \
	core/config/schema.c \
	core/config/value.c \
	core/config/yaml.c
noinst_HEADERS += core/config/internal.h core/config/schema.h
