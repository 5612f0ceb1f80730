/*
 * plugins/source-local/plugin.c - local://NAME: a directory of the client's, when the
 * client is this process.
 *
 * Nothing is transferred and nothing copied: the tree is the directory itself, as far as
 * the patterns want it, and owned by root. So
 *      local.differ, local.sharedkeyhint  make no difference
 *      local.metadatatransfer             gives the whole tree: reading its data later
 * costs nothing that leaving it out would save
 *
 * The key is good for this build alone; what hashes of content say is good for ever.
 * Thread: any.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <slipway/json.h>
#include <slipway/source.h>
#include <slipway/text.h>
#include <slipway/time.h>

#include "plugins/source-local/local.h"

#define SCHEME "local://"

struct source {
        struct spec spec;
        char *session; /* local.session without its prefix; or NULL */
        sw_worker *worker;
};

static void
spec_release(struct spec *s)
{
        free(s->name);
        sw_strlist_release(&s->include);
        sw_strlist_release(&s->exclude);
        sw_strlist_release(&s->follow);
}

static void
local_close(void *self, void *inst)
{
        struct source *s = inst;

        (void) self;
        if (!s)
                return;
        spec_release(&s->spec);
        free(s->session);
        free(s);
}

/* A JSON array of strings. */
static sw_err *
parse_list(const char *key, const char *text, sw_strlist *out)
{
        sw_autoptr(sw_json) j = NULL;

        if (strcmp(text, "null") == 0) /* how Go writes a list it does not have */
                return SW_OK;
        sw_err *err = sw_json_parse(key, text, strlen(text), &j);
        if (err)
                return err;
        if (!json_is_array(j))
                return sw_err_new(SW_E_INVALID, "%s is no JSON array", key);
        for (size_t i = 0; i < json_array_size(j); i++) {
                const sw_json *e = json_array_get(j, i);

                if (!json_is_string(e))
                        return sw_err_new(SW_E_INVALID, "%s: element %zu is no string", key,
                                          i);
                sw_strlist_add(out, json_string_value(e));
        }
        return SW_OK;
}

/* "prefix:ID" names the directory "prefix-NAME". */
static void
set_session(struct source *s, const char *value)
{
        const char *colon = strchr(value, ':');

        if (colon) {
                char *name =
                        sw_asprintf("%.*s-%s", (int) (colon - value), value, s->spec.name);

                free(s->spec.name);
                s->spec.name = name;
        }
        free(s->session);
        s->session = sw_strdup(colon ? colon + 1 : value);
}

static sw_err *
set_attr(struct source *s, const char *key, const char *value)
{
        struct spec *p = &s->spec;
        bool on;

        if (strcmp(key, "local.session") == 0) {
                set_session(s, value);
                return SW_OK;
        }
        if (strcmp(key, "local.includepattern") == 0)
                return parse_list(key, value, &p->include);
        if (strcmp(key, "local.excludepatterns") == 0)
                return parse_list(key, value, &p->exclude);
        if (strcmp(key, "local.followpaths") == 0) {
                p->has_follow = true;
                return parse_list(key, value, &p->follow);
        }
        if (strcmp(key, "local.differ") == 0) {
                if (strcmp(value, "none") == 0 || strcmp(value, "metadata") == 0)
                        return SW_OK;
                return sw_err_new(SW_E_INVALID, "local.differ is none or metadata, not %s",
                                  value);
        }
        if (strcmp(key, "local.metadatatransfer") == 0)
                return sw_err_wrap(sw_parse_bool(value, &on), "%s", key);
        return SW_OK; /* local.unique, hints, and what is for others */
}

static sw_err *
check_patterns(const struct spec *s)
{
        const sw_strlist *lists[] = { &s->include, &s->exclude };
        sw_err *err = SW_OK;

        for (size_t i = 0; i < 2 && !err; i++) {
                sw_autoptr(sw_patterns) p = NULL;

                err = sw_patterns_new((const char *const *) lists[i]->v, lists[i]->n, &p);
        }
        return err;
}

static sw_err *
local_open(void *self, sw_ctx *ctx, const struct sw_source_request *req, void **inst)
{
        const char *name = req->identifier;
        sw_err *err = SW_OK;

        (void) self;
        (void) ctx;
        if (!sw_str_has_prefix(name, SCHEME) || !name[strlen(SCHEME)])
                return sw_err_new(SW_E_INVALID, "%s names no directory", name);
        struct source *s = sw_new(struct source);
        s->spec.name = sw_strdup(name + strlen(SCHEME));
        s->worker = req->worker;
        for (size_t i = 0; i < req->n_attrs && !err; i++)
                err = set_attr(s, req->attrs[i].key, req->attrs[i].value);
        if (!err)
                err = check_patterns(&s->spec);
        if (err) {
                local_close(NULL, s);
                return sw_err_wrap(err, "%s", name);
        }
        *inst = s;
        return SW_OK;
}

static void
add_json_list(sw_buf *b, const char *key, const sw_strlist *l)
{
        sw_buf_addf(b, ",\"%s\":[", key);
        for (size_t i = 0; i < l->n; i++) {
                if (i > 0)
                        sw_buf_addc(b, ',');
                sw_json_add_str(b, l->v[i], strlen(l->v[i]));
        }
        sw_buf_addc(b, ']');
}

