/*
 * core/engine/build.c - one build: from the bytes of a request to its response.
 *
 *      start -> [thread: check -> exporters agree -> solve, or have a frontend do so
 *            -> export -> finalize]
 *            -> the job is closed, its story ends -> log files are complete -> wait
 *
 * Everything runs on the build's own thread; steps run on the solver's workers. The job
 * exists from the start, so that a subscriber misses nothing, and is closed before wait
 * returns, so that nothing of the build runs any more by then.
 * Thread: as engine.h says; fields are written by the build's thread and read by others
 * after it was joined.
 */
#include <string.h>

#include <slipway/text.h>

#include "core/engine/engine_priv.h"
#include "core/ops/kept.h"

#define REQ(req, member)                                                                   \
        ((req)->size >= offsetof(struct sw_build_request, member) + sizeof((req)->member)  \
                 ? (req)->member                                                           \
                 : 0)

/* ---- What is asked for ---- */

/* "device" is every device, "device=NAME" one, "device=NAME,alias=ALIAS" one that goes by
 * two names. */
static sw_err *
allow_device(struct sw_build *b, const char *spec)
{
        sw_auto(sw_strlist) fields = { 0 };
        sw_err *err;

        if (!*spec) {
                b->ops_job.allowed |= SW_ALLOW_DEVICE;
                return SW_OK;
        }
        err = sw_csv_split(spec, &fields);
        for (size_t i = 0; i < fields.n && !err; i++) {
                const char *name = fields.v[i];

                if (i > 0 && !sw_str_has_prefix(name, "alias="))
                        err = sw_err_new(SW_E_INVALID,
                                         "entitlement device=%s: unknown field %s", spec,
                                         name);
                name += i > 0 ? strlen("alias=") : 0;
                if (!err && !*name)
                        err = sw_err_new(SW_E_INVALID,
                                         "entitlement device=%s: a name is missing", spec);
                if (!err)
                        sw_strlist_add(&b->devices, name);
        }
        return err;
}

static sw_err *
parse_allowed(struct sw_build *b)
{
        const char *const *allow = b->req.allow;
        unsigned *allowed = &b->ops_job.allowed;
        sw_err *err = SW_OK;

        for (; allow && *allow && !err; allow++) {
                if (sw_str_eq(*allow, "network.host"))
                        *allowed |= SW_ALLOW_NETWORK_HOST;
                else if (sw_str_eq(*allow, "security.insecure"))
                        *allowed |= SW_ALLOW_SECURITY_INSECURE;
                else if (sw_str_eq(*allow, "device"))
                        *allowed |= SW_ALLOW_DEVICE;
                else if (sw_str_has_prefix(*allow, "device="))
                        err = allow_device(b, *allow + strlen("device="));
                else
                        err = sw_err_new(SW_E_INVALID, "unknown entitlement %s", *allow);
        }
        b->ops_job.devices = &b->devices;
        return err;
}

static sw_err *
check_request(struct sw_build *b)
{
        sw_err *err = parse_allowed(b);

        if (!err && b->req.n_outputs > SW_BUILD_MAX_OUTPUTS)
                err = sw_err_new(SW_E_LIMIT, "%zu outputs, more than %d", b->req.n_outputs,
                                 SW_BUILD_MAX_OUTPUTS);
        for (size_t i = 0; i < b->req.n_outputs && !err; i++)
                err = sw__output_resolve(b, i);
        if (!err && b->req.frontend && b->definition.len > 0)
                err = sw_err_new(SW_E_INVALID, "a build has a definition or a frontend "
                                               "that makes some, not both");
        return err ? err : sw_cancel_check(b->cancel);
}

/* ---- Solving ---- */

static void
cancel_solve(void *arg)
{
        sw__solve_cancel(arg, "it is not wanted any more");
}

static sw_err *
wait_for(struct sw_build *b, sw_cancel *cancel, sw_solve *solve)
{
        uint64_t handle;
        sw_err *err;

        if (cancel == b->cancel) /* the job's, too */
                return sw__solve_wait(solve);
        handle = sw_cancel_on(cancel, cancel_solve, solve);
        err = sw__solve_wait(solve);
        sw_cancel_off(cancel, handle);
        return err;
}

