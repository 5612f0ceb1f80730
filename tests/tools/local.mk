# Tools that tests and benchmarks are written with.
EXTRA_DIST += tests/tools/debfiles.py tests/tools/fakedocker.py tests/tools/faultproxy.py tests/tools/gitserver.py tests/tools/ociserver.py tests/tools/tokenserver.py tests/tools/webserver.py
noinst_PROGRAMS += tests/tools/llb
tests_tools_llb_SOURCES = tests/tools/llb.c
tests_tools_llb_LDADD = libslipway.la

# The registry client from the command line.
if HAVE_CURL
noinst_PROGRAMS += tests/tools/regtool
endif
tests_tools_regtool_SOURCES = tests/tools/regtool.c
tests_tools_regtool_LDADD = lib/libregistry.la lib/libimage.la libslipway.la $(BASE_LIBS) -lpthread
noinst_PROGRAMS += tests/tools/without
tests_tools_without_SOURCES = tests/tools/without.c
tests_tools_without_LDADD = libslipway.la

noinst_PROGRAMS += tests/tools/image
tests_tools_image_SOURCES = tests/tools/image.c
tests_tools_image_LDADD = libslipway.la

# lib/layer for measurements.
noinst_PROGRAMS += tests/tools/layer
tests_tools_layer_SOURCES = tests/tools/layer.c
tests_tools_layer_LDADD = lib/liblayerpack.la lib/liblayer.la libsnapdir.la libslipway.la

noinst_PROGRAMS += tests/tools/rounds
tests_tools_rounds_SOURCES = tests/tools/rounds.c
tests_tools_rounds_LDADD = libslipway.la

# How progress looks, from a trace.
noinst_PROGRAMS += tests/tools/replay
tests_tools_replay_SOURCES = tests/tools/replay.c cmd/slipway/term.c $(PROGRESS_SOURCES)
tests_tools_replay_LDADD = libslipway.la $(BASE_LIBS)
