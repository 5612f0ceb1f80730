/*
 * lib/dockerfile/base.c - images and contexts that stages start from, and the triggers that
 * come with them. See convert_priv.h; ahead.c looks images up before they are asked for.
 */
#include <string.h>

#include <slipway/imagename.h>

#include "lib/dockerfile/convert_priv.h"

const sw_platform *
sw_df__platform_of(const struct conv *c, const struct stage *st)
{
        return st->platform ?: c->target;
}

/* ---- A stage's image ---- */

static const char *
with_digest(struct conv *c, const char *name, const char *digest)
{
        const char *at = strchr(name, '@');

        if (!digest || !*digest)
                return name;
        return sw_df_printf(c->arena, "%.*s@%s",
                            at ? (int) (at - name) : (int) strlen(name), name, digest);
}

/* The platform that a single-platform image turned out to be for, if it can be built. */
static const sw_platform *
detect_platform(const struct conv *c, const struct sw_df_image *img)
{
        const sw_platform *b = c->config->build_platform;
        const char *os = img->os ?: "", *arch = img->arch ?: "";

        if (strcmp(c->target->os, os) == 0 && strcmp(c->target->arch, arch) == 0)
                return c->target;
        return strcmp(b->os, os) == 0 && strcmp(b->arch, arch) == 0 ? b : c->target;
}

const char *
sw_df__metadata_title(struct conv *c, const char *name, const sw_platform *p)
{
        if (!c->config->multi_platform)
                return sw_df_printf(c->arena, "[internal] load metadata for %s", name);
        return sw_df_printf(c->arena, "[%s internal] load metadata for %s",
                            sw_df_platform_text(c->arena, p), name);
}

static sw_err *
suggest_image(struct conv *c, sw_err *err, const char *name)
{
        static const char *const common[] = {
                "alpine", "busybox", "centos", "debian", "golang", "ubuntu", "fedora",
        };
        enum { N_COMMON = sizeof(common) / sizeof(common[0]) };
        const char **names =
                (const char **) sw_alloc_array(c->n_stages + N_COMMON, sizeof(*names));
        const char *near;
        size_t n = sw_df__stage_names(c, names);

        for (size_t i = 0; i < N_COMMON; i++)
                names[n++] = common[i];
        near = sw_df__near(name, names, n);
        free(names);
        if (near && sw_err_code(err) != SW_E_CANCELLED) {
                sw_err *better = sw_df_err((enum sw_code) sw_err_code(err),
                                           "%s: %s (did you mean %s?)", name,
                                           sw_err_message(err), near);

                sw_err_set_vertex(better, sw_err_vertex(err));
                sw_err_free(err);
                return better;
        }
        return sw_df_wrap(err, "%s", name);
}

static void
warn_platform(struct conv *c, const struct stage *st, const char *name,
              const sw_platform *p)
{
        const sw_platform got = { .os = st->image.os,
                                  .arch = st->image.arch,
                                  .variant = st->image.variant };
        sw_autoptr(sw_platform) have = NULL;
        sw_autoptr(sw_platform) want = NULL;

        if (!c->lint || !st->src ||
            (strcmp(p->os, got.os ?: "") == 0 && strcmp(p->arch, got.arch ?: "") == 0))
                return;
        have = sw_platform_normalize(&got);
        want = sw_platform_normalize(p);
        sw_df_lint_base_platform(c->lint, st->src->node, name,
                                 sw_df_platform_text(c->arena, have),
                                 sw_df_platform_text(c->arena, want));
}

static sw_err *
make_image_state(struct conv *c, struct stage *st, const sw_platform *p)
{
        const struct sw_llb_pair description = { COMMAND_KEY, st->text };
        sw_auto(sw_str) from = sw_asprintf("FROM %s", st->base_name);
        const char *title = sw_df__step_name(c, st, from, p, NULL);
        struct sw_llb_location where;

        sw_df__locate(c, st->range, &where);
        return sw_llb_image(st->base_name, SW_LLB_IMAGE(.resolve = c->config->resolve),
                            SW_LLB_OPTS(.name = title, .platform = p,
                                        .description = &description, .n_description = 1,
                                        .locations = &where, .n_locations = 1),
                            &st->state);
}

