# core/session: what the client of a build offers.
libslipway_la_SOURCES += \
	core/session/credhelper.c \
	core/session/dockerauth.c \
	core/session/dockerconfig.c \
	core/session/local.c core/session/local.h \
	core/session/localsecret.c \
	core/session/localssh.c \
	core/session/session.c \
	core/session/sshfilter.c
