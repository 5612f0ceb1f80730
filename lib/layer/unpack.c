/*
 * lib/layer/unpack.c - the entries of a blob, told to a layer writer.
 *
 * What was told is remembered by name: a table from (number of a directory, name in it) to
 * what is there. A directory that is replaced by something else and then made again gets
 * another number, so that what was in it is found no more.
 *
 * Thread: the caller's; sw_ahead has its own.
 */
#include <limits.h>
#include <linux/limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <slipway/io.h>
#include <slipway/map.h>
#include <slipway/text.h>

#include "lib/layer/spool.h"
#include "lib/layer/unpackahead.h"
#include "lib/layer/unpacktar.h"

#define MAX_SIZE  ((int64_t) 1 << 40)
#define MAX_NAMES ((size_t) 256 << 20) /* bytes of names of all entries */
enum { MAX_ENTRIES = 5000000, PATH_LIMIT = 64 << 10 };

/* What a name stands for. */
enum what {
        NOTHING,
        DIRECTORY, /* of the archive */
        IMPLIED,   /* a directory that had to be there */
        OTHER,     /* something that can have another name */
        WHITEOUT,
        PASSED_OVER /* a device */
};

/* Kept as a pointer: the number of a directory and an enum what. */
struct known {
        uint32_t number;
        enum what what;
};

struct unpack {
        sw_ctx *ctx;
        const struct sw_layer_ops *ops;
        void *w;
        bool no_devices;
        int64_t max, files; /* bytes; of files told so far */
        struct sw_tarin in;
        sw_map *known;
        uint32_t numbers;
        size_t entries, names;
        sw_buf path, link;
        sw_strlist implied;
        sw_buf small; /* a small file that is not in one piece */
        /* The directory of the entry before: its path is the first @dir_len bytes of @dir
         */
        sw_buf dir;
        uint32_t dir_number;
        bool dir_valid;
};

/* ---- names ---- */

/* "/a//./b/" is "a/b"; "" is the root. */
static sw_err *
clean(const char *name, sw_buf *out)
{
        sw_buf_clear(out);
        for (const char *p = name; *p;) {
                const size_t n = strcspn(p, "/");

                if (n == 2 && p[0] == '.' && p[1] == '.')
                        return sw_err_new(SW_E_INVALID, "a name with \"..\" in it");
                if (n > NAME_MAX)
                        return sw_err_new(SW_E_LIMIT, "a name of more than %d bytes",
                                          NAME_MAX);
                if (n && !(n == 1 && p[0] == '.')) {
                        if (out->len)
                                sw_buf_addc(out, '/');
                        sw_buf_add(out, p, n);
                }
                p += n;
                p += *p == '/';
        }
        if (out->len > PATH_LIMIT)
                return sw_err_new(SW_E_LIMIT, "a path of more than %d bytes", PATH_LIMIT);
        return SW_OK;
}

/* ---- what is known ---- */

static size_t
make_key(char key[sizeof(uint32_t) + NAME_MAX], uint32_t dir, const char *name, size_t n)
{
        memcpy(key, &dir, sizeof(dir));
        memcpy(key + sizeof(dir), name, n);
        return sizeof(dir) + n;
}

static struct known
look_up(const struct unpack *u, uint32_t dir, const char *name, size_t n)
{
        char key[sizeof(uint32_t) + NAME_MAX];
        const size_t len = make_key(key, dir, name, n);
        const uintptr_t v = (uintptr_t) sw_map_get_bytes(u->known, key, len);

        return (struct known){ .number = (uint32_t) (v >> 3), .what = (enum what)(v & 7) };
}

static bool
is_dir(struct known k)
{
        return k.what == DIRECTORY || k.what == IMPLIED;
}

/* Note what @name in @dir is now; a directory that was there keeps its number. */
static sw_err *
note(struct unpack *u, uint32_t dir, const char *name, size_t n, enum what what,
     uint32_t *number)
{
        char key[sizeof(uint32_t) + NAME_MAX];
        const size_t len = make_key(key, dir, name, n);
        struct known now = look_up(u, dir, name, n);

        if (now.what == NOTHING) {
                u->names += n;
                if (++u->entries > MAX_ENTRIES || u->names > MAX_NAMES)
                        return sw_err_new(
                                SW_E_LIMIT,
                                "a layer of more than %d entries, or %zu bytes of "
                                "names",
                                MAX_ENTRIES, MAX_NAMES);
        }
        const bool dir_now = what == DIRECTORY || what == IMPLIED;
        if (dir_now && !is_dir(now))
                now.number = ++u->numbers;
        if (!dir_now) {
                if (is_dir(now))
                        u->dir_valid = false;
                now.number = 0;
        }
        (void) sw_map_set_bytes(u->known, key, len,
                                (void *) ((uintptr_t) now.number << 3 | what));
        if (number)
                *number = now.number;
        return SW_OK;
}

