/*
 * core/engine/story.c - parts of stories, and the frames they are kept in.
 *
 * A part is what a subscriber gets at once, in the message that BuildKit's clients get, and
 * beside it what that has no fields for. Bytes that are read may be anybody's.
 * Thread: any.
 */
#include <endian.h>
#include <limits.h>
#include <string.h>
#include <zstd.h>

#include <slipway/time.h>

#include "core/base/redact.h"
#include "core/engine/history.h"

typedef Moby__Buildkit__V1__StatusResponse status_msg;
typedef Google__Protobuf__Timestamp time_msg;
typedef struct sw__pb_arena arena;

#define NEW(a, T)      ((T *) sw__pb_arena_alloc((a), sizeof(T)))
#define NEW_N(a, n, T) ((T *) sw__pb_arena_alloc((a), ((n) + 1) * sizeof(T)))
#define LEVEL          1         /* of compression: text becomes a fifth, in no time */
#define STORED_MAX     (8 << 10) /* bytes that are not worth compressing */
#define TIME_MAX       INT64_C(4000000000000000000) /* in 2096 */
#define LENGTH_SIZE    4

/* ---- Packing ---- */

static time_msg *
pack_time(arena *a, int64_t ns)
{
        time_msg *t;
        struct timespec ts;

        if (!ns)
                return NULL;
        t = NEW(a, time_msg);
        google__protobuf__timestamp__init(t);
        ts = sw_time_to_spec(ns);
        t->seconds = ts.tv_sec;
        t->nanos = (int32_t) ts.tv_nsec;
        return t;
}

static char *
pack_digest(arena *a, const sw_digest *d)
{
        return (char *) sw_digest_str(d, sw__pb_arena_alloc(a, SW_DIGEST_STR_SIZE));
}

/* What is read again has to be UTF-8. */
static char *
pack_text(arena *a, const char *s)
{
        sw_auto(sw_str) clean = NULL;

        if (!s || !*s)
                return (char *) "";
        clean = sw__redact(s);
        return sw__pb_arena_strndup(a, clean, strlen(clean));
}

static Moby__Buildkit__V1__Vertex *
pack_vertex(arena *a, const struct sw_progress_vertex *v)
{
        Moby__Buildkit__V1__Vertex *m = NEW(a, Moby__Buildkit__V1__Vertex);

        moby__buildkit__v1__vertex__init(m);
        m->digest = pack_digest(a, &v->digest);
        m->n_inputs = v->n_inputs;
        m->inputs = NEW_N(a, v->n_inputs, char *);
        for (size_t i = 0; i < v->n_inputs; i++)
                m->inputs[i] = pack_digest(a, &v->inputs[i]);
        m->name = pack_text(a, v->name);
        m->cached = v->cached;
        m->started = pack_time(a, v->started);
        m->completed = pack_time(a, v->completed);
        m->error = pack_text(a, v->error);
        if (v->group_id) {
                m->progressgroup = NEW(a, Pb__ProgressGroup);
                pb__progress_group__init(m->progressgroup);
                m->progressgroup->id = pack_text(a, v->group_id);
                m->progressgroup->name = pack_text(a, v->group_name);
                m->progressgroup->weak = v->group_weak;
        }
        return m;
}

static Moby__Buildkit__V1__VertexStatus *
pack_status(arena *a, const struct sw_progress_status *s)
{
        Moby__Buildkit__V1__VertexStatus *m = NEW(a, Moby__Buildkit__V1__VertexStatus);

        moby__buildkit__v1__vertex_status__init(m);
        m->id = pack_text(a, s->id);
        m->vertex = pack_digest(a, &s->vertex);
        m->current = s->current;
        m->total = s->total;
        m->timestamp = pack_time(a, s->timestamp);
        m->started = pack_time(a, s->started);
        m->completed = pack_time(a, s->completed);
        return m;
}

static Moby__Buildkit__V1__VertexLog *
pack_log(arena *a, const struct sw_progress_log *l)
{
        Moby__Buildkit__V1__VertexLog *m = NEW(a, Moby__Buildkit__V1__VertexLog);

        moby__buildkit__v1__vertex_log__init(m);
        m->vertex = pack_digest(a, &l->vertex);
        m->timestamp = pack_time(a, l->timestamp);
        m->stream = l->stream;
        m->msg = (ProtobufCBinaryData){ l->len, (uint8_t *) l->data };
        return m;
}

static ProtobufCBinaryData
pack_bytes(arena *a, const char *s)
{
        char *text = pack_text(a, s);

        return (ProtobufCBinaryData){ strlen(text), (uint8_t *) text };
}

