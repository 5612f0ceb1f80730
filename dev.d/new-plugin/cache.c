/*
 * plugins/cache-@NAME@/plugin.c - cache backend "@NAME@": a directory with the file config
 * and one file for each blob. Attribute: dir.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <slipway/cache.h>
#include <slipway/path.h>

enum { CONFIG_MAX = 1 << 20 };

struct place {
        int dirfd;
};

static sw_err *
@ID@_open(void *self, sw_ctx *ctx, const struct sw_attr *attrs, size_t n, bool writing,
          sw_session *session, void **place)
{
        const char *dir = sw_attr_get(attrs, n, "dir");
        struct place *p;

        (void) self;
        (void) ctx;
        (void) writing;
        (void) session;
        if (!dir)
                return sw_err_new(SW_E_INVALID, "attribute dir is missing");
        int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return sw_err_sys(SW_E_IO, errno, "open %s", dir);
        p = sw_new(struct place);
        p->dirfd = fd;
        *place = p;
        return SW_OK;
}

static void
@ID@_close(void *self, void *place)
{
        struct place *p = place;

        (void) self;
        close(p->dirfd);
        free(p);
}

static sw_err *
@ID@_load(void *place, sw_ctx *ctx, sw_buf *out)
{
        struct place *p = place;

        (void) ctx;
        return sw_buf_read_file(out, p->dirfd, "config", CONFIG_MAX);
}

static sw_err *
@ID@_save(void *place, sw_ctx *ctx, const void *data, size_t n)
{
        struct place *p = place;

        (void) ctx;
        return sw_path_write_file(p->dirfd, "config", data, n, 0644);
}

static sw_err *
@ID@_has(void *place, sw_ctx *ctx, const sw_digest *d, bool *out)
{
        struct place *p = place;
        char hex[SW_DIGEST_HEX_LEN + 1];

        (void) ctx;
        *out = faccessat(p->dirfd, sw_digest_hex(d, hex), R_OK, AT_SYMLINK_NOFOLLOW) == 0;
        return SW_OK;
}

/* Copy at most @len bytes (-1: all there are), hashing them on the way. */
static sw_err *
copy(sw_ctx *ctx, int from, int to, int64_t len, sw_digest *digest)
{
        sw_autoptr(sw_hasher) h = sw_hasher_new();
        char block[65536];

        while (len) {
                sw_err *err = sw_ctx_check(ctx);
                size_t want = len < 0 || len > (int64_t) sizeof(block) ? sizeof(block)
                                                                       : (size_t) len;
                if (err)
                        return err;
                ssize_t n = read(from, block, want);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return sw_err_sys(SW_E_IO, errno, "read a blob");
                if (n == 0)
                        break;
                sw_hasher_add(h, block, (size_t) n);
                len -= len < 0 ? 0 : n;
                for (ssize_t done = 0; done < n;) {
                        ssize_t w = write(to, block + done, (size_t) (n - done));

                        if (w < 0 && errno != EINTR)
                                return sw_err_sys(SW_E_IO, errno, "write a blob");
                        done += w < 0 ? 0 : w;
                }
        }
        *digest = sw_hasher_finish(h);
        return SW_OK;
}

static sw_err *
@ID@_get(void *place, sw_ctx *ctx, const sw_digest *d, int fd)
{
        struct place *p = place;
        char hex[SW_DIGEST_HEX_LEN + 1];
        sw_digest seen;
        sw_auto(sw_fd) from = openat(p->dirfd, sw_digest_hex(d, hex), O_RDONLY | O_CLOEXEC);

        if (from < 0)
                return sw_err_sys(errno == ENOENT ? SW_E_NOT_FOUND : SW_E_IO, errno,
                                  "open blob %s", hex);
        sw_err *err = copy(ctx, from, fd, -1, &seen);
        if (err)
                return sw_err_wrap(err, "get blob %s", hex);
        if (!sw_digest_eq(d, &seen))
                return sw_err_new(SW_E_CORRUPT, "blob %s is damaged", hex);
        return SW_OK;
}

/* Written under a name of its own and renamed, so that a blob is whole or absent. */
static sw_err *
@ID@_put(void *place, sw_ctx *ctx, const sw_digest *d, int fd, int64_t len)
{
        struct place *p = place;
        char hex[SW_DIGEST_HEX_LEN + 1];
        sw_digest seen;
        sw_auto(sw_str) part = sw_asprintf("%s.part", sw_digest_hex(d, hex));
        sw_auto(sw_fd) to = openat(p->dirfd, part, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);

        if (to < 0)
                return sw_err_sys(errno == EEXIST ? SW_E_BUSY : SW_E_IO, errno, "make %s", part);
        sw_err *err = copy(ctx, fd, to, len, &seen);
        if (!err && !sw_digest_eq(d, &seen))
                err = sw_err_new(SW_E_INVALID, "the bytes are not those of the digest");
        if (!err && (fsync(to) < 0 || renameat(p->dirfd, part, p->dirfd, hex) < 0))
                err = sw_err_sys(SW_E_IO, errno, "store it");
        if (err)
                (void) unlinkat(p->dirfd, part, 0);
        return sw_err_wrap(err, "put blob %s", hex);
}

static const struct sw_cache_ops ops = {
        .hdr = SW_OPS_SIZE(struct sw_cache_ops),
        .open = @ID@_open,
        .close = @ID@_close,
        .load = @ID@_load,
        .save = @ID@_save,
        .has = @ID@_has,
        .get = @ID@_get,
        .put = @ID@_put,
};

SW_PLUGIN(cache_@ID@) = {
        SW_PLUGIN_V1(SW_KIND_CACHE, "@NAME@"),
        .summary = "cache in a directory",
        .ops = &ops.hdr,
};