static sw_err *
imply(struct unpack *u, uint32_t dir, const char *path, size_t path_len, const char *name,
      uint32_t *number)
{
        static const struct sw_layer_meta meta = { .mode = 0755 };
        sw_auto(sw_str) full = sw_strndup(path, path_len);
        sw_err *err = u->ops->mkdir(u->w, full, &meta);

        if (!err)
                err = note(u, dir, name, (size_t) (path + path_len - name), IMPLIED,
                           number);
        if (!err)
                sw_strlist_take(&u->implied, sw_steal(full));
        return err;
}

/* The number of the directory at the first @len bytes of @path. @make: directories that
 * are missing are told; else 0 is the number of none. */
static sw_err *
find_dir(struct unpack *u, const char *path, size_t len, bool make, uint32_t *out)
{
        uint32_t dir = 1;
        sw_err *err = SW_OK;

        for (size_t at = 0; at < len && !err && dir;) {
                const size_t n = strcspn(path + at, "/");
                const struct known k = look_up(u, dir, path + at, n);

                if (is_dir(k))
                        dir = k.number;
                else if (!make)
                        dir = 0;
                else if (k.what == NOTHING || k.what == WHITEOUT)
                        err = imply(u, dir, path, at + n, path + at, &dir);
                else
                        err = sw_err_new(SW_E_INVALID,
                                         "it is below something that is no directory");
                at += n + 1;
        }
        *out = dir;
        return err;
}

/* The directory that holds u->path, told if it must be, and the name in it. */
static sw_err *
enter(struct unpack *u, uint32_t *dir, const char **name)
{
        const char *slash = strrchr(u->path.data, '/');
        const size_t len = slash ? (size_t) (slash - u->path.data) : 0;
        sw_err *err;

        *name = slash ? slash + 1 : u->path.data;
        if (u->dir_valid && u->dir.len == len && !memcmp(u->dir.data, u->path.data, len)) {
                *dir = u->dir_number;
                return SW_OK;
        }
        err = find_dir(u, u->path.data, len, true, dir);
        if (err)
                return err;
        sw_buf_clear(&u->dir);
        sw_buf_add(&u->dir, u->path.data, len);
        u->dir_number = *dir;
        u->dir_valid = true;
        return SW_OK;
}

static struct known
look_up_path(const struct unpack *u, const char *path)
{
        const char *slash = strrchr(path, '/');
        const char *name = slash ? slash + 1 : path;
        uint32_t dir = 0;
        sw_err *err = find_dir((struct unpack *) u, path,
                               slash ? (size_t) (slash - path) : 0, false, &dir);

        if (err || !dir || !*name) {
                sw_err_drop(err, "nothing is made: there is none");
                return (struct known){ 0 };
        }
        return look_up(u, dir, name, strlen(name));
}

/* ---- files ---- */

static sw_err *
read_entry(void *arg, void *p, size_t n, size_t *got)
{
        struct unpack *u = arg;
        sw_err *err = sw_ctx_check(u->ctx);

        return err ? err : sw_tarin_read(&u->in, p, n, got);
}

static sw_err *
read_exactly(struct unpack *u, char *p, int64_t n)
{
        while (n > 0) {
                size_t got;
                sw_err *err = sw_tarin_read(&u->in, p, (size_t) n, &got);

                if (err)
                        return err;
                p += got;
                n -= (int64_t) got;
        }
        return SW_OK;
}

static sw_err *
tell_small(struct unpack *u, const struct sw_tarin_entry *e)
{
        const char *p;
        size_t n;
        sw_err *err = sw_tarin_peek(&u->in, &p, &n);

        if (err)
                return err;
        if ((int64_t) n == e->size) {
                err = u->ops->data(u->w, u->path.data, &e->meta, n ? p : "", n);
                sw_tarin_took(&u->in, n);
                return err;
        }
        sw_buf_clear(&u->small);
        sw_buf_reserve(&u->small, (size_t) e->size);
        err = read_exactly(u, u->small.data, e->size);
        return err ? err
                   : u->ops->data(u->w, u->path.data, &e->meta, u->small.data,
                                  (size_t) e->size);
}

