/*
 * lib/dockerfile/contexts.c - contexts by name, of every kind. See client.h.
 *
 *      docker-image://REF   oci-layout://STORE[:TAG]@DIGEST   git and http URLs
 *      local:NAME           input:NAME
 */
#include <string.h>

#include <slipway/imagename.h>
#include <slipway/text.h>

#include "lib/dockerfile/client_priv.h"
#include "lib/dockerfile/ignore.h"
#include "lib/dockerfile/keep.h"

#define IGNORE ".dockerignore"

/* ---- Finding ---- */

sw_err *
sw_df_client_named(sw_df_client *c, const char *name, const sw_platform *platform,
                   struct sw_df_named *out)
{
        sw_auto(sw_image_name) parsed = { .host = NULL };
        sw_autoptr(sw_platform) plain = NULL;
        sw_auto(sw_str) familiar = NULL;
        const char *short_name, *full, *value;
        size_t n;
        sw_err *err = sw_image_name_parse(name, &parsed);

        *out = (struct sw_df_named){ .name = NULL };
        if (err)
                return sw_df_wrap(err, "invalid context name %s", name);
        familiar = sw_image_name_familiar(&parsed);
        n = strlen(familiar) - (sw_str_has_suffix(familiar, ":latest") ? 7 : 0);
        short_name = sw_df_arena_str(c->arena, familiar, n);
        plain = sw_platform_normalize(platform ?: sw_platform_host());
        full = sw_df_printf(c->arena, "context:%s::%s", short_name,
                            sw_df_platform_text(c->arena, plain));
        value = sw_df_config_get(c->config, full);
        if (!value) {
                full = sw_df_printf(c->arena, "context:%s", short_name);
                value = sw_df_config_get(c->config, full);
        }
        if (value)
                *out = (struct sw_df_named){
                        .name = short_name,
                        .key = full + strlen("context:"),
                        .value = value,
                        .platform = platform,
                };
        return SW_OK;
}

static int
by_text(const void *a, const void *b)
{
        return strcmp(*(const char *const *) a, *(const char *const *) b);
}

const char *const *
sw_df_paths_follow(struct sw_df_arena *a, sw_df_paths *paths)
{
        const char **list;

        if (!paths || !paths->n)
                return NULL;
        sw_df_table_settle(paths);
        list = sw_df_new_array(a, const char *, paths->n + 1);
        for (size_t i = 0; i < paths->n; i++) {
                list[i] = paths->v[i].key + 1;
                if (!*list[i])
                        return NULL;
        }
        qsort(list, paths->n, sizeof(*list), by_text);
        return list;
}

/* ---- Images ---- */

sw_err *
sw_df_client_resolve(sw_df_client *c, const struct sw_bridge_source *req,
                     sw_df_source_meta *out)
{
        return c->bridge->resolve(c->bridge->arg, c->ctx, req, out);
}

static sw_err *
take_config(sw_df_client *c, const sw_df_source_meta *meta, sw_state **state,
            struct sw_df_image *image, bool *has_image)
{
        const char *json = meta->config ?: "{}";
        sw_state *with = NULL;
        sw_err *err = sw_df_image_parse(c->arena, json, strlen(json), image);

        if (!err)
                err = sw_state_image_config(*state, json, strlen(json), &with);
        if (err)
                return err;
        sw_state_replace(state, with);
        *has_image = true;
        return SW_OK;
}

static sw_err *
load_image(sw_df_client *c, const struct sw_df_named *n, const char *ref, sw_state **out,
           struct sw_df_image *image, bool *has_image)
{
        sw_auto(sw_image_name) name = { .host = NULL };
        sw_auto(sw_df_source_meta) meta = { .size = sizeof(meta) };
        sw_auto(sw_str) full = NULL;
        sw_autoptr(sw_state) state = NULL;
        const char *title = sw_df_printf(c->arena, "[context %s] %s", n->key, ref);
        sw_err *err;

