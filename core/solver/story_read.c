/*
 * core/solver/story_read.c - subscriptions: handing out what is new.
 *
 * A batch is put together under the lock and is of bounded size; a vertex with more log
 * than fits is handed out in parts. Text in the spool is read after the lock is released:
 * the batch holds its vertices, and so their segments.
 *
 * Thread: a subscription belongs to one thread at a time.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <slipway/time.h>

#include "core/solver/story_impl.h"

#define BATCH_ITEMS 1024
#define BATCH_TEXT  (256 * 1024)

/* What a batch borrows from or owns. */
struct arena {
        struct sw__story_job *job;
        SW_ARRAY(struct sw__story_vertex *) held;
        SW_ARRAY(void *) blocks;
        SW_ARRAY(struct sw_progress_vertex) vertices;
        SW_ARRAY(struct sw_progress_status) statuses;
        SW_ARRAY(struct sw_progress_log) logs;
        SW_ARRAY(struct sw_progress_warning) warnings;
        SW_ARRAY(uint64_t) spool; /* per log: 1 + offset in the spool, or 0 */
        size_t text;
};

static char *
keep_text(struct arena *a, const char *s)
{
        char *copy = sw_strdup(s);

        if (copy)
                sw_array_push(&a->blocks, copy);
        return copy;
}

static bool
full(const struct arena *a)
{
        return a->vertices.n + a->statuses.n + a->logs.n + a->warnings.n >= BATCH_ITEMS ||
               a->text >= BATCH_TEXT;
}

/* ---- filling ---- */

static void
add_vertex_locked(struct arena *a, const struct entry *e)
{
        const struct sw__story_vertex *v = e->v;
        struct sw_progress_vertex p = {
                .digest = v->digest,
                .inputs = v->inputs,
                .n_inputs = v->n_inputs,
                .name = e->name,
                .group_id = e->group_id,
                .group_name = e->group_name,
                .group_weak = e->group_weak,
                .cached = v->cached,
                .started = v->started,
                .completed = v->completed,
                .error = keep_text(a, v->error),
                .why = v->why,
                .why_input = v->why_input,
        };

        if (v->paths.n) {
                const char **paths = sw_alloc_array(v->paths.n, sizeof(*paths));

                sw_array_push(&a->blocks, (void *) paths);
                for (size_t i = 0; i < v->paths.n; i++)
                        paths[i] = keep_text(a, v->paths.v[i]);
                p.why_paths = paths;
                p.n_why_paths = v->paths.n;
        }
        sw_array_push(&a->vertices, p);
}

static void
add_statuses_locked(struct arena *a, const struct sw__story_vertex *v, uint64_t from)
{
        for (size_t i = 0; i < v->statuses.n; i++) {
                const struct status *s = &v->statuses.v[i];
                struct sw_progress_status p = {
                        .vertex = v->digest,
                        .current = s->current,
                        .total = s->total,
                        .timestamp = s->timestamp,
                        .started = s->started,
                        .completed = s->completed,
                };

                if (s->seq <= from)
                        continue;
                p.id = keep_text(a, s->id);
                sw_array_push(&a->statuses, p);
        }
}

static void
add_warnings_locked(struct arena *a, const struct sw__story_vertex *v, uint64_t from)
{
        for (size_t i = 0; i < v->warnings.n; i++) {
                const struct warning *w = v->warnings.v[i];

                if (w->seq > from)
                        sw_array_push(&a->warnings, w->told);
        }
}

static void
add_log_locked(struct arena *a, const struct sw__story_vertex *v, const struct chunk *c)
{
        char *text = sw_alloc(c->len + 1u);

        sw_array_push(&a->blocks, text);
        if (!c->spooled)
                memcpy(text, v->text.data + c->off, c->len);
        sw_array_push(&a->spool, c->spooled ? c->off + 1 : 0);
        sw_array_push(&a->logs, (struct sw_progress_log){ .vertex = v->digest,
                                                          .stream = c->stream,
                                                          .timestamp = c->timestamp,
                                                          .data = text,
                                                          .len = c->len });
        a->text += c->len;
}

/* The first chunk newer than @from; chunks are in the order of seq. */
static size_t
first_log(const struct sw__story_vertex *v, uint64_t from)
{
        size_t lo = 0, hi = v->chunks.n;

        while (lo < hi) {
                size_t mid = lo + (hi - lo) / 2;

                if (v->chunks.v[mid].seq <= from)
                        lo = mid + 1;
                else
                        hi = mid;
        }
        return lo;
}

