/*
 * core/engine/export.c - the exporters of one build.
 *
 * Before anything is built they are found and agree to their attributes. Afterwards each
 * runs on a thread of its own as a step of the build's story, and when all are done those
 * that have more to do (a push) are called again, one after the other.
 * Thread: the build's, and one for each output but the first.
 */
#include <string.h>

#include <slipway/text.h>
#include <slipway/time.h>

#include "core/engine/engine_priv.h"

/* ---- Before the build ---- */

/* The step's digest: sha256("<session>-export-<i>"). @part: "export", or one of ours. */
static sw_digest
step_digest(const struct sw_build *b, const char *part, size_t i)
{
        const char *session =
                b->req.session ? sw_session_id(b->req.session) : (const char *) b->id;
        sw_auto(sw_str) text = sw_asprintf("%s-%s-%zu", session, part, i);

        return sw_digest_of(text, strlen(text));
}

/* The time that everything exported is said to be of: the attribute counts more than the
 * request; an empty one asks for none. */
static sw_err *
resolve_epoch(const struct sw_build *b, struct sw__output *o)
{
        const char *text =
                sw_attr_get(o->asked->attrs, o->asked->n_attrs, "source-date-epoch");
        sw_err *err;

        o->epoch = b->req.has_epoch ? b->req.source_date_epoch : -1;
        if (!text)
                return SW_OK;
        o->epoch = -1;
        if (!*text)
                return SW_OK;
        err = sw_parse_int(text, 0, INT64_MAX / SW_NS_PER_SEC, &o->epoch);
        return sw_err_wrap(err, "invalid source-date-epoch");
}

static sw_err *
check_attrs(const struct sw_build_output *o)
{
        for (size_t i = 0; i < o->n_attrs; i++)
                if (sw_attr_get(o->attrs, i, o->attrs[i].key))
                        return sw_err_new(SW_E_INVALID, "%s is given twice",
                                          o->attrs[i].key);
        return SW_OK;
}

/* Exporters do not see "type". */
static void
copy_attrs(struct sw__output *o)
{
        o->attrs = sw_alloc_array(o->asked->n_attrs + 1, sizeof(*o->attrs));
        for (size_t i = 0; i < o->asked->n_attrs; i++)
                if (!sw_str_eq(o->asked->attrs[i].key, "type"))
                        o->attrs[o->n_attrs++] = o->asked->attrs[i];
}

sw_err *
sw__output_resolve(struct sw_build *b, size_t i)
{
        struct sw__output *o = &b->outputs[i];
        sw_host *host = b->engine->host;
        sw_err *err;

        o->build = b;
        o->asked = &b->req.outputs[i];
        o->digest = step_digest(b, "export", i);
        err = sw_host_require(host, SW_KIND_EXPORTER, o->asked->type);
        if (!err)
                err = sw_host_exporter(host, o->asked->type, &o->exporter);
        if (err)
                return err;
        copy_attrs(o);
        sw_autoptr(sw_ctx) ctx =
                sw_ctx_new(b->cancel, b->engine->log, NULL, NULL, "core/engine");
        err = check_attrs(o->asked);
        if (!err)
                err = resolve_epoch(b, o);
        if (!err)
                err = sw_exporter_resolve(&o->exporter, ctx, o->attrs, o->n_attrs,
                                          &o->resolved);
        if (err)
                return sw_err_wrap(err, "output type=%s", o->asked->type);
        o->usable = true;
        o->title = sw_exporter_title(&o->exporter, o->asked->type);
        o->response = sw_map_new(free);
        return SW_OK;
}

void
sw__outputs_release(struct sw_build *b)
{
        for (size_t i = 0; i < SW_BUILD_MAX_OUTPUTS; i++) {
                struct sw__output *o = &b->outputs[i];

                if (o->usable)
                        sw_exporter_release(&o->exporter, o->resolved);
                if (o->response)
                        sw_map_free(o->response);
                sw_err_free(o->err);
                free(o->attrs);
                free(o->title);
        }
}

