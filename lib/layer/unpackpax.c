/*
 * lib/layer/unpackpax.c - pax records: "LENGTH KEY=VALUE\n".
 *
 * A later record of a key counts. One without a value takes an earlier one back. Keys that
 * mean nothing here are passed over.
 */
#include <limits.h>
#include <linux/limits.h>
#include <string.h>

#include <slipway/text.h>
#include <slipway/time.h>

#include "lib/layer/unpacktar.h"

enum { BYTES_MAX = 8 << 20 };

/* A record taken apart; neither ends in NUL. */
struct record {
        const char *key, *value;
        size_t key_len, len;
};

static sw_err *
bad(const char *what)
{
        return sw_err_new(SW_E_INVALID, "a pax record %s", what);
}

static bool
key_is(const struct record *r, const char *key)
{
        return r->key_len == strlen(key) && memcmp(r->key, key, r->key_len) == 0;
}

/* What follows @prefix in the key; NULL: it begins otherwise. */
static const char *
key_after(const struct record *r, const char *prefix, size_t *n)
{
        const size_t len = strlen(prefix);

        if (r->key_len < len || memcmp(r->key, prefix, len) != 0)
                return NULL;
        *n = r->key_len - len;
        return r->key + len;
}

/* ---- values ---- */

static sw_err *
get_number(const struct record *r, int64_t *out)
{
        int64_t v = 0;

        if (!r->len) {
                *out = -1;
                return SW_OK;
        }
        for (size_t i = 0; i < r->len; i++) {
                const char c = r->value[i];

                if (c < '0' || c > '9' || v > (INT64_MAX - (c - '0')) / 10)
                        return bad("whose number is none that can be");
                v = v * 10 + (c - '0');
        }
        *out = v;
        return SW_OK;
}

static sw_err *
get_text(const struct record *r, char **out)
{
        if (memchr(r->value, '\0', r->len))
                return bad("with a NUL in a name");
        free(*out);
        *out = r->len ? sw_strndup(r->value, r->len) : NULL;
        return SW_OK;
}

/* Seconds with a fraction. What is out of range becomes the nearest time there is. */
static sw_err *
get_time(const struct record *r, bool *has, int64_t *out)
{
        const char *p = r->value, *end = p + r->len;
        const bool minus = p < end && *p == '-';
        int64_t seconds = 0, ns = 0, unit = SW_NS_PER_SEC / 10;

        *has = r->len > 0;
        if (!*has)
                return SW_OK;
        p += minus;
        if (p == end || *p < '0' || *p > '9')
                return bad("whose time is none");
        for (; p < end && *p >= '0' && *p <= '9'; p++)
                if (seconds < INT64_MAX / 100)
                        seconds = seconds * 10 + (*p - '0');
        if (p < end && *p == '.')
                for (p++; p < end && *p >= '0' && *p <= '9'; p++, unit /= 10)
                        ns += (*p - '0') * unit;
        if (p != end)
                return bad("whose time is none");
        struct timespec ts = { .tv_sec = seconds, .tv_nsec = ns };
        if (minus) {
                ts.tv_sec = -seconds - (ns > 0);
                ts.tv_nsec = ns ? SW_NS_PER_SEC - ns : 0;
        }
        *out = sw_time_from_spec(&ts);
        return SW_OK;
}

/* ---- attributes ---- */

static int
base64_value(char c)
{
        static const char digits[] =
                "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        const char *at = c ? strchr(digits, c) : NULL;

        return at ? (int) (at - digits) : -1;
}

/* @s in base64, with or without '=' at its end, into the @room bytes at @out. */
static bool
from_base64(const char *s, size_t n, char *out, size_t *made)
{
        unsigned bits = 0, acc = 0;

        for (int pad = 0; n && pad < 2 && s[n - 1] == '='; pad++)
                n--;
        *made = 0;
        for (size_t i = 0; i < n; i++) {
                const int v = base64_value(s[i]);

                if (v < 0)
                        return false;
                acc = (acc << 6 | (unsigned) v) & 0xffffff;
                bits += 6;
                if (bits >= 8) {
                        bits -= 8;
                        out[(*made)++] = (char) (acc >> bits & 0xff);
                }
        }
        return n % 4 != 1;
}

