# bench: measurements, run by ./dev bench. Programs are called *_bench and are not installed.
EXTRA_DIST += bench/kit.bash bench/build.sh bench/dockerfile.sh bench/images.sh bench/layer.sh bench/plugins.sh
noinst_PROGRAMS += bench/llb_bench
bench_llb_bench_SOURCES = bench/llb_bench.c
bench_llb_bench_LDADD = libslipway.la libslipway_proto.la $(BASE_LIBS) $(PROTOBUF_C_LIBS) -lm
noinst_PROGRAMS += bench/state_bench
bench_state_bench_SOURCES = bench/state_bench.c
bench_state_bench_LDADD = libslipway.la $(BASE_LIBS) -lm
noinst_PROGRAMS += bench/solver_bench
bench_solver_bench_SOURCES = bench/solver_bench.c
bench_solver_bench_LDADD = libslipway.la $(BASE_LIBS) $(LMDB_LIBS) -lm
noinst_PROGRAMS += bench/dockerfile_bench
bench_dockerfile_bench_SOURCES = bench/dockerfile_bench.c tests/unit/lib/dockerfile/fakebridge.h
bench_dockerfile_bench_LDADD = lib/libdockerfile.la libslipway.la $(BASE_LIBS) -lpthread
