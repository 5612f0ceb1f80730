/*
 * core/contenthash/tree.c - entries of a tree, found as far as somebody looks.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include <slipway/path.h>
#include <slipway/text.h>

#include "core/contenthash/tree.h"
#include "core/store/listing.h"

#define CHUNK (size_t) 65536

struct sw__hchunk {
        struct sw__hchunk *next;
        size_t size;
        max_align_t data[];
};

void *
sw__harena_get(struct sw__harena *a, size_t n)
{
        n = (n + sizeof(void *) - 1) & ~(sizeof(void *) - 1);
        if (!a->chunks || a->chunks->size - a->used < n) {
                size_t size = n > CHUNK ? n : CHUNK;
                struct sw__hchunk *c = sw_alloc(sizeof(*c) + size);

                c->size = size;
                c->next = a->chunks;
                a->chunks = c;
                a->used = 0;
        }
        void *p = (char *) a->chunks->data + a->used;
        a->used += n;
        return p;
}

const char *
sw__harena_str(struct sw__harena *a, const char *s, size_t n)
{
        char *p = sw__harena_get(a, n + 1);

        memcpy(p, s, n);
        p[n] = '\0';
        return p;
}

/* For each listed directory, where what is in it ends. */
static uint32_t *
listing_ends(const struct sw_listing *l)
{
        uint32_t *ends = sw_alloc_array(l->n ? l->n : 1, sizeof(*ends));
        SW_ARRAY(uint32_t) open = { 0 };

        for (size_t i = 0; i <= l->n; i++) {
                while (open.n > 0) {
                        uint32_t d = open.v[open.n - 1];
                        size_t len = strlen(l->v[d].path);

                        if (i < l->n && strncmp(l->v[i].path, l->v[d].path, len) == 0 &&
                            l->v[i].path[len] == '/')
                                break;
                        ends[d] = (uint32_t) i;
                        open.n--;
                }
                if (i < l->n && S_ISDIR(l->v[i].mode))
                        sw_array_push(&open, (uint32_t) i);
        }
        sw_array_release(&open);
        return ends;
}

struct sw__htree *
sw__htree_new(const struct sw_listing *listing)
{
        struct sw__htree *t = sw_new(struct sw__htree);

        (void) pthread_mutex_init(&t->lock, NULL);
        t->listing = listing;
        if (listing)
                t->ends = listing_ends(listing);
        t->root = sw__harena_get(&t->arena, sizeof(*t->root));
        t->root->name = "";
        t->root->type = SW__H_DIR;
        t->root->listed = SW__H_UNLISTED;
        if (listing) {
                /* the reference is told of everything in a local directory, but not of the
                 * directory itself: its header is that of nothing */
                t->root->own = sw_digest_of("", 0);
                t->root->hashed = true;
        }
        return t;
}

void
sw__htree_free(void *tree)
{
        struct sw__htree *t = tree;
        struct sw__hchunk *next;

        if (!t)
                return;
        for (struct sw__hchunk *c = t->arena.chunks; c; c = next) {
                next = c->next;
                free(c);
        }
        free(t->ends);
        (void) pthread_mutex_destroy(&t->lock);
        free(t);
}

sw_err *
sw__hview_fd(struct sw__hview *v, int *fd)
{
        if (v->fd < 0 && v->tree->listing)
                v->fd = v->tree->listing->dirfd;
        if (v->fd < 0 && !v->ref)
                return sw_err_new(SW_E_NOT_FOUND, "more than is remembered of a tree");
        if (v->fd < 0) {
                sw_err *err = sw_ref_open(v->ctx, v->ref, &v->open);

                if (err)
                        return err;
                v->fd = sw_tree_fd(v->open);
        }
        *fd = v->fd;
        return SW_OK;
}

void
sw__hview_close(struct sw__hview *v)
{
        if (v->open)
                sw_tree_drop(v->open);
        v->open = NULL;
        v->fd = -1;
}

void
sw__hpath(const struct sw__hnode *n, sw_buf *out)
{
        if (!n->parent) {
                sw_buf_adds(out, ".");
                return;
        }
        if (n->parent->parent) {
                sw__hpath(n->parent, out);
                sw_buf_addc(out, '/');
        }
        sw_buf_adds(out, n->name);
}

/* ---- scanning ---- */

static struct sw__hnode *
add_node(struct sw__htree *t, struct sw__hnode *dir, const char *name, size_t len,
         enum sw__htype type)
{
        struct sw__hnode *n = sw__harena_get(&t->arena, sizeof(*n));

