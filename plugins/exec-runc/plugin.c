/* plugins/exec-runc/plugin.c - executor "runc": containers by any OCI runtime. */
#include "plugins/exec-runc/runc.h"

static const struct sw_option options[] = {
        { "binary", SW_OPT_STRING, NULL,
          "OCI runtime, a path or a name in PATH; unset: crun where present, else runc" },
        { "network", SW_OPT_STRING, "auto",
          "what build steps get that ask for no network mode: auto, host or none" },
        { "cgroup-parent", SW_OPT_STRING, "",
          "cgroup below which those of containers are made, unless a step names one" },
        { "run-dir", SW_OPT_STRING, NULL,
          "directory for what runs; unset: /run/slipway, or $XDG_RUNTIME_DIR/slipway" },
        { "nameservers", SW_OPT_LIST, NULL, "of /etc/resolv.conf, instead of the host's" },
        { "dns-options", SW_OPT_LIST, NULL, "of /etc/resolv.conf, instead of the host's" },
        { "dns-search", SW_OPT_LIST, NULL, "of /etc/resolv.conf, instead of the host's" },
        { "apparmor-profile", SW_OPT_STRING, "", "AppArmor profile of build steps" },
        { "selinux", SW_OPT_BOOL, "false",
          "label build steps for SELinux: not possible so far, and refused" },
        { "no-process-sandbox", SW_OPT_BOOL, "false",
          "let build steps see the processes of the machine" },
        { "seccomp", SW_OPT_BOOL, "true",
          "let build steps make the usual system calls only" },
        { NULL, SW_OPT_STRING, NULL, NULL },
};

static sw_err *
init(const struct sw_plugin_env *env, void **self)
{
        struct runc_exec *x = sw_new(struct runc_exec);

        x->options = env->options;
        x->log = env->log;
        x->state_fd = x->program = -1;
        x->live = sw_map_new(NULL);
        x->janitor = janitor_new("sw-cgroups");
        pthread_mutex_init(&x->lock, NULL);
        *self = x;
        return SW_OK;
}

static void
shutdown_plugin(void *self)
{
        struct runc_exec *x = self;

        janitor_free(x->janitor);
        if (x->state_fd >= 0)
                runc_state_sweep(x);
        runc_cgroups_release(&x->cgroups);
        sw_map_free(x->live);
        sw_fd_clear(&x->state_fd);
        sw_fd_clear(&x->program);
        free(x->runtime.path);
        free(x->filter);
        free(x->profile);
        free(x->run_dir);
        free(x->box_path);
        pthread_mutex_destroy(&x->lock);
        free(x);
}

static const struct sw_executor_ops ops = {
        .hdr = SW_OPS_SIZE(struct sw_executor_ops),
        .run = runc_run,
        .exec = runc_exec,
        .signal = runc_signal,
        .resize = runc_resize,
        .sweep = runc_sweep,
        .soon = runc_soon,
};

static const char *const also[] = { "crun", "oci", NULL };

SW_PLUGIN(executor_runc) = {
        SW_PLUGIN_V1(SW_KIND_EXECUTOR, "runc"),
        .summary = "containers by any OCI runtime: crun where present, else runc",
        .options = options,
        .provides = also,
        .ops = &ops.hdr,
        .init = init,
        .shutdown = shutdown_plugin,
};
