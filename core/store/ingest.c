/*
 * core/store/ingest.c - a blob on its way in. See content_priv.h.
 *
 *      begun or resumed -> written ... -> (sealed ->) committed | closed (to be resumed) |
 *      aborted
 *
 * The digest is kept up with what is written, so that commit reads nothing again. After
 * resuming, what is there is read once. Whatever a crash did to it shows in the digest.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <slipway/io.h>
#include <slipway/mem.h>
#include <slipway/time.h>

#include "core/store/content_priv.h"

enum { NAME_MAX_BYTES = 1024, CHUNK = 1 << 20 };

struct sw_ingest {
        sw_content *c;
        char file[SW_DIGEST_HEX_LEN + 1]; /* below ingest/ */
        char *name;
        int fd;
        int64_t size; /* expected; -1: not known */
        int64_t at;   /* bytes that are there */
        sw_hasher *hash;
        bool broken; /* a write failed: what is there is not what was hashed */
        bool sealed; /* its digest is told, and stays so */
        sw_digest sum;
};

static sw_err *
ingest_err(const sw_ingest *i, int e, const char *what)
{
        return sw_err_wrap(sw__content_err(e, what, "a blob"), "ingest %.100s", i->name);
}

static void
ingest_free(sw_ingest *i)
{
        sw_fd_clear(&i->fd); /* and its lock */
        sw_hasher_free(i->hash);
        free(i->name);
        free(i);
}

/* ---- begin ---- */

/* Open and lock; again when somebody finished or removed it in between. */
static sw_err *
open_locked(sw_ingest *i)
{
        for (;;) {
                struct stat st, now;
                sw_auto(sw_fd) fd = openat(i->c->ingests, i->file,
                                           O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

                if (fd < 0)
                        return ingest_err(i, errno, "begin");
                if (flock(fd, LOCK_EX | LOCK_NB) < 0)
                        return errno == EWOULDBLOCK
                                       ? sw_err_new(SW_E_BUSY,
                                                    "ingest %.100s: somebody else is "
                                                    "writing it",
                                                    i->name)
                                       : ingest_err(i, errno, "lock");
                if (fstat(fd, &st) < 0)
                        return ingest_err(i, errno, "look at");
                if (fstatat(i->c->ingests, i->file, &now, AT_SYMLINK_NOFOLLOW) < 0 ||
                    now.st_ino != st.st_ino || now.st_dev != st.st_dev)
                        continue;
                i->fd = sw_fd_steal(&fd);
                i->at = st.st_size;
                return SW_OK;
        }
}

/* Hash @len bytes of what is there from @from. */
static sw_err *
hash_range(sw_ingest *i, sw_ctx *ctx, int64_t from, int64_t len)
{
        sw_auto(sw_str) buf = sw_alloc(CHUNK);

        while (len > 0) {
                sw_err *err = sw_ctx_check(ctx);
                ssize_t n;

                if (err)
                        return err;
                n = pread(i->fd, buf, len < CHUNK ? (size_t) len : CHUNK, from);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0)
                        return ingest_err(i, n < 0 ? errno : EIO, "read again");
                sw_hasher_add(i->hash, buf, (size_t) n);
                from += n;
                len -= n;
        }
        return SW_OK;
}

/* This process wants the blob from now on. */
static sw_err *
hold(const sw_content *c, const sw_digest *d)
{
        return c->hold ? c->hold(c->hold_arg, d) : SW_OK;
}

static sw_err *
check_expected(sw_content *c, const sw_digest *expected)
{
        struct sw_blob_info info;
        char text[SW_DIGEST_STR_SIZE];

        if (!expected)
                return SW_OK;
        sw_err *err = hold(c, expected);
        if (!err)
                err = sw_content_info(c, expected, &info);
        if (!err)
                return sw_err_new(SW_E_EXISTS, "blob %s is there already",
                                  sw_digest_str(expected, text));
        if (sw_err_code(err) != SW_E_NOT_FOUND)
                return err;
        sw_err_drop(err, "as it should be");
        return SW_OK;
}

