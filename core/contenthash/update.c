/*
 * core/contenthash/update.c - what is known of a tree after some of it has changed: a layer
 * tells what it changes, and that is forgotten; the rest stands.
 *
 * Directories that something changed in are *stale*: what is known to be in them is kept
 * for when they are scanned again.
 * Thread: the tree's.
 */
#include <string.h>

#include <slipway/worker.h>

#include "core/contenthash/tree.h"

/* The directory that @path is in, as far as it is known; *name: its last component. */
static struct sw__hnode *
find_dir(struct sw__htree *t, const char *path, const char **name)
{
        struct sw__hnode *at = t->root;
        const char *slash;

        while (at && (slash = strchr(path, '/'))) {
                at = at->type == SW__H_DIR ? sw__hkid(at, path, (size_t) (slash - path))
                                           : NULL;
                path = slash + 1;
        }
        *name = path;
        return at && at->type == SW__H_DIR ? at : NULL;
}

static void
forget_sums(struct sw__hnode *n)
{
        for (; n; n = n->parent)
                n->summed = false;
}

static void
make_stale(struct sw__hnode *dir)
{
        if (dir->scanned) {
                dir->scanned = false;
                dir->stale = true;
        }
        forget_sums(dir);
}

static void
remove_kid(struct sw__hnode *dir, const struct sw__hnode *kid)
{
        for (uint32_t i = 0; i < dir->n_kids; i++) {
                if (dir->kids[i] != kid)
                        continue;
                dir->n_kids--;
                memmove(&dir->kids[i], &dir->kids[i + 1],
                        (dir->n_kids - i) * sizeof(*dir->kids));
                return;
        }
}

/* Something else is at @path now. @dir: it is a directory, whose contents may stand. */
static sw_err *
changed(void *w, const char *path, bool dir)
{
        struct sw__htree *t = w;
        const char *name;
        struct sw__hnode *in, *n = t->root;

        if (*path) {
                in = find_dir(t, path, &name);
                n = in ? sw__hkid(in, name, strlen(name)) : NULL;
                if (in && (!n || !dir || n->type != SW__H_DIR))
                        make_stale(in);
                if (n && (!dir || n->type != SW__H_DIR)) {
                        remove_kid(in, n);
                        n = NULL;
                }
        }
        if (n) {
                n->hashed = false;
                forget_sums(n);
        }
        return SW_OK;
}

/* ---- the layer writer ---- */

static sw_err *
tell_mkdir(void *w, const char *path, const struct sw_layer_meta *m)
{
        (void) m;
        return changed(w, path, true);
}

static sw_err *
tell_file(void *w, const char *path, const struct sw_layer_meta *m, int fd, int64_t off,
          int64_t len)
{
        (void) m;
        (void) fd;
        (void) off;
        (void) len;
        return changed(w, path, false);
}

static sw_err *
tell_data(void *w, const char *path, const struct sw_layer_meta *m, const void *p, size_t n)
{
        (void) m;
        (void) p;
        (void) n;
        return changed(w, path, false);
}

static sw_err *
tell_link(void *w, const char *path, const struct sw_layer_meta *m, const char *target)
{
        (void) m;
        (void) target;
        return changed(w, path, false);
}

static sw_err *
tell_hardlink(void *w, const char *path, const char *existing,
              const struct sw_layer_meta *m)
{
        (void) existing;
        (void) m;
        return changed(w, path, false);
}

static sw_err *
tell_node(void *w, const char *path, const struct sw_layer_meta *m, mode_t type, dev_t dev)
{
        (void) m;
        (void) type;
        (void) dev;
        return changed(w, path, false);
}

static sw_err *
tell_whiteout(void *w, const char *path)
{
        return changed(w, path, false);
}

static sw_err *
tell_opaque(void *w, const char *path)
{
        struct sw__htree *t = w;
        const char *name;
        struct sw__hnode *in = *path ? find_dir(t, path, &name) : NULL;
        struct sw__hnode *n = !*path ? t->root
                              : in   ? sw__hkid(in, name, strlen(name))
                                     : NULL;

        if (!n)
                return SW_OK;
        n->n_kids = 0;
        n->scanned = n->stale = false;
        forget_sums(n);
        return SW_OK;
}

/* Of what was told before, and so forgotten. */
static sw_err *
tell_xattr(void *w, const char *path, const char *name, const void *p, size_t n)
{
        (void) w;
        (void) path;
        (void) name;
        (void) p;
        (void) n;
        return SW_OK;
}

static sw_err *
tell_finish(void *w)
{
        (void) w;
        return SW_OK;
}

static void
tell_abandon(void *w)
{
        (void) w;
}

const struct sw_layer_ops sw__hupdate_ops = {
        .hdr = SW_OPS_SIZE(struct sw_layer_ops),
        .mkdir = tell_mkdir,
        .file = tell_file,
        .data = tell_data,
        .symlink = tell_link,
        .hardlink = tell_hardlink,
        .node = tell_node,
        .whiteout = tell_whiteout,
        .opaque = tell_opaque,
        .xattr = tell_xattr,
        .finish = tell_finish,
        .abandon = tell_abandon,
};
