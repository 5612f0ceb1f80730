/*
 * plugins/source-local/follow.c - paths that are wanted, with the targets of all symlinks
 * on the way, as patterns. Wildcards in a component match names in its directory.
 *
 * Everything stays in the root: a ".." there is dropped, an absolute target starts there.
 * Each symlink is followed once, so loops end.
 * Thread: any.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include <slipway/path.h>
#include <slipway/text.h>

#include "plugins/source-local/local.h"

struct follow {
        int root;
        sw_map *done;    /* paths that are wanted */
        sw_strlist todo; /* paths to look at */
};

static bool
has_wildcard(const char *name)
{
        for (; *name; name++) {
                if (*name == '\\' && name[1])
                        name++;
                else if (strchr("*?[", *name))
                        return true;
        }
        return false;
}

/* Within the root, without a '/' in front: ".", "a/b". */
static char *
within(const char *path)
{
        sw_auto(sw_str) clean = sw_path_join("/", path);

        return sw_strdup(clean[1] ? clean + 1 : ".");
}

static char *
dir_of(const char *path)
{
        const char *slash = strrchr(path, '/');

        return slash ? sw_strndup(path, (size_t) (slash - path)) : sw_strdup(".");
}

/* Where a symlink at @path leads, absolute in the root; nothing is added otherwise. */
static sw_err *
add_target(struct follow *f, const char *path, sw_strlist *targets)
{
        struct stat st;
        sw_auto(sw_str) link = NULL;
        sw_err *err = sw_path_stat(f->root, path, false, &st);

        if (err && sw_err_code(err) == SW_E_NOT_FOUND) {
                sw_err_drop(err, "what is not there leads nowhere");
                return SW_OK;
        }
        if (err || !S_ISLNK(st.st_mode))
                return err;
        err = sw_path_readlink(f->root, path, &link);
        if (err)
                return err;
        if (link[0] == '/') {
                sw_strlist_add(targets, link);
                return SW_OK;
        }
        sw_auto(sw_str) dir = dir_of(path);
        sw_strlist_take(targets, sw_path_join(dir, link));
        return SW_OK;
}

/* The same for every name in its directory that the last component matches. */
static sw_err *
add_targets_matching(struct follow *f, const char *path, sw_strlist *targets)
{
        sw_auto(sw_str) dir = dir_of(path);
        sw_auto(sw_str) pattern = sw_path_base(path);
        sw_auto(sw_fd) fd = -1;
        sw_err *err = sw_path_open(f->root, dir, O_RDONLY | O_DIRECTORY, 0, &fd);

        if (err && sw_err_code(err) == SW_E_NOT_FOUND) {
                sw_err_drop(err, "nothing matches");
                return SW_OK;
        }
        DIR *d = err ? NULL : fdopendir(fd);
        if (!err && !d)
                err = sw_err_sys(SW_E_IO, errno, "read directory %s", dir);
        if (err)
                return err;
        (void) sw_fd_steal(&fd); /* it is the stream's */
        for (const struct dirent *e; !err && (e = readdir(d)) != NULL;) {
                if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 ||
                    !sw_glob_match(pattern, e->d_name))
                        continue;
                sw_auto(sw_str) name = sw_path_join(dir, e->d_name);
                err = add_target(f, name, targets);
        }
        (void) closedir(d);
        return err;
}

/* Symlinks lead on: their targets, with what comes after, are paths to look at. */
static void
go_on(struct follow *f, const sw_strlist *targets, const char *rest)
{
        for (size_t i = 0; i < targets->n; i++)
                sw_strlist_take(&f->todo, sw_path_join(targets->v[i], rest));
}

/* One path, component by component, up to the first symlink. */
static sw_err *
follow_one(struct follow *f, const char *raw)
{
        sw_auto(sw_str) path = within(raw);
        size_t len = 0;

        for (;;) {
                len += path[len] == '/';
                len += strcspn(path + len, "/");
                sw_auto(sw_str) at = sw_strndup(path, len);
                sw_auto(sw_str) base = sw_path_base(at);
                sw_auto(sw_strlist) targets = { 0 };
                sw_err *err = has_wildcard(base) ? add_targets_matching(f, at, &targets)
                                                 : add_target(f, at, &targets);

                if (err)
                        return err;
                if (targets.n == 0 && path[len])
                        continue;
                if (!sw_map_has(f->done, at)) {
                        (void) sw_map_set(f->done, at, f);
                        go_on(f, &targets, path[len] ? path + len + 1 : "");
                }
                return SW_OK;
        }
}

/* Leave out paths below the one before; "." means everything. */
static bool
without_nested(sw_strlist *l)
{
        size_t kept = 0;
        const char *last = "";
        bool all = false;

        for (size_t i = 0; i < l->n; i++) {
                size_t n = strlen(last);

                all = all || strcmp(l->v[i], ".") == 0;
                if (strncmp(l->v[i], last, n) == 0 && l->v[i][n] == '/') {
                        free(l->v[i]);
                        continue;
                }
                last = l->v[kept++] = l->v[i];
        }
        l->n = kept;
        return all;
}

sw_err *
follow_paths(int root, const sw_strlist *paths, sw_strlist *include, bool *all)
{
        struct follow f = { .root = root, .done = sw_map_new(NULL) };
        sw_auto(sw_strlist) found = { 0 };
        sw_err *err = SW_OK;

        for (size_t i = 0; i < paths->n && !err; i++)
                err = follow_one(&f, paths->v[i]);
        for (size_t i = 0; i < f.todo.n && !err; i++) { /* it grows meanwhile */
                sw_auto(sw_str) next = sw_strdup(f.todo.v[i]);

                err = follow_one(&f, next);
        }
        for (struct sw_map_iter it = SW_MAP_ITER(f.done); sw_map_next(&it);)
                sw_strlist_add(&found, it.key);
        sw_map_free(f.done);
        sw_strlist_release(&f.todo);
        if (err)
                return sw_err_wrap(err, "follow paths");
        sw_strlist_sort(&found);
        if (without_nested(&found)) { /* the root itself: no limit by these */
                *all = include->n == 0;
                return SW_OK;
        }
        for (size_t i = 0; i < found.n; i++)
                sw_strlist_take(include, sw_steal(found.v[i]));
        found.n = 0;
        *all = without_nested(include);
        return SW_OK;
}
