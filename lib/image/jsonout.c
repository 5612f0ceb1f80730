/*
 * lib/image/jsonout.c - JSON as Go's encoding/json writes it, since the bytes are hashed
 * and others make the same documents. Pure; any thread.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lib/image/image_priv.h"

enum { STEP = 2 };

struct out {
        sw_buf *b;
        bool indented;
        size_t depth;
};

static void put(struct out *o, const sw_json *j, bool sorted);

static void
new_line(struct out *o)
{
        if (!o->indented)
                return;
        sw_buf_addc(o->b, '\n');
        for (size_t i = 0; i < o->depth * STEP; i++)
                sw_buf_addc(o->b, ' ');
}

static void
begin_item(struct out *o, size_t i)
{
        if (i)
                sw_buf_addc(o->b, ',');
        new_line(o);
}

static void
put_array(struct out *o, const sw_json *j)
{
        size_t n = json_array_size(j);

        sw_buf_addc(o->b, '[');
        o->depth++;
        for (size_t i = 0; i < n; i++) {
                begin_item(o, i);
                put(o, json_array_get(j, i), false);
        }
        o->depth--;
        if (n)
                new_line(o);
        sw_buf_addc(o->b, ']');
}

static int
by_key(const void *a, const void *b)
{
        return strcmp(*(const char *const *) a, *(const char *const *) b);
}

static void
put_object(struct out *o, const sw_json *j, bool sorted)
{
        size_t n = json_object_size(j), i = 0;
        const char **keys = sw_alloc_array(n + 1, sizeof(*keys));
        const char *key;
        sw_json *value;

        json_object_foreach((sw_json *) (uintptr_t) j, key, value) keys[i++] = key;
        if (sorted && n)
                qsort(keys, n, sizeof(*keys), by_key);
        sw_buf_addc(o->b, '{');
        o->depth++;
        for (i = 0; i < n; i++) {
                begin_item(o, i);
                sw_json_add_str(o->b, keys[i], strlen(keys[i]));
                sw_buf_adds(o->b, o->indented ? ": " : ":");
                put(o, json_object_get(j, keys[i]), false);
        }
        o->depth--;
        if (n)
                new_line(o);
        sw_buf_addc(o->b, '}');
        free(keys);
}

/* As many digits as make it the same number again. */
static void
put_real(sw_buf *b, double v)
{
        char text[64];
        int digits = 15;

        do
                (void) snprintf(text, sizeof(text), "%.*g", digits, v);
        while (digits++ < 17 && strtod(text, NULL) != v);
        sw_buf_adds(b, text);
}

static void
put(struct out *o, const sw_json *j, bool sorted)
{
        switch (json_typeof(j)) {
        case JSON_OBJECT: put_object(o, j, sorted); return;
        case JSON_ARRAY: put_array(o, j); return;
        case JSON_STRING:
                sw_json_add_str(o->b, json_string_value(j), json_string_length(j));
                return;
        case JSON_INTEGER:
                sw_buf_addf(o->b, "%" PRId64, (int64_t) json_integer_value(j));
                return;
        case JSON_REAL: put_real(o->b, json_real_value(j)); return;
        case JSON_TRUE: sw_buf_adds(o->b, "true"); return;
        case JSON_FALSE: sw_buf_adds(o->b, "false"); return;
        case JSON_NULL: sw_buf_adds(o->b, "null"); return;
        }
}

void
image_json_out(sw_buf *b, const sw_json *j, bool indented, bool sorted)
{
        struct out o = { .b = b, .indented = indented };

        put(&o, j, sorted);
}

void
sw_json_write(const sw_json *j, bool indented, sw_buf *out)
{
        image_json_out(out, j, indented, false);
}

void
image_json_set(sw_json *o, const char *key, sw_json *value)
{
        /* keys and values are checked or ours; what is left is memory */
        if (json_object_set_new_nocheck(o, key, value) < 0)
                abort();
}

void
image_json_set_str(sw_json *o, const char *key, const char *value)
{
        if (value && *value)
                image_json_set(o, key, json_string_nocheck(value));
}

sw_json *
image_json_digest(const sw_digest *d)
{
        char text[SW_DIGEST_STR_SIZE];

        return json_string(sw_digest_str(d, text));
}

sw_json *
image_json_pairs(const sw_pairs *p)
{
        sw_json *o = json_object();

        for (size_t i = 0; i < p->n; i++)
                image_json_set(o, p->v[i].key, json_string_nocheck(p->v[i].value));
        return o;
}
