# lib/dockerfile: Dockerfiles: text, nodes, instructions, variables, checks.
noinst_LTLIBRARIES += lib/libdockerfile.la
lib_libdockerfile_la_SOURCES = \
	lib/dockerfile/arena.c \
	lib/dockerfile/arena.h \
	lib/dockerfile/blame.c \
	lib/dockerfile/command.c \
	lib/dockerfile/copy.c \
	lib/dockerfile/directive.c \
	lib/dockerfile/directive.h \
	lib/dockerfile/expand.c \
	lib/dockerfile/expand.h \
	lib/dockerfile/flags.c \
	lib/dockerfile/health.c \
	lib/dockerfile/heredoc.c \
	lib/dockerfile/instruct.c \
	lib/dockerfile/instruct.h \
	lib/dockerfile/kind.c \
	lib/dockerfile/letter.c \
	lib/dockerfile/letter.h \
	lib/dockerfile/lint.c \
	lib/dockerfile/lint.h \
	lib/dockerfile/lintnode.c \
	lib/dockerfile/mount.c \
	lib/dockerfile/parse.c \
	lib/dockerfile/parse.h \
	lib/dockerfile/port.c \
	lib/dockerfile/report.c \
	lib/dockerfile/report.h \
	lib/dockerfile/run.c \
	lib/dockerfile/span.c \
	lib/dockerfile/span.h \
	lib/dockerfile/subst.c \
	lib/dockerfile/subst.h \
	lib/dockerfile/table.c \
	lib/dockerfile/table.h \
	lib/dockerfile/typer.h \
	lib/dockerfile/words.c \
	lib/dockerfile/words.h
lib_libdockerfile_la_LIBADD = $(BASE_LIBS)

# Conversion: a Dockerfile becomes a definition.
lib_libdockerfile_la_SOURCES += \
	lib/dockerfile/ahead.c \
	lib/dockerfile/base.c \
	lib/dockerfile/client.c \
	lib/dockerfile/client.h \
	lib/dockerfile/client_priv.h \
	lib/dockerfile/config.c \
	lib/dockerfile/config.h \
	lib/dockerfile/config_priv.h \
	lib/dockerfile/configcheck.c \
	lib/dockerfile/contexts.c \
	lib/dockerfile/convert.c \
	lib/dockerfile/convert.h \
	lib/dockerfile/convert_priv.h \
	lib/dockerfile/dispatch.c \
	lib/dockerfile/dispatch_config.c \
	lib/dockerfile/dispatch_copy.c \
	lib/dockerfile/dispatch_run.c \
	lib/dockerfile/env.c \
	lib/dockerfile/env.h \
	lib/dockerfile/epoch.c \
	lib/dockerfile/gitref.c \
	lib/dockerfile/gitref.h \
	lib/dockerfile/ignore.c \
	lib/dockerfile/ignore.h \
	lib/dockerfile/imageconf.c \
	lib/dockerfile/imageconf.h \
	lib/dockerfile/imageparse.c \
	lib/dockerfile/imagetable.c \
	lib/dockerfile/imagetext.c \
	lib/dockerfile/keep.c \
	lib/dockerfile/keep.h \
	lib/dockerfile/mounts.c \
	lib/dockerfile/names.c \
	lib/dockerfile/said.c \
	lib/dockerfile/said.h \
	lib/dockerfile/outline.c \
	lib/dockerfile/stages.c
