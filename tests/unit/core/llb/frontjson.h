/*
 * tests/unit/core/llb/frontjson.h - definitions that BuildKit's Dockerfile frontend made,
 * put together from their JSON (tests/data/frontend/local.mk says what that is).
 */
#ifndef SLIPWAY_TESTS_FRONTJSON_H
#define SLIPWAY_TESTS_FRONTJSON_H

#include <fcntl.h>

#include <slipway/json.h>

#include "core/llb/llb_priv.h"
#include "core/llb/marshal.h"
#include "tests/unit/unit.h"

enum { MAX_OPS = 64 };

/* One definition on its way from JSON. */
struct list {
        sw_json *json;
        struct sw__pb_arena arena;
        char digests[MAX_OPS][SW_DIGEST_STR_SIZE]; /* of the ops so far */
};

static void *
room(struct list *l, size_t n)
{
        return memset(sw__pb_arena_alloc(&l->arena, n + 1), 0, n + 1);
}

static ProtobufCMessage *message_of(struct list *l, const ProtobufCMessageDescriptor *d,
                                    const sw_json *v);

/* ---- values ------------------------------------------------------------------------- */

static int64_t
number_of(const ProtobufCFieldDescriptor *f, const sw_json *v)
{
        const ProtobufCEnumDescriptor *names =
                (const ProtobufCEnumDescriptor *) f->descriptor;
        const ProtobufCEnumValue *value;

        if (f->type == PROTOBUF_C_TYPE_BOOL)
                return json_is_true(v);
        if (!json_is_string(v))
                return json_integer_value(v);
        if (f->type != PROTOBUF_C_TYPE_ENUM)
                return strtoll(json_string_value(v), NULL, 10);
        value = protobuf_c_enum_descriptor_get_value_by_name(names, json_string_value(v));
        ck_assert_msg(value != NULL, "%s.%s", names->name, json_string_value(v));
        return value->value;
}

static ProtobufCBinaryData
bytes_of(struct list *l, const char *base64)
{
        static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                     "0123456789+/";
        ProtobufCBinaryData out = { 0, room(l, strlen(base64)) };
        unsigned bits = 0, n = 0;

        for (; *base64 && *base64 != '='; base64++) {
                const char *digit = strchr(digits, *base64);

                ck_assert_ptr_nonnull(digit);
                bits = bits << 6 | (unsigned) (digit - digits);
                n += 6;
                if (n >= 8)
                        out.data[out.len++] = (uint8_t) (bits >> (n -= 8));
        }
        return out;
}

static char *
text_of(struct list *l, const sw_json *v)
{
        ck_assert(json_is_string(v));
        return sw__pb_arena_strndup(&l->arena, json_string_value(v), json_string_length(v));
}

static void
put_value(struct list *l, const ProtobufCFieldDescriptor *f, char *at, const sw_json *v)
{
        const int64_t n = number_of(f, v);

        switch (f->type) {
        case PROTOBUF_C_TYPE_MESSAGE:
                *(ProtobufCMessage **) (void *) at =
                        message_of(l, (const ProtobufCMessageDescriptor *) f->descriptor,
                                   v);
                break;
        case PROTOBUF_C_TYPE_STRING: *(char **) (void *) at = text_of(l, v); break;
        case PROTOBUF_C_TYPE_BYTES:
                *(ProtobufCBinaryData *) (void *) at = bytes_of(l, json_string_value(v));
                break;
        case PROTOBUF_C_TYPE_BOOL: *(protobuf_c_boolean *) (void *) at = n != 0; break;
        case PROTOBUF_C_TYPE_ENUM:
        case PROTOBUF_C_TYPE_INT32:
        case PROTOBUF_C_TYPE_UINT32: *(uint32_t *) (void *) at = (uint32_t) n; break;
        case PROTOBUF_C_TYPE_INT64:
        case PROTOBUF_C_TYPE_UINT64: *(int64_t *) (void *) at = n; break;
        default: ck_abort_msg("%s: type %d", f->name, (int) f->type);
        }
}