static Pb__Position *
pack_position(arena *a, int line, int character)
{
        Pb__Position *p = NEW(a, Pb__Position);

        pb__position__init(p);
        p->line = line;
        p->character = character;
        return p;
}

/* The text itself goes with the first of the warnings about it. */
static void
pack_source(arena *a, const struct sw_err_source *s, bool with_text,
            Moby__Buildkit__V1__VertexWarning *m)
{
        m->info = NEW(a, Pb__SourceInfo);
        pb__source_info__init(m->info);
        m->info->filename = pack_text(a, s->file);
        m->info->language = pack_text(a, s->language);
        if (with_text && s->data && s->len <= SW__STORY_TEXT_MAX)
                m->info->data = (ProtobufCBinaryData){ s->len, (uint8_t *) s->data };
        m->ranges = NEW(a, Pb__Range *);
        m->ranges[0] = NEW(a, Pb__Range);
        pb__range__init(m->ranges[0]);
        m->ranges[0]->start = pack_position(a, s->first_line, s->first_char);
        m->ranges[0]->end = pack_position(a, s->last_line, s->end_char);
        m->n_ranges = 1;
}

static Moby__Buildkit__V1__VertexWarning *
pack_warning(arena *a, const struct sw_progress_warning *w, bool with_text)
{
        Moby__Buildkit__V1__VertexWarning *m = NEW(a, Moby__Buildkit__V1__VertexWarning);
        size_t n = 0;

        moby__buildkit__v1__vertex_warning__init(m);
        m->vertex = pack_digest(a, &w->vertex);
        m->level = w->level;
        m->short_ = pack_bytes(a, w->text);
        m->url = pack_text(a, w->url);
        while (w->detail && w->detail[n])
                n++;
        m->detail = NEW_N(a, n, ProtobufCBinaryData);
        for (; m->n_detail < n; m->n_detail++)
                m->detail[m->n_detail] = pack_bytes(a, w->detail[m->n_detail]);
        if (w->source)
                pack_source(a, w->source, with_text, m);
        return m;
}

static void
pack_warnings(arena *a, const struct sw_progress_batch *b, status_msg *m)
{
        m->warnings = NEW_N(a, b->n_warnings, Moby__Buildkit__V1__VertexWarning *);
        for (size_t i = 0; i < b->n_warnings; i++)
                m->warnings[m->n_warnings++] = pack_warning(a, &b->warnings[i], i == 0);
}

static Slipway__Store__V1__Why *
pack_why(arena *a, const struct sw_progress_vertex *v)
{
        Slipway__Store__V1__Why *m = NEW(a, Slipway__Store__V1__Why);

        slipway__store__v1__why__init(m);
        m->vertex = pack_digest(a, &v->digest);
        m->why = (uint32_t) v->why;
        m->input = v->why_input;
        m->n_paths = v->n_why_paths;
        m->paths = NEW_N(a, v->n_why_paths, char *);
        for (size_t i = 0; i < v->n_why_paths; i++)
                m->paths[i] = pack_text(a, v->why_paths[i]);
        return m;
}

#define PACK_ALL(a, to, n_to, T, from, n_from, fn)                                         \
        do {                                                                               \
                (to) = NEW_N((a), (n_from), T *);                                          \
                for ((n_to) = 0; (n_to) < (n_from); (n_to)++)                              \
                        (to)[(n_to)] = fn((a), &(from)[(n_to)]);                           \
        } while (0)

static void
pack_whys(arena *a, const struct sw_progress_batch *b, Slipway__Store__V1__StoryPart *m)
{
        m->whys = NEW_N(a, b->n_vertices, Slipway__Store__V1__Why *);
        for (size_t i = 0; i < b->n_vertices; i++)
                if (b->vertices[i].why != SW_WHY_NONE)
                        m->whys[m->n_whys++] = pack_why(a, &b->vertices[i]);
}

void
sw__storypart_add(const struct sw_progress_batch *b, sw_buf *out)
{
        Slipway__Store__V1__StoryPart part;
        status_msg status;
        arena a;
        uint32_t length;
        size_t n;

        sw__pb_arena_init(&a);
        slipway__store__v1__story_part__init(&part);
        moby__buildkit__v1__status_response__init(&status);
        part.status = &status;
        PACK_ALL(&a, status.vertexes, status.n_vertexes, Moby__Buildkit__V1__Vertex,
                 b->vertices, b->n_vertices, pack_vertex);
        PACK_ALL(&a, status.statuses, status.n_statuses, Moby__Buildkit__V1__VertexStatus,
                 b->statuses, b->n_statuses, pack_status);
        PACK_ALL(&a, status.logs, status.n_logs, Moby__Buildkit__V1__VertexLog, b->logs,
                 b->n_logs, pack_log);
        pack_warnings(&a, b, &status);
        pack_whys(&a, b, &part);
        n = slipway__store__v1__story_part__get_packed_size(&part);
        if (n <= SW__STORY_PART_MAX) {
                length = htole32((uint32_t) n);
                sw_buf_add(out, &length, LENGTH_SIZE);
                sw_buf_reserve(out, n);
                (void) slipway__store__v1__story_part__pack(&part, (uint8_t *) out->data +
                                                                           out->len);
                out->len += n;
                out->data[out->len] = '\0';
        }
        sw__pb_arena_release(&a);
}

