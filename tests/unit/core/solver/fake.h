/*
 * tests/unit/core/solver/fake.h - ops, results and graphs for tests of the solver.
 *
 * A result is a string: "name(input,input)". Ops are described by struct fake, which
 * belongs to the test and outlives its solver; what they did is counted in it.
 */
#ifndef SLIPWAY_TESTS_SOLVER_FAKE_H
#define SLIPWAY_TESTS_SOLVER_FAKE_H

#include <pthread.h>
#include <stdatomic.h>

#include <slipway/buf.h>
#include <slipway/map.h>

#include "core/solver/solver.h"
#include "tests/unit/unit.h"

#define FAKE_IN 32

struct fake {
        const char *name;             /* of vertex and, unless map is set, its cache map */
        const char *map[3];           /* digests of the cache maps */
        const char *content[FAKE_IN]; /* content key of the input; "=": its value */
        const char *selector[FAKE_IN];
        uint32_t in[FAKE_IN];     /* vertices */
        uint32_t out_of[FAKE_IN]; /* outputs */
        uint32_t n_in, n_out;     /* n_out 0: 1 */
        bool ignore, fast;
        bool gated;        /* waits for gate, or for cancellation */
        bool gated_map;    /* the same for its cache map */
        bool waits;        /* SW_OP_WAITS_FOR_SOLVER */
        const char *error; /* fails with this */
        const char *log;   /* written while it runs */
        const char *paths; /* "a,b": what changed_paths says */
        sw_limit *limit;
        uint64_t units;
        sw_err *(*with)(void *arg, sw_ctx *ctx, const struct sw_op_job *job);
        void *arg; /* of with: called with a job, behind the gate */
        atomic_uint runs, stops, maps, contents;
        atomic_uint at;     /* the how-manieth run of the lab the latest was */
        atomic_uint map_at; /* the how-manieth cache map of the lab the first was, from 1 */
        atomic_int now;     /* running at this moment */
        atomic_uint twice;  /* begun while it was running already */
};

struct lab {
        sw_keystore *keys, *far_keys; /* far: imported */
        sw_cacheset *set, *far_set;
        struct sw_result_loader loader, far_loader;
        sw_solver *solver;
        pthread_mutex_t lock;
        pthread_cond_t change;
        bool open;      /* the gate */
        sw_map *values; /* result id -> value */
        unsigned n_values;
        atomic_uint loads;
        atomic_long results, ops; /* alive */
        atomic_int running, peak;
        atomic_uint order, map_order;
};

struct fake_op {
        struct lab *lab;
        struct fake *f;
};

/* ---- results ---- */

struct fake_result {
        struct lab *lab;
        char value[];
};

static inline void
fake_result_release(void *data)
{
        struct fake_result *r = data;

        atomic_fetch_sub(&r->lab->results, 1);
        free(r);
}

static inline sw_result *
fake_result_new(struct lab *lab, const char *id, const char *value)
{
        static const struct sw_result_ops ops = { sizeof(ops), fake_result_release };
        struct fake_result *r = sw_alloc(sizeof(*r) + strlen(value) + 1);

        r->lab = lab;
        strcpy(r->value, value);
        atomic_fetch_add(&lab->results, 1);
        return sw__result_new(id, &ops, r);
}

static inline const char *
fake_value(const sw_result *r)
{
        return r ? ((struct fake_result *) sw__result_data(r))->value : "(none)";
}

static inline sw_result *
fake_store(struct lab *lab, const char *worker, const char *value)
{
        char id[64];

        pthread_mutex_lock(&lab->lock);
        snprintf(id, sizeof(id), "%s::%u", worker, ++lab->n_values);
        sw_map_set(lab->values, id, sw_strdup(value));
        pthread_mutex_unlock(&lab->lock);
        return fake_result_new(lab, id, value);
}

static inline sw_err *
fake_find(struct lab *lab, const char *id, sw_str *value)
{
        pthread_mutex_lock(&lab->lock);
        *value = sw_strdup(sw_map_get(lab->values, id));
        pthread_mutex_unlock(&lab->lock);
        atomic_fetch_add(&lab->loads, 1);
        return *value ? SW_OK : sw_err_new(SW_E_NOT_FOUND, "result %s is gone", id);
}