sw_err *
sw__build_solve(struct sw_build *b, sw_cancel *cancel, const sw_definition *def,
                sw_ref **out)
{
        struct sw_graph graph = { .n_vertices = 0 };
        sw_autoptr(sw_solve) s = NULL;
        sw_err *err;

        err = sw__ops_graph(&b->engine->env, &b->ops_job, def, b->req.no_cache, &graph);
        if (err)
                return err;
        err = sw__solve_start(b->job, &graph, &s); /* the ops are given, come what may */
        sw__ops_graph_release(&graph);
        if (!err)
                err = wait_for(b, cancel, s);
        if (!err)
                *out = sw_ref_ref(sw__ops_result_ref(sw__solve_result(s, 0)));
        return err;
}

/* The definition of the request: one result, for no platform in particular. */
static sw_err *
run_definition(struct sw_build *b)
{
        sw_definition *def = NULL;
        sw_ref *ref = NULL;
        sw_err *err = SW_OK;

        if (!sw_definition_is_empty(b->definition.data, b->definition.len)) {
                err = sw_definition_decode(b->definition.data, b->definition.len, NULL,
                                           &def);
                if (err)
                        return err;
                sw_array_push(&b->defs, def);
                err = sw__build_solve(b, b->cancel, def, &ref);
        }
        if (err)
                return err;
        b->result.refs = sw_new(struct sw_export_ref);
        b->result.refs[0] = (struct sw_export_ref){ .platform = sw_strdup(""), .ref = ref };
        b->result.n_refs = 1;
        return SW_OK;
}

static sw_err *
run(struct sw_build *b)
{
        sw_err *err = check_request(b);

        if (!err)
                err = b->req.frontend ? sw__frontend_run(b) : run_definition(b);
        if (!err && b->req.n_outputs > 0 && b->result.n_refs > 0)
                err = sw__outputs_export(b);
        sw__frontend_drop_refs(b); /* what is collected next may be those */
        return err;
}

/* The root that the failed step left, if it was to be kept. */
static void
find_kept(struct sw_build *b)
{
        const char *vertex = b->err ? sw_err_vertex(b->err) : NULL;

        if (vertex && b->engine->env.debug_kept_for_s)
                (void) sw__kept_of_vertex(b->engine->root, vertex, b->kept);
}

static void *
thread_main(void *arg)
{
        struct sw_build *b = arg;

        pthread_setname_np(pthread_self(), "sw-build");
        b->err = run(b);
        sw__job_close(sw_steal(b->job));
        find_kept(b);
        sw__steplog_wait(b->steplog);
        sw__keeper_end(b->keeper, b);
        if (sw__steplog_ran(b->steplog))
                sw__engine_after_build(b->engine, b->cancel);
        return NULL;
}

/* ---- Start, wait, free ---- */

static void
copy_request(struct sw_build *b, const struct sw_build_request *req)
{
        b->req = (struct sw_build_request){
                .size = sizeof(b->req),
                .session = REQ(req, session),
                .allow = REQ(req, allow),
                .outputs = REQ(req, outputs),
                .n_outputs = REQ(req, n_outputs),
                .no_cache = REQ(req, no_cache),
                .has_epoch = REQ(req, has_epoch),
                .source_date_epoch = REQ(req, source_date_epoch),
                .frontend = REQ(req, frontend),
                .opts = REQ(req, opts),
                .n_opts = REQ(req, n_opts),
                .inputs = REQ(req, inputs),
                .n_inputs = REQ(req, n_inputs),
        };
        sw_buf_add(&b->definition, req->definition, req->definition_len);
}

/* A build that has everything but its thread. */
static sw_err *
make(sw_engine *e, const struct sw_build_request *req, struct sw_build **out)
{
        sw_autoptr(sw_build) b = sw_new(struct sw_build);
        struct sw_job_opts opts = { .id = b->id, .session = REQ(req, session) };
        sw_err *err;

        b->engine = e;
        b->joined = true; /* there is no thread to join yet */
        sw_buf_init(&b->definition);
        b->cancel = sw_cancel_new(REQ(req, cancel));
        if (req->id) {
                err = sw_id_check("build id", req->id);
                if (err)
                        return err;
                memcpy(b->id, req->id,
                       strlen(req->id) + 1); /* checked: at most 128 bytes */
        } else {
                (void) sw_id_new(b->id);
        }
        copy_request(b, req);
        opts.cancel = b->cancel;
        opts.client = &b->ops_job;
        err = sw__job_new(e->solver, &opts, &b->job);
        if (err)
                return err;
        b->story = sw__job_subscribe(b->job);
        b->keeper = REQ(req, internal) ? NULL : sw__keeper_new(b);
        b->steplog = sw__steplog_start(sw__job_subscribe_whole(b->job), e->logs, e->path,
                                       b->id, e->log, b->keeper);
        *out = sw_steal(b);
        return SW_OK;
}