static sw_err *
use_image(struct conv *c, struct stage *st, const char *name)
{
        const sw_platform *p = sw_df__platform_of(c, st);
        const sw_df_source_meta *meta;
        const char *json;
        sw_err *err = sw_df__image(c, st->base_name, p, &meta);

        if (err)
                return suggest_image(c, err, name);
        json = meta->config ?: "{}";
        err = sw_df_image_parse(c->arena, json, strlen(json), &st->image);
        if (err)
                return err;
        struct sw_df_image *base = sw_df_new(c->arena, struct sw_df_image);

        sw_df_image_copy(c->arena, &st->image, base);
        st->base_image = base;
        st->image.created = NULL;
        if (!st->platform && c->implicit)
                p = detect_platform(c, &st->image);
        st->base_name = with_digest(c, st->base_name, meta->digest);
        if (!st->image.diff_ids.n && !st->image.has_layer_history) {
                st->state = sw_llb_scratch();
        } else {
                err = make_image_state(c, st, p);
                warn_platform(c, st, name, p);
        }
        st->platform = p;
        return err;
}

/* ---- A stage's context ---- */

static void
take_image_platform(struct conv *c, struct stage *st)
{
        const struct sw_df_image *img = &st->image;
        sw_platform p = {
                .os = img->os,
                .arch = img->arch,
                .variant = img->variant,
                .os_version = img->os_version,
        };

        if (!img->os || !img->arch)
                return;
        if (img->os_features.n) {
                struct sw_df_list features = { .v = NULL };

                sw_df_list_copy(c->arena, &features, img->os_features.v,
                                img->os_features.n);
                sw_df_list_add(c->arena, &features, NULL);
                p.os_features = features.v;
        }
        st->platform = sw_df_platform_copy(c->arena, &p);
}

/* The context in the place of the whole stage. */
static sw_err *
use_stage_context(struct conv *c, struct stage *st)
{
        bool has_image;
        sw_err *err = sw_df_client_named_load(c->client, &st->named, st->paths, &st->state,
                                              &st->image, &has_image);

        st->dispatched = true;
        if (err || !has_image)
                return err;
        st->image.created = NULL;
        take_image_platform(c, st);
        for (size_t i = 0; i < st->image.env.n; i++) {
                const char *eq = strchr(st->image.env.v[i], '=');
                size_t n = eq ? (size_t) (eq - st->image.env.v[i])
                              : strlen(st->image.env.v[i]);

                sw_df_env_set(c->arena, &st->env,
                              sw_df_arena_str(c->arena, st->image.env.v[i], n),
                              eq ? eq + 1 : "");
        }
        if (st->image.workdir)
                st->dir = st->image.workdir;
        return SW_OK;
}

/* The context in the place of its base image. */
static sw_err *
use_base_context(struct conv *c, struct stage *st, const struct sw_df_named *n)
{
        const sw_platform *p = sw_df__platform_of(c, st);
        struct sw_df_image *base = sw_df_new(c->arena, struct sw_df_image);
        bool has_image;
        sw_err *err = sw_df_client_named_load(c->client, n, st->paths, &st->state,
                                              &st->image, &has_image);

        if (err)
                return err;
        if (!has_image)
                sw_df_image_scratch(c->arena, p, &st->image);
        sw_df_image_copy(c->arena, &st->image, base);
        st->base_image = base;
        st->image.created = NULL;
        sw_state_replace(&st->state, sw_state_platform(st->state, p));
        st->platform = p;
        return SW_OK;
}

/* ---- Which it is ---- */

sw_err *
sw_df__full_name(struct conv *c, struct stage *st)
{
        sw_auto(sw_image_name) name = { .host = NULL };
        sw_auto(sw_str) full = NULL;
        sw_err *err = sw_image_name_parse(st->base_name, &name);

        if (err)
                return sw_df_wrap(err, "failed to parse stage name \"%s\"", st->base_name);
        sw_image_name_default_tag(&name);
        full = sw_image_name_str(&name);
        st->base_name = sw_df_dup(c->arena, full);
        return SW_OK;
}

