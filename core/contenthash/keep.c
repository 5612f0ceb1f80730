/*
 * core/contenthash/keep.c - what is known of trees, kept: with the ref while that is held,
 * in files below <root>/hashes for other processes.
 *
 *      <id of a ref>   what is known of a stored ref; goes with it (core/store/reap.c)
 *      op-…            what an op's input was when it ran, to explain why it runs again:
 *                      another name of one file where several ops used the same tree
 *
 * A tree of which nothing is known begins with what is known of the nearest ref below it,
 * but for what the layers in between change. Files are written when much in them is new, so
 * that many ops that hash a little each do not write much each. Nothing here is an error:
 * what cannot be kept is made again.
 * Thread: any; the tree is locked by the caller.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "core/contenthash/contenthash.h"
#include "core/contenthash/select.h"

/* Less is made again as fast. */
#define WORTH_A_FILE 64
/* How far below a ref to look. */
#define ANCESTORS_MAX 16

struct sw__htree *
sw__htree_of(sw_ref *ref)
{
        struct sw__htree *t = sw__ref_attached(ref);

        return t ? t
                 : sw__ref_attach(ref, sw__htree_new(sw_ref_listing(ref)), sw__htree_free);
}

/* The directory of the files; -1: there is none. */
static int
open_dir(sw_worker *w)
{
        int fd = -1;
        sw_err *err = w ? sw__worker_hashes(w, &fd) : SW_OK;

        if (!err)
                return fd;
        sw_err_drop(err, "hashes are not kept then");
        return -1;
}

/* ---- from the file, or from the ref below ---- */

/* What the other tree knows; both are locked. */
static void
take_over(struct sw__htree *t, const struct sw__htree *from)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;

        sw__hpack(from, &b);
        (void) sw__hunpack(t, b.data, b.len);
}

/* What is known of @ref, in memory or in a file, if that is much. */
static bool
take_from(struct sw__htree *t, sw_ref *ref, int dirfd)
{
        struct sw__htree *other = sw__ref_attached(ref);

        /* when it is being hashed just now, there is more to be won elsewhere */
        if (other && pthread_mutex_trylock(&other->lock) == 0) {
                if (other->n_hashed >= WORTH_A_FILE)
                        take_over(t, other);
                (void) pthread_mutex_unlock(&other->lock);
        }
        return t->n_hashed > 0 || sw__hload(t, dirfd, sw_ref_id(ref));
}

/* The nearest ref below @ref that much is known of: its knowledge into @t. */
static sw_err *
find_ancestor(struct sw__htree *t, sw_worker *w, sw_ctx *ctx, sw_ref *ref, int dirfd,
              sw_ref **out)
{
        sw_autoptr(sw_ref) at = sw_ref_ref(ref);

        for (int i = 0; i < ANCESTORS_MAX; i++) {
                sw_ref *below = NULL;
                sw_err *err =
                        sw__ref_own_layer(at) ? sw_ref_parent(w, ctx, at, &below) : SW_OK;

                if (err || !below)
                        return err;
                sw_ref_unref(at);
                at = below;
                if (take_from(t, at, dirfd)) {
                        *out = sw_steal(at);
                        return SW_OK;
                }
        }
        return SW_OK;
}

/* Nothing is known any more. */
static void
forget(struct sw__htree *t)
{
        t->root->n_kids = 0;
        t->root->scanned = t->root->stale = false;
        t->root->hashed = t->root->summed = false;
        t->n_hashed = 0;
}

static sw_err *
begin_with_ancestor(struct sw__hview *v, sw_worker *w, int dirfd)
{
        sw_autoptr(sw_ref) below = NULL;
        sw_err *err = find_ancestor(v->tree, w, v->ctx, v->ref, dirfd, &below);

        if (err || !below)
                return err;
        err = sw_ref_diff(w, v->ctx, below, v->ref, &sw__hupdate_ops, v->tree);
        if (err)
                forget(v->tree); /* it is that of the other ref, in parts */
        else
                v->tree->fresh = v->tree->n_hashed;
        return err;
}

void
sw__hrecall(struct sw__hview *v, sw_worker *w)
{
        if (v->tree->asked)
                return;
        v->tree->asked = true;
        if (v->tree->listing || !w || !sw__ref_is_stored(w, v->ref))
                return;
        sw_auto(sw_fd) dirfd = open_dir(w);
        if (dirfd >= 0 && !sw__hload(v->tree, dirfd, sw_ref_id(v->ref)))
                sw_err_drop(begin_with_ancestor(v, w, dirfd), "it is read as a whole");
}

/* ---- into the file ---- */

/* That file has everything that is known now: others can be names of it. */
static void
is_in_file(struct sw__htree *t, const char *name)
{
        (void) snprintf(t->file, sizeof(t->file), "%s", name);
        t->file_hashed = t->n_hashed;
}

void
sw__hkeep(struct sw__hview *v, sw_worker *w)
{
        struct sw__htree *t = v->tree;

        if (t->listing || !w || t->fresh < WORTH_A_FILE || t->fresh < t->n_hashed / 4 ||
            !sw__ref_is_stored(w, v->ref))
                return;
        sw_auto(sw_fd) dirfd = open_dir(w);
        sw_err *err = dirfd < 0 ? SW_OK : sw__hsave(t, dirfd, sw_ref_id(v->ref));
        if (dirfd >= 0 && !err)
                is_in_file(t, sw_ref_id(v->ref));
        if (err)
                sw_ctx_logf(v->ctx, SW_LOG_WARN, "hashes of files are not kept: %s",
                            sw_err_message(err));
        sw_err_drop(err, "they are made again");
        t->fresh = 0;
}

/* ---- notes ---- */

static bool
note_name_ok(const char *name)
{
        return strncmp(name, "op-", 3) == 0 && strlen(name) < 200 && !strchr(name, '/');
}

/* @name becomes another name of the file @of. */
static bool
name_again(int dirfd, const char *of, const char *name)
{
        if (strcmp(of, name) == 0)
                return true;
        (void) unlinkat(dirfd, name, 0);
        return linkat(dirfd, of, dirfd, name, 0) == 0;
}

void
sw__contenthash_note(sw_worker *w, sw_ref *ref, const char *name)
{
        struct sw__htree *t = ref ? sw__ref_attached(ref) : NULL;
        sw_auto(sw_fd) dirfd = t && note_name_ok(name) ? open_dir(w) : -1;

        if (dirfd < 0)
                return;
        (void) pthread_mutex_lock(&t->lock);
        bool same = t->file_hashed == t->n_hashed && *t->file;
        if (!same || !name_again(dirfd, t->file, name)) {
                sw_err *err = sw__hsave(t, dirfd, name);

                if (!err)
                        is_in_file(t, name);
                sw_err_drop(err, "its next run is not explained");
        }
        (void) pthread_mutex_unlock(&t->lock);
}

struct sw__htree *
sw__hnoted(sw_worker *w, const char *name)
{
        sw_auto(sw_fd) dirfd = note_name_ok(name) ? open_dir(w) : -1;
        struct sw__htree *t = dirfd < 0 ? NULL : sw__htree_new(NULL);

        if (t && sw__hload(t, dirfd, name))
                return t;
        sw__htree_free(t);
        return NULL;
}
