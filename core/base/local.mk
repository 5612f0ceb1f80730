# core/base: error, memory, text, digest, paths, threads, children, log.
libslipway_la_SOURCES += \
	core/base/array.c \
	core/base/buf.c \
	core/base/cancel.c \
	core/base/child.c \
	core/base/csv.c \
	core/base/ctx.c core/base/ctxpriv.h \
	core/base/digest.c \
	core/base/emulator.c core/base/emulator.h \
	core/base/error.c \
	core/base/glob.c \
	core/base/id.c \
	core/base/input.c core/base/input.h \
	core/base/io.c \
	core/base/json.c \
	core/base/log.c \
	core/base/map.c \
	core/base/mem.c core/base/mem.h \
	core/base/path.c \
	core/base/pathput.c \
	core/base/pathremove.c \
	core/base/pathtext.c \
	core/base/pathwalk.c core/base/pathwalk.h \
	core/base/pattern.c core/base/pattern.h \
	core/base/patternauto.c \
	core/base/pool.c core/base/pool.h core/base/spin.h \
	core/base/redact.c core/base/redact.h \
	core/base/random.c core/base/random.h \
	core/base/siphash.c core/base/siphash.h \
	core/base/spawn.c core/base/spawn.h \
	core/base/spawnchild.c \
	core/base/tarhead.c \
	core/base/text.c core/base/utf8.h \
	core/base/time.c \
	core/base/version.c
