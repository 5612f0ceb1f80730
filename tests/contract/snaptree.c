/*
 * tests/contract/snaptree.c - trees and calls as text, to be compared.
 *
 * A line for each entry: path, type and mode, owner, time, size, device, the first path of
 * the same file, digest of the contents or the target, attributes.
 */
#include "tests/contract/snapshotter.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include <slipway/map.h>
#include <slipway/path.h>
#include <slipway/text.h>

struct lister {
        sw_buf out;
        sw_map *links;   /* inode -> first path, owned */
        sw_strlist todo; /* directories, deepest last */
};

static void
must(bool ok, const char *what)
{
        if (!ok) {
                fprintf(stderr, "slipway-contract: read a tree: %s: %s\n", what,
                        strerror(errno));
                exit(1);
        }
}

/* Attributes that belong to the tree, sorted. @path: a way to the entry; @follow: it is a
 * link to it. */
static void
add_attrs(sw_buf *out, const char *path, bool follow)
{
        char list[4096], value[4096];
        sw_auto(sw_strlist) names = { 0 };

        ssize_t n = follow ? listxattr(path, list, sizeof(list))
                           : llistxattr(path, list, sizeof(list));
        for (const char *p = list; p < list + n; p += strlen(p) + 1)
                if (!sw_str_has_prefix(p, "trusted.overlay.") &&
                    !sw_str_has_prefix(p, "user.overlay.") &&
                    strcmp(p, "security.selinux") != 0)
                        sw_strlist_add(&names, p);
        sw_strlist_sort(&names);
        for (size_t i = 0; i < names.n; i++) {
                ssize_t len = follow ? getxattr(path, names.v[i], value, sizeof(value))
                                     : lgetxattr(path, names.v[i], value, sizeof(value));

                must(len >= 0, names.v[i]);
                sw_buf_addf(out, " %s=", names.v[i]);
                sw_buf_add_quoted(out, value, (size_t) len, sizeof(value));
        }
}

/* @fd: the entry: O_PATH of a symlink, a file for reading. */
static void
add_content(sw_buf *out, int fd, const char *path, mode_t type)
{
        char block[PATH_MAX], text[SW_DIGEST_STR_SIZE];
        sw_autoptr(sw_hasher) h = sw_hasher_new();
        ssize_t n;

        if (S_ISLNK(type)) {
                n = readlinkat(fd, "", block, sizeof(block));
                must(n >= 0, path);
                sw_buf_addf(out, " -> %.*s", (int) n, block);
        } else if (S_ISREG(type)) {
                while ((n = read(fd, block, sizeof(block))) > 0)
                        sw_hasher_add(h, block, (size_t) n);
                must(n == 0, path);
                const sw_digest d = sw_hasher_finish(h);
                sw_buf_addf(out, " %.20s", sw_digest_str(&d, text));
        }
}

static void
add_stat(struct lister *l, const char *path, const struct stat *st)
{
        sw_buf_addf(&l->out, "%s %o %u:%u %" PRId64 ".%09ld", path, (unsigned) st->st_mode,
                    (unsigned) st->st_uid, (unsigned) st->st_gid,
                    (int64_t) st->st_mtim.tv_sec, st->st_mtim.tv_nsec);
        if (S_ISREG(st->st_mode))
                sw_buf_addf(&l->out, " %" PRId64, (int64_t) st->st_size);
        if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode))
                sw_buf_addf(&l->out, " %u:%u", major(st->st_rdev), minor(st->st_rdev));
        if (S_ISDIR(st->st_mode) || st->st_nlink < 2)
                return;
        const char *first = sw_map_get_bytes(l->links, &st->st_ino, sizeof(st->st_ino));
        if (first)
                sw_buf_addf(&l->out, " = %s", first);
        else
                (void) sw_map_set_bytes(l->links, &st->st_ino, sizeof(st->st_ino),
                                        sw_strdup(path));
}

