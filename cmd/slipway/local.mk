# cmd/slipway: the command. A verb is one verb_*.c, and one man page when it is not below
# another verb; nothing else lists verbs.
bin_PROGRAMS += cmd/slipway/slipway
# The display of progress: tests and their tools are made with it, too.
PROGRESS_SOURCES = \
	cmd/slipway/progress/colour.c cmd/slipway/progress/colour.h \
	cmd/slipway/progress/logpipe.c cmd/slipway/progress/logpipe.h \
	cmd/slipway/progress/logtext.c cmd/slipway/progress/logtext.h \
	cmd/slipway/progress/model.c cmd/slipway/progress/model.h \
	cmd/slipway/progress/picture.c cmd/slipway/progress/picture.h \
	cmd/slipway/progress/plain.c \
	cmd/slipway/progress/progress.c cmd/slipway/progress/progress.h \
	cmd/slipway/progress/rawjson.c \
	cmd/slipway/progress/rows.c cmd/slipway/progress/rows.h \
	cmd/slipway/progress/screen.c cmd/slipway/progress/screen.h \
	cmd/slipway/progress/stepname.c cmd/slipway/progress/stepname.h \
	cmd/slipway/progress/tty.c \
	cmd/slipway/progress/width.c cmd/slipway/progress/width.h \
	cmd/slipway/progress/widthtab.h

cmd_slipway_slipway_SOURCES = \
	cmd/slipway/build/call.c cmd/slipway/build/call.h \
	cmd/slipway/build/context.c cmd/slipway/build/context.h \
	cmd/slipway/build/dockerload.c \
	cmd/slipway/build/excerpt.c cmd/slipway/build/excerpt.h \
	cmd/slipway/build/explain.c \
	cmd/slipway/build/flags.c cmd/slipway/build/flags.h \
	cmd/slipway/build/image.c cmd/slipway/build/image.h \
	cmd/slipway/build/input.c cmd/slipway/build/input.h \
	cmd/slipway/build/hints.c cmd/slipway/build/hints.h \
	cmd/slipway/build/load.c cmd/slipway/build/load.h \
	cmd/slipway/build/load_priv.h \
	cmd/slipway/build/named.c cmd/slipway/build/named.h \
	cmd/slipway/build/opts.c cmd/slipway/build/opts.h \
	cmd/slipway/build/output.c cmd/slipway/build/output.h \
	cmd/slipway/build/report.c cmd/slipway/build/report.h \
	cmd/slipway/build/signals.c cmd/slipway/build/signals.h \
	cmd/slipway/build/spool.c cmd/slipway/build/spool.h \
	cmd/slipway/build/summary.c \
	cmd/slipway/cli.c cmd/slipway/cli.h \
	cmd/slipway/cli_bash.c \
	cmd/slipway/cli_check.c \
	cmd/slipway/cli_help.c \
	cmd/slipway/cli_man.c \
	cmd/slipway/client.c cmd/slipway/client.h \
	cmd/slipway/doctor/cgroup.c \
	cmd/slipway/doctor/confine.c \
	cmd/slipway/doctor/doctor.c cmd/slipway/doctor/doctor.h \
	cmd/slipway/doctor/kernel.c \
	cmd/slipway/doctor/limits.c \
	cmd/slipway/doctor/overlay.c \
	cmd/slipway/doctor/programs.c \
	cmd/slipway/doctor/runtime.c \
	cmd/slipway/doctor/storage.c \
	cmd/slipway/doctor/trial.c cmd/slipway/doctor/trial.h \
	cmd/slipway/doctor/trial_mount.c \
	cmd/slipway/doctor/trial_overlay.c \
	cmd/slipway/doctor/userns.c \
	cmd/slipway/doctor/version.c cmd/slipway/doctor/version.h \
	cmd/slipway/environ.c cmd/slipway/environ.h \
	cmd/slipway/history/filter.c \
	cmd/slipway/history/json.c \
	cmd/slipway/history/past.c cmd/slipway/history/past.h \
	cmd/slipway/history/verb_change.c \
	cmd/slipway/history/verb_history.c \
	cmd/slipway/history/verb_inspect.c \
	cmd/slipway/history/verb_logs.c \
	cmd/slipway/history/words.c \
	cmd/slipway/images.c cmd/slipway/images.h \
	cmd/slipway/main.c \
	cmd/slipway/plugins.c cmd/slipway/plugins.h \
	cmd/slipway/program.c cmd/slipway/program.h \
	$(PROGRESS_SOURCES) \
	cmd/slipway/report/answers.c \
	cmd/slipway/report/data.c \
	cmd/slipway/report/graph.c \
	cmd/slipway/report/html.c \
	cmd/slipway/report/layers.c \
	cmd/slipway/report/page.c \
	cmd/slipway/report/report.h \
	cmd/slipway/report/steps.c \
	cmd/slipway/report/timeline.c \
	cmd/slipway/report/verb_report.c \
	cmd/slipway/setup.c cmd/slipway/setup.h \
	cmd/slipway/table.c cmd/slipway/table.h \
	cmd/slipway/template.c cmd/slipway/template.h \
	cmd/slipway/term.c cmd/slipway/term.h \
	cmd/slipway/usage.c cmd/slipway/usage.h \
	cmd/slipway/verb_build.c \
	cmd/slipway/verb_config.c \
	cmd/slipway/verb_config_check.c \
	cmd/slipway/verb_config_explain.c \
	cmd/slipway/verb_doctor.c \
	cmd/slipway/verb_debug_cache.c \
	cmd/slipway/verb_debug_dump_llb.c \
	cmd/slipway/verb_debug_shell.c \
	cmd/slipway/verb_debug_solve_trace.c \
	cmd/slipway/verb_du.c \
	cmd/slipway/verb_dump_docs.c \
	cmd/slipway/verb_help.c \
	cmd/slipway/verb_images.c \
	cmd/slipway/verb_images_inspect.c \
	cmd/slipway/verb_images_rm.c \
	cmd/slipway/verb_images_save.c \
	cmd/slipway/verb_images_tag.c \
	cmd/slipway/verb_plugins.c \
	cmd/slipway/verb_plugins_show.c \
	cmd/slipway/verb_prune.c \
	cmd/slipway/verb_version.c
