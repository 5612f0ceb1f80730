/*
 * lib/image/configmake.c - the configuration of an image that is made.
 *
 * What the frontend said stays; rootfs is that of the layers, and history is made to fit
 * them: entries that are missing are added, too many that claim a layer lose the claim, and
 * each has a time. With an epoch no time is later than it, but for entries that came with
 * the base image.
 */
#include <string.h>

#include <slipway/time.h>

#include "lib/image/image_priv.h"

#define DEFAULT_PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define COMMENT      "buildkit.exporter.image.v0"
#define INLINE_CACHE "moby.buildkit.cache.v0"

enum { HISTORY_MAX = 16384 };

/* One entry of the history. Strings are borrowed from the document or the layers. */
struct entry {
        const char *created_by, *author, *comment;
        const char *created; /* as it was written; NULL: none, or time is another now */
        int64_t time;        /* ns; when has_time */
        bool has_time, empty;
};
typedef SW_ARRAY(struct entry) entries;

/* A time as it is written; what is out of our range is as early or late as can be. */
static sw_err *
parse_time(const char *s, int64_t *out)
{
        sw_err *err = sw_time_parse(s, out);

        if (sw_err_code(err) != SW_E_LIMIT)
                return err;
        sw_err_drop(err, "a time that is well formed is one");
        *out = s[0] < '2' ? INT64_MIN : INT64_MAX;
        return SW_OK;
}

static sw_err *
read_entry(const sw_json *o, struct entry *e)
{
        sw_err *err = sw_json_str(o, "created_by", &e->created_by);

        if (!err)
                err = sw_json_str(o, "author", &e->author);
        if (!err)
                err = sw_json_str(o, "comment", &e->comment);
        if (!err)
                err = sw_json_str(o, "created", &e->created);
        if (!err)
                err = sw_json_bool(o, "empty_layer", &e->empty);
        e->has_time = e->created && *e->created;
        return err || !e->has_time ? err : parse_time(e->created, &e->time);
}

static sw_err *
read_history(const sw_json *doc, entries *out)
{
        sw_json *list = NULL;
        sw_err *err = sw_json_arr(doc, "history", &list);

        if (!err && json_array_size(list) > HISTORY_MAX)
                return sw_err_new(SW_E_LIMIT, "history of more than %d entries",
                                  HISTORY_MAX);
        for (size_t i = 0; i < json_array_size(list) && !err; i++) {
                struct entry e = { .created_by = NULL };

                err = read_entry(json_array_get(list, i), &e);
                if (err)
                        return sw_err_wrap(err, "history[%zu]", i);
                sw_array_push(out, e);
        }
        return err;
}

/* ---- history that fits the layers ---- */

/* As many entries with a layer as there are layers. */
static void
fit_count(entries *h, const struct sw_history_layer *layers, size_t n)
{
        size_t with = 0;

        for (size_t i = 0; i < h->n; i++) {
                if (with == n)
                        h->v[i].empty = true;
                with += !h->v[i].empty;
        }
        for (; with < n; with++) {
                const char *said = layers[with].description;

                sw_array_push(h,
                              (struct entry){ .created_by = said && *said
                                                                    ? said
                                                                    : "created by buildkit",
                                              .comment = COMMENT,
                                              .has_time = true,
                                              .time = layers[with].created });
        }
}

/* Entries of layers have the layer's time, if they have none. */
static void
take_layer_times(entries *h, const struct sw_history_layer *layers)
{
        size_t layer = 0;

        for (size_t i = 0; i < h->n; i++) {
                if (h->v[i].empty)
                        continue;
                if (!h->v[i].has_time) {
                        h->v[i].has_time = true;
                        h->v[i].time = layers[layer].created;
                        h->v[i].created = NULL;
                }
                layer++;
        }
}

static void
copy_time(struct entry *to, const struct entry *from)
{
        to->created = from->created;
        to->time = from->time;
        to->has_time = true;
}

/* The first entry with a time behind one without, else the last with one: new is what
 * comes behind a gap, and the entries of a base image have their times. */
static const struct entry *
first_new(const entries *h)
{
        const struct entry *found = NULL;
        bool gap = false;

        for (size_t i = 0; i < h->n; i++) {
                if (!h->v[i].has_time) {
                        gap = true;
                        continue;
                }
                found = &h->v[i];
                if (gap)
                        break;
        }
        return found;
}

/* What is left without a time gets that of the first new layer, or of the entry before. */
static void
fill_times(entries *h)
{
        const struct entry *source = first_new(h);
        bool gap = false;

        for (size_t i = 0; source && i < h->n; i++) {
                if (!h->v[i].has_time) {
                        gap = true;
                        copy_time(&h->v[i], source);
                } else if (gap) {
                        source = &h->v[i];
                }
        }
}

static bool
same_text(const char *a, const char *b)
{
        return strcmp(a ? a : "", b ? b : "") == 0;
}

static bool
same_entry(const struct entry *a, const struct entry *b)
{
        return same_text(a->created_by, b->created_by) && same_text(a->author, b->author) &&
               same_text(a->comment, b->comment) && a->empty == b->empty &&
               a->has_time == b->has_time && (!a->has_time || a->time == b->time);
}

/* No entry is later than the epoch, but for those that came with the base. */
static void
clamp(entries *h, const entries *base, int64_t epoch)
{
        size_t i = 0;

        while (i < h->n && i < base->n && same_entry(&h->v[i], &base->v[i]))
                i++;
        for (; i < h->n; i++)
                if (!h->v[i].has_time || h->v[i].time > epoch)
                        copy_time(&h->v[i], &(struct entry){ .time = epoch });
}

