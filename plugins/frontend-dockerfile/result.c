/* plugins/frontend-dockerfile/result.c - what is said about a result. Reference 16. */
#include <inttypes.h>
#include <string.h>

#include <slipway/json.h>

#include "plugins/frontend-dockerfile/dockerfile.h"

void
result_add(struct sw_attr **list, size_t *n, const char *key, char *value)
{
        *list = (struct sw_attr *) sw_realloc_array(*list, *n + 1, sizeof(**list));
        (*list)[(*n)++] = (struct sw_attr){ sw_strdup(key), value };
}

void
result_describe(const sw_df_result *r, struct sw_export_ref *ref)
{
        struct sw_attr *meta = NULL;
        size_t n = 0;

        result_add(&meta, &n, "containerimage.config", sw_strdup(r->config.data));
        if (r->base_config.len)
                result_add(&meta, &n, "containerimage.base.config",
                           sw_strdup(r->base_config.data));
        if (r->has_epoch)
                result_add(&meta, &n, "source.date.epoch",
                           sw_asprintf("%" PRId64, r->epoch));
        ref->meta = meta;
        ref->n_meta = n;
}

static void
add_member(sw_buf *b, const char *key, const char *value, bool always)
{
        if (!always && (!value || !*value))
                return;
        if (b->data[b->len - 1] != '{')
                sw_buf_addc(b, ',');
        sw_buf_addf(b, "\"%s\":", key);
        sw_json_add_str(b, value ?: "", value ? strlen(value) : 0);
}

static void
add_platform(sw_buf *b, const char *id, const sw_platform *p)
{
        sw_buf_adds(b, "{\"ID\":");
        sw_json_add_str(b, id, strlen(id));
        sw_buf_adds(b, ",\"Platform\":{");
        add_member(b, "architecture", p->arch, true);
        add_member(b, "os", p->os, true);
        add_member(b, "os.version", p->os_version, false);
        for (size_t i = 0; p->os_features && p->os_features[i]; i++) {
                sw_buf_adds(b, i ? "," : ",\"os.features\":[");
                sw_json_add_str(b, p->os_features[i], strlen(p->os_features[i]));
                if (!p->os_features[i + 1])
                        sw_buf_addc(b, ']');
        }
        add_member(b, "variant", p->variant, false);
        sw_buf_adds(b, "}}");
}

void
result_platforms(const sw_df_config *c, struct sw_frontend_result *out)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;
        sw_autoptr(sw_platform) plain = NULL;
        struct sw_attr *meta = out->meta;

        sw_buf_adds(&b, "{\"Platforms\":[");
        if (!c->n_platforms) {
                plain = sw_platform_normalize(c->build_platform);
                add_platform(&b, sw_df_platform_text(c->arena, plain), plain);
        }
        for (size_t i = 0; i < c->n_platforms; i++) {
                if (i)
                        sw_buf_addc(&b, ',');
                add_platform(&b, sw_df_platform_text(c->arena, c->platforms[i]),
                             c->platforms[i]);
        }
        sw_buf_adds(&b, "]}");
        result_add(&meta, &out->n_meta, "refs.platforms", sw_buf_detach(&b));
        out->meta = meta;
}

static void
release_attrs(const struct sw_attr *list, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                free((void *) (uintptr_t) list[i].key);
                free((void *) (uintptr_t) list[i].value);
        }
        free((void *) (uintptr_t) list);
}

void
result_release(struct sw_frontend_result *out)
{
        for (size_t i = 0; i < out->n_refs; i++) {
                free((void *) (uintptr_t) out->refs[i].platform);
                sw_ref_unref(out->refs[i].ref);
                release_attrs(out->refs[i].meta, out->refs[i].n_meta);
        }
        free(out->refs);
        release_attrs(out->meta, out->n_meta);
        *out = (struct sw_frontend_result){ .size = out->size };
}
