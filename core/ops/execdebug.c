/*
 * core/ops/execdebug.c - the roots of commands that failed, kept for a while to be looked
 * into.
 * Thread: the one that runs the command.
 */
#include <string.h>

#include <slipway/time.h>

#include "core/ops/exec.h"

sw_err *
sw__exec_keep(struct sw__exec *x, sw_err *err)
{
        struct sw__exec_place *root = &x->places[x->root];
        sw_ref *kept = NULL;

        if (!x->env->debug_kept_for_s || sw_err_code(err) != SW_E_STEP || !root->layer)
                return err;
        sw_fd_clear(&root->fd);
        root->m = NULL;
        sw_err *failed = sw_layer_unmount(root->layer, NULL);
        if (!failed)
                failed = sw_layer_commit(sw_steal(root->layer), NULL, &kept);
        if (failed) {
                sw_progress_warn(x->ctx, "the root of the failed command is not kept: %s",
                                 sw_err_message(failed));
                sw_err_drop(failed, "told; the command's own error matters");
                return err;
        }
        sw_progress_warn(x->ctx,
                         "the root of the failed command is kept for %d seconds: slipway "
                         "debug shell %s",
                         x->env->debug_kept_for_s, sw_ref_id(kept));
        sw_ref_unref(kept);
        return err;
}