sw_err *
sw_content_ingest(sw_content *c, sw_ctx *ctx, const char *name, const sw_digest *expected,
                  int64_t size, sw_ingest **out)
{
        const size_t n = strnlen(name, NAME_MAX_BYTES + 1);
        sw_err *err = sw_ctx_check(ctx);

        if (!err && (n == 0 || n > NAME_MAX_BYTES))
                err = sw_err_new(SW_E_INVALID, "no name of an ingest: %.100s", name);
        if (!err)
                err = check_expected(c, expected);
        if (err)
                return err;
        sw_ingest *i = sw_new(sw_ingest);
        const sw_digest id = sw_digest_of(name, n);
        i->c = c;
        i->fd = -1;
        i->size = size;
        i->name = sw_strdup(name);
        i->hash = sw_hasher_new();
        (void) sw_digest_hex(&id, i->file);
        err = open_locked(i);
        if (!err && size >= 0 && i->at > size)
                err = sw_ingest_restart(i);
        if (!err)
                err = hash_range(i, ctx, 0, i->at);
        if (err) {
                ingest_free(i);
                return err;
        }
        *out = i;
        return SW_OK;
}

int64_t
sw_ingest_offset(const sw_ingest *i)
{
        return i->at;
}

/* ---- write ---- */

static sw_err *
check_room(sw_ingest *i, int64_t n)
{
        assert(!i->sealed);
        if (i->broken)
                return sw_err_new(SW_E_IO, "ingest %.100s: writing it failed before",
                                  i->name);
        if (i->size >= 0 && n > i->size - i->at)
                return sw_err_new(SW_E_LIMIT,
                                  "ingest %.100s: more than the %lld bytes it should have",
                                  i->name, (long long) i->size);
        return SW_OK;
}

sw_err *
sw_ingest_write(sw_ingest *i, const void *p, size_t n)
{
        sw_err *err = check_room(i, (int64_t) n);

        if (err)
                return err;
        int failed = sw_pwrite_all(i->fd, p, n, i->at);
        if (failed) {
                i->broken = true;
                return ingest_err(i, failed, "write");
        }
        sw_hasher_add(i->hash, p, n);
        i->at += (int64_t) n;
        return SW_OK;
}

/* Copy within the kernel, sharing blocks where the file system can. *done false: it cannot
 * be done here, and nothing was. */
static sw_err *
copy_in_kernel(sw_ingest *i, sw_ctx *ctx, int fd, int64_t off, int64_t len, bool *done)
{
        const int64_t start = i->at;

        *done = false;
        while (len > 0) {
                loff_t from = off, to = i->at;
                ssize_t n = copy_file_range(fd, &from, i->fd, &to, (size_t) len, 0);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0 && i->at == start && errno != ENOSPC && errno != EIO)
                        return SW_OK;
                if (n <= 0) {
                        i->broken = i->at != start;
                        return ingest_err(i, n < 0 ? errno : EIO, "copy");
                }
                off += n;
                len -= n;
                i->at += n;
        }
        *done = true;
        sw_err *err = hash_range(i, ctx, start, i->at - start);
        i->broken = err != NULL;
        return err;
}

static sw_err *
copy_through(sw_ingest *i, sw_ctx *ctx, int fd, int64_t off, int64_t len)
{
        sw_auto(sw_str) buf = sw_alloc(CHUNK);

        while (len != 0) {
                const size_t want = len < 0 || len > CHUNK ? CHUNK : (size_t) len;
                sw_err *err = sw_ctx_check(ctx);

                if (err)
                        return err;
                ssize_t n = pread(fd, buf, want, off);
                if (n < 0 && errno == ESPIPE)
                        n = read(fd, buf, want);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n == 0 && len < 0)
                        return SW_OK;
                if (n <= 0)
                        return ingest_err(i, n < 0 ? errno : EIO, "read what becomes");
                err = sw_ingest_write(i, buf, (size_t) n);
                if (err)
                        return err;
                off += n;
                len -= len < 0 ? 0 : n;
        }
        return SW_OK;
}

