# Installed headers, in $(includedir)/slipway.
pkginclude_HEADERS += \
	core/include/slipway/api.h \
	core/include/slipway/apiserver.h \
	core/include/slipway/array.h \
	core/include/slipway/buf.h \
	core/include/slipway/cache.h \
	core/include/slipway/cancel.h \
	core/include/slipway/cleanup.h \
	core/include/slipway/config.h \
	core/include/slipway/ctx.h \
	core/include/slipway/definition.h \
	core/include/slipway/digest.h \
	core/include/slipway/error.h \
	core/include/slipway/executor.h \
	core/include/slipway/exporter.h \
	core/include/slipway/frontend.h \
	core/include/slipway/host.h \
	core/include/slipway/id.h \
	core/include/slipway/json.h \
	core/include/slipway/llb.h \
	core/include/slipway/log.h \
	core/include/slipway/map.h \
	core/include/slipway/mem.h \
	core/include/slipway/path.h \
	core/include/slipway/platform.h \
	core/include/slipway/plugin.h \
	core/include/slipway/pool.h \
	core/include/slipway/ref.h \
	core/include/slipway/session.h \
	core/include/slipway/sessionpart.h \
	core/include/slipway/snapshotter.h \
	core/include/slipway/source.h \
	core/include/slipway/spawn.h \
	core/include/slipway/text.h \
	core/include/slipway/time.h
