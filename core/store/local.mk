# core/store: refs, and the metadata environment.
libslipway_la_SOURCES += \
	core/store/aside.c core/store/aside.h \
	core/store/listing.c core/store/listing.h \
	core/store/lmdbcheck.c core/store/lmdbcheck.h \
	core/store/lmdbread.c core/store/lmdbread.h \
	core/store/meta.c core/store/meta.h \
	core/store/metafile.c core/store/metafile.h \
	core/store/content.c core/store/content_priv.h \
	core/store/filter.c \
	core/store/gc.c \
	core/store/ingest.c \
	core/store/missing.c \
	core/store/part.c \
	core/store/prune.c core/store/prune_priv.h \
	core/store/survey.c core/store/survey.h \
	core/store/survey_blobs.c core/store/survey_blobs.h \
	core/store/usage.c \
	core/store/counted.c core/store/counted.h \
	core/store/held.c \
	core/store/layer.c \
	core/store/lease.c core/store/lease.h \
	core/store/reap.c \
	core/store/blobhold.c core/store/blobhold.h \
	core/store/chain.c core/store/chainid.c core/store/chainid.h \
	core/store/images.c core/store/images.h \
	core/store/implied.c core/store/lazy.c core/store/origin.c core/store/ready.c \
	core/store/recblob.c core/store/recblob.h \
	core/store/unpack.c core/store/unpack.h \
	core/store/worklock.c core/store/worklock.h \
	core/store/record.c core/store/record.h \
	core/store/ref.c core/store/refs.h \
	core/store/root.c core/store/root.h \
	core/store/snapshots.c core/store/snapshots.h \
	core/store/spare.c core/store/spare.h \
	core/store/stack.c core/store/stack.h \
	core/store/sync.c \
	core/store/take.c \
	core/store/view.c \
	core/store/worker.c core/store/worker_priv.h