        n->name = sw__harena_str(&t->arena, name, len);
        n->parent = dir;
        n->type = (uint8_t) type;
        n->listed = SW__H_UNLISTED;
        return n;
}

static int
by_name(const void *a, const void *b)
{
        const struct sw__hnode *x = *(struct sw__hnode *const *) a;
        const struct sw__hnode *y = *(struct sw__hnode *const *) b;

        return strcmp(x->name, y->name);
}

/* What was known of entries before, where they still are what they were. */
static void
reuse(const struct sw__hnode *dir, sw__hnodes *kids)
{
        for (size_t i = 0; i < kids->n; i++) {
                struct sw__hnode *k = kids->v[i];
                struct sw__hnode *old = sw__hkid(dir, k->name, strlen(k->name));

                if (old && old->type == k->type &&
                    (k->type != SW__H_LINK || strcmp(old->link, k->link) == 0))
                        kids->v[i] = old;
        }
}

/* The directory was read. */
static void
set_kids(struct sw__htree *t, struct sw__hnode *dir, const sw__hnodes *kids)
{
        dir->kids = sw__harena_get(&t->arena, kids->n * sizeof(*dir->kids));
        if (kids->n)
                memcpy(dir->kids, kids->v, kids->n * sizeof(*dir->kids));
        dir->n_kids = (uint32_t) kids->n;
        dir->scanned = true;
        dir->stale = false;
}

static void
scan_listing(struct sw__htree *t, struct sw__hnode *dir)
{
        const struct sw_listing *l = t->listing;
        size_t i = dir->parent ? dir->listed + 1 : 0;
        size_t end = dir->parent ? t->ends[dir->listed] : l->n;
        sw__hnodes kids = { 0 };

        while (i < end) {
                const struct sw_entry *e = &l->v[i];
                const char *slash = strrchr(e->path, '/');
                const char *name = slash ? slash + 1 : e->path;
                enum sw__htype type = S_ISDIR(e->mode)   ? SW__H_DIR
                                      : S_ISLNK(e->mode) ? SW__H_LINK
                                                         : SW__H_FILE;
                struct sw__hnode *n = add_node(t, dir, name, strlen(name), type);

                n->listed = (uint32_t) i;
                n->link = e->link;
                sw_array_push(&kids, n);
                i = type == SW__H_DIR ? t->ends[i] : i + 1;
        }
        set_kids(t, dir, &kids);
        sw_array_release(&kids);
}

static sw_err *
path_error(int err, const struct sw__hnode *n, const char *name, const char *doing)
{
        sw_auto(sw_buf) path = SW_BUF_INIT;

        sw__hpath(n, &path);
        if (name) {
                sw_buf_addc(&path, '/');
                sw_buf_adds(&path, name);
        }
        sw_auto(sw_buf) shown = SW_BUF_INIT;
        sw_buf_add_quoted(&shown, path.data, path.len, 300);
        return sw_err_sys(SW_E_IO, err, "%s %s", doing, shown.data);
}

/* Type of an entry, and the target of a symlink. */
static int
look_at(struct sw__htree *t, int fd, struct sw__hnode *n, unsigned char d_type)
{
        char target[4097];
        struct stat st;

        if (d_type == DT_UNKNOWN) {
                if (fstatat(fd, n->name, &st, AT_SYMLINK_NOFOLLOW) != 0)
                        return errno;
                d_type = (unsigned char) IFTODT(st.st_mode);
        }
        n->type = d_type == DT_DIR ? SW__H_DIR : d_type == DT_LNK ? SW__H_LINK : SW__H_FILE;
        if (n->type != SW__H_LINK)
                return 0;
        ssize_t len = readlinkat(fd, n->name, target, sizeof(target) - 1);
        if (len < 0)
                return errno;
        n->link = sw__harena_str(&t->arena, target, (size_t) len);
        return 0;
}

/* Entries out of one buffer of getdents(2). */
static sw_err *
add_dirents(struct sw__htree *t, struct sw__hnode *dir, int fd, const char *buf, size_t n,
            sw__hnodes *kids)
{
        for (size_t at = 0; at < n;) {
                const struct dirent64 *d = (const void *) (buf + at);

                at += d->d_reclen;
                if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
                        continue;
                struct sw__hnode *k =
                        add_node(t, dir, d->d_name, strlen(d->d_name), SW__H_FILE);
                int err = look_at(t, fd, k, d->d_type);
                if (err)
                        return path_error(err, dir, d->d_name, "look at");
                sw_array_push(kids, k);
        }
        return SW_OK;
}