static void
add_entry(struct lister *l, int dirfd, const char *dir, const char *name)
{
        sw_auto(sw_str) path = *dir ? sw_asprintf("%s/%s", dir, name) : sw_strdup(name);
        sw_auto(sw_str) way = sw_asprintf("/proc/self/fd/%d/%s", dirfd, name);
        sw_auto(sw_fd) fd = -1;
        struct stat st;

        must(fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0, path);
        add_stat(l, path, &st);
        if (S_ISREG(st.st_mode) || S_ISLNK(st.st_mode)) {
                fd = openat(dirfd, name,
                            (S_ISREG(st.st_mode) ? O_RDONLY : O_PATH) | O_NOFOLLOW |
                                    O_CLOEXEC);
                must(fd >= 0, path);
        }
        add_content(&l->out, fd, path, st.st_mode);
        add_attrs(&l->out, way, false);
        sw_buf_addc(&l->out, '\n');
        if (S_ISDIR(st.st_mode) && strcmp(name, ".") != 0)
                sw_strlist_take(&l->todo, sw_steal(path));
}

/* Open by a path of any length. */
static int
open_deep(int dirfd, const char *path)
{
        int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        while (fd >= 0 && *path) {
                sw_auto(sw_str) name = sw_strndup(path, strcspn(path, "/"));
                int next =
                        openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

                (void) close(fd);
                fd = next;
                path += strcspn(path, "/");
                path += *path == '/';
        }
        return fd;
}

char *
snap_manifest(int dirfd)
{
        struct lister l = { .out = SW_BUF_INIT, .links = sw_map_new(free) };

        add_entry(&l, dirfd, "", ".");
        sw_strlist_add(&l.todo, "");
        for (size_t i = 0; i < l.todo.n; i++) {
                sw_auto(sw_strlist) names = { 0 };
                const struct dirent *e;
                int fd = open_deep(dirfd, l.todo.v[i]);
                DIR *dir = fd < 0 ? NULL : fdopendir(fd);

                must(dir != NULL, l.todo.v[i]);
                while ((e = readdir(dir)))
                        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
                                sw_strlist_add(&names, e->d_name);
                sw_strlist_sort(&names);
                sw_auto(sw_str) at = sw_strdup(l.todo.v[i]);
                for (size_t k = 0; k < names.n; k++)
                        add_entry(&l, fd, at, names.v[k]);
                (void) closedir(dir);
        }
        sw_strlist_release(&l.todo);
        sw_map_free(l.links);
        return sw_buf_detach(&l.out);
}

/* One entry by lookups; @path: "" for the root. */
static void
add_looked(struct lister *l, const struct sw_snapshotter_ops *ops, void *look,
           const char *path)
{
        sw_auto(sw_fd) fd = -1;
        struct stat st;
        sw_err *err = ops->look_stat(look, path, &st);

        if (!err)
                err = ops->look_open(look, path, S_ISREG(st.st_mode) ? O_RDONLY : O_PATH,
                                     &fd);
        must(!err, err ? sw_err_message(err) : "");
        add_stat(l, *path ? path : ".", &st);
        add_content(&l->out, fd, path, st.st_mode);
        sw_auto(sw_str) way = sw_asprintf("/proc/self/fd/%d", fd);
        if (!S_ISLNK(st.st_mode)) /* which has none */
                add_attrs(&l->out, way, true);
        sw_buf_addc(&l->out, '\n');
        if (S_ISDIR(st.st_mode) && *path)
                sw_strlist_add(&l->todo, path);
}

char *
snap_looked(const struct sw_snapshotter_ops *ops, void *look)
{
        struct lister l = { .out = SW_BUF_INIT, .links = sw_map_new(free) };

        add_looked(&l, ops, look, "");
        sw_strlist_add(&l.todo, "");
        for (size_t i = 0; i < l.todo.n; i++) {
                const char *dir = l.todo.v[i];
                sw_auto(sw_strlist) names = { 0 };
                sw_err *err = ops->look_names(look, dir, &names);

                must(!err, err ? sw_err_message(err) : "");
                for (size_t k = 0; k < names.n; k++) {
                        sw_auto(sw_str) path =
                                *dir ? sw_asprintf("%s/%s", l.todo.v[i], names.v[k])
                                     : sw_strdup(names.v[k]);

                        add_looked(&l, ops, look, path);
                }
        }
        sw_strlist_release(&l.todo);
        sw_map_free(l.links);
        return sw_buf_detach(&l.out);
}

