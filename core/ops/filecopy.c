/*
 * core/ops/filecopy.c - the copy action: sources with wildcards, where each goes, and the
 * walk of what it has in it.
 *
 * The rules are those of the reference (reference/llb.md section 6), which are not cp's:
 *
 *   - a directory that is copied onto one that is there keeps the latter's metadata at the
 *     top and has the former's below
 *   - directories that match no include pattern are made when something in them does
 *   - what is made on the way to the destination has mode 0755
 *
 * The walk tells directories, links and devices as it meets them and gathers files, which
 * sw__draft_flush() copies by several threads.
 * Thread: the draft's.
 */
#include <errno.h>
#include <string.h>

#include <slipway/pattern.h>
#include <slipway/text.h>
#include <slipway/time.h>

#include "core/ops/fileact.h"

struct copier {
        sw__draft *d;
        sw_ctx *ctx;
        const struct sw__view *src;
        const Pb__FileActionCopy *a;
        const struct sw__owner *owner;
        sw__modeset *modeset;          /* or NULL */
        sw_patterns *include;          /* or NULL: all */
        sw_patterns *exclude;          /* or NULL: none */
        sw_map *links;                 /* {dev, ino} -> node of the file's first name */
        struct sw__required *required; /* or NULL */
};

/* A directory on the way down. */
struct level {
        struct level *up;
        const char *src; /* plain */
        const struct sw__view_entry *e;
        struct sw__draft_node *node; /* where it goes; NULL: not there yet */
        const char *name;            /* there */
        struct sw__draft_node *top;  /* of the uppermost: the directory it is to be in */
        bool done;                   /* made, or left as it is, for good */
        bool over;                   /* it takes its metadata along, onto what is there */
        struct sw_pattern_state in, ex;
};

/* ---- metadata ----------------------------------------------------------------------- */

static struct sw_layer_meta
meta_of(const struct copier *c, const struct stat *st)
{
        mode_t mode = st->st_mode & 07777;

        if (S_ISLNK(st->st_mode))
                mode = 0777;
        else if (c->modeset)
                mode = sw__modeset_apply(c->modeset, st->st_mode);
        else if (c->a->mode != -1)
                mode = (mode_t) c->a->mode & 07777;
        return (struct sw_layer_meta){
                .mode = mode,
                .uid = c->owner->set ? c->owner->uid : st->st_uid,
                .gid = c->owner->set ? c->owner->gid : st->st_gid,
                .mtime = c->a->timestamp != -1 ? c->a->timestamp
                                               : sw_time_from_spec(&st->st_mtim),
        };
}

static sw_err *
copy_xattrs(struct copier *c, const char *path, const struct sw__view_entry *e,
            struct sw__draft_node *n)
{
        sw_auto(sw_fd) fd = -1;
        sw_err *err = sw__view_open_node(c->src, path, e, &fd);

        return err || fd < 0 ? err : sw__draft_xattrs(c->d, n, c->src, fd, NULL);
}

static sw_err *
conflict(const char *what, const struct sw__draft_node *n)
{
        sw_auto(sw_buf) shown = SW_BUF_INIT;

        sw_buf_adds(&shown, "/");
        sw_buf_adds(&shown, n->path);
        return sw_err_new(SW_E_EXISTS, "%s: %s", what, shown.data);
}

/* ---- directories -------------------------------------------------------------------- */

static sw_err *
make_level(struct copier *c, struct level *l)
{
        struct sw_layer_meta m = meta_of(c, &l->e->st);
        struct sw__draft_node *dir = l->up ? l->up->node : l->top;
        sw_err *err = sw__draft_mkdir(c->d, dir, l->name, &m, &l->node);

        return err ? err : copy_xattrs(c, l->src, l->e, l->node);
}

/* A directory whose turn it is: by a match of its own (@whole), or because of something in
 * it, which changes no more than the mode of one that is there. */