static sw_err *
read_dir(struct sw__htree *t, struct sw__hnode *dir, int fd, sw__hnodes *kids)
{
        enum { SIZE = 32768 };
        union {
                struct dirent64 align;
                char bytes[SIZE];
        } buf;

        for (;;) {
                ssize_t n = getdents64(fd, buf.bytes, SIZE);

                if (n == 0)
                        return SW_OK;
                if (n < 0)
                        return path_error(errno, dir, NULL, "read directory");
                sw_err *err = add_dirents(t, dir, fd, buf.bytes, (size_t) n, kids);
                if (err)
                        return err;
        }
}

static sw_err *
scan_directory(struct sw__hview *v, struct sw__hnode *dir)
{
        sw_auto(sw_buf) path = SW_BUF_INIT;
        sw__hnodes kids = { 0 };
        int root;
        sw_err *err = sw_ctx_check(v->ctx);

        if (!err)
                err = sw__hview_fd(v, &root);
        if (err)
                return err;
        sw__hpath(dir, &path);
        sw_auto(sw_fd) fd =
                sw__open_beneath(root, path.data,
                                 O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return path_error(errno, dir, NULL, "open directory");
        err = read_dir(v->tree, dir, fd, &kids);
        if (!err && kids.n > 1)
                qsort(kids.v, kids.n, sizeof(*kids.v), by_name);
        if (!err && dir->stale)
                reuse(dir, &kids);
        if (!err)
                set_kids(v->tree, dir, &kids);
        sw_array_release(&kids);
        return err;
}

sw_err *
sw__hscan(struct sw__hview *v, struct sw__hnode *dir)
{
        if (dir->scanned)
                return SW_OK;
        if (v->tree->listing) {
                scan_listing(v->tree, dir);
                return SW_OK;
        }
        return scan_directory(v, dir);
}

/* ---- looking up ---- */

struct sw__hnode *
sw__hkid(const struct sw__hnode *dir, const char *name, size_t len)
{
        size_t lo = 0, hi = dir->n_kids;

        while (lo < hi) {
                size_t mid = lo + (hi - lo) / 2;
                const char *at = dir->kids[mid]->name;
                int c = strncmp(at, name, len);

                if (c == 0 && at[len] == '\0')
                        return dir->kids[mid];
                if (c < 0)
                        lo = mid + 1;
                else
                        hi = mid;
        }
        return NULL;
}

/* A path being walked. */
struct walk {
        struct sw__hnode *at; /* NULL: there is no such thing */
        char *text;           /* owned; rest is in it */
        char *rest;           /* still to be walked */
        unsigned links;
        bool follow;
};

/* The entry is a symlink: go on with its target, then the rest. */
static sw_err *
walk_link(struct sw__hview *v, struct walk *w, const struct sw__hnode *link)
{
        if (++w->links > SW_PATH_MAX_LINKS)
                return sw_err_new(SW_E_LIMIT, "more than %d symlinks on the way",
                                  SW_PATH_MAX_LINKS);
        char *text = sw_asprintf("%s/%s", link->link, w->rest);

        free(w->text);
        w->text = text;
        w->rest = text;
        if (link->link[0] == '/')
                w->at = v->tree->root;
        return SW_OK;
}

static sw_err *
walk_name(struct sw__hview *v, struct walk *w, const char *name, size_t len)
{
        struct sw__hnode *next;

        if (w->at->type != SW__H_DIR) {
                w->at = NULL;
                return SW_OK;
        }
        sw_err *err = sw__hscan(v, w->at);
        if (err)
                return err;
        next = sw__hkid(w->at, name, len);
        if (next && next->type == SW__H_LINK && (*w->rest || w->follow))
                return walk_link(v, w, next);
        w->at = next;
        return SW_OK;
}

static sw_err *
walk_component(struct sw__hview *v, struct walk *w)
{
        const char *name = w->rest;
        size_t n = strcspn(name, "/");

        w->rest += n;
        w->rest += strspn(w->rest, "/");
        if (n == 0 || (n == 1 && name[0] == '.'))
                return SW_OK;
        if (n == 2 && name[0] == '.' && name[1] == '.') {
                w->at = w->at->parent ? w->at->parent : w->at;
                return SW_OK;
        }
        return walk_name(v, w, name, n);
}

sw_err *
sw__hlookup(struct sw__hview *v, const char *path, bool follow, struct sw__hnode **out)
{
        struct walk w = { .at = v->tree->root, .text = sw_strdup(path), .follow = follow };
        sw_err *err = SW_OK;

        w.rest = w.text;
        while (w.at && *w.rest && !err)
                err = walk_component(v, &w);
        free(w.text);
        if (!err)
                *out = w.at;
        return err;
}
