/*
 * tests/unit/proto/pbuf_test.c - messages from outside: what is refused, what is kept, and
 * that packing gives the bytes of deterministic marshalling in Go.
 */
#include "tests/unit/unit.h"

#include "proto/gateway.pb-c.h"
#include "proto/pb.pb-c.h"
#include "proto/pbuf.h"

#define BYTES(s)   (s), sizeof(s) - 1
#define OP         &pb__op__descriptor
#define SOURCE     &pb__source_op__descriptor
#define DEFINITION &pb__definition__descriptor

/* Unpack @in as @desc and pack it again: the result is @want. */
static void
repacks(const ProtobufCMessageDescriptor *desc, const char *in, size_t n, const char *want,
        size_t want_n)
{
        struct sw__pb_arena a;
        sw_buf out = SW_BUF_INIT;

        for (int heap = 0; heap < 2; heap++) {
                ProtobufCMessage *m = NULL;

                sw__pb_arena_init(&a);
                ok(sw__pb_unpack(desc, heap ? NULL : &a.allocator, in, n, &m));
                sw__pb_pack(m, &out);
                ck_assert_uint_eq(out.len, want_n);
                ck_assert_mem_eq(out.data, want, want_n);
                sw_buf_release(&out);
                if (heap)
                        protobuf_c_message_free_unpacked(m, NULL);
                sw__pb_arena_release(&a);
        }
}

static void
refuses(const ProtobufCMessageDescriptor *desc, const char *in, size_t n, int code,
        const char *part)
{
        ProtobufCMessage *m = NULL;

        fails(sw__pb_unpack(desc, NULL, in, n, &m), code, part);
        ck_assert_ptr_null(m);
}

/* Catches: entries left in the order they came; an empty value left out; two entries with
 * one key kept, or the first of them. */
START_TEST(maps_are_sorted_complete_and_unique)
{
        repacks(SOURCE,
                BYTES("\x12\x03\n\x01"
                      "b"
                      "\x12\x06\n\x01"
                      "a\x12\x01"
                      "x"
                      "\x12\x06\n\x01"
                      "a\x12\x01"
                      "y"),
                BYTES("\x12\x06\n\x01"
                      "a\x12\x01"
                      "y"
                      "\x12\x05\n\x01"
                      "b\x12\x00"));
}
END_TEST

/* Catches: an empty key left out, which protobuf-c does in proto3 messages. */
START_TEST(empty_keys_are_written)
{
        repacks(SOURCE, BYTES("\x12\x00"), BYTES("\x12\x04\n\x00\x12\x00"));
        /* a map of messages inside a digested op: BuildOp.inputs */
        repacks(OP, BYTES("\x2a\x04\x12\x02\x12\x00"),
                BYTES("\x2a\x06\x12\x04\n\x00\x12\x00"));
        /* an entry without a value */
        repacks(OP, BYTES("\x2a\x05\x12\x03\n\x01k"),
                BYTES("\x2a\x07\x12\x05\n\x01k\x12\x00"));
}
END_TEST

/* Catches: a bool entry whose false is left out (OpMetadata.caps). */
START_TEST(false_in_a_map_is_written)
{
        repacks(&pb__op_metadata__descriptor, BYTES("\x2a\x03\n\x01k"),
                BYTES("\x2a\x05\n\x01k\x10\x00"));
}
END_TEST

/* Catches: scalar lists that are not packed, zero scalars that are written, fields out of
 * order, empty messages left out. */
