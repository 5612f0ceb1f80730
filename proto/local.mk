# proto: the wire formats, one file per protobuf package, as C by protobuf-c.
# Include "proto/NAME.pb-c.h". What links libslipway_proto.la gets its own hidden copy of
# the code; the messages themselves are plain data and pass between copies.
PROTO_FILES = \
	proto/apicaps.proto \
	proto/content.proto \
	proto/control.proto \
	proto/errdefs.proto \
	proto/filesync.proto \
	proto/fsutil.proto \
	proto/gateway.proto \
	proto/health.proto \
	proto/map.proto \
	proto/pb.proto \
	proto/pb_entries.proto \
	proto/pb_values.proto \
	proto/policysession.proto \
	proto/secrets.proto \
	proto/sessionexporter.proto \
	proto/sourcepolicy.proto \
	proto/sshforward.proto \
	proto/stack.proto \
	proto/status.proto \
	proto/store.proto \
	proto/trace.proto \
	proto/upload.proto \
	proto/wellknown.proto \
	proto/worker.proto
PROTO_C = $(PROTO_FILES:.proto=.pb-c.c)
PROTO_H = $(PROTO_FILES:.proto=.pb-c.h)

EXTRA_DIST += $(PROTO_FILES)
BUILT_SOURCES += $(PROTO_H)
CLEANFILES += $(PROTO_C) $(PROTO_H)

# Generated code is not ours to clean of warnings. Hidden: nothing of it leaves the library.
noinst_LTLIBRARIES += libslipway_proto.la
libslipway_proto_la_SOURCES =
nodist_libslipway_proto_la_SOURCES = $(PROTO_C) $(PROTO_H)
libslipway_proto_la_CFLAGS = -std=gnu11 -fvisibility=hidden -w $(SW_SAN) $(PROTOBUF_C_CFLAGS)
libslipway_la_LIBADD += libslipway_proto.la
libslipway_la_SOURCES += \
	proto/pbscan.c proto/pbscan.h \
	proto/pbuf.c proto/pbuf.h

# A pattern with two targets runs once for both. Every file depends on all: they import
# one another. The method LLBBridge.Return needs another name in C.
proto/%.pb-c.c proto/%.pb-c.h: $(top_srcdir)/proto/%.proto $(addprefix $(top_srcdir)/,$(PROTO_FILES))
	$(AM_V_at)$(MKDIR_P) proto
	$(AM_V_GEN)$(PROTOC_C) -I$(top_srcdir)/proto --c_out=proto $<
	$(AM_V_at)$(SED) 's/(\*return)/(*return_)/' proto/$*.pb-c.h >proto/$*.tmp
	$(AM_V_at)mv proto/$*.tmp proto/$*.pb-c.h

# Also for a single target by name in a fresh tree, where BUILT_SOURCES does not help.
$(libslipway_proto_la_OBJECTS) $(libslipway_la_OBJECTS): | $(PROTO_H)
