/*
 * lib/layer/pack.c - pieces of a tar stream on their way through threads into a blob.
 *
 *      filled by the caller -> hashed, and packed -> written out, and hashed
 *
 * Pieces are in a ring, by number. Threads take whatever can be done next:
 *
 *      write   the next one that is packed and hashed      one thread at a time, in order
 *      hash    the next one that was filled                the same
 *      pack    the next one nobody packs                   zstd: the same; else side by
 * side
 *
 * Invariants, under the lock: written <= hashed <= filled; written <= packing <= filled;
 * filled - written <= ring.n. What a thread works on is its own while it does.
 * The first error ends it all: threads leave, who feeds and finish() get copies.
 */
#include "lib/layer/pack.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sched.h>

#include "lib/layer/pack_priv.h"

enum { MAX_THREADS = 8 };

struct sw_pack {
        sw_ctx *ctx;
        enum sw_pack_type type;
        int level;
        unsigned threads;
        struct sw_tar_sink out;
        /* who feeds */
        struct pack_piece *filling;
        bool finishing;
        /* the threads */
        SW_ARRAY(pthread_t) workers;
        pthread_mutex_t lock;   /* over what follows */
        pthread_cond_t work;    /* for threads */
        pthread_cond_t changed; /* for who feeds */
        struct {
                struct pack_piece *v;
                size_t n;
        } ring;
        uint64_t filled, packing, hashed, written;
        bool is_packing, is_hashing, is_writing; /* somebody */
        bool leave, ended;                       /* nothing more comes */
        sw_err *err;
        /* of who hashes */
        sw_hasher *tar_hash;
        uint32_t crc;
        int64_t tar_size;
        /* of who writes */
        sw_hasher *hash;
        int64_t size;
        struct pack_zstd *zstd;
        struct pack_stargz *stargz;
};

/* ---- types ---- */

static const char *const names[] = {
        [SW_PACK_AS_TAR] = "uncompressed",
        [SW_PACK_AS_GZIP] = "gzip",
        [SW_PACK_AS_ESTARGZ] = "estargz",
        [SW_PACK_AS_ZSTD] = "zstd",
};

sw_err *
sw_pack_type_parse(const char *s, enum sw_pack_type *out)
{
        for (size_t i = 0; i < SW_COUNT(names); i++)
                if (!strcmp(s, names[i])) {
                        *out = (enum sw_pack_type) i;
                        return SW_OK;
                }
        return sw_err_new(SW_E_INVALID, "unsupported compression type %.40s", s);
}

const char *
sw_pack_type_name(enum sw_pack_type t)
{
        return names[t];
}

/* ---- steps, without the lock ---- */

static sw_err *
write_out(sw_pack *k, const void *p, size_t n)
{
        if (k->hash)
                sw_hasher_add(k->hash, p, n);
        k->size += (int64_t) n;
        return n ? k->out.write(k->out.arg, p, n) : SW_OK;
}

static sw_err *
write_piece(sw_pack *k, struct pack_piece *p)
{
        const int64_t at = k->size;
        sw_err *err = SW_OK;

        if (k->type == SW_PACK_AS_TAR) {
                k->size += (int64_t) p->n;
                return p->n ? k->out.write(k->out.arg, pack_bytes(p), p->n) : SW_OK;
        }
        if (k->type == SW_PACK_AS_GZIP && k->written == 0) {
                sw_auto(sw_buf) head = SW_BUF_INIT;

                pack_gzip_header(&head);
                err = write_out(k, head.data, head.len);
        }
        for (size_t i = 0; i < p->cuts.n; i++)
                if (p->cuts.v[i].payload)
                        pack_stargz_chunk(k->stargz, at + (int64_t) p->cuts.v[i].packed_at,
                                          &p->cuts.v[i].digest);
        return err ? err : write_out(k, p->out.data, p->out.len);
}

static void
hash_piece(sw_pack *k, const struct pack_piece *p)
{
        sw_hasher_add(k->tar_hash, pack_bytes(p), p->n);
        if (k->type == SW_PACK_AS_GZIP)
                k->crc = pack_crc(k->crc, pack_bytes(p), p->n);
        k->tar_size += (int64_t) p->n;
}

static sw_err *
pack_piece(sw_pack *k, struct pack_gzip *gzip, struct pack_piece *p)
{
        switch (k->type) {
        case SW_PACK_AS_GZIP: return pack_gzip_piece(gzip, p);
        case SW_PACK_AS_ESTARGZ: return pack_gzip_members(gzip, p);
        case SW_PACK_AS_ZSTD: return pack_zstd_piece(k->zstd, p);
        default: return SW_OK;
        }
}

/* ---- threads ---- */