sw_err *
sw_ingest_copy(sw_ingest *i, sw_ctx *ctx, int fd, int64_t off, int64_t len)
{
        struct stat st;
        bool done = false;

        if (fstat(fd, &st) < 0)
                return ingest_err(i, errno, "look at what becomes");
        const int64_t all = st.st_size > off ? st.st_size - off : 0;
        sw_err *err = check_room(i, len < 0 ? 0 : len);
        if (!err && S_ISREG(st.st_mode) && len >= 0 && len <= all)
                err = copy_in_kernel(i, ctx, fd, off, len, &done);
        else if (!err && S_ISREG(st.st_mode) && len < 0 && all > 0)
                err = check_room(i, all);
        if (!err && !done && S_ISREG(st.st_mode) && len < 0 && all > 0)
                err = copy_in_kernel(i, ctx, fd, off, all, &done);
        if (!err && !done)
                err = copy_through(i, ctx, fd, off, len);
        return err;
}

sw_err *
sw_ingest_restart(sw_ingest *i)
{
        if (ftruncate(i->fd, 0) < 0)
                return ingest_err(i, errno, "begin again");
        sw_hasher_free(i->hash);
        i->hash = sw_hasher_new();
        i->at = 0;
        i->broken = i->sealed = false;
        return SW_OK;
}

/* ---- end ---- */

sw_digest
sw_ingest_seal(sw_ingest *i)
{
        if (!i->sealed)
                i->sum = sw_hasher_finish(i->hash);
        i->sealed = true;
        return i->sum;
}

static sw_err *
check_whole(sw_ingest *i, const sw_digest *expected, const sw_digest *is)
{
        char want[SW_DIGEST_STR_SIZE], have[SW_DIGEST_STR_SIZE];

        if (i->broken)
                return sw_err_new(SW_E_IO, "ingest %.100s: writing it failed before",
                                  i->name);
        if (i->size >= 0 && i->at != i->size)
                return sw_err_new(SW_E_CORRUPT, "ingest %.100s: %lld bytes instead of %lld",
                                  i->name, (long long) i->at, (long long) i->size);
        if (expected && !sw_digest_eq(expected, is))
                return sw_err_new(SW_E_CORRUPT, "ingest %.100s: digest %s instead of %s",
                                  i->name, sw_digest_str(is, have),
                                  sw_digest_str(expected, want));
        return SW_OK;
}

/* The blob is on the disk before it has its name, and the name before we say so. */
static sw_err *
put_in_place(sw_ingest *i, const sw_digest *is, struct sw_blob_info *out)
{
        char hex[SW_DIGEST_HEX_LEN + 1];
        struct stat st;

        sw_err *err = hold(i->c, is);
        if (err)
                return err;
        if (fchmod(i->fd, 0444) < 0 || fsync(i->fd) < 0)
                return ingest_err(i, errno, "sync");
        if (renameat(i->c->ingests, i->file, i->c->blobs, sw_digest_hex(is, hex)) < 0)
                return ingest_err(i, errno, "put in place");
        if (fsync(i->c->blobs) < 0)
                return ingest_err(i, errno, "sync the place of");
        if (fstat(i->fd, &st) < 0)
                return ingest_err(i, errno, "look at");
        if (out)
                *out = (struct sw_blob_info){ *is, st.st_size,
                                              sw_time_from_spec(&st.st_mtim) };
        return SW_OK;
}

sw_err *
sw_ingest_commit(sw_ingest *i, const sw_digest *expected, struct sw_blob_info *out)
{
        const sw_digest is = sw_ingest_seal(i);
        sw_err *err = check_whole(i, expected, &is);

        if (!err)
                err = put_in_place(i, &is, out);
        if (sw_err_code(err) == SW_E_CORRUPT) {
                sw_ingest_abort(i);
                return err;
        }
        ingest_free(i); /* what could not be synced can be resumed */
        return err;
}

void
sw_ingest_close(sw_ingest *i)
{
        /* what was not hashed as it was written is of no use to anybody */
        if (i->broken)
                (void) ftruncate(i->fd, 0);
        ingest_free(i);
}

void
sw_ingest_abort(sw_ingest *i)
{
        if (!i)
                return;
        (void) unlinkat(i->c->ingests, i->file, 0);
        ingest_free(i);
}
