/*
 * tests/fake-plugins/frontend_fake.c - a frontend that does what its options say:
 *
 *      read=PATH        read PATH of the local directory "context": meta "read"
 *      local=NAME       of that one instead
 *      max=N            at most so many bytes of it
 *      start=N          no more than its first bytes
 *      look=IDENTIFIER  look it up by four threads at once: meta "look"
 *      platforms=A,B    a result for each, made by a thread each, with a file in it
 *      warn=TEXT        warn about line 2 of a text
 *      fail=TEXT        end with that error, after all else
 *      step=fail        solve something that fails
 *      cancel=solve     cancel a call of its own, and go on
 *      requestid=ID     answer with all options, and read PATH of an input: meta
 *                       "result.txt"; "result.statuscode" is 1 for frontend.lint
 */
#include <pthread.h>
#include <string.h>

#include <slipway/frontend.h>
#include <slipway/llb.h>
#include <slipway/text.h>

#define THREADS 4

struct work {
        const struct sw_bridge *b;
        sw_ctx *ctx;
        const struct sw_attr *opts;
        size_t n_opts;
        struct sw_frontend_result *out;
};

static const char *
opt(const struct work *w, const char *name)
{
        return sw_attr_get(w->opts, w->n_opts, name);
}

static void
add_meta(struct work *w, const char *key, char *value)
{
        struct sw_frontend_result *r = w->out;

        r->meta = sw_realloc_array(r->meta, r->n_meta + 1, sizeof(*r->meta));
        r->meta[r->n_meta++] = (struct sw_attr){ sw_strdup(key), value };
}

static sw_err *
solve(const struct work *w, const sw_state *s, sw_ref **out)
{
        sw_auto(sw_buf) def = SW_BUF_INIT;
        sw_err *err = sw_state_marshal(s, NULL, &def);

        return err ? err : w->b->solve(w->b->arg, w->ctx, def.data, def.len, out);
}

static sw_err *
read_context(struct work *w, const char *path)
{
        const char *session = w->b->session ? sw_session_id(w->b->session) : NULL;
        sw_autoptr(sw_state) s = NULL;
        sw_autoptr(sw_ref) ref = NULL;
        sw_auto(sw_buf) text = SW_BUF_INIT;
        int64_t max = 100;
        sw_err *err = sw_llb_local(opt(w, "local") ? opt(w, "local") : "context",
                                   SW_LLB_LOCAL(.session = session),
                                   SW_LLB_OPTS(.name = "load the context"), &s);

        if (!err && opt(w, "max"))
                err = sw_parse_int(opt(w, "max"), 0, 1000, &max);
        if (!err)
                err = solve(w, s, &ref);
        if (!err && opt(w, "start"))
                err = sw_parse_int(opt(w, "start"), 0, 1000, &max);
        if (!err && opt(w, "start"))
                err = w->b->read_start(w->b->arg, w->ctx, ref, path, (size_t) max, &text);
        else if (!err)
                err = w->b->read_file(w->b->arg, w->ctx, ref, path, (size_t) max, &text);
        if (!err)
                add_meta(w, "read", sw_buf_detach(&text));
        return err;
}

/* ---- Threads ---- */

struct one {
        struct work *w;
        pthread_t thread;
        const char *text;
        bool config;
        sw_ref *ref;
        struct sw_source_meta meta;
        sw_err *err;
};

static void *
look_main(void *arg)
{
        struct one *o = arg;
        const struct sw_bridge *b = o->w->b;
        const struct sw_bridge_source q = { .size = sizeof(q),
                                            .identifier = o->text,
                                            .title = "look it up",
                                            .config = o->config };

        o->meta.size = sizeof(o->meta);
        o->err = b->resolve(b->arg, o->w->ctx, &q, &o->meta);
        return NULL;
}

static sw_err *
platform_solve(struct one *o)
{
        sw_autoptr(sw_state) scratch = sw_llb_scratch();
        sw_autoptr(sw_state) s = NULL;
        sw_autoptr(sw_files) f = sw_files_new();
        sw_err *err = sw_files_mkfile(f, "/made", 0644, o->text, strlen(o->text), NULL);

        if (!err)
                err = sw_state_files(scratch, f, NULL, &s);
        return err ? err : solve(o->w, s, &o->ref);
}

