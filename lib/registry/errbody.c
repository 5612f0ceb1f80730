/*
 * lib/registry/errbody.c - what the body of a refusal says.
 *
 *      {"errors": [{"code": "DENIED", "message": "…", "detail": …}, …]}    registries
 *      {"error": "…", "error_description": "…"}, {"details": "…"}          token servers
 *
 * It is shown to people, so everything is made printable and cut.
 */
#include <string.h>

#include <slipway/json.h>

#include "lib/http/url.h"
#include "lib/registry/parse.h"

enum { MAX_ERRORS = 3, MAX_TEXT = 300, MAX_BODY = 64 * 1024 };

static const char *
member(const sw_json *o, const char *name)
{
        const char *s = json_string_value(json_object_get(o, name));

        return s && *s ? s : NULL;
}

static void
add_text(sw_buf *out, const char *separator, const char *s)
{
        sw_buf_adds(out, separator);
        sw__printable(out, s, strlen(s), MAX_TEXT);
}

static void
add_error(const sw_json *e, sw_buf *out)
{
        const char *code = member(e, "code"), *message = member(e, "message");
        const char *sep = out->len > 0 ? "; " : "";

        if (code)
                add_text(out, sep, code);
        if (message)
                add_text(out, code ? ": " : sep, message);
        const char *detail = member(e, "detail"); /* when it is text, and not the same */
        if (detail && (!message || strcmp(detail, message) != 0))
                add_text(out, code || message ? ": " : sep, detail);
}

static void
add_json(const sw_json *doc, sw_buf *out)
{
        const json_t *errors = json_object_get(doc, "errors");
        const char *error = member(doc, "error");
        const char *more = member(doc, "error_description");

        for (size_t i = 0; i < json_array_size(errors) && i < MAX_ERRORS; i++)
                add_error(json_array_get(errors, i), out);
        if (out->len > 0)
                return;
        if (error)
                add_text(out, "", error);
        more = more ?: member(doc, "details") ?: member(doc, "message");
        if (more)
                add_text(out, error ? ": " : "", more);
}

static size_t
first_line(const char *p, size_t n)
{
        size_t len = 0;

        while (len < n && p[len] != '\n' && p[len] != '\r')
                len++;
        return len;
}

void
sw__errbody_text(const char *p, size_t n, sw_buf *out)
{
        sw_autoptr(sw_json) doc = NULL;
        sw_auto(sw_buf) text = SW_BUF_INIT;

        if (n == 0 || n > MAX_BODY)
                return;
        sw_err *err = sw_json_parse("error", p, n, &doc);
        if (!err)
                add_json(doc, &text);
        else if (*p != '<') /* HTML tells people nothing here */
                sw__printable(&text, p, first_line(p, n), MAX_TEXT);
        sw_err_drop(err, "then it is shown as it is");
        sw_buf_add(out, text.data, text.len);
}
