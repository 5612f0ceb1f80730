/*
 * tests/unit/lib/layer/told.h - a layer writer for tests: it aborts when it is told what
 * slipway/layer.h does not allow, and notes the rest as text, one call a line.
 */
#ifndef SLIPWAY_TESTS_UNIT_LIB_LAYER_TOLD_H
#define SLIPWAY_TESTS_UNIT_LIB_LAYER_TOLD_H

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <slipway/buf.h>
#include <slipway/digest.h>
#include <slipway/layer.h>
#include <slipway/map.h>
#include <slipway/path.h>
#include <slipway/text.h>

#include "lib/layer/unpack.h"

struct told {
        sw_buf text;
        sw_map *kinds;      /* path -> "d", "f" (can be linked to), "w" */
        bool quiet;         /* text stays empty */
        const char *refuse; /* this path is refused with SW_E_REMOTE */
};

#define told_check(what)                                                                   \
        do {                                                                               \
                if (!(what)) {                                                             \
                        (void) fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #what);  \
                        abort();                                                           \
                }                                                                          \
        } while (0)

static inline const char *
told_kind(struct told *t, const char *path)
{
        const char *k = *path ? sw_map_get(t->kinds, path) : "d";

        return k ? k : "";
}

/* The path is clean, and its parent was told. */
static inline void
told_place(struct told *t, const char *path)
{
        const char *slash = strrchr(path, '/');
        sw_auto(sw_str) parent = sw_strndup(path, slash ? (size_t) (slash - path) : 0);
        sw_auto(sw_str) clean = sw_path_clean(path);

        told_check(*path && !strcmp(clean, path) && *path != '/');
        told_check(strcmp(path, "..") != 0 && !sw_str_has_prefix(path, "../"));
        told_check(!strcmp(told_kind(t, parent), "d"));
}

/* The path is now @kind; whole trees that were there are gone. */
static inline void
told_set(struct told *t, const char *path, const char *kind)
{
        if (!strcmp(told_kind(t, path), "d") && strcmp(kind, "d") != 0) {
                struct sw_map_iter it = SW_MAP_ITER(t->kinds);
                sw_auto(sw_str) below = sw_asprintf("%s/", path);

                while (sw_map_next(&it))
                        if (sw_str_has_prefix(it.key, below))
                                (void) sw_map_remove(t->kinds, it.key);
        }
        (void) sw_map_set(t->kinds, path, (void *) kind);
}

static inline void
told_say(struct told *t, const char *what, const char *path, const struct sw_layer_meta *m)
{
        if (t->quiet)
                return;
        sw_buf_addf(&t->text, "%s %s", what, path);
        if (m)
                sw_buf_addf(&t->text, " %o %u:%u %lld.%09lld", (unsigned) m->mode,
                            (unsigned) m->uid, (unsigned) m->gid,
                            (long long) (m->mtime / 1000000000),
                            (long long) (m->mtime % 1000000000));
}

static inline void
told_line(struct told *t, const char *rest)
{
        if (!t->quiet)
                sw_buf_addf(&t->text, "%s\n", rest);
}

static inline sw_err *
told_refused(const struct told *t, const char *path)
{
        return t->refuse && !strcmp(path, t->refuse) ? sw_err_new(SW_E_REMOTE, "refused")
                                                     : SW_OK;
}

static inline sw_err *
told_mkdir(void *w, const char *path, const struct sw_layer_meta *m)
{
        struct told *t = w;

        if (*path)
                told_place(t, path);
        told_set(t, path, "d");
        told_say(t, "dir", path, m);
        told_line(t, "");
        return told_refused(t, path);
}

static inline void
told_contents(struct told *t, const char *path, const struct sw_layer_meta *m,
              const char *p, size_t n)
{
        char hex[SW_DIGEST_HEX_LEN + 1];
        const sw_digest d = sw_digest_of(p, n);

        told_check(!(m->mode & ~(mode_t) 07777));
        told_place(t, path);
        told_set(t, path, "f");
        told_say(t, "file", path, m);
        if (t->quiet)
                return;
        sw_buf_addf(&t->text, " %zu ", n);
        if (n <= 32)
                sw_buf_add_quoted(&t->text, p, n, 64);
        else
                sw_buf_addf(&t->text, "%.12s", sw_digest_hex(&d, hex));
        told_line(t, "");
}

static inline sw_err *
told_data(void *w, const char *path, const struct sw_layer_meta *m, const void *p, size_t n)
{
        told_contents(w, path, m, p, n);
        return told_refused(w, path);
}

static inline sw_err *
told_file(void *w, const char *path, const struct sw_layer_meta *m, int fd, int64_t off,
          int64_t len)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;

        if (len > 64 << 20) { /* no test looks at what is in it */
                told_contents(w, path, m, "", 0);
                return SW_OK;
        }
        sw_buf_reserve(&b, (size_t) len);
        told_check(pread(fd, b.data, (size_t) len, off) == len);
        told_contents(w, path, m, b.data, (size_t) len);
        return told_refused(w, path);
}