static void *
platform_main(void *arg)
{
        struct one *o = arg;

        o->err = platform_solve(o);
        return NULL;
}

static sw_err *
run_all(struct one *v, size_t n, void *(*fn)(void *) )
{
        sw_err *err = SW_OK;

        for (size_t i = 0; i < n; i++)
                if (pthread_create(&v[i].thread, NULL, fn, &v[i]) != 0)
                        abort();
        for (size_t i = 0; i < n; i++) {
                (void) pthread_join(v[i].thread, NULL);
                if (err)
                        sw_err_drop(v[i].err, "the first one is told");
                else
                        err = v[i].err;
        }
        return err;
}

static sw_err *
look(struct work *w, const char *identifier)
{
        struct one v[THREADS + 1];
        sw_err *err;

        for (size_t i = 0; i <= THREADS; i++)
                v[i] = (struct one){ .w = w, .text = identifier, .config = i < THREADS };
        err = run_all(v, THREADS, look_main);
        if (!err) /* who wants less gets it of the same answer */
                err = run_all(v + THREADS, 1, look_main);
        for (size_t i = 1; i <= THREADS && !err; i++)
                if (strcmp(v[i].meta.digest, v[0].meta.digest) != 0)
                        err = sw_err_new(SW_E_INTERNAL, "two answers to one question");
        if (!err)
                add_meta(w, "look", sw_strdup(v[0].meta.digest));
        for (size_t i = 0; i <= THREADS; i++) {
                free(v[i].meta.digest);
                free(v[i].meta.config);
        }
        return err;
}

static sw_err *
platforms(struct work *w, const char *list)
{
        sw_auto(sw_strlist) names = { 0 };
        struct one v[8] = { { .w = NULL } };
        struct sw_frontend_result *r = w->out;
        sw_err *err;

        sw_strlist_split(&names, list, ',');
        for (size_t i = 0; i < names.n; i++)
                v[i] = (struct one){ .w = w, .text = names.v[i] };
        err = run_all(v, names.n, platform_main);
        r->refs = sw_alloc_array(names.n, sizeof(*r->refs));
        for (size_t i = 0; i < names.n; i++)
                r->refs[r->n_refs++] =
                        (struct sw_export_ref){ .platform = sw_strdup(names.v[i]),
                                                .ref = v[i].ref };
        r->multiple = true;
        return err;
}

/* ---- The rest ---- */

static void
warn(const struct work *w, const char *text)
{
        static const char data[] = "first\nsecond\n";
        static const char *const detail[] = { "more", "words", NULL };
        const struct sw_err_source source = { .file = "text",
                                              .data = data,
                                              .len = sizeof(data) - 1,
                                              .first_line = 2,
                                              .last_line = 2 };
        const struct sw_bridge_warning v = { .size = sizeof(v),
                                             .level = 1,
                                             .text = text,
                                             .detail = detail,
                                             .url = "https://example.org/rule",
                                             .source = &source };

        w->b->warn(w->b->arg, &v);
        w->b->warn(w->b->arg, &v);
}

/* Copies what is not there; its place is the second line of a text. */
static sw_err *
failing_step(struct work *w)
{
        static const char text[] = "one\ntwo\n";
        sw_autoptr(sw_source_map) map =
                sw_source_map_new("text", "", text, sizeof(text) - 1, NULL);
        const struct sw_llb_range range = { .start_line = 2, .end_line = 2 };
        const struct sw_llb_location at = { .map = map, .ranges = &range, .n_ranges = 1 };
        sw_autoptr(sw_state) scratch = sw_llb_scratch();
        sw_autoptr(sw_state) s = NULL;
        sw_autoptr(sw_ref) ref = NULL;
        sw_autoptr(sw_files) f = sw_files_new();
        sw_err *err = sw_files_rm(f, "/absent", NULL);

        if (!err)
                err = sw_state_files(scratch, f,
                                     SW_LLB_OPTS(.name = "remove what is not there",
                                                 .locations = &at, .n_locations = 1),
                                     &s);
        return err ? err : sw_err_wrap(solve(w, s, &ref), "the fake");
}

