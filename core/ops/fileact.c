/*
 * core/ops/fileact.c - the small actions of a file op: mkdir, mkfile, symlink, rm; and what
 * they share with copy.
 *
 * Semantics are the reference's (reference/llb.md section 6). Paths are resolved in the
 * draft: never on a mounted tree, so nothing can be swapped under them.
 * Thread: the draft's.
 */
#include <errno.h>
#include <string.h>

#include <slipway/pattern.h>
#include <slipway/text.h>

#include "core/ops/fileact.h"

/* ---- shared ------------------------------------------------------------------------- */

struct sw_layer_meta
sw__file_meta(const sw__draft *d, mode_t mode, const struct sw__owner *o, int64_t timestamp)
{
        return (struct sw_layer_meta){
                .mode = mode,
                .uid = o->set ? o->uid : 0,
                .gid = o->set ? o->gid : 0,
                .mtime = timestamp == -1 ? sw__draft_now(d) : timestamp,
        };
}

char *
sw__file_clean(const char *path)
{
        sw_auto(sw_str) clean = sw_path_join("/", path);
        bool root = strcmp(clean, "/") == 0;

        if (sw_str_has_suffix(path, "/."))
                return sw_asprintf("%s%s.", clean, root ? "" : "/");
        if (sw_str_has_suffix(path, "/") && !root)
                return sw_asprintf("%s/", clean);
        return sw_steal(clean);
}

sw_err *
sw__file_missing(const char *path)
{
        sw_auto(sw_buf) shown = SW_BUF_INIT;

        sw_buf_add_quoted(&shown, path, strlen(path), 300);
        return sw_err_sys(SW_E_NOT_FOUND, ENOENT, "%s", shown.data);
}

sw_err *
sw__file_wrap(sw_err *err, const char *verb, const char *path, const char *between,
              const char *other)
{
        sw_auto(sw_str) a = NULL, b = NULL;

        if (!err)
                return SW_OK;
        a = sw__path_shown(path);
        if (!other)
                return sw_err_wrap(err, "%s %s", verb, a);
        b = sw__path_shown(other);
        return sw_err_wrap(err, "%s %s%s%s", verb, a, between, b);
}

/* The node of a path from outside, and the directory it is or would be in. *node NULL: not
 * there; *dir NULL: nor is that. @name: its last component, from malloc; NULL: the root. */
static sw_err *
locate(sw__draft *d, const char *path, bool follow_last, struct sw__draft_node **dir,
       char **name, struct sw__draft_node **node)
{
        sw_auto(sw_str) plain = NULL;
        char *slash;
        sw_err *err = sw__draft_resolve(d, path, follow_last, &plain);

        *dir = *node = NULL;
        *name = NULL;
        if (err)
                return err;
        if (!*plain) {
                *node = sw__draft_root(d);
                return SW_OK;
        }
        slash = strrchr(plain, '/');
        if (slash)
                *slash = '\0';
        *name = sw_strdup(slash ? slash + 1 : plain);
        err = sw__draft_find(d, slash ? plain : "", dir);
        if (err || !*dir || !S_ISDIR((*dir)->type)) {
                *dir = NULL;
                return err;
        }
        return sw__draft_child(d, *dir, *name, node);
}

/* ---- mkdir, mkfile, symlink --------------------------------------------------------- */

sw_err *
sw__file_mkdir(sw__draft *d, const Pb__FileActionMkDir *a, const struct sw__owner *o)
{
        struct sw_layer_meta m = sw__file_meta(d, (mode_t) a->mode & 0777, o, a->timestamp);
        struct sw__draft_node *dir, *node;
        sw_auto(sw_str) name = NULL;
        sw_auto(sw_str) plain = NULL;
        sw_err *err;

        if (a->makeparents) {
                err = sw__draft_resolve(d, a->path, true, &plain);
                if (!err)
                        err = sw__draft_mkdirs(d, plain, &m, &node);
        } else {
                err = locate(d, a->path, true, &dir, &name, &node);
                if (!err && !node)
                        err = dir ? sw__draft_mkdir(d, dir, name, &m, &node)
                                  : sw__file_missing(a->path);
        }
        return sw__file_wrap(err, "mkdir", a->path, NULL, NULL);
}

/* A file that is there keeps its mode, its owner and its attributes, but for capabilities,
 * which the kernel takes away from what is written to. */
static sw_err *
keep_xattrs(sw__draft *d, const struct sw__view *base, struct sw__draft_node *n)
{
        sw_auto(sw_fd) fd = -1;
        struct sw__view_entry e = { .index = 0 };
        sw_err *err = sw__view_open_node(base, n->path, &e, &fd);

        return err || fd < 0 ? err
                             : sw__draft_xattrs(d, n, base, fd, "security.capability");
}

sw_err *
sw__file_mkfile(sw__draft *d, const Pb__FileActionMkFile *a, const struct sw__owner *o)
{
        struct sw_layer_meta m = sw__file_meta(d, (mode_t) a->mode & 0777, o, a->timestamp);
        struct sw__draft_node *dir, *node;
        sw_auto(sw_str) name = NULL;
        bool in_base = false;
        sw_err *err = locate(d, a->path, true, &dir, &name, &node);

        if (!err && node && !S_ISREG(node->type))
                err = sw_err_new(SW_E_INVALID, "it is there and no regular file");
        if (!err && !node && !dir)
                err = sw__file_missing(a->path);
        if (!err && node) {
                m.mode = node->meta.mode;
                if (!o->set) {
                        m.uid = node->meta.uid;
                        m.gid = node->meta.gid;
                }
                in_base = !node->told;
        }
        if (!err)
                err = sw__draft_data(d, dir, name, &m, a->data.data, a->data.len, &node);
        if (!err && in_base)
                err = keep_xattrs(d, sw__draft_base(d), node);
        return sw__file_wrap(err, "mkfile", a->path, NULL, NULL);
}

