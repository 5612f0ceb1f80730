/*
 * proto/pbuf.c - arena, canonical order of maps, packing. See pbuf.h; the look through the
 * bytes before they are decoded is in pbscan.c.
 *
 * Thread: any, one at a time per arena and message.
 */
#include <string.h>
#include <sys/mman.h>

#include <slipway/mem.h>

#include "core/base/mem.h"
#include "proto/pbscan.h"
#include "proto/pbuf.h"

#define CHUNK_MIN ((size_t) 16 << 10)
#define CHUNK_MAX ((size_t) 1 << 20)
/* Beyond that, chunks are whole huge pages: 512 page faults less for each. */
#define HUGE_PAGE ((size_t) 2 << 20)
#define ALIGN     (sizeof(uint64_t)) /* the widest that messages have */

struct sw__pb_chunk {
        struct sw__pb_chunk *next;
        size_t size;
        uint64_t data[];
};

/* ---- arena ------------------------------------------------------------------------- */

static struct sw__pb_chunk *
add_chunk(struct sw__pb_arena *a, size_t size)
{
        bool huge = sizeof(struct sw__pb_chunk) + size == HUGE_PAGE;
        struct sw__pb_chunk *c =
                (struct sw__pb_chunk *) (huge ? aligned_alloc(HUGE_PAGE, HUGE_PAGE)
                                              : malloc(sizeof(*c) + size));

        if (huge && c)
                (void) madvise(c, HUGE_PAGE, MADV_HUGEPAGE); /* a wish */
        if (!c)
                return NULL;
        c->next = a->chunks;
        c->size = size;
        a->chunks = c;
        return c;
}

/* NULL when memory is gone: protobuf-c then gives up on the message. A large piece gets a
 * chunk of its own, so that what is left of the current one stays in use. */
static void *
try_alloc(struct sw__pb_arena *a, size_t n)
{
        struct sw__pb_chunk *c;
        char *p = a->at;

        if (n > SIZE_MAX / 4)
                return NULL;
        n = (n + ALIGN - 1) / ALIGN * ALIGN;
        a->used += n;
        if (n <= (size_t) (a->end - a->at)) {
                a->at += n;
                return p;
        }
        if (n > a->next_size / 4) {
                c = add_chunk(a, n);
                return c ? c->data : NULL;
        }
        c = add_chunk(a, a->next_size);
        if (!c)
                return NULL;
        a->at = (char *) c->data + n;
        a->end = (char *) c->data + a->next_size;
        a->next_size = a->next_size < CHUNK_MAX ? a->next_size * 2
                                                : HUGE_PAGE - sizeof(struct sw__pb_chunk);
        return c->data;
}

static void *
arena_alloc_cb(void *arena, size_t n)
{
        return try_alloc((struct sw__pb_arena *) arena, n);
}

static void
arena_free_cb(void *arena, void *p)
{
        (void) arena;
        (void) p;
}

void
sw__pb_arena_init(struct sw__pb_arena *a)
{
        *a = (struct sw__pb_arena){ .allocator = { .alloc = arena_alloc_cb,
                                                   .free = arena_free_cb,
                                                   .allocator_data = a },
                                    .next_size = CHUNK_MIN };
}

void
sw__pb_arena_release(struct sw__pb_arena *a)
{
        struct sw__pb_chunk *c = a->chunks, *next;

        for (; c; c = next) {
                next = c->next;
                free(c);
        }
        sw__pb_arena_init(a);
}

void
sw__pb_arena_clear(struct sw__pb_arena *a)
{
        struct sw__pb_chunk *first = a->chunks, *rest;

        if (!first)
                return;
        rest = first->next;
        first->next = NULL;
        for (struct sw__pb_chunk *next; rest; rest = next) {
                next = rest->next;
                free(rest);
        }
        a->at = (char *) first->data;
        a->end = a->at + first->size;
        a->next_size = CHUNK_MIN;
}

void *
sw__pb_arena_alloc(struct sw__pb_arena *a, size_t n)
{
        void *p = try_alloc(a, n);

        if (!p)
                sw__nomem(n);
        return p;
}

char *
sw__pb_arena_strndup(struct sw__pb_arena *a, const char *s, size_t n)
{
        char *copy = (char *) sw__pb_arena_alloc(a, n + 1);

        memcpy(copy, s, n);
        copy[n] = '\0';
        return copy;
}

/* ---- maps --------------------------------------------------------------------------- */

/* Every map entry begins with these members, see map.proto and pb_entries.proto. */
struct entry {
        ProtobufCMessage base;
        char *key;
};

/* An entry and where it stood, which decides between equal keys. */
struct ranked {
        ProtobufCMessage *m;
        size_t pos;
};

static const char *
key_of(const ProtobufCMessage *m)
{
        return ((const struct entry *) (const void *) m)->key;
}

static int
by_key_then_position(const void *a, const void *b)
{
        const struct ranked *x = (const struct ranked *) a, *y = (const struct ranked *) b;
        int c = strcmp(key_of(x->m), key_of(y->m));

        if (c != 0)
                return c;
        return x->pos < y->pos ? -1 : x->pos > y->pos;
}

static void *
alloc_small(ProtobufCAllocator *alloc, size_t n)
{
        void *p = alloc ? alloc->alloc(alloc->allocator_data, n) : malloc(n);

        if (!p)
                sw__nomem(n);
        return p;
}