static sw_digest
spec_digest(const struct spec *s, const char *prefix)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;

        sw_buf_adds(&b, "{\"SessionID\":");
        sw_json_add_str(&b, prefix, strlen(prefix));
        add_json_list(&b, "IncludePatterns", &s->include);
        add_json_list(&b, "ExcludePatterns", &s->exclude);
        add_json_list(&b, "FollowPaths", &s->follow);
        sw_buf_adds(&b, s->has_follow ? ",\"Follow\":true}" : "}");
        return sw_digest_of(b.data, b.len);
}

static sw_err *
no_session(const struct source *s)
{
        return sw_err_new(SW_E_NOT_FOUND,
                          "local directory %s: no client is there to offer it",
                          s->spec.name);
}

static sw_err *
local_key(void *self, void *inst, sw_ctx *ctx, sw_session *session, unsigned index,
          struct sw_source_key *out)
{
        const struct source *s = inst;
        char hex[SW_DIGEST_HEX_LEN + 1];

        (void) self;
        (void) ctx;
        (void) index;
        if (!session)
                return no_session(s);
        sw_digest d =
                spec_digest(&s->spec, s->session && *s->session ? s->session
                                                                : sw_session_id(session));
        out->key = sw_asprintf("session:%s:%s", s->spec.name, sw_digest_hex(&d, hex));
        out->pin = NULL;
        out->more = false;
        return SW_OK;
}

/* Which entries are wanted, with links followed. NULL: no limit. */
static sw_err *
include_patterns(int root, const struct spec *s, sw_patterns **out)
{
        sw_auto(sw_strlist) list = { 0 };
        bool all = false;
        sw_err *err = SW_OK;

        for (size_t i = 0; i < s->include.n; i++)
                sw_strlist_add(&list, s->include.v[i]);
        if (s->has_follow)
                err = follow_paths(root, &s->follow, &list, &all);
        if (err || all || list.n == 0)
                return err;
        return sw_patterns_new((const char *const *) list.v, list.n, out);
}

static sw_err *
walk(sw_ctx *ctx, int root, const struct spec *s, struct list **out)
{
        sw_autoptr(sw_patterns) include = NULL;
        sw_autoptr(sw_patterns) exclude = NULL;
        struct found_dir *found = NULL;
        int64_t begun = sw_time_now();
        sw_err *err = include_patterns(root, s, &include);

        if (!err && s->exclude.n > 0)
                err = sw_patterns_new((const char *const *) s->exclude.v, s->exclude.n,
                                      &exclude);
        if (!err)
                err = walk_directory(ctx, root, include, exclude, &found);
        if (!err)
                err = list_make(found, begun, out);
        found_dir_free(found);
        return err;
}

/* The name of the file with what is known of this directory, seen through these patterns.
 */
static char *
cache_name(int root, const struct spec *s)
{
        char path[4096], link[64], hex[SW_DIGEST_HEX_LEN + 1];
        struct stat st = { 0 };
        sw_auto(sw_buf) b = SW_BUF_INIT;

        (void) snprintf(link, sizeof(link), "/proc/self/fd/%d", root);
        ssize_t n = readlink(link, path, sizeof(path));
        (void) fstat(root, &st);
        sw_buf_addf(&b, "%llu:%llu:", (unsigned long long) st.st_dev,
                    (unsigned long long) st.st_ino);
        sw_buf_add(&b, path, n > 0 ? (size_t) n : 0);
        sw_digest d = spec_digest(s, b.data);
        return sw_strdup(sw_digest_hex(&d, hex));
}

static sw_err *
local_snapshot(void *self, void *inst, sw_ctx *ctx, sw_session *session, sw_ref **out)
{
        struct source *s = inst;
        sw_auto(sw_fd) root = -1;
        sw_auto(sw_fd) state = -1;
        struct list *list = NULL;

        if (!session)
                return no_session(s);
        sw_err *err = sw_session_directory(session, ctx, s->spec.name, &root);
        if (!err)
                err = walk(ctx, root, &s->spec, &list);
        if (err)
                return sw_err_wrap(err, "local directory %s", s->spec.name);
        if (s->worker) /* without the cache everything is read again: slower, not wrong */
                sw_err_drop(sw_worker_state_dir(s->worker, "source/local", &state),
                            "nothing is kept then");
        sw_auto(sw_str) cache = cache_name(root, &s->spec);
        if (state >= 0)
                statcache_load(state, cache, list);
        report_biggest(ctx, s->spec.name, list);
        *out = dirref_new(s->worker, s->spec.name, sw_fd_steal(&root), list,
                          sw_fd_steal(&state), cache, self);
        return SW_OK;
}

static void
local_shutdown(void *self)
{
        struct local *l = self;

        sw_pool_free(l->saver); /* when everything is written */
        free(l);
}

static sw_err *
local_init(const struct sw_plugin_env *env, void **self)
{
        struct local *l = sw_new(struct local);
        sw_err *err = sw_pool_new("stat cache", 1, &l->saver);

        l->log = env->log;
        if (err)
                free(l);
        else
                *self = l;
        return err;
}

static const char *const schemes[] = { "local", NULL };

static const struct sw_source_ops ops = {
        .hdr = SW_OPS_SIZE(struct sw_source_ops),
        .schemes = schemes,
        .open = local_open,
        .cache_key = local_key,
        .snapshot = local_snapshot,
        .close = local_close,
};

SW_PLUGIN(source_local) = {
        SW_PLUGIN_V1(SW_KIND_SOURCE, "local"),
        .summary = "directories of the client, not copied",
        .ops = &ops.hdr,
        .init = local_init,
        .shutdown = local_shutdown,
};