static sw_err *
enter_level(struct copier *c, struct level *l, bool whole)
{
        struct sw_layer_meta m;
        sw_err *err;

        l->done = true;
        if (!l->node)
                return make_level(c, l);
        if (!S_ISDIR(l->node->type))
                return conflict("cannot copy to non-directory", l->node);
        if (!l->over)
                return SW_OK;
        m = meta_of(c, &l->e->st);
        if (!whole) {
                struct sw_layer_meta old = l->node->meta;

                old.mode = l->e->st.st_mode & 07777;
                m = old;
        }
        err = sw__draft_set_meta(c->d, l->node, &m);
        return err || !whole ? err : copy_xattrs(c, l->src, l->e, l->node);
}

/* Those above an entry that is copied, the uppermost first. */
static sw_err *
enter_all(struct copier *c, struct level *l)
{
        sw_err *err;

        if (!l || l->done)
                return SW_OK;
        err = enter_all(c, l->up);
        return err ? err : enter_level(c, l, false);
}

/* ---- what is not a directory -------------------------------------------------------- */

struct link_key {
        uint64_t dev, ino;
};

static sw_err *
copy_file(struct copier *c, const char *path, const struct sw__view_entry *e,
          struct sw__draft_node *dir, const char *name)
{
        struct link_key key = { e->st.st_dev, e->st.st_ino };
        struct sw_layer_meta m = meta_of(c, &e->st);
        struct sw__draft_node *n, *first = NULL;
        struct sw__draft_copy copy = { .view = c->src,
                                       .entry = *e,
                                       .keep_mtime = c->a->timestamp == -1 };
        sw_err *err;

        if (e->st.st_nlink > 1)
                first = sw_map_get_bytes(c->links, &key, sizeof(key));
        if (first)
                return sw__draft_link(c->d, dir, name, first, &n);
        copy.path = sw_strdup(path);
        err = sw__draft_file(c->d, dir, name, &m, &copy, &n);
        if (!err && e->st.st_nlink > 1)
                (void) sw_map_set_bytes(c->links, &key, sizeof(key), n);
        return err;
}

static sw_err *
copy_symlink(struct copier *c, const char *path, const struct sw__view_entry *e,
             struct sw__draft_node *dir, const char *name)
{
        struct sw_layer_meta m = meta_of(c, &e->st);
        struct sw__draft_node *n;
        sw_auto(sw_str) target = NULL;
        sw_err *err = sw__view_readlink(c->src, path, &target);

        if (!err)
                err = sw__draft_symlink(c->d, dir, name, &m, target, &n);
        return err ? err : copy_xattrs(c, path, e, n);
}

static sw_err *
copy_device(struct copier *c, const char *path, const struct sw__view_entry *e,
            struct sw__draft_node *dir, const char *name)
{
        struct sw_layer_meta m = meta_of(c, &e->st);
        struct sw__draft_node *n;
        sw_err *err = sw__draft_device(c->d, dir, name, &m, e->st.st_mode & S_IFMT,
                                       e->st.st_rdev, &n);

        return err ? err : copy_xattrs(c, path, e, n);
}

static sw_err *
copy_leaf(struct copier *c, const char *path, const struct sw__view_entry *e,
          struct sw__draft_node *dir, const char *name)
{
        switch (e->st.st_mode & S_IFMT) {
        case S_IFREG: return copy_file(c, path, e, dir, name);
        case S_IFLNK: return copy_symlink(c, path, e, dir, name);
        case S_IFCHR:
        case S_IFBLK:
        case S_IFIFO:
        case S_IFSOCK: return copy_device(c, path, e, dir, name);
        default:
                return sw__file_wrap(sw_err_new(SW_E_UNSUPPORTED,
                                                "it is of an unknown type 0%o",
                                                (unsigned) e->st.st_mode),
                                     "copy", path, NULL, NULL);
        }
}

/* ---- the walk ----------------------------------------------------------------------- */

/* Where an entry is to go: what stands there, and in which directory. */
struct target {
        struct level *up;            /* NULL for the uppermost */
        struct sw__draft_node *top;  /* then: the directory it goes into */
        const char *name;            /* "": the root itself */
        struct sw__draft_node *node; /* NULL: nothing is there */
};

static sw_err *copy_entry(struct copier *c, const char *path, const char *rel,
                          const struct sw__view_entry *e, struct target *t);

