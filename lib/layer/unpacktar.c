/*
 * lib/layer/unpacktar.c - headers of a tar stream.
 *
 * Forms: v7 (no magic), ustar ("ustar" NUL), star (the same with "tar" at the very end: a
 * shorter prefix), GNU ("ustar" blank: no prefix at all, other things in its place).
 * Links, devices, directories and FIFOs have no data, whatever their size says; that is how
 * those who make image layers read it.
 *
 * An archive ends with a block of zeros, after which everything is passed over, or where
 * the stream does between two entries.
 */
#include "lib/layer/unpacktar.h"

#include <limits.h>
#include <string.h>

#include <slipway/text.h>
#include <slipway/time.h>

enum { BLOCK = 512, RECORDS_MAX = 8 << 20, NAME_LIMIT = 64 << 10 };

struct header {
        unsigned char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], sum[8], type;
        unsigned char link[100], magic[6], version[2], uname[32], gname[32], major[8],
                minor[8];
        unsigned char prefix[155], pad[12];
};
_Static_assert(sizeof(struct header) == BLOCK, "a header is one block");

static const struct sw_tarin_pax no_pax = {
        .uid = -1,
        .gid = -1,
        .size = -1,
        .sparse_size = -1,
        .sparse_major = -1,
        .sparse_minor = -1,
        .sparse_off = -1,
};

void
sw_tarin_init(struct sw_tarin *t, const struct sw_tarin_source *from, int64_t max)
{
        *t = (struct sw_tarin){
                .from = *from, .max = max, .pax = no_pax, .global = no_pax
        };
        sw_buf_init(&t->long_name);
        sw_buf_init(&t->long_link);
        sw_buf_init(&t->name);
}

void
sw_tarin_pax_clear(struct sw_tarin_pax *p)
{
        free(p->path);
        free(p->link);
        free(p->sparse_name);
        *p = no_pax;
}

static void
clear_entry(struct sw_tarin *t)
{
        for (size_t i = 0; i < t->e.xattrs.n; i++) {
                free(t->e.xattrs.v[i].name);
                free(t->e.xattrs.v[i].value);
        }
        t->e.xattrs.n = 0;
        t->e.parts.n = 0;
        sw_tarin_pax_clear(&t->pax);
        sw_buf_clear(&t->long_name);
        sw_buf_clear(&t->long_link);
        t->expected = false;
}

void
sw_tarin_release(struct sw_tarin *t)
{
        clear_entry(t);
        sw_array_release(&t->e.xattrs);
        sw_array_release(&t->e.parts);
        sw_tarin_pax_clear(&t->global);
        sw_buf_release(&t->long_name);
        sw_buf_release(&t->long_link);
        sw_buf_release(&t->name);
}

/* ---- the stream ---- */

static sw_err *
ends_early(void)
{
        return sw_err_new(SW_E_INVALID, "the archive ends in the middle of an entry");
}

sw_err *
sw_tarin_block(struct sw_tarin *t, const unsigned char **p)
{
        const char *at;
        size_t n;
        sw_err *err = t->from.peek(t->from.arg, &at, &n);

        if (err)
                return err;
        if (n > 0 && n < BLOCK)
                return ends_early();
        *p = n ? (const unsigned char *) at : NULL;
        t->from.skip(t->from.arg, n ? BLOCK : 0);
        return SW_OK;
}

sw_err *
sw_tarin_peek(struct sw_tarin *t, const char **p, size_t *n)
{
        sw_err *err;

        *n = 0;
        if (!t->left)
                return SW_OK;
        err = t->from.peek(t->from.arg, p, n);
        if (!err && !*n)
                return ends_early();
        if ((int64_t) *n > t->left)
                *n = (size_t) t->left;
        return err;
}

void
sw_tarin_took(struct sw_tarin *t, size_t n)
{
        t->from.skip(t->from.arg, n);
        t->left -= (int64_t) n;
}

sw_err *
sw_tarin_read(struct sw_tarin *t, void *p, size_t n, size_t *got)
{
        const char *at;
        size_t have;
        sw_err *err = sw_tarin_peek(t, &at, &have);

        *got = have < n ? have : n;
        if (err || !*got)
                return err;
        memcpy(p, at, *got);
        sw_tarin_took(t, *got);
        return SW_OK;
}

/* Pass over what is left of an entry. */
static sw_err *
skip_rest(sw_ctx *ctx, struct sw_tarin *t)
{
        sw_err *err = SW_OK;

        t->left += t->padding;
        t->padding = 0;
        while (!err && t->left > 0) {
                const char *p;
                size_t n;

                err = sw_tarin_peek(t, &p, &n);
                if (!err)
                        sw_tarin_took(t, n);
                if (!err)
                        err = sw_ctx_check(ctx);
        }
        return err;
}

