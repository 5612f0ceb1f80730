/*
 * core/llb/dump_maps.c - a whole definition as one JSON document: ops, what is said of
 * them, and where they come from, each by digest. It is the answer to the reference's
 * question frontend.convertllb, made of three ways to write JSON: ops and places by
 * protobuf's own mapping, metadata as Go writes its struct, all of it indented by two
 * blanks.
 * Thread: any.
 */
#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include <slipway/json.h>

#include "core/llb/dump.h"

static void add_message(sw_buf *b, const ProtobufCMessage *m);

static void
add_string(sw_buf *b, const char *s)
{
        sw_json_add_str(b, s, strlen(s));
}

static void
add_enum(sw_buf *b, const ProtobufCFieldDescriptor *f, int n)
{
        const ProtobufCEnumValue *v = protobuf_c_enum_descriptor_get_value(
                (const ProtobufCEnumDescriptor *) f->descriptor, n);

        if (v)
                sw_buf_addf(b, "\"%s\"", v->name);
        else
                sw_buf_addf(b, "%d", n);
}

/* ---- protobuf's mapping: numbers of 64 bits are text, enums are names ---- */

static void
add_value(sw_buf *b, const ProtobufCFieldDescriptor *f, const void *p)
{
        const ProtobufCBinaryData *bytes = (const ProtobufCBinaryData *) p;

        switch (f->type) {
        case PROTOBUF_C_TYPE_STRING: add_string(b, *(const char *const *) p); break;
        case PROTOBUF_C_TYPE_BYTES: sw_json_add_base64(b, bytes->data, bytes->len); break;
        case PROTOBUF_C_TYPE_MESSAGE:
                add_message(b, *(const ProtobufCMessage *const *) p);
                break;
        case PROTOBUF_C_TYPE_BOOL:
                sw_buf_adds(b, *(const protobuf_c_boolean *) p ? "true" : "false");
                break;
        case PROTOBUF_C_TYPE_ENUM: add_enum(b, f, *(const int *) p); break;
        case PROTOBUF_C_TYPE_UINT32:
                sw_buf_addf(b, "%" PRIu32, *(const uint32_t *) p);
                break;
        case PROTOBUF_C_TYPE_UINT64:
                sw_buf_addf(b, "\"%" PRIu64 "\"", *(const uint64_t *) p);
                break;
        case PROTOBUF_C_TYPE_INT64:
                sw_buf_addf(b, "\"%" PRId64 "\"", *(const int64_t *) p);
                break;
        default: sw_buf_addf(b, "%" PRId32, *(const int32_t *) p); break;
        }
}

/* "removeMountStubs" of "remove_mount_stubs". */
static void
add_name(sw_buf *b, const char *name)
{
        if (b->data[b->len - 1] != '{')
                sw_buf_addc(b, ',');
        sw_buf_addc(b, '"');
        for (; *name; name++) {
                const bool up = *name == '_' && islower((unsigned char) name[1]);

                name += up;
                sw_buf_addc(b, up ? (char) (*name - 'a' + 'A') : *name);
        }
        sw_buf_adds(b, "\":");
}

static void
add_entries(sw_buf *b, ProtobufCMessage *const *v, size_t n)
{
        sw_buf_addc(b, '{');
        for (size_t i = 0; i < n; i++) {
                const ProtobufCFieldDescriptor *f = v[i]->descriptor->fields;
                const char *base = (const char *) v[i];

                if (i)
                        sw_buf_addc(b, ',');
                add_value(b, &f[0], base + f[0].offset);
                sw_buf_addc(b, ':');
                add_value(b, &f[1], base + f[1].offset);
        }
        sw_buf_addc(b, '}');
}

static void
add_list(sw_buf *b, const ProtobufCFieldDescriptor *f, const char *v, size_t n)
{
        const bool messages = f->type == PROTOBUF_C_TYPE_MESSAGE;

        if (messages && sw__pb_is_map_entry(f->descriptor)) {
                add_entries(b, (ProtobufCMessage *const *) (const void *) v, n);
                return;
        }
        sw_buf_addc(b, '[');
        for (size_t i = 0; i < n; i++) {
                if (i)
                        sw_buf_addc(b, ',');
                add_value(b, f, v + i * sw__llb_value_size(f));
        }
        sw_buf_addc(b, ']');
}

