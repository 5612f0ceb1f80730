/*
 * count.c - counting what is in a tree. fts(3) walks it, physically: no link is followed.
 */
#include "count.h"

#include <errno.h>
#include <fts.h>
#include <stdio.h>
#include <sys/stat.h>

static sw_err *
count_entry(const FTSENT *e, struct count *n)
{
        switch (e->fts_info) {
        case FTS_D: n->directories += e->fts_level > 0; return SW_OK;
        case FTS_DP: return SW_OK;
        case FTS_F:
                n->files++;
                n->bytes += e->fts_statp->st_size;
                return SW_OK;
        case FTS_DNR:
        case FTS_NS:
        case FTS_ERR: return sw_err_sys(SW_E_IO, e->fts_errno, "read %s", e->fts_name);
        default: n->others++; return SW_OK;
        }
}

static sw_err *
walk(sw_ctx *ctx, FTS *fts, struct count *n)
{
        FTSENT *e;

        errno = 0;
        while ((e = fts_read(fts))) {
                sw_err *err = sw_ctx_check(ctx);

                if (!err)
                        err = count_entry(e, n);
                if (err)
                        return err;
        }
        return errno ? sw_err_sys(SW_E_IO, errno, "read the tree") : SW_OK;
}

sw_err *
count_tree(sw_ctx *ctx, sw_ref *ref, struct count *n)
{
        sw_autoptr(sw_tree) tree = NULL;
        char path[32];
        char *const roots[] = { path, NULL };
        sw_err *err;

        if (!ref)
                return sw_ctx_check(ctx);
        err = sw_ref_open(ctx, ref, &tree);
        if (err)
                return err;
        snprintf(path, sizeof(path), "/proc/self/fd/%d/.", sw_tree_fd(tree));
        FTS *fts = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
        if (!fts)
                return sw_err_sys(SW_E_IO, errno, "open the tree");
        err = walk(ctx, fts, n);
        fts_close(fts);
        if (err)
                return err;
        return sw_tree_close(sw_steal(tree));
}
