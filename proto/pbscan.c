/*
 * proto/pbscan.c - the look through a message before protobuf-c decodes it.
 *
 * Refused here, because protobuf-c would run into trouble or read it in its own way:
 * bytes that end early, nesting that is too deep, strings that are no UTF-8 or hold a NUL,
 * a singular field given twice (decoders differ in how they merge these), and what would
 * need too much memory. Everything else that is wrong is left to protobuf-c.
 * Thread: any.
 */
#include <string.h>

#include <slipway/text.h>

#include "proto/pbscan.h"
#include "proto/pbuf.h"

/* What protobuf-c takes for each field while it parses, about. */
#define FIELD_COST 48

enum wire { VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5 };

/* The bytes that are left, and the memory the whole message would take so far. */
struct reader {
        const uint8_t *p, *end;
        size_t *memory;
};

/* One field as it stands in the bytes. */
struct field {
        uint32_t id;
        enum wire wire;
        const uint8_t *data; /* of BYTES */
        size_t len;
        const ProtobufCFieldDescriptor *desc; /* NULL: not known */
};

static sw_err *scan_message(const ProtobufCMessageDescriptor *desc, struct reader r,
                            unsigned depth);

static sw_err *
broken(const ProtobufCMessageDescriptor *desc, const char *how)
{
        return sw_err_new(SW_E_INVALID, "%s: %s", desc->name, how);
}

static sw_err *
wrong(const ProtobufCMessageDescriptor *desc, const ProtobufCFieldDescriptor *f,
      const char *how)
{
        return sw_err_new(SW_E_INVALID, "%s.%s %s", desc->name, f->name, how);
}

static bool
read_varint(struct reader *r, uint64_t *out)
{
        uint64_t v = 0;

        for (unsigned shift = 0; shift < 64 && r->p < r->end; shift += 7) {
                uint8_t b = *r->p++;

                v |= (uint64_t) (b & 0x7f) << shift;
                if (!(b & 0x80)) {
                        *out = v;
                        return true;
                }
        }
        return false;
}

static bool
skip(struct reader *r, uint64_t n)
{
        if (n > (uint64_t) (r->end - r->p))
                return false;
        r->p += n;
        return true;
}

/* @f: the one before, or nothing. */
static sw_err *
read_field(const ProtobufCMessageDescriptor *desc, struct reader *r, struct field *f)
{
        const ProtobufCFieldDescriptor *last;
        uint64_t tag, v = 0;
        bool whole;

        if (!read_varint(r, &tag) || tag >> 32 || tag >> 3 == 0)
                return broken(desc, "broken field tag");
        last = f->desc;
        *f = (struct field){ .id = (uint32_t) (tag >> 3), .wire = (enum wire)(tag & 7) };
        switch (f->wire) {
        case VARINT: whole = read_varint(r, &v); break;
        case FIXED64: whole = skip(r, 8); break;
        case FIXED32: whole = skip(r, 4); break;
        case BYTES:
                whole = read_varint(r, &v);
                f->data = r->p;
                f->len = (size_t) v;
                whole = whole && skip(r, v);
                break;
        default: return broken(desc, "unknown wire type");
        }
        if (!whole)
                return broken(desc, "the bytes end inside a field");
        f->desc = last && last->id == f->id
                          ? last /* lists stand together */
                          : protobuf_c_message_descriptor_get_field(desc, f->id);
        return SW_OK;
}