static void
fail_locked(sw_pack *k, sw_err *err)
{
        if (!err)
                return;
        if (k->err)
                sw_err_drop(err, "the first one counts");
        else
                k->err = err;
        k->leave = true;
        pthread_cond_broadcast(&k->work);
        pthread_cond_broadcast(&k->changed);
}

static struct pack_piece *
piece(sw_pack *k, uint64_t number)
{
        return &k->ring.v[number % k->ring.n];
}

static bool
write_locked(sw_pack *k)
{
        struct pack_piece *p = piece(k, k->written);

        if (k->is_writing || k->written == k->hashed || !p->packed)
                return false;
        k->is_writing = true;
        pthread_mutex_unlock(&k->lock);
        sw_err *err = write_piece(k, p);
        pthread_mutex_lock(&k->lock);
        k->is_writing = false;
        k->written += !err;
        fail_locked(k, err);
        pthread_cond_signal(&k->changed);
        return true;
}

static bool
hash_locked(sw_pack *k)
{
        struct pack_piece *p = piece(k, k->hashed);

        if (k->is_hashing || k->hashed == k->filled)
                return false;
        k->is_hashing = true;
        pthread_mutex_unlock(&k->lock);
        hash_piece(k, p);
        pthread_mutex_lock(&k->lock);
        k->is_hashing = false;
        k->hashed++;
        return true;
}

static bool
pack_locked(sw_pack *k, struct pack_gzip *gzip)
{
        struct pack_piece *p = piece(k, k->packing);
        const bool alone = k->type == SW_PACK_AS_ZSTD;

        if (k->packing == k->filled || (alone && k->is_packing))
                return false;
        k->packing++;
        k->is_packing = true;
        pthread_mutex_unlock(&k->lock);
        sw_err *err = pack_piece(k, gzip, p);
        pthread_mutex_lock(&k->lock);
        k->is_packing = false;
        p->packed = !err;
        fail_locked(k, err);
        return true;
}

static void *
worker_main(void *arg)
{
        sw_pack *k = arg;
        const bool gzips = k->type == SW_PACK_AS_GZIP || k->type == SW_PACK_AS_ESTARGZ;
        struct pack_gzip *gzip = gzips ? pack_gzip_new(k->level) : NULL;

        pthread_mutex_lock(&k->lock);
        if (gzips && !gzip)
                fail_locked(k, sw_err_new(SW_E_NOMEM, "no memory to pack with gzip"));
        while (!k->leave) {
                if (write_locked(k) || hash_locked(k) || pack_locked(k, gzip)) {
                        /* what was done may be what another one waits for */
                        pthread_cond_broadcast(&k->work);
                        continue;
                }
                if (k->ended && k->written == k->filled)
                        break;
                pthread_cond_wait(&k->work, &k->lock);
        }
        pthread_mutex_unlock(&k->lock);
        pack_gzip_free(gzip);
        return NULL;
}

static sw_err *
start_threads(sw_pack *k)
{
        sigset_t all, old;
        int failed = 0;

        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &old);
        for (unsigned i = 0; i < k->threads && !failed; i++) {
                pthread_t t;

                failed = pthread_create(&t, NULL, worker_main, k);
                if (!failed)
                        sw_array_push(&k->workers, t);
        }
        pthread_sigmask(SIG_SETMASK, &old, NULL);
        if (k->workers.n) /* fewer do it, too */
                return SW_OK;
        return sw_err_sys(SW_E_INTERNAL, failed, "start a thread to pack");
}

static void
join_threads(sw_pack *k)
{
        for (size_t i = 0; i < k->workers.n; i++)
                (void) pthread_join(k->workers.v[i], NULL);
        k->workers.n = 0;
}

/* ---- feeding ---- */

static size_t
piece_room(const sw_pack *k)
{
        return k->type == SW_PACK_AS_ESTARGZ ? PACK_STARGZ : PACK_PIECE;
}

/* Wait until a piece is free, and begin it. */
static sw_err *
begin_piece(sw_pack *k)
{
        struct pack_piece *p;
        sw_err *err = sw_ctx_check(k->ctx);

        pthread_mutex_lock(&k->lock);
        while (!err && !k->err && k->filled - k->written == k->ring.n)
                pthread_cond_wait(&k->changed, &k->lock);
        if (!err && k->err)
                err = sw_err_copy(k->err);
        pthread_mutex_unlock(&k->lock);
        if (err)
                return err;
        p = piece(k, k->filled);
        if (!p->room)
                p->room = sw_alloc(PACK_HISTORY + piece_room(k));
        p->n = p->history = p->cuts.n = 0;
        p->last = p->packed = false;
        sw_buf_clear(&p->out);
        k->filling = p;
        return SW_OK;
}

