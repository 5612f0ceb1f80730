/* lib/dockerfile/names.c - what steps are called. See convert_priv.h; reference 13. */
#include <string.h>

#include "lib/dockerfile/convert_priv.h"

static bool
same(const char *a, const char *b)
{
        return strcmp(a ?: "", b ?: "") == 0;
}

/* What the stage's variables say it builds for; false when nothing. */
static bool
platform_of_env(const struct sw_df_env *env, sw_platform **parsed, sw_platform *out)
{
        const char *whole = env ? sw_df_env_get(env, "TARGETPLATFORM") : NULL;
        sw_err *err;

        if (!env)
                return false;
        if (whole) {
                err = sw_platform_parse(whole, parsed);
                if (!err) {
                        *out = **parsed;
                        return true;
                }
                sw_err_drop(err, "somebody's own variable");
        }
        *out = (sw_platform){
                .os = sw_df_env_get(env, "TARGETOS"),
                .arch = sw_df_env_get(env, "TARGETARCH"),
                .variant = sw_df_env_get(env, "TARGETVARIANT"),
        };
        return out->os || out->arch || out->variant;
}

/* "->arm64", "->windows/amd64": when it builds for something else than it runs on. */
static void
add_cross(struct conv *c, sw_buf *b, const sw_platform *base, const struct sw_df_env *env)
{
        sw_autoptr(sw_platform) parsed = NULL;
        sw_autoptr(sw_platform) plain = NULL;
        sw_platform p;

        if (!platform_of_env(env, &parsed, &p))
                return;
        if (!p.os || !*p.os)
                p.os = base->os;
        if (!p.arch || !*p.arch)
                p.arch = base->arch;
        plain = sw_platform_normalize(&p);
        if (!same(plain->os, base->os))
                sw_buf_addf(b, "->%s", sw_df_platform_text(c->arena, plain));
        else if (!same(plain->arch, base->arch))
                sw_buf_addf(b, "->%s%s%s", plain->arch,
                            plain->variant && *plain->variant ? "/" : "",
                            plain->variant ?: "");
}

const char *
sw_df__step_name(struct conv *c, struct stage *st, const char *text,
                 const sw_platform *platform, const struct sw_df_env *env)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;
        int width = 1;

        if (!st->n_steps)
                return text;
        sw_buf_addc(&b, '[');
        if (c->config->multi_platform && platform) {
                sw_buf_adds(&b, sw_df_platform_text(c->arena, platform));
                add_cross(c, &b, platform, env);
                sw_buf_addc(&b, ' ');
        }
        if (*st->label) {
                sw_buf_adds(&b, st->label);
                sw_buf_addc(&b, ' ');
        }
        for (size_t n = st->n_steps; n >= 10; n /= 10)
                width++;
        sw_buf_addf(&b, "%*zu/%zu] ", width, ++st->step, st->n_steps);
        if (st->step_onbuild)
                sw_buf_adds(&b, "ONBUILD ");
        sw_buf_adds(&b, text);
        return sw_df_arena_str(c->arena, b.data, b.len);
}

const char *
sw_df__step_text(struct conv *c, const struct sw_df_lex *lex, const char *text)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;
        sw_err *err = sw_df_expand(lex, text, &b);
        char *name;

        if (err) {
                sw_err_drop(err, "as it is written, then");
                sw_buf_adds(&b, text);
        }
        c->made += b.len;
        name = sw_df_arena_str(c->arena, b.data, b.len);
        for (char *p = name; *p && *p != ' '; p++)
                if (*p >= 'a' && *p <= 'z')
                        *p = (char) (*p - 'a' + 'A');
        return name;
}

void
sw_df__locate(struct conv *c, struct sw_df_range range, struct sw_llb_location *out)
{
        size_t n = range.first ? (size_t) (range.last - range.first) + 1 : 0;
        struct sw_llb_range *v = sw_df_new_array(c->arena, struct sw_llb_range, n);

        for (size_t i = 0; i < n; i++)
                v[i].start_line = v[i].end_line = range.first + (int32_t) i;
        *out = (struct sw_llb_location){ c->source, v, n };
}
