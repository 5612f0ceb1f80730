/*
 * cmd/slipway/verb_build.c - build a definition, here, in this process.
 *
 * The main thread shows progress until the story of the build has ended. Signals are taken
 * by a thread of their own: the first cancels, which ends the build within a second and
 * leaves nothing behind; the third one ends the program at once.
 * Thread: main, and the one for signals.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <slipway/definition.h>
#include <slipway/localsession.h>
#include <slipway/text.h>
#include <slipway/time.h>

#include "cmd/slipway/build/load.h"
#include "cmd/slipway/build/output.h"
#include "cmd/slipway/build/report.h"
#include "cmd/slipway/client.h"
#include "cmd/slipway/plugins.h"
#include "cmd/slipway/setup.h"

#define KEEP_FAILED_S 3600 /* roots of failed commands, with --on-error keep */

/* Everything of one build, released together. */
struct build_run {
        const struct cli_call *call;
        plugins plugins;
        sw_buf definition;
        sw_local_session *client;
        outputs outputs;
        load *load; /* --load; or NULL */
        sw_strlist allow;
        progress *progress;
        int trace;
        sw_engine *engine;
        sw_cancel *cancel;
        sw_build *build;
        mode_t file_mode; /* of files that are written for the user */
        char id[SW_ID_SIZE];
};

/* ---- Signals ---- */

struct signals {
        sw_cancel *cancel;
        sigset_t set;
        pthread_t thread;
        bool started;
};

static void *
signals_main(void *arg)
{
        struct signals *s = arg;
        int sig, n = 0;

        while (sigwait(&s->set, &sig) == 0) {
                if (sig == SIGUSR2)
                        return NULL;
                if (++n >= 3)
                        _exit(128 + sig);
                sw_cancel_now(s->cancel, sig == SIGINT ? "interrupted" : "terminated");
        }
        return NULL;
}

/* Before any other thread is started: they inherit the mask. */
static void
signals_start(struct signals *s, sw_cancel *cancel)
{
        s->cancel = cancel;
        (void) sigemptyset(&s->set);
        (void) sigaddset(&s->set, SIGINT);
        (void) sigaddset(&s->set, SIGTERM);
        (void) sigaddset(&s->set, SIGHUP);
        (void) sigaddset(&s->set, SIGUSR2);
        (void) pthread_sigmask(SIG_BLOCK, &s->set, NULL);
        s->started = pthread_create(&s->thread, NULL, signals_main, s) == 0;
        if (!s->started) /* without it, signals do what they always do */
                (void) pthread_sigmask(SIG_UNBLOCK, &s->set, NULL);
}

static void
signals_stop(struct signals *s)
{
        if (!s->started)
                return;
        (void) pthread_kill(s->thread, SIGUSR2);
        (void) pthread_join(s->thread, NULL);
}

/* ---- What is asked for ---- */

static sw_err *
read_definition(struct build_run *r)
{
        const char *file = cli_str(r->call, "llb");
        sw_err *err;

        if (file && strcmp(file, "-") != 0) {
                err = sw_buf_read_file(&r->definition, AT_FDCWD, file,
                                       SW_DEFINITION_MAX_BYTES);
        } else if (isatty(STDIN_FILENO)) {
                return sw_err_new(SW_E_USAGE, "please specify --frontend or pipe LLB "
                                              "definition to stdin, or name a file with "
                                              "--llb");
        } else {
                err = sw_buf_read_fd(&r->definition, STDIN_FILENO, SW_DEFINITION_MAX_BYTES,
                                     "standard input");
        }
        if (err)
                return err;
        if (r->definition.len == 0 ||
            sw_definition_is_empty(r->definition.data, r->definition.len))
                return sw_err_new(SW_E_INVALID, "empty definition sent to build. Specify "
                                                "--frontend instead?");
        return SW_OK;
}

static sw_err *
make_client(struct build_run *r)
{
        sw_err *err;

        r->client = sw_local_session_new();
        err = client_add(r->client, r->call, "local", sw_local_session_add_local);
        if (!err)
                err = client_add(r->client, r->call, "oci-layout",
                                 sw_local_session_add_oci_layout);
        if (!err)
                err = client_add(r->client, r->call, "secret", sw_local_session_add_secret);
        if (!err)
                err = client_add(r->client, r->call, "ssh", sw_local_session_add_ssh);
        return err;
}

