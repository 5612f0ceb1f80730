/* plugins/frontend-dockerfile/warn.c - findings of checks as warnings of the build. */
#include <slipway/buf.h>

#include "plugins/frontend-dockerfile/dockerfile.h"

static void
tell(void *arg, const struct sw_df_finding *f)
{
        const sw_df_client *c = (const sw_df_client *) arg;
        const struct sw_df_rule_info *rule = sw_df_rule_info(f->rule);
        const char *const detail[] = { rule->description, NULL };
        const struct sw_err_source source = {
                .file = c->text.file,
                .language = "Dockerfile",
                .data = c->text.data,
                .len = c->text.len,
                .first_line = f->range.first,
                .last_line = f->range.last,
        };
        sw_auto(sw_buf) text = SW_BUF_INIT;

        sw_buf_addf(&text, "%s: %s", rule->name, f->message);
        if (f->range.first)
                sw_buf_addf(&text, " (line %d)", f->range.first);
        const struct sw_bridge_warning w = {
                .size = sizeof(w),
                .vertex = *c->vertex ? c->vertex : NULL,
                .level = 1,
                .text = text.data,
                .detail = detail,
                .url = rule->url,
                .source = f->range.first ? &source : NULL,
        };

        c->bridge->warn(c->bridge->arg, &w);
}

void
warn_init(struct sw_df_lint *lint, const sw_df_client *c)
{
        lint->tell = tell;
        lint->arg = (void *) (uintptr_t) c;
}
