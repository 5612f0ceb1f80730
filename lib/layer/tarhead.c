/*
 * lib/layer/tarhead.c - headers of POSIX tar.
 *
 * A number that does not fit its field is left 0 there and stands in a pax record. A name
 * that does not fit 100 bytes is split at a '/' between prefix and name where that works,
 * else it stands in a record; so is one that is not ASCII, since ustar has no character
 * set.
 */
#include "lib/layer/tarhead.h"

#include <stdio.h>
#include <string.h>

enum { PAX_MAX = 8 << 20 };

/* The block as it is in the archive. */
struct block {
        char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], sum[8], type;
        char link[100], magic[6], version[2], uname[32], gname[32], major[8], minor[8];
        char prefix[155], pad[12];
};
_Static_assert(sizeof(struct block) == SW_TAR_BLOCK, "a header is one block");

/* ---- pax records ---- */

/* "LEN KEY=VALUE\n", where LEN counts itself. */
static void
add_record(sw_buf *b, const char *key, const void *p, size_t n)
{
        size_t rest = strlen(key) + n + 3, len = rest + 1, digits;

        do {
                digits = (size_t) snprintf(NULL, 0, "%zu", len);
                if (len == rest + digits)
                        break;
                len = rest + digits;
        } while (true);
        sw_buf_addf(b, "%zu %s=", len, key);
        sw_buf_add(b, p, n);
        sw_buf_addc(b, '\n');
}

static void
add_number(sw_buf *b, const char *key, int64_t v)
{
        char text[32];

        add_record(b, key, text,
                   (size_t) snprintf(text, sizeof(text), "%lld", (long long) v));
}

sw_err *
sw_tar_xattr(sw_strlist *names, sw_buf *records, const char *name, const void *p, size_t n)
{
        sw_auto(sw_str) key = sw_asprintf("SCHILY.xattr.%s", name);
        size_t off = records->len;

        if (strchr(name, '='))
                return sw_err_new(SW_E_INVALID,
                                  "attribute %s: a name with '=' cannot be written to tar",
                                  name);
        add_record(records, key, p, n);
        sw_strlist_take(names, sw_asprintf("%s\x01%zu %zu", name, off, records->len - off));
        return SW_OK;
}

static void
add_xattrs(sw_buf *pax, const sw_strlist *names, const sw_buf *records)
{
        for (size_t i = 0; i < names->n; i++) {
                size_t off, len;

                /* NOLINTNEXTLINE(cert-err34-c): written by add_xattr */
                if (sscanf(strchr(names->v[i], '\x01') + 1, "%zu %zu", &off, &len) == 2)
                        sw_buf_add(pax, records->data + off, len);
        }
}

/* ---- fields ---- */

/* Octal digits and a NUL; false when it does not fit. */
static bool
put_octal(char *field, size_t size, int64_t v)
{
        char text[32];

        if (v < 0 || snprintf(text, sizeof(text), "%0*llo", (int) size - 1,
                              (unsigned long long) v) >= (int) size)
                return false;
        memcpy(field, text, size);
        return true;
}

static void
put_number(char *field, size_t size, int64_t v, const char *key, sw_buf *pax)
{
        if (put_octal(field, size, v))
                return;
        (void) put_octal(field, size, 0);
        add_number(pax, key, v);
}

static bool
is_ascii(const char *s)
{
        for (; *s; s++)
                if ((unsigned char) *s > 0x7e || (unsigned char) *s < 0x20)
                        return false;
        return true;
}

/* The name into name[100], or name and prefix; false when it does not fit. */
static bool
put_name(struct block *b, const char *name)
{
        size_t len = strlen(name);

        if (len <= sizeof(b->name)) {
                memcpy(b->name, name, len);
                return true;
        }
        /* The first '/' that leaves a short enough name; not one at the very end. */
        for (size_t i = len - sizeof(b->name) - 1; i < len - 1 && i <= sizeof(b->prefix);
             i++)
                if (name[i] == '/' && i > 0 && len - i - 1 <= sizeof(b->name)) {
                        memcpy(b->prefix, name, i);
                        memcpy(b->name, name + i + 1, len - i - 1);
                        return true;
                }
        return false;
}