/* ---- calls as text ---------------------------------------------------------------------
 */

static void
note_meta(sw_buf *b, const char *op, const char *path, const struct sw_layer_meta *m)
{
        sw_buf_addf(b, "%s \"%s\" %o %u:%u %" PRId64, op, path, (unsigned) m->mode,
                    (unsigned) m->uid, (unsigned) m->gid, m->mtime);
}

static sw_err *
r_mkdir(void *w, const char *path, const struct sw_layer_meta *m)
{
        note_meta(w, "mkdir", path, m);
        sw_buf_addc(w, '\n');
        return SW_OK;
}

static void
note_bytes(sw_buf *b, const void *p, size_t n)
{
        char text[SW_DIGEST_STR_SIZE];
        sw_autoptr(sw_hasher) h = sw_hasher_new();

        sw_hasher_add(h, p, n);
        const sw_digest d = sw_hasher_finish(h);
        sw_buf_addf(b, " %zu %.20s\n", n, sw_digest_str(&d, text));
}

static sw_err *
r_file(void *w, const char *path, const struct sw_layer_meta *m, int fd, int64_t off,
       int64_t len)
{
        sw_auto(sw_str) bytes = sw_alloc((size_t) len + 1);

        note_meta(w, "file", path, m);
        if (pread(fd, bytes, (size_t) len, off) != len)
                return sw_err_new(SW_E_IO, "%s ends early", path);
        note_bytes(w, bytes, (size_t) len);
        return SW_OK;
}

static sw_err *
r_data(void *w, const char *path, const struct sw_layer_meta *m, const void *p, size_t n)
{
        note_meta(w, "file", path, m);
        note_bytes(w, p, n);
        return SW_OK;
}

static sw_err *
r_symlink(void *w, const char *path, const struct sw_layer_meta *m, const char *target)
{
        note_meta(w, "symlink", path, m);
        sw_buf_addf(w, " %s\n", target);
        return SW_OK;
}

static sw_err *
r_hardlink(void *w, const char *path, const char *existing, const struct sw_layer_meta *m)
{
        note_meta(w, "hardlink", path, m);
        sw_buf_addf(w, " \"%s\"\n", existing);
        return SW_OK;
}

static sw_err *
r_node(void *w, const char *path, const struct sw_layer_meta *m, mode_t type, dev_t dev)
{
        note_meta(w, "node", path, m);
        sw_buf_addf(w, " %o %u:%u\n", (unsigned) type, major(dev), minor(dev));
        return SW_OK;
}

static sw_err *
r_whiteout(void *w, const char *path)
{
        sw_buf_addf(w, "whiteout \"%s\"\n", path);
        return SW_OK;
}

static sw_err *
r_opaque(void *w, const char *dir)
{
        sw_buf_addf(w, "opaque \"%s\"\n", dir);
        return SW_OK;
}

static sw_err *
r_xattr(void *w, const char *path, const char *name, const void *p, size_t n)
{
        sw_buf_addf(w, "xattr \"%s\" %s", path, name);
        note_bytes(w, p, n);
        return SW_OK;
}

static sw_err *
r_finish(void *w)
{
        (void) w;
        return SW_OK;
}

static void
r_abandon(void *w)
{
        (void) w;
}

const struct sw_layer_ops snap_recorder = {
        .hdr = SW_OPS_SIZE(struct sw_layer_ops),
        .mkdir = r_mkdir,
        .file = r_file,
        .data = r_data,
        .symlink = r_symlink,
        .hardlink = r_hardlink,
        .node = r_node,
        .whiteout = r_whiteout,
        .opaque = r_opaque,
        .xattr = r_xattr,
        .finish = r_finish,
        .abandon = r_abandon,
};
