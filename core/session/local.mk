# core/session: what the client of a build offers.
libslipway_la_SOURCES += \
	core/session/session.c