/* ---- After the build ---- */

typedef sw_err *call_fn(const struct sw_exporter *e, sw_ctx *ctx,
                        const struct sw_export_request *req, struct sw_export_result *out);

static sw_err *
call(struct sw__output *o, sw_ctx *ctx, call_fn *fn)
{
        const struct sw_frontend_result *result = &o->build->result;
        const struct sw_export_request req = {
                .size = sizeof(req),
                .refs = result->refs,
                .n_refs = result->n_refs,
                .multiple = result->multiple,
                .attrs = o->attrs,
                .n_attrs = o->n_attrs,
                .source_date_epoch = o->epoch,
                .target = o->asked->target,
                .resolved = o->resolved,
                .name = o->asked->type,
                .worker = o->build->engine->env.worker,
        };
        struct sw_export_result out = { .size = sizeof(out), .response = o->response };

        return fn(&o->exporter, ctx, &req, &out);
}

static sw_err *
lend(void *lender, sw_ctx *ctx, sw_session_fn *fn, void *arg)
{
        const struct sw_build *b = lender;

        return fn(arg, ctx, b->req.session);
}

/* One step of the story: @fn with somebody to tell about it. */
static sw_err *
run_step(struct sw__output *o, const sw_digest *digest, const char *title, call_fn *fn)
{
        struct sw_build *b = o->build;
        struct sw__story_vertex *step = sw__job_step(b->job, digest, title);
        sw_autoptr(sw_ctx) ctx = sw_ctx_new(b->cancel, b->engine->log, &sw__story_sink,
                                            step, o->exporter.name);
        char text[SW_DIGEST_STR_SIZE];
        sw_err *err;

        sw_ctx_set_lender(ctx, lend, b);
        sw__story_started(step, sw_time_now());
        err = call(o, ctx, fn);
        sw__story_failed(step, sw_time_now(), false, err);
        sw__story_vertex_unref(step);
        if (err)
                sw_err_set_vertex(err, sw_digest_str(digest, text));
        return err;
}

static void *
export_main(void *arg)
{
        struct sw__output *o = arg;

        o->err = run_step(o, &o->digest, o->title, sw_exporter_export);
        /* What the others do is of no use any more. */
        if (o->err)
                sw_cancel_now(o->build->cancel, sw_err_message(o->err));
        return NULL;
}

/* The error to tell: one that is not just a consequence of another. */
static sw_err *
first_error(struct sw_build *b)
{
        sw_err *first = NULL;

        for (size_t i = 0; i < b->req.n_outputs; i++) {
                struct sw__output *o = &b->outputs[i];

                if (o->err && (!first || (sw_err_code(first) == SW_E_CANCELLED &&
                                          sw_err_code(o->err) != SW_E_CANCELLED)))
                        first = o->err;
        }
        return sw_err_copy(first);
}

static sw_err *
finalize(struct sw_build *b)
{
        for (size_t i = 0; i < b->req.n_outputs; i++) {
                struct sw__output *o = &b->outputs[i];

                sw_auto(sw_str) title =
                        sw_exporter_finalize_title(&o->exporter, o->resolved,
                                                   o->asked->type);
                if (!title)
                        continue;
                sw_digest digest = step_digest(b, "finalize", i);
                sw_err *err = run_step(o, &digest, title, sw_exporter_finalize);
                if (err)
                        return err;
        }
        return SW_OK;
}

sw_err *
sw__outputs_export(struct sw_build *b)
{
        sw_err *err;

        for (size_t i = 1; i < b->req.n_outputs; i++) {
                struct sw__output *o = &b->outputs[i];

                o->started = pthread_create(&o->thread, NULL, export_main, o) == 0;
                if (!o->started)
                        (void) export_main(o);
        }
        (void) export_main(&b->outputs[0]);
        for (size_t i = 1; i < b->req.n_outputs; i++)
                if (b->outputs[i].started)
                        (void) pthread_join(b->outputs[i].thread, NULL);
        err = first_error(b);
        return err ? err : finalize(b);
}