/* ---- the document ---- */

static sw_json *
time_json(const char *text, int64_t time)
{
        char out[SW_TIME_STR_SIZE];

        return json_string_nocheck(text ? text : sw_time_str(time, out));
}

static sw_json *
history_json(const entries *h)
{
        sw_json *list = json_array();

        for (size_t i = 0; i < h->n; i++) {
                const struct entry *e = &h->v[i];
                sw_json *o = json_object();

                if (e->has_time)
                        image_json_set(o, "created", time_json(e->created, e->time));
                image_json_set_str(o, "created_by", e->created_by);
                image_json_set_str(o, "author", e->author);
                image_json_set_str(o, "comment", e->comment);
                if (e->empty)
                        image_json_set(o, "empty_layer", json_true());
                (void) json_array_append_new(list, o);
        }
        return list;
}

static sw_json *
rootfs_json(const struct sw_history_layer *layers, size_t n)
{
        sw_json *o = json_object(), *ids = json_array();

        for (size_t i = 0; i < n; i++)
                (void) json_array_append_new(ids, image_json_digest(&layers[i].diff_id));
        image_json_set(o, "type", json_string("layers"));
        image_json_set(o, "diff_ids", ids);
        return o;
}

/* Kept, not later than the epoch; else that of the last entry that has one. */
static sw_err *
set_created(sw_json *doc, const entries *h, int64_t epoch)
{
        const char *said = NULL;
        int64_t time = 0;
        sw_err *err = sw_json_str(doc, "created", &said);

        if (err)
                return err;
        if (said && *said) {
                err = sw_err_wrap(parse_time(said, &time), "created");
                if (!err && epoch >= 0 && time > epoch)
                        image_json_set(doc, "created", time_json(NULL, epoch));
                return err;
        }
        size_t i = h->n;
        while (i && !h->v[i - 1].has_time)
                i--;
        image_json_set(doc, "created",
                       i ? time_json(h->v[i - 1].created, h->v[i - 1].time) : json_null());
        return SW_OK;
}

static sw_json *
default_config(const sw_platform *p)
{
        sw_json *doc = json_object(), *config = json_object(), *env = json_array();

        image_platform_json(p, doc);
        (void) json_array_append_new(env, json_string(DEFAULT_PATH));
        image_json_set(config, "Env", env);
        image_json_set(config, "WorkingDir", json_string("/"));
        image_json_set(doc, "config", config);
        return doc;
}

static sw_err *
check_said(const sw_json *doc)
{
        const char *os = "", *arch = "";
        sw_err *err;

        if (!json_is_object(doc))
                return sw_err_new(SW_E_INVALID, "it is no JSON object");
        err = sw_json_str(doc, "os", &os);
        if (!err)
                err = sw_json_str(doc, "architecture", &arch);
        if (!err && (!*os || !*arch))
                return sw_err_new(SW_E_INVALID, "it does not say its %s",
                                  *os ? "architecture" : "os");
        return err;
}

static sw_err *
read_doc(const char *what, const char *text, sw_json **out)
{
        size_t n = strlen(text);

        if (n > SW_IMAGE_CONFIG_MAX)
                return sw_err_new(SW_E_LIMIT, "%s: %zu bytes; at most %d are taken", what,
                                  n, SW_IMAGE_CONFIG_MAX);
        return sw_json_parse(what, text, n, out);
}

static sw_err *
make(const struct sw_image_make *m, sw_json *doc, entries *h)
{
        int64_t epoch = m->epoch < 0 ? -1 : m->epoch * SW_NS_PER_SEC;
        sw_autoptr(sw_json) base = NULL;
        entries of_base = { 0 };
        sw_err *err = read_history(doc, h);

        if (err)
                return err;
        fit_count(h, m->layers, m->n_layers);
        take_layer_times(h, m->layers);
        fill_times(h);
        if (epoch >= 0 && m->base_of)
                err = read_doc("configuration of the base image", m->base_of, &base);
        if (!err && base)
                err = read_history(base, &of_base);
        if (!err && epoch >= 0)
                clamp(h, &of_base, epoch);
        if (!err)
                err = set_created(doc, h, epoch);
        sw_array_release(&of_base);
        if (err)
                return err;
        image_json_set(doc, "history", history_json(h));
        image_json_set(doc, "rootfs", rootfs_json(m->layers, m->n_layers));
        return SW_OK;
}

/* What is for later builds to find in the image; never what its base had there. */
static sw_err *
set_inline_cache(sw_json *doc, const char *inline_cache)
{
        sw_json *cache = NULL;
        sw_err *err = SW_OK;

        (void) json_object_del(doc, INLINE_CACHE);
        if (inline_cache)
                err = read_doc("inline cache", inline_cache, &cache);
        if (cache)
                image_json_set(doc, INLINE_CACHE, cache);
        return err;
}

sw_err *
sw_image_config_make(const struct sw_image_make *m, sw_buf *out)
{
        sw_autoptr(sw_json) doc = NULL;
        entries h = { 0 };
        sw_err *err = SW_OK;

        if (m->base)
                err = read_doc("image configuration", m->base, &doc);
        else
                doc = default_config(m->platform);
        if (!err)
                err = check_said(doc);
        if (!err)
                err = make(m, doc, &h);
        if (!err)
                err = set_inline_cache(doc, m->inline_cache);
        if (!err)
                image_json_out(out, doc, false, true);
        sw_array_release(&h);
        return sw_err_wrap(err, "image configuration");
}
