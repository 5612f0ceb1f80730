/*
 * lib/snapdir/diff.c - find what differs between the trees of two stacks.
 *
 * Both stacks are walked together, directory by directory, straight in the directories of
 * the layers: no tree is mounted. A directory is the list of the layers that have it, top
 * first, cut after one that is opaque or where something else hides it. Layers that both
 * lists end with are common: names that no other layer has are the same in both trees and
 * are not looked at. So where one stack is the beginning of the other, which is what builds
 * make, only the layers above it are read; and two stacks that have nothing in common are
 * read whole.
 *
 * Which names of a file are told (diff_links) is decided by the trees alone, too: a name is
 * told when it changed, or when the file has another name and they are not the same file,
 * unchanged, in the lower tree as well.
 *
 * Thread: any; all state is in struct diff, on the caller's stack.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "lib/snapdir/diff_priv.h"

/* One name of a directory in one tree. */
struct side {
        bool found, closed; /* closed: lower layers do not matter */
        bool gone, opaque;  /* for d->raw: a whiteout, an opaque directory */
        uint32_t layer;     /* the one it comes from */
        struct meta meta;
        layer_list dirs; /* of a directory: the layers that have it */
};

struct entry {
        struct side lower, upper;
        char name[];
};

/* A directory yet to be looked at, in both trees; a list may be empty. */
struct todo {
        struct change *at;
        layer_list lower, upper;
};

struct walk {
        struct diff *d;
        SW_ARRAY(struct todo) todo;
};

static void
todo_release(struct todo *t)
{
        sw_array_release(&t->lower);
        sw_array_release(&t->upper);
}

static void
entry_free(void *p)
{
        struct entry *e = p;

        sw_array_release(&e->lower.dirs);
        sw_array_release(&e->upper.dirs);
        free(e);
}

/* ---- paths ------------------------------------------------------------------------- */

void
change_path(const struct change *c, sw_buf *out)
{
        size_t len = 0;

        for (const struct change *p = c; p->parent; p = p->parent)
                len += strlen(p->name) + 1;
        sw_buf_clear(out);
        if (!len)
                return;
        sw_buf_reserve(out, len);
        out->len = len - 1;
        out->data[out->len] = '\0';
        for (const struct change *p = c; p->parent; p = p->parent) {
                const size_t n = strlen(p->name);

                len -= n + 1;
                memcpy(out->data + len, p->name, n);
                if (len)
                        out->data[len - 1] = '/';
        }
}

sw_err *
diff_open_dir(const struct diff *d, uint32_t layer, const struct change *c, int *fd)
{
        sw_auto(sw_buf) path = SW_BUF_INIT;
        sw_auto(sw_buf) full = SW_BUF_INIT;

        change_path(c, &path);
        /* There is a path for each layer. */
        /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference) */
        sw_buf_adds(&full, d->paths.v[layer]);
        if (path.len)
                sw_buf_addf(&full, "/%s", path.data);
        *fd = snapdir_open_dir(d->s->dirfd, full.data);
        return *fd < 0 ? snapdir_err(errno, "open", full.data) : SW_OK;
}

static struct change *
change_add(struct change *parent, const char *name)
{
        const size_t n = strlen(name) + 1;
        struct change *c = sw_alloc(sizeof(*c) + n);

        memcpy(c->name, name, n);
        c->parent = parent;
        if (parent) {
                *(parent->last ? &parent->last->next : &parent->child) = c;
                parent->last = c;
        }
        return c;
}

static void
changes_free(struct change *c)
{
        while (c) {
                struct change *next = c->child ? c->child : c->next ? c->next : c->parent;

                if (c->child)
                        c->child = NULL; /* on the way back there is none */
                else
                        free(c);
                c = next;
        }
}

/* ---- the names of a directory ------------------------------------------------------- */

/* What a layer has under a name, seen from above. */
static sw_err *
see(const struct diff *d, struct side *side, uint32_t layer, int dirfd, const char *name,
    const struct stat *st)
{
        bool opaque = false;

        if (side->closed)
                return SW_OK;
        if (!S_ISDIR(st->st_mode)) {
                side->closed = true;
                side->gone = !side->found && snapdir_is_whiteout(d->s, dirfd, name, st);
                if (!side->found && !side->gone) {
                        side->found = true;
                        side->layer = layer;
                        meta_set(&side->meta, st);
                }
                return SW_OK;
        }
        if (!side->found) {
                side->found = true;
                side->layer = layer;
                meta_set(&side->meta, st);
        }
        sw_array_push(&side->dirs, layer);
        sw_err *err = snapdir_is_opaque(d->s, dirfd, name, &opaque);
        side->closed = opaque;
        side->opaque |= opaque;
        return err;
}

