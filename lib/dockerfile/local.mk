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
