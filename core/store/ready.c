/*
 * core/store/ready.c - all lazy layers of a stack, side by side.
 *
 * The layers are listed so that what one was made on comes before it, those of its own
 * ancestry included that are not in the stack. Each is a job; at most four run at a time in
 * this process, taken in their order. A job waits for those it was made on, in this list,
 * and for locks whose holders do the same: layers below come first for everybody, so that
 * somebody always can go on.
 *
 * The first failure cancels the rest; what was unpacked by then stays.
 *
 * Thread: any. A call waits for its jobs, which borrow from it.
 */
#include <string.h>

#include <slipway/pool.h>
#include <slipway/time.h>

#include "core/base/ctxpriv.h"
#include "core/store/chainid.h"
#include "core/store/recblob.h"
#include "core/store/unpack.h"

enum { THREADS_MAX = 4 };

struct call;

struct job {
        struct call *call;
        char *id;
        char *parent; /* NULL: none */
        enum { PENDING, DONE, FAILED } state;
};

struct call {
        sw_worker *w;
        sw_ctx *ctx; /* cancelled with the first failure */
        sw_cancel *token;
        SW_ARRAY(struct job *) jobs;
        SW_ARRAY(sw_digest) here; /* blobs of layers that were ready before */
        sw_map *by_id; /* of layers that were looked at: their jobs, or the call */
        pthread_mutex_t lock;
        pthread_cond_t change;
        size_t left;
        sw_err *err;
};

/* ---- which ---- */

/* A layer yet to be looked at, or (@job) listed once what it was made on is. */
struct todo {
        char *id;
        struct job *job;
};
typedef SW_ARRAY(struct todo) todos;

static void
push_stack(todos *t, struct sw_stack stack)
{
        for (size_t i = stack.n; i-- > 0;) {
                struct todo next = { sw_strdup(stack.keys[i]), NULL };

                sw_array_push(t, next);
        }
}

static sw_err *
look_at(struct call *c, sw__tx *tx, todos *t, const char *id)
{
        sw_autoptr(sw__rec) rec = NULL;
        sw_autoptr(sw__stack) own = NULL;
        sw_err *err = sw__rec_get(tx, id, &rec);

        if (!err && !rec)
                err = sw_err_new(SW_E_CORRUPT, "the record of layer %s is gone", id);
        if (err)
                return err;
        (void) sw_map_set(c->by_id, id, c);
        if (rec->state != SW__REC_LAZY) {
                sw_digest d;

                if (rec->n_blobs && sw__digest_of_bytes(rec->blobs[0]->digest, &d))
                        sw_array_push(&c->here, d);
                return SW_OK;
        }
        struct job *j = sw_new(struct job);
        struct todo listed = { NULL, j };
        j->call = c;
        j->id = sw_strdup(id);
        j->parent = rec->n_parents ? sw_strdup(rec->parents[0]) : NULL;
        sw_array_push(t, listed);
        /* what a parent was made on was listed with it */
        if (j->parent && !sw_map_has(c->by_id, j->parent))
                err = sw__stack_read(tx, j->parent, &own);
        push_stack(t, sw__stack_of(own));
        return err;
}

static void
list_job(struct call *c, struct job *j)
{
        (void) sw_map_set(c->by_id, j->id, j);
        sw_array_push(&c->jobs, j);
}

static sw_err *
collect(struct call *c, const sw__stack *stack)
{
        sw_auto(sw__tx) tx = { 0 };
        todos t = { 0 };
        sw_err *err = sw__tx_begin(c->w->meta, false, &tx);

        push_stack(&t, sw__stack_of(stack));
        while (t.n) {
                struct todo next = t.v[--t.n];

                if (next.job)
                        list_job(c, next.job);
                else if (!err && !sw_map_has(c->by_id, next.id))
                        err = look_at(c, &tx, &t, next.id);
                free(next.id);
        }
        sw_array_release(&t);
        return err;
}

/* Who waits for some layers is told of the others. */
static void
tell_what_is_here(const struct call *c)
{
        const int64_t now = sw_time_now();

        for (size_t i = 0; i < c->here.n; i++) {
                char digest[SW_DIGEST_STR_SIZE];
                sw_auto(sw_str) id =
                        sw_asprintf("%s: exists", sw_digest_str(&c->here.v[i], digest));
                const struct sw_progress p = { .id = id, .started = now, .completed = now };

                sw_progress_status(c->ctx, &p);
        }
}

/* ---- doing it ---- */

static sw_err *
wait_for(struct call *c, const char *id)
{
        struct job *j = sw_map_get(c->by_id, id);
        sw_err *err = SW_OK;

        if (!j || (void *) j == (void *) c)
                return SW_OK; /* it was ready before */
        pthread_mutex_lock(&c->lock);
        while (j->state == PENDING)
                pthread_cond_wait(&c->change, &c->lock);
        if (j->state == FAILED)
                err = sw_err_new(SW_E_CANCELLED, "a layer below failed");
        pthread_mutex_unlock(&c->lock);
        return err;
}

