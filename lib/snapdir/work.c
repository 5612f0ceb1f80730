/*
 * lib/snapdir/work.c - the tree of an active layer as a plain directory that can be
 * written, for where no overlay can be mounted.
 *
 * It is a copy of what the layer and those below it show; reflinks where the file system
 * has them. When it is given back, what differs is told to a layer writer of the layer, as
 * a diff is. Of a file whose inode was not changed since it was copied, and which is still
 * where it was, nothing has to be read.
 *
 * Thread: any, for different keys.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "lib/snapdir/snapdir.h"

struct snapdir_work {
        struct snapdir *s;
        sw_cancel *cancel; /* a reference; or NULL */
        char *key;
        char path[SNAPDIR_PATH]; /* a/<key>/m */
        sw_strlist sources;      /* what was copied, top first: the layer itself, ... */
        struct snapdir_copied copied;
};

static void
work_free(struct snapdir_work *w)
{
        snapdir_copied_release(&w->copied);
        sw_strlist_release(&w->sources);
        sw_cancel_unref(w->cancel);
        free(w->key);
        free(w);
}

/* The layer, and what it was prepared on. */
static sw_err *
find_sources(struct snapdir_work *w)
{
        sw_auto(snapdir_stack) st = SNAPDIR_STACK_INIT;
        sw_auto(sw_fd) fd = -1;
        bool opaque = false;
        sw_err *err = snapdir_open_layer(w->s, 'a', w->key, &fd, &opaque);

        if (!err && !opaque)
                err = snapdir_stack_read(w->s, w->key, &st);
        if (err)
                return err;
        sw_strlist_take(&w->sources, sw_asprintf("a/%s/%s", w->key, opaque ? "fo" : "fs"));
        snapdir_stack_dirs(&st, &w->sources);
        return SW_OK;
}

/* Below t/ first, so that what a crash leaves half made is nobody's. */
static sw_err *
copy(struct snapdir_work *w, sw_ctx *ctx)
{
        char temp[SNAPDIR_PATH];

        snapdir_temp(w->s, temp);
        if (mkdirat(w->s->dirfd, temp, 0700) < 0)
                return snapdir_err(errno, "make", temp);
        sw_err *err = snapdir_copy_tree(w->s, ctx, &w->sources, temp, &w->copied);
        if (!err)
                err = snapdir_discard(w->s, w->path);
        if (!err &&
            renameat2(w->s->dirfd, temp, w->s->dirfd, w->path, RENAME_NOREPLACE) < 0)
                err = snapdir_err(errno, "make", w->path);
        if (err)
                sw_err_drop(sw_path_remove(w->s->dirfd, temp), "the first error is told");
        return err;
}

sw_err *
snapdir_work_begin(struct snapdir *s, sw_ctx *ctx, const char *key,
                   struct snapdir_work **out, char path[SNAPDIR_PATH])
{
        struct snapdir_work *w = sw_new(struct snapdir_work);

        w->s = s;
        w->cancel = sw_ctx_cancel(ctx) ? sw_cancel_ref(sw_ctx_cancel(ctx)) : NULL;
        w->key = sw_strdup(key);
        (void) snprintf(w->path, sizeof(w->path), "a/%s/m", key);
        sw_err *err = find_sources(w);
        if (!err)
                err = copy(w, ctx);
        if (err) {
                work_free(w);
                return err;
        }
        memcpy(path, w->path, SNAPDIR_PATH);
        *out = w;
        return SW_OK;
}

static sw_err *
tell_changes(struct snapdir_work *w)
{
        sw_auto(sw_strlist) upper = { 0 };
        const struct sw_layer_ops *ops;
        void *writer;
        sw_err *err = snapdir_write(w->s, NULL, w->key, &ops, &writer);

        if (err)
                return err;
        sw_strlist_add(&upper, w->path);
        err = snapdir_diff_dirs(w->s, NULL, &w->sources, &upper, &w->copied, ops, writer);
        if (!err)
                return ops->finish(writer);
        ops->abandon(writer);
        return err;
}

/* Whoever was cancelled has no use for the layer, which is then left as it was: all or
 * nothing, for what is mounted again later. */
sw_err *
snapdir_work_end(struct snapdir_work *w)
{
        sw_err *err = sw_cancel_check(w->cancel);

        if (!err)
                err = tell_changes(w);
        sw_err *left = snapdir_discard(w->s, w->path);
        if (err)
                sw_err_drop(left, "the first error is told");
        else
                err = left;
        work_free(w);
        return err;
}
