# Unit tests: one program per source file, at the mirrored path. A folder's own local.mk
# adds to UNIT_TESTS and sets NAME_SOURCES; flags and libraries come from here.
AM_CPPFLAGS += $(CHECK_CFLAGS)
LDADD = libslipway.la $(CHECK_LIBS) $(BASE_LIBS)
noinst_HEADERS += tests/unit/shell.h tests/unit/tmp.h tests/unit/unit.h
