# core/source: the source manager.
noinst_HEADERS += core/source/manager.h
libslipway_la_SOURCES += core/source/manager.c
