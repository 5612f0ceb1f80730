# exec-runc: containers by any OCI runtime.
if PLUGIN_EXEC_RUNC
plugin_LTLIBRARIES += plugins/executor_runc.la
endif
plugins_executor_runc_la_SOURCES = \
	plugins/exec-runc/box.c \
	plugins/exec-runc/caps.c \
	plugins/exec-runc/cgroup.c \
	plugins/exec-runc/cgroupstat.c \
	plugins/exec-runc/filter.c \
	plugins/exec-runc/names.c \
	plugins/exec-runc/plugin.c \
	plugins/exec-runc/process.c \
	plugins/exec-runc/run.c \
	plugins/exec-runc/runc.h \
	plugins/exec-runc/runtime.c \
	plugins/exec-runc/seccomp.c \
	plugins/exec-runc/spec.c \
	plugins/exec-runc/speclinux.c \
	plugins/exec-runc/state.c \
	plugins/exec-runc/stubs.c \
	plugins/exec-runc/user.c \
	plugins/exec-runc/wait.c \
	plugins/exec-runc/warm.c
plugins_executor_runc_la_LDFLAGS = $(PLUGIN_LINK)
plugins_executor_runc_la_LIBADD = libjanitor.la libslipway.la $(BASE_LIBS)
