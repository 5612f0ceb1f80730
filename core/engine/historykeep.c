/*
 * core/engine/historykeep.c - the record and the story of a build that runs.
 *
 * The story is gathered and written now and then, so that a build that is found in the
 * cache writes once. Of each step's log the beginning and the end are kept; the end is
 * written last. Whatever fails here costs the history something, and never the build.
 *
 * Thread: made and ended by the build's; the story is taken by that of its step log, which
 * has ended by then.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>

#include <slipway/io.h>
#include <slipway/time.h>

#include "core/base/redact.h"
#include "core/engine/engine_priv.h"
#include "core/engine/history.h"

/* Of each step's log. */
#define LOG_HEAD (256 << 10)
#define LOG_TAIL (16 << 10)
/* Of a story: no more logs and statuses, nothing more at all. */
#define TOTAL_LOGS (16 << 20)
#define TOTAL_ALL  (24 << 20)
/* So much is gathered, and for so long. */
#define GOING_MAX 4096 /* statuses that are not completed */
#define PENDING   (256 << 10)
#define WAIT      (SW_NS_PER_SEC / 2)

typedef struct sw__pb_arena arena;
typedef Moby__Buildkit__V1__BuildHistoryRecord record_msg;
typedef Google__Protobuf__Timestamp time_msg;

/* What is known of one step. */
struct step {
        sw_digest digest;
        bool completed, cached;
        int64_t head;     /* bytes of its log that were kept */
        int64_t left_out; /* and then not, the tail included */
        int64_t timestamp;
        int stream;
        sw_buf tail; /* at most twice LOG_TAIL */
};

/* How far something has come that is not over. */
struct going {
        struct sw_progress_status status; /* its id is that here */
        bool told;
        char id[];
};

struct sw__keeper {
        sw_history *history;
        arena arena; /* what follows lives there */
        sw__built built;
        record_msg record;
        sw_map *steps; /* digest bytes -> struct step */
        sw_map *going; /* digest bytes and id -> struct going */
        int fd;        /* the story's file, locked */
        sw_buf pending;
        int64_t since; /* monotonic: when there began to be something pending */
        size_t total;  /* bytes of the story, unpacked */
        bool broken;   /* it cannot be written */
        int warnings;
        bool ended;
};

static void
free_step(void *p)
{
        struct step *s = p;

        sw_buf_release(&s->tail);
        free(s);
}

static void
give_up(struct sw__keeper *k, const char *what, int error)
{
        k->broken = true;
        sw_log_line(k->history->log, SW_LOG_WARN, "core/engine",
                    "the story of the build %s is not kept: %s: %s", k->record.ref, what,
                    strerror(error));
}

/* ---- Messages ---- */

static char *
keep(arena *a, const char *s)
{
        sw_auto(sw_str) clean = sw__redact(s ? s : "");

        return sw__pb_arena_strndup(a, clean, strlen(clean));
}

static time_msg *
make_time(arena *a, int64_t ns)
{
        time_msg *t = sw__pb_arena_alloc(a, sizeof(*t));
        struct timespec ts = sw_time_to_spec(ns);

        google__protobuf__timestamp__init(t);
        t->seconds = ts.tv_sec;
        t->nanos = (int32_t) ts.tv_nsec;
        return t;
}

static Slipway__Map__String *
make_pair(arena *a, const char *key, const char *value)
{
        Slipway__Map__String *m = sw__pb_arena_alloc(a, sizeof(*m));
        sw_auto(sw_str) clean = sw__redact_value(key, value ? value : "");

        slipway__map__string__init(m);
        m->key = keep(a, key);
        m->value = sw__pb_arena_strndup(a, clean, strlen(clean));
        return m;
}

static Slipway__Map__String **
make_pairs(arena *a, const struct sw_attr *v, size_t n)
{
        Slipway__Map__String **m = sw__pb_arena_alloc(a, (n + 1) * sizeof(*m));

        for (size_t i = 0; i < n; i++)
                m[i] = make_pair(a, v[i].key, v[i].value);
        return m;
}