sw_err *
sw_build_start(sw_engine *e, const struct sw_build_request *req, sw_build **out)
{
        sw_autoptr(sw_build) b = NULL;
        sw_err *err = make(e, req, &b);
        int rc;

        if (err)
                return err;
        rc = pthread_create(&b->thread, NULL, thread_main, b);
        if (rc != 0)
                return sw_err_sys(SW_E_IO, rc, "start a thread for the build");
        b->joined = false;
        *out = sw_steal(b);
        return SW_OK;
}

const char *
sw_build_id(const sw_build *b)
{
        return b->id;
}

sw_subscription *
sw_build_subscribe(sw_build *b)
{
        return sw_subscription_again(b->story);
}

void
sw_build_cancel(sw_build *b, const char *reason)
{
        sw_cancel_now(b->cancel, reason);
}

sw_err *
sw_build_wait(sw_build *b)
{
        if (!b->joined)
                (void) pthread_join(b->thread, NULL);
        b->joined = true;
        return sw_err_copy(b->err);
}

void
sw_build_free(sw_build *b)
{
        if (!b)
                return;
        if (!b->joined) {
                sw_build_cancel(b, "nobody waits for the build");
                sw_err_drop(sw_build_wait(b), "whoever frees it does not want to know");
        }
        sw__job_close(b->job);
        sw__steplog_free(b->steplog);
        sw__keeper_free(b->keeper);
        if (b->story)
                sw_subscription_free(b->story);
        sw__outputs_release(b);
        sw__frontend_release(b);
        for (size_t i = 0; i < b->defs.n; i++)
                sw_definition_free(b->defs.v[i]);
        sw_array_release(&b->defs);
        sw_buf_release(&b->definition);
        sw_strlist_release(&b->devices);
        sw_cancel_unref(b->cancel);
        sw_err_free(b->err);
        free(b);
}

/* ---- Afterwards ---- */

const sw_map *
sw_build_response(const sw_build *b, size_t i)
{
        return i < b->req.n_outputs && i < SW_BUILD_MAX_OUTPUTS ? b->outputs[i].response
                                                                : NULL;
}

const char *
sw_build_meta(const sw_build *b, const char *key)
{
        return sw_attr_get(b->result.meta, b->result.n_meta, key);
}

bool
sw_build_failed_step(const sw_build *b, struct sw_build_failure *out)
{
        const char *vertex = b->err ? sw_err_vertex(b->err) : NULL;
        size_t size = out->size < sizeof(struct sw_build_failure)
                              ? out->size
                              : sizeof(struct sw_build_failure);
        struct sw_build_failure f = { .size = (uint32_t) size, .vertex = vertex };
        const sw_llb_vertex *v = NULL;
        sw_digest digest;

        if (!vertex || sw_err_code(b->err) == SW_E_CANCELLED)
                return false;
        if (sw_digest_is(vertex, SIZE_MAX)) {
                sw_err_drop(sw_digest_parse(vertex, SIZE_MAX, &digest), "it is one");
                for (size_t i = 0; i < b->defs.n && !v; i++)
                        v = sw_definition_find(b->defs.v[i], &digest);
        }
        f.name = sw__steplog_name(b->steplog, vertex);
        if (v) {
                f.name = sw_llb_vertex_name(v);
                f.locations = sw_llb_vertex_locations(v, &f.n_locations);
        }
        if (!f.name)
                return false;
        f.log_file = sw__steplog_path(b->steplog, vertex);
        f.kept = *b->kept ? b->kept : NULL;
        memcpy(out, &f, size); /* as much as both know of */
        return true;
}
