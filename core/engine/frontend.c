/*
 * core/engine/frontend.c - builds whose definitions a frontend makes: the plugin is found
 * and called, what it asks of the bridge is done, its result kept for the exporters.
 *
 * Everything it solves is solved by the build's one job: under its entitlements, in its
 * story, with its session. A ref that it was handed is its own count; the job keeps results
 * alive until exports are over. What is looked up is asked once for each question, also
 * when several threads ask at once.
 * Thread: the build's calls the plugin; the bridge is used by any, several at once. The
 * lock guards the lists, and is not held while anything is done.
 */
#include <string.h>

#include <slipway/text.h>
#include <slipway/time.h>

#include "core/engine/engine_priv.h"
#include "core/ops/view.h"

#define WAIT_NS (SW_NS_PER_SEC / 10) /* between looks at cancellation */

/* A question of resolve() and what came of it. */
struct answer {
        sw_buf question;
        bool config; /* it was asked for, too */
        enum { ASKED, KNOWN, FAILED } state;
        struct sw_source_meta meta; /* KNOWN */
        sw_err *err;                /* FAILED */
};

struct sw__bridge {
        struct sw_build *build;
        struct sw_bridge ops;
        const sw_platform **platforms;
        struct sw__story_vertex *warnings, *untold;
        pthread_mutex_t lock;
        pthread_cond_t answered;
        SW_ARRAY(struct answer *) answers;
        sw_strlist titles; /* of steps so far */
};

/* ---- Contexts ---- */

static sw_err *
lend(void *lender, sw_ctx *ctx, sw_session_fn *fn, void *arg)
{
        const struct sw_build *b = lender;

        return fn(arg, ctx, b->req.session);
}

/* One for a call that came with @from: cancelled with it. @step: told of it, or NULL. */
static sw_ctx *
new_ctx(struct sw_build *b, const sw_ctx *from, struct sw__story_vertex *step)
{
        sw_cancel *cancel = sw_ctx_cancel(from);
        sw_ctx *ctx = sw_ctx_new(cancel ? cancel : b->cancel, b->engine->log,
                                 step ? &sw__story_sink : NULL, step, "core/engine");

        sw_ctx_set_lender(ctx, lend, b);
        return ctx;
}

/* ---- Solving ---- */

static sw_err *
bridge_solve(void *arg, sw_ctx *ctx, const void *p, size_t len, sw_ref **out)
{
        struct sw__bridge *br = arg;
        struct sw_build *b = br->build;
        sw_cancel *cancel = sw_ctx_cancel(ctx);
        sw_definition *def = NULL;
        sw_err *err;

        if (sw_definition_is_empty(p, len)) {
                *out = NULL;
                return SW_OK;
        }
        err = sw_definition_decode(p, len, NULL, &def);
        if (err)
                return err;
        err = sw__build_solve(b, cancel ? cancel : b->cancel, def, out);
        /* It is asked later where a step that failed stands. */
        if (!err || sw_err_code(err) == SW_E_CANCELLED) {
                sw_definition_free(def);
                return err;
        }
        pthread_mutex_lock(&br->lock);
        sw_array_push(&b->defs, def);
        pthread_mutex_unlock(&br->lock);
        return err;
}

typedef sw_err *read_fn(const struct sw__view *v, const char *path, size_t n, sw_buf *out);

static sw_err *
read_view(struct sw_build *b, sw_ctx *ctx, sw_ref *ref, const char *path, size_t n,
          read_fn *fn, sw_buf *out)
{
        sw_auto(sw__view) view = { .rootfd = -1, .dir = -1 };
        sw_err *err = sw__view_open(b->engine->env.worker, ctx, ref, &view);

        if (!err)
                err = fn(&view, path, n, out);
        return err ? err : sw__view_close(&view);
}

static sw_err *
read_ref(struct sw__bridge *br, const sw_ctx *ctx, sw_ref *ref, const char *path, size_t n,
         read_fn *fn, sw_buf *out)
{
        sw_autoptr(sw_ctx) own = new_ctx(br->build, ctx, NULL);
        size_t before = out->len;
        sw_err *err = sw_ctx_check(own);

        if (!err)
                err = read_view(br->build, own, ref, path, n, fn, out);
        if (err)
                sw_buf_truncate(out, before);
        return err;
}

static sw_err *
bridge_read_file(void *arg, sw_ctx *ctx, sw_ref *ref, const char *path, size_t max,
                 sw_buf *out)
{
        return read_ref(arg, ctx, ref, path, max, sw__view_read, out);
}

static sw_err *
bridge_read_start(void *arg, sw_ctx *ctx, sw_ref *ref, const char *path, size_t n,
                  sw_buf *out)
{
        return read_ref(arg, ctx, ref, path, n, sw__view_read_start, out);
}

