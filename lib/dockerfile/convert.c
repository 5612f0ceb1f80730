/* lib/dockerfile/convert.c - see convert.h; convert_priv.h says what is where. */
#include <string.h>
#include <strings.h>

#include "lib/dockerfile/convert_priv.h"

typedef struct conv conv;

static void
conv_release(conv *c)
{
        for (size_t i = 0; i < c->n_stages; i++)
                sw_state_unref(c->stages[i]->state);
        for (size_t i = 0; i < c->triggers.n; i++)
                sw_df_trigger_free(c->triggers.v[i]);
        sw_array_release(&c->triggers);
        sw_df__answers_release(c);
        free(c->stages);
        sw_map_free(c->by_name);
        sw_source_map_unref(c->source);
        sw_state_unref(c->context);
        sw_state_unref(c->main);
        sw_patterns_free(c->ignored);
        sw_df_arena_free(c->arena);
}
SW_DEFINE_AUTO(conv, conv_release)

/* The main context: what it is, is known when all stages told what they use of it. */
static sw_err *
late_context(void *arg, const sw_state *s, const struct sw_llb_opts *opts, sw_state **out)
{
        const struct conv *c = (const struct conv *) arg;

        (void) s;
        (void) opts;
        *out = c->main ? sw_state_ref(c->main) : sw_llb_scratch();
        return SW_OK;
}

static void
take_proxies(struct conv *c)
{
        c->proxy.size = sizeof(c->proxy);
        for (size_t i = 0; i < c->build_args.n; i++) {
                const char *key = c->build_args.v[i].key, *value = c->build_args.v[i].value;
                const char **slot = strcasecmp(key, "http_proxy") == 0    ? &c->proxy.http
                                    : strcasecmp(key, "https_proxy") == 0 ? &c->proxy.https
                                    : strcasecmp(key, "ftp_proxy") == 0   ? &c->proxy.ftp
                                    : strcasecmp(key, "no_proxy") == 0    ? &c->proxy.no
                                    : strcasecmp(key, "all_proxy") == 0   ? &c->proxy.all
                                                                          : NULL;

                if (!slot)
                        continue;
                *slot = value;
                c->has_proxy = true;
        }
}

static sw_err *
take_ignored(struct conv *c)
{
        const sw_strlist *list;
        sw_err *err = sw_df_client_ignored(c->client, &list);

        if (err || !list->n)
                return err;
        for (size_t i = 0; i < list->n; i++) {
                const char *p = list->v[i];

                c->ignored_excepts |= *p == '!';
                c->ignored_root |= strcmp(p, "*") == 0 || strcmp(p, "**") == 0 ||
                                   strcmp(p, "**/*") == 0;
        }
        return sw_patterns_new((const char *const *) list->v, list->n, &c->ignored);
}

static void
begin(struct conv *c, const struct sw_df_convert *req)
{
        const sw_df_config *cfg = req->client->config;
        sw_autoptr(sw_state) nothing = sw_llb_scratch();

        c->req = req;
        c->client = req->client;
        c->config = cfg;
        c->program = req->program;
        c->lint = req->lint;
        c->arena = sw_df_arena_new();
        c->by_name = sw_map_new(NULL);
        c->implicit = !req->platform;
        c->target = req->platform ?: cfg->build_platform;
        for (size_t i = 0; i < cfg->build_args.n; i++)
                sw_df_table_set(c->arena, &c->build_args, cfg->build_args.v[i].key,
                                cfg->build_args.v[i].value);
        c->source = sw_source_map_new(req->client->filename, "Dockerfile",
                                      req->client->text.data, req->client->text.len,
                                      req->client->loaded_from);
        c->context = sw_state_late(nothing, late_context, c, NULL);
        take_proxies(c);
}

/* ---- The end ---- */