/* By way of a file without a name, in which holes are holes. */
static sw_err *
tell_spooled(struct unpack *u, const struct sw_tarin_entry *e)
{
        const struct sw_tarin_part whole = { 0, e->size };
        const struct sw_tarin_part *parts = e->sparse ? e->parts.v : &whole;
        const size_t n = e->sparse ? e->parts.n : 1;
        sw_auto(sw_fd) fd = -1;
        sw_err *err = sw_spool_new(&fd);

        if (!err && ftruncate(fd, e->size) != 0)
                err = sw_err_sys(SW_E_IO, errno, "make a file of %lld bytes",
                                 (long long) e->size);
        for (size_t i = 0; i < n && !err; i++) {
                for (int64_t at = parts[i].off, end = at + parts[i].len;
                     at < end && !err;) {
                        const char *p;
                        size_t have;

                        err = sw_tarin_peek(&u->in, &p, &have);
                        if (!err && (int64_t) have > end - at)
                                have = (size_t) (end - at);
                        int failed = err ? 0 : sw_pwrite_all(fd, p, have, at);
                        if (failed)
                                err = sw_err_sys(SW_E_IO, failed,
                                                 "write to a temporary file");
                        if (!err)
                                err = sw_ctx_check(u->ctx);
                        sw_tarin_took(&u->in, err ? 0 : have);
                        at += (int64_t) have;
                }
        }
        return err ? err : u->ops->file(u->w, u->path.data, &e->meta, fd, 0, e->size);
}

static sw_err *
tell_small_sparse(struct unpack *u, const struct sw_tarin_entry *e)
{
        sw_err *err = SW_OK;

        sw_buf_clear(&u->small);
        sw_buf_reserve(&u->small, (size_t) e->size);
        memset(u->small.data, 0, (size_t) e->size);
        for (size_t i = 0; i < e->parts.n && !err; i++)
                err = read_exactly(u, u->small.data + e->parts.v[i].off, e->parts.v[i].len);
        return err ? err
                   : u->ops->data(u->w, u->path.data, &e->meta, u->small.data,
                                  (size_t) e->size);
}

static sw_err *
tell_file(struct unpack *u, const struct sw_tarin_entry *e)
{
        if (e->size > u->max - u->files)
                return sw_err_new(SW_E_LIMIT, "files of more than %lld bytes",
                                  (long long) u->max);
        u->files += e->size;
        if (e->sparse)
                return e->size <= SW_SPOOL_MEMORY ? tell_small_sparse(u, e)
                                                  : tell_spooled(u, e);
        if (e->size <= SW_SPOOL_MEMORY)
                return tell_small(u, e);
        if (!SW_OPS_HAS(u->ops, struct sw_layer_ops, stream))
                return tell_spooled(u, e);
        return u->ops->stream(u->w, u->path.data, &e->meta, read_entry, u, e->size);
}

/* ---- other entries ---- */

/* What overlayfs keeps its own state in, and the label that the machine sets. */
static bool
is_private(const char *name)
{
        return sw_str_has_prefix(name, "trusted.overlay.") ||
               sw_str_has_prefix(name, "user.overlay.") ||
               strcmp(name, "security.selinux") == 0;
}

static sw_err *
tell_xattrs(struct unpack *u, const struct sw_tarin_entry *e)
{
        sw_err *err = SW_OK;

        for (size_t i = 0; i < e->xattrs.n && !err; i++) {
                const struct sw_tarin_xattr *x = &e->xattrs.v[i];

                if (!is_private(x->name))
                        err = u->ops->xattr(u->w, u->path.data, x->name, x->value, x->n);
        }
        return err;
}