START_TEST(scalars_as_in_proto3)
{
        /* PassthroughOp: outputs one by one, before the id; an index of zero is kept in a
         * list */
        repacks(&pb__passthrough_op__descriptor, BYTES("\x10\x00\x10\x05\n\x01p"),
                BYTES("\n\x01p\x12\x02\x00\x05"));
        repacks(OP, BYTES("\x5a\x00\x52\x00\n\x04\n\x00\x10\x00"),
                BYTES("\n\x00\x52\x00\x5a\x00"));
        /* a oneof of a zero number has presence */
        repacks(&pb__user_opt__descriptor, BYTES("\x10\x00"), BYTES("\x10\x00"));
        /* a negative int32 takes ten bytes */
        repacks(&pb__file_action_copy__descriptor,
                BYTES("\x20\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
                BYTES("\x20\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"));
}
END_TEST

/* Catches: fields of a newer version that get lost when a message is passed on. */
START_TEST(unknown_fields_survive)
{
        repacks(SOURCE, BYTES("\xfa\x07\x02hi\n\x01s"), BYTES("\n\x01s\xfa\x07\x02hi"));
}
END_TEST

/* Catches: a string that C would cut short, or that is no text. */
START_TEST(refuses_strings_that_are_no_text)
{
        refuses(SOURCE,
                BYTES("\n\x03"
                      "a\0b"),
                SW_E_INVALID, "pb.SourceOp.identifier has a NUL");
        refuses(SOURCE, BYTES("\n\x01\xff"), SW_E_INVALID, "not valid UTF-8");
        refuses(SOURCE, BYTES("\x12\x03\n\x01\xc0"), SW_E_INVALID,
                "slipway.map.String.key");
}
END_TEST

/* Catches: readings that depend on the decoder. */
START_TEST(refuses_fields_given_twice)
{
        refuses(SOURCE,
                BYTES("\n\x01"
                      "a\n\x01"
                      "b"),
                SW_E_INVALID, "identifier is given more than once");
        /* two members of one oneof */
        refuses(OP, BYTES("\x12\x00\x1a\x00"), SW_E_INVALID, "more than once");
}
END_TEST

/* Catches: reading behind the end, endless varints, groups. */
START_TEST(refuses_broken_bytes)
{
        refuses(SOURCE,
                BYTES("\n\x05"
                      "a"),
                SW_E_INVALID, "end inside a field");
        refuses(SOURCE, BYTES("\n"), SW_E_INVALID, "end inside");
        refuses(SOURCE, BYTES("\n\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), SW_E_INVALID,
                "end inside");
        refuses(OP, BYTES("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), SW_E_INVALID,
                "field tag");
        refuses(OP, BYTES("\x00\x01"), SW_E_INVALID, "field tag");
        refuses(OP, BYTES("\x0b\x0c"), SW_E_INVALID, "wire type");
        refuses(OP, BYTES("\x08\x01"), SW_E_INVALID, "pb.Op does not decode");
}
END_TEST

/* Catches: a stack overflow by a definition in a source of a definition in a source … */
START_TEST(refuses_deep_nesting)
{
        sw_buf b = SW_BUF_INIT, outer = SW_BUF_INIT;

        for (int i = 0; i < 60; i++) {
                /* infos, Source, definition */
                static const uint8_t tags[] = { 0x12, 0x1a, 0x1a };

                for (size_t t = 0; t < sizeof(tags); t++) {
                        size_t n = b.len;

                        sw_buf_clear(&outer);
                        sw_buf_addc(&outer, (char) tags[t]);
                        for (; n >= 0x80; n >>= 7)
                                sw_buf_addc(&outer, (char) (n | 0x80));
                        sw_buf_addc(&outer, (char) n);
                        sw_buf_add(&outer, b.data, b.len);
                        sw_buf_clear(&b);
                        sw_buf_add(&b, outer.data, outer.len);
                }
        }
        refuses(&pb__source_info__descriptor, b.data, b.len, SW_E_LIMIT, "nested deeper");
        sw_buf_release(&b);
        sw_buf_release(&outer);
}
END_TEST

/* Catches: a few bytes that become much memory. */
START_TEST(refuses_amplification)
{
        size_t n = (size_t) 8 << 20;
        char *p = malloc(n);

        for (size_t i = 0; i < n; i += 2) {
                p[i] = 0x12; /* ExecOp.mounts, empty */
                p[i + 1] = 0;
        }
        refuses(&pb__exec_op__descriptor, p, n, SW_E_LIMIT, "MiB of memory");
        free(p);
        refuses(OP, "", SW__PB_MAX_BYTES + 1, SW_E_LIMIT, "more than 16 MiB");
}
END_TEST

/* Catches: arena memory that overlaps or is not aligned. */
START_TEST(arena_pieces_are_apart)
{
        struct sw__pb_arena a;
        char *p[300];

        sw__pb_arena_init(&a);
        for (size_t i = 0; i < 300; i++) {
                size_t n = i % 50 == 0 ? 700000 : i * 13;

                p[i] = sw__pb_arena_alloc(&a, n);
                ck_assert_uint_eq((uintptr_t) p[i] % sizeof(uint64_t), 0);
                memset(p[i], (int) i, n);
        }
        for (size_t i = 1; i < 300; i++)
                if (i % 50)
                        ck_assert_int_eq((unsigned char) p[i][i * 13 - 1],
                                         (int) (i & 0xff));
        ck_assert_str_eq(sw__pb_arena_strndup(&a, "abc", 2), "ab");
        /* enough for chunks that are huge pages */
        for (size_t i = 0; i < 200000; i++) {
                char *q = sw__pb_arena_alloc(&a, 100);

                memset(q, 1, 100);
        }
        ck_assert_int_eq((unsigned char) p[299][299 * 13 - 1], 299 & 0xff);
        ck_assert_uint_ge(a.used, 20000000);
        sw__pb_arena_release(&a);
}
END_TEST

/* A cleared arena gives its memory out again; catches pieces that overlap or a chunk that
 * is used after it was freed (with a sanitizer). */
START_TEST(arena_is_used_again)
{
        struct sw__pb_arena a;

        sw__pb_arena_init(&a);
        sw__pb_arena_clear(&a);
        for (int round = 0; round < 3; round++) {
                char *v[200];

                for (int i = 0; i < 200; i++)
                        v[i] = (char *) memset(sw__pb_arena_alloc(&a, 1000), i, 1000);
                for (int i = 0; i < 200; i++)
                        ck_assert_int_eq(v[i][0] & 0xff, v[i][999] & 0xff);
                for (int i = 0; i < 200; i++)
                        ck_assert_int_eq(v[i][500] & 0xff, i);
                sw__pb_arena_clear(&a);
        }
        sw__pb_arena_release(&a);
}
END_TEST

UNIT_MAIN("pbuf", maps_are_sorted_complete_and_unique, empty_keys_are_written,
          false_in_a_map_is_written, scalars_as_in_proto3, unknown_fields_survive,
          refuses_strings_that_are_no_text, refuses_fields_given_twice,
          refuses_broken_bytes, refuses_deep_nesting, refuses_amplification,
          arena_pieces_are_apart, arena_is_used_again)