static sw_err *
make_outputs(struct build_run *r)
{
        sw_auto(sw_strlist) specs = { 0 };
        sw_err *err = SW_OK;

        cli_list(r->call, "output", &specs);
        for (size_t i = 0; i < specs.n && !err; i++)
                err = outputs_add(&r->outputs, specs.v[i]);
        outputs_ready(&r->outputs);
        if (!err && cli_str(r->call, "load"))
                err = load_open(cli_str(r->call, "load"), cli_str(r->call, "load-into"),
                                r->cancel, &r->load);
        if (r->load)
                sw_array_push(&r->outputs.asked, load_output(r->load));
        return err;
}

static sw_err *
open_trace(struct build_run *r)
{
        const char *path = cli_str(r->call, "trace");

        if (!path)
                return SW_OK;
        r->trace = open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOCTTY | O_CLOEXEC, 0600);
        if (r->trace < 0)
                return sw_err_sys(SW_E_USAGE, errno, "--trace %s", path);
        progress_trace(r->progress, r->trace);
        return SW_OK;
}

/* SOURCE_DATE_EPOCH, where it is set to something. */
static sw_err *
read_epoch(struct sw_build_request *req)
{
        const char *text = getenv("SOURCE_DATE_EPOCH");

        if (!text || !*text)
                return SW_OK;
        req->has_epoch = true;
        return sw_err_wrap(sw_parse_int(text, 0, INT64_MAX / SW_NS_PER_SEC,
                                        &req->source_date_epoch),
                           "invalid SOURCE_DATE_EPOCH");
}

/* ---- The build ---- */

static sw_err *
open_engine(struct build_run *r)
{
        bool keep = sw_str_eq(cli_str(r->call, "on-error"), "keep");
        sw_err *err = plugins_open(&r->plugins, r->call);

        if (!err && !r->plugins.log)
                err = setup_log(r->plugins.config, &r->plugins.log);
        if (err)
                return err;
        return sw_engine_open(SW_ENGINE_OPTS(.host = r->plugins.host,
                                             .config = r->plugins.config,
                                             .log = r->plugins.log,
                                             .keep_failed_s = keep ? KEEP_FAILED_S : 0),
                              &r->engine);
}

static sw_err *
start(struct build_run *r)
{
        struct sw_build_request req = {
                .size = sizeof(req),
                .id = r->id,
                .definition = r->definition.data,
                .definition_len = r->definition.len,
                .session = sw_local_session_get(r->client),
                .outputs = r->outputs.asked.v,
                .n_outputs = r->outputs.asked.n,
                .no_cache = cli_bool(r->call, "no-cache"),
                .cancel = r->cancel,
        };
        sw_err *err = read_epoch(&req);

        if (err)
                return err;
        cli_list(r->call, "allow", &r->allow);
        sw_strlist_take(&r->allow, NULL);
        req.allow = (const char *const *) r->allow.v;
        return sw_build_start(r->engine, &req, &r->build);
}

static sw_err *
write_trace(struct build_run *r)
{
        const char *path = cli_str(r->call, "solve-trace");

        if (!path)
                return SW_OK;
        sw_auto(sw_fd) fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        if (fd < 0)
                return sw_err_sys(SW_E_IO, errno, "--solve-trace %s", path);
        return sw_engine_dump_trace(r->engine, fd);
}

/* What is told and written when the build is over; @failed is why it failed, or SW_OK. */
static sw_err *
conclude(struct build_run *r, sw_err *failed)
{
        const char *mode = cli_str(r->call, "progress");
        const char *metadata = cli_str(r->call, "metadata-file");
        const char *trace = cli_str(r->call, "trace");
        sw_err *err = failed;

        if (cli_bool(r->call, "explain"))
                report_explain(progress_model(r->progress));
        if (failed)
                report_failure(r->build, progress_model(r->progress),
                               sw_str_eq(mode, "quiet"));
        if (!err && trace)
                err = progress_trace_error(r->progress, trace);
        if (!err && metadata)
                err = report_metadata(r->build, r->outputs.asked.n, metadata, r->file_mode);
        if (!err)
                err = write_trace(r);
        return err;
}

static sw_err *
check_places(const struct build_run *r)
{
        static const char *const flags[] = { "metadata-file", "ref-file", "solve-trace" };
        sw_err *err = SW_OK;

        for (size_t i = 0; i < SW_COUNT(flags) && !err; i++)
                err = report_place(flags[i], cli_str(r->call, flags[i]));
        return err;
}

