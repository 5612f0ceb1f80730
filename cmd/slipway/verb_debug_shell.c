/*
 * cmd/slipway/verb_debug_shell.c - `slipway debug shell`: into the root that a failed step
 * left.
 *
 * With a terminal on standard input the command gets one of its own: ours is set to raw, so
 * that keys such as ^C reach the command as bytes, and its size is passed on. Signals are
 * taken by a thread of their own.
 * Thread: main, and the one for signals.
 */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>

#include <slipway/engine.h>

#include "cmd/slipway/client.h"
#include "cmd/slipway/plugins.h"
#include "cmd/slipway/setup.h"

struct shell_run {
        plugins plugins;
        sw_engine *engine;
        sw_cancel *cancel;
        sw_local_session *client;
        sw_strlist allow, env;
        char id[SW_ID_SIZE];
        bool terminal;
        struct termios before;
        sigset_t set;
        pthread_t thread;
        bool has_thread;
};

/* ---- the terminal -------------------------------------------------------------------- */

static void
pass_size(struct shell_run *r)
{
        struct winsize size;

        if (!r->terminal || ioctl(STDIN_FILENO, TIOCGWINSZ, &size) != 0 || !size.ws_row)
                return;
        sw_err_drop(sw_engine_shell_resize(r->engine, r->id, size.ws_row, size.ws_col),
                    "it keeps the size it has");
}

static void
set_raw(const struct shell_run *r)
{
        struct termios raw = r->before;

        if (!r->terminal)
                return;
        cfmakeraw(&raw);
        (void) tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
}

static void
set_back(struct shell_run *r)
{
        if (r->terminal)
                (void) tcsetattr(STDIN_FILENO, TCSADRAIN, &r->before);
}

/* ---- signals ------------------------------------------------------------------------- */

static void *
signals_main(void *arg)
{
        struct shell_run *r = arg;
        int sig;

        while (sigwait(&r->set, &sig) == 0) {
                if (sig == SIGUSR2)
                        return NULL;
                if (sig == SIGWINCH)
                        pass_size(r);
                else if (sig == SIGINT)
                        sw_err_drop(sw_engine_shell_signal(r->engine, r->id, SIGINT),
                                    "it has not started, or has ended");
                else
                        sw_cancel_now(r->cancel, "terminated");
        }
        return NULL;
}

/* Before any other thread is started: they inherit the mask. */
static void
block_signals(struct shell_run *r)
{
        static const int taken[] = { SIGINT, SIGTERM, SIGHUP, SIGWINCH, SIGUSR2 };

        (void) sigemptyset(&r->set);
        for (size_t i = 0; i < SW_COUNT(taken); i++)
                (void) sigaddset(&r->set, taken[i]);
        (void) pthread_sigmask(SIG_BLOCK, &r->set, NULL);
}

static void
stop_signals(struct shell_run *r)
{
        if (!r->has_thread)
                return;
        (void) pthread_kill(r->thread, SIGUSR2);
        (void) pthread_join(r->thread, NULL);
}

/* ---- the command --------------------------------------------------------------------- */

/* Up to now, what is told goes to the terminal as it is. */
static void
started(void *arg)
{
        set_raw(arg);
        pass_size(arg);
}

static sw_err *
make_client(struct shell_run *r, const struct cli_call *call)
{
        r->client = sw_local_session_new();
        sw_err *err = client_add(r->client, call, "secret", sw_local_session_add_secret);
        return err ? err : client_add(r->client, call, "ssh", sw_local_session_add_ssh);
}

static sw_err *
enter(struct shell_run *r, const struct cli_call *call, struct sw_shell_exit *out)
{
        SW_ARRAY(const char *) args = { 0 };
        const char *term = getenv("TERM");
        struct sw_shell_request req = {
                .size = sizeof(req),
                .kept = cli_argument(call, 0),
                .id = r->id,
                .user = cli_str(call, "user"),
                .fds_std = { STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO },
                .started = started,
                .arg = r,
                .cancel = r->cancel,
                .session = sw_local_session_get(r->client),
                .terminal = r->terminal,
        };

        for (size_t i = 1; i < call->args.n; i++)
                sw_array_push(&args, call->args.v[i]);
        sw_array_push(&args, NULL);
        if (term && *term)
                sw_strlist_take(&r->env, sw_asprintf("TERM=%s", term));
        sw_strlist_take(&r->env, NULL);
        cli_list(call, "allow", &r->allow);
        sw_strlist_take(&r->allow, NULL);
        req.args = args.n > 1 ? args.v : NULL;
        req.env = (const char *const *) r->env.v;
        req.allow = (const char *const *) r->allow.v;
        sw_err *err = sw_engine_shell(r->engine, &req, out);
        set_back(r);
        sw_array_release(&args);
        return err;
}

