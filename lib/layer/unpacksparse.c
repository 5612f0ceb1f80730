/*
 * lib/layer/unpacksparse.c - the maps of sparse files: which parts of them are stored.
 *
 *      old GNU     four parts in the header, 21 in each block that continues it
 *      pax 0.0     records offset and numbytes, by turns; 0.1: a record map, "off,len,..."
 *      pax 1.0     lines at the beginning of the data: how many, then off and len of each
 */
#include <string.h>

#include "lib/layer/unpacktar.h"

enum { PARTS_MAX = 1 << 20, BLOCK = 512, FIELD = 12 };

static sw_err *
bad_map(void)
{
        return sw_err_new(SW_E_INVALID, "the map of a sparse file is broken");
}

sw_err *
sw_tarin_add_part(struct sw_tarin *t, int64_t off, int64_t len)
{
        if (off < 0 || len < 0)
                return bad_map();
        if (!len) /* marks the end of a file */
                return SW_OK;
        if (t->e.parts.n >= PARTS_MAX)
                return sw_err_new(SW_E_LIMIT, "a sparse file of more than %d parts",
                                  PARTS_MAX);
        sw_array_push(&t->e.parts, (struct sw_tarin_part){ off, len });
        return SW_OK;
}

/* ---- GNU's old form ---- */

/* @n pairs of fields; an empty one is the last. */
static sw_err *
take_pairs(struct sw_tarin *t, const unsigned char *p, int n)
{
        sw_err *err = SW_OK;

        for (; n > 0 && p[FIELD] && !err; n--, p += 2 * (size_t) FIELD) {
                int64_t off = 0, len = 0;

                err = sw_tarin_field("map", p, FIELD, &off);
                if (!err)
                        err = sw_tarin_field("map", p + FIELD, FIELD, &len);
                if (!err)
                        err = sw_tarin_add_part(t, off, len);
        }
        return err;
}

sw_err *
sw_tarin_gnu_map(struct sw_tarin *t, const unsigned char block[BLOCK])
{
        bool more = block[482] != 0;
        sw_err *err = take_pairs(t, block + 386, 4);

        while (!err && more) {
                const unsigned char *p;

                err = sw_tarin_block(t, &p);
                if (!err && !p)
                        err = sw_err_new(SW_E_INVALID,
                                         "the archive ends in the middle of an entry");
                if (!err) {
                        more = p[504] != 0;
                        err = take_pairs(t, p, 21);
                }
        }
        return err;
}

/* ---- pax 0.1 ---- */

sw_err *
sw_tarin_pax_map(struct sw_tarin *t, const char *s)
{
        int64_t v[2];
        sw_err *err = SW_OK;

        for (int i = 0; *s && !err; i++) {
                int64_t *out = &v[i % 2];

                if (*s < '0' || *s > '9')
                        return bad_map();
                for (*out = 0; *s >= '0' && *s <= '9'; s++) {
                        if (*out > (INT64_MAX - 9) / 10)
                                return bad_map();
                        *out = *out * 10 + (*s - '0');
                }
                if (*s && *s != ',')
                        return bad_map();
                s += *s == ',';
                if (i % 2)
                        err = sw_tarin_add_part(t, v[0], v[1]);
                else if (!*s)
                        return bad_map();
        }
        return err;
}

/* ---- pax 1.0 ---- */

/* Numbers in lines, read block by block. */
struct lines {
        struct sw_tarin *t;
        char block[BLOCK];
        size_t at, n;
};

static sw_err *
next_char(struct lines *l, char *c)
{
        while (l->at == l->n) {
                sw_err *err = SW_OK;

                for (l->n = 0; l->n < BLOCK && !err;) {
                        size_t got = 0;

                        err = sw_tarin_read(l->t, l->block + l->n, BLOCK - l->n, &got);
                        if (!err && !got)
                                err = bad_map();
                        l->n += got;
                }
                l->at = 0;
                if (err)
                        return err;
        }
        *c = l->block[l->at++];
        return SW_OK;
}

static sw_err *
next_line(struct lines *l, int64_t *out)
{
        char c = 0;
        int digits = 0;
        sw_err *err = next_char(l, &c);

        for (*out = 0; !err && c != '\n'; digits++) {
                if (c < '0' || c > '9' || *out > (INT64_MAX - 9) / 10)
                        return bad_map();
                *out = *out * 10 + (c - '0');
                err = next_char(l, &c);
        }
        return err || digits ? err : bad_map();
}

sw_err *
sw_tarin_data_map(struct sw_tarin *t)
{
        struct lines l = { .t = t };
        int64_t count = 0, off = 0, len = 0;
        sw_err *err = next_line(&l, &count);

        for (; count > 0 && !err; count--) {
                err = next_line(&l, &off);
                if (!err)
                        err = next_line(&l, &len);
                if (!err)
                        err = sw_tarin_add_part(t, off, len);
        }
        t->e.stored = t->left; /* whole blocks were read */
        return err;
}

/* ---- */

sw_err *
sw_tarin_check_parts(const struct sw_tarin *t)
{
        int64_t end = 0, sum = 0;

        for (size_t i = 0; i < t->e.parts.n; i++) {
                const struct sw_tarin_part *p = &t->e.parts.v[i];

                if (p->off < end || p->off > t->e.size || p->len > t->e.size - p->off)
                        return bad_map();
                end = p->off + p->len;
                sum += p->len;
        }
        return sum == t->e.stored ? SW_OK : bad_map();
}
