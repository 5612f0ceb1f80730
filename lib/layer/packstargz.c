/*
 * lib/layer/packstargz.c - where the members of an estargz blob begin, and its table of
 * contents.
 *
 *      HEADER -> PAYLOAD -> PADDING -> HEADER ... -> END
 *
 * The data of each file begin a gzip member, and one for every 4 MiB of them; a header goes
 * with what is before it. The table names those members. It stands in a tar entry behind
 * the end of the archive, where tar(1) does not look any more, in a member of its own; a
 * footer of 51 bytes says where.
 *
 * Thread: headers and payload by who feeds, chunks by who writes out: not at once with the
 * table, for which all is over.
 */
#include <string.h>

#include <slipway/json.h>
#include <slipway/time.h>

#include "lib/layer/pack_priv.h"
#include "lib/layer/tarhead.h"
#include "lib/layer/unpacktar.h"

#define TOC_NAME "stargz.index.json"

enum { HEADERS_MAX = 16 << 20 };
enum state { HEADER, PAYLOAD, PADDING, END };

struct toc_entry {
        size_t text, text_len; /* its members but those of chunks, in s->text */
        char *name;            /* of a file */
        size_t chunk, chunks;  /* the first, how many */
        bool file;
        sw_digest digest; /* of more than one chunk, or none */
};

struct toc_chunk {
        int64_t offset;
        sw_digest digest;
};

struct pack_stargz {
        enum state state;
        int64_t left; /* of what the state is about; HEADER: until a block is complete that
                         says how to go on, the last one in head */
        sw_buf head;  /* headers of one entry so far */
        struct sw_tarin in;
        size_t at; /* in head, of who parses it */
        int64_t size, padding;
        sw_hasher *hash; /* of a file of several chunks */
        SW_ARRAY(struct toc_entry) entries;
        sw_buf text;
        size_t n_chunks;
        SW_ARRAY(struct toc_chunk) chunks; /* of who writes out */
};

/* ---- headers that were collected are a stream ---- */

static sw_err *
head_peek(void *arg, const char **p, size_t *n)
{
        const struct pack_stargz *s = arg;

        *p = s->head.data + s->at;
        *n = s->head.len - s->at;
        return SW_OK;
}

static void
head_skip(void *arg, size_t n)
{
        ((struct pack_stargz *) arg)->at += n;
}

struct pack_stargz *
pack_stargz_new(void)
{
        struct pack_stargz *s = sw_new(struct pack_stargz);
        const struct sw_tarin_source from = { head_peek, head_skip, s };

        sw_buf_init(&s->head);
        sw_buf_init(&s->text);
        sw_tarin_init(&s->in, &from, INT64_MAX / 2);
        s->hash = sw_hasher_new();
        s->left = SW_TAR_BLOCK;
        return s;
}

void
pack_stargz_free(struct pack_stargz *s)
{
        if (!s)
                return;
        for (size_t i = 0; i < s->entries.n; i++)
                free(s->entries.v[i].name);
        sw_array_release(&s->entries);
        sw_array_release(&s->chunks);
        sw_buf_release(&s->head);
        sw_buf_release(&s->text);
        sw_tarin_release(&s->in);
        sw_hasher_free(s->hash);
        free(s);
}

/* ---- the table ---- */

static const char *
type_name(char type)
{
        switch (type) {
        case '0': return "reg";
        case '1': return "hardlink";
        case '2': return "symlink";
        case '3': return "char";
        case '4': return "block";
        case '5': return "dir";
        default: return "fifo";
        }
}

static void
add_text(sw_buf *b, const char *key, const char *s)
{
        sw_buf_addf(b, "%s\"%s\":", b->data[b->len - 1] == '{' ? "" : ",", key);
        sw_json_add_str(b, s, strlen(s));
}

static void
add_number(sw_buf *b, const char *key, int64_t v)
{
        if (v)
                sw_buf_addf(b, ",\"%s\":%lld", key, (long long) v);
}

static void
add_digest(sw_buf *b, const char *key, const sw_digest *d)
{
        char text[SW_DIGEST_STR_SIZE];

        sw_buf_addf(b, ",\"%s\":\"%s\"", key, sw_digest_str(d, text));
}

static void
add_xattrs(sw_buf *b, const struct sw_tarin_entry *e)
{
        for (size_t i = 0; i < e->xattrs.n; i++) {
                const struct sw_tarin_xattr *x = &e->xattrs.v[i];

                sw_buf_adds(b, i ? "," : ",\"xattrs\":{");
                sw_json_add_str(b, x->name, strlen(x->name));
                sw_buf_addc(b, ':');
                sw_json_add_base64(b, x->value, x->n);
        }
        if (e->xattrs.n)
                sw_buf_addc(b, '}');
}

