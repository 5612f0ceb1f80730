/*
 * core/ops/file.c - the file op: a chain of actions on trees.
 */
#include "core/ops/internal.h"

sw_err *
sw__op_file_new(struct sw__op *op, const struct sw_ops_job *job)
{
        (void) op;
        (void) job;
        return sw_err_new(SW_E_UNSUPPORTED, "files cannot be copied yet");
}