/* A call that was cancelled by itself leaves the build as it was. */
static sw_err *
cancelled_call(struct work *w)
{
        sw_autoptr(sw_cancel) cancel = sw_cancel_new(sw_ctx_cancel(w->ctx));
        sw_autoptr(sw_ctx) ctx = sw_ctx_new(cancel, NULL, NULL, NULL, "fake");
        struct work inner = *w;
        sw_err *err;

        inner.ctx = ctx;
        sw_cancel_now(cancel, "enough of this one");
        err = read_context(&inner, "file");
        if (sw_err_code(err) != SW_E_CANCELLED)
                return err ? err : sw_err_new(SW_E_INTERNAL, "it was not cancelled");
        sw_err_drop(err, "that was wanted");
        return SW_OK;
}

/* All it was told, a line each. */
static sw_err *
answer(struct work *w, const char *id)
{
        sw_auto(sw_buf) text = SW_BUF_INIT;

        for (size_t i = 0; i < w->n_opts; i++)
                sw_buf_addf(&text, "%s=%s\n", w->opts[i].key, w->opts[i].value);
        for (size_t i = 0; i < w->b->n_inputs; i++) {
                sw_autoptr(sw_ref) ref = NULL;
                sw_err *err = w->b->solve(w->b->arg, w->ctx, w->b->inputs[i].definition,
                                          w->b->inputs[i].len, &ref);

                sw_buf_addf(&text, "input %s: ", w->b->inputs[i].name);
                if (!err)
                        err = w->b->read_file(w->b->arg, w->ctx, ref, "Dockerfile", 1000,
                                              &text);
                if (err)
                        return err;
        }
        if (sw_attr_get(w->out->meta, w->out->n_meta, "read"))
                sw_buf_addf(&text, "was read: %s",
                            sw_attr_get(w->out->meta, w->out->n_meta, "read"));
        add_meta(w, "result.txt", sw_buf_detach(&text));
        if (strcmp(id, "frontend.lint") == 0)
                add_meta(w, "result.statuscode", sw_strdup("1"));
        return SW_OK;
}

static sw_err *
run(struct work *w)
{
        const char *v;
        sw_err *err = SW_OK;

        if ((v = opt(w, "cancel")))
                err = cancelled_call(w);
        if (!err && (v = opt(w, "read")))
                err = read_context(w, v);
        if (!err && (v = opt(w, "platforms")))
                err = platforms(w, v);
        if (!err && (v = opt(w, "warn")))
                warn(w, v);
        if (!err && (v = opt(w, "look")))
                err = look(w, v);
        if (!err && opt(w, "step"))
                err = failing_step(w);
        if (!err && (v = opt(w, "requestid")))
                err = answer(w, v);
        if (!err && (v = opt(w, "fail")))
                err = sw_err_new(SW_E_INVALID, "%s", v);
        return err;
}

static void
release(struct sw_frontend_result *r)
{
        for (size_t i = 0; i < r->n_refs; i++) {
                free((void *) r->refs[i].platform);
                sw_ref_unref(r->refs[i].ref);
        }
        for (size_t i = 0; i < r->n_meta; i++) {
                free((void *) r->meta[i].key);
                free((void *) r->meta[i].value);
        }
        free(r->refs);
        free(r->meta);
}

static sw_err *
fake_build(void *self, sw_ctx *ctx, const struct sw_attr *opts, size_t n_opts,
           const struct sw_bridge *bridge, struct sw_frontend_result *out)
{
        struct sw_frontend_result made = { .size = sizeof(made) };
        struct work w = { bridge, ctx, opts, n_opts, &made };
        sw_err *err = run(&w);

        (void) self;
        if (err)
                release(&made);
        else
                *out = made;
        return err;
}

static const struct sw_frontend_ops ops = {
        .hdr = SW_OPS_SIZE(struct sw_frontend_ops),
        .build = fake_build,
};

SW_PLUGIN(frontend_fake) = {
        SW_PLUGIN_V1(SW_KIND_FRONTEND, "fake"),
        .summary = "does what its options say",
        .ops = &ops.hdr,
};