sw_err *
sw__file_symlink(sw__draft *d, const Pb__FileActionSymlink *a, const struct sw__owner *o)
{
        struct sw_layer_meta m = sw__file_meta(d, 0777, o, a->timestamp);
        struct sw__draft_node *dir, *node;
        sw_auto(sw_str) name = NULL;
        sw_err *err = locate(d, a->newpath, true, &dir, &name, &node);

        if (!err && node)
                err = sw_err_sys(SW_E_EXISTS, EEXIST, "it cannot be made");
        else if (!err && !dir)
                err = sw__file_missing(a->newpath);
        if (!err && (!a->oldpath[0] || strlen(a->oldpath) >= PATH_MAX))
                err = sw_err_new(SW_E_INVALID, "its target is %s",
                                 a->oldpath[0] ? "too long" : "empty");
        if (!err)
                err = sw__draft_symlink(d, dir, name, &m, a->oldpath, &node);
        return sw__file_wrap(err, "symlink", a->newpath, " -> ", a->oldpath);
}

/* ---- rm ----------------------------------------------------------------------------- */

static sw_err *
remove_path(sw__draft *d, const char *path, bool may_be_missing)
{
        struct sw__draft_node *dir, *node;
        sw_auto(sw_str) clean = sw_path_join("/", path), name = NULL;
        sw_err *err;

        if (strcmp(clean, "/") == 0)
                return sw_err_new(SW_E_INVALID, "invalid empty path");
        err = locate(d, clean, false, &dir, &name, &node);
        if (err)
                return err;
        if (!node || !node->parent)
                return may_be_missing ? SW_OK : sw__file_missing(clean);
        return sw__draft_remove(d, node);
}

static sw_err *
resolve_in_draft(void *self, const char *path, bool follow_last, char **out)
{
        return sw__draft_resolve(self, path, follow_last, out);
}

static sw_err *
names_in_draft(void *self, const char *path, sw_strlist *out)
{
        struct sw__draft_node *n;
        sw_err *err = sw__draft_find(self, path, &n);

        return err || !n || !S_ISDIR(n->type) ? err : sw__draft_names(self, n, out);
}

sw_err *
sw__file_rm(sw__draft *d, const Pb__FileActionRm *a)
{
        const struct sw__glob_tree tree = { d, resolve_in_draft, names_in_draft };
        sw_auto(sw_strlist) found = { 0 };
        sw_err *err = SW_OK;

        if (!a->allowwildcard)
                sw_strlist_add(&found, a->path);
        else
                err = sw__file_wildcards(&tree, a->path, false, &found);
        for (size_t i = 0; i < found.n && !err; i++)
                err = remove_path(d, found.v[i], a->allownotfound);
        return sw__file_wrap(err, "rm", a->path, NULL, NULL);
}

/* ---- wildcards ---------------------------------------------------------------------- */

static bool
has_wildcards(const char *s, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                if (s[i] == '\\')
                        i++;
                else if (s[i] == '*' || s[i] == '?' || s[i] == '[')
                        return true;
        }
        return false;
}

/* Where the first component with a wildcard begins; the end when there is none. */
static size_t
split_wildcards(const char *clean)
{
        size_t at = 0;

        while (clean[at]) {
                size_t n = strcspn(clean + at, "/");

                if (has_wildcards(clean + at, n))
                        return at;
                at += n;
                at += clean[at] == '/';
        }
        return at;
}

/* Component by component: each matches names, and only what the last one matches counts. */
static sw_err *
expand(const struct sw__glob_tree *t, const char *dir, const char *pattern, sw_strlist *out)
{
        size_t n = strcspn(pattern, "/");
        sw_auto(sw_str) one = sw_strndup(pattern, n);
        sw_auto(sw_strlist) names = { 0 };
        sw_err *err = t->names(t->self, dir, &names);

        for (size_t i = 0; i < names.n && !err; i++) {
                sw_auto(sw_str) path = NULL;

                if (!sw_glob_match(one, names.v[i]))
                        continue;
                path = sw_asprintf("%s%s%s", dir, *dir ? "/" : "", names.v[i]);
                if (pattern[n])
                        err = expand(t, path, pattern + n + 1, out);
                else
                        sw_strlist_add(out, path);
        }
        return err;
}

sw_err *
sw__file_wildcards(const struct sw__glob_tree *t, const char *pattern, bool follow,
                   sw_strlist *out)
{
        sw_auto(sw_str) clean = sw_path_join("/", pattern), dir = NULL, plain = NULL;
        size_t at;
        sw_err *err;

        if (strlen(clean) >= PATH_MAX)
                return sw_err_new(SW_E_LIMIT, "the path is too long");
        at = split_wildcards(clean);
        if (!clean[at]) {
                sw_strlist_add(out, clean);
                return SW_OK;
        }
        err = sw_glob_check(clean + at);
        if (err)
                return err;
        dir = sw_strndup(clean, at > 1 ? at - 1 : at); /* without the slash at its end */
        err = t->resolve(t->self, dir, follow, &plain);
        return err ? err : expand(t, plain, clean + at, out);
}
