# Fake plugins: one module per way a plugin can be wrong, and a few good ones. "-rpath"
# makes libtool build shared modules although they are not installed. Source: NAME.c.
if !STATIC_PLUGINS
check_LTLIBRARIES += \
	tests/fake-plugins/dup/exporter_good.la \
	tests/fake-plugins/gone/libgone.la \
	tests/fake-plugins/exporter_abi_larger.la \
	tests/fake-plugins/exporter_abi_major.la \
	tests/fake-plugins/exporter_abi_minor.la \
	tests/fake-plugins/exporter_abi_smaller.la \
	tests/fake-plugins/exporter_alias.la \
	tests/fake-plugins/exporter_bad_default.la \
	tests/fake-plugins/exporter_bad_kind.la \
	tests/fake-plugins/exporter_bad_magic.la \
	tests/fake-plugins/exporter_bad_name.la \
	tests/fake-plugins/exporter_bad_summary.la \
	tests/fake-plugins/exporter_cycle_a.la \
	tests/fake-plugins/exporter_cycle_b.la \
	tests/fake-plugins/exporter_good.la \
	tests/fake-plugins/exporter_init_fails.la \
	tests/fake-plugins/exporter_init_leaves.la \
	tests/fake-plugins/exporter_init_says.la \
	tests/fake-plugins/exporter_kind_mismatch.la \
	tests/fake-plugins/exporter_long_descriptor.la \
	tests/fake-plugins/exporter_name_mismatch.la \
	tests/fake-plugins/exporter_needs_broken.la \
	tests/fake-plugins/exporter_needs_cycle.la \
	tests/fake-plugins/exporter_needs_failing.la \
	tests/fake-plugins/exporter_needs_good.la \
	tests/fake-plugins/exporter_no_descriptor.la \
	tests/fake-plugins/exporter_no_export_refs.la \
	tests/fake-plugins/exporter_no_library.la \
	tests/fake-plugins/exporter_no_symbol.la \
	tests/fake-plugins/exporter_null_name.la \
	tests/fake-plugins/exporter_null_ops.la \
	tests/fake-plugins/exporter_null_strings.la \
	tests/fake-plugins/exporter_options.la \
	tests/fake-plugins/exporter_short_descriptor.la \
	tests/fake-plugins/exporter_short_ops.la \
	tests/fake-plugins/exporter_unmet.la \
	tests/fake-plugins/frontend_fake.la \
	tests/fake-plugins/source_fake.la \
	tests/fake-plugins/stray.la
endif
noinst_HEADERS += tests/fake-plugins/fake.h

FAKE_LINK = $(PLUGIN_LINK) -rpath /nowhere
# Symbols may stay undefined, and are bound when called.
FAKE_LOOSE = $(AM_LDFLAGS) -module -avoid-version -shared -rpath /nowhere

tests_fake_plugins_gone_libgone_la_LDFLAGS = $(AM_LDFLAGS) -avoid-version -shared -rpath /nowhere
# The library is named to the linker only: libtool would tell the module where it lies.
tests_fake_plugins_exporter_no_library_la_LDFLAGS = $(FAKE_LINK) \
	-Wl,-L,tests/fake-plugins/gone/.libs -Wl,-lgone
tests_fake_plugins_exporter_no_library_la_LIBADD = libslipway.la
tests_fake_plugins_exporter_no_library_la_DEPENDENCIES = libslipway.la \
	tests/fake-plugins/gone/libgone.la