static sw_err *
find_target(struct copier *c, struct target *t)
{
        struct sw__draft_node *dir = t->up ? t->up->node : t->top;

        if (!*t->name)
                t->node = sw__draft_root(c->d);
        else if (dir && S_ISDIR(dir->type))
                return sw__draft_child(c->d, dir, t->name, &t->node);
        return SW_OK;
}

/* Whether a match of @rel and what is below it can still come. */
static bool
may_match_below(const struct copier *c, const char *rel, bool included, bool excluded)
{
        if (excluded && !sw_patterns_may_except_below(c->exclude, rel))
                return false;
        return included || !c->include || sw_patterns_may_match_below(c->include, rel);
}

static sw_err *
walk_names(struct copier *c, struct level *l, const char *rel, const sw_strlist *names)
{
        sw_err *err = SW_OK;

        for (size_t i = 0; i < names->n && !err; i++) {
                const char *name = names->v[i];
                sw_auto(sw_str) path =
                        sw_asprintf("%s%s%s", l->src, *l->src ? "/" : "", name);
                sw_auto(sw_str) below = sw_asprintf("%s%s%s", rel, *rel ? "/" : "", name);
                struct target t = { .up = l, .name = name };
                struct sw__view_entry e;

                err = sw__view_lstat(c->src, path, &e);
                if (err && sw_err_code(err) == SW_E_NOT_FOUND)
                        err = sw_err_wrap(err, "what was there a moment ago is gone");
                if (err)
                        return err;
                err = find_target(c, &t);
                if (!err)
                        err = copy_entry(c, path, below, &e, &t);
        }
        return err;
}

/* What an entry is to the patterns. */
struct match {
        bool included, excluded;
        struct sw_pattern_state in, ex;
};

static struct match
match_entry(const struct copier *c, const char *rel, const struct level *up)
{
        struct match m = { .included = true };

        if (!*rel)
                return m;
        if (c->include)
                m.included = sw_patterns_match(c->include, rel, up ? &up->in : NULL, &m.in);
        if (c->exclude)
                m.excluded = sw_patterns_match(c->exclude, rel, up ? &up->ex : NULL, &m.ex);
        return m;
}

static sw_err *
copy_dir(struct copier *c, const char *path, const char *rel,
         const struct sw__view_entry *e, struct target *t, struct match *m)
{
        struct level l = { .up = t->up,
                           .top = t->top,
                           .src = path,
                           .e = e,
                           .name = t->name,
                           .node = t->node,
                           .over = t->up != NULL,
                           .in = m->in,
                           .ex = m->ex };
        sw_auto(sw_strlist) names = { 0 };
        bool mine = m->included && !m->excluded;
        sw_err *err = SW_OK;

        if (mine)
                err = enter_level(c, &l, !c->include);
        if (!err && *rel && !may_match_below(c, rel, m->included, m->excluded))
                return SW_OK;
        if (!err)
                err = sw__view_names(c->src, path, &names);
        return err ? err : walk_names(c, &l, rel, &names);
}

static bool
must_go(const struct copier *c, const struct sw__view_entry *e,
        const struct sw__draft_node *old)
{
        return c->a->alwaysreplaceexistingdestpaths && old && old->parent &&
               !(S_ISDIR(e->st.st_mode) && S_ISDIR(old->type));
}

static sw_err *
copy_other(struct copier *c, const char *path, const struct sw__view_entry *e,
           struct target *t)
{
        struct sw__draft_node *dir;
        sw_err *err = enter_all(c, t->up);

        if (err)
                return err;
        if (t->node && S_ISDIR(t->node->type))
                return conflict("cannot replace a directory with a file", t->node);
        dir = t->up ? t->up->node : t->top;
        return copy_leaf(c, path, e, dir, t->name);
}

