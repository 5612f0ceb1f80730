/*
 * proto/pbuf.h - reading and writing protobuf messages that other programs made.
 *
 * protobuf-c alone is not enough for bytes from outside: it recurses as deep as the bytes
 * say, lets a few bytes become many times as much memory, cuts strings at a NUL, takes any
 * bytes for text and knows no maps. sw__pb_unpack() looks through the bytes first and
 * refuses what has no sane reading, then lets protobuf-c decode, then puts map entries in
 * order. A message that came from it packs to the same bytes as the Go implementation's
 * deterministic marshalling gives, which digests are taken over (a pb.Op by
 * sw__llb_pack_op(), see core/llb/marshal.h).
 *
 *      struct sw__pb_arena a;
 *      sw__pb_arena_init(&a);
 *      Pb__Definition *def;
 *      err = sw__pb_unpack(&pb__definition__descriptor, &a.allocator, bytes, n, &def);
 *      ...
 *      sw__pb_arena_release(&a);               the message goes with the arena
 *
 * Not thread-safe per arena or message.
 */
#ifndef SLIPWAY_PROTO_PBUF_H
#define SLIPWAY_PROTO_PBUF_H

#include <protobuf-c/protobuf-c.h>

#include <slipway/buf.h>

/* A message from outside may not be larger (gRPC's limit), nor nest deeper, nor need more
 * memory once decoded. */
#define SW__PB_MAX_BYTES  ((size_t) 16 << 20)
#define SW__PB_MAX_DEPTH  100
#define SW__PB_MAX_MEMORY ((size_t) 256 << 20)

/* Memory that is given back all at once. */
struct sw__pb_arena {
        ProtobufCAllocator allocator; /* for protobuf-c; its free does nothing */
        struct sw__pb_chunk *chunks;
        char *at, *end;   /* free part of the current chunk */
        size_t next_size; /* of the chunk after it */
        size_t used;      /* bytes given out */
};

SW_API void sw__pb_arena_init(struct sw__pb_arena *a);
SW_API void sw__pb_arena_release(struct sw__pb_arena *a); /* empty and usable again */
/** sw__pb_arena_clear - empty it, but keep one chunk for what comes next. */
SW_API void sw__pb_arena_clear(struct sw__pb_arena *a);
/** sw__pb_arena_alloc - @n bytes, not zeroed, aligned for pointers and 64-bit numbers;
 * never NULL. */
SW_API void *sw__pb_arena_alloc(struct sw__pb_arena *a, size_t n);
/** sw__pb_arena_strndup - a copy of @n bytes with a NUL behind. */
SW_API char *sw__pb_arena_strndup(struct sw__pb_arena *a, const char *s, size_t n);

/**
 * sw__pb_unpack - decode a message from outside.
 * @desc:  what it should be.
 * @alloc: an arena's, or NULL for malloc (then protobuf_c_message_free_unpacked()).
 * @out:   address of a pointer to that message; handed back. Strings are UTF-8 without
 *         NUL; map entries are sorted by key, each key once (the last one given counts),
 *         with key and value set. Fields that @desc does not know are kept.
 * Errors: SW_E_INVALID (names message and field), SW_E_LIMIT, SW_E_NOMEM.
 */
SW_API SW_NODISCARD sw_err *sw__pb_unpack(const ProtobufCMessageDescriptor *desc,
                                          ProtobufCAllocator *alloc, const void *p,
                                          size_t n, void *out);

/** sw__pb_unpack_unsorted - the same with maps as they came: not sorted, keys more than
 *  once, key or value NULL or without has_value where the writer left them out. */
SW_API SW_NODISCARD sw_err *sw__pb_unpack_unsorted(const ProtobufCMessageDescriptor *desc,
                                                   ProtobufCAllocator *alloc, const void *p,
                                                   size_t n, void *out);

/**
 * sw__pb_canonical - put the map entries of @m and all below it in order, as
 * sw__pb_unpack() does; for messages that were changed or built by hand. Entries that are
 * dropped, and empty keys that are added, use @alloc (NULL: malloc).
 */
SW_API void sw__pb_canonical(ProtobufCMessage *m, ProtobufCAllocator *alloc);

/** sw__pb_is_map_entry - whether @d is an entry of a map with text keys. */
SW_API bool sw__pb_is_map_entry(const ProtobufCMessageDescriptor *d);

/** sw__pb_pack - append the bytes of @m to @out. */
SW_API void sw__pb_pack(const ProtobufCMessage *m, sw_buf *out);

#endif