static inline sw_err *
fake_load(void *self, sw_ctx *ctx, const char *id, sw_result **out)
{
        sw_auto(sw_str) value = NULL;
        sw_err *err = fake_find(self, id, &value);

        (void) ctx;
        if (!err)
                *out = fake_result_new(self, id, value);
        return err;
}

static inline sw_err *
fake_load_far(void *self, sw_ctx *ctx, const char *id, sw_result **out)
{
        sw_auto(sw_str) value = NULL;
        sw_err *err = fake_find(self, id, &value);

        (void) ctx;
        if (!err)
                *out = fake_store(self, "here", value);
        return err;
}

/* Results are gone, records stay. */
static inline void
fake_lose_all(struct lab *lab)
{
        pthread_mutex_lock(&lab->lock);
        sw_map_free(lab->values);
        lab->values = sw_map_new(free);
        pthread_mutex_unlock(&lab->lock);
}

/* ---- ops ---- */

static inline void
fake_free(void *p)
{
        struct fake_op *op = p;

        atomic_fetch_sub(&op->lab->ops, 1);
        free(op);
}

static inline sw_err *
fake_wait(struct lab *lab, sw_ctx *ctx, struct fake *f)
{
        sw_err *err = SW_OK;

        pthread_mutex_lock(&lab->lock);
        while (!lab->open && !err) {
                pthread_mutex_unlock(&lab->lock);
                /* Cancellation wakes at once, the gate within a millisecond. */
                (void) sw_cancel_wait(sw_ctx_cancel(ctx), 1000000);
                err = sw_ctx_check(ctx);
                pthread_mutex_lock(&lab->lock);
        }
        pthread_mutex_unlock(&lab->lock);
        if (err)
                atomic_fetch_add(&f->stops, 1);
        return err;
}

static inline sw_err *
fake_cache_map(void *p, sw_op_call *call, sw_ctx *ctx, unsigned index,
               struct sw_cache_map *out)
{
        struct lab *lab = ((struct fake_op *) p)->lab;
        struct fake *f = ((struct fake_op *) p)->f;
        const char *digest = f->map[0] ? f->map[index] : f->name;

        (void) call;
        if (atomic_fetch_add(&f->maps, 1) == 0)
                atomic_store(&f->map_at, atomic_fetch_add(&lab->map_order, 1) + 1);
        if (f->gated_map) {
                sw_err *err = fake_wait(lab, ctx, f);
                if (err)
                        return err;
        }
        snprintf(out->digest, sizeof(out->digest), "%s", digest);
        out->more = index < 2 && f->map[index + 1];
        for (uint32_t i = 0; index == 0 && i < f->n_in; i++) {
                out->deps[i].content = f->content[i] != NULL;
                out->deps[i].selector = sw_strdup(f->selector[i]);
        }
        return SW_OK;
}

static inline sw_err *
fake_content_key(void *p, sw_op_call *call, sw_ctx *ctx, unsigned input, sw_result *in,
                 char out[SW_KEY_TEXT_SIZE])
{
        struct fake *f = ((struct fake_op *) p)->f;
        const char *c = f->content[input];

        (void) call, (void) ctx;
        atomic_fetch_add(&f->contents, 1);
        snprintf(out, SW_KEY_TEXT_SIZE, "%s%s",
                 strncmp(c, "random:", 7) == 0 ? "" : "content:",
                 strcmp(c, "=") == 0 ? fake_value(in) : c);
        return SW_OK;
}

static inline void
fake_count(struct lab *lab, int by)
{
        int n = atomic_fetch_add(&lab->running, by) + by, peak = atomic_load(&lab->peak);

        while (n > peak && !atomic_compare_exchange_weak(&lab->peak, &peak, n))
                ;
}