static sw_err *
copy_entry(struct copier *c, const char *path, const char *rel,
           const struct sw__view_entry *e, struct target *t)
{
        struct match m = match_entry(c, rel, t->up);
        bool mine = m.included && !m.excluded;
        sw_err *err = sw_ctx_check(c->ctx);

        if (!err && mine && must_go(c, e, t->node)) {
                err = sw__draft_remove(c->d, t->node);
                t->node = NULL;
        }
        if (!err && mine)
                sw__required_met(c->required, path, rel);
        if (!err && mine && S_ISDIR(e->st.st_mode))
                err = enter_all(c, t->up);
        if (!err && S_ISDIR(e->st.st_mode))
                err = copy_dir(c, path, rel, e, t, &m);
        else if (!err && mine)
                err = copy_other(c, path, e, t);
        sw_pattern_state_release(&m.in);
        sw_pattern_state_release(&m.ex);
        return err;
}

/* ---- one source --------------------------------------------------------------------- */

static sw_err *
make_dirs(struct copier *c, const char *plain, struct sw__draft_node **out)
{
        struct sw_layer_meta m = sw__file_meta(c->d, 0755, c->owner, c->a->timestamp);

        return sw__draft_mkdirs(c->d, plain, &m, out);
}

/* What a destination says is a directory: all of "a/b/" and "a/b/.", "a" of "a/b". */
static sw_err *
make_destination(struct copier *c, const char *dest)
{
        const char *slash = strrchr(dest, '/');
        sw_auto(sw_str) dir = sw_strdup(dest);
        sw_auto(sw_str) plain = NULL;
        struct sw__draft_node *n;
        sw_err *err;

        if (slash && slash[1] && strcmp(slash, "/.") != 0)
                dir[slash + 1 - dest] = '\0';
        err = sw__draft_resolve(c->d, dir, true, &plain);
        return err ? err : make_dirs(c, plain, &n);
}

static char *
parent_of(const char *plain, const char **base)
{
        const char *slash = strrchr(plain, '/');

        *base = slash ? slash + 1 : plain;
        return slash ? sw_strndup(plain, (size_t) (slash - plain)) : sw_strdup("");
}

/* The plain path that @src is copied to, and the directory it goes into. @path is cut into
 * name and directory by the caller. */
static sw_err *
aim(struct copier *c, const char *src, const struct sw__view_entry *e, const char *dest,
    char **out)
{
        sw_auto(sw_str) plain = NULL, base = sw_path_base(src);
        struct sw__draft_node *at;
        sw_err *err = sw__draft_resolve(c->d, dest, true, &plain);
        bool dir = S_ISDIR(e->st.st_mode), inside;

        if (!err)
                err = sw__draft_find(c->d, plain, &at);
        if (err)
                return err;
        inside = dir ? at && !c->a->dircopycontents : at && S_ISDIR(at->type);
        if (inside && strcmp(base, "/") != 0 && strcmp(base, ".") != 0)
                *out = sw_asprintf("%s%s%s", plain, *plain ? "/" : "", base);
        else
                *out = sw_steal(plain);
        return SW_OK;
}

static sw_err *
copy_to(struct copier *c, const char *path, const struct sw__view_entry *e,
        const char *dest)
{
        const char *name;
        sw_auto(sw_str) dir = parent_of(dest, &name);
        struct target t = { .name = name };
        sw_err *err = make_dirs(c, dir, &t.top);

        if (!err)
                err = find_target(c, &t);
        if (!err && S_ISDIR(e->st.st_mode) && c->a->dircopycontents && !t.node)
                err = make_dirs(c, dest, &t.node);
        return err ? err : copy_entry(c, path, "", e, &t);
}

static sw_err *
copy_one(struct copier *c, const char *src, const char *dest)
{
        sw_auto(sw_str) path = NULL, to = NULL;
        struct sw__view_entry e;
        sw_err *err = make_destination(c, dest);

        if (!err)
                err = sw__view_resolve(c->src, src, c->a->followsymlink, &path);
        if (!err)
                err = sw__view_lstat(c->src, path, &e);
        if (!err)
                err = aim(c, src, &e, dest, &to);
        if (err)
                return err;
        c->links = sw_map_new(NULL);
        err = copy_to(c, path, &e, to);
        sw_map_free(c->links);
        return err;
}

/* ---- all of them -------------------------------------------------------------------- */

