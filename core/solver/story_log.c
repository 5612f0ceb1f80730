/*
 * core/solver/story_log.c - the text of logs.
 *
 * The first LOG_MEMORY bytes of a vertex stay in memory: most vertices never write more.
 * The rest goes to the spool, an unlinked file of segments that belong to one vertex each
 * and are used again when it is gone; so memory stays flat however much a build writes, and
 * the file is as large as what the running builds wrote. Without a spool all stays in
 * memory.
 *
 * What is kept in memory for it is a list of chunks. Writes that no subscriber has seen
 * one by one become one chunk; and what all subscribers have seen is merged when the list
 * gets long.
 * Thread: any.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <slipway/time.h>

#include "core/solver/story_impl.h"

#define MERGED_MAX  (64u * 1024)
#define COMPACT_MIN 4096

static bool
may_merge(const struct chunk *a, const struct chunk *b, uint64_t seen)
{
        return a->stream == b->stream && a->spooled == b->spooled &&
               a->off + a->len == b->off && a->len + b->len <= MERGED_MAX && seen;
}

/* The number up to which every subscriber that has begun to read @v has read it; 0: one is
 * just in the middle. */
static uint64_t
read_by_all_locked(const struct sw__story_vertex *v)
{
        uint64_t least = UINT64_MAX;

        for (size_t i = 0; i < v->entries.n; i++) {
                const struct entry *e = v->entries.v[i];

                for (size_t k = 0; k < e->job->subs.n; k++) {
                        const sw_subscription *sub = e->job->subs.v[k];
                        uint64_t seq =
                                e->index < sub->handed.n ? sub->handed.v[e->index] : 0;
                        if (sub->current == e)
                                return 0;
                        if (seq && seq < least)
                                least = seq;
                }
        }
        return least;
}

static void
compact_locked(struct sw__story_vertex *v)
{
        uint64_t least = read_by_all_locked(v);
        size_t n = 0;

        for (size_t i = 0; i < v->chunks.n; i++) {
                struct chunk *c = &v->chunks.v[i], *last = n ? &v->chunks.v[n - 1] : NULL;

                if (last && may_merge(last, c, c->seq <= least)) {
                        last->len += c->len;
                        last->seq = c->seq;
                } else {
                        v->chunks.v[n++] = *c;
                }
        }
        v->chunks.n = n;
}

static void
add_chunk_locked(struct sw__story_vertex *v, struct chunk c)
{
        struct chunk *last = v->chunks.n ? &v->chunks.v[v->chunks.n - 1] : NULL;
        uint64_t read_seq = v->story->read_seq;

        c.seq = sw__story_touch_locked(v);
        if (last && may_merge(last, &c, last->seq > read_seq)) {
                last->len += c.len;
                last->seq = c.seq;
                return;
        }
        if (v->chunks.n >= COMPACT_MIN && v->chunks.n >= v->compact_at) {
                compact_locked(v);
                v->compact_at = 2 * v->chunks.n;
        }
        sw_array_push(&v->chunks, c);
}

/* Room in the spool for at most @n bytes; *got of them at the offset returned. */
static uint64_t
reserve_locked(struct sw__story_vertex *v, size_t n, size_t *got)
{
        struct sw__story *s = v->story;

        if (v->segments.n == 0 || v->segment_used == LOG_SEGMENT) {
                uint32_t seg = s->free_segments.n ? s->free_segments.v[--s->free_segments.n]
                                                  : s->n_segments++;
                sw_array_push(&v->segments, seg);
                v->segment_used = 0;
        }
        *got = LOG_SEGMENT - v->segment_used < n ? LOG_SEGMENT - v->segment_used : n;
        uint64_t off =
                (uint64_t) v->segments.v[v->segments.n - 1] * LOG_SEGMENT + v->segment_used;
        v->segment_used += (uint32_t) *got;
        return off;
}

static bool
spool_write(int fd, const char *p, size_t n, uint64_t off)
{
        while (n) {
                ssize_t w = pwrite(fd, p, n, (off_t) off);

                if (w < 0 && errno == EINTR)
                        continue;
                if (w <= 0)
                        return false;
                p += w;
                n -= (size_t) w;
                off += (uint64_t) w;
        }
        return true;
}

/* Lost text leaves a line that says so, in memory; a disk that stays full leaves no more
 * of them than memory has room for. */
static void
add_lost_locked(struct sw__story_vertex *v, size_t n, int err, int64_t now)
{
        size_t off = v->text.len;

        if (off > 2 * LOG_MEMORY)
                return;
        sw_buf_addf(&v->text, "[%zu bytes of log are lost: %s]\n", n, strerror(err));
        add_chunk_locked(v, (struct chunk){ .timestamp = now,
                                            .off = off,
                                            .len = (uint32_t) (v->text.len - off),
                                            .stream = 2 });
}

void
sw__story_log_add(struct sw__story_vertex *v, int stream, const char *p, size_t n)
{
        struct sw__story *s = v->story;
        int64_t now = sw_time_now();

        while (n) {
                size_t got = n < LOG_SEGMENT ? n : LOG_SEGMENT;
                uint64_t off;
                bool spooled;
                int err = 0;

                pthread_mutex_lock(&s->lock);
                spooled = s->spool >= 0 && v->text.len + got > LOG_MEMORY;
                if (spooled) {
                        off = reserve_locked(v, got, &got);
                        /* The place is ours: write without holding anybody up. */
                        pthread_mutex_unlock(&s->lock);
                        err = spool_write(s->spool, p, got, off) ? 0 : errno;
                        pthread_mutex_lock(&s->lock);
                } else {
                        off = v->text.len;
                        sw_buf_add(&v->text, p, got);
                }
                if (err)
                        add_lost_locked(v, got, err, now);
                else
                        add_chunk_locked(v, (struct chunk){ .timestamp = now,
                                                            .off = off,
                                                            .spooled = spooled,
                                                            .len = (uint32_t) got,
                                                            .stream = stream });
                pthread_mutex_unlock(&s->lock);
                p += got;
                n -= got;
        }
}

void
sw__story_log_free_locked(struct sw__story_vertex *v)
{
        for (size_t i = 0; i < v->segments.n; i++)
                sw_array_push(&v->story->free_segments, v->segments.v[i]);
        sw_array_release(&v->segments);
        sw_array_release(&v->chunks);
        sw_buf_release(&v->text);
}