/* Every name that @layer has in the directory. */
static sw_err *
read_layer(struct diff *d, const struct change *at, uint32_t layer, bool upper,
           sw_map *names)
{
        sw_auto(sw_fd) fd = -1;
        const struct dirent *e;
        struct stat st;
        sw_err *err = diff_open_dir(d, layer, at, &fd);

        if (err)
                return err;
        const int dirfd = fd;
        DIR *dir = fdopendir(fd);
        if (!dir)
                return snapdir_err(errno, "read", at->name);
        (void) sw_fd_steal(&fd);
        for (errno = 0; !err && (e = readdir(dir)); errno = 0) {
                if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
                        continue;
                struct entry *entry = sw_map_get(names, e->d_name);
                if (!entry) {
                        const size_t n = strlen(e->d_name) + 1;

                        entry = sw_alloc(sizeof(*entry) + n);
                        memcpy(entry->name, e->d_name, n);
                        (void) sw_map_set(names, e->d_name, entry);
                }
                if (fstatat(dirfd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                        err = snapdir_err(errno, "look at", e->d_name);
                else
                        err = see(d, upper ? &entry->upper : &entry->lower, layer, dirfd,
                                  e->d_name, &st);
        }
        if (!err && errno)
                err = snapdir_err(errno, "read", at->name);
        (void) closedir(dir);
        return err ? err : sw_ctx_check(d->ctx);
}

/* Look the names that are known up in a layer that both trees have. */
static sw_err *
ask_layer(struct diff *d, const struct change *at, uint32_t layer, sw_map *names,
          size_t *open)
{
        struct sw_map_iter it = SW_MAP_ITER(names);
        sw_auto(sw_fd) fd = -1;
        sw_err *err = diff_open_dir(d, layer, at, &fd);

        *open = 0;
        while (!err && sw_map_next(&it)) {
                struct entry *e = it.value;
                struct stat st;

                if (e->lower.closed && e->upper.closed)
                        continue;
                if (fstatat(fd, e->name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
                        err = see(d, &e->lower, layer, fd, e->name, &st);
                        if (!err)
                                err = see(d, &e->upper, layer, fd, e->name, &st);
                } else if (errno != ENOENT) {
                        err = snapdir_err(errno, "look at", e->name);
                }
                *open += !e->lower.closed || !e->upper.closed;
        }
        return err ? err : sw_ctx_check(d->ctx);
}

/* How many layers both lists end with. */
static size_t
common(const struct diff *d, const struct todo *t)
{
        size_t n = 0;

        while (!d->full && n < t->lower.n && n < t->upper.n &&
               t->lower.v[t->lower.n - 1 - n] == t->upper.v[t->upper.n - 1 - n])
                n++;
        return n;
}

static sw_err *
collect(struct diff *d, const struct todo *t, sw_map *names)
{
        const size_t n_common = common(d, t);
        const size_t nl = t->lower.n - n_common, nu = t->upper.n - n_common;
        sw_err *err = SW_OK;
        size_t open = 1;

        for (size_t i = 0; i < nl && !err; i++)
                err = read_layer(d, t->at, t->lower.v[i], false, names);
        for (size_t i = 0; i < nu && !err; i++)
                err = read_layer(d, t->at, t->upper.v[i], true, names);
        for (size_t i = nu; i < t->upper.n && !err && open && sw_map_count(names); i++)
                err = ask_layer(d, t->at, t->upper.v[i], names, &open);
        return err;
}

/* ---- comparing --------------------------------------------------------------------- */

static bool
same_list(const layer_list *a, const layer_list *b)
{
        return a->n == b->n && (!a->n || memcmp(a->v, b->v, a->n * sizeof(*a->v)) == 0);
}

/* Whether the two sides of an entry, both there, differ. For directories: they themselves,
 * not what is in them. */
static sw_err *
differs(struct diff *d, const struct change *dir, const struct entry *e, bool *yes)
{
        sw_auto(sw_fd) a = -1;
        sw_auto(sw_fd) b = -1;
        bool same = true;

        *yes = false;
        if (e->lower.layer == e->upper.layer)
                return SW_OK;
        if (d->copied &&
            snapdir_copied_same(d->copied, e->upper.meta.ino, &e->upper.meta.ctime,
                                e->lower.layer, e->lower.meta.ino))
                return SW_OK;
        if ((e->lower.meta.mode & S_IFMT) != (e->upper.meta.mode & S_IFMT)) {
                *yes = true;
                return SW_OK;
        }
        sw_err *err = diff_open_dir(d, e->lower.layer, dir, &a);
        if (!err)
                err = diff_open_dir(d, e->upper.layer, dir, &b);
        if (!err)
                err = diff_same_entry(d->ctx, a, &e->lower.meta, b, &e->upper.meta, e->name,
                                      &same);
        *yes = !same;
        return err;
}

/* What was found under a name becomes a change, if it may be one. */
static sw_err *
judge(struct walk *w, const struct todo *t, struct entry *e)
{
        struct diff *d = w->d;
        const struct side *lo = &e->lower, *up = &e->upper;
        const bool up_dir = up->found && S_ISDIR(up->meta.mode);
        const bool lo_dir = lo->found && S_ISDIR(lo->meta.mode);
        bool tell = !lo->found || !up->found;

        if (!lo->found && !up->found && !(d->raw && up->gone))
                return SW_OK;
        if (!tell) {
                sw_err *err = differs(d, t->at, e, &tell);
                if (err)
                        return err;
        }
        const bool enter =
                up_dir && (!lo_dir || d->full || !same_list(&lo->dirs, &up->dirs));
        const bool linked = up->found && !up_dir && up->meta.nlink > 1;
        if (!tell && !enter && !linked)
                return SW_OK;
        struct change *c = change_add(t->at, e->name);
        c->meta = up->meta;
        c->layer = up->layer;
        c->tell = tell;
        c->gone = !up->found;
        c->opaque = d->raw && up_dir && up->opaque;
        c->lower_layer = lo->layer;
        c->lower_ino = lo->meta.ino;
        /* its other names may be where both trees have the same and were not looked at */
        if (tell && linked && d->in_lower[up->layer])
                d->need_full = true;
        if (enter) {
                struct todo next = { .at = c, .upper = up->dirs };

                e->upper.dirs = (layer_list){ NULL, 0, 0 };
                if (lo_dir) {
                        next.lower = lo->dirs;
                        e->lower.dirs = (layer_list){ NULL, 0, 0 };
                }
                sw_array_push(&w->todo, next);
        }
        return SW_OK;
}

static int
by_name(const void *a, const void *b)
{
        const struct entry *const *x = a, *const *y = b;

        return strcmp((*x)->name, (*y)->name);
}

static sw_err *
walk_dir(struct walk *w, const struct todo *t)
{
        sw_autoptr(sw_map) names = sw_map_new(entry_free);
        SW_ARRAY(struct entry *) sorted = { 0 };
        sw_err *err = collect(w->d, t, names);
        struct sw_map_iter it = SW_MAP_ITER(names);

        if (err)
                return err;
        sw_array_reserve(&sorted, sw_map_count(names) + 1);
        while (sw_map_next(&it))
                sorted.v[sorted.n++] = it.value;
        qsort(sorted.v, sorted.n, sizeof(*sorted.v), by_name);
        for (size_t i = 0; i < sorted.n && !err; i++)
                err = judge(w, t, sorted.v[i]);
        sw_array_release(&sorted);
        return err;
}

/* ---- the whole --------------------------------------------------------------------- */

/* Add directories to the table; *out: their numbers, in the same order. */
static void
add_dirs(struct diff *d, sw_map *numbers, const sw_strlist *dirs, layer_list *out)
{
        for (size_t i = 0; i < dirs->n; i++) {
                uintptr_t n = (uintptr_t) sw_map_get(numbers, dirs->v[i]); /* plus one */

                if (!n) {
                        sw_array_push(&d->paths, sw_strdup(dirs->v[i]));
                        n = d->paths.n;
                        (void) sw_map_set(numbers, dirs->v[i], (void *) n);
                }
                sw_array_push(out, (uint32_t) (n - 1));
        }
}

/* The directories of a stack. An empty one is an empty directory. */
static void
list_stack(const struct snapdir_stack *st, sw_strlist *out)
{
        snapdir_stack_dirs(st, out);
        if (!out->n)
                sw_strlist_add(out, "e/0");
}

/* The roots themselves; the first directory to look at. */
static sw_err *
begin(struct walk *w, const struct todo *t)
{
        struct diff *d = w->d;
        sw_auto(sw_fd) a = -1;
        sw_auto(sw_fd) b = -1;
        struct stat sa, sb;
        struct meta lower;
        bool same = true;

        d->root = change_add(NULL, "");
        /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): neither list is empty */
        d->root->layer = t->upper.v[0];
        sw_err *err = diff_open_dir(d, t->lower.v[0], d->root, &a);
        if (!err)
                err = diff_open_dir(d, t->upper.v[0], d->root, &b);
        if (err)
                return err;
        if (fstat(a, &sa) < 0 || fstat(b, &sb) < 0)
                return snapdir_err(errno, "look at", "the root");
        meta_set(&lower, &sa);
        meta_set(&d->root->meta, &sb);
        if (t->lower.v[0] != t->upper.v[0])
                err = diff_same_entry(d->ctx, a, &lower, b, &d->root->meta, NULL, &same);
        d->root->tell = !same;
        return err;
}

static sw_err *
walk_all(struct diff *d, const layer_list *lower, const layer_list *upper)
{
        struct walk w = { .d = d };
        struct todo t = { 0 };

        for (size_t i = 0; i < lower->n; i++)
                sw_array_push(&t.lower, lower->v[i]);
        for (size_t i = 0; i < upper->n; i++)
                sw_array_push(&t.upper, upper->v[i]);
        sw_err *err = begin(&w, &t);
        t.at = d->root;
        sw_array_push(&w.todo, t);
        while (w.todo.n) {
                t = w.todo.v[--w.todo.n];
                if (!err)
                        err = walk_dir(&w, &t);
                todo_release(&t);
        }
        sw_array_release(&w.todo);
        return err;
}

static void
diff_release(struct diff *d)
{
        for (size_t i = 0; i < d->paths.n; i++)
                free(d->paths.v[i]);
        sw_array_release(&d->paths);
        changes_free(d->root);
        free(d->in_lower);
}

static sw_err *
diff_dirs(struct diff *what, const sw_strlist *lower, const sw_strlist *upper,
          const struct sw_layer_ops *ops, void *w)
{
        sw_autoptr(sw_map) numbers = sw_map_new(NULL);
        struct diff d = *what;
        layer_list l = { NULL, 0, 0 }, u = { NULL, 0, 0 };

        add_dirs(&d, numbers, lower, &l);
        add_dirs(&d, numbers, upper, &u);
        d.in_lower = sw_alloc(d.paths.n);
        for (size_t i = 0; i < l.n; i++)
                d.in_lower[l.v[i]] = 1;
        sw_err *err = walk_all(&d, &l, &u);
        if (!err && d.need_full) {
                changes_free(d.root);
                d.root = NULL;
                d.full = true;
                err = walk_all(&d, &l, &u);
        }
        if (!err)
                diff_links(&d);
        if (!err)
                err = diff_tell(&d, ops, w);
        sw_array_release(&l);
        sw_array_release(&u);
        diff_release(&d);
        return err;
}

sw_err *
snapdir_diff_dirs(struct snapdir *s, sw_ctx *ctx, const sw_strlist *lower,
                  const sw_strlist *upper, const struct snapdir_copied *copied,
                  const struct sw_layer_ops *ops, void *w)
{
        struct diff d = { .s = s, .ctx = ctx, .copied = copied };

        return diff_dirs(&d, lower, upper, ops, w);
}

static sw_err *
diff_stacks(struct diff *d, const struct sw_stack *lower, const struct sw_stack *upper,
            const struct sw_layer_ops *ops, void *w)
{
        struct snapdir *s = d->s;
        sw_auto(snapdir_stack) lo = SNAPDIR_STACK_INIT;
        sw_auto(snapdir_stack) up = SNAPDIR_STACK_INIT;
        sw_auto(sw_strlist) lo_dirs = { 0 };
        sw_auto(sw_strlist) up_dirs = { 0 };
        sw_err *err = snapdir_stack_check(s, lower, &lo);

        if (!err)
                err = snapdir_stack_check(s, upper, &up);
        if (err)
                return err;
        list_stack(&lo, &lo_dirs);
        list_stack(&up, &up_dirs);
        return diff_dirs(d, &lo_dirs, &up_dirs, ops, w);
}

sw_err *
snapdir_diff(struct snapdir *s, sw_ctx *ctx, const struct sw_stack *lower,
             const struct sw_stack *upper, const struct sw_layer_ops *ops, void *w)
{
        struct diff d = { .s = s, .ctx = ctx };

        return diff_stacks(&d, lower, upper, ops, w);
}

sw_err *
snapdir_tell(struct snapdir *s, sw_ctx *ctx, const char *key,
             const struct sw_layer_ops *ops, void *w)
{
        struct diff d = { .s = s, .ctx = ctx, .raw = true };

        return diff_stacks(&d, &(const struct sw_stack){ NULL, 0 },
                           &(const struct sw_stack){ &key, 1 }, ops, w);
}