static sw_err *
bridge_newest(void *arg, sw_ctx *ctx, sw_ref *ref, bool *found, int64_t *time)
{
        struct sw__bridge *br = arg;
        sw_autoptr(sw_ctx) own = new_ctx(br->build, ctx, NULL);
        sw_auto(sw__view) view = { .rootfd = -1, .dir = -1 };
        sw_err *err = sw__view_open(br->build->engine->env.worker, own, ref, &view);

        if (!err)
                err = sw__view_newest(&view, own, found, time);
        return err ? err : sw__view_close(&view);
}

/* ---- Looking up ---- */

static void
add_word(sw_buf *b, const char *word)
{
        sw_buf_addf(b, "%zu:%s,", word ? strlen(word) : 0, word ? word : "");
}

static void
write_question(const struct sw_source_request *req, sw_buf *out)
{
        add_word(out, req->identifier);
        add_word(out, req->platform);
        for (size_t i = 0; i < req->n_attrs; i++) {
                add_word(out, req->attrs[i].key);
                add_word(out, req->attrs[i].value);
        }
}

/* A step by the name @title; its digest is the name's, as BuildKit has it, but for further
 * ones of one name. */
static struct sw__story_vertex *
title_step(struct sw__bridge *br, const char *title, sw_digest *digest)
{
        size_t same = 0;

        pthread_mutex_lock(&br->lock);
        for (size_t i = 0; i < br->titles.n; i++)
                same += strcmp(br->titles.v[i], title) == 0;
        sw_strlist_add(&br->titles, title);
        pthread_mutex_unlock(&br->lock);
        sw_auto(sw_str) text = same ? sw_asprintf("%s#%zu", title, same) : sw_strdup(title);
        *digest = sw_digest_of(text, strlen(text));
        return sw__job_step(br->build->job, digest, title);
}

static sw_err *
look_up(struct sw__bridge *br, sw_ctx *ctx, const struct sw_source_request *req,
        bool config, struct sw_source_meta *out)
{
        sw_autoptr(sw_source) src = NULL;
        sw_err *err = sw__sources_open(br->build->engine->sources, ctx, req, &src);

        return err ? err
                   : sw__source_resolve(src, ctx, br->build->req.session, config, out);
}

static sw_err *
look_up_as_step(struct sw__bridge *br, sw_ctx *from, const struct sw_source_request *req,
                const struct sw_bridge_source *asked, struct sw_source_meta *out)
{
        char text[SW_DIGEST_STR_SIZE];
        struct sw__story_vertex *step = NULL;
        sw_digest digest;
        sw_err *err;

        if (asked->title)
                step = title_step(br, asked->title, &digest);
        if (step)
                sw__story_started(step, sw_time_now());
        sw_autoptr(sw_ctx) ctx = new_ctx(br->build, from, step);
        err = look_up(br, ctx, req, asked->config, out);
        if (!step)
                return err;
        sw__story_failed(step, sw_time_now(), false, err);
        sw__story_vertex_unref(step);
        if (err)
                sw_err_set_vertex(err, sw_digest_str(&digest, text));
        return err;
}

static void
copy_meta(const struct sw_source_meta *from, struct sw_source_meta *out)
{
        const struct sw_source_meta m = {
                .size = out->size,
                .digest = sw_strdup(from->digest),
                .config = sw_strdup(from->config),
                .name = sw_strdup(from->name),
                .has_time = from->has_time,
                .time = from->time,
        };

        memcpy(out, &m, out->size < sizeof(m) ? out->size : sizeof(m));
}

static struct answer *
find_answer_locked(struct sw__bridge *br, const sw_buf *question, bool config)
{
        for (size_t i = 0; i < br->answers.n; i++) {
                struct answer *a = br->answers.v[i];

                if (a->question.len == question->len && (a->config || !config) &&
                    memcmp(a->question.data, question->data, question->len) == 0)
                        return a;
        }
        return NULL;
}

static sw_err *
wait_locked(struct sw__bridge *br, const sw_ctx *ctx, const struct answer *a)
{
        sw_err *err = SW_OK;

        while (a->state == ASKED && !err) {
                struct timespec until = sw_time_to_spec(sw_time_now() + WAIT_NS);

                (void) pthread_cond_timedwait(&br->answered, &br->lock, &until);
                err = sw_ctx_check(ctx);
        }
        return err;
}

/* Whose turn it is to ask: *mine is set when nobody has, or who did was cancelled. Without
 * it, @out is the answer, or an error is returned. */
static sw_err *
take_answer(struct sw__bridge *br, const sw_ctx *ctx, sw_buf *question, bool config,
            struct sw_source_meta *out, struct answer **mine)
{
        struct answer *a;
        sw_err *err = SW_OK;