static inline sw_err *
told_stream(void *w, const char *path, const struct sw_layer_meta *m,
            sw_err *(*read)(void *arg, void *p, size_t n, size_t *got), void *arg,
            int64_t len)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;
        char room[7777];

        while (b.len < (size_t) len) {
                const size_t left = (size_t) len - b.len;
                size_t got = 0;
                sw_err *err =
                        read(arg, room, left < sizeof(room) ? left : sizeof(room), &got);

                if (err || !got)
                        return err ? err : sw_err_new(SW_E_IO, "it ends early");
                told_check(got <= sizeof(room) && got <= left);
                sw_buf_add(&b, room, got);
        }
        told_contents(w, path, m, b.data, b.len);
        return told_refused(w, path);
}

static inline sw_err *
told_symlink(void *w, const char *path, const struct sw_layer_meta *m, const char *target)
{
        struct told *t = w;

        told_check(*target);
        told_place(t, path);
        told_set(t, path, "f");
        told_say(t, "symlink", path, m);
        told_line(t, " -> ");
        if (!t->quiet) {
                t->text.len--;
                sw_buf_addf(&t->text, "%s\n", target);
        }
        return told_refused(t, path);
}

static inline sw_err *
told_hardlink(void *w, const char *path, const char *existing,
              const struct sw_layer_meta *m)
{
        struct told *t = w;

        (void) m;
        told_place(t, path);
        told_place(t, existing);
        told_check(!strcmp(told_kind(t, existing), "f"));
        told_check(strcmp(path, existing) != 0);
        told_set(t, path, "f");
        told_say(t, "link", path, NULL);
        if (!t->quiet)
                sw_buf_addf(&t->text, " = %s\n", existing);
        return told_refused(t, path);
}

static inline sw_err *
told_node(void *w, const char *path, const struct sw_layer_meta *m, mode_t type, dev_t dev)
{
        struct told *t = w;

        told_check(type == S_IFCHR || type == S_IFBLK || type == S_IFIFO);
        if (type == S_IFCHR && !dev)
                return sw_err_new(SW_E_INVALID, "device 0:0");
        told_place(t, path);
        told_set(t, path, "f");
        told_say(t, type == S_IFCHR ? "char" : type == S_IFBLK ? "block" : "fifo", path, m);
        if (!t->quiet)
                sw_buf_addf(&t->text, " %u:%u\n", major(dev), minor(dev));
        return told_refused(t, path);
}

static inline sw_err *
told_whiteout(void *w, const char *path)
{
        struct told *t = w;

        told_place(t, path);
        told_set(t, path, "w");
        told_say(t, "gone", path, NULL);
        told_line(t, "");
        return told_refused(t, path);
}

static inline sw_err *
told_opaque(void *w, const char *dir)
{
        struct told *t = w;

        told_check(!strcmp(told_kind(t, dir), "d"));
        told_say(t, "opaque", dir, NULL);
        told_line(t, "");
        return told_refused(t, dir);
}

static inline sw_err *
told_xattr(void *w, const char *path, const char *name, const void *p, size_t n)
{
        struct told *t = w;

        told_check(*told_kind(t, path) && *name && strlen(name) < 256);
        told_check(!strstr(name, ".overlay."));
        told_say(t, "xattr", path, NULL);
        if (!t->quiet) {
                sw_buf_addf(&t->text, " %s=", name);
                sw_buf_add_quoted(&t->text, p, n, 64);
                sw_buf_addc(&t->text, '\n');
        }
        return SW_OK;
}

static inline sw_err *
told_finish(void *w)
{
        (void) w;
        return SW_OK;
}

static inline void
told_abandon(void *w)
{
        (void) w;
}

static inline struct sw_layer_ops
told_ops(bool stream)
{
        return (struct sw_layer_ops){
                .hdr = SW_OPS_SIZE(struct sw_layer_ops),
                .mkdir = told_mkdir,
                .file = told_file,
                .data = told_data,
                .symlink = told_symlink,
                .hardlink = told_hardlink,
                .node = told_node,
                .whiteout = told_whiteout,
                .opaque = told_opaque,
                .xattr = told_xattr,
                .finish = told_finish,
                .abandon = told_abandon,
                .stream = stream ? told_stream : NULL,
        };
}

static inline void
told_init(struct told *t)
{
        *t = (struct told){ .kinds = sw_map_new(NULL) };
        sw_buf_init(&t->text);
}

static inline void
told_release(struct told *t)
{
        sw_buf_release(&t->text);
        sw_map_free(t->kinds);
}

/* A reader of bytes in memory, in pieces of at most @piece (0: as they are asked for). */
struct bytes {
        const char *p;
        size_t n, piece;
        sw_err *err; /* given when they are used up; NULL: the end */
};

static inline sw_err *
bytes_read(void *arg, void *p, size_t n, size_t *got)
{
        struct bytes *b = arg;

        if (!b->n && b->err)
                return sw_err_copy(b->err);
        if (b->piece && n > b->piece)
                n = b->piece;
        *got = n < b->n ? n : b->n;
        memcpy(p, b->p, *got);
        b->p += *got;
        b->n -= *got;
        return SW_OK;
}

#endif
