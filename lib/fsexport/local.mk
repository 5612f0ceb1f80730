# lib/fsexport: what the exporters of plain files share.
noinst_LTLIBRARIES += lib/libfsexport.la
lib_libfsexport_la_SOURCES = \
	lib/fsexport/fsexport.c \
	lib/fsexport/fsexport.h
