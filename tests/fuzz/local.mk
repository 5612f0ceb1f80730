# Fuzz targets: one program per parser of outside bytes, with a corpus beside it in
# corpus/NAME/. Built with --enable-fuzzing only; ./dev fuzz NAME runs one.
FUZZ_LINK = $(AM_LDFLAGS) -fsanitize=fuzzer
EXTRA_DIST += tests/fuzz/corpus

# Small values of the base: times, durations, sizes, numbers, digests, ids, quoting.
FUZZ_TARGETS += tests/fuzz/values_fuzz
tests_fuzz_values_fuzz_SOURCES = tests/fuzz/values_fuzz.c tests/fuzz/fuzz.h
tests_fuzz_values_fuzz_LDFLAGS = $(FUZZ_LINK)

# JSON documents, and strings as we write them.
FUZZ_TARGETS += tests/fuzz/json_fuzz
tests_fuzz_json_fuzz_SOURCES = tests/fuzz/json_fuzz.c tests/fuzz/fuzz.h
tests_fuzz_json_fuzz_LDFLAGS = $(FUZZ_LINK)

# Configuration files: YAML, the table of keys, every check of a value.
FUZZ_TARGETS += tests/fuzz/config_fuzz
tests_fuzz_config_fuzz_SOURCES = tests/fuzz/config_fuzz.c tests/fuzz/fuzz.h
tests_fuzz_config_fuzz_LDFLAGS = $(FUZZ_LINK)

# Command lines, text on its way to a terminal, versions of runtimes.
FUZZ_TARGETS += tests/fuzz/cli_fuzz
tests_fuzz_cli_fuzz_SOURCES = tests/fuzz/cli_fuzz.c tests/fuzz/fuzz.h \
	cmd/slipway/cli.c cmd/slipway/doctor/version.c cmd/slipway/term.c
tests_fuzz_cli_fuzz_LDFLAGS = $(FUZZ_LINK)

# Definitions: decoding, checks, digests, printing.
FUZZ_TARGETS += tests/fuzz/definition_fuzz
tests_fuzz_definition_fuzz_SOURCES = tests/fuzz/definition_fuzz.c tests/fuzz/fuzz.h
tests_fuzz_definition_fuzz_LDADD = libslipway_proto.la $(LDADD) $(PROTOBUF_C_LIBS)
tests_fuzz_definition_fuzz_LDFLAGS = $(FUZZ_LINK)

# Every other message: unpacking and packing.
FUZZ_TARGETS += tests/fuzz/pbuf_fuzz
tests_fuzz_pbuf_fuzz_SOURCES = tests/fuzz/pbuf_fuzz.c tests/fuzz/fuzz.h
tests_fuzz_pbuf_fuzz_LDADD = libslipway_proto.la $(LDADD) $(PROTOBUF_C_LIBS)
tests_fuzz_pbuf_fuzz_LDFLAGS = $(FUZZ_LINK)

# Names of images, git URLs, platforms, command lines, image configurations.
FUZZ_TARGETS += tests/fuzz/names_fuzz
tests_fuzz_names_fuzz_SOURCES = tests/fuzz/names_fuzz.c tests/fuzz/fuzz.h
tests_fuzz_names_fuzz_LDFLAGS = $(FUZZ_LINK)

# Files of the metadata store; what passes is used.
FUZZ_TARGETS += tests/fuzz/lmdbcheck_fuzz
tests_fuzz_lmdbcheck_fuzz_SOURCES = tests/fuzz/lmdbcheck_fuzz.c tests/fuzz/fuzz.h
tests_fuzz_lmdbcheck_fuzz_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_lmdbcheck_fuzz_LDADD = $(LDADD) $(LMDB_LIBS)

# What the key store finds stored: records, notes, places of links.
FUZZ_TARGETS += tests/fuzz/storevalues_fuzz
tests_fuzz_storevalues_fuzz_SOURCES = tests/fuzz/storevalues_fuzz.c tests/fuzz/fuzz.h
tests_fuzz_storevalues_fuzz_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_storevalues_fuzz_LDADD = $(LDADD) $(LMDB_LIBS)

# What the worker finds stored: refs, blobs, images.
FUZZ_TARGETS += tests/fuzz/refs_fuzz
tests_fuzz_refs_fuzz_SOURCES = tests/fuzz/refs_fuzz.c tests/fuzz/fuzz.h
tests_fuzz_refs_fuzz_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_refs_fuzz_LDADD = $(LDADD) $(LMDB_LIBS)

# Recorded traces of the solver.
FUZZ_TARGETS += tests/fuzz/trace_fuzz
tests_fuzz_trace_fuzz_SOURCES = tests/fuzz/trace_fuzz.c tests/fuzz/fuzz.h
tests_fuzz_trace_fuzz_LDFLAGS = $(FUZZ_LINK)

