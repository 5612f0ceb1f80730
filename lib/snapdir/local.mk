# lib/snapdir: layers as directories; linked into the snapshotters that keep them so.
noinst_LTLIBRARIES += libsnapdir.la
libsnapdir_la_SOURCES = \
	lib/snapdir/attr.c \
	lib/snapdir/compare.c \
	lib/snapdir/copy.c \
	lib/snapdir/diff.c \
	lib/snapdir/diff_priv.h \
	lib/snapdir/difftell.c \
	lib/snapdir/flat.c \
	lib/snapdir/look.c \
	lib/snapdir/open.c \
	lib/snapdir/share.c \
	lib/snapdir/snapdir.h \
	lib/snapdir/store.c \
	lib/snapdir/trim.c \
	lib/snapdir/usage.c \
	lib/snapdir/work.c \
	lib/snapdir/writer.c \
	lib/snapdir/writer_priv.h \
	lib/snapdir/writerdirs.c
libsnapdir_la_LIBADD = libjanitor.la
