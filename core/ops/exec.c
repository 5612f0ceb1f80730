/*
 * core/ops/exec.c - the exec op: a command in a container.
 */
#include "core/ops/internal.h"

sw_err *
sw__op_exec_new(struct sw__op *op, const struct sw_ops_job *job)
{
        (void) op;
        (void) job;
        return sw_err_new(SW_E_UNSUPPORTED, "commands cannot be run yet");
}