static sw_err *
skip_stream(sw_ctx *ctx, struct sw_tarin *t)
{
        for (;;) {
                const char *p;
                size_t n;
                sw_err *err = t->from.peek(t->from.arg, &p, &n);

                if (!err && n)
                        err = sw_ctx_check(ctx);
                if (err || !n)
                        return err;
                t->from.skip(t->from.arg, n);
        }
}

/* ---- fields ---- */

static sw_err *
bad_field(const char *what)
{
        return sw_err_new(SW_E_INVALID, "its %s is no number that can be", what);
}

static sw_err *
field_256(const char *what, const unsigned char *p, size_t n, int64_t *out)
{
        const unsigned char flip = p[0] & 0x40 ? 0xff : 0;
        uint64_t v = 0;

        for (size_t i = 0; i < n; i++) {
                unsigned char c = p[i] ^ flip;

                if (i == 0)
                        c &= 0x7f;
                if (v >> 55)
                        return bad_field(what);
                v = v << 8 | c;
        }
        *out = flip ? (int64_t) ~v : (int64_t) v;
        return SW_OK;
}

sw_err *
sw_tarin_field(const char *what, const unsigned char *p, size_t n, int64_t *out)
{
        uint64_t v = 0;
        size_t i = 0;

        if (p[0] & 0x80)
                return field_256(what, p, n, out);
        while (i < n && (p[i] == ' ' || p[i] == '\0'))
                i++;
        for (; i < n && p[i] >= '0' && p[i] <= '7'; i++)
                v = v << 3 | (uint64_t) (p[i] - '0'); /* 12 digits at most */
        if (i < n && p[i] != ' ' && p[i] != '\0')
                return bad_field(what);
        *out = (int64_t) v;
        return SW_OK;
}

/* The sum counts its own field as blanks; some old writers summed signed bytes. */
static bool
sum_is_right(const struct header *h)
{
        const unsigned char *p = (const unsigned char *) h;
        const size_t from = offsetof(struct header, sum), to = from + sizeof(h->sum);
        int64_t want, plain = 0, as_signed = 0;
        sw_err *err = sw_tarin_field("sum", h->sum, sizeof(h->sum), &want);

        if (err) {
                sw_err_drop(err, "a sum that is no number is a wrong one");
                return false;
        }
        for (size_t i = 0; i < BLOCK; i++) {
                const unsigned char c = i >= from && i < to ? ' ' : p[i];

                plain += c;
                as_signed += (signed char) c;
        }
        return want == plain || want == as_signed;
}

static bool
is_empty(const unsigned char *p)
{
        static const unsigned char zeros[BLOCK];

        return memcmp(p, zeros, BLOCK) == 0;
}

/* ---- names ---- */

static size_t
field_len(const unsigned char *p, size_t n)
{
        return strnlen((const char *) p, n);
}

static void
header_name(sw_buf *out, const struct header *h)
{
        const bool ustar = memcmp(h->magic, "ustar", 6) == 0;
        const bool star = memcmp(h->pad + 8, "tar", 4) == 0;
        const size_t prefix = ustar ? field_len(h->prefix, star ? 131 : 155) : 0;

        sw_buf_clear(out);
        sw_buf_add(out, h->prefix, prefix);
        if (prefix)
                sw_buf_addc(out, '/');
        sw_buf_add(out, h->name, field_len(h->name, sizeof(h->name)));
}

/* The name of an entry and what it links to, from wherever they stand. */
static sw_err *
set_names(struct sw_tarin *t, const struct header *h)
{
        const size_t n = field_len(h->link, sizeof(h->link));

        header_name(&t->name, h);
        t->e.name = t->pax.sparse_name ? t->pax.sparse_name
                    : t->long_name.len ? t->long_name.data
                    : t->pax.path      ? t->pax.path
                                       : t->name.data;
        memcpy(t->link, h->link, n);
        t->link[n] = '\0';
        t->e.link = t->long_link.len ? t->long_link.data
                    : t->pax.link    ? t->pax.link
                                     : t->link;
        if (!*t->e.name)
                return sw_err_new(SW_E_INVALID, "an entry without a name");
        if (strlen(t->e.name) > NAME_LIMIT || strlen(t->e.link) > NAME_LIMIT)
                return sw_err_new(SW_E_LIMIT, "a name of more than %d bytes", NAME_LIMIT);
        return SW_OK;
}

