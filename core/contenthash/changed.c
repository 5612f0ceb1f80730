/*
 * core/contenthash/changed.c - which files made a content hash change.
 *
 * The tree as it was is one that was noted (keep.c): all its digests are in a file.
 *
 * Two trees are walked beside each other, down into directories whose digests differ. Told
 * are files; a directory that came or went is told alone. Best effort: it is asked after
 * both hashes were made, so all digests there are known, and nothing is read.
 */
#include <string.h>

#include <slipway/path.h>

#include "core/contenthash/contenthash.h"
#include "core/contenthash/select.h"

struct diff {
        sw_strlist *out;
        size_t max;
};

static void
tell(struct diff *d, const struct sw__hnode *n)
{
        sw_auto(sw_buf) path = SW_BUF_INIT;

        sw__hpath(n, &path);
        if (d->out->n < d->max && !sw_strlist_has(d->out, path.data))
                sw_strlist_add(d->out, path.data);
}

/* Whether both are known to be the same. */
static bool
known_same(const struct sw__hnode *a, const struct sw__hnode *b)
{
        if (a->type != b->type)
                return false;
        if (a->type == SW__H_DIR)
                return a->summed && b->summed && sw_digest_eq(&a->all, &b->all);
        /* what nobody hashed played no part */
        return !a->hashed || !b->hashed || sw_digest_eq(&a->own, &b->own);
}

static void diff_nodes(struct diff *d, const struct sw__hnode *a,
                       const struct sw__hnode *b);

static void
diff_kids(struct diff *d, const struct sw__hnode *a, const struct sw__hnode *b)
{
        uint32_t i = 0, j = 0;

        while (d->out->n < d->max && (i < a->n_kids || j < b->n_kids)) {
                int c = i == a->n_kids   ? 1
                        : j == b->n_kids ? -1
                                         : strcmp(a->kids[i]->name, b->kids[j]->name);

                if (c == 0)
                        diff_nodes(d, a->kids[i++], b->kids[j++]);
                else
                        tell(d, c < 0 ? a->kids[i++] : b->kids[j++]);
        }
}

static void
diff_nodes(struct diff *d, const struct sw__hnode *a, const struct sw__hnode *b)
{
        size_t before = d->out->n;

        if (d->out->n >= d->max || known_same(a, b))
                return;
        if (a->type != SW__H_DIR || b->type != SW__H_DIR) {
                tell(d, b);
                return;
        }
        if (a->scanned && b->scanned)
                diff_kids(d, a, b);
        /* nothing in it: it is the directory itself */
        if (d->out->n == before && a->hashed && b->hashed &&
            !sw_digest_eq(&a->own, &b->own))
                tell(d, b);
}

/* The entry of a selection that is one thing; a list begins at its root. */
static sw_err *
begin(struct sw__hview *v, const struct sw_hash_select *sel, struct sw__hnode **out)
{
        *out = v->tree->root;
        return sel->wildcard ? SW_OK : sw__hlookup(v, sel->path, sel->follow_links, out);
}

static sw_err *
diff_selection(struct sw__hview *before, struct sw__hview *now,
               const struct sw_hash_select *sel, struct diff *d)
{
        struct sw__hnode *a = NULL, *b = NULL;
        sw_err *err = begin(before, sel, &a);

        if (!err)
                err = begin(now, sel, &b);
        if (err)
                return err;
        if (a && b)
                diff_nodes(d, a, b);
        else if (a || b)
                tell(d, a ? a : b);
        return SW_OK;
}

sw_err *
sw__contenthash_changed(sw_worker *w, sw_ctx *ctx, const char *name, sw_ref *ref,
                        const struct sw_hash_select *sel, size_t n, size_t max,
                        sw_strlist *paths)
{
        struct diff d = { paths, max };
        struct sw__hview a = { .ctx = ctx, .tree = sw__hnoted(w, name), .fd = -1 };
        sw_err *err = SW_OK;

        if (!a.tree || !ref) {
                sw__htree_free(a.tree);
                return SW_OK;
        }
        struct sw__hview b = {
                .ctx = ctx, .ref = ref, .tree = sw__htree_of(ref), .fd = -1
        };
        err = sw_ctx_lock(ctx, &b.tree->lock);
        if (err) {
                sw__htree_free(a.tree);
                return err;
        }
        for (size_t i = 0; i < n && !err; i++)
                err = diff_selection(&a, &b, &sel[i], &d);
        sw__hview_close(&b);
        (void) pthread_mutex_unlock(&b.tree->lock);
        sw__htree_free(a.tree);
        return err;
}
