# tests/contract: the rules of each plugin kind as a tool that is installed.
bin_PROGRAMS += tests/contract/slipway-contract
tests_contract_slipway_contract_SOURCES = \
	tests/contract/contract.h \
	tests/contract/exporter.c \
	tests/contract/fixture.c \
	tests/contract/main.c \
	tests/contract/snapdiff.c \
	tests/contract/snaplayers.c \
	tests/contract/snapshotter.c \
	tests/contract/snapshotter.h \
	tests/contract/snaptree.c
tests_contract_slipway_contract_LDADD = libslipway.la
tests_contract_slipway_contract_LDFLAGS = $(PROGRAM_LINK)
EXTRA_tests_contract_slipway_contract_DEPENDENCIES = $(PROGRAM_DEPS)
man_MANS += man/slipway-contract.1
EXTRA_DIST += man/slipway-contract.1
EXTRA_DIST += tests/contract/each.sh
dist_check_SCRIPTS += tests/contract/exporters.sh tests/contract/snapshotters.sh
if STATIC_PLUGINS
tests_contract_slipway_contract_DEPENDENCIES = libslipway.la $(PROGRAM_DEPS)
endif
