/*
 * plugins/frontend-dockerfile/requests.c - questions about a Dockerfile ("requestid"),
 * which are answered in the result's values, without a tree. Reference 15.
 */
#include <string.h>

#include <slipway/definition.h>

#include "plugins/frontend-dockerfile/build.h"

/* @text: NULL: it has no form for people. */
static void
answer(struct sw_frontend_result *out, const char *version, sw_buf *json, sw_buf *text)
{
        struct sw_attr *meta = out->meta;

        result_add(&meta, &out->n_meta, "result.json", sw_buf_detach(json));
        if (text)
                result_add(&meta, &out->n_meta, "result.txt", sw_buf_detach(text));
        result_add(&meta, &out->n_meta, "version", sw_strdup(version));
        out->meta = meta;
}

static sw_err *
describe(build *b, sw_buf *json, sw_buf *text)
{
        (void) b;
        sw_df_describe_json(json);
        sw_df_describe_text(text);
        return SW_OK;
}

static sw_err *
targets(build *b, sw_buf *json, sw_buf *text)
{
        struct sw_df_targets all = { .text = b->client->text };
        struct sw_df_target *v;
        sw_err *err = build_parse(b, NULL);

        if (err)
                return err;
        all.n = b->program->n_stages;
        v = (struct sw_df_target *) sw_alloc_array(all.n, sizeof(*v));
        for (size_t i = 0; i < all.n; i++) {
                const struct sw_df_stage *st = &b->program->stages[i];

                v[i] = (struct sw_df_target){
                        .name = st->name,
                        .description = st->comment,
                        .base = st->base,
                        .platform = st->platform,
                        .is_default = i + 1 == all.n,
                        .range = st->range,
                };
        }
        all.v = v;
        sw_df_targets_json(&all, json);
        sw_df_targets_text(&all, text);
        free(v);
        return SW_OK;
}

/* The first platform's conversion. */
static sw_err *
convert_only(build *b, struct sw_df_lint *lint, bool all_stages, bool marshal,
             sw_df_result **out)
{
        const struct sw_df_convert req = {
                .client = b->client,
                .program = b->program,
                .platform = b->config->n_platforms ? b->config->platforms[0] : NULL,
                .lint = lint,
                .all_stages = all_stages,
                .outline = true,
                .no_marshal = !marshal,
                .devices = b->syntax.devices,
        };

        return sw_df_convert(&req, out);
}

static sw_err *
outline(build *b, sw_buf *json, sw_buf *text)
{
        sw_autoptr(sw_df_result) r = NULL;
        sw_err *err = build_parse(b, NULL);

        if (!err)
                err = convert_only(b, NULL, false, false, &r);
        if (err)
                return err;
        r->outline.text = b->client->text;
        sw_df_outline_json(&r->outline, json);
        sw_df_outline_text(&r->outline, text);
        return SW_OK;
}

static sw_err *
definition(build *b, sw_buf *json)
{
        sw_autoptr(sw_df_result) r = NULL;
        sw_err *err = build_parse(b, NULL);

        if (!err)
                err = convert_only(b, NULL, false, true, &r);
        return err ? err
                   : sw_llb_dump(r->definition.data, r->definition.len, SW_LLB_DUMP_MAPS,
                                 json);
}

/* ---- Checks ---- */

struct found {
        SW_ARRAY(struct sw_df_found) v;
        sw_strlist messages;
};

static void
note_finding(void *arg, const struct sw_df_finding *f)
{
        struct found *found = (struct found *) arg;
        const struct sw_df_rule_info *rule = sw_df_rule_info(f->rule);
        const struct sw_df_found one = {
                .rule = rule->name,
                .description = rule->description,
                .url = rule->url,
                .range = f->range,
        };

        sw_array_push(&found->v, one);
        sw_strlist_add(&found->messages, f->message);
}

static sw_err *
run_checks(build *b, struct sw_df_lint *lint)
{
        sw_autoptr(sw_df_result) r = NULL;
        sw_err *err = build_parse(b, lint);

        return err ? err : convert_only(b, lint, !*b->config->target, false, &r);
}

static void
report(build *b, struct found *found, const sw_err *why, struct sw_frontend_result *out,
       sw_buf *json, sw_buf *text)
{
        const struct sw_err_source *at = sw_err_source(why);
        struct sw_df_lint_report r = {
                .text = b->client->text,
                .found = found->v.v,
                .n_found = found->v.n,
                .error = why ? sw_err_message(why) : NULL,
        };
        struct sw_attr *meta = out->meta;

        for (size_t i = 0; i < found->v.n; i++)
                found->v.v[i].message = found->messages.v[i];
        if (at)
                r.error_range = (struct sw_df_range){ at->first_line, at->last_line };
        sw_df_lint_json(&r, json);
        sw_df_lint_text(&r, text);
        result_add(&meta, &out->n_meta, "result.statuscode",
                   sw_strdup(sw_df_lint_status(&r)));
        out->meta = meta;
}

/* Whether the mistake is one of the Dockerfile's, which the answer tells of. */
static bool
is_answer(const sw_err *err)
{
        int code = sw_err_code(err);

        return code == SW_E_INVALID || code == SW_E_LIMIT || code == SW_E_NOT_FOUND ||
               code == SW_E_UNSUPPORTED;
}

static sw_err *
answer_lint(build *b, struct sw_frontend_result *out, sw_buf *json, sw_buf *text)
{
        struct found found = { { NULL, 0, 0 }, { NULL, 0, 0 } };
        sw_auto(checks) c = { .tell = note_finding, .arg = &found };
        sw_err *err = build_check_options(b, &c);

        if (!err) {
                err = run_checks(b, &c);
                if (!err || is_answer(err)) {
                        report(b, &found, err, out, json, text);
                        sw_err_drop(err, "it is in the answer");
                        err = SW_OK;
                }
        }
        sw_array_release(&found.v);
        sw_strlist_release(&found.messages);
        return err;
}

/* ---- Any ---- */

sw_err *
build_answer(build *b, const char *id, struct sw_frontend_result *out)
{
        static const struct {
                const char *id;
                sw_err *(*ask)(build *b, sw_buf *json, sw_buf *text);
        } known[] = {
                { "frontend.subrequests.describe", describe },
                { "frontend.outline", outline },
                { "frontend.targets", targets },
        };
        sw_auto(sw_buf) json = SW_BUF_INIT, text = SW_BUF_INIT;
        sw_err *err;

        if (strcmp(id, "frontend.convertllb") == 0) {
                err = definition(b, &json);
                if (!err)
                        answer(out, "0.1.0", &json, NULL);
                return err;
        }
        err = sw_df_err(SW_E_UNSUPPORTED,
                        "unsupported request %s: this frontend answers frontend.outline, "
                        "frontend.targets, frontend.lint, frontend.convertllb and "
                        "frontend.subrequests.describe",
                        id);
        for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
                if (strcmp(known[i].id, id) == 0) {
                        sw_err_free(err);
                        err = known[i].ask(b, &json, &text);
                }
        if (strcmp(id, "frontend.lint") == 0) {
                sw_err_free(err);
                err = answer_lint(b, out, &json, &text);
        }
        if (!err)
                answer(out, "1.0.0", &json, &text);
        return err;
}