        *mine = NULL;
        pthread_mutex_lock(&br->lock);
        a = find_answer_locked(br, question, config);
        if (!a) {
                a = sw_new(struct answer);
                a->question = *question;
                sw_buf_init(question);
                a->config = config;
                sw_array_push(&br->answers, a);
                *mine = a;
        } else if (a->state == ASKED) {
                err = wait_locked(br, ctx, a);
                if (!err && a->state == FAILED && sw_err_code(a->err) != SW_E_CANCELLED)
                        err = sw_err_copy(a->err);
        }
        if (!err && a->state == FAILED) { /* failures are not remembered */
                sw_err_free(sw_steal(a->err));
                a->state = ASKED;
                *mine = a;
        }
        if (!err && !*mine)
                copy_meta(&a->meta, out);
        pthread_mutex_unlock(&br->lock);
        return err;
}

static sw_err *
give_answer(struct sw__bridge *br, struct answer *a, sw_err *err,
            struct sw_source_meta *meta, struct sw_source_meta *out)
{
        pthread_mutex_lock(&br->lock);
        a->state = err ? FAILED : KNOWN;
        a->err = sw_err_copy(err);
        a->meta = *meta;
        if (!err)
                copy_meta(meta, out);
        pthread_cond_broadcast(&br->answered);
        pthread_mutex_unlock(&br->lock);
        return err;
}

static sw_err *
bridge_resolve(void *arg, sw_ctx *ctx, const struct sw_bridge_source *asked,
               struct sw_source_meta *out)
{
        struct sw__bridge *br = arg;
        const sw_platform *for_what =
                asked->platform ? asked->platform : br->ops.platforms[0];
        sw_auto(sw_str) platform = sw_platform_str(for_what);
        const struct sw_source_request req = {
                .size = sizeof(req),
                .identifier = asked->identifier,
                .attrs = asked->attrs,
                .n_attrs = asked->n_attrs,
                .platform = platform,
                .no_cache = br->build->req.no_cache,
        };
        struct sw_source_meta meta = { .size = sizeof(meta) };
        sw_auto(sw_buf) question = SW_BUF_INIT;
        sw_autoptr(sw_ctx) own = new_ctx(br->build, ctx, NULL);
        struct answer *mine;
        sw_err *err = sw_ctx_check(own);

        if (err)
                return err;
        write_question(&req, &question);
        err = take_answer(br, own, &question, asked->config, out, &mine);
        if (err || !mine)
                return err;
        err = look_up_as_step(br, ctx, &req, asked, &meta);
        return give_answer(br, mine, err, &meta, out);
}

/* ---- Warnings ---- */

/* What is about no step of the story gets one, for people to see it at all. */
static sw_digest
vertex_of(struct sw__bridge *br, const char *digest)
{
        static const char name[] = "[internal] warnings";
        sw_digest d = sw_digest_of(name, strlen(name));

        if (digest && sw_digest_is(digest, SIZE_MAX)) {
                sw_err_drop(sw_digest_parse(digest, SIZE_MAX, &d), "it is one");
                return d;
        }
        if (!br->untold) {
                int64_t now = sw_time_now();

                br->untold = sw__job_step(br->build->job, &d, name);
                sw__story_started(br->untold, now);
                sw__story_ended(br->untold, now, false, NULL);
        }
        return d;
}

static void
bridge_warn(void *arg, const struct sw_bridge_warning *w)
{
        struct sw__bridge *br = arg;
        struct sw_progress_warning told = {
                .text = w->text ? w->text : "",
                .detail = w->detail,
                .url = w->url,
                .source = w->source,
                .level = w->level,
        };

        pthread_mutex_lock(&br->lock);
        told.vertex = vertex_of(br, w->vertex);
        if (!br->warnings)
                br->warnings = sw__job_warnings(br->build->job);
        pthread_mutex_unlock(&br->lock);
        sw__story_warn(br->warnings, &told);
}

/* ---- The bridge ---- */

static struct sw__bridge *
bridge_new(struct sw_build *b)
{
        struct sw__bridge *br = sw_new(struct sw__bridge);

        br->build = b;
        pthread_mutex_init(&br->lock, NULL);
        pthread_cond_init(&br->answered, NULL);
        br->platforms = sw__engine_platforms(b->engine);
        br->ops = (struct sw_bridge){
                .size = sizeof(br->ops),
                .arg = br,
                .solve = bridge_solve,
                .read_file = bridge_read_file,
                .read_start = bridge_read_start,
                .newest = bridge_newest,
                .resolve = bridge_resolve,
                .warn = bridge_warn,
                .platforms = br->platforms,
                .inputs = b->req.inputs,
                .n_inputs = b->req.n_inputs,
                .session = b->req.session,
        };
        return br;
}

