# lib/janitor: what nobody waits for; linked into plugins that leave something behind.
noinst_LTLIBRARIES += libjanitor.la
libjanitor_la_SOURCES = \
	lib/janitor/janitor.c \
	lib/janitor/janitor.h