        if (strcmp(ref, "scratch") == 0) {
                *out = sw_llb_scratch();
                return SW_OK;
        }
        err = sw_image_name_parse(ref, &name);
        if (err)
                return err;
        sw_image_name_default_tag(&name);
        full = sw_image_name_str(&name);
        err = sw_df_client_image_config(c, full, n->platform,
                                        sw_df_printf(c->arena,
                                                     "[context %s] load metadata for %s",
                                                     n->key, ref),
                                        &meta);
        if (!err)
                err = sw_llb_image(full, NULL,
                                   SW_LLB_OPTS(.name = title, .platform = n->platform),
                                   &state);
        if (!err)
                err = take_config(c, &meta, &state, image, has_image);
        if (!err)
                *out = sw_steal(state);
        return err;
}

sw_err *
sw_df_client_image_config(sw_df_client *c, const char *ref, const sw_platform *platform,
                          const char *title, sw_df_source_meta *out)
{
        static const char *const modes[] = { "default", "pull", "local" };
        const struct sw_attr attr = { "image.resolvemode", modes[c->config->resolve] };
        sw_auto(sw_str) id = sw_asprintf("docker-image://%s", ref);
        const struct sw_bridge_source req = {
                .size = sizeof(req),
                .identifier = id,
                .attrs = &attr,
                .n_attrs = c->config->resolve != SW_LLB_RESOLVE_DEFAULT,
                .platform = platform,
                .title = title,
                .config = true,
        };
        sw_err *err = sw_df_client_resolve(c, &req, out);

        return sw_df_wrap(err, "failed to resolve source metadata for %s", ref);
}

/* ---- Layouts ---- */

/* "STORE[:TAG]@DIGEST" taken apart. */
static sw_err *
split_layout(struct sw_df_arena *a, const char *ref, const char **store,
             const char **digest)
{
        const char *at = strrchr(ref, '@'), *end = at ?: ref + strlen(ref);
        const char *slash = (const char *) memrchr(ref, '/', (size_t) (end - ref));
        const char *base = slash ? slash + 1 : ref;
        const char *colon = (const char *) memchr(base, ':', (size_t) (end - base));
        sw_digest d;
        sw_err *err;

        if (end == ref)
                return sw_df_err(SW_E_INVALID, "oci-layout reference \"%s\" has no name",
                                 ref);
        if (!at)
                return sw_df_err(SW_E_INVALID, "oci-layout reference \"%s\" has no digest",
                                 ref);
        err = sw_digest_parse(at + 1, SIZE_MAX, &d);
        if (err)
                return sw_df_wrap(err, "could not parse oci-layout reference \"%s\"", ref);
        *store = sw_df_arena_str(a, ref, (size_t) ((colon ?: end) - ref));
        *digest = at;
        return SW_OK;
}

static sw_err *
resolve_layout(sw_df_client *c, const struct sw_df_named *n, const char *ref,
               const char *session, const char *store, sw_df_source_meta *out)
{
        sw_auto(sw_str) id = sw_asprintf("oci-layout://%s", ref);
        sw_auto(sw_str) title =
                sw_asprintf("[context %s] load metadata for %s", n->key, ref);
        const struct sw_attr attrs[] = {
                { "oci.store", store },
                { "oci.session", session },
        };
        const struct sw_bridge_source req = {
                .size = sizeof(req),
                .identifier = id,
                .attrs = attrs,
                .n_attrs = session ? 2 : 1,
                .platform = n->platform,
                .title = title,
                .config = true,
        };

        return sw_df_client_resolve(c, &req, out);
}

static sw_err *
load_layout(sw_df_client *c, const struct sw_df_named *n, const char *spec, sw_state **out,
            struct sw_df_image *image, bool *has_image)
{
        const char *session = sw_df_client_session(c, "");
        const char *title =
                sw_df_printf(c->arena, "[context %s] OCI load from client", n->key);
        const char *store = NULL, *digest = NULL;
        sw_auto(sw_df_source_meta) meta = { .size = sizeof(meta) };
        sw_auto(sw_image_name) name = { .host = NULL };
        sw_auto(sw_str) repo = NULL, ref = NULL;
        sw_autoptr(sw_state) state = NULL;
        sw_err *err = split_layout(c->arena, spec, &store, &digest);