/* What was asked for goes before what the base image says. */
static void
set_platform(struct conv *c, struct sw_df_image *img)
{
        const sw_platform *t = c->target;
        bool same = img->os && img->arch && strcmp(t->os, img->os) == 0 &&
                    strcmp(t->arch, img->arch) == 0;

        if (c->implicit)
                return;
        img->os = t->os;
        img->arch = t->arch;
        if (*t->variant || !same)
                img->variant = t->variant;
        if (*t->os_version || !same)
                img->os_version = t->os_version;
        if (!t->os_features)
                return;
        img->os_features = (struct sw_df_list){ .v = NULL };
        for (size_t i = 0; t->os_features[i]; i++)
                sw_df_list_add(c->arena, &img->os_features, t->os_features[i]);
}

static void
normalize_platform(struct conv *c, struct sw_df_image *img)
{
        const sw_platform p = {
                .os = img->os,
                .arch = img->arch,
                .variant = img->variant,
        };
        sw_autoptr(sw_platform) plain = sw_platform_normalize(&p);

        img->os = sw_df_dup(c->arena, plain->os);
        img->arch = sw_df_dup(c->arena, plain->arch);
        img->variant = sw_df_dup(c->arena, plain->variant);
}

static sw_err *
take_main(struct conv *c)
{
        sw_df_paths used = { .v = NULL };

        for (size_t i = 0; i < c->n_stages; i++)
                for (size_t k = 0; k < c->stages[i]->ctx_paths.n; k++)
                        sw_df_table_set(c->arena, &used, c->stages[i]->ctx_paths.v[k].key,
                                        NULL);
        return sw_df_client_main(c->client, sw_df_paths_follow(c->arena, &used), &c->main);
}

static sw_err *
finish(struct conv *c, struct stage *target, sw_df_result *out)
{
        struct sw_df_image *img = &target->image;
        sw_err *err = SW_OK;

        for (size_t i = 0; i < c->config->labels.n; i++)
                sw_df_table_set(c->arena, &img->labels, c->config->labels.v[i].key,
                                c->config->labels.v[i].value);
        if (c->lint)
                err = sw_df_lint_error(c->lint);
        if (!err)
                err = take_main(c);
        if (!err && !c->req->no_marshal)
                err = sw_state_marshal(target->state,
                                       SW_LLB_OPTS(.platform = c->target,
                                                   .caps = c->client->caps),
                                       &out->definition);
        if (err)
                return err;
        set_platform(c, img);
        normalize_platform(c, img);
        sw_df_image_settle(img);
        sw_df_image_write(img, &out->config);
        if (target->base_image)
                sw_df_image_write(target->base_image, &out->base_config);
        out->has_epoch = c->has_epoch;
        out->epoch = c->epoch;
        if (c->req->outline)
                sw_df__outline(c, target, out);
        return SW_OK;
}

sw_err *
sw_df_convert(const struct sw_df_convert *req, sw_df_result **out)
{
        sw_autoptr(sw_df_result) r = sw_new(sw_df_result);
        sw_auto(conv) c = { .req = req };
        struct stage *target = NULL;
        sw_err *err;

        sw_buf_init(&r->definition);
        sw_buf_init(&r->config);
        sw_buf_init(&r->base_config);
        r->arena = sw_df_arena_new();
        begin(&c, req);
        err = sw_df__globals(&c);
        if (!err)
                err = sw_df__epoch(&c);
        if (!err)
                err = sw_df__stages(&c, &target);
        if (!err)
                err = sw_df__resolve(&c, target);
        if (!err)
                err = take_ignored(&c);
        if (!err)
                err = sw_df__dispatch_all(&c);
        if (!err)
                err = finish(&c, target, r);
        if (err)
                return err;
        *out = sw_steal(r);
        return SW_OK;
}

void
sw_df_result_free(sw_df_result *r)
{
        if (!r)
                return;
        sw_buf_release(&r->definition);
        sw_buf_release(&r->config);
        sw_buf_release(&r->base_config);
        sw_df_arena_free(r->arena);
        free(r);
}
