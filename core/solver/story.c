/*
 * core/solver/story.c - the stories of jobs: what is written.
 *
 * Every change gets the next number of the story. A job's entries stand in the order of
 * their latest change, so what a subscriber has not seen is at the end of the list.
 *
 * Invariants:
 *   S1  the entries of a job are in the order of seq
 *   S2  entry.seq is at least the seq of everything in its vertex that a subscriber of its
 *       job is to see
 * Thread: any; under story->lock.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <slipway/text.h>
#include <slipway/time.h>

#include "core/solver/solver.h"
#include "core/solver/story_impl.h"
#include "core/solver/tight.h"

static bool
drop_ref(int *refs)
{
        return __atomic_sub_fetch(refs, 1, __ATOMIC_ACQ_REL) == 0;
}

static void
add_ref(int *refs)
{
        __atomic_add_fetch(refs, 1, __ATOMIC_RELAXED);
}

/* ---- story ---- */

struct sw__story *
sw__story_new(int spool_dirfd)
{
        struct sw__story *s = sw_new(struct sw__story);

        s->refs = 1;
        pthread_mutex_init(&s->lock, NULL);
        s->spool = -1;
        s->log_max = s->log_speed = -1;
        /* A file system that has no unnamed files: logs stay in memory. */
        if (spool_dirfd >= 0)
                s->spool = openat(spool_dirfd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
        return s;
}

void
sw__story_limit_logs(struct sw__story *s, int64_t max, int64_t speed)
{
        s->log_max = max;
        s->log_speed = speed;
}

static void
story_unref(struct sw__story *s)
{
        if (!drop_ref(&s->refs))
                return;
        if (s->spool >= 0)
                (void) close(s->spool);
        sw_array_release(&s->free_segments);
        pthread_mutex_destroy(&s->lock);
        free(s);
}

void
sw__story_free(struct sw__story *s)
{
        story_unref(s);
}

/* ---- order, word ---- */

static void
signal_locked(struct sw__story_job *j)
{
        const uint64_t one = 1;

        if (j->subs.n == 0)
                return;
        pthread_cond_broadcast(&j->news);
        for (size_t i = 0; i < j->subs.n; i++) {
                sw_subscription *sub = j->subs.v[i];

                if (sub->fd < 0 || sub->raised)
                        continue;
                ssize_t w = write(sub->fd, &one, sizeof(one));
                sub->raised = w == sizeof(one);
        }
}

static void
append_locked(struct entry *e, uint64_t seq)
{
        struct sw__story_job *j = e->job;

        e->seq = seq;
        e->prev = j->tail;
        e->next = NULL;
        if (j->tail)
                j->tail->next = e;
        else
                j->head = e;
        j->tail = e;
}

static void
detach_locked(struct entry *e)
{
        struct sw__story_job *j = e->job;

        if (e->prev)
                e->prev->next = e->next;
        else
                j->head = e->next;
        if (e->next)
                e->next->prev = e->prev;
        else
                j->tail = e->prev;
}

uint64_t
sw__story_touch_locked(struct sw__story_vertex *v, enum audience who)
{
        uint64_t seq = ++v->story->seq;

        for (size_t i = 0; i < v->entries.n; i++) {
                struct entry *e = v->entries.v[i];

                if (who == FOR_WHOLE && !e->job->n_whole)
                        continue;
                if (e->next) {
                        detach_locked(e);
                        append_locked(e, seq);
                } else {
                        e->seq = seq;
                }
                signal_locked(e->job);
        }
        return seq;
}

/* ---- jobs ---- */

struct sw__story_job *
sw__story_job_new(struct sw__story *s)
{
        struct sw__story_job *j = sw_new(struct sw__story_job);
        pthread_condattr_t attr;

        add_ref(&s->refs);
        j->refs = 1;
        j->story = s;
        pthread_condattr_init(&attr);
        pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
        pthread_cond_init(&j->news, &attr);
        pthread_condattr_destroy(&attr);
        return j;
}

static void
entry_free_locked(struct entry *e)
{
        struct sw__story_vertex *v = e->v;

        for (size_t i = 0; i < v->entries.n; i++)
                if (v->entries.v[i] == e) {
                        v->entries.v[i] = v->entries.v[--v->entries.n];
                        break;
                }
        detach_locked(e);
        free(e->group_id);
        free(e->group_name);
        free(e);
}

void
sw__story_job_unref(struct sw__story_job *j)
{
        struct sw__story *s = j->story;
        SW_ARRAY(struct sw__story_vertex *) vertices = { 0 };

        if (!drop_ref(&j->refs))
                return;
        pthread_mutex_lock(&s->lock);
        while (j->head) {
                /* What stands in the list lives. */
                /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
                sw_array_push(&vertices, j->head->v);
                entry_free_locked(j->head);
        }
        pthread_mutex_unlock(&s->lock);
        for (size_t i = 0; i < vertices.n; i++)
                sw__story_vertex_unref(vertices.v[i]);
        sw_array_release(&vertices);
        sw_array_release(&j->subs);
        pthread_cond_destroy(&j->news);
        free(j);
        story_unref(s);
}

void
sw__story_job_end(struct sw__story_job *j)
{
        pthread_mutex_lock(&j->story->lock);
        j->ended = true;
        signal_locked(j);
        pthread_mutex_unlock(&j->story->lock);
        sw__story_job_unref(j);
}

void
sw__story_join(struct sw__story_job *j, struct sw__story_vertex *v, const char *name,
               const struct sw_vertex_group *group)
{
        size_t len = name ? strlen(name) : 0;
        struct entry *e = sw_alloc(sizeof(*e) + len + 1);

        e->v = sw__story_vertex_ref(v);
        e->job = j;
        if (name)
                memcpy(e->name, name, len);
        if (group) {
                e->group_id = sw_strdup(group->id ? group->id : "");
                e->group_name = sw_strdup(group->name ? group->name : "");
                e->group_weak = group->weak;
        }
        pthread_mutex_lock(&j->story->lock);
        e->index = j->n_entries++;
        append_locked(e, ++j->story->seq);
        sw__push_tight(&v->entries, e);
        signal_locked(j);
        pthread_mutex_unlock(&j->story->lock);
}

/* ---- vertices ---- */

struct sw__story_vertex *
sw__story_vertex_new(struct sw__story *s, const sw_digest *digest, const sw_digest *inputs,
                     size_t n)
{
        struct sw__story_vertex *v = sw_alloc(sizeof(*v) + n * sizeof(*inputs));

        add_ref(&s->refs);
        v->refs = 1;
        v->story = s;
        v->digest = *digest;
        if (n)
                memcpy(v->inputs, inputs, n * sizeof(*inputs));
        v->n_inputs = n;
        sw_buf_init(&v->text);
        return v;
}

struct sw__story_vertex *
sw__story_vertex_ref(struct sw__story_vertex *v)
{
        add_ref(&v->refs);
        return v;
}

void
sw__story_vertex_unref(struct sw__story_vertex *v)
{
        struct sw__story *s = v->story;

        if (!drop_ref(&v->refs))
                return;
        pthread_mutex_lock(&s->lock);
        sw__story_log_free_locked(v);
        pthread_mutex_unlock(&s->lock);
        for (size_t i = 0; i < v->statuses.n; i++)
                free(v->statuses.v[i].id);
        for (size_t i = 0; i < v->warnings.n; i++)
                sw__story_warning_free(v->warnings.v[i]);
        sw_array_release(&v->statuses);
        sw_array_release(&v->warnings);
        sw_array_release(&v->entries);
        sw_strlist_release(&v->paths);
        free(v->error);
        free(v);
        story_unref(s);
}

void
sw__story_started(struct sw__story_vertex *v, int64_t now)
{
        pthread_mutex_lock(&v->story->lock);
        v->started = now;
        v->completed = 0;
        v->cached = false;
        free(v->error);
        v->error = NULL;
        v->log_sent = 0;
        v->log_since = 0;
        v->seq = sw__story_touch_locked(v, FOR_ALL);
        pthread_mutex_unlock(&v->story->lock);
}

void
sw__story_ended(struct sw__story_vertex *v, int64_t now, bool cached, const char *error)
{
        char *copy = sw_strdup(error);

        pthread_mutex_lock(&v->story->lock);
        if (!v->started)
                v->started = now;
        v->completed = now;
        v->cached = cached;
        free(v->error);
        v->error = copy;
        v->seq = sw__story_touch_locked(v, FOR_ALL);
        pthread_mutex_unlock(&v->story->lock);
}

void
sw__story_failed(struct sw__story_vertex *v, int64_t now, bool cached, const sw_err *err)
{
        sw_auto(sw_str) text = NULL;

        if (sw_err_code(err) == SW_E_CANCELLED)
                text = sw_asprintf("%s: context canceled", sw_err_message(err));
        else if (err)
                text = sw_strdup(sw_err_message(err));
        sw__story_ended(v, now, cached, text);
}

void
sw__story_why(struct sw__story_vertex *v, enum sw_why why, uint32_t input)
{
        pthread_mutex_lock(&v->story->lock);
        v->why = (uint8_t) why;
        v->why_input = input;
        v->seq = sw__story_touch_locked(v, FOR_ALL);
        pthread_mutex_unlock(&v->story->lock);
}

char *
sw__story_cut(const char *s)
{
        size_t n = strnlen(s, TEXT_MAX + 1);

        if (n > TEXT_MAX) /* not in the middle of a character */
                for (n = TEXT_MAX; n && (s[n] & 0xc0) == 0x80;)
                        n--;
        return sw_strndup(s, n);
}

void
sw__story_paths(struct sw__story_vertex *v, const char *const *paths, size_t n)
{
        pthread_mutex_lock(&v->story->lock);
        sw_strlist_release(&v->paths);
        for (size_t i = 0; i < n && i < PATHS_MAX; i++) {
                sw_auto(sw_str) path = sw__story_cut(paths[i]);
                sw_strlist_add(&v->paths, path);
        }
        v->seq = sw__story_touch_locked(v, FOR_ALL);
        pthread_mutex_unlock(&v->story->lock);
}

/* ---- the sink of ops ---- */

static struct status *
status_get_locked(struct sw__story_vertex *v, const char *whole_id)
{
        sw_auto(sw_str) id = sw__story_cut(whole_id);

        /* The latest ones are the ones that still move. */
        for (size_t i = v->statuses.n; i-- > 0;)
                if (strcmp(v->statuses.v[i].id, id) == 0)
                        return &v->statuses.v[i];
        if (v->statuses.n >= STATUSES_MAX)
                return NULL;
        sw_array_push(&v->statuses, (struct status){ .id = sw_steal(id) });
        return &v->statuses.v[v->statuses.n - 1];
}

static void
sink_status(void *arg, const struct sw_progress *p)
{
        struct sw__story_vertex *v = arg;
        int64_t now = sw_time_now();

        pthread_mutex_lock(&v->story->lock);
        struct status *st = status_get_locked(v, p->id ? p->id : "");
        if (st) {
                st->current = p->current;
                st->total = p->total;
                st->started = p->started;
                st->completed = p->completed;
                st->timestamp = now;
                st->seq = sw__story_touch_locked(v, FOR_ALL);
        }
        pthread_mutex_unlock(&v->story->lock);
}

/* A note is a status that is complete at once. */
static void
sink_note(void *arg, const char *text)
{
        int64_t now = sw_time_now();
        struct sw_progress p = { .id = text, .started = now, .completed = now };

        sink_status(arg, &p);
}

static void
sink_output(void *arg, int stream, const void *p, size_t n)
{
        sw__story_log_add(arg, stream, p, n);
}

static void
sink_warning(void *arg, const char *text)
{
        struct sw__story_vertex *v = arg;

        sw__story_warn(v, &(struct sw_progress_warning){
                                  .vertex = v->digest, .text = text, .level = 1 });
}

const struct sw_progress_sink sw__story_sink = {
        .size = sizeof(struct sw_progress_sink),
        .note = sink_note,
        .status = sink_status,
        .output = sink_output,
        .warning = sink_warning,
};