# Globs and lists of patterns, against a matcher that tries everything.
FUZZ_TARGETS += tests/fuzz/pattern_fuzz
tests_fuzz_pattern_fuzz_SOURCES = tests/fuzz/pattern_fuzz.c tests/fuzz/fuzz.h
tests_fuzz_pattern_fuzz_LDFLAGS = $(FUZZ_LINK)

# Files of content hashes, and of the states of a directory's files.
FUZZ_TARGETS += tests/fuzz/hashfile_fuzz
tests_fuzz_hashfile_fuzz_SOURCES = tests/fuzz/hashfile_fuzz.c tests/fuzz/fuzz.h \
	plugins/source-local/statcache.c
tests_fuzz_hashfile_fuzz_LDFLAGS = $(FUZZ_LINK)
# Objects of their own: those of the plugin are libtool's.
tests_fuzz_hashfile_fuzz_CFLAGS = $(AM_CFLAGS)

# Archives that a copy unpacks, hostile ones.
FUZZ_TARGETS += tests/fuzz/archive_fuzz
tests_fuzz_archive_fuzz_SOURCES = tests/fuzz/archive_fuzz.c tests/fuzz/opsfuzz.h tests/fuzz/fuzz.h
tests_fuzz_archive_fuzz_LDADD = libslipway_proto.la $(LDADD) $(PROTOBUF_C_LIBS)
tests_fuzz_archive_fuzz_LDFLAGS = $(FUZZ_LINK)

# The copy action: paths, wildcards, patterns, modes, flags.
FUZZ_TARGETS += tests/fuzz/copy_fuzz
tests_fuzz_copy_fuzz_SOURCES = tests/fuzz/copy_fuzz.c tests/fuzz/opsfuzz.h tests/fuzz/fuzz.h
tests_fuzz_copy_fuzz_LDADD = libslipway_proto.la $(LDADD) $(PROTOBUF_C_LIBS)
tests_fuzz_copy_fuzz_LDFLAGS = $(FUZZ_LINK)

# Modes as chmod takes them, /etc/passwd and /etc/group.
FUZZ_TARGETS += tests/fuzz/owner_fuzz
tests_fuzz_owner_fuzz_SOURCES = tests/fuzz/owner_fuzz.c tests/fuzz/fuzz.h
tests_fuzz_owner_fuzz_LDADD = libslipway_proto.la $(LDADD) $(PROTOBUF_C_LIBS)
tests_fuzz_owner_fuzz_LDFLAGS = $(FUZZ_LINK)

# Manifests, indexes and configurations of images.
FUZZ_TARGETS += tests/fuzz/image_fuzz
tests_fuzz_image_fuzz_SOURCES = tests/fuzz/image_fuzz.c tests/fuzz/fuzz.h
tests_fuzz_image_fuzz_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_image_fuzz_LDADD = lib/libimage.la $(LDADD)

# Layers: tar streams as a layer writer is told of them.
FUZZ_TARGETS += tests/fuzz/tarstream_fuzz
tests_fuzz_tarstream_fuzz_SOURCES = tests/fuzz/tarstream_fuzz.c tests/fuzz/fuzz.h
tests_fuzz_tarstream_fuzz_LDADD = lib/liblayerpack.la lib/liblayer.la $(LDADD)
tests_fuzz_tarstream_fuzz_LDFLAGS = $(FUZZ_LINK)

# Layers: gzip members and zstd frames.
FUZZ_TARGETS += tests/fuzz/unpacked_fuzz
tests_fuzz_unpacked_fuzz_SOURCES = tests/fuzz/unpacked_fuzz.c tests/fuzz/fuzz.h
tests_fuzz_unpacked_fuzz_LDADD = lib/liblayerpack.la lib/liblayer.la $(LDADD)
tests_fuzz_unpacked_fuzz_LDFLAGS = $(FUZZ_LINK)

# What registries say: who wants which credentials, where the next page is, why not.
FUZZ_TARGETS += tests/fuzz/challenge_fuzz tests/fuzz/link_fuzz tests/fuzz/errbody_fuzz
tests_fuzz_challenge_fuzz_SOURCES = tests/fuzz/challenge_fuzz.c tests/fuzz/fuzz.h \
	lib/registry/challenge.c
tests_fuzz_challenge_fuzz_CFLAGS = $(AM_CFLAGS)
tests_fuzz_challenge_fuzz_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_link_fuzz_SOURCES = tests/fuzz/link_fuzz.c tests/fuzz/fuzz.h lib/registry/link.c
tests_fuzz_link_fuzz_CFLAGS = $(AM_CFLAGS)
tests_fuzz_link_fuzz_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_errbody_fuzz_SOURCES = tests/fuzz/errbody_fuzz.c tests/fuzz/fuzz.h \
	lib/registry/errbody.c lib/http/printable.c
