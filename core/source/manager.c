/*
 * core/source/manager.c - from an identifier to the source plugin that serves its scheme,
 * and the only way the core calls one: presence of each operation is checked, and errors
 * carry the plugin's name.
 *
 * Thread: any; an opened source is used by one at a time.
 */
#include <string.h>

#include <slipway/text.h>

#include "core/source/manager.h"

#define SCHEME_MAX 64

struct sw_sources {
        sw_host *host;
        sw_worker *worker;
};

struct sw_source {
        const struct sw_source_ops *ops;
        void *self, *inst;
        char *blame; /* "source/git" */
        /* What the plugin was given, and may look at until it is closed. */
        struct sw_source_request req;
        struct sw_attr *attrs;
        char *identifier, *platform;
};

sw_sources *
sw__sources_new(sw_host *host, sw_worker *worker)
{
        sw_sources *s = sw_new(sw_sources);

        s->host = host;
        s->worker = worker;
        return s;
}

void
sw__sources_free(sw_sources *s)
{
        free(s);
}

/* ---- finding the plugin ------------------------------------------------------------- */

static sw_err *
take_scheme(const char *identifier, char out[SCHEME_MAX + 1])
{
        const char *end = strstr(identifier, "://");
        sw_auto(sw_buf) shown = SW_BUF_INIT;

        if (end && end > identifier && (size_t) (end - identifier) <= SCHEME_MAX) {
                memcpy(out, identifier, (size_t) (end - identifier));
                out[end - identifier] = '\0';
                return SW_OK;
        }
        sw_buf_add_quoted(&shown, identifier, strlen(identifier), 200);
        return sw_err_new(SW_E_INVALID,
                          "failed to parse %s: a source is written scheme://reference",
                          shown.data);
}

static bool
serves(const struct sw_source_ops *ops, const char *scheme)
{
        if (!SW_OPS_HAS(ops, struct sw_source_ops, schemes))
                return false;
        for (const char *const *s = ops->schemes; *s; s++)
                if (strcmp(*s, scheme) == 0)
                        return true;
        return false;
}

/* Every scheme that a plugin at hand serves. */
static void
list_schemes(const sw_sources *s, sw_strlist *out)
{
        for (size_t i = 0; i < sw_host_count(s->host); i++) {
                const struct sw_plugin_info *info = sw_host_get(s->host, i);
                const struct sw_source_ops *ops;

                if (info->kind != SW_KIND_SOURCE || !info->descriptor)
                        continue;
                ops = (const struct sw_source_ops *) info->descriptor->ops;
                if (!SW_OPS_HAS(ops, struct sw_source_ops, schemes))
                        continue;
                for (const char *const *t = ops->schemes; *t; t++)
                        if (!sw_strlist_has(out, *t))
                                sw_strlist_add(out, *t);
        }
        sw_strlist_sort(out);
}

/* Plugins of ours that serve a scheme under another name: they are found without loading
 * all there are. */
static const char *
usual_server(const char *scheme)
{
        static const char *const usual[][2] = {
                { "docker-image", "docker" },
                { "docker-image+blob", "docker" },
                { "oci-layout+blob", "oci-layout" },
                { "https", "http" },
        };

        for (size_t i = 0; i < SW_COUNT(usual); i++)
                if (strcmp(usual[i][0], scheme) == 0)
                        return usual[i][1];
        return scheme;
}

static sw_err *
unknown_scheme(const sw_sources *s, const char *scheme)
{
        sw_auto(sw_strlist) there = { 0 };
        sw_auto(sw_str) names = NULL;
        sw_auto(sw_buf) shown = SW_BUF_INIT;
        const char *near, *usual = usual_server(scheme);

        list_schemes(s, &there);
        names = sw_strlist_join(&there, ", ");
        near = sw_near(scheme, (const char *const *) there.v, there.n);
        sw_buf_add_quoted(&shown, scheme, strlen(scheme), SCHEME_MAX);
        if (shown.len == strlen(scheme) + 2) { /* nothing in it had to be escaped */
                sw_buf_clear(&shown);
                sw_buf_adds(&shown, scheme);
        }
        return sw_err_new(SW_E_NOT_FOUND,
                          "unknown scheme %s%s%s%s; %s%s; it may come with the package "
                          "slipway-source-%s",
                          shown.data, near ? " (did you mean " : "", near ? near : "",
                          near ? "?)" : "",
                          there.n ? "there is " : "no source plugin is there", names,
                          usual == scheme ? shown.data : usual);
}

/* Whichever serves @scheme under another name. */
static const char *
find_server(const sw_sources *s, const char *scheme)
{
        for (size_t i = 0; i < sw_host_count(s->host); i++) {
                const struct sw_plugin_info *info = sw_host_get(s->host, i);

                if (info->kind == SW_KIND_SOURCE && info->descriptor &&
                    serves((const struct sw_source_ops *) info->descriptor->ops, scheme))
                        return info->name;
        }
        return NULL;
}

static sw_err *
look_up(const sw_sources *s, const char *name, const char *scheme, sw_source *out)
{
        const struct sw_ops_hdr *ops;
        sw_err *err = sw_host_require(s->host, SW_KIND_SOURCE, name);

        if (!err)
                err = sw_host_lookup(s->host, SW_KIND_SOURCE, name, &ops, &out->self);
        if (err)
                return err;
        out->ops = (const struct sw_source_ops *) ops;
        if (!serves(out->ops, scheme))
                return sw_err_new(SW_E_NOT_FOUND, "plugin source/%s does not serve %s://",
                                  name, scheme);
        free(out->blame);
        out->blame = sw_asprintf("source/%s", name);
        return SW_OK;
}