static sw_err *
resolve_in_view(void *self, const char *path, bool follow_last, char **out)
{
        return sw__view_resolve(self, path, follow_last, out);
}

static sw_err *
names_in_view(void *self, const char *path, sw_strlist *out)
{
        struct sw__view_entry e;
        sw_err *err = sw__view_lstat(self, path, &e);

        if (err && sw_err_code(err) == SW_E_NOT_FOUND) {
                sw_err_drop(err, "nothing matches there");
                return SW_OK;
        }
        return err || !S_ISDIR(e.st.st_mode) ? err : sw__view_names(self, path, out);
}

static sw_err *
list_sources(struct copier *c, const char *src, sw_strlist *out)
{
        const struct sw__glob_tree tree = { (void *) c->src, resolve_in_view,
                                            names_in_view };
        sw_err *err;

        if (!c->a->allowwildcard) {
                sw_strlist_add(out, src);
                return SW_OK;
        }
        err = sw__file_wildcards(&tree, src, c->a->followsymlink, out);
        if (!err && out->n == 0 && !c->a->allowemptywildcard) {
                sw_auto(sw_str) shown = sw__path_shown(c->a->src);

                err = sw_err_new(SW_E_NOT_FOUND, "%s not found", shown);
        }
        return err;
}

static sw_err *
check_destination(struct copier *c)
{
        sw_auto(sw_str) plain = NULL, dir = NULL;
        struct sw__draft_node *n;
        const char *base;
        sw_err *err;

        if (c->a->createdestpath)
                return SW_OK;
        err = sw__draft_resolve(c->d, c->a->dest, true, &plain);
        if (err)
                return err;
        dir = parent_of(plain, &base);
        err = sw__draft_find(c->d, dir, &n);
        if (!err && !n)
                err = sw__file_wrap(sw__file_missing(dir), "failed to stat", c->a->dest,
                                    NULL, NULL);
        return err;
}

static sw_err *
prepare(struct copier *c)
{
        const Pb__FileActionCopy *a = c->a;
        sw_err *err = SW_OK;

        if (a->modestr[0])
                err = sw__modeset_new(a->modestr, &c->modeset);
        if (!err && a->n_include_patterns)
                err = sw_patterns_new((const char *const *) a->include_patterns,
                                      a->n_include_patterns, &c->include);
        if (!err && a->n_exclude_patterns)
                err = sw_patterns_new((const char *const *) a->exclude_patterns,
                                      a->n_exclude_patterns, &c->exclude);
        return err;
}

static sw_err *
copy_all(struct copier *c)
{
        sw_auto(sw_str) src = sw__file_clean(c->a->src), dest = sw__file_clean(c->a->dest);
        sw_auto(sw_strlist) sources = { 0 };
        sw_err *err = check_destination(c);

        if (!err)
                err = prepare(c);
        if (!err)
                err = list_sources(c, src, &sources);
        for (size_t i = 0; i < sources.n && !err; i++) {
                bool unpacked = false;

                if (c->a->attemptunpackdockercompatibility)
                        err = sw__file_unpack(c->d, c->ctx, c->src, sources.v[i], dest,
                                              c->owner, c->a->timestamp, &unpacked);
                if (unpacked)
                        sw__required_met(c->required,
                                         sources.v[i] + (sources.v[i][0] == '/'), "");
                else if (!err)
                        err = copy_one(c, sources.v[i], dest);
        }
        if (!err)
                err = sw__required_check(c->required);
        return err ? err : sw__draft_flush(c->d);
}

sw_err *
sw__file_copy(sw__draft *d, const Pb__FileActionCopy *a, const struct sw__view *src,
              const struct sw__owner *o, sw_ctx *ctx)
{
        struct copier c = { .d = d, .ctx = ctx, .src = src, .a = a, .owner = o };
        sw_err *err;

        c.required = sw__required_new(a->required_paths, a->n_required_paths);
        err = copy_all(&c);
        sw__required_free(c.required);
        sw__modeset_free(c.modeset);
        sw_patterns_free(c.include);
        sw_patterns_free(c.exclude);
        return sw__file_wrap(err, "copy", a->src, " ", a->dest);
}