/* What a job's layer was made on, ready. */
static sw_err *
get_below(void *arg, sw_ctx *ctx, sw__stack **out)
{
        const struct job *j = arg;
        sw_autoptr(sw__stack) stack = NULL;
        sw_auto(sw__tx) tx = { 0 };
        sw_err *err = sw__tx_begin(j->call->w->meta, false, &tx);

        (void) ctx; /* the jobs that are waited for have it */
        if (!err)
                err = sw__stack_read(&tx, j->parent, &stack);
        sw__tx_abort(&tx);
        const struct sw_stack s = sw__stack_of(stack);
        for (size_t i = 0; i < s.n && !err; i++)
                err = wait_for(j->call, s.keys[i]);
        if (!err)
                *out = sw_steal(stack);
        return err;
}

static void
run(void *arg)
{
        struct job *j = arg;
        struct call *c = j->call;
        const struct sw__below below = { get_below, j };
        sw_err *err = sw__unpack_one(c->w, c->ctx, j->id, &below);

        const bool failed = err != NULL;

        pthread_mutex_lock(&c->lock);
        const bool first = failed && !c->err;
        if (first)
                c->err = err;
        else
                sw_err_drop(err, "the first one is told");
        pthread_mutex_unlock(&c->lock);
        if (first)
                sw_cancel_now(c->token, "another layer failed");
        pthread_mutex_lock(&c->lock);
        j->state = failed ? FAILED : DONE;
        c->left--;
        pthread_cond_broadcast(&c->change);
        pthread_mutex_unlock(&c->lock);
}

static sw_err *
get_pool(sw_worker *w, sw_pool **out)
{
        sw_err *err = SW_OK;

        pthread_mutex_lock(&w->lock);
        if (!w->unpackers)
                err = sw_pool_new("unpack", THREADS_MAX, &w->unpackers);
        *out = w->unpackers;
        pthread_mutex_unlock(&w->lock);
        return err;
}

static void
submit(sw_pool *pool, struct job *j)
{
        sw_err *err = pool ? sw_pool_submit(pool, run, j) : SW_OK;

        if (!err && pool)
                return;
        sw_err_drop(err, "no thread can be made: done by this one");
        run(j);
}

static sw_err *
run_all(struct call *c)
{
        sw_pool *pool = NULL;
        sw_err *err = c->jobs.n > 1 ? get_pool(c->w, &pool) : SW_OK;

        if (err)
                return err;
        c->left = c->jobs.n;
        for (size_t i = 0; i < c->jobs.n; i++)
                submit(pool, c->jobs.v[i]);
        pthread_mutex_lock(&c->lock);
        while (c->left)
                pthread_cond_wait(&c->change, &c->lock);
        pthread_mutex_unlock(&c->lock);
        return sw_steal(c->err);
}

/* Their diff ids are known to be right from now on. */
static sw_err *
name_layers(sw_worker *w, const sw__stack *stack)
{
        sw_auto(sw__tx) tx = { 0 };
        sw_err *err = sw__tx_begin(w->meta, true, &tx);

        if (!err)
                err = sw__chain_name_all(&tx, NULL, sw__stack_of(stack));
        return err ? err : sw__tx_commit(&tx, false);
}

static void
call_release(struct call *c)
{
        for (size_t i = 0; i < c->jobs.n; i++) {
                free(c->jobs.v[i]->id);
                free(c->jobs.v[i]->parent);
                free(c->jobs.v[i]);
        }
        sw_array_release(&c->jobs);
        sw_array_release(&c->here);
        sw_map_free(c->by_id);
        pthread_cond_destroy(&c->change);
        pthread_mutex_destroy(&c->lock);
        sw_ctx_free(c->ctx);
        sw_cancel_unref(c->token);
}

sw_err *
sw__stack_ready(sw_worker *w, sw_ctx *ctx, sw__stack *s)
{
        struct call c = { .w = w };

        if (!sw__stack_lazy(s))
                return SW_OK;
        sw_err *err = sw_ctx_check(ctx);
        if (!err)
                err = sw__snapshots_ready(w->snaps, ctx);
        if (err)
                return err;
        c.token = sw_cancel_new(sw_ctx_cancel(ctx));
        c.ctx = sw__ctx_with_cancel(ctx, c.token);
        c.by_id = sw_map_new(NULL);
        pthread_mutex_init(&c.lock, NULL);
        pthread_cond_init(&c.change, NULL);
        err = collect(&c, s);
        if (!err && c.jobs.n) {
                sw__make_room(w, ctx);
                tell_what_is_here(&c);
                err = run_all(&c);
        }
        if (!err && c.jobs.n)
                err = name_layers(w, s);
        if (!err)
                sw__stack_set_lazy(s, false);
        call_release(&c);
        return err;
}

sw_err *
sw_ref_ready(sw_worker *w, sw_ctx *ctx, sw_ref *r)
{
        const struct sw__held *h = sw__held_of(w, r);

        return h ? sw_err_wrap(sw__stack_ready(w, ctx, h->stack), "ref %s", h->id) : SW_OK;
}