static void
add_outputs(struct sw__keeper *k, const struct sw_build *b)
{
        arena *a = &k->arena;

        k->record.exporters = sw__pb_arena_alloc(a, (b->req.n_outputs + 1) *
                                                            sizeof(*k->record.exporters));
        for (size_t i = 0; i < b->req.n_outputs && i < SW_BUILD_MAX_OUTPUTS; i++) {
                const struct sw_build_output *o = &b->req.outputs[i];
                Moby__Buildkit__V1__Exporter *m = sw__pb_arena_alloc(a, sizeof(*m));

                moby__buildkit__v1__exporter__init(m);
                m->type = keep(a, o->type);
                m->attrs = make_pairs(a, o->attrs, o->n_attrs);
                m->n_attrs = o->n_attrs;
                k->record.exporters[k->record.n_exporters++] = m;
        }
}

/* ---- The record ---- */

static sw_err *
put(struct sw__keeper *k, sw__tx *tx)
{
        char text[SW__BUILT_KEY_MAX];
        MDB_val key = { sw__built_key(&k->built, text), text };
        MDB_val value = { slipway__store__v1__build__get_packed_size(&k->built), NULL };
        int rc;

        if (value.mv_size > SW__BUILT_MAX)
                return sw_err_new(SW_E_LIMIT, "its record is too large");
        rc = mdb_put(tx->txn, sw__meta_dbi(tx->meta, SW_META_HISTORY), &key, &value,
                     MDB_RESERVE);
        if (rc)
                return sw__meta_failed(tx->meta, rc, "write the record of a build");
        (void) slipway__store__v1__build__pack(&k->built, value.mv_data);
        return SW_OK;
}

/* What others did to the record meanwhile stays. */
static void
take_over(struct sw__keeper *k, sw__tx *tx)
{
        char text[SW__BUILT_KEY_MAX];
        MDB_val key = { sw__built_key(&k->built, text), text }, value;

        if (mdb_get(tx->txn, sw__meta_dbi(tx->meta, SW_META_HISTORY), &key, &value) != 0)
                return;
        sw_autoptr(sw__built) old = sw__built_decode(NULL, value.mv_data, value.mv_size);
        if (!old)
                return;
        k->record.pinned = old->record->pinned;
        k->record.generation = old->record->generation + 1;
}

static bool
store(struct sw__keeper *k, bool again)
{
        sw_auto(sw__tx) tx = { 0 };
        sw_err *err = sw__tx_begin(sw__root_meta(k->history->root), true, &tx);

        if (!err && again)
                take_over(k, &tx);
        if (!err)
                err = put(k, &tx);
        if (!err)
                err = sw__tx_commit(&tx, false);
        if (!err)
                return true;
        err = sw_err_wrap(err, "the build %s is not in the history", k->record.ref);
        sw_log_err(k->history->log, SW_LOG_WARN, err);
        sw_err_drop(err, "told; the build is none the worse for it");
        return false;
}

/* A build of the same name that has ended gives way. */
static int
open_story(sw_history *h, const char *id)
{
        const int flags = O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_NOFOLLOW | O_CLOEXEC;
        sw_auto(sw_fd) fd = openat(h->dir, id, flags, 0600);

        if (fd < 0 && errno == EEXIST) {
                sw_fd_clear(&fd);
                sw_err_drop(sw_history_remove(h, id), "one that runs stays, and is found");
                fd = openat(h->dir, id, flags, 0600);
        }
        if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0)
                return -1;
        return sw_fd_steal(&fd);
}