static sw_err *
find_plugin(const sw_sources *s, const char *scheme, sw_source *out)
{
        sw_err *err = look_up(s, usual_server(scheme), scheme, out);
        const char *name;

        if (!err || sw_err_code(err) != SW_E_NOT_FOUND)
                return err;
        sw_err_drop(err, "another name may serve the scheme");
        err = sw_host_load(s->host);
        sw_err_drop(err, "what could be loaded is there; what is wrong is told elsewhere");
        name = find_server(s, scheme);
        return name ? look_up(s, name, scheme, out) : unknown_scheme(s, scheme);
}

/* ---- calling it --------------------------------------------------------------------- */

static sw_err *
blame(const sw_source *src, sw_err *err)
{
        if (err)
                sw_err_set_plugin(err, src->blame);
        return err;
}

static void
copy_request(sw_source *src, const sw_sources *s, const struct sw_source_request *req)
{
        src->identifier = sw_strdup(req->identifier);
        src->platform = sw_strdup(req->platform);
        src->attrs = sw_alloc_array(req->n_attrs, sizeof(*src->attrs));
        for (size_t i = 0; i < req->n_attrs; i++)
                src->attrs[i] = (struct sw_attr){ sw_strdup(req->attrs[i].key),
                                                  sw_strdup(req->attrs[i].value) };
        src->req = (struct sw_source_request){
                .size = sizeof(src->req),
                .identifier = src->identifier,
                .attrs = src->attrs,
                .n_attrs = req->n_attrs,
                .platform = src->platform,
                .worker = s->worker,
                .no_cache = req->no_cache,
        };
}

static bool
is_whole(const struct sw_source_ops *ops)
{
        return SW_OPS_HAS(ops, struct sw_source_ops, open) &&
               SW_OPS_HAS(ops, struct sw_source_ops, cache_key) &&
               SW_OPS_HAS(ops, struct sw_source_ops, snapshot) &&
               SW_OPS_HAS(ops, struct sw_source_ops, close);
}

sw_err *
sw__sources_open(sw_sources *s, sw_ctx *ctx, const struct sw_source_request *req,
                 sw_source **out)
{
        sw_autoptr(sw_source) src = sw_new(sw_source);
        char scheme[SCHEME_MAX + 1];
        void *inst = NULL;
        sw_err *err = take_scheme(req->identifier, scheme);

        if (!err)
                err = find_plugin(s, scheme, src);
        if (err)
                return err;
        if (!is_whole(src->ops))
                return blame(src, sw_err_new(SW_E_BROKEN,
                                             "plugin %s lacks an operation that every "
                                             "source has to have",
                                             src->blame));
        copy_request(src, s, req);
        err = src->ops->open(src->self, ctx, &src->req, &inst);
        if (err)
                return blame(src, err);
        src->inst = inst;
        if (!inst)
                return blame(src, sw_err_new(SW_E_BROKEN,
                                             "plugin %s opened a source and handed back "
                                             "nothing",
                                             src->blame));
        *out = sw_steal(src);
        return SW_OK;
}

sw_err *
sw__source_cache_key(sw_source *src, sw_ctx *ctx, sw_session *session, unsigned index,
                     struct sw_source_key *out)
{
        struct sw_source_key key = { .size = sizeof(key) };
        sw_err *err = src->ops->cache_key(src->self, src->inst, ctx, session, index, &key);

        if (!err && !key.key)
                err = sw_err_new(SW_E_BROKEN, "plugin %s made no cache key", src->blame);
        if (err) {
                sw__source_key_release(&key);
                return blame(src, err);
        }
        *out = key;
        return SW_OK;
}

sw_err *
sw__source_snapshot(sw_source *src, sw_ctx *ctx, sw_session *session, sw_ref **out)
{
        sw_ref *ref = NULL;
        sw_err *err = src->ops->snapshot(src->self, src->inst, ctx, session, &ref);

        if (err) {
                sw_ref_unref(ref);
                return blame(src, err);
        }
        *out = ref;
        return SW_OK;
}

sw_err *
sw__source_resolve(sw_source *src, sw_ctx *ctx, sw_session *session, bool config,
                   struct sw_source_meta *out)
{
        struct sw_source_meta meta = { .size = sizeof(meta) };
        sw_err *err;

        if (!SW_OPS_HAS(src->ops, struct sw_source_ops, resolve))
                return blame(src, sw_err_new(SW_E_UNSUPPORTED,
                                             "plugin %s cannot look up what %s stands for",
                                             src->blame, src->identifier));
        err = src->ops->resolve(src->self, src->inst, ctx, session, config, &meta);
        if (err) {
                sw__source_meta_release(&meta);
                return blame(src, err);
        }
        *out = meta;
        return SW_OK;
}

void
sw__source_meta_release(struct sw_source_meta *m)
{
        free(m->digest);
        free(m->config);
        free(m->name);
        *m = (struct sw_source_meta){ .size = sizeof(*m) };
}

void
sw__source_close(sw_source *src)
{
        if (!src)
                return;
        if (src->inst)
                src->ops->close(src->self, src->inst);
        for (size_t i = 0; i < src->req.n_attrs; i++) {
                free((void *) src->attrs[i].key);
                free((void *) src->attrs[i].value);
        }
        free(src->attrs);
        free(src->identifier);
        free(src->platform);
        free(src->blame);
        free(src);
}

void
sw__source_key_release(struct sw_source_key *k)
{
        free(k->key);
        free(k->pin);
        k->key = k->pin = NULL;
}
