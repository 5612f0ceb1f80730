/*
 * core/engine/engine.c - open and close: root, key store, sources and solver together.
 *
 * Order matters on the way down: the solver ends first, for it holds results (refs) and
 * uses the key store; then what they are made of.
 * Thread: one.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include <slipway/text.h>

#include "core/engine/engine_priv.h"
#include "core/ops/kept.h"

/* More commands than ever run at once. */
#define READERS_MAX 4096

#define OPT(opts, member)                                                                  \
        ((opts)->size >= offsetof(struct sw_engine_opts, member) + sizeof((opts)->member)  \
                 ? (opts)->member                                                          \
                 : 0)

/* Where whatever steps print is kept. Without it they are built all the same. */
static void
open_logs(sw_engine *e)
{
        int root = sw__root_fd(e->root);

        e->logs = -1;
        if (mkdirat(root, "logs", 0700) == 0 || errno == EEXIST)
                e->logs = openat(root, "logs",
                                 O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (e->logs < 0)
                sw_log_line(e->log, SW_LOG_WARN, "core/engine",
                            "output of steps is not kept: %s/logs: %s", e->path,
                            strerror(errno));
}

static sw_err *
open_root(sw_engine *e)
{
        const struct sw_root_opts opts = {
                .path = e->path,
                .host = e->host,
                .snapshotter = e->snapshotter,
                .log = e->log,
        };
        sw_err *err = sw__root_open(&opts, &e->root);

        if (err)
                return err;
        open_logs(e);
        e->history = sw__history_new(e->root, e->log,
                                     sw_config_bool(e->config, "history.enabled"));
        e->keys = sw__keystore_lmdb_new(sw__root_meta(e->root));
        e->sources = sw__sources_new(e->host, sw__root_worker(e->root));
        return SW_OK;
}

/* A limit of what is shown live, from the environment as BuildKit has it; what is no number
 * is as good as none. */
static int64_t
limit_of(const char *variable)
{
        const char *text = getenv(variable);
        int64_t n = 0;

        if (text && *text)
                sw_err_drop(sw_parse_int(text, -1, INT64_MAX, &n), "the default holds");
        return n;
}

static sw_err *
open_solver(sw_engine *e, unsigned keep_failed_s)
{
        const struct sw_cache_place local = { .keys = e->keys, .loader = &e->loader };
        int64_t parallel = sw_config_int(e->config, "worker.oci.max-parallelism");
        struct sw_solver_opts opts = { .log = e->log, .spool_dirfd = e->logs };
        sw_err *err;

        opts.log_max = limit_of("BUILDKIT_STEP_LOG_MAX_SIZE");
        opts.log_speed = limit_of("BUILDKIT_STEP_LOG_MAX_SPEED");

        e->env = (struct sw_ops_env){
                .root = e->root,
                .worker = sw__root_worker(e->root),
                .sources = e->sources,
                .host = e->host,
                .executor = e->executor,
                .config = e->config,
                .log = e->log,
                .debug_kept_for_s = (int) keep_failed_s,
                .caches = sw__caches_new(),
                .running = sw__running_new(),
                .nests = sw__nests_new(),
        };
        sw__ops_loader(&e->env, &e->loader);
        e->cache = sw__cacheset_new(&local, 1);
        opts.cache = e->cache;
        err = sw_pool_new("sw-output", READERS_MAX, &e->env.readers);
        if (!err)
                err = sw__solver_new(&opts, &e->solver);
        if (!err && parallel > 0)
                e->env.exec_limit =
                        sw__limit_new(e->solver, "commands", (uint64_t) parallel);
        return err;
}

sw_err *
sw_engine_open(const struct sw_engine_opts *opts, sw_engine **out)
{
        sw_autoptr(sw_engine) e = sw_new(sw_engine);
        const char *root = OPT(opts, root), *executor = OPT(opts, executor),
                   *snapshotter = OPT(opts, snapshotter);
        sw_err *err;

        e->logs = -1;
        e->host = opts->host;
        e->config = OPT(opts, config);
        e->log = OPT(opts, log);
        if (!e->config)
                e->config = e->own_config = sw_config_new();
        if (!root)
                root = sw_config_str(e->config, "root");
        if (!root || !*root)
                return sw_err_new(SW_E_CONFIG,
                                  "root: no directory is known to keep things "
                                  "in: you have no home directory, so name one "
                                  "with --root or SLIPWAY_ROOT");
        if (!snapshotter)
                snapshotter = sw_config_str(e->config, "worker.oci.snapshotter");
        e->path = sw_strdup(root);
        e->executor = sw_strdup(executor ? executor : "auto");
        e->snapshotter = sw_strdup(snapshotter ? snapshotter : "auto");
        err = open_root(e);
        if (err)
                return err;
        sw__kept_sweep(e->root, e->log);
        err = open_solver(e, OPT(opts, keep_failed_s));
        if (err)
                return sw_err_wrap(err, "root %s", root);
        sw__running_sweep(&e->env);
        sw__engine_auto_gc(e);
        *out = sw_steal(e);
        return SW_OK;
}

void
sw_engine_close(sw_engine *e)
{
        if (!e)
                return;
        if (e->solver)
                sw__solver_free(e->solver);
        sw__caches_free(e->env.caches);
        sw__running_free(e->env.running);
        sw__nests_free(e->env.nests);
        sw_pool_free(e->env.readers);
        if (e->cache)
                sw__cacheset_unref(e->cache);
        if (e->sources)
                sw__sources_free(e->sources);
        sw__keystore_free(e->keys);
        sw__history_free(e->history);
        if (e->logs >= 0)
                (void) close(e->logs);
        if (e->root)
                sw__root_close(e->root);
        if (e->own_config)
                sw_config_free(e->own_config);
        free(e->path);
        free(e->executor);
        free(e->snapshotter);
        free(e);
}

sw_history *
sw_engine_history(sw_engine *e)
{
        return e->history;
}

sw_err *
sw_engine_dump_trace(sw_engine *e, int fd)
{
        return sw__solver_dump_trace(e->solver, fd);
}