struct sw__keeper *
sw__keeper_new(struct sw_build *b)
{
        sw_history *h = b->engine->history;
        struct sw__keeper *k;
        sw_auto(sw_fd) fd = -1;

        if (!h || h->dir < 0 || !sw_config_bool(b->engine->config, "history.enabled"))
                return NULL;
        fd = open_story(h, b->id);
        if (fd < 0) {
                sw_log_line(h->log, SW_LOG_WARN, "core/engine",
                            "the build %s is not in the history: %s", b->id,
                            strerror(errno));
                return NULL;
        }
        k = sw_new(struct sw__keeper);
        k->history = h;
        k->fd = sw_fd_steal(&fd);
        k->steps = sw_map_new(free_step);
        k->going = sw_map_new(free);
        sw_buf_init(&k->pending);
        sw__pb_arena_init(&k->arena);
        slipway__store__v1__build__init(&k->built);
        moby__buildkit__v1__build_history_record__init(&k->record);
        k->built.record = &k->record;
        k->record.ref = keep(&k->arena, b->id);
        k->record.createdat = make_time(&k->arena, sw_time_now());
        k->record.frontend = keep(&k->arena, b->req.frontend);
        k->record.frontendattrs = make_pairs(&k->arena, b->req.opts, b->req.n_opts);
        k->record.n_frontendattrs = b->req.n_opts;
        add_outputs(k, b);
        if (store(k, false))
                return k;
        k->ended = true;
        (void) unlinkat(h->dir, b->id, 0);
        sw__keeper_free(k);
        return NULL;
}

/* ---- The story ---- */

static struct step *
step_of(struct sw__keeper *k, const sw_digest *d)
{
        struct step *s = sw_map_get_bytes(k->steps, d->b, sizeof(d->b));

        if (s)
                return s;
        s = sw_new(struct step);
        s->digest = *d;
        sw_buf_init(&s->tail);
        (void) sw_map_set_bytes(k->steps, d->b, sizeof(d->b), s);
        return s;
}

/* The end of what is left out. */
static void
add_tail(struct step *s, const struct sw_progress_log *l)
{
        const size_t n = l->len < LOG_TAIL ? l->len : LOG_TAIL;

        s->left_out += (int64_t) l->len;
        s->timestamp = l->timestamp;
        s->stream = l->stream;
        sw_buf_add(&s->tail, l->data + l->len - n, n);
        if (s->tail.len < 2 * LOG_TAIL)
                return;
        memmove(s->tail.data, s->tail.data + s->tail.len - LOG_TAIL, LOG_TAIL);
        sw_buf_truncate(&s->tail, LOG_TAIL);
}

/* As much of @l as is to be kept; false: nothing. */
static bool
take_log(struct sw__keeper *k, struct sw_progress_log *l)
{
        struct step *s = step_of(k, &l->vertex);
        size_t room = s->left_out || k->total > TOTAL_LOGS || s->head >= LOG_HEAD
                              ? 0
                              : (size_t) (LOG_HEAD - s->head);

        if (room < l->len) {
                struct sw_progress_log rest = *l;

                rest.data += room;
                rest.len -= room;
                add_tail(s, &rest);
                l->len = room;
        }
        s->head += (int64_t) l->len;
        return l->len > 0;
}

/* Of what goes on, that it began is worth telling, and where it was at the end; what was in
 * between is of no use afterwards. */
static bool
take_status(struct sw__keeper *k, const struct sw_progress_status *s)
{
        sw_auto(sw_buf) key = SW_BUF_INIT;
        const size_t n = strlen(s->id) + 1;
        struct going *g;

        if (k->total > TOTAL_LOGS)
                return false;
        sw_buf_add(&key, s->vertex.b, sizeof(s->vertex.b));
        sw_buf_adds(&key, s->id);
        if (s->completed) {
                (void) sw_map_remove_bytes(k->going, key.data, key.len);
                return true;
        }
        g = sw_map_get_bytes(k->going, key.data, key.len);
        if (!g && sw_map_count(k->going) >= GOING_MAX)
                return true;
        const bool known = g != NULL;
        if (!g) {
                g = sw_alloc(sizeof(*g) + n);
                memcpy(g->id, s->id, n);
                (void) sw_map_set_bytes(k->going, key.data, key.len, g);
        }
        g->status = *s;
        g->status.id = g->id;
        g->told = !known;
        return !known;
}

static void
add_part(struct sw__keeper *k, const struct sw_progress_batch *b)
{
        const size_t before = k->pending.len;

        if (!b->n_vertices && !b->n_statuses && !b->n_logs && !b->n_warnings)
                return;
        if (k->broken || k->total > TOTAL_ALL)
                return;
        if (!before)
                k->since = sw_time_mono();
        sw__storypart_add(b, &k->pending);
        k->total += k->pending.len - before;
}