/* ---- Unpacking ---- */

/* Of what is told of builds no time is before 1970, nor so late that one cannot reckon with
 * it. */
static int64_t
take_time(const time_msg *t)
{
        const int64_t ns = sw__built_time(t);

        return ns > 0 && ns < TIME_MAX ? ns : 0;
}

static bool
take_digest(const char *s, sw_digest *out)
{
        if (!sw_digest_is(s, SIZE_MAX))
                return false;
        sw_err_drop(sw_digest_parse(s, SIZE_MAX, out), "it is one");
        return true;
}

static bool
take_vertex(arena *a, const Moby__Buildkit__V1__Vertex *m, struct sw_progress_vertex *v)
{
        sw_digest *inputs = NEW_N(a, m->n_inputs, sw_digest);

        *v = (struct sw_progress_vertex){
                .inputs = inputs,
                .name = m->name,
                .cached = m->cached,
                .started = take_time(m->started),
                .completed = take_time(m->completed),
                .error = *m->error ? m->error : NULL,
        };
        for (size_t i = 0; i < m->n_inputs; i++)
                if (take_digest(m->inputs[i], &inputs[v->n_inputs]))
                        v->n_inputs++;
        if (m->progressgroup) {
                v->group_id = m->progressgroup->id;
                v->group_name = m->progressgroup->name;
                v->group_weak = m->progressgroup->weak;
        }
        return take_digest(m->digest, &v->digest);
}

static bool
take_status(arena *a, const Moby__Buildkit__V1__VertexStatus *m,
            struct sw_progress_status *s)
{
        (void) a;
        *s = (struct sw_progress_status){
                .id = m->id,
                .current = m->current,
                .total = m->total,
                .timestamp = take_time(m->timestamp),
                .started = take_time(m->started),
                .completed = take_time(m->completed),
        };
        return take_digest(m->vertex, &s->vertex);
}

static char *
take_bytes(arena *a, const ProtobufCBinaryData *b)
{
        return sw__pb_arena_strndup(a, b->len ? (const char *) b->data : "", b->len);
}

static bool
take_log(arena *a, const Moby__Buildkit__V1__VertexLog *m, struct sw_progress_log *l)
{
        *l = (struct sw_progress_log){
                .stream = m->stream == 2 ? 2 : 1,
                .timestamp = take_time(m->timestamp),
                .data = take_bytes(a, &m->msg),
                .len = m->msg.len,
        };
        return take_digest(m->vertex, &l->vertex);
}

static const struct sw_err_source *
take_source(arena *a, const Moby__Buildkit__V1__VertexWarning *m)
{
        const Pb__Range *r = m->n_ranges ? m->ranges[0] : NULL;
        struct sw_err_source *s;

        if (!m->info || !r || !r->start || !r->end)
                return NULL;
        s = NEW(a, struct sw_err_source);
        *s = (struct sw_err_source){
                .file = m->info->filename,
                .language = *m->info->language ? m->info->language : NULL,
                .data = take_bytes(a, &m->info->data),
                .len = m->info->data.len,
                .first_line = r->start->line,
                .last_line = r->end->line,
                .first_char = r->start->character,
                .end_char = r->end->character,
        };
        return s;
}

static bool
take_warning(arena *a, const Moby__Buildkit__V1__VertexWarning *m,
             struct sw_progress_warning *w)
{
        *w = (struct sw_progress_warning){
                .text = take_bytes(a, &m->short_),
                .url = *m->url ? m->url : NULL,
                .source = take_source(a, m),
                .level = (int) m->level,
        };
        if (m->n_detail) {
                const char **detail = NEW_N(a, m->n_detail + 1, const char *);

                for (size_t i = 0; i < m->n_detail; i++)
                        detail[i] = take_bytes(a, &m->detail[i]);
                detail[m->n_detail] = NULL;
                w->detail = detail;
        }
        return take_digest(m->vertex, &w->vertex);
}

#define TAKE_ALL(a, to, n_to, from, n_from, fn)                                            \
        do {                                                                               \
                (to) = NEW_N((a), (n_from), __typeof__(*(to)));                            \
                for (size_t i_ = 0; i_ < (n_from); i_++)                                   \
                        (n_to) += fn((a), (from)[i_], &(to)[(n_to)]);                      \
        } while (0)

