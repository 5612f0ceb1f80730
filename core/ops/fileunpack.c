/*
 * core/ops/fileunpack.c - archives that a copy unpacks: tar, plain or compressed with gzip,
 * bzip2, xz or zstd, told by what is in the file, not by its name.
 *
 * An archive is hostile until shown otherwise. The destination is its root, as if it were
 * unpacked in a chroot there: "/x" is below it, symlinks that lead out end at it, and a
 * name with ".." that would leave it is an error. Every path is resolved in the draft,
 * entry by entry, so what an earlier entry put in the way counts. How much comes out is
 * limited by the disk alone; cancelling is heeded at every block.
 * Thread: the draft's.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>

#include <slipway/io.h>
#include <slipway/text.h>
#include <slipway/time.h>

#include "core/ops/archlib.h"
#include "core/ops/fileact.h"

#define BLOCK       ((size_t) 64 << 10)
#define IN_MEMORY   ((int64_t) 256 << 10) /* files up to here need no spool */
#define TAR_BLOCK   512
#define MAX_ENTRIES 10000000

struct unpack {
        sw__draft *d;
        sw_ctx *ctx;
        const struct sw__archlib *lib;
        struct archive *a;
        const char *dest; /* plain */
        const struct sw__owner *owner;
        sw_fd spool;
        sw_buf data;
};

/* ---- is it one? --------------------------------------------------------------------- */

static bool
may_be_archive(const unsigned char *b, size_t n)
{
        static const struct {
                const char *magic;
                size_t n;
        } compressed[] = {
                { "\x1f\x8b", 2 },
                { "BZh", 3 },
                { "\xfd"
                  "7zXZ\0",
                  6 },
                { "\x28\xb5\x2f\xfd", 4 },
        };

        for (size_t i = 0; i < SW_COUNT(compressed); i++)
                if (n >= compressed[i].n &&
                    memcmp(b, compressed[i].magic, compressed[i].n) == 0)
                        return true;
        return sw_tar_starts(b, n);
}

/* ---- where an entry goes ------------------------------------------------------------ */

static sw_err *
outside(const char *name)
{
        sw_auto(sw_buf) shown = SW_BUF_INIT;

        sw_buf_add_quoted(&shown, name, strlen(name), 200);
        return sw_err_new(SW_E_INVALID, "archive path %s is outside of its root",
                          shown.data);
}

/* "./a//b/" is "a/b"; *out "" for the root. */
static sw_err *
clean_name(const char *name, char **out)
{
        sw_auto(sw_str) clean = sw_path_clean(name + strspn(name, "/"));

        if (strcmp(clean, "..") == 0 || sw_str_has_prefix(clean, "../"))
                return outside(name);
        *out = strcmp(clean, ".") == 0 ? sw_strdup("") : sw_steal(clean);
        return SW_OK;
}

static char *
in_dest(const struct unpack *u, const char *path)
{
        return sw_asprintf("%s%s%s", u->dest, *u->dest && *path ? "/" : "", path);
}

static sw_err *
link_at(void *arg, const char *path, char **target)
{
        struct unpack *u = arg;
        sw_auto(sw_str) full = in_dest(u, path);
        struct sw__draft_node *n;
        sw_err *err = sw__draft_find(u->d, full, &n);

        if (!err && n && S_ISLNK(n->type))
                *target = sw_strdup(n->link);
        return err;
}

/* The name of an entry, resolved below the destination; plain, in the draft. */
static sw_err *
resolve_name(struct unpack *u, const char *name, bool follow_last, char **out)
{
        sw_auto(sw_str) clean = NULL, plain = NULL;
        sw_err *err = clean_name(name, &clean);

        if (!err)
                err = sw__resolve(clean, follow_last, link_at, u, &plain);
        if (!err)
                *out = in_dest(u, plain);
        return err;
}

/* The directory an entry goes into, made when it is missing. @name: points into @path. */
static sw_err *
open_parent(struct unpack *u, char *path, struct sw__draft_node **dir, const char **name)
{
        const struct sw__owner root = { 0 };
        struct sw_layer_meta m = sw__file_meta(u->d, 0755, &root, -1);
        char *slash = strrchr(path, '/');
        sw_err *err;

        if (slash)
                *slash = '\0';
        err = sw__draft_mkdirs(u->d, slash ? path : "", &m, dir);
        if (slash)
                *slash = '/';
        *name = slash ? slash + 1 : path;
        return err;
}

/* ---- what it is --------------------------------------------------------------------- */