static inline sw_err *
fake_execute(void *p, sw_op_call *call, sw_ctx *ctx, sw_result *const *in, size_t n_in,
             sw_result **out, size_t n_out)
{
        struct lab *lab = ((struct fake_op *) p)->lab;
        struct fake *f = ((struct fake_op *) p)->f;
        sw_err *err = SW_OK;

        fake_count(lab, 1);
        if (atomic_fetch_add(&f->now, 1) > 0)
                atomic_fetch_add(&f->twice, 1);
        if (f->log)
                sw_progress_output(ctx, 1, f->log, strlen(f->log));
        if (f->gated)
                err = fake_wait(lab, ctx, f);
        if (!err && f->with)
                err = sw__op_with_job(call, f->with, f->arg);
        if (!err && f->error)
                err = sw_err_new(SW_E_STEP, "%s", f->error);
        for (size_t o = 0; !err && o < n_out; o++) {
                sw_auto(sw_buf) b = SW_BUF_INIT;

                sw_buf_addf(&b, "%s", f->name);
                if (o)
                        sw_buf_addf(&b, "#%zu", o);
                for (size_t i = 0; i < n_in; i++)
                        sw_buf_addf(&b, "%c%s", i ? ',' : '(', fake_value(in[i]));
                sw_buf_adds(&b, n_in ? ")" : "");
                out[o] = fake_store(lab, "here", b.data);
        }
        if (!err) {
                atomic_store(&f->at, atomic_fetch_add(&lab->order, 1) + 1);
                atomic_fetch_add(&f->runs, 1);
        }
        atomic_fetch_sub(&f->now, 1);
        fake_count(lab, -1);
        return err;
}

static inline sw_err *
fake_changed_paths(void *p, sw_op_call *call, sw_ctx *ctx, unsigned input, sw_result *in,
                   const char *before, const char *now, sw_strlist *paths)
{
        struct fake *f = ((struct fake_op *) p)->f;

        (void) call, (void) ctx, (void) input, (void) in, (void) before, (void) now;
        if (!f->paths)
                return sw_err_new(SW_E_UNSUPPORTED, "no paths");
        sw_strlist_split(paths, f->paths, ',');
        return SW_OK;
}

#define FAKE_OPS(fl)                                                                       \
        {                                                                                  \
                .size = sizeof(struct sw_op_ops), .flags = (fl),                           \
                .cache_map = fake_cache_map, .content_key = fake_content_key,              \
                .execute = fake_execute, .changed_paths = fake_changed_paths,              \
                .free = fake_free                                                          \
        }

static inline const struct sw_op_ops *
fake_ops(const struct fake *f)
{
        static const struct sw_op_ops plain = FAKE_OPS(0),
                                      fast = FAKE_OPS(SW_OP_FAST_CACHE_MAP |
                                                      SW_OP_FAST_CONTENT_KEY),
                                      waits = FAKE_OPS(SW_OP_WAITS_FOR_SOLVER);

        return f->waits ? &waits : f->fast ? &fast : &plain;
}

/* ---- lab ---- */

static inline void
lab_open(struct lab *lab, unsigned running, unsigned per_job)
{
        memset(lab, 0, sizeof(*lab));
        pthread_mutex_init(&lab->lock, NULL);
        lab->keys = sw__keystore_mem_new();
        lab->far_keys = sw__keystore_mem_new();
        lab->values = sw_map_new(free);
        lab->loader =
                (struct sw_result_loader){ sizeof(lab->loader), false, lab, fake_load };
        lab->far_loader =
                (struct sw_result_loader){ sizeof(lab->loader), false, lab, fake_load_far };
        struct sw_cache_place places[] = { { lab->keys, &lab->loader },
                                           { lab->far_keys, &lab->far_loader } };
        lab->set = sw__cacheset_new(places, 1);
        lab->far_set = sw__cacheset_new(places, 2);
        struct sw_solver_opts opts = { .cache = lab->set,
                                       .max_running = running,
                                       .max_running_per_job = per_job,
                                       .spool_dirfd = -1 };
        ok(sw__solver_new(&opts, &lab->solver));
}

/* Catches, in every test, a result or an op that is never let go of. */
static inline void
lab_close(struct lab *lab)
{
        sw__solver_free(lab->solver);
        ck_assert_int_eq(atomic_load(&lab->results), 0);
        ck_assert_int_eq(atomic_load(&lab->ops), 0);
        sw__cacheset_unref(lab->set);
        sw__cacheset_unref(lab->far_set);
        sw__keystore_free(lab->keys);
        sw__keystore_free(lab->far_keys);
        sw_map_free(lab->values);
        pthread_mutex_destroy(&lab->lock);
}

