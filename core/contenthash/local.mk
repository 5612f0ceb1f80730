# core/contenthash: digests of trees, byte for byte those of the reference.
libslipway_la_SOURCES += \
	core/contenthash/changed.c \
	core/contenthash/contenthash.c core/contenthash/contenthash.h \
	core/contenthash/entry.c \
	core/contenthash/file.c \
	core/contenthash/keep.c \
	core/contenthash/many.c \
	core/contenthash/select.c core/contenthash/select.h \
	core/contenthash/tree.c core/contenthash/tree.h \
	core/contenthash/update.c
