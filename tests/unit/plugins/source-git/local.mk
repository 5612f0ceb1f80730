UNIT_TESTS += tests/unit/plugins/source-git/git_test
tests_unit_plugins_source_git_git_test_SOURCES = \
	plugins/source-git/ref.c plugins/source-git/ref.h plugins/source-git/git.h \
	plugins/source-git/spec.c tests/unit/plugins/source-git/git_test.c
# Objects of their own: those of the plugin are libtool's.
tests_unit_plugins_source_git_git_test_CFLAGS = $(AM_CFLAGS)
UNIT_TESTS += tests/unit/plugins/source-git/modules_test
tests_unit_plugins_source_git_modules_test_SOURCES = \
	plugins/source-git/modules.c plugins/source-git/modules.h plugins/source-git/ref.c \
	plugins/source-git/ref.h tests/unit/plugins/source-git/modules_test.c
tests_unit_plugins_source_git_modules_test_CFLAGS = $(AM_CFLAGS)