static size_t
size_of(const ProtobufCFieldDescriptor *f)
{
        if (f->type == PROTOBUF_C_TYPE_INT64 || f->type == PROTOBUF_C_TYPE_UINT64)
                return sizeof(int64_t);
        return f->type == PROTOBUF_C_TYPE_INT32 ? sizeof(int32_t) : sizeof(void *);
}

/* ---- fields ------------------------------------------------------------------------- */

/* A JSON object as the list of entries that stands for a map. */
static void
put_map(struct list *l, const ProtobufCMessageDescriptor *d, const sw_json *v, char *at)
{
        ProtobufCMessage **list =
                (ProtobufCMessage **) room(l, json_object_size(v) * sizeof(*list));
        const ProtobufCFieldDescriptor *value = &d->fields[1];
        const char *key;
        const sw_json *item;
        size_t n = 0;

        json_object_foreach((sw_json *) v, key, item)
        {
                char *entry = room(l, d->sizeof_message);

                d->message_init((ProtobufCMessage *) (void *) entry);
                *(char **) (void *) (entry + d->fields[0].offset) =
                        sw__pb_arena_strndup(&l->arena, key, strlen(key));
                put_value(l, value, entry + value->offset, item);
                if (value->type == PROTOBUF_C_TYPE_BOOL)
                        *(protobuf_c_boolean *) (void *) (entry +
                                                          value->quantifier_offset) = 1;
                list[n++] = (ProtobufCMessage *) (void *) entry;
        }
        *(ProtobufCMessage ***) (void *) at = list;
}

static void
put_repeated(struct list *l, const ProtobufCFieldDescriptor *f, char *base,
             const sw_json *v)
{
        char *list;

        if (json_is_object(v)) {
                *(size_t *) (void *) (base + f->quantifier_offset) = json_object_size(v);
                put_map(l, (const ProtobufCMessageDescriptor *) f->descriptor, v,
                        base + f->offset);
                return;
        }
        list = room(l, json_array_size(v) * size_of(f));
        *(size_t *) (void *) (base + f->quantifier_offset) = json_array_size(v);
        for (size_t i = 0; i < json_array_size(v); i++)
                put_value(l, f, list + i * size_of(f), json_array_get(v, i));
        *(char **) (void *) (base + f->offset) = list;
}

/* Names in JSON: the field's own, or without underscores and with capitals instead. */
static const ProtobufCFieldDescriptor *
field_named(const ProtobufCMessageDescriptor *d, const char *key)
{
        for (unsigned i = 0; i < d->n_fields; i++) {
                const char *a = d->fields[i].name, *b = key;

                while (*a && *b) {
                        const bool up = *a == '_';

                        a += up;
                        if (*b != (up ? *a - 'a' + 'A' : *a))
                                break;
                        a++;
                        b++;
                }
                if ((!*a && !*b) || strcmp(d->fields[i].name, key) == 0)
                        return &d->fields[i];
        }
        ck_abort_msg("%s has no field %s", d->name, key);
        return NULL;
}

/* Inputs are positions in the list here, digests in the message. */
static void
put_input(struct list *l, char *base, const sw_json *v)
{
        Pb__Input *in = (Pb__Input *) (void *) base;

        in->digest = l->digests[json_integer_value(json_object_get(v, "op"))];
        in->index = json_integer_value(json_object_get(v, "index"));
        ck_assert_uint_le(json_object_size(v), json_object_get(v, "index") ? 2 : 1);
}