static sw_err *
entry_meta(const struct unpack *u, struct archive_entry *e, struct sw_layer_meta *out)
{
        int64_t uid = u->lib->entry_uid(e), gid = u->lib->entry_gid(e);

        if (u->owner->set) {
                uid = u->owner->uid;
                gid = u->owner->gid;
        }
        if (uid < 0 || gid < 0 || uid >= UINT32_MAX || gid >= UINT32_MAX)
                return sw_err_new(SW_E_INVALID, "invalid owner %" PRId64 ":%" PRId64, uid,
                                  gid);
        *out = (struct sw_layer_meta){
                .mode = u->lib->entry_perm(e) & 07777,
                .uid = (uid_t) uid,
                .gid = (gid_t) gid,
        };
        if (__builtin_mul_overflow((int64_t) u->lib->entry_mtime(e), SW_NS_PER_SEC,
                                   &out->mtime) ||
            __builtin_add_overflow(out->mtime, (int64_t) u->lib->entry_mtime_nsec(e),
                                   &out->mtime))
                return sw_err_new(SW_E_INVALID, "invalid modification time");
        return SW_OK;
}

static sw_err *
add_xattrs(struct unpack *u, struct archive_entry *e, struct sw__draft_node *n)
{
        const char *name;
        const void *value;
        size_t size;
        sw_err *err = SW_OK;

        (void) u->lib->entry_xattr_reset(e);
        while (!err && u->lib->entry_xattr_next(e, &name, &value, &size) == ARCHIVE_OK)
                if (name && size <= 65536)
                        err = sw__draft_xattr(u->d, n, name, value, size);
        return err;
}

static sw_err *
lib_error(const struct unpack *u)
{
        const char *text = u->lib->error_string(u->a);
        sw_auto(sw_str) shown = sw__path_shown(text ? text : "the archive is damaged");

        return sw_err_new(SW_E_INVALID, "%s", shown);
}

/* ---- data --------------------------------------------------------------------------- */

static sw_err *
take_block(struct unpack *u, const void *p, size_t n, int64_t at, int64_t size, int spool)
{
        sw_err *err = sw_ctx_check(u->ctx);

        if (!err && (at < 0 || at > size || (uint64_t) n > (uint64_t) (size - at)))
                err = sw_err_new(SW_E_INVALID, "it has more data than it says");
        if (err)
                return err;
        if (spool >= 0) {
                int failed = sw_pwrite_all(spool, p, n, at);
                return failed ? sw_err_sys(SW_E_IO, failed, "write to a temporary file")
                              : SW_OK;
        }
        memcpy(u->data.data + at, p, n);
        return SW_OK;
}

/* All of an entry's data, into @spool or, when that is -1, memory. */
static sw_err *
take_data(struct unpack *u, int64_t size, int spool)
{
        const void *p;
        size_t n;
        int64_t at;
        sw_err *err = SW_OK;

        while (!err) {
                int rc = u->lib->read_data_block(u->a, &p, &n, &at);

                if (rc == ARCHIVE_EOF)
                        return SW_OK;
                if (rc < ARCHIVE_WARN)
                        return lib_error(u);
                if (n)
                        err = take_block(u, p, n, at, size, spool);
        }
        return err;
}

static sw_err *
open_spool(struct unpack *u, int64_t size)
{
        if (u->spool < 0)
                u->spool = sw__draft_spool(u->d);
        if (u->spool < 0)
                return sw_err_sys(SW_E_IO, errno, "make a temporary file");
        if (ftruncate(u->spool, 0) != 0 || ftruncate(u->spool, size) != 0)
                return sw_err_sys(SW_E_IO, errno, "make room for %" PRId64 " bytes", size);
        return SW_OK;
}

static sw_err *
unpack_file(struct unpack *u, struct archive_entry *e, const struct sw_layer_meta *m,
            struct sw__draft_node *dir, const char *name, struct sw__draft_node **out)
{
        int64_t size = u->lib->entry_size(e);
        sw_err *err = SW_OK;

        if (size < 0)
                return sw_err_new(SW_E_INVALID, "invalid size");
        if (size > IN_MEMORY) {
                err = open_spool(u, size);
                if (!err)
                        err = take_data(u, size, u->spool);
                return err ? err
                           : sw__draft_range(u->d, dir, name, m, u->spool, 0, size, out);
        }
        sw_buf_clear(&u->data);
        sw_buf_reserve(&u->data, (size_t) IN_MEMORY);
        memset(u->data.data, 0, (size_t) size);
        err = take_data(u, size, -1);
        return err ? err
                   : sw__draft_data(u->d, dir, name, m, u->data.data, (size_t) size, out);
}