static sw_err *
run(struct build_run *r)
{
        struct sw_build_failure step = { .size = sizeof(step) };
        sw_err *err = progress_open(cli_str(r->call, "progress"), &r->progress);

        if (!err)
                err = check_places(r);
        if (!err)
                err = make_outputs(r);
        if (!err)
                err = make_client(r);
        if (!err)
                err = read_definition(r);
        if (!err)
                err = open_trace(r);
        if (!err)
                err = open_engine(r);
        if (!err)
                err = start(r);
        if (err)
                return err;
        progress_follow(r->progress, sw_build_subscribe(r->build));
        err = sw_build_wait(r->build);
        if (r->load)
                err = load_why(r->load, err);
        if (err && sw_build_failed_step(r->build, &step)) /* the words scripts look for */
                err = sw_err_wrap(err, "failed to solve");
        return conclude(r, err);
}

static void
release(struct build_run *r)
{
        sw_build_free(r->build);
        sw_engine_close(r->engine);
        progress_close(r->progress);
        sw_fd_clear(&r->trace);
        outputs_release(&r->outputs);
        if (r->load)
                load_free(r->load);
        if (r->client)
                sw_local_session_free(r->client);
        sw_strlist_release(&r->allow);
        sw_buf_release(&r->definition);
        plugins_release(&r->plugins);
        sw_cancel_unref(r->cancel);
}

static sw_err *
run_build(const struct cli_call *call)
{
        struct build_run r = { .call = call, .plugins = PLUGINS_INIT, .trace = -1 };
        const char *ref_file = cli_str(call, "ref-file");
        struct signals signals = { .started = false };
        mode_t umask_now = umask(0);
        sw_err *err, *ref_err = SW_OK;

        (void) umask(umask_now); /* no other thread runs yet */
        r.file_mode = 0666 & ~umask_now;
        sw_buf_init(&r.definition);
        (void) sw_id_new(r.id);
        r.cancel = sw_cancel_new(NULL);
        signals_start(&signals, r.cancel);
        err = run(&r);
        release(&r);
        signals_stop(&signals);
        if (ref_file)
                ref_err = report_ref(r.id, ref_file, r.file_mode);
        if (!err)
                return ref_err;
        sw_err_drop(ref_err, "the first error is the one to tell");
        return err;
}

static const struct cli_flag build_flags[] = {
        { .name = "llb",
          .type = CLI_STRING,
          .complete = CLI_FILES,
          .value = "FILE",
          .help = "build the definition in FILE; - or nothing for standard input" },
        { .name = "local",
          .type = CLI_LIST,
          .complete = CLI_DIRS,
          .value = "NAME=DIR",
          .help = "let the build read the directory DIR as local://NAME" },
        { .name = "oci-layout",
          .type = CLI_LIST,
          .complete = CLI_DIRS,
          .value = "NAME=DIR",
          .help = "let the build use images in the OCI layout DIR as oci-layout://NAME" },
        { .name = "output",
          .letter = 'o',
          .type = CLI_LIST,
          .value = "type=TYPE",
          .help = "export the result; dest=PATH says where to" },
        { .name = "load",
          .type = CLI_STRING,
          .value = "NAME",
          .help = "load the result as the image NAME into the engine that is here" },
        { .name = "load-into",
          .type = CLI_CHOICE,
          .value = "auto|docker|containerd|containers-storage",
          .help = "the engine for --load; auto is the first one that is here" },
        { .name = "secret",
          .type = CLI_LIST,
          .value = "id=ID",
          .help = "let the build read a secret: src=FILE or env=NAME" },
        { .name = "ssh",
          .type = CLI_LIST,
          .value = "ID=PATH",
          .help = "let the build use an ssh agent: ID, ID=SOCKET or ID=KEYFILE" },
        { .name = "allow",
          .type = CLI_LIST,
          .value = "NAME",
          .help = "allow network.host, security.insecure, device or device=NAME" },
        { .name = "no-cache",
          .type = CLI_BOOL,
          .help = "run every step, whatever is in the cache" },
        { .name = "progress",
          .type = CLI_CHOICE,
          .value = "auto|plain|tty|rawjson|quiet",
          .help = "how to show progress on standard error" },
        { .name = "explain",
          .type = CLI_BOOL,
          .help = "tell of each step why it ran, or that it was cached" },
        { .name = "on-error",
          .type = CLI_CHOICE,
          .value = "stop|keep",
          .help = "keep the root of a command that fails for an hour" },
        { .name = "metadata-file",
          .type = CLI_STRING,
          .complete = CLI_FILES,
          .value = "FILE",
          .help = "write what the exporters answer to FILE, as JSON" },
        { .name = "ref-file",
          .type = CLI_STRING,
          .complete = CLI_FILES,
          .value = "FILE",
          .help = "write the id of the build to FILE" },
        { .name = "trace",
          .type = CLI_STRING,
          .complete = CLI_FILES,
          .value = "FILE",
          .help = "add every progress update to FILE, as JSON" },
        { .name = "solve-trace",
          .type = CLI_STRING,
          .complete = CLI_FILES,
          .value = "FILE",
          .help = "write what the solver did to FILE, for slipway debug solve-trace" },
        { .name = NULL },
};