static ProtobufCMessage *
message_of(struct list *l, const ProtobufCMessageDescriptor *d, const sw_json *v)
{
        char *base = room(l, d->sizeof_message);
        const char *key;
        const sw_json *item;

        ck_assert(json_is_object(v));
        d->message_init((ProtobufCMessage *) (void *) base);
        if (d == &pb__input__descriptor) {
                put_input(l, base, v);
                return (ProtobufCMessage *) (void *) base;
        }
        json_object_foreach((sw_json *) v, key, item)
        {
                const ProtobufCFieldDescriptor *f = field_named(d, key);

                if (f->label == PROTOBUF_C_LABEL_REPEATED) {
                        put_repeated(l, f, base, item);
                        continue;
                }
                put_value(l, f, base + f->offset, item);
                if (f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
                        *(uint32_t *) (void *) (base + f->quantifier_offset) = f->id;
        }
        return (ProtobufCMessage *) (void *) base;
}

/* ---- definitions -------------------------------------------------------------------- */

static void
add_op(struct list *l, Pb__Definition *def, Pb__Source *source, size_t i)
{
        const sw_json *entry = json_array_get(l->json, i);
        const char *want = json_string_value(json_object_get(entry, "digest"));
        const sw_json *md = json_object_get(entry, "metadata");
        const sw_json *locations = json_object_get(entry, "locations");
        Pb__OpMetadataEntry *m = room(l, sizeof(*m));
        Pb__LocationsEntry *where = room(l, sizeof(*where));
        sw_buf b = SW_BUF_INIT;
        sw_digest digest;
        Pb__Op *op;

        op = (Pb__Op *) message_of(l, &pb__op__descriptor, json_object_get(entry, "def"));
        sw__pb_canonical(&op->base, &l->arena.allocator);
        sw__llb_pack_op(op, &b);
        digest = sw_digest_of(b.data, b.len);
        sw_digest_str(&digest, l->digests[i]);
        if (want)
                ck_assert_msg(strcmp(want, l->digests[i]) == 0, "op %zu: %s, not %s", i,
                              l->digests[i], want);
        def->def[def->n_def++] = (ProtobufCBinaryData){ b.len, room(l, b.len) };
        memcpy(def->def[i].data, b.data, b.len);
        sw_buf_release(&b);

        *m = (Pb__OpMetadataEntry) PB__OP_METADATA_ENTRY__INIT;
        m->key = l->digests[i];
        m->value = (Pb__OpMetadata *) message_of(l, &pb__op_metadata__descriptor, md);
        def->metadata[def->n_metadata++] = m;
        if (!locations)
                return;
        *where = (Pb__LocationsEntry) PB__LOCATIONS_ENTRY__INIT;
        where->key = l->digests[i];
        where->value = room(l, sizeof(Pb__Locations));
        *where->value = (Pb__Locations) PB__LOCATIONS__INIT;
        put_repeated(l, field_named(&pb__locations__descriptor, "locations"),
                     (char *) where->value, locations);
        source->locations[source->n_locations++] = where;
}

/* All of it as a pb.Definition. */
static void
definition_of(struct list *l, sw_buf *out)
{
        const size_t n = json_array_size(l->json);
        Pb__SourceInfo info = PB__SOURCE_INFO__INIT;
        Pb__Source source = PB__SOURCE__INIT;
        Pb__Definition pb = PB__DEFINITION__INIT;

        ck_assert_uint_gt(n, 1);
        ck_assert_uint_le(n, MAX_OPS);
        pb.def = room(l, n * sizeof(*pb.def));
        pb.metadata = room(l, n * sizeof(*pb.metadata));
        pb.source = &source;
        source.locations = room(l, n * sizeof(*source.locations));
        source.infos = (Pb__SourceInfo *[]){ &info };
        source.n_infos = 1;
        for (size_t i = 0; i < n; i++)
                add_op(l, &pb, &source, i);
        sw__pb_pack(&pb.base, out);
}

static void
list_open(struct list *l, const char *path)
{
        sw_auto(sw_buf) text = SW_BUF_INIT;

        memset(l, 0, sizeof(*l));
        sw__pb_arena_init(&l->arena);
        ok(sw_buf_read_file(&text, AT_FDCWD, path, 1 << 20));
        ok(sw_json_parse(path, text.data, text.len, &l->json));
}

static void
list_close(struct list *l)
{
        json_decref(l->json);
        sw__pb_arena_release(&l->arena);
}

#endif
