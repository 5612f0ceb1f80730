/*
 * plugins/source-http/head.c - what the heads of answers say of a file.
 */
#include <string.h>

#include "plugins/source-http/trip.h"

void
head_read(const struct sw__http_answer *ans, struct content *out)
{
        const char *disposition = sw__http_header(ans, "content-disposition", 0);
        const char *modified = sw__http_header(ans, "last-modified", 0);
        const char *etag = sw__http_header(ans, "etag", 0);
        sw_auto(sw_buf) tag = SW_BUF_INIT;

        content_release(out);
        out->name = disposition ? name_of_disposition(disposition) : NULL;
        out->has_time = modified && date_parse(modified, &out->time);
        if (!out->has_time)
                out->time = 0;
        if (etag)
                etag_add(&tag, etag);
        if (tag.len > 0)
                out->etag = sw_buf_detach(&tag);
}

int
head_match(const struct sw__http_answer *ans, const contents *known)
{
        sw_auto(content) head = { .name = NULL };
        int last = -1, tags = 0;

        if (ans->status != 200 && ans->status != 304)
                return -1;
        head_read(ans, &head);
        for (size_t i = 0; i < known->n; i++) {
                if (!known->v[i].etag)
                        continue;
                if (head.etag && strcmp(head.etag, known->v[i].etag) == 0)
                        return (int) i;
                last = (int) i;
                tags++;
        }
        /* some servers leave out what was asked about when it was only one */
        return ans->status == 304 && !head.etag && tags == 1 ? last : -1;
}

void
head_known(const struct sw__http_answer *ans, const struct content *k, struct content *out)
{
        head_read(ans, out);
        if (!out->name && ans->status == 304)
                out->name = sw_strdup(k->name);
        out->digest = k->digest;
        out->has_time = k->has_time;
        out->time = k->time;
}

void
head_ask(sw_strlist *headers, const contents *known)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;

        for (size_t i = 0; i < known->n; i++)
                if (known->v[i].etag)
                        sw_buf_addf(&b, "%s%s",
                                    b.len ? ", " : "If-None-Match: ", known->v[i].etag);
        if (b.len > 0)
                sw_strlist_take(headers, sw_buf_detach(&b));
}
