/*
 * plugins/source-git/plugin.c - git://: commits of git repositories.
 */
#include <unistd.h>

#include <slipway/source.h>
#include <slipway/time.h>

#include "plugins/source-git/source.h"

/* Half of what there is: a server, or a repository, can make git want as much as it likes.
 */
static int64_t
memory_of_a_git(void)
{
        const int64_t least = INT64_C(2) << 30;
        const int64_t half = (int64_t) sysconf(_SC_PHYS_PAGES) / 2 * sysconf(_SC_PAGESIZE);

        return half > least ? half : least;
}

static sw_err *
git_init(const struct sw_plugin_env *env, void **self)
{
        const char *ca = sw_options_str(env->options, "ca");
        const int64_t idle = sw_options_int(env->options, "idleTimeout");
        const int64_t max = sw_options_int(env->options, "maxSize");

        if (ca && *ca != '/')
                return sw_err_new(SW_E_CONFIG, "option ca: %.200s is no absolute path", ca);
        if (idle < SW_NS_PER_SEC || idle > 24 * 3600 * SW_NS_PER_SEC)
                return sw_err_new(SW_E_CONFIG, "option idleTimeout: 1s to 24h");
        if (max < 4096)
                return sw_err_new(SW_E_CONFIG, "option maxSize: at least 4096");
        struct git *g = sw_new(struct git);
        g->ca = ca;
        g->idle_ns = idle;
        g->max_size = max;
        g->memory = memory_of_a_git();
        g->log = env->log;
        resolve_init(g);
        *self = g;
        return SW_OK;
}

static void
git_shutdown(void *self)
{
        resolve_end(self);
        free(self);
}

static const struct sw_option options[] = {
        { "ca", SW_OPT_STRING, NULL,
          "file with certificates (PEM) that are trusted instead of the system's" },
        { "idleTimeout", SW_OPT_DURATION, "10m",
          "how long git may say nothing before it is given up" },
        { "maxSize", SW_OPT_SIZE, "64GB",
          "most bytes that a fetch brings, and of the files of a tree" },
        { NULL, 0, NULL, NULL },
};

static const char *const schemes[] = { "git", NULL };

static const struct sw_source_ops ops = {
        .hdr = SW_OPS_SIZE(struct sw_source_ops),
        .schemes = schemes,
        .open = git_open,
        .cache_key = git_key,
        .snapshot = git_snapshot,
        .close = git_close,
        .resolve = git_resolve,
};

SW_PLUGIN(source_git) = {
        SW_PLUGIN_V1(SW_KIND_SOURCE, "git"),
        .summary = "commits of git repositories",
        .options = options,
        .ops = &ops.hdr,
        .init = git_init,
        .shutdown = git_shutdown,
};