void
sw__keeper_take(struct sw__keeper *k, const struct sw_progress_batch *b)
{
        struct sw_progress_batch part = *b;

        if (!k)
                return;
        for (size_t i = 0; i < b->n_vertices; i++) {
                struct step *s = step_of(k, &b->vertices[i].digest);

                s->completed = b->vertices[i].completed != 0;
                s->cached = b->vertices[i].cached;
        }
        k->warnings += (int) b->n_warnings;
        part.statuses = sw_alloc_array(b->n_statuses + 1, sizeof(*part.statuses));
        part.n_statuses = 0;
        for (size_t i = 0; i < b->n_statuses; i++)
                if (take_status(k, &b->statuses[i]))
                        part.statuses[part.n_statuses++] = b->statuses[i];
        part.logs = sw_alloc_array(b->n_logs + 1, sizeof(*part.logs));
        part.n_logs = 0;
        for (size_t i = 0; i < b->n_logs; i++) {
                part.logs[part.n_logs] = b->logs[i];
                part.n_logs += take_log(k, &part.logs[part.n_logs]);
        }
        add_part(k, &part);
        free(part.statuses);
        free(part.logs);
        if (k->pending.len > PENDING || sw__keeper_timeout(k) == 0)
                sw__keeper_flush(k);
}

int64_t
sw__keeper_timeout(const struct sw__keeper *k)
{
        int64_t left;

        if (!k || !k->pending.len)
                return -1;
        left = k->since + WAIT - sw_time_mono();
        return left > 0 ? left : 0;
}

void
sw__keeper_flush(struct sw__keeper *k)
{
        sw_auto(sw_buf) frame = SW_BUF_INIT;
        int error;

        if (!k || !k->pending.len)
                return;
        sw__storyframe_add(&k->pending, &frame);
        error = sw_write_all(k->fd, frame.data, frame.len);
        if (error)
                give_up(k, "write", error);
        sw_buf_clear(&k->pending);
}

/* ---- The end ---- */

/* The ends of logs that are not whole. */
static void
add_tails(struct sw__keeper *k)
{
        struct sw_map_iter it = sw_map_iter(k->steps);

        while (sw_map_next(&it)) {
                struct step *s = it.value;
                sw_auto(sw_buf) text = SW_BUF_INIT;
                const int64_t shown =
                        s->tail.len < LOG_TAIL ? (int64_t) s->tail.len : LOG_TAIL;
                struct sw_progress_log l = { .vertex = s->digest,
                                             .stream = s->stream,
                                             .timestamp = s->timestamp };
                const struct sw_progress_batch b = { .logs = &l, .n_logs = 1 };

                if (!s->left_out)
                        continue;
                if (s->left_out > shown)
                        sw_buf_addf(&text, "\n[%lld bytes are left out here]\n",
                                    (long long) (s->left_out - shown));
                sw_buf_add(&text, s->tail.data + s->tail.len - (size_t) shown,
                           (size_t) shown);
                l.data = text.data;
                l.len = text.len;
                add_part(k, &b);
                if (k->pending.len > PENDING)
                        sw__keeper_flush(k);
        }
}

/* Where what never completed was in the end. */
static void
add_going(struct sw__keeper *k)
{
        struct sw_map_iter it = sw_map_iter(k->going);

        while (sw_map_next(&it)) {
                struct going *g = it.value;

                if (!g->told)
                        add_part(k, &(struct sw_progress_batch){ .statuses = &g->status,
                                                                 .n_statuses = 1 });
        }
}

static void
count_steps(struct sw__keeper *k)
{
        struct sw_map_iter it = sw_map_iter(k->steps);

        k->record.numtotalsteps = (int32_t) sw_map_count(k->steps);
        while (sw_map_next(&it)) {
                const struct step *s = it.value;

                k->record.numcompletedsteps += s->completed;
                k->record.numcachedsteps += s->cached;
        }
        k->record.numwarnings = k->warnings;
}