cmd_slipway_slipway_LDADD = lib/libimagearchive.la lib/libimage.la lib/liblayer.la libslipway.la $(BASE_LIBS)
cmd_slipway_slipway_LDFLAGS = $(PROGRAM_LINK) -Wl,--as-needed
EXTRA_cmd_slipway_slipway_DEPENDENCIES = $(PROGRAM_DEPS)

# The page of slipway report, as C.
report_files = cmd/slipway/report/page.html cmd/slipway/report/page.css cmd/slipway/report/page.js
EXTRA_DIST += $(report_files) cmd/slipway/report/embed.awk
BUILT_SOURCES += cmd/slipway/report/pagetext.h
CLEANFILES += cmd/slipway/report/pagetext.h
cmd/slipway/report/pagetext.h: $(report_files) cmd/slipway/report/embed.awk
	$(AM_V_at)$(MKDIR_P) cmd/slipway/report
	$(AM_V_GEN)cd '$(srcdir)' && $(AWK) -f cmd/slipway/report/embed.awk $(report_files) \
		>'$(abs_builddir)/$@.tmp'
	$(AM_V_at)mv -f $@.tmp $@
cmd/slipway/report/page.$(OBJEXT): cmd/slipway/report/pagetext.h

# Written by the program itself, from the tables of its command line. When cross compiling,
# give a slipway of the same version that runs here: make SLIPWAY_FOR_BUILD=/usr/bin/slipway
SLIPWAY_FOR_BUILD = ./cmd/slipway/slipway$(EXEEXT)
slipway_pages = \
	man/slipway.1 \
	man/slipway-build.1 \
	man/slipway-config.1 \
	man/slipway-doctor.1 \
	man/slipway-du.1 \
	man/slipway-debug.1 \
	man/slipway-help.1 \
	man/slipway-history.1 \
	man/slipway-images.1 \
	man/slipway-inspect.1 \
	man/slipway-plugins.1 \
	man/slipway-prune.1 \
	man/slipway-report.1 \
	man/slipway-version.1
man_MANS += $(slipway_pages)
bashcomp_DATA += man/slipway.bash
CLEANFILES += $(slipway_pages) man/slipway.bash

$(slipway_pages): cmd/slipway/slipway$(EXEEXT)
	$(AM_V_GEN)$(MKDIR_P) man && page=`basename $@ .1` && \
	$(SLIPWAY_FOR_BUILD) dump-docs man "$$page" >$@.tmp && mv -f $@.tmp $@
man/slipway.bash: cmd/slipway/slipway$(EXEEXT)
	$(AM_V_GEN)$(MKDIR_P) man && \
	$(SLIPWAY_FOR_BUILD) dump-docs bash >$@.tmp && mv -f $@.tmp $@