/* Go on with the log of the current entry; false when the batch is full before its end. */
static bool
add_logs_locked(sw_subscription *sub, struct arena *a)
{
        const struct sw__story_vertex *v = sub->current->v;

        /* What was written after the entry was begun comes next time. */
        while (sub->next_log < v->chunks.n &&
               v->chunks.v[sub->next_log].seq <= sub->current_seq) {
                const struct chunk *c = &v->chunks.v[sub->next_log];

                if (full(a))
                        return false;
                sub->next_log++;
                if (c->audience != (sub->whole ? FOR_LIVE : FOR_WHOLE))
                        add_log_locked(a, v, c);
        }
        sub->seen = sub->current_seq;
        sub->handed.v[sub->current->index] = sub->current_seq;
        sub->current = NULL;
        return true;
}

static bool
add_entry_locked(sw_subscription *sub, struct arena *a, struct entry *e)
{
        uint64_t from;

        while (sub->handed.n <= e->index)
                sw_array_push(&sub->handed, 0);
        from = sub->handed.v[e->index];
        sw_array_push(&a->held, sw__story_vertex_ref(e->v));
        if (!e->v->silent && (e->v->seq > from || from == 0))
                add_vertex_locked(a, e);
        add_statuses_locked(a, e->v, from);
        add_warnings_locked(a, e->v, from);
        sub->current = e;
        sub->current_seq = e->seq;
        sub->next_log = first_log(e->v, from);
        return add_logs_locked(sub, a);
}

static struct entry *
first_news_locked(const sw_subscription *sub)
{
        struct entry *e = sub->job->tail, *first = NULL;

        for (; e && e->seq > sub->seen; e = e->prev)
                first = e;
        return first;
}

static void
fill_locked(sw_subscription *sub, struct arena *a)
{
        struct entry *e;

        if (sub->current) {
                sw_array_push(&a->held, sw__story_vertex_ref(sub->current->v));
                if (!add_logs_locked(sub, a))
                        return;
        }
        for (e = first_news_locked(sub); e && !full(a); e = e->next)
                if (!add_entry_locked(sub, a, e))
                        break;
}

static bool
has_news_locked(const sw_subscription *sub)
{
        return sub->current || (sub->job->tail && sub->job->tail->seq > sub->seen);
}

/* ---- text from the spool ---- */

static void
read_spool(int fd, char *p, size_t n, uint64_t off)
{
        while (n) {
                ssize_t r = pread(fd, p, n, (off_t) off);

                if (r < 0 && errno == EINTR)
                        continue;
                if (r <= 0) {
                        memset(p, '?', n); /* the disk has lost it */
                        return;
                }
                p += r;
                n -= (size_t) r;
                off += (uint64_t) r;
        }
}

static void
complete(struct arena *a)
{
        for (size_t i = 0; i < a->logs.n; i++)
                if (a->spool.v[i])
                        read_spool(a->job->story->spool, (char *) a->logs.v[i].data,
                                   a->logs.v[i].len, a->spool.v[i] - 1);
}

/* ---- waiting ---- */

static void
wait_locked(sw_subscription *sub, int64_t timeout_ns)
{
        struct sw__story_job *j = sub->job;
        struct timespec until =
                sw_time_to_spec(timeout_ns > 0 ? sw_time_mono() + timeout_ns : 0);
        int rc = 0;

        while (!has_news_locked(sub) && !j->ended && timeout_ns && rc == 0)
                rc = timeout_ns < 0
                             ? pthread_cond_wait(&j->news, &j->story->lock)
                             : pthread_cond_timedwait(&j->news, &j->story->lock, &until);
}

static void
lower_fd_locked(sw_subscription *sub)
{
        uint64_t n;

        if (!sub->raised || has_news_locked(sub) || sub->job->ended)
                return;
        sub->raised = read(sub->fd, &n, sizeof(n)) != sizeof(n);
}

bool
sw_progress_next(sw_subscription *sub, int64_t timeout_ns, struct sw_progress_batch *out)
{
        struct sw__story *s = sub->job->story;
        struct arena *a = sw_new(struct arena);
        bool over;

        a->job = sub->job;
        __atomic_add_fetch(&a->job->refs, 1, __ATOMIC_RELAXED);
        pthread_mutex_lock(&s->lock);
        wait_locked(sub, timeout_ns);
        over = sub->job->ended && !has_news_locked(sub);
        fill_locked(sub, a);
        if (s->seq > s->read_seq && a->held.n)
                s->read_seq = s->seq;
        lower_fd_locked(sub);
        pthread_mutex_unlock(&s->lock);

        complete(a);
        *out = (struct sw_progress_batch){
                .vertices = a->vertices.v,
                .n_vertices = a->vertices.n,
                .statuses = a->statuses.v,
                .n_statuses = a->statuses.n,
                .logs = a->logs.v,
                .n_logs = a->logs.n,
                .warnings = a->warnings.v,
                .n_warnings = a->warnings.n,
                .arena_ = a,
        };
        if (over)
                sw_progress_batch_release(out);
        return !over;
}