static void
bridge_free(struct sw__bridge *br)
{
        for (size_t i = 0; i < br->answers.n; i++) {
                struct answer *a = br->answers.v[i];

                sw_buf_release(&a->question);
                sw__source_meta_release(&a->meta);
                sw_err_free(a->err);
                free(a);
        }
        sw_array_release(&br->answers);
        sw_strlist_release(&br->titles);
        if (br->warnings)
                sw__story_vertex_unref(br->warnings);
        if (br->untold)
                sw__story_vertex_unref(br->untold);
        for (size_t i = 0; br->platforms[i]; i++)
                sw_platform_free((sw_platform *) br->platforms[i]);
        free(br->platforms);
        pthread_cond_destroy(&br->answered);
        pthread_mutex_destroy(&br->lock);
        free(br);
}

/* ---- Calling the plugin ---- */

/* Clients of BuildKit ask for "dockerfile.v0"; here the plugin is called "dockerfile". */
static char *
plugin_name(const char *frontend)
{
        size_t n = strlen(frontend);

        return sw_strndup(frontend, n - (sw_str_has_suffix(frontend, ".v0") ? 3 : 0));
}

static sw_err *
check_enabled(const struct sw_build *b, const char *name)
{
        sw_auto(sw_str) full = sw_asprintf("%s.v0", name);
        sw_auto(sw_str) key = sw_config_key("frontend", full, "enabled", NULL);
        struct sw_config_value value;

        if (!sw_config_value(b->engine->config, key, &value) ||
            sw_config_bool(b->engine->config, key))
                return SW_OK;
        return sw_err_new(SW_E_CONFIG,
                          "frontend %s is switched off in the configuration: %s", name,
                          key);
}

static sw_err *
find_plugin(const struct sw_build *b, const struct sw_frontend_ops **ops, void **self,
            char **blame)
{
        sw_host *host = b->engine->host;
        sw_auto(sw_str) name = plugin_name(b->req.frontend);
        const struct sw_ops_hdr *hdr;
        sw_err *err = check_enabled(b, name);

        if (!err)
                err = sw_host_require(host, SW_KIND_FRONTEND, name);
        if (!err)
                err = sw_host_lookup(host, SW_KIND_FRONTEND, name, &hdr, self);
        if (err)
                return err;
        *ops = (const struct sw_frontend_ops *) hdr; /* the host saw that build is there */
        *blame = sw_asprintf("frontend/%s", name);
        return SW_OK;
}

static sw_err *
check_opts(const struct sw_build *b)
{
        for (size_t i = 0; i < b->req.n_opts; i++)
                if (sw_attr_get(b->req.opts, i, b->req.opts[i].key))
                        return sw_err_new(SW_E_INVALID, "frontend option %s is given twice",
                                          b->req.opts[i].key);
        return SW_OK;
}

sw_err *
sw__frontend_run(struct sw_build *b)
{
        sw_auto(sw_str) blame = NULL;
        const struct sw_frontend_ops *ops = NULL;
        void *self = NULL;
        struct sw_frontend_result result = { .size = sizeof(result) };
        sw_err *err = check_opts(b);

        if (!err)
                err = find_plugin(b, &ops, &self, &blame);
        if (err)
                return err;
        struct sw__bridge *br = bridge_new(b);
        sw_autoptr(sw_ctx) ctx = sw_ctx_new(b->cancel, b->engine->log, NULL, NULL, blame);
        sw_ctx_set_lender(ctx, lend, b);
        err = ops->build(self, ctx, b->req.opts, b->req.n_opts, &br->ops, &result);
        bridge_free(br);
        if (err && !sw_err_vertex(err))
                sw_err_set_plugin(err, blame);
        if (!err)
                b->result = result;
        for (size_t i = 0; i < b->result.n_refs; i++)
                if (!b->result.refs[i].platform)
                        b->result.refs[i].platform = sw_strdup("");
        return err ? err : sw_cancel_check(b->cancel);
}

static void
release_attrs(const struct sw_attr *attrs, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                free((void *) attrs[i].key);
                free((void *) attrs[i].value);
        }
        free((void *) attrs);
}

void
sw__frontend_drop_refs(struct sw_build *b)
{
        struct sw_frontend_result *r = &b->result;

        for (size_t i = 0; i < r->n_refs; i++) {
                free((void *) r->refs[i].platform);
                sw_ref_unref(r->refs[i].ref);
                release_attrs(r->refs[i].meta, r->refs[i].n_meta);
        }
        free(r->refs);
        r->refs = NULL;
        r->n_refs = 0;
}

void
sw__frontend_release(struct sw_build *b)
{
        sw__frontend_drop_refs(b);
        release_attrs(b->result.meta, b->result.n_meta);
}