static inline void
lab_gate(struct lab *lab, bool open)
{
        pthread_mutex_lock(&lab->lock);
        lab->open = open;
        pthread_mutex_unlock(&lab->lock);
}

static inline sw_job *
lab_job_of(struct lab *lab, sw_cacheset *set, sw_cancel *cancel, sw_session *session,
           void *client)
{
        struct sw_job_opts opts = { .id = "test",
                                    .cache = set,
                                    .cancel = cancel,
                                    .session = session,
                                    .client = client };
        sw_job *job;

        ok(sw__job_new(lab->solver, &opts, &job));
        return job;
}

static inline sw_job *
lab_job(struct lab *lab, sw_cacheset *set, sw_cancel *cancel)
{
        return lab_job_of(lab, set, cancel, NULL, NULL);
}

static inline sw_digest
fake_digest(const struct fake *f)
{
        return sw_digest_of(f->name, strlen(f->name));
}

/* The root is output 0 of the last one. */
static inline sw_solve *
lab_start(struct lab *lab, sw_job *job, struct fake *f, uint32_t n)
{
        struct sw_vertex *v = sw_alloc_array(n, sizeof(*v));
        struct sw_vertex_input(*in)[FAKE_IN] = sw_alloc_array(n, sizeof(*in));
        struct sw_vertex_input root = { n - 1, 0 };
        struct sw_graph g = {
                .vertices = v, .n_vertices = n, .roots = &root, .n_roots = 1
        };
        sw_solve *solve;

        for (uint32_t i = 0; i < n; i++) {
                struct fake_op *op = sw_new(struct fake_op);

                *op = (struct fake_op){ lab, &f[i] };
                atomic_fetch_add(&lab->ops, 1);
                for (uint32_t k = 0; k < f[i].n_in; k++)
                        in[i][k] = (struct sw_vertex_input){ f[i].in[k], f[i].out_of[k] };
                v[i] = (struct sw_vertex){ .digest = fake_digest(&f[i]),
                                           .ops = fake_ops(&f[i]),
                                           .op = op,
                                           .inputs = in[i],
                                           .n_inputs = f[i].n_in,
                                           .n_outputs = f[i].n_out ? f[i].n_out : 1,
                                           .ignore_cache = f[i].ignore,
                                           .name = f[i].name,
                                           .limit = f[i].limit,
                                           .units = f[i].units };
        }
        ok(sw__solve_start(job, &g, &solve));
        free(v);
        free(in);
        return solve;
}

/* Solve in a job of its own; the value of the root, or the error's message; from malloc. */
static inline char *
lab_build(struct lab *lab, sw_cacheset *set, struct fake *f, uint32_t n)
{
        sw_job *job = lab_job(lab, set, NULL);
        sw_solve *solve = lab_start(lab, job, f, n);
        sw_err *err = sw__solve_wait(solve);
        char *text = sw_strdup(err ? sw_err_message(err)
                                   : fake_value(sw__solve_result(solve, 0)));

        sw_err_free(err);
        sw__solve_free(solve);
        sw__job_close(job);
        return text;
}

#define builds_to(lab, f, n, value)                                                        \
        do {                                                                               \
                sw_auto(sw_str) got_ = lab_build((lab), NULL, (f), (n));                   \
                ck_assert_str_eq(got_, (value));                                           \
        } while (0)

/* Wait until a counter has a value; a minute is for ever. */
static inline void
until(atomic_uint *counter, unsigned value)
{
        for (int i = 0; i < 60000 && atomic_load(counter) != value; i++)
                usleep(1000);
        ck_assert_uint_eq(atomic_load(counter), value);
}

static inline void
until_now(struct fake *f, int value)
{
        for (int i = 0; i < 60000 && atomic_load(&f->now) != value; i++)
                usleep(1000);
        ck_assert_int_eq(atomic_load(&f->now), value);
}

#endif
