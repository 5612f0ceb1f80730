/*
 * core/engine/shell.c - commands in the roots that failed ones left: engine.h to core/ops.
 * Thread: any.
 */
#include <slipway/text.h>

#include "core/engine/engine_priv.h"

static sw_err *
parse_allowed(const char *const *allow, unsigned *out)
{
        for (*out = 0; allow && *allow; allow++) {
                if (sw_str_eq(*allow, "network.host"))
                        *out |= SW_ALLOW_NETWORK_HOST;
                else if (sw_str_eq(*allow, "security.insecure"))
                        *out |= SW_ALLOW_SECURITY_INSECURE;
                else
                        return sw_err_new(SW_E_INVALID, "unknown entitlement %s", *allow);
        }
        return SW_OK;
}

sw_err *
sw_engine_shell(sw_engine *e, const struct sw_shell_request *req, struct sw_shell_exit *out)
{
        sw_autoptr(sw_ctx) ctx = sw_ctx_new(req->cancel, e->log, NULL, NULL, "core/engine");
        struct sw_exec_status status;
        struct sw_ops_shell shell = {
                .ctx = ctx,
                .kept = req->kept,
                .container = req->id,
                .args = req->args,
                .env = req->env,
                .user = req->user,
                .fds_std = { req->fds_std[0], req->fds_std[1], req->fds_std[2] },
                .terminal = req->terminal,
                .session = req->size >= sizeof(*req) ? req->session : NULL,
                .started = req->started,
                .arg = req->arg,
        };
        sw_err *err = parse_allowed(req->allow, &shell.allowed);

        if (!err)
                err = sw__ops_shell(&e->env, &shell, &status);
        if (!err)
                *out = (struct sw_shell_exit){ status.signalled, status.value };
        return err;
}

sw_err *
sw_engine_shell_resize(sw_engine *e, const char *id, unsigned rows, unsigned columns)
{
        sw_autoptr(sw_ctx) ctx = sw_ctx_new(NULL, e->log, NULL, NULL, "core/engine");

        return sw__ops_shell_resize(&e->env, ctx, id, rows, columns);
}

sw_err *
sw_engine_shell_signal(sw_engine *e, const char *id, int sig)
{
        sw_autoptr(sw_ctx) ctx = sw_ctx_new(NULL, e->log, NULL, NULL, "core/engine");

        return sw__ops_shell_signal(&e->env, ctx, id, sig);
}