        if (!err)
                err = sw_image_name_parse(n->name, &name);
        if (err)
                return err;
        repo = sw_image_name_str(&name);
        ref = sw_asprintf("%s%s", repo, digest);
        err = resolve_layout(c, n, ref, session, store, &meta);
        if (!err)
                err = sw_llb_oci_layout(
                        ref, SW_LLB_OCI_LAYOUT(.session = session, .store = store),
                        SW_LLB_OPTS(.name = title, .platform = n->platform), &state);
        if (!err)
                err = take_config(c, &meta, &state, image, has_image);
        if (!err)
                *out = sw_steal(state);
        return err;
}

/* ---- Directories of the client ---- */

struct local {
        sw_df_client *c;
        const char *name, *key;
        const char *const *exclude;
        sw_df_paths *used;
};

static sw_err *
make_local(void *arg, const sw_state *s, const struct sw_llb_opts *opts, sw_state **out)
{
        const struct local *l = (const struct local *) arg;
        sw_auto(sw_str) shared = sw_asprintf("sharedkey:localdir:%s", l->key);
        const char *key = sw_df_config_get(l->c->config, shared) ?: "";
        sw_auto(sw_str) hint = sw_asprintf("context:%s-%s", l->key, key);
        sw_auto(sw_str) title = sw_asprintf("[context %s] load from client", l->key);

        (void) s;
        (void) opts;
        return sw_llb_local(l->name,
                            SW_LLB_LOCAL(.exclude = l->exclude,
                                         .follow = sw_df_paths_follow(l->c->arena, l->used),
                                         .session = sw_df_client_session(l->c, l->name),
                                         .shared_key_hint = hint),
                            SW_LLB_OPTS(.name = title), out);
}

static sw_err *
read_named_ignore(sw_df_client *c, const struct sw_df_named *n, const char *name,
                  sw_buf *out)
{
        static const char *const follow[] = { IGNORE, NULL };
        sw_auto(sw_str) hint = sw_asprintf("context:%s-" IGNORE, n->key);
        sw_auto(sw_str) title = sw_asprintf("[context %s] load " IGNORE, n->key);
        sw_autoptr(sw_state) local = NULL;
        sw_autoptr(sw_ref) ref = NULL;
        sw_err *err = sw_llb_local(name,
                                   SW_LLB_LOCAL(.follow = follow,
                                                .session = sw_df_client_session(c, name),
                                                .shared_key_hint = hint,
                                                .differ = SW_LLB_DIFFER_NONE),
                                   SW_LLB_OPTS(.name = title), &local);

        if (!err)
                err = sw_df_client_solve(c, local, &ref);
        if (err)
                return err;
        err = sw_df_client_read(c, ref, IGNORE, SW_DF_IGNORE_MAX, out);
        if (sw_err_code(err) == SW_E_LIMIT || sw_err_code(err) == SW_E_CANCELLED)
                return err;
        sw_err_drop(err, "what cannot be read has nothing in it");
        return SW_OK;
}

static sw_err *
load_local(sw_df_client *c, const struct sw_df_named *n, const char *name,
           sw_df_paths *used, sw_state **out)
{
        sw_auto(sw_buf) text = SW_BUF_INIT;
        sw_auto(sw_strlist) ignored = { NULL, 0, 0 };
        sw_autoptr(sw_state) nothing = sw_llb_scratch();
        struct local *l = sw_df_new(c->arena, struct local);
        const char **exclude;
        sw_err *err = read_named_ignore(c, n, name, &text);

        if (err)
                return err;
        err = sw_df_ignore_parse(text.data, text.len, &ignored);
        if (err)
                return sw_df_wrap(err, "failed parsing " IGNORE);
        exclude = sw_df_new_array(c->arena, const char *, ignored.n + 1);
        for (size_t i = 0; i < ignored.n; i++)
                exclude[i] = sw_df_dup(c->arena, ignored.v[i]);
        *l = (struct local){ c, name, n->key, exclude, used };
        *out = sw_state_late(nothing, make_local, l, NULL);
        return SW_OK;
}

