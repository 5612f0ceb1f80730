# lib/dockerfile: Dockerfiles: text, nodes, instructions, variables, checks.
noinst_LTLIBRARIES += lib/libdockerfile.la
lib_libdockerfile_la_SOURCES = \
	lib/dockerfile/arena.c \
	lib/dockerfile/arena.h \
	lib/dockerfile/expand.h \
	lib/dockerfile/instruct.h \
	lib/dockerfile/kind.c \
	lib/dockerfile/lint.h \
	lib/dockerfile/parse.h \
	lib/dockerfile/report.h
lib_libdockerfile_la_LIBADD = $(BASE_LIBS)
