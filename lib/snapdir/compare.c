/*
 * lib/snapdir/compare.c - whether two entries are the same to who uses the trees.
 *
 * Contents are read when everything else is equal: two builds may well make files that
 * differ in nothing but their bytes. Change times, inode numbers and link counts do not
 * count. Thread: any; no state.
 */
#include <fcntl.h>
#include <string.h>

#include <slipway/time.h>

#include "lib/snapdir/diff_priv.h"

enum { BLOCK = 64 << 10 };

void
meta_set(struct meta *m, const struct stat *st)
{
        *m = (struct meta){
                .mode = st->st_mode,
                .uid = st->st_uid,
                .gid = st->st_gid,
                .nlink = st->st_nlink,
                .rdev = S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode) ? st->st_rdev : 0,
                .ino = st->st_ino,
                .size = S_ISREG(st->st_mode) || S_ISLNK(st->st_mode) ? st->st_size : 0,
                .mtime = sw_time_from_spec(&st->st_mtim),
                .ctime = st->st_ctim,
        };
}

static bool
same_meta(const struct meta *a, const struct meta *b)
{
        return a->mode == b->mode && a->uid == b->uid && a->gid == b->gid &&
               a->rdev == b->rdev && a->size == b->size && a->mtime == b->mtime;
}

static sw_err *
same_attrs(int a, int b, const char *name, bool *same)
{
        sw_auto(sw_strlist) na = { 0 };
        sw_auto(sw_strlist) nb = { 0 };
        sw_err *err = snapdir_attr_list(a, name, &na);

        if (!err)
                err = snapdir_attr_list(b, name, &nb);
        *same = na.n == nb.n;
        for (size_t i = 0; !err && *same && i < na.n; i++) {
                sw_auto(sw_buf) va = SW_BUF_INIT;
                sw_auto(sw_buf) vb = SW_BUF_INIT;

                *same = strcmp(na.v[i], nb.v[i]) == 0;
                if (!*same)
                        break;
                err = snapdir_attr_get(a, name, na.v[i], &va);
                if (!err)
                        err = snapdir_attr_get(b, name, nb.v[i], &vb);
                *same = va.len == vb.len && memcmp(va.data, vb.data, va.len) == 0;
        }
        return err;
}

/* Read a whole block, or what is left. -1 and errno. */
static ssize_t
read_block(int fd, char *p, int64_t off)
{
        size_t have = 0;

        while (have < BLOCK) {
                ssize_t n = pread(fd, p + have, BLOCK - have, off + (int64_t) have);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -1;
                if (n == 0)
                        break;
                have += (size_t) n;
        }
        return (ssize_t) have;
}

static sw_err *
same_contents(sw_ctx *ctx, int a, int b, const char *name, bool *same)
{
        sw_auto(sw_fd) fa = openat(a, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        sw_auto(sw_fd) fb = openat(b, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        sw_auto(sw_str) block = sw_alloc(2 * BLOCK);
        ssize_t n = BLOCK;

        if (fa < 0 || fb < 0)
                return snapdir_err(errno, "open", name);
        *same = true;
        for (int64_t off = 0; n == BLOCK && *same; off += n) {
                n = read_block(fa, block, off);
                ssize_t m = n < 0 ? n : read_block(fb, block + BLOCK, off);

                if (m < 0)
                        return snapdir_err(errno, "read", name);
                *same = n == m && memcmp(block, block + BLOCK, (size_t) n) == 0;
                sw_err *err = sw_ctx_check(ctx);
                if (err)
                        return err;
        }
        return SW_OK;
}

static sw_err *
same_target(int a, int b, const char *name, bool *same)
{
        sw_auto(sw_str) ta = NULL;
        sw_auto(sw_str) tb = NULL;
        sw_err *err = sw_path_readlink(a, name, &ta);

        if (!err)
                err = sw_path_readlink(b, name, &tb);
        if (!err)
                *same = strcmp(ta, tb) == 0;
        return err;
}

sw_err *
diff_same_entry(sw_ctx *ctx, int a, const struct meta *ma, int b, const struct meta *mb,
                const char *name, bool *same)
{
        *same = same_meta(ma, mb);
        if (!*same)
                return SW_OK;
        sw_err *err = same_attrs(a, b, name, same);
        if (err || !*same)
                return err;
        if (S_ISREG(ma->mode))
                return same_contents(ctx, a, b, name, same);
        if (S_ISLNK(ma->mode))
                return same_target(a, b, name, same);
        return SW_OK;
}
