# core/engine: root, solver, ops and exporters put together behind slipway/engine.h.
noinst_HEADERS += core/engine/engine_priv.h core/engine/history.h
libslipway_la_SOURCES += \
	core/engine/build.c \
	core/engine/disk.c \
	core/engine/engine.c \
	core/engine/export.c \
	core/engine/frontend.c \
	core/engine/platforms.c \
	core/engine/history.c \
	core/engine/historykeep.c \
	core/engine/historyold.c \
	core/engine/shell.c \
	core/engine/steplog.c \
	core/engine/story.c \
	core/engine/storyread.c
libslipway_la_LIBADD += $(ZSTD_LIBS)
