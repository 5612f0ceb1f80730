/*
 * core/contenthash/many.c - digests of many entries at once, and of directories with
 * everything in them.
 *
 * What has to be read is collected first, in order of path, so that threads that take a few
 * entries at a time stay in one directory each.
 * Thread: the caller's, and those of a pool that ends with the call.
 */
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include <slipway/pool.h>

#include "core/contenthash/tree.h"

#define AT_ONCE     8 /* entries a thread takes */
#define MAX_THREADS 8
#define AS_ENTRY    16384 /* bytes that take as long as an entry does */

struct job {
        struct sw__hview *view;
        const sw__hnodes *nodes;
        atomic_size_t next;
        atomic_int_least64_t bytes;
        pthread_mutex_t lock;
        sw_err *err; /* the first one */
};

static void
fail(struct job *j, sw_err *err)
{
        (void) pthread_mutex_lock(&j->lock);
        if (!j->err)
                j->err = sw_steal(err);
        (void) pthread_mutex_unlock(&j->lock);
        sw_err_drop(err, "another thread failed before");
        atomic_store(&j->next, j->nodes->n); /* nobody goes on */
}

static sw_err *
work_on(struct job *j, struct sw__hworker *w)
{
        sw_err *err = SW_OK;

        while (!err) {
                size_t i = atomic_fetch_add(&j->next, AT_ONCE);
                size_t end = i + AT_ONCE < j->nodes->n ? i + AT_ONCE : j->nodes->n;

                if (i >= j->nodes->n)
                        return SW_OK;
                err = sw_ctx_check(j->view->ctx);
                for (; i < end && !err; i++)
                        err = sw__hworker_hash(w, j->nodes->v[i]);
        }
        return err;
}

static void
work(void *arg)
{
        struct job *j = arg;
        struct sw__hworker w;

        sw__hworker_init(&w, j->view);
        sw_err *err = work_on(j, &w);
        if (err)
                fail(j, err);
        (void) atomic_fetch_add(&j->bytes, w.bytes);
        sw__hworker_release(&w);
}

/* How many threads @n entries are worth. */
static unsigned
threads_for(size_t n)
{
        long cpus = sysconf(_SC_NPROCESSORS_ONLN);
        size_t t = cpus < 1 ? 1 : (size_t) cpus;

        if (t > MAX_THREADS)
                t = MAX_THREADS;
        return (unsigned) (n < 2 * AT_ONCE ? 1 : n / AT_ONCE < t ? n / AT_ONCE : t);
}

static sw_err *
run(struct job *j)
{
        unsigned threads = threads_for(j->nodes->n);
        sw_autoptr(sw_pool) pool = NULL;
        int fd;
        sw_err *err = sw__hview_fd(j->view, &fd); /* before there are threads */

        if (!err && threads > 1)
                err = sw_pool_new("hash", threads - 1, &pool);
        for (unsigned i = 1; i < threads && !err; i++)
                err = sw_pool_submit(pool, work, j);
        if (!err)
                work(j);
        if (pool)
                sw_pool_drain(pool);
        if (j->err) {
                sw_err_drop(err, "the first one counts");
                return sw_steal(j->err);
        }
        return err;
}

/* What is remembered from other builds. */
static void
recall(struct sw__htree *t, sw__hnodes *nodes)
{
        const struct sw_listing *l = t->listing;
        size_t kept = 0;

        for (size_t i = 0; i < nodes->n; i++) {
                struct sw__hnode *n = nodes->v[i];

                if (!n->hashed && l && n->listed != SW__H_UNLISTED)
                        n->hashed = l->known(l->self, n->listed, &n->own);
                if (!n->hashed)
                        nodes->v[kept++] = n;
                else
                        t->n_hashed++;
        }
        nodes->n = kept;
}

sw_err *
sw__hash_many(struct sw__hview *v, sw__hnodes *nodes)
{
        recall(v->tree, nodes);
        if (nodes->n == 0)
                return SW_OK;
        struct job j = { .view = v, .nodes = nodes };
        (void) pthread_mutex_init(&j.lock, NULL);
        sw_err *err = run(&j);
        (void) pthread_mutex_destroy(&j.lock);
        v->tree->n_hashed += nodes->n;
        v->tree->fresh += nodes->n + (size_t) (atomic_load(&j.bytes) / AS_ENTRY);
        if (!err && v->tree->listing && v->tree->listing->settle)
                v->tree->listing->settle(v->tree->listing->self, v->ctx);
        return err;
}

/* Everything below @n that the digest of @n needs. */
static sw_err *
collect(struct sw__hview *v, struct sw__hnode *n, sw__hnodes *out)
{
        if (!n->hashed)
                sw_array_push(out, n);
        if (n->type != SW__H_DIR || n->summed)
                return SW_OK;
        sw_err *err = sw__hscan(v, n);
        for (uint32_t i = 0; i < n->n_kids && !err; i++)
                err = collect(v, n->kids[i], out);
        return err;
}

/* Every entry is hashed: put directories together. */
static const sw_digest *
sum(struct sw__hnode *n, sw_buf *scratch)
{
        char text[SW_DIGEST_STR_SIZE];

        if (n->type != SW__H_DIR)
                return &n->own;
        if (n->summed)
                return &n->all;
        for (uint32_t i = 0; i < n->n_kids; i++)
                (void) sum(n->kids[i], scratch);
        sw_buf_clear(scratch);
        sw_buf_addc(scratch, '\0'); /* the header stands under an empty name */
        sw_buf_add(scratch, sw_digest_str(&n->own, text), SW_DIGEST_STR_LEN);
        for (uint32_t i = 0; i < n->n_kids; i++) {
                const struct sw__hnode *k = n->kids[i];

                sw_buf_addc(scratch, '\0');
                sw_buf_adds(scratch, k->name);
                sw_buf_add(scratch,
                           sw_digest_str(k->type == SW__H_DIR ? &k->all : &k->own, text),
                           SW_DIGEST_STR_LEN);
        }
        n->all = sw_digest_of(scratch->data, scratch->len);
        n->summed = true;
        return &n->all;
}

sw_err *
sw__hash_all(struct sw__hview *v, struct sw__hnode *n, sw_digest *out)
{
        sw_auto(sw_buf) scratch = SW_BUF_INIT;
        sw__hnodes nodes = { 0 };
        sw_err *err = collect(v, n, &nodes);

        if (!err)
                err = sw__hash_many(v, &nodes);
        sw_array_release(&nodes);
        if (err)
                return err;
        *out = *sum(n, &scratch);
        return SW_OK;
}
