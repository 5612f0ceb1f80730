/*
 * core/solver/story_log.c - the text of logs.
 *
 * The first LOG_MEMORY bytes of a vertex stay in memory: most vertices never write more.
 * The rest goes to the spool, an unlinked file of segments that belong to one vertex each
 * and are used again when it is gone; so memory stays flat however much a build writes, and
 * the file is as large as what the running builds wrote. Without a spool all stays in
 * memory.
 *
 * What goes beyond the limits of what is sent (so much in all, so much per second) is kept
 * for who wants the whole log, where there is a spool; the others get a line that says so.
 *
 * What is kept in memory for it is a list of chunks. Writes that no subscriber has seen
 * one by one become one chunk; and what all subscribers have seen is merged when the list
 * gets long.
 * Thread: any.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <slipway/io.h>
#include <slipway/time.h>

#include "core/solver/story_impl.h"

#define MERGED_MAX  (64u * 1024)
#define COMPACT_MIN 4096
#define CLIPS_MAX   100 /* lines about it */

static bool
may_merge(const struct chunk *a, const struct chunk *b, uint64_t seen)
{
        return a->stream == b->stream && a->spooled == b->spooled &&
               a->audience == b->audience && a->audience != FOR_LIVE &&
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

        c.seq = sw__story_touch_locked(v, c.audience);
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

/* ---- limits ---- */

/* How many of @n bytes are for all; they count. */
static size_t
admit_locked(struct sw__story_vertex *v, size_t n, int64_t now)
{
        const struct sw__story *s = v->story;
        uint64_t allowed = s->log_max < 0 ? UINT64_MAX : (uint64_t) s->log_max, by_now;

        if (!v->log_since)
                v->log_since = now;
        uint64_t begun = now > v->log_since
                                 ? (uint64_t) (now - v->log_since) / SW_NS_PER_SEC + 1
                                 : 1;
        if (s->log_speed >= 0 &&
            !__builtin_mul_overflow(begun, (uint64_t) s->log_speed, &by_now) &&
            by_now < allowed)
                allowed = by_now;
        size_t got = v->log_sent >= allowed      ? 0
                     : allowed - v->log_sent < n ? (size_t) (allowed - v->log_sent)
                                                 : n;
        v->log_sent += got;
        return got;
}

/* Say that there is more, the first time of each time. */
static void
add_clip_locked(struct sw__story_vertex *v, int64_t now)
{
        size_t off = v->text.len;
        bool all = v->story->log_max >= 0 && v->log_sent >= (uint64_t) v->story->log_max;

        if (v->log_clipped)
                return;
        v->log_clipped = true;
        if (v->log_clips++ >= CLIPS_MAX)
                return;
        if (all)
                sw_buf_addf(&v->text, "[more than %" PRId64 " KiB of log: the rest %s]\n",
                            v->story->log_max / 1024,
                            v->story->spool < 0 ? "is dropped"
                                                : "is in its log file alone");
        else
                sw_buf_addf(&v->text, "[more than %" PRId64 " KiB/s of log: some %s]\n",
                            v->story->log_speed / 1024,
                            v->story->spool < 0 ? "is dropped"
                                                : "is in its log file alone");
        add_chunk_locked(v, (struct chunk){ .timestamp = now,
                                            .off = off,
                                            .len = (uint32_t) (v->text.len - off),
                                            .stream = 2,
                                            .audience = FOR_LIVE });
}

/* ---- adding ---- */

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

/* Keep at most @n bytes at @p in the spool; how many they are, *lost: it did not go well.
 * Not under the lock while it writes: the place is the caller's. */
static size_t
spool_locked(struct sw__story_vertex *v, const char *p, size_t n, uint64_t *off, int *lost)
{
        struct sw__story *s = v->story;
        size_t got;

        *off = reserve_locked(v, n, &got);
        pthread_mutex_unlock(&s->lock);
        *lost = sw_pwrite_all(s->spool, p, got, (int64_t) *off);
        pthread_mutex_lock(&s->lock);
        return got;
}

/* Keep some of @n bytes; how many they are. */
static size_t
keep_locked(struct sw__story_vertex *v, struct chunk c, const char *p, size_t n)
{
        const struct sw__story *s = v->story;
        uint64_t off = v->text.len;
        int lost = 0;

        c.spooled = s->spool >= 0 && v->text.len + n > LOG_MEMORY;
        if (c.spooled)
                n = spool_locked(v, p, n, &off, &lost);
        else if (c.audience == FOR_ALL || s->spool >= 0)
                sw_buf_add(&v->text, p, n);
        else
                return n; /* nowhere to keep what is sent to nobody */
        c.off = off;
        c.len = (uint32_t) n;
        if (lost)
                add_lost_locked(v, n, lost, c.timestamp);
        else
                add_chunk_locked(v, c);
        return n;
}

void
sw__story_log_add(struct sw__story_vertex *v, int stream, const char *p, size_t n)
{
        struct sw__story *s = v->story;
        struct chunk c = { .timestamp = sw_time_now(), .stream = stream == 2 ? 2 : 1 };

        pthread_mutex_lock(&s->lock);
        while (n) {
                size_t part = n < LOG_SEGMENT ? n : LOG_SEGMENT;
                size_t live = admit_locked(v, part, c.timestamp);

                c.audience = live ? FOR_ALL : FOR_WHOLE;
                if (live)
                        v->log_clipped = false;
                else
                        add_clip_locked(v, c.timestamp);
                part = keep_locked(v, c, p, live ? live : part);
                v->log_sent -= live - (live ? part : 0); /* the rest comes again */
                p += part;
                n -= part;
        }
        pthread_mutex_unlock(&s->lock);
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