/* ---- entries ---- */

static sw_err *
set_owner(const char *what, const unsigned char *p, int64_t pax, int64_t global, id_t *out)
{
        int64_t v = pax >= 0 ? pax : global;
        sw_err *err = v >= 0 ? SW_OK : sw_tarin_field(what, p, 8, &v);

        /* the last one stands for "none" in chown(2) */
        if (!err && (v < 0 || v >= UINT32_MAX))
                err = bad_field(what);
        *out = (id_t) v;
        return err;
}

static sw_err *
set_meta(struct sw_tarin *t, const struct header *h)
{
        struct sw_layer_meta *m = &t->e.meta;
        int64_t mode = 0, seconds = 0;
        sw_err *err = sw_tarin_field("mode", h->mode, sizeof(h->mode), &mode);

        m->mode = (mode_t) (mode & 07777);
        if (!err)
                err = set_owner("uid", h->uid, t->pax.uid, t->global.uid, &m->uid);
        if (!err)
                err = set_owner("gid", h->gid, t->pax.gid, t->global.gid, &m->gid);
        if (err)
                return err;
        if (t->pax.has_mtime || t->global.has_mtime) {
                m->mtime = t->pax.has_mtime ? t->pax.mtime : t->global.mtime;
                return SW_OK;
        }
        err = sw_tarin_field("time", h->mtime, sizeof(h->mtime), &seconds);
        m->mtime = sw_time_from_spec(&(struct timespec){ .tv_sec = seconds });
        return err;
}

static sw_err *
set_device(struct sw_tarin *t, const struct header *h)
{
        int64_t maj = 0, min = 0;
        sw_err *err = sw_tarin_field("device number", h->major, sizeof(h->major), &maj);

        if (!err)
                err = sw_tarin_field("device number", h->minor, sizeof(h->minor), &min);
        /* as many bits as the kernel has */
        if (!err && (maj < 0 || maj >= 1 << 12 || min < 0 || min >= 1 << 20))
                err = bad_field("device number");
        t->e.dev_major = (unsigned) maj;
        t->e.dev_minor = (unsigned) min;
        return err;
}

/* How many bytes follow the header. */
static sw_err *
set_stored(struct sw_tarin *t, const struct header *h)
{
        int64_t n = 0;
        sw_err *err = sw_tarin_field("size", h->size, sizeof(h->size), &n);

        if (err)
                return err;
        if (t->pax.size >= 0)
                n = t->pax.size;
        if (n < 0)
                return bad_field("size");
        if (n > t->max)
                return sw_err_new(SW_E_LIMIT, "a size of %lld bytes", (long long) n);
        t->left = t->e.stored = t->e.size = n;
        t->padding = (BLOCK - n % BLOCK) % BLOCK;
        return SW_OK;
}

static sw_err *
set_sparse(struct sw_tarin *t, const struct header *h)
{
        const bool by_data = t->pax.sparse_major == 1 && t->pax.sparse_minor == 0;
        sw_err *err = SW_OK;

        t->e.sparse = h->type == 'S' || by_data || t->pax.has_map;
        if (!t->e.sparse)
                return SW_OK;
        if (h->type == 'S') {
                err = sw_tarin_field("size", (const unsigned char *) h + 483, 12,
                                     &t->e.size);
                if (!err)
                        err = sw_tarin_gnu_map(t, (const unsigned char *) h);
        } else {
                t->e.size = t->pax.sparse_size;
                if (by_data)
                        err = sw_tarin_data_map(t);
        }
        if (!err && t->e.size < 0)
                err = bad_field("size");
        if (!err && t->e.size > t->max)
                err = sw_err_new(SW_E_LIMIT, "a sparse file of %lld bytes",
                                 (long long) t->e.size);
        return err ? err : sw_tarin_check_parts(t);
}

/* '0' to '6', or 0: nothing to be told. */
static sw_err *
set_type(struct sw_tarin *t, const struct header *h)
{
        const char last = t->e.name[strlen(t->e.name) - 1];

        switch (h->type) {
        case '\0':
        case '0':
        case '7': /* a file that is to lie in one piece */
                t->e.type = last == '/' && h->type != '7' ? '5' : '0';
                return SW_OK;
        case 'S': t->e.type = '0'; return SW_OK;
        case '1':
        case '2':
        case '3':
        case '4':
        case '5':
        case '6':
                t->e.type = (char) h->type;
                t->left = t->padding = 0;
                return SW_OK;
        case 'D': t->e.type = '5'; return SW_OK; /* with a list of names as its data */
        default:
                return sw_err_new(SW_E_INVALID, "a type of entry that is not known: 0x%02x",
                                  h->type);
        }
}

