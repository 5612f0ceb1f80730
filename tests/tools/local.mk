# Tools that tests and benchmarks are written with.
noinst_PROGRAMS += tests/tools/llb
tests_tools_llb_SOURCES = tests/tools/llb.c
tests_tools_llb_LDADD = libslipway.la
