/*
 * plugins/source-http/name.c - names of files, and entity tags, out of headers.
 *
 * A Content-Disposition is read as Go's mime package does, which BuildKit uses: what it
 * takes for malformed is so here, too, because the name is part of the cache key. One that
 * is spread over several parameters (filename*0) is not put together.
 */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include <slipway/mem.h>
#include <slipway/text.h>

#include "plugins/source-http/name.h"

enum { MAX_HEADER = 8 * 1024, MAX_PARAMS = 64, MAX_ETAG = 1024 };

#define SPECIALS "()<>@,;:\\\"/[]?="

static bool
is_token(char c)
{
        return c > 0x20 && c < 0x7f && !strchr(SPECIALS, c);
}

static const char *
skip_space(const char *s)
{
        while (*s == ' ' || *s == '\t' || *s == '\r' || *s == '\n')
                s++;
        return s;
}

static const char *
take_token(const char *s, sw_buf *out)
{
        for (; is_token(*s); s++)
                sw_buf_addc(out, *s);
        return s;
}

/* NULL: malformed. A backslash stands for itself unless it is before a special: some
 * clients write paths as they are. */
static const char *
take_quoted(const char *s, sw_buf *out)
{
        for (s++; *s && *s != '"'; s++) {
                if (*s == '\\' && s[1] && strchr(SPECIALS, s[1]))
                        s++;
                else if (*s == '\r' || *s == '\n')
                        return NULL;
                sw_buf_addc(out, *s);
        }
        return *s == '"' ? s + 1 : NULL;
}

/* "; name=value"; *value is empty where it may not be. NULL: malformed. */
static const char *
take_param(const char *s, sw_buf *name, sw_buf *value)
{
        if (*s != ';')
                return NULL;
        s = take_token(skip_space(s + 1), name);
        if (name->len == 0)
                return NULL;
        for (size_t i = 0; i < name->len; i++)
                name->data[i] = (char) tolower((unsigned char) name->data[i]);
        s = skip_space(s);
        if (*s != '=')
                return NULL;
        s = skip_space(s + 1);
        if (*s == '"')
                return take_quoted(s, value);
        const char *end = take_token(s, value);
        return end == s ? NULL : end;
}

static int
hex(char c)
{
        if (c >= '0' && c <= '9')
                return c - '0';
        c |= 0x20;
        return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* CHARSET'LANGUAGE'PERCENT-ENCODED; NULL: it is none. */
static char *
decode_ext(const char *s)
{
        const char *language = strchr(s, '\''),
                   *text = language ? strchr(language + 1, '\'') : NULL;
        const size_t n = language ? (size_t) (language - s) : 0;
        sw_auto(sw_buf) out = SW_BUF_INIT;

        if (!text || !((n == 5 && strncasecmp(s, "utf-8", n) == 0) ||
                       (n == 8 && strncasecmp(s, "us-ascii", n) == 0)))
                return NULL;
        for (text++; *text; text++) {
                if (*text != '%') {
                        sw_buf_addc(&out, *text);
                        continue;
                }
                if (hex(text[1]) < 0 || hex(text[2]) < 0)
                        return NULL;
                sw_buf_addc(&out, (char) (hex(text[1]) << 4 | hex(text[2])));
                text += 2;
        }
        return sw_buf_detach(&out);
}

/* The parameters, after the type. False: malformed. */
static bool
read_params(const char *s, char **plain, char **ext)
{
        sw_auto(sw_strlist) seen = { 0 };

        for (s = skip_space(s); *s; s = skip_space(s)) {
                sw_auto(sw_buf) name = SW_BUF_INIT;
                sw_auto(sw_buf) value = SW_BUF_INIT;
                const char *next = take_param(s, &name, &value);

                if (!next && *skip_space(s + 1) == '\0' && *s == ';')
                        return true; /* a last ';' is let pass */
                if (!next || sw_strlist_has(&seen, name.data) || seen.n == MAX_PARAMS)
                        return false;
                sw_strlist_add(&seen, name.data);
                if (strcmp(name.data, "filename") == 0)
                        *plain = sw_buf_detach(&value);
                else if (strcmp(name.data, "filename*") == 0)
                        *ext = sw_buf_detach(&value);
                s = next;
        }
        return true;
}

char *
name_of_disposition(const char *header)
{
        sw_auto(sw_buf) type = SW_BUF_INIT;
        sw_auto(sw_str) plain = NULL;
        sw_auto(sw_str) ext = NULL;
        sw_auto(sw_str) decoded = NULL;

        if (strnlen(header, MAX_HEADER + 1) > MAX_HEADER)
                return NULL;
        const char *s = take_token(skip_space(header), &type);
        if (type.len == 0 || !read_params(s, &plain, &ext))
                return NULL;
        if (ext)
                decoded = decode_ext(ext);
        if (decoded)
                return *decoded ? sw_steal(decoded) : NULL;
        return plain && *plain ? sw_steal(plain) : NULL;
}

void
etag_add(sw_buf *b, const char *s)
{
        const size_t before = b->len;

        if (s[0] == 'W' && s[1] == '/')
                s += 2;
        if (strnlen(s, MAX_ETAG + 1) > MAX_ETAG)
                return;
        for (; *s; s++) {
                if ((unsigned char) *s < 0x20 || *s == 0x7f) {
                        sw_buf_truncate(b, before);
                        return;
                }
                sw_buf_addc(b, *s);
        }
}