static sw_err *
take_entry(struct sw_tarin *t, const struct header *header)
{
        const struct header h = *header; /* a map of parts moves on in the stream */
        sw_err *err = set_names(t, &h);

        if (!err)
                err = set_stored(t, &h);
        if (!err)
                err = set_type(t, &h);
        if (!err)
                err = set_meta(t, &h);
        t->e.sparse = false;
        if (!err && (t->e.type == '3' || t->e.type == '4'))
                err = set_device(t, &h);
        if (!err && t->e.type == '0')
                err = set_sparse(t, &h);
        if (!err || !t->e.name || !*t->e.name)
                return err;
        sw_auto(sw_buf) shown = SW_BUF_INIT;
        sw_buf_add_quoted(&shown, t->e.name, strlen(t->e.name), 200);
        return sw_err_wrap(err, "entry %s", shown.data);
}

/* ---- headers that are about the entry after them ---- */

/* The data of such a header. */
static sw_err *
read_about(sw_ctx *ctx, struct sw_tarin *t, const struct header *h, sw_buf *out,
           int64_t limit)
{
        int64_t n = 0;
        sw_err *err = sw_tarin_field("size", h->size, sizeof(h->size), &n);

        if (err)
                return err;
        if (n < 0 || n > limit)
                return sw_err_new(SW_E_LIMIT, "a header of %lld bytes", (long long) n);
        t->left = n;
        t->padding = (BLOCK - n % BLOCK) % BLOCK;
        sw_buf_clear(out);
        while (t->left > 0) {
                const char *p;
                size_t have;

                err = sw_tarin_peek(t, &p, &have);
                if (err)
                        return err;
                sw_buf_add(out, p, have);
                sw_tarin_took(t, have);
        }
        return skip_rest(ctx, t);
}

/* *about: it was such a header, and was taken. */
static sw_err *
take_about(sw_ctx *ctx, struct sw_tarin *t, const struct header *header, bool *about)
{
        sw_auto(sw_buf) records = SW_BUF_INIT;
        const struct header h = *header; /* reading on ends the block in hand */
        sw_buf *text = h.type == 'L' ? &t->long_name : &t->long_link;
        sw_err *err;

        *about = true;
        switch (h.type) {
        case 'x':
        case 'X': /* Solaris' */
        case 'g':
                if (h.type != 'g')
                        t->expected = true;
                err = read_about(ctx, t, &h, &records, RECORDS_MAX);
                return err ? err
                           : sw_tarin_records(t, records.data, records.len, h.type == 'g');
        case 'L':
        case 'K':
                t->expected = true;
                err = read_about(ctx, t, &h, text, NAME_LIMIT);
                if (!err)
                        sw_buf_truncate(text, strlen(text->data));
                return err;
        case 'V': /* the label of a volume */
                err = set_stored(t, &h);
                return err ? err : skip_rest(ctx, t);
        default: *about = false; return SW_OK;
        }
}

/* @p: an empty block, or NULL: the stream ends. The block after an empty one is empty, too,
 * or there is none. */
static sw_err *
take_end(sw_ctx *ctx, struct sw_tarin *t, const unsigned char *p)
{
        sw_err *err = SW_OK;

        if (t->expected)
                return ends_early();
        if (p)
                err = sw_tarin_block(t, &p);
        if (!err && p && !is_empty(p))
                err = sw_err_new(SW_E_INVALID, "an empty block between two entries");
        return err || !p ? err : skip_stream(ctx, t);
}

sw_err *
sw_tarin_next(sw_ctx *ctx, struct sw_tarin *t, struct sw_tarin_entry **e)
{
        bool about = true;
        sw_err *err = skip_rest(ctx, t);

        clear_entry(t);
        while (!err && about) {
                const unsigned char *p = NULL;

                err = sw_ctx_check(ctx);
                if (!err)
                        err = sw_tarin_block(t, &p);
                if (err)
                        return err;
                if (!p || is_empty(p)) {
                        *e = NULL;
                        return take_end(ctx, t, p);
                }
                const struct header *h = (const struct header *) p;
                if (!sum_is_right(h))
                        return sw_err_new(
                                SW_E_INVALID,
                                "not a tar header, or a damaged one: its sum is wrong");
                err = take_about(ctx, t, h, &about);
                if (!err && !about)
                        err = take_entry(t, h);
        }
        *e = &t->e;
        return err;
}