/* *what: what the path is then. */
static sw_err *
tell_link(struct unpack *u, const struct sw_tarin_entry *e, enum what *what)
{
        sw_auto(sw_buf) shown = SW_BUF_INIT;
        sw_err *err = clean(e->link, &u->link);

        if (err)
                return sw_err_wrap(err, "what it is a hard link to");
        const struct known k = look_up_path(u, u->link.data);
        *what = k.what;
        if (k.what == OTHER && strcmp(u->link.data, u->path.data) == 0)
                return SW_OK;
        if (k.what == OTHER && strncmp(u->link.data, u->path.data, u->path.len) == 0 &&
            u->link.data[u->path.len] == '/')
                return sw_err_new(SW_E_INVALID,
                                  "a hard link to what is in a directory that "
                                  "it would replace");
        if (k.what == OTHER)
                return u->ops->hardlink(u->w, u->path.data, u->link.data, &e->meta);
        if (k.what == PASSED_OVER)
                return SW_OK;
        sw_buf_add_quoted(&shown, u->link.data, u->link.len, 200);
        return sw_err_new(SW_E_INVALID, "a hard link to %s, which %s", shown.data,
                          is_dir(k) ? "is a directory" : "the layer did not have before");
}

static sw_err *
tell_node(struct unpack *u, const struct sw_tarin_entry *e)
{
        const mode_t type = e->type == '3' ? S_IFCHR : e->type == '4' ? S_IFBLK : S_IFIFO;

        return u->ops->node(u->w, u->path.data, &e->meta, type,
                            e->type == '6' ? 0 : makedev(e->dev_major, e->dev_minor));
}

/* Something that is no directory, at @name in @dir. */
static sw_err *
tell_other(struct unpack *u, const struct sw_tarin_entry *e, uint32_t dir, const char *name)
{
        const struct known before = look_up(u, dir, name, strlen(name));
        enum what what = OTHER;
        sw_err *err = SW_OK;

        if (e->type == '0')
                err = tell_file(u, e);
        else if (e->type == '1')
                err = tell_link(u, e, &what);
        else if (e->type == '2' && !*e->link)
                err = sw_err_new(SW_E_INVALID, "a symlink to nothing");
        else if (e->type == '2')
                err = u->ops->symlink(u->w, u->path.data, &e->meta, e->link);
        else if (u->no_devices && e->type != '6')
                what = PASSED_OVER;
        else
                err = tell_node(u, e);
        /* it would have replaced what was told */
        if (!err && what == PASSED_OVER && before.what != NOTHING && before.what != what)
                err = u->ops->whiteout(u->w, u->path.data);
        if (!err)
                err = note(u, dir, name, strlen(name), what, NULL);
        if (!err && what == OTHER && e->type != '1')
                err = tell_xattrs(u, e);
        return err;
}

static sw_err *
tell_directory(struct unpack *u, const struct sw_tarin_entry *e)
{
        const char *name = "";
        uint32_t dir = 0;
        sw_err *err = *u->path.data ? enter(u, &dir, &name) : SW_OK;

        if (!err)
                err = u->ops->mkdir(u->w, u->path.data, &e->meta);
        if (!err && *u->path.data)
                err = note(u, dir, name, strlen(name), DIRECTORY, NULL);
        return err ? err : tell_xattrs(u, e);
}

/* ---- whiteouts ---- */

/* A whiteout is about the layers below: what this one has under the name stays, and hides
 * them. */
static sw_err *
tell_whiteout(struct unpack *u)
{
        const char *name;
        uint32_t dir;
        sw_err *err = enter(u, &dir, &name);

        if (err)
                return err;
        const struct known k = look_up(u, dir, name, strlen(name));
        if (is_dir(k))
                return u->ops->opaque(u->w, u->path.data);
        if (k.what == OTHER || k.what == WHITEOUT)
                return SW_OK;
        err = u->ops->whiteout(u->w, u->path.data);
        return err ? err : note(u, dir, name, strlen(name), WHITEOUT, NULL);
}

static sw_err *
tell_opaque(struct unpack *u)
{
        uint32_t dir;
        sw_err *err = find_dir(u, u->path.data, u->path.len, true, &dir);

        return err ? err : u->ops->opaque(u->w, u->path.data);
}

enum marker { NO_MARKER, MARKS_GONE, MARKS_OPAQUE, MARKS_NOTHING };

