/*
 * plugins/source-http/remember.c - what a URL stood for, in a file for each.
 *
 * Only who has the claim on a download (fetch_claim) writes them. What cannot be read is as
 * if it were not there.
 */
#include <string.h>
#include <unistd.h>

#include <slipway/json.h>
#include <slipway/path.h>
#include <slipway/text.h>

#include "plugins/source-http/http.h"

enum { MAX_FILE = 64 * 1024, MAX_KEPT = 4 };

static bool
read_one(const sw_json *o, struct content *out)
{
        const char *digest = NULL, *name = NULL, *etag = NULL;
        int64_t time = INT64_MIN;
        sw_err *err = sw_json_str_req(o, "digest", &digest);

        if (!err)
                err = sw_json_str(o, "name", &name);
        if (!err)
                err = sw_json_str(o, "etag", &etag);
        if (!err)
                err = sw_json_int(o, "time", &time);
        if (!err)
                err = sw_digest_parse(digest, SIZE_MAX, &out->digest);
        if (err) {
                sw_err_drop(err, "it is not known then");
                return false;
        }
        out->has_time = time != INT64_MIN;
        out->time = out->has_time ? time : 0;
        out->name = sw_strdup(name);
        out->etag = sw_strdup(etag);
        return true;
}

static sw_err *
open_state(sw_worker *w, int *dirfd)
{
        return sw_worker_state_dir(w, "source/http", dirfd);
}

static sw_err *
read_file(sw_worker *w, const char *name, sw_json **out)
{
        sw_auto(sw_buf) text = SW_BUF_INIT;
        sw_auto(sw_fd) dir = -1;
        sw_err *err = open_state(w, &dir);

        if (!err)
                err = sw_path_get(dir, name, MAX_FILE, &text);
        return err ? err : sw_json_parse(name, text.data, text.len, out);
}

void
remember_get(sw_worker *w, const struct spec *s, contents *out)
{
        sw_autoptr(sw_json) doc = NULL;
        sw_err *err = read_file(w, s->key, &doc);

        for (size_t i = 0; !err && i < json_array_size(doc) && out->n < MAX_KEPT; i++) {
                struct content c = { .has_time = false };

                if (read_one(json_array_get(doc, i), &c))
                        sw_array_push(out, c);
        }
        sw_err_drop(err, "nothing is known of it then");
}

static void
add_one(sw_buf *b, const struct content *c)
{
        char digest[SW_DIGEST_STR_SIZE];

        sw_buf_addf(b, "%s{\"digest\":\"%s\"", b->len > 1 ? ",\n" : "",
                    sw_digest_str(&c->digest, digest));
        if (c->has_time)
                sw_buf_addf(b, ",\"time\":%lld", (long long) c->time);
        if (c->name) {
                sw_buf_adds(b, ",\"name\":");
                sw_json_add_str(b, c->name, strlen(c->name));
        }
        if (c->etag) {
                sw_buf_adds(b, ",\"etag\":");
                sw_json_add_str(b, c->etag, strlen(c->etag));
        }
        sw_buf_addc(b, '}');
}

static void
put(sw_worker *w, const char *name, const void *p, size_t n)
{
        sw_auto(sw_fd) dir = -1;
        sw_err *err = open_state(w, &dir);

        if (!err)
                err = sw_path_put(dir, name, p, n);
        sw_err_drop(err, "it is found out again");
}

void
remember_put(sw_worker *w, const struct spec *s, const struct content *c)
{
        sw_auto(contents) old = { 0 };
        sw_auto(sw_buf) b = SW_BUF_INIT;

        if (c->name && !sw_utf8_valid(c->name, strlen(c->name)))
                return; /* it would be another name when it is read again */
        remember_get(w, s, &old);
        sw_buf_addc(&b, '[');
        add_one(&b, c);
        for (size_t i = 0, n = 1; i < old.n && n < MAX_KEPT; i++)
                if (!sw_digest_eq(&old.v[i].digest, &c->digest)) {
                        add_one(&b, &old.v[i]);
                        n++;
                }
        sw_buf_addc(&b, ']');
        put(w, s->key, b.data, b.len);
}

/* ---- downloads on their way ---- */

void
remember_part(sw_worker *w, const struct spec *s, const char *validator)
{
        sw_auto(sw_str) name = sw_asprintf("%s.part", s->key);

        put(w, name, validator, strlen(validator));
}

void
remember_part_end(sw_worker *w, const struct spec *s)
{
        sw_auto(sw_str) name = sw_asprintf("%s.part", s->key);
        sw_auto(sw_fd) dir = -1;
        sw_err *err = open_state(w, &dir);

        if (!err)
                (void) unlinkat(dir, name, 0);
        sw_err_drop(err, "it tells of nothing any more");
}

void
remember_part_get(sw_worker *w, const struct spec *s, sw_buf *out)
{
        sw_auto(sw_str) name = sw_asprintf("%s.part", s->key);
        sw_auto(sw_fd) dir = -1;
        sw_err *err = open_state(w, &dir);

        if (!err)
                err = sw_path_get(dir, name, MAX_FILE, out);
        if (err || memchr(out->data, '\0', out->len) || strpbrk(out->data, "\r\n"))
                sw_buf_clear(out);
        sw_err_drop(err, "it begins anew then");
}