/* Which bit stands for "this has been given"; the members of a oneof share one. */
static unsigned
slot_of(const ProtobufCMessageDescriptor *desc, const ProtobufCFieldDescriptor *f)
{
        if (f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
                for (unsigned i = 0; i < desc->n_fields; i++)
                        if ((desc->fields[i].flags & PROTOBUF_C_FIELD_FLAG_ONEOF) &&
                            desc->fields[i].quantifier_offset == f->quantifier_offset)
                                return i;
        return (unsigned) (f - desc->fields);
}

static size_t
memory_of(const struct field *f)
{
        const ProtobufCFieldDescriptor *d = f->desc;
        size_t cost = FIELD_COST + f->len;

        if (!d)
                return cost;
        if (d->type == PROTOBUF_C_TYPE_MESSAGE)
                cost = FIELD_COST +
                       ((const ProtobufCMessageDescriptor *) d->descriptor)->sizeof_message;
        else if (f->wire == BYTES && d->type != PROTOBUF_C_TYPE_STRING &&
                 d->type != PROTOBUF_C_TYPE_BYTES)
                cost += f->len * sizeof(uint64_t); /* packed */
        return d->label == PROTOBUF_C_LABEL_REPEATED ? cost + 2 * sizeof(void *) : cost;
}

/* Whether all bytes are ASCII and none is NUL: most strings are and need no more. */
static bool
is_plain(const uint8_t *p, size_t n)
{
        const uint64_t ones = UINT64_C(0x0101010101010101), high = ones << 7;

        for (; n >= 8; p += 8, n -= 8) {
                uint64_t w;

                memcpy(&w, p, 8);
                if ((w | (w - ones)) & high) /* not ASCII, or a byte went below zero */
                        return false;
        }
        for (; n; p++, n--)
                if (*p == 0 || *p >= 0x80)
                        return false;
        return true;
}

static sw_err *
scan_value(const ProtobufCMessageDescriptor *desc, const struct field *f, struct reader r,
           unsigned depth)
{
        if (f->wire != BYTES)
                return SW_OK;
        if (f->desc->type == PROTOBUF_C_TYPE_STRING) {
                if (is_plain(f->data, f->len))
                        return SW_OK;
                if (memchr(f->data, 0, f->len))
                        return wrong(desc, f->desc, "has a NUL in it");
                if (!sw_utf8_valid((const char *) f->data, f->len))
                        return wrong(desc, f->desc, "is not valid UTF-8");
        } else if (f->desc->type == PROTOBUF_C_TYPE_MESSAGE) {
                r.p = f->data;
                r.end = f->data + f->len;
                return scan_message(
                        (const ProtobufCMessageDescriptor *) f->desc->descriptor, r,
                        depth + 1);
        }
        return SW_OK;
}

static sw_err *
scan_message(const ProtobufCMessageDescriptor *desc, struct reader r, unsigned depth)
{
        uint64_t given = 0;
        struct field f = { 0 };
        sw_err *err;

        if (depth > SW__PB_MAX_DEPTH)
                return sw_err_new(SW_E_LIMIT, "%s is nested deeper than %d messages",
                                  desc->name, SW__PB_MAX_DEPTH);
        while (r.p < r.end) {
                err = read_field(desc, &r, &f);
                if (err)
                        return err;
                *r.memory += memory_of(&f);
                if (*r.memory > SW__PB_MAX_MEMORY)
                        return sw_err_new(SW_E_LIMIT,
                                          "%s needs more than %zu MiB of memory",
                                          desc->name, SW__PB_MAX_MEMORY >> 20);
                if (!f.desc)
                        continue;
                if (f.desc->label != PROTOBUF_C_LABEL_REPEATED) {
                        uint64_t bit = UINT64_C(1) << (slot_of(desc, f.desc) & 63);

                        if (given & bit)
                                return wrong(desc, f.desc, "is given more than once");
                        given |= bit;
                }
                err = scan_value(desc, &f, r, depth);
                if (err)
                        return err;
        }
        return SW_OK;
}

sw_err *
sw__pb_scan(const ProtobufCMessageDescriptor *desc, const uint8_t *p, size_t n)
{
        size_t memory = desc->sizeof_message;
        static const uint8_t nothing[1];
        struct reader r = { n ? p : nothing, n ? p + n : nothing, &memory };

        if (n > SW__PB_MAX_BYTES)
                return sw_err_new(SW_E_LIMIT, "%s has %zu bytes, more than %zu MiB",
                                  desc->name, n, SW__PB_MAX_BYTES >> 20);
        return scan_message(desc, r, 1);
}