/* ---- Inputs ---- */

/* What was said of an input's image: {"containerimage.config": BASE64}. */
static sw_err *
input_config(sw_df_client *c, const char *name, const struct sw_df_named *n, sw_buf *out)
{
        sw_auto(sw_str) key = sw_asprintf("input-metadata:%s", name);
        const char *text = sw_df_config_get(c->config, key), *config = NULL;
        sw_autoptr(sw_json) doc = NULL;
        sw_err *err;

        if (!text)
                return SW_OK;
        err = sw_json_parse("input metadata", text, strlen(text), &doc);
        if (!err)
                err = sw_json_str(doc, "containerimage.config", &config);
        if (err)
                return sw_df_wrap(err, "failed to parse input metadata %s", text);
        if (config && !sw_base64_decode(config, strlen(config), out))
                return sw_df_err(SW_E_INVALID, "failed to parse image config for %s",
                                 n->key);
        return SW_OK;
}

static sw_err *
load_input(sw_df_client *c, const struct sw_df_named *n, const char *name, sw_state **out,
           struct sw_df_image *image, bool *has_image)
{
        sw_auto(sw_buf) config = SW_BUF_INIT;
        sw_autoptr(sw_state) state = NULL;
        sw_err *err = sw_df_client_input(c, name, &state);

        if (!err && !state)
                return sw_df_err(SW_E_INVALID, "invalid input %s for %s", name, n->key);
        if (!err)
                err = input_config(c, name, n, &config);
        if (!err && config.len) {
                sw_df_source_meta meta = { .size = sizeof(meta), .config = config.data };

                err = take_config(c, &meta, &state, image, has_image);
        }
        if (!err)
                *out = sw_steal(state);
        return err;
}

/* ---- Any ---- */

static sw_err *
load_url(sw_df_client *c, const struct sw_df_named *n, bool web, sw_state **out)
{
        const char *title = sw_df_printf(c->arena, "[context %s] %s", n->key, n->value);
        sw_err *err = sw_df_client_git(c, n->value, false, out);

        if (err || *out)
                return err;
        if (!web)
                return sw_df_err(SW_E_INVALID, "invalid git context %s", n->value);
        return sw_llb_http(n->value, SW_LLB_HTTP(.filename = "context"),
                           SW_LLB_OPTS(.name = title), out);
}

sw_err *
sw_df_client_named_load(sw_df_client *c, const struct sw_df_named *n, sw_df_paths *used,
                        sw_state **out, struct sw_df_image *image, bool *has_image)
{
        const char *colon = strchr(n->value, ':'), *rest;
        size_t k;

        *has_image = false;
        *out = NULL;
        if (!colon)
                return sw_df_err(SW_E_INVALID, "invalid context specifier %s for %s",
                                 n->value, n->key);
        k = (size_t) (colon - n->value);
        rest = colon + 1;
        if (strncmp(n->value, "local", k) == 0 && k == 5)
                return load_local(c, n, rest, used, out);
        if (strncmp(n->value, "input", k) == 0 && k == 5)
                return load_input(c, n, rest, out, image, has_image);
        if (strncmp(rest, "//", 2) == 0)
                rest += 2;
        if (strncmp(n->value, "docker-image", k) == 0 && k == 12)
                return load_image(c, n, rest, out, image, has_image);
        if (strncmp(n->value, "oci-layout", k) == 0 && k == 10)
                return load_layout(c, n, rest, out, image, has_image);
        if (strncmp(n->value, "http", k) == 0 && k == 4)
                return load_url(c, n, true, out);
        if (strncmp(n->value, "https", k) == 0 && k == 5)
                return load_url(c, n, true, out);
        if ((strncmp(n->value, "git", k) == 0 && k == 3) ||
            sw_str_has_prefix(n->value, "git@"))
                return load_url(c, n, false, out);
        return sw_df_err(SW_E_INVALID, "unsupported context source %.*s for %s", (int) k,
                         n->value, n->key);
}
