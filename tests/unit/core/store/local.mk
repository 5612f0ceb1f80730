# Unit tests of core/store.
UNIT_TESTS += tests/unit/core/store/ref_test
tests_unit_core_store_ref_test_SOURCES = tests/unit/core/store/ref_test.c

UNIT_TESTS += tests/unit/core/store/aside_test
tests_unit_core_store_aside_test_SOURCES = tests/unit/core/store/aside_test.c

UNIT_TESTS += tests/unit/core/store/lmdbcheck_test
tests_unit_core_store_lmdbcheck_test_SOURCES = tests/unit/core/store/lmdbcheck_test.c

UNIT_TESTS += tests/unit/core/store/damage_test
tests_unit_core_store_damage_test_SOURCES = tests/unit/core/store/damage_test.c \
	tests/unit/core/store/metatool.h
tests_unit_core_store_damage_test_LDADD = $(LDADD) $(LMDB_LIBS)

UNIT_TESTS += tests/unit/core/store/meta_test
tests_unit_core_store_meta_test_SOURCES = tests/unit/core/store/meta_test.c \
	tests/unit/core/store/metatool.h
tests_unit_core_store_meta_test_LDADD = $(LDADD) $(LMDB_LIBS)
EXTRA_DIST += tests/data/store

UNIT_TESTS += tests/unit/core/store/lmdbread_test
tests_unit_core_store_lmdbread_test_SOURCES = tests/unit/core/store/lmdbread_test.c \
	tests/unit/core/store/lmdbrules.h tests/unit/core/store/metatool.h
tests_unit_core_store_lmdbread_test_LDADD = $(LDADD) $(LMDB_LIBS)

UNIT_TESTS += tests/unit/core/store/lmdbrules_test
tests_unit_core_store_lmdbrules_test_SOURCES = tests/unit/core/store/lmdbrules_test.c \
	tests/unit/core/store/lmdbrules.h tests/unit/core/store/metatool.h
tests_unit_core_store_lmdbrules_test_LDADD = $(LDADD) $(LMDB_LIBS)

UNIT_TESTS += tests/unit/core/store/lmdbvalues_test
tests_unit_core_store_lmdbvalues_test_SOURCES = tests/unit/core/store/lmdbvalues_test.c \
	tests/unit/core/store/lmdbrules.h tests/unit/core/store/metatool.h
tests_unit_core_store_lmdbvalues_test_LDADD = $(LDADD) $(LMDB_LIBS)
UNIT_TESTS += tests/unit/core/store/worker_test
tests_unit_core_store_worker_test_SOURCES = tests/unit/core/store/worker_test.c \
	tests/unit/core/store/fakesnap.h tests/unit/core/store/storetool.h
tests_unit_core_store_worker_test_LDADD = $(LDADD) $(LMDB_LIBS)

UNIT_TESTS += tests/unit/core/store/content_test
tests_unit_core_store_content_test_SOURCES = tests/unit/core/store/content_test.c

UNIT_TESTS += tests/unit/core/store/prune_test
tests_unit_core_store_prune_test_SOURCES = tests/unit/core/store/prune_test.c \
	tests/unit/core/store/fakesnap.h tests/unit/core/store/storetool.h

UNIT_TESTS += tests/unit/core/store/filter_test
tests_unit_core_store_filter_test_SOURCES = tests/unit/core/store/filter_test.c

UNIT_TESTS += tests/unit/core/store/sync_test
tests_unit_core_store_sync_test_SOURCES = tests/unit/core/store/sync_test.c \
	tests/unit/core/store/fakesnap.h tests/unit/core/store/storetool.h
tests_unit_core_store_sync_test_LDADD = $(LDADD) $(LMDB_LIBS)

UNIT_TESTS += tests/unit/core/store/chain_test
tests_unit_core_store_chain_test_SOURCES = tests/unit/core/store/chain_test.c \
	tests/unit/core/store/blobtool.h tests/unit/core/store/fakesnap.h \
	tests/unit/core/store/storetool.h

UNIT_TESTS += tests/unit/core/store/lazy_test
tests_unit_core_store_lazy_test_SOURCES = tests/unit/core/store/lazy_test.c \
	tests/unit/core/store/blobtool.h tests/unit/core/store/fakesnap.h \
	tests/unit/core/store/lazytool.h tests/unit/core/store/storetool.h
tests_unit_core_store_lazy_test_LDADD = $(LDADD) $(LMDB_LIBS)

UNIT_TESTS += tests/unit/core/store/images_test
tests_unit_core_store_images_test_SOURCES = tests/unit/core/store/images_test.c \
	tests/unit/core/store/blobtool.h tests/unit/core/store/fakesnap.h \
	tests/unit/core/store/lazytool.h tests/unit/core/store/storetool.h
tests_unit_core_store_images_test_LDADD = $(LDADD) $(LMDB_LIBS)

UNIT_TESTS += tests/unit/core/store/layers_test
tests_unit_core_store_layers_test_SOURCES = tests/unit/core/store/layers_test.c \
	tests/unit/core/store/blobtool.h tests/unit/core/store/fakesnap.h \
	tests/unit/core/store/lazytool.h tests/unit/core/store/storetool.h