static sw_err *
run(struct shell_run *r, const struct cli_call *call, struct sw_shell_exit *out)
{
        sw_err *err = make_client(r, call);

        if (!err)
                err = plugins_open(&r->plugins, call);
        if (!err && !r->plugins.log)
                err = setup_log(r->plugins.config, &r->plugins.log);
        if (!err)
                err = sw_engine_open(SW_ENGINE_OPTS(.host = r->plugins.host,
                                                    .config = r->plugins.config,
                                                    .log = r->plugins.log),
                                     &r->engine);
        if (err)
                return err;
        int failed = pthread_create(&r->thread, NULL, signals_main, r);
        if (failed)
                return sw_err_sys(SW_E_INTERNAL, failed, "make a thread");
        r->has_thread = true;
        err = enter(r, call, out);
        stop_signals(r);
        return err;
}

static sw_err *
run_debug_shell(const struct cli_call *call)
{
        struct shell_run r = { .plugins = PLUGINS_INIT,
                               .terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) };
        struct sw_shell_exit exit_of_it = { 0 };

        r.terminal = r.terminal && tcgetattr(STDIN_FILENO, &r.before) == 0;
        (void) sw_id_new(r.id);
        r.cancel = sw_cancel_new(NULL);
        block_signals(&r);
        sw_err *err = run(&r, call, &exit_of_it);
        sw_engine_close(r.engine);
        plugins_release(&r.plugins);
        sw_local_session_free(r.client);
        sw_strlist_release(&r.allow);
        sw_strlist_release(&r.env);
        sw_cancel_unref(r.cancel);
        if (err)
                return err;
        int status = exit_of_it.signalled ? 128 + exit_of_it.value : exit_of_it.value;
        if (status)
                exit(status); /* the command's, which may be any; nothing is left open */
        return SW_OK;
}

static const struct cli_flag shell_flags[] = {
        { .name = "user",
          .type = CLI_STRING,
          .value = "USER",
          .help = "be this user of the root instead of that of the failed step" },
        { .name = "secret",
          .type = CLI_LIST,
          .value = "id=ID",
          .help = "give a secret of the failed step again: src=FILE or env=NAME" },
        { .name = "ssh",
          .type = CLI_LIST,
          .value = "ID=PATH",
          .help = "give an ssh agent again: ID, ID=SOCKET or ID=KEYFILE" },
        { .name = "allow",
          .type = CLI_LIST,
          .value = "NAME",
          .help = "allow network.host or security.insecure, if the failed step had it" },
        { .name = NULL },
};

static const struct cli_arg shell_args[] = {
        { .name = "ID", .min = 1, .max = 1, .help = "what the failed build named" },
        { .name = "COMMAND", .min = 0, .max = CLI_MANY, .help = "what to run: /bin/sh" },
        { .name = NULL },
};

CLI_VERB(debug_shell) = {
        .name = "debug shell",
        .summary = "enter the root that a failed step left",
        .details =
                "A build with --on-error keep keeps the root of a command that fails for "
                "an "
                "hour, and names it. This runs a shell, or another command, in a container "
                "in it, with the directory, user, environment and mounts of the failed "
                "one. "
                "Secrets and agents are there if they are given again. What is written is "
                "dropped at the end, so that all stays as it was left, but for caches:\n"
                "\n"
                "  slipway debug shell ID\n"
                "  slipway debug shell ID -- make -n all\n"
                "\n"
                "The exit status is that of the command.",
        .flags = shell_flags,
        .args = shell_args,
        .run = run_debug_shell,
};