static sw_err *
resolve_base(struct conv *c, struct stage *st)
{
        const char *name = st->base_name;
        struct sw_df_named n = { .name = NULL };
        sw_err *err = sw_df__full_name(c, st);

        if (err)
                return err;
        if (!st->resolved) {
                st->base_name = name;
                return SW_OK;
        }
        if (st->named.name)
                return use_stage_context(c, st);
        err = sw_df_client_named(c->client, st->base_name, sw_df__platform_of(c, st), &n);
        if (err)
                return err;
        return n.name ? use_base_context(c, st, &n) : use_image(c, st, name);
}

static sw_err *
resolve_stage(struct conv *c, struct stage *st)
{
        sw_err *err = SW_OK;

        if (st->base || st->dispatched || st->resolved)
                return SW_OK;
        st->resolved = st->reachable || c->req->all_stages;
        if (strcmp(st->base_name, SCRATCH) == 0 && !st->named.name) {
                st->state = sw_llb_scratch();
                sw_df_image_scratch(c->arena, c->target, &st->image);
                st->platform = c->target;
                st->resolved = true;
        } else {
                err = resolve_base(c, st);
        }
        if (st->unregistered && st->resolved)
                st->dispatched = true;
        return sw_df_blame(err, &c->client->text, st->range);
}

/* ---- Triggers ---- */

static sw_err *
take_trigger(struct conv *c, struct stage *st, const char *text, struct command *out)
{
        const struct sw_df_opts opts = { .devices = c->req->devices };
        sw_df_trigger *t = NULL;
        sw_err *err = sw_df_trigger_new(text, &opts, &c->client->text, st->range, &t);

        if (err)
                return err;
        sw_array_push(&c->triggers, t);
        *out = (struct command){ .cmd = &t->cmd, .onbuild = true };
        return sw_df__sources(c, st, out);
}

static sw_err *
take_triggers(struct conv *c, struct stage *st, const struct sw_df_list *texts)
{
        size_t n = texts->n, total = n + st->n_commands;
        struct command *v = sw_df_new_array(c->arena, struct command, total);
        sw_err *err = SW_OK;

        if (n > SW_DF_TRIGGERS_MAX - c->triggers.n)
                err = sw_df_err(SW_E_LIMIT,
                                "more than %d ONBUILD triggers to run, all together",
                                SW_DF_TRIGGERS_MAX);
        for (size_t i = 0; i < n && !err; i++)
                err = take_trigger(c, st, texts->v[i], &v[i]);
        if (err)
                return sw_df_blame(err, &c->client->text, st->range);
        if (st->n_commands)
                memcpy(v + n, st->commands, st->n_commands * sizeof(*v));
        st->commands = v;
        st->n_commands = total;
        st->n_steps += n;
        return SW_OK;
}

/* Those of the image it is FROM, or of the stage. */
static sw_err *
find_triggers(struct conv *c, struct stage *st, bool *some)
{
        struct sw_df_list texts = { .v = NULL };

        if (st->onbuild_taken || st->unregistered)
                return SW_OK;
        st->onbuild_taken = true;
        if (!st->base)
                sw_df_list_copy(c->arena, &texts, st->image.onbuild.v, st->image.onbuild.n);
        for (size_t i = 0; st->base && i < st->base->n_commands; i++)
                if (st->base->commands[i].cmd->kind == SW_DF_ONBUILD)
                        sw_df_list_add(c->arena, &texts,
                                       st->base->commands[i].cmd->trigger);
        st->image.onbuild = (struct sw_df_list){ .v = NULL };
        if (!texts.n)
                return SW_OK;
        *some = true;
        return take_triggers(c, st, &texts);
}

sw_err *
sw_df__resolve(struct conv *c, struct stage *target)
{
        size_t before;
        bool again;
        sw_err *err = SW_OK;

        do {
                again = false;
                before = c->n_stages;
                sw_df__reach(c, target);
                sw_df__look_ahead(c);
                for (size_t i = 0; i < c->n_stages && !err; i++)
                        err = resolve_stage(c, c->stages[i]);
                for (size_t i = 0; i < before && !err; i++)
                        if (c->stages[i]->reachable)
                                err = find_triggers(c, c->stages[i], &again);
                if (!err && again)
                        err = sw_df__check_cycles(c);
        } while (!err && again);
        return err;
}