static void
add_entry(struct pack_stargz *s, const struct sw_tarin_entry *e)
{
        struct toc_entry t = { .text = s->text.len, .file = e->type == '0' };
        const int64_t seconds = sw_time_to_spec(e->meta.mtime).tv_sec;
        char when[SW_TIME_STR_SIZE];
        sw_buf *b = &s->text;

        sw_buf_addc(b, '{');
        add_text(b, "name", e->name);
        add_text(b, "type", type_name(e->type));
        add_number(b, "size", t.file ? e->size : 0);
        if (seconds)
                add_text(b, "modtime", sw_time_str(seconds * SW_NS_PER_SEC, when));
        if (e->type == '1' || e->type == '2')
                add_text(b, "linkName", e->link);
        add_number(b, "mode", (int64_t) e->meta.mode);
        add_number(b, "uid", e->meta.uid);
        add_number(b, "gid", e->meta.gid);
        if (e->type == '3' || e->type == '4') {
                add_number(b, "devMajor", e->dev_major);
                add_number(b, "devMinor", e->dev_minor);
        }
        add_xattrs(b, e);
        t.text_len = b->len - t.text;
        t.chunk = s->n_chunks;
        if (t.file) {
                t.name = sw_strdup(e->name);
                t.chunks = (size_t) ((e->size + PACK_CHUNK - 1) / PACK_CHUNK);
                t.digest = sw_digest_of("", 0);
        }
        sw_array_push(&s->entries, t);
}

/* ---- what comes ---- */

static bool
is_about_next(char type)
{
        return type && strchr("xXgLKV", type);
}

/* All headers of an entry are there. */
static sw_err *
take_headers(struct pack_stargz *s)
{
        struct sw_tarin_entry *e;
        sw_err *err;

        s->at = 0;
        s->in.left = s->in.padding = 0;
        err = sw_tarin_next(NULL, &s->in, &e);
        if (!err && e->sparse)
                err = sw_err_new(SW_E_UNSUPPORTED,
                                 "a sparse file in a layer that is to become estargz");
        if (err)
                return err;
        /* the table of an earlier packing is none of the layer's files */
        const bool old_toc = strcmp(e->name, TOC_NAME) == 0;
        if (!old_toc)
                add_entry(s, e);
        s->padding = s->in.padding;
        if (e->type == '0' && !old_toc)
                s->size = s->left = s->in.left;
        else
                s->left = 0;
        s->padding += s->in.left - s->left;
        s->state = PAYLOAD;
        sw_buf_clear(&s->head);
        return SW_OK;
}

/* The last block in head says how to go on. */
static sw_err *
take_block(struct pack_stargz *s)
{
        static const char zeros[SW_TAR_BLOCK];
        const char *h = s->head.data + s->head.len - SW_TAR_BLOCK;
        int64_t n = 0;

        if (!memcmp(h, zeros, sizeof(zeros))) {
                s->state = END;
                sw_buf_clear(&s->head);
                return SW_OK;
        }
        if (!is_about_next(h[156]))
                return take_headers(s);
        sw_err *err = sw_tarin_field("size", (const unsigned char *) h + 124, 12, &n);
        if (err)
                return err;
        if (n < 0 || n > HEADERS_MAX - (int64_t) s->head.len)
                return sw_err_new(SW_E_LIMIT, "headers of more than %d bytes", HEADERS_MAX);
        s->left = (n + SW_TAR_BLOCK - 1) / SW_TAR_BLOCK * SW_TAR_BLOCK + SW_TAR_BLOCK;
        return SW_OK;
}

/* From one state into the next while nothing is left of it. */
static sw_err *
advance(struct pack_stargz *s)
{
        sw_err *err = SW_OK;

        while (!s->left && s->state != END && !err) {
                if (s->state == HEADER) {
                        err = take_block(s);
                } else if (s->state == PAYLOAD) {
                        s->state = PADDING;
                        s->left = s->padding;
                } else {
                        s->state = HEADER;
                        s->left = SW_TAR_BLOCK;
                }
        }
        return err;
}

