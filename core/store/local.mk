# core/store: refs, and the metadata environment.
libslipway_la_SOURCES += \
	core/store/aside.c core/store/aside.h \
	core/store/listing.c \
	core/store/lmdbcheck.c core/store/lmdbcheck.h \
	core/store/lmdbread.c core/store/lmdbread.h \
	core/store/meta.c core/store/meta.h \
	core/store/metafile.c core/store/metafile.h \
	core/store/ref.c