static void
add_response(struct sw__keeper *k, const struct sw_build *b)
{
        SW_ARRAY(Slipway__Map__String *) all = { 0 };

        for (size_t i = 0; i < b->req.n_outputs && i < SW_BUILD_MAX_OUTPUTS; i++) {
                struct sw_map_iter it;

                if (!b->outputs[i].response)
                        continue;
                it = sw_map_iter(b->outputs[i].response);
                while (sw_map_next(&it))
                        sw_array_push(&all, make_pair(&k->arena, it.key, it.value));
        }
        k->record.n_exporterresponse = all.n;
        k->record.exporterresponse =
                sw__pb_arena_alloc(&k->arena, (all.n + 1) * sizeof(*all.v));
        if (all.n)
                memcpy(k->record.exporterresponse, all.v, all.n * sizeof(*all.v));
        sw_array_release(&all);
}

static void
add_place(struct sw__keeper *k, const struct sw_err_source *s)
{
        Slipway__Store__V1__Place *p = sw__pb_arena_alloc(&k->arena, sizeof(*p));
        const size_t len = s->data && s->len <= SW__STORY_TEXT_MAX ? s->len : 0;

        slipway__store__v1__place__init(p);
        p->file = keep(&k->arena, s->file);
        p->language = keep(&k->arena, s->language);
        p->data.data = (uint8_t *) sw__pb_arena_strndup(&k->arena, len ? s->data : "", len);
        p->data.len = len;
        p->first_line = s->first_line;
        p->last_line = s->last_line;
        p->first_char = s->first_char;
        p->end_char = s->end_char;
        k->built.place = p;
}

/* Where the definition says that the failed step comes from. */
static bool
place_of_step(const struct sw_build_failure *f, struct sw_err_source *out)
{
        const struct sw_llb_vertex_location *l = f->locations;

        if (!f->n_locations || !l->map || !l->n_ranges)
                return false;
        *out = (struct sw_err_source){
                .file = l->map->filename,
                .language = l->map->language,
                .data = l->map->data,
                .len = l->map->len,
                .first_line = l->ranges[0].start_line,
                .last_line = l->ranges[0].end_line,
        };
        return true;
}

static void
add_error(struct sw__keeper *k, struct sw_build *b)
{
        struct sw_build_failure f = { .size = sizeof(f) };
        struct sw_err_source source;
        Google__Rpc__Status *m;

        if (!b->err)
                return;
        m = sw__pb_arena_alloc(&k->arena, sizeof(*m));
        google__rpc__status__init(m);
        m->code = sw_err_code(b->err) == SW_E_CANCELLED ? 1 : 2; /* gRPC's */
        m->message = keep(&k->arena, sw_err_message(b->err));
        k->record.error = m;
        k->built.code = (uint32_t) sw_err_code(b->err);
        k->built.vertex = keep(&k->arena, sw_err_vertex(b->err));
        if (!sw_build_failed_step(b, &f))
                f = (struct sw_build_failure){ .size = sizeof(f) };
        k->built.log_file = keep(&k->arena, f.log_file);
        if (sw_err_source(b->err))
                add_place(k, sw_err_source(b->err));
        else if (place_of_step(&f, &source))
                add_place(k, &source);
}

void
sw__keeper_end(struct sw__keeper *k, struct sw_build *b)
{
        const sw_config *config = b->engine->config;

        if (!k)
                return;
        add_going(k);
        add_tails(k);
        sw__keeper_flush(k);
        k->record.completedat = make_time(&k->arena, sw_time_now());
        count_steps(k);
        add_response(k, b);
        add_error(k, b);
        (void) store(k, true);
        k->ended = true;
        sw_fd_clear(&k->fd); /* whoever looks for it now finds that it is complete */
        sw__history_drop_old(k->history, sw_config_int(config, "history.maxEntries"),
                             sw_config_int(config, "history.maxAge"));
}

void
sw__keeper_free(struct sw__keeper *k)
{
        if (!k)
                return;
        sw_fd_clear(&k->fd);
        if (!k->ended)
                sw_err_drop(sw_history_remove(k->history, k->record.ref),
                            "it is told as interrupted");
        sw_map_free(k->steps);
        sw_map_free(k->going);
        sw_buf_release(&k->pending);
        sw__pb_arena_release(&k->arena);
        free(k);
}
