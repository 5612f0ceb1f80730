# tests/contract: the rules of each plugin kind as a tool that is installed.
bin_PROGRAMS += tests/contract/slipway-contract
tests_contract_slipway_contract_SOURCES = \
	tests/contract/contract.h \
	tests/contract/executor.c \
	tests/contract/exporter.c \
	tests/contract/fixture.c \
	tests/contract/frontend.c \
	tests/contract/main.c \
	tests/contract/snapdiff.c \
	tests/contract/snapfaults.c \
	tests/contract/snaplayers.c \
	tests/contract/snapshotter.c \
	tests/contract/snapshotter.h \
	tests/contract/snaptree.c \
	tests/contract/snapshare.c \
	tests/contract/snapwriter.c
tests_contract_slipway_contract_LDADD = libslipway.la -lpthread
tests_contract_slipway_contract_LDFLAGS = $(PROGRAM_LINK)
EXTRA_tests_contract_slipway_contract_DEPENDENCIES = $(PROGRAM_DEPS)
man_MANS += man/slipway-contract.1
EXTRA_DIST += man/slipway-contract.1
EXTRA_DIST += tests/contract/each.sh
dist_check_SCRIPTS += tests/contract/executors.sh tests/contract/exporters.sh tests/contract/frontends.sh tests/contract/snapshotters.sh
if STATIC_PLUGINS
tests_contract_slipway_contract_DEPENDENCIES = libslipway.la $(PROGRAM_DEPS)
endif
if !STATIC_PLUGINS
check_LTLIBRARIES += tests/contract/faulty/snapshotter_faulty.la
dist_check_SCRIPTS += tests/contract/faulty.sh
endif
tests_contract_faulty_snapshotter_faulty_la_SOURCES = \
	plugins/snapshot-native/native.h \
	plugins/snapshot-native/plugin.c \
	plugins/snapshot-native/store.c \
	tests/contract/faulty/snapshotter_faulty.c
tests_contract_faulty_snapshotter_faulty_la_LDFLAGS = $(PLUGIN_LINK) -rpath /nowhere
tests_contract_faulty_snapshotter_faulty_la_LIBADD = libsnapdir.la libslipway.la -lpthread