/* As much of a name as fits, for who does not read pax. */
static void
put_cut(char *field, size_t size, const char *s)
{
        size_t n = strlen(s);

        memcpy(field, s, n < size ? n : size);
}

static void
put_sum(struct block *b)
{
        const unsigned char *p = (const unsigned char *) b;
        unsigned sum = 0;

        memset(b->sum, ' ', sizeof(b->sum));
        for (size_t i = 0; i < sizeof(*b); i++)
                sum += p[i];
        snprintf(b->sum, sizeof(b->sum), "%06o", sum);
        b->sum[7] = ' ';
}

static void
put_constants(struct block *b, char type)
{
        b->type = type;
        memcpy(b->magic, "ustar", 6);
        memcpy(b->version, "00", 2);
}

/* The header in front that holds the records. */
static void
add_pax_header(sw_buf *out, const sw_buf *pax)
{
        static const char zeros[SW_TAR_BLOCK];
        struct block b = { .name = "PaxHeaders.0/entry" };

        put_constants(&b, 'x');
        (void) put_octal(b.mode, sizeof(b.mode), 0644);
        (void) put_octal(b.uid, sizeof(b.uid), 0);
        (void) put_octal(b.gid, sizeof(b.gid), 0);
        (void) put_octal(b.mtime, sizeof(b.mtime), 0);
        (void) put_octal(b.size, sizeof(b.size), (int64_t) pax->len);
        (void) put_octal(b.major, sizeof(b.major), 0);
        (void) put_octal(b.minor, sizeof(b.minor), 0);
        put_sum(&b);
        sw_buf_add(out, &b, sizeof(b));
        sw_buf_add(out, pax->data, pax->len);
        if (pax->len % SW_TAR_BLOCK)
                sw_buf_add(out, zeros, SW_TAR_BLOCK - pax->len % SW_TAR_BLOCK);
}

sw_err *
sw_tar_head(sw_buf *out, const struct sw_tar_entry *e, const sw_strlist *names,
            const sw_buf *records)
{
        struct block b = { 0 };
        sw_auto(sw_buf) pax = SW_BUF_INIT;
        bool links = e->type == '1' || e->type == '2';

        /* In the order of the keys: SCHILY..., gid, linkpath, mtime, path, size, uid. */
        add_xattrs(&pax, names, records);
        put_constants(&b, e->type);
        (void) put_octal(b.mode, sizeof(b.mode), e->mode & 07777);
        put_number(b.gid, sizeof(b.gid), e->gid, "gid", &pax);
        if (links && (strlen(e->link) > sizeof(b.link) || !is_ascii(e->link)))
                add_record(&pax, "linkpath", e->link, strlen(e->link));
        put_cut(b.link, sizeof(b.link), links ? e->link : "");
        put_number(b.mtime, sizeof(b.mtime), e->mtime, "mtime", &pax);
        if (!is_ascii(e->name) || !put_name(&b, e->name)) {
                add_record(&pax, "path", e->name, strlen(e->name));
                memset(b.prefix, 0, sizeof(b.prefix));
                put_cut(b.name, sizeof(b.name), e->name);
        }
        put_number(b.size, sizeof(b.size), e->size, "size", &pax);
        put_number(b.uid, sizeof(b.uid), e->uid, "uid", &pax);
        (void) put_octal(b.major, sizeof(b.major), e->dev_major);
        (void) put_octal(b.minor, sizeof(b.minor), e->dev_minor);
        put_sum(&b);
        if (pax.len > PAX_MAX)
                return sw_err_new(SW_E_LIMIT, "%s: its attributes take more than %d bytes",
                                  e->name, PAX_MAX);
        if (pax.len)
                add_pax_header(out, &pax);
        sw_buf_add(out, &b, sizeof(b));
        return SW_OK;
}
