/*
 * plugins/executor-@NAME@/plugin.c - executor "@NAME@": starts the process with the root as its
 * working directory and nothing around it. It isolates nothing: a place to start from.
 */
#include <slipway/executor.h>
#include <slipway/spawn.h>

static sw_err *
@ID@_run(void *self, sw_ctx *ctx, const struct sw_exec_container *c,
         const struct sw_exec_process *p, void (*started)(void *arg), void *arg,
         struct sw_exec_status *out)
{
        struct sw_spawn s = SW_SPAWN_INIT;
        sw_autoptr(sw_child) child = NULL;
        struct sw_exit end;
        sw_err *err;

        (void) self;
        if (c->n_mounts)
                return sw_err_new(SW_E_UNSUPPORTED, "executor @NAME@ mounts nothing");
        s.argv = p->args;
        s.env = p->env;
        s.cwd_fd = c->rootfd;
        for (int i = 0; i < 3; i++)
                s.fds_std[i] = p->fds_std[i];
        s.flags = SW_SPAWN_SEARCH_PATH;
        err = sw_ctx_check(ctx);
        if (!err)
                err = sw_spawn_start(&s, &child);
        if (err)
                return sw_err_wrap(err, "run %s", c->id);
        if (started)
                started(arg);
        err = sw_child_wait(child, sw_ctx_cancel(ctx), &end);
        if (err)
                return sw_err_wrap(err, "run %s", c->id);
        out->signalled = end.signalled;
        out->value = end.value;
        out->cpu_ns = end.cpu_ns;
        out->memory_peak = end.max_rss;
        out->io_read = out->io_written = -1;
        return SW_OK;
}

static const struct sw_executor_ops ops = {
        .hdr = SW_OPS_SIZE(struct sw_executor_ops),
        .run = @ID@_run,
};

SW_PLUGIN(executor_@ID@) = {
        SW_PLUGIN_V1(SW_KIND_EXECUTOR, "@NAME@"),
        .summary = "processes without a container",
        .ops = &ops.hdr,
};