/* Hand the piece to the threads; the next one gets the end of it. */
static sw_err *
end_piece(sw_pack *k, bool last)
{
        struct pack_piece *p = k->filling;
        sw_err *err = SW_OK;

        p->last = last;
        pthread_mutex_lock(&k->lock);
        k->filled++;
        k->ended = last;
        pthread_cond_broadcast(&k->work);
        pthread_mutex_unlock(&k->lock);
        k->filling = NULL;
        if (!last)
                err = begin_piece(k);
        /* The ring has more than one: @p cannot have been filled again. */
        if (!err && !last && k->type == SW_PACK_AS_GZIP) {
                k->filling->history = p->n < PACK_HISTORY ? p->n : PACK_HISTORY;
                memcpy(pack_bytes(k->filling) - k->filling->history,
                       pack_bytes(p) + p->n - k->filling->history, k->filling->history);
        }
        return err;
}

/* Room for bytes of any kind; *n: at least one. */
static sw_err *
get_room(sw_pack *k, uint8_t **at, size_t *n)
{
        sw_err *err = SW_OK;

        if (k->filling && k->filling->n == PACK_PIECE)
                err = end_piece(k, false);
        if (!err && !k->filling)
                err = begin_piece(k);
        if (err)
                return err;
        *at = pack_bytes(k->filling) + k->filling->n;
        *n = PACK_PIECE - k->filling->n;
        return SW_OK;
}

/* A piece with room for what comes next: a chunk is not divided, small ones share one. */
static sw_err *
stargz_piece(sw_pack *k, const struct pack_next *next)
{
        const size_t has = k->filling ? k->filling->n : 0;
        const bool full = has == PACK_STARGZ || (next->cut && has >= PACK_PIECE) ||
                          (next->cut && next->payload > PACK_STARGZ - has);
        sw_err *err = SW_OK;

        if (k->filling && full)
                err = end_piece(k, false);
        if (!err && !k->filling)
                err = begin_piece(k);
        if (!err && (next->cut || !k->filling->cuts.n))
                sw_array_push(&k->filling->cuts,
                              (struct pack_cut){
                                      .at = k->filling->n,
                                      .payload = next->cut ? next->payload : 0,
                              });
        return err;
}

static sw_err *
feed_stargz(sw_pack *k, const uint8_t *p, size_t n)
{
        sw_err *err = SW_OK;

        while (n && !err) {
                const struct pack_next next = pack_stargz_next(k->stargz);
                size_t take = next.n < n ? next.n : n;

                err = stargz_piece(k, &next);
                if (err)
                        break;
                if (take > PACK_STARGZ - k->filling->n)
                        take = PACK_STARGZ - k->filling->n;
                memcpy(pack_bytes(k->filling) + k->filling->n, p, take);
                k->filling->n += take;
                err = pack_stargz_take(k->stargz, p, take);
                p += take;
                n -= take;
        }
        return err;
}

static sw_err *
pack_write(void *arg, const void *bytes, size_t n)
{
        sw_pack *k = arg;
        const uint8_t *p = bytes;

        if (k->type == SW_PACK_AS_ESTARGZ)
                return feed_stargz(k, p, n);
        while (n > 0) {
                uint8_t *to;
                size_t room;
                sw_err *err = get_room(k, &to, &room);

                if (err)
                        return err;
                if (room > n)
                        room = n;
                memcpy(to, p, room);
                k->filling->n += room;
                p += room;
                n -= room;
        }
        return SW_OK;
}

static sw_err *
pack_copy(void *arg, int fd, int64_t off, int64_t len)
{
        sw_pack *k = arg;

        while (len > 0) {
                uint8_t *to;
                size_t room;
                sw_err *err = get_room(k, &to, &room);

                if (err)
                        return err;
                if ((int64_t) room > len)
                        room = (size_t) len;
                ssize_t n = pread(fd, to, room, off);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return sw_err_sys(SW_E_IO, errno, "read");
                if (!n)
                        return sw_err_new(SW_E_IO, "it became shorter while it was read");
                k->filling->n += (size_t) n;
                off += n;
                len -= n;
        }
        return SW_OK;
}

void
sw_pack_sink(sw_pack *k, struct sw_tar_sink *out)
{
        /* estargz looks at everything that comes */
        *out = (struct sw_tar_sink){ .write = pack_write,
                                     .copy = k->type == SW_PACK_AS_ESTARGZ ? NULL
                                                                           : pack_copy,
                                     .arg = k };
}

/* ---- begin and end ---- */

static sw_err *
check_level(const struct sw_pack_opts *o, int *level)
{
        const int most = o->type == SW_PACK_AS_ZSTD ? 22 : 9;

        if (o->type == SW_PACK_AS_TAR) {
                *level = 0;
                return SW_OK;
        }
        if (o->level < -1 || o->level > most)
                return sw_err_new(SW_E_INVALID,
                                  "compression level %d: %s has levels 0 to %d", o->level,
                                  sw_pack_type_name(o->type), most);
        *level = o->level;
        if (o->level == -1)
                *level = o->type == SW_PACK_AS_ZSTD ? 3 : 1;
        return SW_OK;
}

