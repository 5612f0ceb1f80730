/*
 * tests/fuzz/opsfuzz.h - a layer writer that keeps nothing and holds who tells to the rules
 * of slipway/layer.h; and a directory to copy from.
 */
#ifndef SLIPWAY_TESTS_FUZZ_OPSFUZZ_H
#define SLIPWAY_TESTS_FUZZ_OPSFUZZ_H

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include <slipway/map.h>
#include <slipway/path.h>

#include "core/ops/fileact.h"
#include "tests/fuzz/fuzz.h"

struct told {
        pthread_mutex_t lock;
        sw_map *types; /* path -> 'd', 'f' or 'w' */
};

static intptr_t
told_type(struct told *t, const char *path)
{
        return (intptr_t) sw_map_get(t->types, path);
}

static void
told_forget(struct told *t, const char *path)
{
        sw_auto(sw_strlist) gone = { 0 };
        size_t n = strlen(path);
        struct sw_map_iter it;

        for (it = SW_MAP_ITER(t->types); sw_map_next(&it);) {
                const char *key = it.key;

                if (strncmp(key, path, n) == 0 && (!key[n] || key[n] == '/'))
                        sw_strlist_add(&gone, key);
        }
        for (size_t i = 0; i < gone.n; i++)
                (void) sw_map_remove(t->types, gone.v[i]);
}

static void
told_entry(struct told *t, const char *path, intptr_t type)
{
        sw_auto(sw_str) clean = sw_path_clean(path);
        sw_auto(sw_str) parent = sw_strdup(path);
        char *slash = strrchr(parent, '/');

        pthread_mutex_lock(&t->lock);
        fuzz_check(!*path || strcmp(clean, path) == 0);
        fuzz_check(path[0] != '/' && strcmp(path, "..") != 0 &&
                   strncmp(path, "../", 3) != 0);
        *(slash ? slash : parent) = '\0';
        fuzz_check(!*path || told_type(t, parent) == 'd');
        fuzz_check(*path || type == 'd');
        if (type != 'd' || told_type(t, path) != 'd')
                told_forget(t, path);
        (void) sw_map_set(t->types, path, (void *) type);
        pthread_mutex_unlock(&t->lock);
}

static void
told_meta(const struct sw_layer_meta *m)
{
        fuzz_check((m->mode & ~(mode_t) 07777) == 0);
        fuzz_check(m->uid != (uid_t) -1 && m->gid != (gid_t) -1);
}

static sw_err *
told_mkdir(void *w, const char *path, const struct sw_layer_meta *m)
{
        told_meta(m);
        told_entry(w, path, 'd');
        return SW_OK;
}

static sw_err *
told_file(void *w, const char *path, const struct sw_layer_meta *m, int fd, int64_t off,
          int64_t len)
{
        fuzz_check(fd >= 0 && off >= 0 && len >= 0);
        told_meta(m);
        told_entry(w, path, 'f');
        return SW_OK;
}

static sw_err *
told_data(void *w, const char *path, const struct sw_layer_meta *m, const void *p, size_t n)
{
        sw_auto(sw_str) copy = sw_strndup(p, n); /* a sanitizer sees what is not there */

        (void) copy;
        told_meta(m);
        told_entry(w, path, 'f');
        return SW_OK;
}

static sw_err *
told_symlink(void *w, const char *path, const struct sw_layer_meta *m, const char *target)
{
        fuzz_check(target[0] && strlen(target) < 4096);
        told_meta(m);
        told_entry(w, path, 'f');
        return SW_OK;
}

static sw_err *
told_hardlink(void *w, const char *path, const char *existing,
              const struct sw_layer_meta *m)
{
        struct told *t = w;

        told_meta(m);
        pthread_mutex_lock(&t->lock);
        fuzz_check(told_type(t, existing) == 'f' && strcmp(path, existing) != 0);
        pthread_mutex_unlock(&t->lock);
        told_entry(w, path, 'f');
        fuzz_check(told_type(t, existing) == 'f');
        return SW_OK;
}

static sw_err *
told_node(void *w, const char *path, const struct sw_layer_meta *m, mode_t type, dev_t dev)
{
        fuzz_check(type == S_IFCHR || type == S_IFBLK || type == S_IFIFO ||
                   type == S_IFSOCK);
        if (type == S_IFCHR && !dev)
                return sw_err_new(SW_E_INVALID, "the device of whiteouts");
        told_meta(m);
        told_entry(w, path, 'f');
        return SW_OK;
}

static sw_err *
told_whiteout(void *w, const char *path)
{
        fuzz_check(*path);
        told_entry(w, path, 'w');
        return SW_OK;
}

static sw_err *
told_opaque(void *w, const char *dir)
{
        fuzz_check(told_type(w, dir) == 'd');
        return SW_OK;
}

static sw_err *
told_xattr(void *w, const char *path, const char *name, const void *p, size_t n)
{
        struct told *t = w;

        (void) p;
        pthread_mutex_lock(&t->lock);
        fuzz_check(told_type(t, path) == 'd' || told_type(t, path) == 'f');
        pthread_mutex_unlock(&t->lock);
        fuzz_check(n <= 65536 && strncmp(name, "trusted.overlay.", 16) != 0 &&
                   strncmp(name, "user.overlay.", 13) != 0);
        return SW_OK;
}

static const struct sw_layer_ops told_ops = {
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
};

/* A directory of this process, which is removed when it is made: what is in it is reached
 * by its descriptor alone. */
static int
scratch_dir(void)
{
        char name[] = "/tmp/slipway-fuzz-XXXXXX";
        int fd = mkdtemp(name) ? open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

        fuzz_check(fd >= 0);
        return fd;
}

/* Do @copy on a tree that has something in it, and what the writer hears is in order. */
static void
copy_once(int srcfd, const Pb__FileActionCopy *copy, const struct sw__owner *owner)
{
        static const struct sw_layer_meta m = { .mode = 0755 };
        struct told t = { .lock = PTHREAD_MUTEX_INITIALIZER, .types = sw_map_new(NULL) };
        sw_ctx *ctx = sw_ctx_new(NULL, NULL, NULL, NULL, NULL);
        struct sw__draft_node *n;
        sw__view base, src;
        sw__draft *d;

        sw__view_of_dir(-1, &base);
        sw__view_of_dir(dup(srcfd), &src);
        d = sw__draft_new(ctx, &base, &told_ops, &t, 1);
        fuzz_check(fuzz_ok(sw__draft_mkdirs(d, "d/e", &m, &n)));
        fuzz_check(fuzz_ok(sw__draft_data(d, n, "f", &m, "x", 1, &n)));
        fuzz_check(
                fuzz_ok(sw__draft_symlink(d, sw__draft_root(d), "l", &m, "../d/./e", &n)));
        fuzz_check(fuzz_ok(sw__draft_symlink(d, sw__draft_root(d), "o", &m, "o", &n)));
        (void) fuzz_ok(sw__file_copy(d, copy, &src, owner, ctx));
        (void) fuzz_ok(sw__draft_flush(d));
        sw__draft_free(d);
        fuzz_check(fuzz_ok(sw__view_close(&src)));
        fuzz_check(fuzz_ok(sw__view_close(&base)));
        sw_ctx_free(ctx);
        sw_map_free(t.types);
        pthread_mutex_destroy(&t.lock);
}

#endif