/* Presence for what a writer may leave out when it is empty. */
static void
complete_field(ProtobufCMessage *m, const ProtobufCFieldDescriptor *f,
               ProtobufCAllocator *alloc)
{
        char *base = (char *) m;
        void **p = (void **) (void *) (base + f->offset);

        if (f->type == PROTOBUF_C_TYPE_STRING) {
                if (!*p)
                        *p = memset(alloc_small(alloc, 1), 0, 1);
        } else if (f->type == PROTOBUF_C_TYPE_MESSAGE) {
                const ProtobufCMessageDescriptor *d =
                        (const ProtobufCMessageDescriptor *) f->descriptor;

                if (!*p) {
                        *p = alloc_small(alloc, d->sizeof_message);
                        d->message_init((ProtobufCMessage *) *p);
                }
        } else if (f->label == PROTOBUF_C_LABEL_OPTIONAL) {
                *(protobuf_c_boolean *) (base + f->quantifier_offset) = 1;
        }
}

static void
sort_entries(ProtobufCMessage **v, size_t *count, ProtobufCAllocator *alloc)
{
        size_t n = *count, kept = 0;
        struct ranked *r;

        for (kept = 1; kept < n && strcmp(key_of(v[kept - 1]), key_of(v[kept])) < 0; kept++)
                ;
        if (n == 0 || kept == n)
                return;
        r = (struct ranked *) sw_alloc_array(n, sizeof(*r));
        for (size_t i = 0; i < n; i++)
                r[i] = (struct ranked){ v[i], i };
        qsort(r, n, sizeof(*r), by_key_then_position);
        kept = 0;
        for (size_t i = 0; i < n; i++) {
                if (i + 1 < n && strcmp(key_of(r[i].m), key_of(r[i + 1].m)) == 0)
                        protobuf_c_message_free_unpacked(r[i].m, alloc);
                else
                        v[kept++] = r[i].m;
        }
        *count = kept;
        free(r);
}

bool
sw__pb_is_map_entry(const ProtobufCMessageDescriptor *d)
{
        return d->n_fields == 2 && d->fields[0].name[0] == 'k' &&
               strcmp(d->fields[0].name, "key") == 0 &&
               strcmp(d->fields[1].name, "value") == 0 &&
               d->fields[0].type == PROTOBUF_C_TYPE_STRING;
}

static void
canonical_field(ProtobufCMessage *m, const ProtobufCFieldDescriptor *f,
                ProtobufCAllocator *alloc)
{
        const ProtobufCMessageDescriptor *d =
                (const ProtobufCMessageDescriptor *) f->descriptor;
        char *base = (char *) m;
        void *member = base + f->offset;
        ProtobufCMessage **v;
        size_t *n;
        bool entries;

        if (f->label != PROTOBUF_C_LABEL_REPEATED) {
                if ((f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) &&
                    *(uint32_t *) (void *) (base + f->quantifier_offset) != f->id)
                        return;
                if (*(ProtobufCMessage **) member)
                        sw__pb_canonical(*(ProtobufCMessage **) member, alloc);
                return;
        }
        v = *(ProtobufCMessage ***) member;
        n = (size_t *) (void *) (base + f->quantifier_offset);
        entries = sw__pb_is_map_entry(d);
        for (size_t i = 0; i < *n; i++) {
                for (unsigned k = 0; entries && k < 2; k++)
                        complete_field(v[i], &v[i]->descriptor->fields[k], alloc);
                sw__pb_canonical(v[i], alloc);
        }
        if (entries)
                sort_entries(v, n, alloc);
}

void
sw__pb_canonical(ProtobufCMessage *m, ProtobufCAllocator *alloc)
{
        for (unsigned i = 0; i < m->descriptor->n_fields; i++)
                if (m->descriptor->fields[i].type == PROTOBUF_C_TYPE_MESSAGE)
                        canonical_field(m, &m->descriptor->fields[i], alloc);
}

/* ---- unpack, pack ------------------------------------------------------------------- */

/* NULL and *err when the bytes are no such message. */
static ProtobufCMessage *
decode(const ProtobufCMessageDescriptor *desc, ProtobufCAllocator *alloc, const void *p,
       size_t n, sw_err **err)
{
        ProtobufCMessage *m;

        *err = sw__pb_scan(desc, (const uint8_t *) p, n);
        if (*err)
                return NULL;
        m = protobuf_c_message_unpack(desc, alloc, n, (const uint8_t *) p);
        if (!m)
                *err = sw_err_new(SW_E_INVALID, "%s does not decode", desc->name);
        return m;
}

sw_err *
sw__pb_unpack_unsorted(const ProtobufCMessageDescriptor *desc, ProtobufCAllocator *alloc,
                       const void *p, size_t n, void *out)
{
        sw_err *err = SW_OK;
        ProtobufCMessage *m = decode(desc, alloc, p, n, &err);

        if (!m)
                return err;
        memcpy(out, &m, sizeof(m));
        return SW_OK;
}

sw_err *
sw__pb_unpack(const ProtobufCMessageDescriptor *desc, ProtobufCAllocator *alloc,
              const void *p, size_t n, void *out)
{
        sw_err *err = SW_OK;
        ProtobufCMessage *m = decode(desc, alloc, p, n, &err);

        if (!m)
                return err;
        sw__pb_canonical(m, alloc);
        memcpy(out, &m, sizeof(m));
        return SW_OK;
}

void
sw__pb_pack(const ProtobufCMessage *m, sw_buf *out)
{
        size_t n = protobuf_c_message_get_packed_size(m);

        sw_buf_reserve(out, n);
        protobuf_c_message_pack(m, (uint8_t *) out->data + out->len);
        out->len += n;
        out->data[out->len] = '\0';
}