/* Whether u->path stands for something else; it becomes the path of that. */
static sw_err *
find_marker(struct unpack *u, enum marker *out)
{
        char *p = u->path.data;

        *out = NO_MARKER;
        while (strncmp(p, ".wh.", 4) != 0) {
                p = strchr(p, '/');
                if (!p)
                        return SW_OK;
                p++;
        }
        const size_t at = (size_t) (p - u->path.data);
        if (strcmp(p, ".wh..wh..opq") == 0) {
                *out = MARKS_OPAQUE;
                sw_buf_truncate(&u->path, at ? at - 1 : 0);
                return SW_OK;
        }
        if (strncmp(p, ".wh..wh.", 8) == 0) {
                *out = MARKS_NOTHING;
                return SW_OK;
        }
        if (strchr(p, '/'))
                return sw_err_new(SW_E_INVALID, "it is below a whiteout");
        if (!p[4] || !strcmp(p + 4, ".") || !strcmp(p + 4, ".."))
                return sw_err_new(SW_E_INVALID, "a whiteout of a name that cannot be");
        *out = MARKS_GONE;
        sw_auto(sw_str) name = sw_strdup(p + 4);
        sw_buf_truncate(&u->path, at);
        sw_buf_adds(&u->path, name);
        return SW_OK;
}

/* ---- all of it ---- */

static sw_err *
tell_entry(struct unpack *u, const struct sw_tarin_entry *e)
{
        enum marker marker;
        const char *name;
        uint32_t dir;
        sw_err *err = clean(e->name, &u->path);

        if (!err)
                err = find_marker(u, &marker);
        if (err || marker == MARKS_NOTHING)
                return err;
        if (marker != NO_MARKER)
                return marker == MARKS_GONE ? tell_whiteout(u) : tell_opaque(u);
        if (e->type == '5')
                return tell_directory(u, e);
        if (!*u->path.data)
                return sw_err_new(SW_E_INVALID, "the root can only be a directory");
        err = enter(u, &dir, &name);
        return err ? err : tell_other(u, e, dir, name);
}

static sw_err *
tell_all(struct unpack *u)
{
        for (;;) {
                struct sw_tarin_entry *e;
                sw_err *err = sw_tarin_next(u->ctx, &u->in, &e);

                if (err || !e)
                        return err;
                err = tell_entry(u, e);
                if (err) {
                        sw_auto(sw_buf) shown = SW_BUF_INIT;

                        sw_buf_add_quoted(&shown, e->name, strlen(e->name), 200);
                        return sw_err_wrap(err, "entry %s", shown.data);
                }
        }
}

/* Those that never came, each once. */
static void
take_implied(struct unpack *u, sw_strlist *out)
{
        sw_strlist_sort(&u->implied);
        for (size_t i = 0; i < u->implied.n; i++) {
                const char *path = u->implied.v[i];

                if (i && strcmp(path, u->implied.v[i - 1]) == 0)
                        continue;
                if (look_up_path(u, path).what == IMPLIED)
                        sw_strlist_add(out, path);
        }
}

static void
release(struct unpack *u)
{
        sw_tarin_release(&u->in);
        sw_map_free(u->known);
        sw_buf_release(&u->path);
        sw_buf_release(&u->link);
        sw_buf_release(&u->dir);
        sw_buf_release(&u->small);
        sw_strlist_release(&u->implied);
}

sw_err *
sw_layer_unpack(sw_ctx *ctx, const struct sw_reader *in, const struct sw_unpack_opts *opts,
                const struct sw_layer_ops *ops, void *w, struct sw_unpack_result *out)
{
        const int64_t max = opts->max_size ? opts->max_size : MAX_SIZE;
        struct unpack u = { .ctx = ctx,
                            .ops = ops,
                            .w = w,
                            .no_devices = opts->no_devices,
                            .max = max,
                            .numbers = 1 };
        sw_autoptr(sw_unpacking) unpacking = sw_unpacked_new(in, max);
        struct sw_ahead *ahead;
        struct sw_reader reader;

        sw_unpacked_reader(unpacking, &reader);
        sw_err *err = sw_ahead_start(&reader, &ahead);
        if (err)
                return err;
        const struct sw_tarin_source from = { sw_ahead_peek, sw_ahead_skip, ahead };
        sw_tarin_init(&u.in, &from, max);
        u.known = sw_map_new(NULL);
        sw_buf_init(&u.path);
        sw_buf_init(&u.link);
        sw_buf_init(&u.dir);
        sw_buf_init(&u.small);
        err = tell_all(&u);
        if (!err) {
                *out = (struct sw_unpack_result){ 0 };
                sw_ahead_end(ahead, &out->diff_id, &out->tar_size);
                take_implied(&u, &out->implied);
        }
        sw_ahead_stop(ahead);
        release(&u);
        return err;
}

void
sw_unpack_result_release(struct sw_unpack_result *r)
{
        sw_strlist_release(&r->implied);
}