/* ---- entries ------------------------------------------------------------------------ */

/* Whether @path lies in the entry @name of @dir: what replaces that takes it away. */
static bool
is_inside(const char *path, const struct sw__draft_node *dir, const char *name)
{
        sw_auto(sw_str) above =
                sw_asprintf("%s%s%s/", dir->path, dir->path[0] ? "/" : "", name);

        return sw_str_has_prefix(path, above);
}

static sw_err *
bad_link(const char *target, const char *why)
{
        sw_auto(sw_str) shown = sw__path_shown(target);

        return sw_err_new(SW_E_INVALID, "it is a link to %s, which %s", shown, why);
}

static sw_err *
unpack_link(struct unpack *u, const char *target, struct sw__draft_node *dir,
            const char *name, struct sw__draft_node **out)
{
        sw_auto(sw_str) path = NULL;
        struct sw__draft_node *to;
        sw_err *err = resolve_name(u, target, false, &path);

        if (!err)
                err = sw__draft_find(u->d, path, &to);
        if (err)
                return err;
        if (!to || S_ISDIR(to->type))
                return bad_link(target, to ? "is a directory" : "is not there");
        if (is_inside(path, dir, name))
                return bad_link(target, "it replaces");
        if (to->parent == dir &&
            strcmp(path + strlen(to->parent->path) + (to->parent->path[0] ? 1 : 0), name) ==
                    0) {
                *out = to; /* a link to itself changes nothing */
                return SW_OK;
        }
        err = sw__draft_own(u->d, &to);
        return err ? err : sw__draft_link(u->d, dir, name, to, out);
}

static sw_err *
unpack_dir(struct unpack *u, struct archive_entry *e, const struct sw_layer_meta *m,
           char *path)
{
        struct sw__draft_node *dir, *n;
        const char *name;
        sw_err *err = sw__draft_find(u->d, path, &n);

        if (!err && n && S_ISDIR(n->type)) {
                err = sw__draft_set_meta(u->d, n, m);
        } else if (!err) {
                err = open_parent(u, path, &dir, &name);
                if (!err)
                        err = sw__draft_mkdir(u->d, dir, name, m, &n);
        }
        return err ? err : add_xattrs(u, e, n);
}

static sw_err *
unpack_other(struct unpack *u, struct archive_entry *e, const struct sw_layer_meta *m,
             char *path)
{
        const char *link = u->lib->entry_hardlink(e), *target = u->lib->entry_symlink(e);
        mode_t type = u->lib->entry_filetype(e);
        struct sw__draft_node *dir, *n;
        const char *name;
        sw_err *err = open_parent(u, path, &dir, &name);

        if (err)
                return err;
        if (link)
                return unpack_link(u, link, dir, name, &n);
        if (type == AE_IFREG)
                err = unpack_file(u, e, m, dir, name, &n);
        else if (type == AE_IFLNK && target && *target && strlen(target) < PATH_MAX)
                err = sw__draft_symlink(u->d, dir, name, m, target, &n);
        else if (type == AE_IFCHR || type == AE_IFBLK || type == AE_IFIFO)
                err = sw__draft_device(u->d, dir, name, m, type, u->lib->entry_rdev(e), &n);
        else
                err = sw_err_new(SW_E_UNSUPPORTED, "it is of type 0%o", (unsigned) type);
        return err ? err : add_xattrs(u, e, n);
}

static sw_err *
unpack_entry(struct unpack *u, struct archive_entry *e)
{
        const char *name = u->lib->entry_pathname(e);
        bool dir = !u->lib->entry_hardlink(e) && u->lib->entry_filetype(e) == AE_IFDIR;
        sw_auto(sw_str) path = NULL;
        sw_auto(sw_buf) shown = SW_BUF_INIT;
        struct sw_layer_meta m;
        sw_err *err;

        if (!name)
                return sw_err_new(SW_E_INVALID, "an entry has no name");
        sw_buf_add_quoted(&shown, name, strlen(name), 200);
        err = resolve_name(u, name, false, &path);
        if (!err)
                err = entry_meta(u, e, &m);
        if (!err && strcmp(path, u->dest) != 0) /* its root is the destination as it is */
                err = dir ? unpack_dir(u, e, &m, path) : unpack_other(u, e, &m, path);
        return sw_err_wrap(err, "entry %s", shown.data);
}

