# Unit tests of the wire formats.
UNIT_TESTS += tests/unit/proto/pbuf_test
tests_unit_proto_pbuf_test_SOURCES = tests/unit/proto/pbuf_test.c
tests_unit_proto_pbuf_test_LDADD = libslipway_proto.la $(LDADD) $(PROTOBUF_C_LIBS)
