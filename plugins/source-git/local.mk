# source-git: git://, commits of git repositories, by the git program.
if PLUGIN_SOURCE_GIT
plugin_LTLIBRARIES += plugins/source_git.la
endif
source_git_files = plugins/source-git/agent.c plugins/source-git/checkout.c \
	plugins/source-git/commit.c plugins/source-git/fetch.c \
	plugins/source-git/git.h plugins/source-git/modules.c \
	plugins/source-git/modules.h plugins/source-git/ref.c plugins/source-git/ref.h \
	plugins/source-git/resolve.c plugins/source-git/run.c plugins/source-git/run.h \
	plugins/source-git/runenv.c plugins/source-git/shared.c plugins/source-git/source.c \
	plugins/source-git/source.h plugins/source-git/spec.c plugins/source-git/tree.c
plugins_source_git_la_SOURCES = plugins/source-git/plugin.c $(source_git_files)
plugins_source_git_la_LDFLAGS = $(PLUGIN_LINK)
plugins_source_git_la_LIBADD = lib/liblayer.la libslipway.la $(BASE_LIBS)