static int
hex_value(char c)
{
        if (c >= '0' && c <= '9')
                return c - '0';
        c |= 0x20;
        return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "%2E" and the like, in place. */
static void
from_url(char *s)
{
        char *to = s;

        for (; *s; s++) {
                const int high = *s == '%' ? hex_value(s[1]) : -1;
                const int low = high >= 0 ? hex_value(s[2]) : -1;

                *to++ = low >= 0 ? (char) (high << 4 | low) : *s;
                s += low >= 0 ? 2 : 0;
        }
        *to = '\0';
}

/* Put the attribute in the place of one of that name; what is in @x is given. */
static void
put_xattr(struct sw_tarin *t, struct sw_tarin_xattr x)
{
        for (size_t i = 0; i < t->e.xattrs.n; i++) {
                struct sw_tarin_xattr *old = &t->e.xattrs.v[i];

                if (strcmp(old->name, x.name) != 0)
                        continue;
                if (x.second && !old->second) {
                        struct sw_tarin_xattr keep = *old;

                        *old = x;
                        x = keep;
                }
                struct sw_tarin_xattr gone = *old;
                *old = x;
                free(gone.name);
                free(gone.value);
                return;
        }
        sw_array_push(&t->e.xattrs, x);
}

static sw_err *
take_xattr(struct sw_tarin *t, const struct record *r, const char *name, size_t n,
           bool second)
{
        struct sw_tarin_xattr x = { .second = second };

        if (!n || n > 3 * XATTR_NAME_MAX || memchr(name, '\0', n))
                return bad("with an attribute whose name is none");
        if (t->e.xattrs.n >= 1024)
                return sw_err_new(SW_E_LIMIT, "more than 1024 attributes");
        x.name = sw_strndup(name, n);
        if (second)
                from_url(x.name);
        x.value = sw_alloc(r->len + 1);
        x.n = r->len;
        if (!second)
                memcpy(x.value, r->value, r->len);
        if ((second && !from_base64(r->value, r->len, x.value, &x.n)) || !*x.name ||
            strlen(x.name) > XATTR_NAME_MAX) {
                free(x.name);
                free(x.value);
                return bad("with an attribute that cannot be");
        }
        put_xattr(t, x);
        return SW_OK;
}

/* ---- records ---- */

static sw_err *
take_sparse(struct sw_tarin *t, const struct record *r)
{
        struct sw_tarin_pax *p = &t->pax;
        int64_t v;
        sw_err *err;

        if (key_is(r, "GNU.sparse.name"))
                return get_text(r, &p->sparse_name);
        if (key_is(r, "GNU.sparse.major"))
                return get_number(r, &p->sparse_major);
        if (key_is(r, "GNU.sparse.minor"))
                return get_number(r, &p->sparse_minor);
        if (key_is(r, "GNU.sparse.size") || key_is(r, "GNU.sparse.realsize"))
                return get_number(r, &p->sparse_size);
        if (key_is(r, "GNU.sparse.numblocks")) {
                p->has_map = true;
                return get_number(r, &v);
        }
        if (key_is(r, "GNU.sparse.offset"))
                return get_number(r, &p->sparse_off);
        if (key_is(r, "GNU.sparse.numbytes")) {
                err = get_number(r, &v);
                if (!err && (v < 0 || p->sparse_off < 0))
                        err = bad("of a sparse file that has no place");
                if (!err)
                        err = sw_tarin_add_part(t, p->sparse_off, v);
                p->sparse_off = -1;
                return err;
        }
        if (key_is(r, "GNU.sparse.map")) {
                sw_auto(sw_str) map = sw_strndup(r->value, r->len);

                p->has_map = true;
                t->e.parts.n = 0;
                return sw_tarin_pax_map(t, map);
        }
        return SW_OK;
}

static sw_err *
take_record(struct sw_tarin *t, const struct record *r, bool global)
{
        struct sw_tarin_pax *p = global ? &t->global : &t->pax;
        const char *name;
        size_t n;

        if (key_is(r, "uid"))
                return get_number(r, &p->uid);
        if (key_is(r, "gid"))
                return get_number(r, &p->gid);
        if (key_is(r, "mtime"))
                return get_time(r, &p->has_mtime, &p->mtime);
        if (global)
                return SW_OK;
        if (key_is(r, "path"))
                return get_text(r, &p->path);
        if (key_is(r, "linkpath"))
                return get_text(r, &p->link);
        if (key_is(r, "size"))
                return get_number(r, &p->size);
        if ((name = key_after(r, "SCHILY.xattr.", &n)))
                return take_xattr(t, r, name, n, false);
        if ((name = key_after(r, "LIBARCHIVE.xattr.", &n)))
                return take_xattr(t, r, name, n, true);
        return key_after(r, "GNU.sparse.", &n) ? take_sparse(t, r) : SW_OK;
}

/* Take the first of the @n bytes at @p apart; *len: how many are of it. */
static sw_err *
parse_record(const char *p, size_t n, struct record *r, size_t *len)
{
        size_t i = 0, v = 0;

        while (i < n && i < 9 && p[i] >= '0' && p[i] <= '9')
                v = v * 10 + (size_t) (p[i++] - '0');
        if (!i || i == n || p[i] != ' ' || v > n || v < i + 4 || p[v - 1] != '\n')
                return bad("whose length is wrong");
        r->key = p + i + 1;
        const char *eq = memchr(r->key, '=', v - i - 2);
        if (!eq || eq == r->key)
                return bad("without a key");
        r->key_len = (size_t) (eq - r->key);
        r->value = eq + 1;
        r->len = (size_t) (p + v - 1 - r->value);
        *len = v;
        return SW_OK;
}

sw_err *
sw_tarin_records(struct sw_tarin *t, const char *p, size_t n, bool global)
{
        size_t len = 0;
        sw_err *err = SW_OK;

        t->pax.bytes += n;
        if (t->pax.bytes > BYTES_MAX)
                return sw_err_new(SW_E_LIMIT, "more than %d bytes of pax records",
                                  BYTES_MAX);
        for (; !err && n; p += len, n -= len) {
                struct record r;

                err = parse_record(p, n, &r, &len);
                if (!err)
                        err = take_record(t, &r, global);
        }
        return err;
}