tests_fuzz_errbody_fuzz_CFLAGS = $(AM_CFLAGS)
tests_fuzz_errbody_fuzz_LDFLAGS = $(FUZZ_LINK)

# Docker's config.json.
FUZZ_TARGETS += tests/fuzz/dockerconfig_fuzz
tests_fuzz_dockerconfig_fuzz_SOURCES = tests/fuzz/dockerconfig_fuzz.c tests/fuzz/fuzz.h
tests_fuzz_dockerconfig_fuzz_LDFLAGS = $(FUZZ_LINK)


# Headers of downloads: Content-Disposition, dates, entity tags.
FUZZ_TARGETS += tests/fuzz/httphead_fuzz
tests_fuzz_httphead_fuzz_SOURCES = tests/fuzz/httphead_fuzz.c tests/fuzz/fuzz.h \
	plugins/source-http/date.c plugins/source-http/name.c plugins/source-http/name.h
tests_fuzz_httphead_fuzz_CFLAGS = $(AM_CFLAGS)
tests_fuzz_httphead_fuzz_LDFLAGS = $(FUZZ_LINK)

# Dockerfiles: nodes, instructions, mounts, ports, triggers, checks, reports.
FUZZ_TARGETS += tests/fuzz/dockerfile_fuzz
tests_fuzz_dockerfile_fuzz_SOURCES = tests/fuzz/dockerfile_fuzz.c tests/fuzz/fuzz.h
tests_fuzz_dockerfile_fuzz_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_dockerfile_fuzz_LDADD = lib/libdockerfile.la $(LDADD)

# Words of Dockerfiles: variables, quotes, patterns.
FUZZ_TARGETS += tests/fuzz/expand_fuzz
tests_fuzz_expand_fuzz_SOURCES = tests/fuzz/expand_fuzz.c tests/fuzz/fuzz.h
tests_fuzz_expand_fuzz_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_expand_fuzz_LDADD = lib/libdockerfile.la $(LDADD)

# Stories of builds, in the model and every printer of progress.
FUZZ_TARGETS += tests/fuzz/progress_fuzz
tests_fuzz_progress_fuzz_SOURCES = tests/fuzz/progress_fuzz.c tests/fuzz/fuzz.h \
	$(PROGRESS_SOURCES) cmd/slipway/term.c
tests_fuzz_progress_fuzz_CFLAGS = $(AM_CFLAGS)
tests_fuzz_progress_fuzz_LDFLAGS = $(FUZZ_LINK)

# What is kept of builds, and the page that is made of it.
FUZZ_TARGETS += tests/fuzz/report_fuzz
tests_fuzz_report_fuzz_SOURCES = tests/fuzz/report_fuzz.c tests/fuzz/fuzz.h \
	cmd/slipway/history/words.c \
	cmd/slipway/progress/model.c \
	cmd/slipway/report/answers.c cmd/slipway/report/data.c cmd/slipway/report/graph.c \
	cmd/slipway/report/html.c cmd/slipway/report/page.c cmd/slipway/report/steps.c \
	cmd/slipway/report/timeline.c
tests_fuzz_report_fuzz_LDFLAGS = $(FUZZ_LINK)
tests/fuzz/report_fuzz.$(OBJEXT) cmd/slipway/report/page.$(OBJEXT): cmd/slipway/report/pagetext.h

# Git refs and repositories, what git ls-remote prints.
FUZZ_TARGETS += tests/fuzz/gitref_fuzz
tests_fuzz_gitref_fuzz_SOURCES = tests/fuzz/gitref_fuzz.c tests/fuzz/fuzz.h \
	plugins/source-git/modules.c plugins/source-git/modules.h \
	plugins/source-git/ref.c plugins/source-git/ref.h
tests_fuzz_gitref_fuzz_CFLAGS = $(AM_CFLAGS)
tests_fuzz_gitref_fuzz_LDFLAGS = $(FUZZ_LINK)

# What the Dockerfile frontend is told besides: ignore files, git references, options.
FUZZ_TARGETS += tests/fuzz/dfref_fuzz
tests_fuzz_dfref_fuzz_SOURCES = tests/fuzz/dfref_fuzz.c tests/fuzz/fuzz.h
tests_fuzz_dfref_fuzz_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_dfref_fuzz_LDADD = lib/libdockerfile.la $(LDADD)

# Whole Dockerfiles, with options, to definitions.
FUZZ_TARGETS += tests/fuzz/convert_fuzz
tests_fuzz_convert_fuzz_SOURCES = tests/fuzz/convert_fuzz.c tests/fuzz/fuzz.h \
	tests/unit/lib/dockerfile/fakebridge.h
tests_fuzz_convert_fuzz_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_convert_fuzz_LDADD = lib/libdockerfile.la $(LDADD) -lpthread