void
sw_progress_batch_release(struct sw_progress_batch *b)
{
        struct arena *a = b->arena_;

        if (!a)
                return;
        for (size_t i = 0; i < a->held.n; i++)
                sw__story_vertex_unref(a->held.v[i]);
        for (size_t i = 0; i < a->blocks.n; i++)
                free(a->blocks.v[i]);
        sw_array_release(&a->held);
        sw_array_release(&a->blocks);
        sw_array_release(&a->vertices);
        sw_array_release(&a->statuses);
        sw_array_release(&a->logs);
        sw_array_release(&a->warnings);
        sw_array_release(&a->spool);
        sw__story_job_unref(a->job);
        free(a);
        memset(b, 0, sizeof(*b));
}

/* ---- subscriptions ---- */

sw_subscription *
sw__story_subscribe(struct sw__story_job *j, bool whole)
{
        sw_subscription *sub = sw_new(sw_subscription);

        __atomic_add_fetch(&j->refs, 1, __ATOMIC_RELAXED);
        sub->job = j;
        sub->whole = whole;
        sub->fd = -1;
        pthread_mutex_lock(&j->story->lock);
        sw_array_push(&j->subs, sub);
        j->n_whole += whole;
        pthread_mutex_unlock(&j->story->lock);
        return sub;
}

sw_subscription *
sw_subscription_again(const sw_subscription *sub)
{
        return sw__story_subscribe(sub->job, sub->whole);
}

sw_err *
sw_progress_fd(sw_subscription *sub, int *fd)
{
        struct sw__story *s = sub->job->story;
        sw_err *err = SW_OK;

        pthread_mutex_lock(&s->lock);
        if (sub->fd < 0) {
                sub->raised = has_news_locked(sub) || sub->job->ended;
                sub->fd = eventfd(sub->raised, EFD_CLOEXEC | EFD_NONBLOCK);
                if (sub->fd < 0)
                        err = sw_err_sys(SW_E_IO, errno, "make a descriptor for progress");
        }
        if (!err)
                *fd = sub->fd;
        pthread_mutex_unlock(&s->lock);
        return err;
}

void
sw_subscription_free(sw_subscription *sub)
{
        if (!sub)
                return;
        struct sw__story_job *j = sub->job;

        pthread_mutex_lock(&j->story->lock);
        j->n_whole -= sub->whole;
        for (size_t i = 0; i < j->subs.n; i++)
                if (j->subs.v[i] == sub) {
                        j->subs.v[i] = j->subs.v[--j->subs.n];
                        break;
                }
        pthread_mutex_unlock(&j->story->lock);
        if (sub->fd >= 0)
                (void) close(sub->fd);
        sw__story_job_unref(j);
        sw_array_release(&sub->handed);
        free(sub);
}

/* ---- why ---- */

static int
by_start(const void *a, const void *b)
{
        const struct sw_progress_vertex *x = a, *y = b;

        return (x->started > y->started) - (x->started < y->started);
}

void
sw__story_why_walk(struct sw__story_job *j,
                   bool (*fn)(void *arg, const struct sw_progress_vertex *v), void *arg)
{
        struct arena *a = sw_new(struct arena);
        struct sw_progress_batch b = { .arena_ = a };

        a->job = j;
        __atomic_add_fetch(&j->refs, 1, __ATOMIC_RELAXED);
        pthread_mutex_lock(&j->story->lock);
        for (const struct entry *e = j->head; e; e = e->next)
                if (e->v->why != SW_WHY_NONE)
                        add_vertex_locked(a, e);
        pthread_mutex_unlock(&j->story->lock);
        if (a->vertices.n)
                qsort(a->vertices.v, a->vertices.n, sizeof(a->vertices.v[0]), by_start);
        for (size_t i = 0; i < a->vertices.n; i++)
                if (!fn(arg, &a->vertices.v[i]))
                        break;
        sw_progress_batch_release(&b);
}