/* They are in the order of the vertices. */
static void
take_whys(const Slipway__Store__V1__StoryPart *m, struct sw_progress_batch *b)
{
        for (size_t i = 0, at = 0; i < m->n_whys; i++) {
                const Slipway__Store__V1__Why *y = m->whys[i];
                sw_digest d;

                if (y->why >= SW_WHY_COUNT || !take_digest(y->vertex, &d))
                        continue;
                while (at < b->n_vertices && !sw_digest_eq(&b->vertices[at].digest, &d))
                        at++;
                if (at == b->n_vertices)
                        return;
                struct sw_progress_vertex *v = &b->vertices[at++];
                v->why = (enum sw_why) y->why;
                v->why_input = y->input;
                v->why_paths = (const char *const *) y->paths;
                v->n_why_paths = y->n_paths;
        }
}

static void
take_part(arena *a, const Slipway__Store__V1__StoryPart *m, struct sw_progress_batch *out)
{
        const status_msg *s = m->status;

        *out = (struct sw_progress_batch){ .n_vertices = 0 };
        if (!s)
                return;
        TAKE_ALL(a, out->vertices, out->n_vertices, s->vertexes, s->n_vertexes,
                 take_vertex);
        TAKE_ALL(a, out->statuses, out->n_statuses, s->statuses, s->n_statuses,
                 take_status);
        TAKE_ALL(a, out->logs, out->n_logs, s->logs, s->n_logs, take_log);
        TAKE_ALL(a, out->warnings, out->n_warnings, s->warnings, s->n_warnings,
                 take_warning);
        take_whys(m, out);
}

size_t
sw__storypart_take(const char *p, size_t n, arena *a, struct sw_progress_batch *out)
{
        ProtobufCMessage *m = NULL;
        uint32_t length;
        sw_err *err;

        if (n < LENGTH_SIZE)
                return 0;
        memcpy(&length, p, LENGTH_SIZE);
        length = le32toh(length);
        if (length > SW__STORY_PART_MAX || length > n - LENGTH_SIZE)
                return 0;
        err = sw__pb_unpack(&slipway__store__v1__story_part__descriptor, &a->allocator,
                            p + LENGTH_SIZE, length, &m);
        if (err) {
                sw_err_drop(err, "the story ends here");
                return 0;
        }
        take_part(a, (const Slipway__Store__V1__StoryPart *) m, out);
        return LENGTH_SIZE + length;
}

/* ---- Frames ---- */

/* Most builds find all in the cache, and have little to tell: a frame of one block that is
 * stored as it is (RFC 8878) costs them a fraction of what waking the compressor does. */
static void
add_stored(const sw_buf *parts, sw_buf *out)
{
        const uint32_t n = (uint32_t) parts->len;
        const uint32_t block = n << 3 | 1; /* the last one, raw */
        const uint8_t head[] = {
                0x28,
                0xb5,
                0x2f,
                0xfd, /* magic */
                0xa0, /* one segment, four bytes of size */
                (uint8_t) n,
                (uint8_t) (n >> 8),
                (uint8_t) (n >> 16),
                (uint8_t) (n >> 24),
                (uint8_t) block,
                (uint8_t) (block >> 8),
                (uint8_t) (block >> 16),
        };

        sw_buf_add(out, head, sizeof(head));
        sw_buf_add(out, parts->data, parts->len);
}

void
sw__storyframe_add(const sw_buf *parts, sw_buf *out)
{
        const size_t bound = ZSTD_compressBound(parts->len);
        size_t n;

        if (parts->len <= STORED_MAX) {
                add_stored(parts, out);
                return;
        }
        sw_buf_reserve(out, bound);
        n = ZSTD_compress(out->data + out->len, bound, parts->data, parts->len, LEVEL);
        if (ZSTD_isError(n)) /* it has no memory: a frame less */
                return;
        out->len += n;
        out->data[out->len] = '\0';
}

size_t
sw__storyframe_take(const char *p, size_t n, sw_buf *out)
{
        const size_t packed = ZSTD_findFrameCompressedSize(p, n);
        unsigned long long size;
        size_t got;

        if (ZSTD_isError(packed) || packed > n)
                return 0;
        size = ZSTD_getFrameContentSize(p, n);
        if (size > SW__STORY_FRAME_MAX) /* what says that it is not known, too */
                return 0;
        sw_buf_reserve(out, (size_t) size + 1);
        got = ZSTD_decompress(out->data, (size_t) size, p, packed);
        if (ZSTD_isError(got))
                return 0;
        out->len = got;
        out->data[got] = '\0';
        return packed;
}
