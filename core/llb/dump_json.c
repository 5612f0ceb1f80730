/*
 * core/llb/dump_json.c - ops as Go's encoding/json writes its structs of them, which is
 * how buildctl prints them: members in the order of field numbers, none that are empty,
 * names as in pb.proto, maps as objects sorted by key, bytes in base64, enums as numbers.
 * Three messages are written in their own way: Op, FileAction and UserOpt.
 * Thread: any.
 */
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

/* A value that is there, of a field that may be repeated. */
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
        case PROTOBUF_C_TYPE_UINT32:
                sw_buf_addf(b, "%" PRIu32, *(const uint32_t *) p);
                break;
        case PROTOBUF_C_TYPE_UINT64:
                sw_buf_addf(b, "%" PRIu64, *(const uint64_t *) p);
                break;
        case PROTOBUF_C_TYPE_INT64: sw_buf_addf(b, "%" PRId64, *(const int64_t *) p); break;
        default: sw_buf_addf(b, "%" PRId32, *(const int32_t *) p); break;
        }
}

bool
sw__llb_value_empty(const ProtobufCFieldDescriptor *f, const void *p)
{
        switch (f->type) {
        case PROTOBUF_C_TYPE_STRING: return (*(const char *const *) p)[0] == '\0';
        case PROTOBUF_C_TYPE_BYTES: return ((const ProtobufCBinaryData *) p)->len == 0;
        case PROTOBUF_C_TYPE_MESSAGE: return *(const void *const *) p == NULL;
        case PROTOBUF_C_TYPE_BOOL: return !*(const protobuf_c_boolean *) p;
        case PROTOBUF_C_TYPE_UINT64:
        case PROTOBUF_C_TYPE_INT64: return *(const int64_t *) p == 0;
        default: return *(const int32_t *) p == 0;
        }
}

size_t
sw__llb_value_size(const ProtobufCFieldDescriptor *f)
{
        switch (f->type) {
        case PROTOBUF_C_TYPE_STRING:
        case PROTOBUF_C_TYPE_MESSAGE: return sizeof(void *);
        case PROTOBUF_C_TYPE_BYTES: return sizeof(ProtobufCBinaryData);
        case PROTOBUF_C_TYPE_BOOL: return sizeof(protobuf_c_boolean);
        case PROTOBUF_C_TYPE_UINT64:
        case PROTOBUF_C_TYPE_INT64: return sizeof(int64_t);
        default: return sizeof(int32_t);
        }
}

static void
add_entries(sw_buf *b, ProtobufCMessage *const *v, size_t n)
{
        const ProtobufCFieldDescriptor *f;

        sw_buf_addc(b, '{');
        for (size_t i = 0; i < n; i++) {
                f = v[i]->descriptor->fields;
                if (i)
                        sw_buf_addc(b, ',');
                add_value(b, &f[0], (const char *) v[i] + f[0].offset);
                sw_buf_addc(b, ':');
                add_value(b, &f[1], (const char *) v[i] + f[1].offset);
        }
        sw_buf_addc(b, '}');
}

static void
add_list(sw_buf *b, const ProtobufCFieldDescriptor *f, const char *v, size_t n)
{
        const ProtobufCMessageDescriptor *d =
                (const ProtobufCMessageDescriptor *) f->descriptor;

        if (f->type == PROTOBUF_C_TYPE_MESSAGE && sw__pb_is_map_entry(d)) {
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
add_name(sw_buf *b, const char *name)
{
        if (b->data[b->len - 1] != '{')
                sw_buf_addc(b, ',');
        sw_buf_addf(b, "\"%s\":", name);
}

static void
add_field(sw_buf *b, const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f)
{
        const char *base = (const char *) m, *p = base + f->offset;

        if (f->label == PROTOBUF_C_LABEL_REPEATED) {
                size_t n = *(const size_t *) (const void *) (base + f->quantifier_offset);

                if (!n)
                        return;
                add_name(b, f->name);
                add_list(b, f, *(const char *const *) (const void *) p, n);
        } else if (!sw__llb_value_empty(f, p)) {
                add_name(b, f->name);
                add_value(b, f, p);
        }
}

static const ProtobufCFieldDescriptor *
field(const ProtobufCMessage *m, uint32_t id)
{
        return protobuf_c_message_descriptor_get_field(m->descriptor, id);
}

/* The chosen member of a oneof under @name, or nothing. */
static void
add_oneof(sw_buf *b, const ProtobufCMessage *m, uint32_t id)
{
        const ProtobufCFieldDescriptor *f = id ? field(m, id) : NULL;

        sw_buf_addc(b, '{');
        if (f)
                add_field(b, m, f);
        sw_buf_addc(b, '}');
}

static void
add_op(sw_buf *b, const Pb__Op *op)
{
        sw_buf_addc(b, '{');
        add_field(b, &op->base, field(&op->base, 1));
        add_name(b, "Op");
        add_oneof(b, &op->base, op->op_case);
        add_field(b, &op->base, field(&op->base, 10));
        add_field(b, &op->base, field(&op->base, 11));
        sw_buf_addc(b, '}');
}

/* Indexes are written even when zero; symlink is not in this form. */
static void
add_file_action(sw_buf *b, const Pb__FileAction *a)
{
        bool known = a->action_case != PB__FILE_ACTION__ACTION_SYMLINK;

        sw_buf_addf(b,
                    "{\"input\":%" PRId64 ",\"secondaryInput\":%" PRId64
                    ",\"output\":%" PRId64 ",\"Action\":",
                    a->input, a->secondaryinput, a->output);
        add_oneof(b, &a->base, known ? a->action_case : 0);
        sw_buf_addc(b, '}');
}

static void
add_user(sw_buf *b, const Pb__UserOpt *u)
{
        sw_buf_adds(b, "{\"User\":{");
        if (u->user_case == PB__USER_OPT__USER_BY_NAME)
                add_field(b, &u->base, field(&u->base, 1));
        else if (u->user_case == PB__USER_OPT__USER_BY_ID && u->byid)
                sw_buf_addf(b, "\"byId\":%" PRIu32, u->byid);
        sw_buf_adds(b, "}}");
}

static void
add_message(sw_buf *b, const ProtobufCMessage *m)
{
        if (m->descriptor == &pb__op__descriptor) {
                add_op(b, (const Pb__Op *) (const void *) m);
        } else if (m->descriptor == &pb__file_action__descriptor) {
                add_file_action(b, (const Pb__FileAction *) (const void *) m);
        } else if (m->descriptor == &pb__user_opt__descriptor) {
                add_user(b, (const Pb__UserOpt *) (const void *) m);
        } else {
                sw_buf_addc(b, '{');
                for (unsigned i = 0; i < m->descriptor->n_fields; i++)
                        add_field(b, m, &m->descriptor->fields[i]);
                sw_buf_addc(b, '}');
        }
}

void
sw__llb_add_json(sw_buf *out, const ProtobufCMessage *m)
{
        add_message(out, m);
}

void
sw__llb_dump_json(const struct sw__llb_dump *d, sw_buf *out)
{
        for (size_t i = 0; i < d->n; i++) {
                const struct sw__llb_dump_op *o = &d->ops[i];

                sw_buf_adds(out, "{\"Op\":");
                add_op(out, o->op);
                sw_buf_addf(out, ",\"Digest\":\"%s\",\"OpMetadata\":", o->digest);
                if (o->metadata)
                        add_message(out, &o->metadata->base);
                else
                        sw_buf_adds(out, "{}");
                sw_buf_adds(out, "}\n");
        }
}