struct pack_next
pack_stargz_next(const struct pack_stargz *s)
{
        const int64_t in_chunk = (s->size - s->left) % PACK_CHUNK;
        const int64_t rest = PACK_CHUNK - in_chunk;

        if (s->state == END)
                return (struct pack_next){ .n = SIZE_MAX };
        if (s->state != PAYLOAD)
                return (struct pack_next){ .n = (size_t) s->left };
        return (struct pack_next){ .n = (size_t) (rest < s->left ? rest : s->left),
                                   .cut = in_chunk == 0,
                                   .payload = (size_t) (rest < s->left ? rest : s->left) };
}

sw_err *
pack_stargz_take(struct pack_stargz *s, const uint8_t *p, size_t n)
{
        if (s->state == END)
                return SW_OK;
        if (s->state == HEADER)
                sw_buf_add(&s->head, p, n);
        if (s->state == PAYLOAD) {
                s->n_chunks += (s->size - s->left) % PACK_CHUNK == 0;
                if (s->size > PACK_CHUNK)
                        sw_hasher_add(s->hash, p, n);
                if (s->size > PACK_CHUNK && s->left == (int64_t) n)
                        s->entries.v[s->entries.n - 1].digest = sw_hasher_finish(s->hash);
        }
        s->left -= (int64_t) n;
        return advance(s);
}

void
pack_stargz_chunk(struct pack_stargz *s, int64_t offset, const sw_digest *digest)
{
        sw_array_push(&s->chunks, (struct toc_chunk){ offset, *digest });
}

/* ---- the end ---- */

static void
put_chunk(sw_buf *b, const struct pack_stargz *s, const struct toc_entry *t, size_t i)
{
        const struct toc_chunk *c = &s->chunks.v[t->chunk + i];

        if (i) {
                sw_buf_adds(b, ",{");
                add_text(b, "name", t->name);
                add_text(b, "type", "chunk");
        }
        add_number(b, "offset", c->offset);
        if (!i)
                add_digest(b, "digest", t->chunks > 1 ? &t->digest : &c->digest);
        add_number(b, "chunkOffset", (int64_t) i * PACK_CHUNK);
        if (i + 1 < t->chunks) /* the last one goes on to the end */
                add_number(b, "chunkSize", PACK_CHUNK);
        add_digest(b, "chunkDigest", &c->digest);
        sw_buf_addc(b, '}');
}

static void
put_json(sw_buf *b, const struct pack_stargz *s)
{
        sw_buf_adds(b, "{\"version\":1,\"entries\":[");
        for (size_t i = 0; i < s->entries.n; i++) {
                const struct toc_entry *t = &s->entries.v[i];

                if (i)
                        sw_buf_addc(b, ',');
                sw_buf_add(b, s->text.data + t->text, t->text_len);
                for (size_t k = 0; k < t->chunks; k++)
                        put_chunk(b, s, t, k);
                if (!t->chunks && t->file)
                        add_digest(b, "digest", &t->digest);
                if (!t->chunks)
                        sw_buf_addc(b, '}');
        }
        sw_buf_adds(b, "]}");
}

sw_err *
pack_stargz_toc(struct pack_stargz *s, sw_buf *tar, sw_digest *toc)
{
        static const char zeros[2 * SW_TAR_BLOCK];
        const sw_strlist none = { 0 };
        sw_auto(sw_buf) json = SW_BUF_INIT, no_records = SW_BUF_INIT;
        sw_err *err;

        if (s->state == PAYLOAD || s->state == PADDING || s->head.len ||
            s->left % SW_TAR_BLOCK)
                return sw_err_new(SW_E_INVALID,
                                  "the archive ends in the middle of an entry");
        put_json(&json, s);
        *toc = sw_digest_of(json.data, json.len);
        const struct sw_tar_entry e = { .type = '0',
                                        .name = TOC_NAME,
                                        .link = "",
                                        .mode = 0444,
                                        .size = (int64_t) json.len };
        err = sw_tar_head(tar, &e, &none, &no_records);
        sw_buf_add(tar, json.data, json.len);
        sw_buf_add(tar, zeros, (SW_TAR_BLOCK - json.len % SW_TAR_BLOCK) % SW_TAR_BLOCK);
        sw_buf_add(tar, zeros, sizeof(zeros));
        return err;
}

void
pack_stargz_footer(int64_t toc_offset, sw_buf *out)
{
        sw_buf_add(out, "\x1f\x8b\x08\x04\0\0\0\0\0\xff\x1a\0SG\x16\0", 16);
        sw_buf_addf(out, "%016llxSTARGZ", (unsigned long long) toc_offset);
        sw_buf_add(out, "\x01\0\0\xff\xff\0\0\0\0\0\0\0\0", 13);
}