static unsigned
processors(void)
{
        cpu_set_t set;
        const int n = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;

        return n < 1 ? 1 : (unsigned) n;
}

sw_err *
sw_pack_new(sw_ctx *ctx, const struct sw_pack_opts *opts, const struct sw_tar_sink *out,
            sw_pack **pack)
{
        int level = 0;
        sw_err *err = check_level(opts, &level);

        if (err)
                return err;
        sw_autoptr(sw_pack) k = sw_new(sw_pack);
        pthread_mutex_init(&k->lock, NULL);
        pthread_cond_init(&k->work, NULL);
        pthread_cond_init(&k->changed, NULL);
        k->ctx = ctx;
        k->type = opts->type;
        k->level = level;
        k->threads = opts->threads ? opts->threads : processors();
        if (k->threads > MAX_THREADS)
                k->threads = MAX_THREADS;
        k->out = *out;
        k->tar_hash = sw_hasher_new();
        k->hash = opts->no_digest || opts->type == SW_PACK_AS_TAR ? NULL : sw_hasher_new();
        k->ring.n = k->threads + 2;
        k->ring.v = sw_alloc_array(k->ring.n, sizeof(*k->ring.v));
        for (size_t i = 0; i < k->ring.n; i++)
                sw_buf_init(&k->ring.v[i].out);
        if (k->type == SW_PACK_AS_ZSTD)
                err = pack_zstd_new(level, k->threads, &k->zstd);
        if (k->type == SW_PACK_AS_ESTARGZ)
                k->stargz = pack_stargz_new();
        if (!err)
                err = start_threads(k);
        if (!err)
                *pack = sw_steal(k);
        return err;
}

/* What comes after the last piece. */
static sw_err *
write_end(sw_pack *k, struct sw_packed *out)
{
        sw_auto(sw_buf) tar = SW_BUF_INIT, end = SW_BUF_INIT;
        sw_err *err = SW_OK;

        if (k->type == SW_PACK_AS_GZIP)
                pack_gzip_trailer(&end, k->crc, (uint64_t) k->tar_size);
        if (k->type == SW_PACK_AS_ESTARGZ) {
                struct pack_gzip *g = pack_gzip_new(k->level);

                err = g ? pack_stargz_toc(k->stargz, &tar, &out->toc)
                        : sw_err_new(SW_E_NOMEM, "no memory to pack with gzip");
                if (!err)
                        err = pack_gzip_member(g, tar.data, tar.len, &end);
                pack_gzip_free(g);
                sw_hasher_add(k->tar_hash, tar.data, tar.len);
                k->tar_size += (int64_t) tar.len;
                pack_stargz_footer(k->size, &end);
        }
        return err ? err : write_out(k, end.data, end.len);
}

sw_err *
sw_pack_finish(sw_pack *pack, struct sw_packed *out)
{
        sw_autoptr(sw_pack) k = pack;
        struct sw_packed made = { 0 };
        sw_err *err = k->filling ? SW_OK : begin_piece(k);

        if (!err)
                err = end_piece(k, true);
        if (err)
                return err;
        join_threads(k);
        if (k->err)
                return sw_steal(k->err);
        err = write_end(k, &made);
        if (err)
                return err;
        made.diff_id = sw_hasher_finish(k->tar_hash);
        made.tar_size = k->tar_size;
        made.size = k->size;
        if (k->type == SW_PACK_AS_TAR)
                made.digest = made.diff_id;
        else if (k->hash)
                made.digest = sw_hasher_finish(k->hash);
        *out = made;
        return SW_OK;
}

void
sw_pack_abandon(sw_pack *k)
{
        if (!k)
                return;
        pthread_mutex_lock(&k->lock);
        k->leave = true;
        pthread_cond_broadcast(&k->work);
        pthread_mutex_unlock(&k->lock);
        join_threads(k);
        sw_array_release(&k->workers);
        for (size_t i = 0; i < k->ring.n; i++) {
                free(k->ring.v[i].room);
                sw_array_release(&k->ring.v[i].cuts);
                sw_buf_release(&k->ring.v[i].out);
        }
        free(k->ring.v);
        pack_zstd_free(k->zstd);
        pack_stargz_free(k->stargz);
        sw_hasher_free(k->tar_hash);
        sw_hasher_free(k->hash);
        sw_err_drop(k->err, "who asked got a copy");
        pthread_cond_destroy(&k->work);
        pthread_cond_destroy(&k->changed);
        pthread_mutex_destroy(&k->lock);
        free(k);
}
