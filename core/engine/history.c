/*
 * core/engine/history.c - records of builds: list, find, pin, remove. See history.h.
 *
 * Thread: any. Each call is one transaction.
 */
#include "core/engine/history.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <slipway/text.h>
#include <slipway/time.h>

typedef struct sw__pb_arena arena;

sw_history *
sw__history_new(sw_root *root, sw_log *log, bool make)
{
        sw_history *h = sw_new(sw_history);
        const int fd = sw__root_fd(root);

        h->root = root;
        h->log = log;
        h->dir = openat(fd, "history", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (h->dir < 0 && errno == ENOENT && make && mkdirat(fd, "history", 0700) == 0)
                h->dir = openat(fd, "history",
                                O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        return h;
}

void
sw__history_free(sw_history *h)
{
        if (!h)
                return;
        if (h->dir >= 0)
                (void) close(h->dir);
        free(h);
}

const char *
sw_history_state_name(enum sw_history_state state)
{
        static const char *const names[] = {
                [SW_HISTORY_RUNNING] = "running",
                [SW_HISTORY_INTERRUPTED] = "interrupted",
                [SW_HISTORY_COMPLETED] = "completed",
                [SW_HISTORY_FAILED] = "error",
                [SW_HISTORY_CANCELLED] = "canceled",
        };

        return (size_t) state < SW_COUNT(names) ? names[state] : "unknown";
}

/* ---- One record ---- */

int64_t
sw__built_time(const Google__Protobuf__Timestamp *t)
{
        struct timespec ts;

        if (!t || t->nanos < 0 || t->nanos >= SW_NS_PER_SEC)
                return 0;
        ts = (struct timespec){ .tv_sec = t->seconds, .tv_nsec = t->nanos };
        return sw_time_from_spec(&ts);
}

static bool
id_is_sound(const char *id)
{
        sw_err *err = sw_id_check("build id", id);

        sw_err_drop(err, "as if it were not there");
        return !err;
}

sw__built *
sw__built_decode(ProtobufCAllocator *alloc, const void *p, size_t n)
{
        ProtobufCMessage *m = NULL;
        sw__built *b;
        sw_err *err;

        if (n > SW__BUILT_MAX)
                return NULL;
        err = sw__pb_unpack(&slipway__store__v1__build__descriptor, alloc, p, n, &m);
        if (err) {
                sw_err_drop(err, "as if it were not there");
                return NULL;
        }
        b = (sw__built *) m;
        if (b->record && id_is_sound(b->record->ref) && b->code < SW_E_COUNT &&
            sw__built_time(b->record->createdat) > 0)
                return b;
        slipway__store__v1__build__free_unpacked(b, alloc);
        return NULL;
}

size_t
sw__built_key(const sw__built *b, char out[SW__BUILT_KEY_MAX])
{
        const uint64_t created = (uint64_t) sw__built_time(b->record->createdat);
        const size_t n = strlen(b->record->ref);

        for (int i = 0; i < 8; i++)
                out[i] = (char) (created >> (56 - 8 * i));
        memcpy(out + 8, b->record->ref, n); /* an id: at most 128 bytes */
        return 8 + n;
}

int
sw__history_lock(const sw_history *h, const char *id)
{
        sw_auto(sw_fd) fd = -1;

        if (h->dir < 0)
                return -2;
        fd = openat(h->dir, id, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        if (fd < 0)
                return -2;
        return flock(fd, LOCK_EX | LOCK_NB) == 0 ? sw_fd_steal(&fd) : -1;
}

static bool
runs(const sw_history *h, const sw__built *b)
{
        int fd;

        if (b->record->completedat)
                return false;
        fd = sw__history_lock(h, b->record->ref);
        if (fd >= 0)
                (void) close(fd);
        return fd == -1;
}

/* ---- As others see it ---- */

static enum sw_history_state
state_of(const sw_history *h, const sw__built *b)
{
        if (!b->record->completedat)
                return runs(h, b) ? SW_HISTORY_RUNNING : SW_HISTORY_INTERRUPTED;
        if (b->code == 0)
                return SW_HISTORY_COMPLETED;
        return b->code == SW_E_CANCELLED ? SW_HISTORY_CANCELLED : SW_HISTORY_FAILED;
}

static const struct sw_attr *
attrs_of(arena *a, Slipway__Map__String *const *v, size_t n)
{
        struct sw_attr *attrs = sw__pb_arena_alloc(a, (n + 1) * sizeof(*attrs));

        for (size_t i = 0; i < n; i++)
                attrs[i] = (struct sw_attr){ v[i]->key, v[i]->value };
        return attrs;
}

static const struct sw_history_output *
outputs_of(arena *a, const Moby__Buildkit__V1__BuildHistoryRecord *r)
{
        struct sw_history_output *out =
                sw__pb_arena_alloc(a, (r->n_exporters + 1) * sizeof(*out));

        for (size_t i = 0; i < r->n_exporters; i++) {
                const Moby__Buildkit__V1__Exporter *e = r->exporters[i];

                out[i] = (struct sw_history_output){ e->type,
                                                     attrs_of(a, e->attrs, e->n_attrs),
                                                     e->n_attrs };
        }
        return out;
}

static const struct sw_err_source *
source_of(arena *a, const Slipway__Store__V1__Place *p)
{
        struct sw_err_source *s;

        if (!p)
                return NULL;
        s = sw__pb_arena_alloc(a, sizeof(*s));
        *s = (struct sw_err_source){
                .file = p->file,
                .language = *p->language ? p->language : NULL,
                .data = p->data.len ? (const char *) p->data.data : "",
                .len = p->data.len,
                .first_line = p->first_line,
                .last_line = p->last_line,
                .first_char = p->first_char,
                .end_char = p->end_char,
        };
        return s;
}

static struct sw_history_build
build_of(const sw_history *h, arena *a, const sw__built *b)
{
        const Moby__Buildkit__V1__BuildHistoryRecord *r = b->record;

        return (struct sw_history_build){
                .size = sizeof(struct sw_history_build),
                .id = r->ref,
                .state = state_of(h, b),
                .pinned = r->pinned,
                .created = sw__built_time(r->createdat),
                .completed = sw__built_time(r->completedat),
                .frontend = r->frontend,
                .attrs = attrs_of(a, r->frontendattrs, r->n_frontendattrs),
                .n_attrs = r->n_frontendattrs,
                .outputs = outputs_of(a, r),
                .n_outputs = r->n_exporters,
                .response = attrs_of(a, r->exporterresponse, r->n_exporterresponse),
                .n_response = r->n_exporterresponse,
                .error_code = (int) b->code,
                .error = r->error ? r->error->message : "",
                .vertex = b->vertex,
                .log_file = b->log_file,
                .source = source_of(a, b->place),
                .steps = r->numtotalsteps,
                .completed_steps = r->numcompletedsteps,
                .cached_steps = r->numcachedsteps,
                .warnings = r->numwarnings,
        };
}

/* ---- Lists ---- */

struct listing {
        arena *arena;
        SW_ARRAY(struct sw_history_build) v;
};

static void
hand_over(struct listing *l, sw_history_list *out)
{
        *out = (sw_history_list){ l->v.n, l->v.v, l->arena };
}

void
sw_history_list_release(sw_history_list *l)
{
        if (l->arena_)
                sw__pb_arena_release(l->arena_);
        free(l->arena_);
        free(l->v);
        *l = (sw_history_list){ 0 };
}

static sw_err *
failed(sw_history *h, int rc, const char *what)
{
        return rc == 0 || rc == MDB_NOTFOUND
                       ? SW_OK
                       : sw__meta_failed(sw__root_meta(h->root), rc, what);
}

static sw_err *
list(sw_history *h, sw_history_list *out)
{
        sw_auto(sw__tx) tx = { 0 };
        sw_meta *meta = sw__root_meta(h->root);
        struct listing l = { .arena = sw_new(arena) };
        MDB_cursor *c = NULL;
        MDB_val key, value;
        sw_err *err = sw__tx_begin(meta, false, &tx);
        int rc = 0;

        sw__pb_arena_init(l.arena);
        if (!err)
                rc = mdb_cursor_open(tx.txn, sw__meta_dbi(meta, SW_META_HISTORY), &c);
        while (!err && !rc && !(rc = mdb_cursor_get(c, &key, &value, MDB_PREV))) {
                sw__built *b =
                        sw__built_decode(&l.arena->allocator, value.mv_data, value.mv_size);

                if (b)
                        sw_array_push(&l.v, build_of(h, l.arena, b));
        }
        if (c)
                mdb_cursor_close(c);
        hand_over(&l, out);
        if (!err)
                err = failed(h, rc, "list builds");
        if (err)
                sw_history_list_release(out);
        return err;
}

static bool
is_interrupted(const sw_history_list *l, const char *id)
{
        for (size_t i = 0; i < l->n; i++)
                if (strcmp(l->v[i].id, id) == 0)
                        return l->v[i].state == SW_HISTORY_INTERRUPTED;
        return false;
}

/* A build that ends completes its record and lets go of its story while we look, maybe
 * between our look at the one and at the other: then it seems to be interrupted. One that
 * is stays so. */
sw_err *
sw_history_builds(sw_history *h, sw_history_list *out)
{
        sw_auto(sw_history_list) first = { 0 };
        bool any = false;
        sw_err *err = list(h, &first);

        for (size_t i = 0; i < first.n; i++)
                any |= first.v[i].state == SW_HISTORY_INTERRUPTED;
        if (err || !any) {
                *out = first;
                first = (sw_history_list){ 0 };
                return err;
        }
        err = list(h, out);
        for (size_t i = 0; i < out->n && !err; i++)
                if (out->v[i].state == SW_HISTORY_INTERRUPTED &&
                    !is_interrupted(&first, out->v[i].id))
                        out->v[i].state = SW_HISTORY_RUNNING;
        return err;
}

/* ---- Find ---- */

/* "^N" and "latest" as an index; -1: it is neither. */
static int64_t
index_of(const char *asked)
{
        int64_t n = -1;

        if (strcmp(asked, "latest") == 0)
                return 0;
        if (*asked == '^')
                sw_err_drop(sw_parse_int(asked + 1, 0, INT32_MAX, &n), "told as not found");
        return n;
}

static sw_err *
choose(const sw_history_list *all, const char *asked, size_t *out)
{
        const int64_t index = index_of(asked);
        size_t n = 0;

        if (index >= 0 && (size_t) index < all->n) {
                *out = (size_t) index;
                return SW_OK;
        }
        for (size_t i = 0; i < all->n && *asked; i++) {
                if (strcmp(all->v[i].id, asked) == 0) {
                        *out = i;
                        return SW_OK;
                }
                if (!sw_str_has_prefix(all->v[i].id, asked))
                        continue;
                *out = i;
                n++;
        }
        if (n == 1)
                return SW_OK;
        if (n > 1)
                return sw_err_new(SW_E_INVALID, "%zu builds begin with %.130s", n, asked);
        return sw_err_new(SW_E_NOT_FOUND,
                          "there is no build %.130s in the history (slipway history "
                          "lists them; latest is the last one, ^1 the one before it)",
                          asked);
}

sw_err *
sw_history_find(sw_history *h, const char *asked, sw_history_list *out)
{
        sw_auto(sw_history_list) all = { 0 };
        size_t at = 0;
        sw_err *err = sw_history_builds(h, &all);

        if (!err && (!all.n || !all.v))
                err = sw_err_new(SW_E_NOT_FOUND, "there is no build in the history");
        if (!err)
                err = choose(&all, asked, &at);
        if (err)
                return err;
        all.v[0] = all.v[at];
        all.n = 1;
        *out = all;
        all = (sw_history_list){ 0 };
        return SW_OK;
}

/* ---- Change ---- */

/* The cursor at the record of the build @id; *out: from malloc; NULL: there is none. */
static int
seek(MDB_cursor *c, const char *id, MDB_val *key, sw__built **out)
{
        const size_t n = strlen(id);
        MDB_val value;
        int rc;

        *out = NULL;
        while (!(rc = mdb_cursor_get(c, key, &value, MDB_PREV)))
                if (key->mv_size == 8 + n && !memcmp((char *) key->mv_data + 8, id, n)) {
                        *out = sw__built_decode(NULL, value.mv_data, value.mv_size);
                        return 0;
                }
        return rc;
}

static int
rewrite(MDB_cursor *c, MDB_val *key, const sw__built *b)
{
        MDB_val value = { slipway__store__v1__build__get_packed_size(b), NULL };
        int rc = mdb_cursor_put(c, key, &value, MDB_CURRENT | MDB_RESERVE);

        if (!rc)
                (void) slipway__store__v1__build__pack(b, value.mv_data);
        return rc;
}

/* Do to the record of @id what is to be done: @pinned, or with NULL remove it. */
static sw_err *
change(sw_history *h, const char *id, const bool *pinned)
{
        sw_auto(sw__tx) tx = { 0 };
        sw_autoptr(sw__built) b = NULL;
        sw_meta *meta = sw__root_meta(h->root);
        MDB_cursor *c = NULL;
        MDB_val key;
        sw_err *err = sw__tx_begin(meta, true, &tx);
        int rc;

        if (err)
                return err;
        rc = mdb_cursor_open(tx.txn, sw__meta_dbi(meta, SW_META_HISTORY), &c);
        if (!rc)
                rc = seek(c, id, &key, &b);
        if (rc == MDB_NOTFOUND)
                err = sw_err_new(SW_E_NOT_FOUND, "there is no build %.130s", id);
        else if (!rc && !pinned && b && runs(h, b))
                err = sw_err_new(SW_E_BUSY, "the build %s is running", id);
        else if (!rc && !pinned)
                rc = mdb_cursor_del(c, 0);
        else if (!rc && b) {
                b->record->pinned = *pinned;
                b->record->generation++;
                rc = rewrite(c, &key, b);
        }
        if (c)
                mdb_cursor_close(c);
        if (!err)
                err = failed(h, rc, "change a build");
        return err ? err : sw__tx_commit(&tx, false);
}

sw_err *
sw_history_pin(sw_history *h, const char *id, bool pinned)
{
        return change(h, id, &pinned);
}

sw_err *
sw_history_remove(sw_history *h, const char *id)
{
        sw_err *err = sw_id_check("build id", id);

        if (!err)
                err = change(h, id, NULL);
        if (!err && h->dir >= 0)
                (void) unlinkat(h->dir, id, 0); /* what stays is swept */
        return err;
}