tests_fake_plugins_exporter_no_symbol_la_LDFLAGS = $(FAKE_LOOSE)
tests_fake_plugins_exporter_no_symbol_la_LIBADD = libslipway.la
tests_fake_plugins_dup_exporter_good_la_LDFLAGS = $(FAKE_LINK)
tests_fake_plugins_dup_exporter_good_la_LIBADD = libslipway.la
tests_fake_plugins_exporter_abi_larger_la_LDFLAGS = $(FAKE_LINK)
tests_fake_plugins_exporter_abi_larger_la_LIBADD = libslipway.la
tests_fake_plugins_exporter_abi_major_la_LDFLAGS = $(FAKE_LINK)
tests_fake_plugins_exporter_abi_major_la_LIBADD = libslipway.la
tests_fake_plugins_exporter_abi_minor_la_LDFLAGS = $(FAKE_LINK)
tests_fake_plugins_exporter_abi_minor_la_LIBADD = libslipway.la
tests_fake_plugins_exporter_abi_smaller_la_LDFLAGS = $(FAKE_LINK)
tests_fake_plugins_exporter_abi_smaller_la_LIBADD = libslipway.la
tests_fake_plugins_exporter_alias_la_LDFLAGS = $(FAKE_LINK)
tests_fake_plugins_exporter_alias_la_LIBADD = libslipway.la
tests_fake_plugins_exporter_bad_default_la_LDFLAGS = $(FAKE_LINK)
tests_fake_plugins_exporter_bad_default_la_LIBADD = libslipway.la
tests_fake_plugins_exporter_bad_kind_la_LDFLAGS = $(FAKE_LINK)
tests_fake_plugins_exporter_bad_kind_la_LIBADD = libslipway.la
tests_fake_plugins_exporter_bad_magic_la_LDFLAGS = $(FAKE_LINK)
tests_fake_plugins_exporter_bad_magic_la_LIBADD = libslipway.la
tests_fake_plugins_exporter_bad_name_la_LDFLAGS = $(FAKE_LINK)
tests_fake_plugins_exporter_bad_name_la_LIBADD = libslipway.la
tests_fake_plugins_exporter_bad_summary_la_LDFLAGS = $(FAKE_LINK)
tests_fake_plugins_exporter_bad_summary_la_LIBADD = libslipway.la
tests_fake_plugins_exporter_cycle_a_la_LDFLAGS = $(FAKE_LINK)
tests_fake_plugins_exporter_cycle_a_la_LIBADD = libslipway.la
tests_fake_plugins_exporter_cycle_b_la_LDFLAGS = $(FAKE_LINK)
tests_fake_plugins_exporter_cycle_b_la_LIBADD = libslipway.la
tests_fake_plugins_exporter_good_la_LDFLAGS = $(FAKE_LINK)
tests_fake_plugins_exporter_good_la_LIBADD = libslipway.la
tests_fake_plugins_exporter_init_fails_la_LDFLAGS = $(FAKE_LINK)
tests_fake_plugins_exporter_init_fails_la_LIBADD = libslipway.la
tests_fake_plugins_exporter_init_leaves_la_LDFLAGS = $(FAKE_LINK)
tests_fake_plugins_exporter_init_leaves_la_LIBADD = libslipway.la
tests_fake_plugins_exporter_init_says_la_LDFLAGS = $(FAKE_LINK)
tests_fake_plugins_exporter_init_says_la_LIBADD = libslipway.la
tests_fake_plugins_exporter_kind_mismatch_la_LDFLAGS = $(FAKE_LINK)
tests_fake_plugins_exporter_kind_mismatch_la_LIBADD = libslipway.la
tests_fake_plugins_exporter_long_descriptor_la_LDFLAGS = $(FAKE_LINK)
tests_fake_plugins_exporter_long_descriptor_la_LIBADD = libslipway.la
tests_fake_plugins_exporter_name_mismatch_la_LDFLAGS = $(FAKE_LINK)
tests_fake_plugins_exporter_name_mismatch_la_LIBADD = libslipway.la
tests_fake_plugins_exporter_needs_broken_la_LDFLAGS = $(FAKE_LINK)
tests_fake_plugins_exporter_needs_broken_la_LIBADD = libslipway.la
tests_fake_plugins_exporter_needs_cycle_la_LDFLAGS = $(FAKE_LINK)
tests_fake_plugins_exporter_needs_cycle_la_LIBADD = libslipway.la
tests_fake_plugins_exporter_needs_failing_la_LDFLAGS = $(FAKE_LINK)
tests_fake_plugins_exporter_needs_failing_la_LIBADD = libslipway.la
tests_fake_plugins_exporter_needs_good_la_LDFLAGS = $(FAKE_LINK)
tests_fake_plugins_exporter_needs_good_la_LIBADD = libslipway.la
tests_fake_plugins_exporter_no_descriptor_la_LDFLAGS = $(FAKE_LINK)
tests_fake_plugins_exporter_no_descriptor_la_LIBADD = libslipway.la
tests_fake_plugins_exporter_no_export_refs_la_LDFLAGS = $(FAKE_LINK)
tests_fake_plugins_exporter_no_export_refs_la_LIBADD = libslipway.la
tests_fake_plugins_exporter_null_name_la_LDFLAGS = $(FAKE_LINK)
tests_fake_plugins_exporter_null_name_la_LIBADD = libslipway.la
tests_fake_plugins_exporter_null_ops_la_LDFLAGS = $(FAKE_LINK)
tests_fake_plugins_exporter_null_ops_la_LIBADD = libslipway.la
tests_fake_plugins_exporter_null_strings_la_LDFLAGS = $(FAKE_LINK)
tests_fake_plugins_exporter_null_strings_la_LIBADD = libslipway.la
tests_fake_plugins_exporter_options_la_LDFLAGS = $(FAKE_LINK)
tests_fake_plugins_exporter_options_la_LIBADD = libslipway.la
tests_fake_plugins_exporter_short_descriptor_la_LDFLAGS = $(FAKE_LINK)
tests_fake_plugins_exporter_short_descriptor_la_LIBADD = libslipway.la
tests_fake_plugins_exporter_short_ops_la_LDFLAGS = $(FAKE_LINK)
tests_fake_plugins_exporter_short_ops_la_LIBADD = libslipway.la
tests_fake_plugins_exporter_unmet_la_LDFLAGS = $(FAKE_LINK)
tests_fake_plugins_exporter_unmet_la_LIBADD = libslipway.la
tests_fake_plugins_stray_la_LDFLAGS = $(FAKE_LINK)
tests_fake_plugins_stray_la_LIBADD = libslipway.la
tests_fake_plugins_frontend_fake_la_LDFLAGS = $(FAKE_LINK)
tests_fake_plugins_frontend_fake_la_LIBADD = libslipway.la
tests_fake_plugins_source_fake_la_LDFLAGS = $(FAKE_LINK)
tests_fake_plugins_source_fake_la_LIBADD = libslipway.la