CLI_VERB(build) = {
        .name = "build",
        .summary = "build a definition",
        .details =
                "Builds an LLB definition, read from standard input or from a file, in "
                "this process: no daemon is needed. Steps that were built before are found "
                "in the cache below the root directory.\n"
                "\n"
                "Without --output the result stays in the cache. Types of output and their "
                "attributes, which follow with commas:\n"
                "\n"
                "  type=local,dest=DIR   files in a directory\n"
                "  type=tar,dest=FILE    an archive; without dest, or with -, on stdout\n"
                "  type=image,name=NAME  an image in the store; push=true pushes it\n"
                "  type=oci,dest=FILE    an image as an archive, or with tar=false a "
                "directory\n"
                "  type=docker,dest=FILE the same for docker load\n"
                "\n"
                "local and tar take source-date-epoch=SECONDS, else SOURCE_DATE_EPOCH of "
                "the "
                "environment, as the time of all files. local also takes mode=delete, "
                "which removes what is in the directory and not in the result, and "
                "platform-split=false, which puts the results of several platforms into "
                "one directory. A file appears under its name when it is whole.\n"
                "\n"
                "Images take name=NAME (several with commas between, in quotes), "
                "compression=gzip, zstd, estargz or uncompressed, compression-level=N, "
                "force-compression=true, oci-mediatypes=false, annotation.KEY=VALUE, "
                "containerimage.config=JSON, source-date-epoch=SECONDS, with which nothing "
                "that the image says of itself is later, and rewrite-timestamp=true, with "
                "which no file in it is. type=image also takes push-by-digest=true, "
                "registry.insecure=true, store=false, unpack=true and name-canonical=true. "
                "With a source date and rewritten times the same build makes the same "
                "image, to the byte.\n"
                "\n"
                "  slipway build --llb app.llb --local context=. -o "
                "type=local,dest=out\n"
                "  slipway build -o type=tar,dest=app.tar <app.llb\n"
                "  slipway build -o type=image,name=host.example/app:1,push=true <app.llb\n"
                "\n"
                "--load NAME is for trying out what was built: it goes to a Docker engine "
                "by "
                "its socket ($DOCKER_HOST), to containerd by ctr, or to the store of "
                "podman "
                "and buildah by skopeo, and progress says to which. skopeo copies only the "
                "layers that are not there; Docker is sent all of them, since it cannot be "
                "asked.\n"
                "\n"
                "A secret is given as id=ID,src=FILE or id=ID,env=NAME; --ssh takes "
                "default, "
                "ID=SOCKET or ID=KEYFILE,KEYFILE. Neither becomes a part of the result or "
                "of "
                "the cache.\n"
                "\n"
                "Progress on a terminal is drawn in place, elsewhere it is lines of text; "
                "BUILDKIT_PROGRESS says what auto means, NO_COLOR and BUILDKIT_COLORS "
                "which "
                "colours there are, BUILDKIT_TTY_LOG_LINES how many lines of a running "
                "command "
                "are drawn. When a step fails, the last lines it printed, its place in the "
                "source, and the file with all it printed are told.\n"
                "\n"
                "The first interrupt cancels the build; the third one ends the program at "
                "once. The exit status is 1 when the build fails, 2 when the command line "
                "or the configuration is wrong, 3 when what was built could not be pushed.",
        .flags = build_flags,
        .run = run_build,
};