static void
add_field(sw_buf *b, const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f)
{
        const char *base = (const char *) m, *p = base + f->offset;
        const void *count = base + f->quantifier_offset;

        if (f->label == PROTOBUF_C_LABEL_REPEATED) {
                const size_t n = *(const size_t *) count;

                if (!n)
                        return;
                add_name(b, f->name);
                add_list(b, f, *(const char *const *) (const void *) p, n);
        } else if (f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF
                           ? *(const uint32_t *) count == f->id
                           : !sw__llb_value_empty(f, p)) {
                add_name(b, f->name);
                add_value(b, f, p);
        }
}

static void
add_message(sw_buf *b, const ProtobufCMessage *m)
{
        sw_buf_addc(b, '{');
        for (unsigned i = 0; m && i < m->descriptor->n_fields; i++)
                add_field(b, m, &m->descriptor->fields[i]);
        sw_buf_addc(b, '}');
}

/* ---- the document ---- */

/* Append the JSON of @text with a line for each member. */
static void
indent(const sw_buf *text, sw_buf *out)
{
        bool quoted = false;
        size_t depth = 0;

        for (size_t i = 0; i < text->len; i++) {
                const char c = text->data[i];
                const bool opens = !quoted && (c == '{' || c == '[');
                const bool closes = !quoted && (c == '}' || c == ']');
                const bool empty =
                        closes && (text->data[i - 1] == '{' || text->data[i - 1] == '[');

                depth -= closes;
                if (closes && !empty)
                        sw_buf_addf(out, "\n%*s", (int) (2 * depth), "");
                sw_buf_addc(out, c);
                depth += opens;
                if (quoted && c == '\\')
                        sw_buf_addc(out, text->data[++i]);
                else if (c == '"')
                        quoted = !quoted;
                else if (!quoted && c == ':')
                        sw_buf_addc(out, ' ');
                else if ((opens && text->data[i + 1] != '}' && text->data[i + 1] != ']') ||
                         (!quoted && c == ','))
                        sw_buf_addf(out, "\n%*s", (int) (2 * depth), "");
        }
}

static int
by_digest(const void *a, const void *b)
{
        const struct sw__llb_dump_op *const *x = a, *const *y = b;

        return strcmp((*x)->digest, (*y)->digest);
}

void
sw__llb_dump_maps(const struct sw__llb_dump *d, sw_buf *out)
{
        const struct sw__llb_dump_op **ops = sw_alloc_array(d->n + 1, sizeof(*ops));
        sw_auto(sw_buf) text = SW_BUF_INIT;
        size_t n = 0;

        for (size_t i = 0; i < d->n; i++) /* equal ones once */
                if (sw_map_get(d->by_digest, d->ops[i].digest) == &d->ops[i])
                        ops[n++] = &d->ops[i];
        if (n)
                qsort(ops, n, sizeof(*ops), by_digest);
        sw_buf_adds(&text, "{\"def\":{");
        for (size_t i = 0; i < n; i++) {
                sw_buf_addf(&text, "%s\"%s\":", i ? "," : "", ops[i]->digest);
                add_message(&text, &ops[i]->op->base);
        }
        sw_buf_adds(&text, "},\"metadata\":{");
        for (size_t i = 0; i < n; i++) {
                if (!ops[i]->metadata)
                        continue;
                if (text.data[text.len - 1] != '{')
                        sw_buf_addc(&text, ',');
                sw_buf_addf(&text, "\"%s\":", ops[i]->digest);
                sw__llb_add_json(&text, &ops[i]->metadata->base);
        }
        sw_buf_adds(&text, "},\"source\":");
        add_message(&text, d->pb->source ? &d->pb->source->base : NULL);
        sw_buf_addc(&text, '}');
        indent(&text, out);
        free(ops);
}