/* ---- the archive -------------------------------------------------------------------- */

static sw_err *
make_root(struct unpack *u, const char *dest, int64_t timestamp, char **plain)
{
        struct sw_layer_meta m = sw__file_meta(u->d, 0755, u->owner, timestamp);
        struct sw__draft_node *n;
        sw_err *err = sw__draft_resolve(u->d, dest, true, plain);

        u->dest = *plain;
        return err ? err : sw__draft_mkdirs(u->d, *plain, &m, &n);
}

static bool
open_archive(struct unpack *u, int fd)
{
        u->a = u->lib->read_new();
        if (!u->a)
                return false;
        (void) u->lib->read_support_filter_gzip(u->a);
        (void) u->lib->read_support_filter_bzip2(u->a);
        (void) u->lib->read_support_filter_xz(u->a);
        (void) u->lib->read_support_filter_zstd(u->a);
        (void) u->lib->read_support_format_tar(u->a);
        return u->lib->read_open_fd(u->a, fd, BLOCK) == ARCHIVE_OK;
}

/* @e: the first entry, whose header was read. */
static sw_err *
unpack_all(struct unpack *u, struct archive_entry *e)
{
        sw_err *err = SW_OK;

        for (unsigned n = 0; !err; n++) {
                int rc;

                if (n == MAX_ENTRIES)
                        return sw_err_new(SW_E_LIMIT, "it has more than %d entries",
                                          MAX_ENTRIES);
                err = sw_ctx_check(u->ctx);
                if (!err)
                        err = unpack_entry(u, e);
                if (err)
                        return err;
                rc = u->lib->read_next_header(u->a, &e);
                if (rc == ARCHIVE_EOF)
                        return SW_OK;
                if (rc < ARCHIVE_WARN)
                        return lib_error(u);
        }
        return err;
}

/* What looks like a compressed file may be one of something else: that is no archive. */
static sw_err *
unpack_fd(struct unpack *u, int fd, const char *dest, int64_t timestamp, bool *done)
{
        sw_auto(sw_str) plain = NULL;
        struct archive_entry *e;
        sw_err *err;

        if (!open_archive(u, fd) || u->lib->read_next_header(u->a, &e) < ARCHIVE_WARN ||
            !u->lib->entry_pathname(e))
                return SW_OK;
        *done = true;
        err = make_root(u, dest, timestamp, &plain);
        return err ? err : unpack_all(u, e);
}

static sw_err *
open_candidate(const struct sw__view *src, const char *path, struct sw__view_entry *e,
               struct stat *st, char **plain, int *fd)
{
        unsigned char head[TAR_BLOCK];
        sw_auto(sw_fd) f = -1;
        ssize_t n;
        sw_err *err = sw__view_resolve(src, path, true, plain);

        if (!err)
                err = sw__view_lstat(src, *plain, e);
        if (err && sw_err_code(err) == SW_E_NOT_FOUND) {
                sw_err_drop(err, "copying it says so");
                return SW_OK;
        }
        if (err || !S_ISREG(e->st.st_mode))
                return err;
        err = sw__view_open_file(src, *plain, e, &f, st);
        if (err)
                return err;
        n = pread(f, head, sizeof(head), 0);
        if (n > 0 && may_be_archive(head, (size_t) n))
                *fd = sw_fd_steal(&f);
        return SW_OK;
}

sw_err *
sw__file_unpack(sw__draft *d, sw_ctx *ctx, const struct sw__view *src, const char *path,
                const char *dest, const struct sw__owner *o, int64_t timestamp, bool *done)
{
        struct unpack u = { .d = d, .ctx = ctx, .owner = o, .spool = -1 };
        struct sw__archlib lib;
        sw_auto(sw_str) plain = NULL;
        sw_auto(sw_fd) fd = -1;
        struct sw__view_entry e;
        struct stat st;
        sw_err *err = open_candidate(src, path, &e, &st, &plain, &fd);

        *done = false;
        if (err || fd < 0)
                return err;
        err = sw__archlib_load(&lib);
        if (err)
                return err;
        u.lib = &lib;
        sw_buf_init(&u.data);
        err = unpack_fd(&u, fd, dest, timestamp, done);
        if (!err && *done)
                err = sw__view_check_file(src, plain, &e, fd, &st);
        if (u.a)
                (void) lib.read_free(u.a);
        sw_fd_clear(&u.spool);
        sw_buf_release(&u.data);
        return sw__file_wrap(err, "unpack", path, NULL, NULL);
}
