/*
 * cmd/slipway/verb_build.c - build, here, in this process: a context with a frontend, or a
 * definition.
 *
 * The main thread shows progress until the story of the build has ended. Signals are taken
 * by a thread of their own: the first cancels, which ends the build within a second and
 * leaves nothing behind; the third one ends the program at once.
 * Thread: main, and the one for signals.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <slipway/definition.h>
#include <slipway/localsession.h>
#include <slipway/text.h>
#include <slipway/time.h>

#include "cmd/slipway/build/call.h"
#include "cmd/slipway/build/context.h"
#include "cmd/slipway/build/flags.h"
#include "cmd/slipway/build/image.h"
#include "cmd/slipway/build/input.h"
#include "cmd/slipway/build/opts.h"
#include "cmd/slipway/build/report.h"
#include "cmd/slipway/build/signals.h"
#include "cmd/slipway/client.h"
#include "cmd/slipway/plugins.h"
#include "cmd/slipway/program.h"
#include "cmd/slipway/setup.h"

#define FRONTEND      "dockerfile.v0"
#define KEEP_FAILED_S 3600 /* roots of failed commands, with --on-error keep */

/* Everything of one build, released together. */
struct build_run {
        const struct cli_call *cli;
        plugins plugins;
        sw_buf definition;
        const char *frontend; /* or NULL: the definition is built */
        opts opts;
        call call;
        context context;
        sw_local_session *client;
        image image;
        sw_strlist allow;
        progress *progress;
        int trace;
        sw_engine *engine;
        sw_cancel *cancel;
        sw_build *build;
        mode_t file_mode; /* of files that are written for the user */
        char id[SW_ID_SIZE];
};

/* ---- What is asked for ---- */

static sw_err *
nothing_to_build(void)
{
        return sw_err_new(SW_E_USAGE,
                          "what is to be built? slipway build . builds the Dockerfile of "
                          "this directory; otherwise please specify --frontend or pipe LLB "
                          "definition to stdin, or name a file with --llb");
}

static sw_err *
read_definition(struct build_run *r)
{
        const char *file = cli_str(r->cli, "llb");
        sw_err *err;

        if (file && strcmp(file, "-") != 0) {
                err = sw_buf_read_file(&r->definition, AT_FDCWD, file,
                                       SW_DEFINITION_MAX_BYTES);
        } else if (isatty(STDIN_FILENO)) {
                return nothing_to_build();
        } else {
                err = input_read_all(r->cancel, SW_DEFINITION_MAX_BYTES, &r->definition);
        }
        if (err)
                return err;
        if (r->definition.len == 0 && !file)
                return nothing_to_build();
        if (r->definition.len == 0 ||
            sw_definition_is_empty(r->definition.data, r->definition.len))
                return sw_err_new(SW_E_INVALID, "empty definition sent to build. Specify "
                                                "--frontend instead?");
        return SW_OK;
}

/* A context has a frontend, a definition has none. */
static sw_err *
choose_frontend(struct build_run *r)
{
        bool has_context = cli_argument(r->cli, 0) != NULL;
        const char *flag = opts_given(r->cli);

        r->frontend = cli_str(r->cli, "frontend");
        if (!r->frontend && has_context)
                r->frontend = FRONTEND;
        if (r->frontend && cli_str(r->cli, "llb"))
                return sw_err_new(SW_E_USAGE, "--llb is a definition, which needs no %s",
                                  has_context ? "context" : "frontend");
        if (!r->frontend && flag && (cli_str(r->cli, "llb") || !isatty(STDIN_FILENO)))
                return sw_err_new(
                        SW_E_USAGE,
                        "--%s is for a frontend: name the context to build, as in "
                        "slipway build .",
                        flag);
        if (!has_context && cli_str(r->cli, "file"))
                return sw_err_new(SW_E_USAGE, "--file goes with a context, as in slipway "
                                              "build -f FILE .");
        return SW_OK;
}

static sw_err *
take_allowed(struct build_run *r)
{
        static const char *const known[] = { "network.host", "security.insecure",
                                             "device" };
        sw_auto(sw_strlist) given = { 0 };

        cli_list(r->cli, "allow", &given);
        for (size_t i = 0; i < given.n; i++) {
                bool fine = sw_str_has_prefix(given.v[i], "device=");

                for (size_t k = 0; k < SW_COUNT(known); k++)
                        fine |= sw_str_eq(given.v[i], known[k]);
                if (!fine)
                        return sw_err_new(SW_E_USAGE,
                                          "--allow: unknown entitlement %s; there are "
                                          "network.host, security.insecure, device and "
                                          "device=NAME",
                                          given.v[i]);
                sw_strlist_add(&r->allow, given.v[i]);
        }
        if (sw_str_eq(cli_str(r->cli, "network"), "host"))
                sw_strlist_add(&r->allow, "network.host");
        sw_strlist_take(&r->allow, NULL);
        return SW_OK;
}

/* Everything of the command line that needs nothing else. */
static sw_err *
take_flags(struct build_run *r)
{
        sw_err *err = flags_check(r->cli);

        if (!err)
                err = choose_frontend(r);
        if (!err && r->frontend)
                err = opts_take(&r->opts, r->cli, (const char *const *) environ);
        /* What was built here goes before what others call by the same name. */
        if (!err && r->frontend && !opts_get(&r->opts, "image-resolve-mode"))
                opts_set(&r->opts, "image-resolve-mode", "local");
        if (!err && r->frontend)
                err = call_take(&r->call, r->cli, &r->opts);
        if (!err && !r->call.asked)
                err = image_take(&r->image, r->cli, r->cancel);
        return err ? err : take_allowed(r);
}

static sw_err *
make_client(struct build_run *r)
{
        sw_err *err;

        r->client = sw_local_session_new();
        err = client_add(r->client, r->cli, "local", sw_local_session_add_local);
        if (!err)
                err = client_add(r->client, r->cli, "oci-layout",
                                 sw_local_session_add_oci_layout);
        if (!err)
                err = client_add(r->client, r->cli, "secret", sw_local_session_add_secret);
        if (!err)
                err = client_add(r->client, r->cli, "ssh", sw_local_session_add_ssh);
        if (!err && r->frontend && cli_argument(r->cli, 0))
                err = context_take(&r->context, r->cli, r->client, &r->opts);
        return err;
}

static sw_err *
open_trace(struct build_run *r)
{
        const char *path = cli_str(r->cli, "trace");

        if (!path)
                return SW_OK;
        r->trace = open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOCTTY | O_CLOEXEC, 0600);
        if (r->trace < 0)
                return sw_err_sys(SW_E_IO, errno, "--trace %s", path);
        progress_trace(r->progress, r->trace);
        return SW_OK;
}

/* SOURCE_DATE_EPOCH, where it is set to something. A frontend has it as an option, where it
 * may also be something that only the frontend understands. */
static sw_err *
read_epoch(const struct build_run *r, struct sw_build_request *req)
{
        const char *text = r->frontend ? opts_get(&r->opts, "build-arg:SOURCE_DATE_EPOCH")
                                       : getenv("SOURCE_DATE_EPOCH");
        sw_err *err;

        if (!text || !*text)
                return SW_OK;
        err = sw_parse_int(text, 0, INT64_MAX / SW_NS_PER_SEC, &req->source_date_epoch);
        req->has_epoch = !err;
        if (err && r->frontend) {
                sw_err_drop(err, "the frontend says what it is, or that it is nothing");
                return SW_OK;
        }
        return sw_err_wrap(err, "invalid SOURCE_DATE_EPOCH");
}

/* ---- The build ---- */

static sw_err *
open_engine(struct build_run *r)
{
        bool keep = sw_str_eq(cli_str(r->cli, "on-error"), "keep");
        sw_err *err = plugins_open(&r->plugins, r->cli);

        if (!err && !r->plugins.log)
                err = setup_log(r->plugins.config, &r->plugins.log);
        if (!err)
                err = flags_refuse(r->cli, r->plugins.host);
        if (err)
                return err;
        progress_log(r->progress, r->plugins.log);
        flags_warn(&r->opts, r->plugins.log);
        err = sw_engine_open(SW_ENGINE_OPTS(.host = r->plugins.host,
                                            .config = r->plugins.config,
                                            .log = r->plugins.log,
                                            .keep_failed_s = keep ? KEEP_FAILED_S : 0),
                             &r->engine);
        if (!err)
                spool_sweep(sw_config_str(r->plugins.config, "root"));
        if (!err && r->frontend)
                err = context_read(&r->context, sw_config_str(r->plugins.config, "root"),
                                   r->client, &r->opts);
        return err;
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
                .allow = (const char *const *) r->allow.v,
                .outputs = r->image.outputs.asked.v,
                .n_outputs = r->image.outputs.asked.n,
                .no_cache = !r->frontend && cli_bool(r->cli, "no-cache"),
                .cancel = r->cancel,
                .frontend = r->frontend,
                .opts = r->opts.all.v,
                .n_opts = r->opts.all.n,
                .inputs = r->context.inputs,
                .n_inputs = r->context.n_inputs,
                .internal = r->call.asked,
        };
        sw_err *err = read_epoch(r, &req);

        return err ? err : sw_build_start(r->engine, &req, &r->build);
}

static sw_err *
write_trace(struct build_run *r)
{
        const char *path = cli_str(r->cli, "solve-trace");

        if (!path)
                return SW_OK;
        sw_auto(sw_fd) fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        if (fd < 0)
                return sw_err_sys(SW_E_IO, errno, "--solve-trace %s", path);
        return sw_engine_dump_trace(r->engine, fd);
}

static sw_err *
tell_id(struct build_run *r)
{
        const char *file = cli_str(r->cli, "iidfile"), *id = image_id(&r->image, r->build);
        sw_auto(sw_buf) line = SW_BUF_INIT;
        sw_err *err = SW_OK;

        if (file && !id)
                return sw_err_new(SW_E_UNSUPPORTED,
                                  "--iidfile %s: no image was made: name one with -t",
                                  file);
        if (file)
                err = report_ref(id, file, r->file_mode);
        if (err || !id || !cli_bool(r->cli, "quiet"))
                return err;
        sw_buf_addf(&line, "%s\n", id);
        return out_text(&line);
}

/* What a build that went well is asked to tell. */
static sw_err *
tell(struct build_run *r)
{
        const char *metadata = cli_str(r->cli, "metadata-file");
        const char *trace = cli_str(r->cli, "trace");
        sw_err *err = SW_OK;

        if (trace)
                err = progress_trace_error(r->progress, trace);
        if (!err && metadata)
                err = report_metadata(r->build, r->image.outputs.asked.n, metadata,
                                      r->file_mode);
        if (!err)
                err = write_trace(r);
        if (!err && r->call.asked)
                return call_print(&r->call, r->build);
        return err ? err : tell_id(r);
}

/* What is told and written when the build is over; @failed is why it failed, or SW_OK. */
static sw_err *
conclude(struct build_run *r, sw_err *failed)
{
        const struct report report = {
                .build = r->build,
                .model = progress_model(r->progress),
                .outputs = &r->image.outputs,
                .mode = progress_mode(r->progress),
                .context = r->context.dir,
                .dockerfile = cli_str(r->cli, "file"),
        };
        sw_err *err = failed;

        if (cli_bool(r->cli, "explain"))
                report_explain(progress_model(r->progress));
        if (!r->call.asked)
                report_warnings(&report);
        if (failed)
                report_failure(&report, failed);
        if (!err)
                err = tell(r);
        if (!err && !r->call.asked)
                report_summary(&report);
        return err;
}

static sw_err *
check_places(const struct build_run *r)
{
        static const char *const flags[] = { "metadata-file", "ref-file", "solve-trace",
                                             "iidfile" };
        sw_err *err = SW_OK;

        for (size_t i = 0; i < SW_COUNT(flags) && !err; i++)
                err = report_place(flags[i], cli_str(r->cli, flags[i]));
        return err;
}

/* Up to where a build can begin. */
static sw_err *
prepare(struct build_run *r)
{
        bool quiet = cli_bool(r->cli, "quiet");
        sw_err *err =
                progress_open(quiet ? "quiet" : cli_str(r->cli, "progress"), &r->progress);

        if (!err)
                err = check_places(r);
        if (!err)
                err = take_flags(r);
        if (!err)
                err = make_client(r);
        if (!err && !r->frontend)
                err = read_definition(r);
        if (!err)
                err = open_trace(r);
        return err ? err : open_engine(r);
}

static sw_err *
run(struct build_run *r)
{
        struct sw_build_failure step = { .size = sizeof(step) };
        sw_err *err = prepare(r);

        if (!err)
                err = start(r);
        if (err)
                return err;
        progress_follow(r->progress, sw_build_subscribe(r->build));
        err = image_why(&r->image, sw_build_wait(r->build));
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
        image_release(&r->image);
        if (r->client)
                sw_local_session_free(r->client);
        context_release(&r->context);
        opts_release(&r->opts);
        sw_strlist_release(&r->allow);
        sw_buf_release(&r->definition);
        plugins_release(&r->plugins);
        sw_cancel_unref(r->cancel);
}

static sw_err *
run_build(const struct cli_call *cli)
{
        struct build_run r = { .cli = cli, .plugins = PLUGINS_INIT, .trace = -1 };
        const char *ref_file = cli_str(cli, "ref-file");
        struct signals signals = { .started = false };
        mode_t umask_now = umask(0);
        sw_err *err, *ref_err = SW_OK;

        (void) umask(umask_now); /* no other thread runs yet */
        r.file_mode = 0666 & ~umask_now;
        sw_buf_init(&r.definition);
        sw_buf_init(&r.context.definition);
        (void) sw_id_new(r.id);
        r.cancel = r.context.cancel = sw_cancel_new(NULL);
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

static const struct cli_arg build_args[] = {
        { .name = "CONTEXT",
          .min = 0,
          .max = 1,
          .complete = CLI_DIRS,
          .help = "a directory, a git or http URL, or - for standard input" },
        { .name = NULL },
};

CLI_VERB(build) = {
        .name = "build",
        .summary = "build a Dockerfile or a definition",
        .details =
                "Builds the Dockerfile of a directory, in this process: no daemon is "
                "needed. "
                "Steps that were built before are found in the cache below the root "
                "directory.\n"
                "\n"
                "  slipway build -t app .\n"
                "  slipway build -f docker/Dockerfile --target test --build-arg V=2 .\n"
                "  slipway build -o out https://git.example/app.git#v1:src\n"
                "  slipway build - <context.tar\n"
                "  slipway build --check .\n"
                "\n"
                "CONTEXT is where COPY takes files from: a directory; the URL of a git "
                "repository, perhaps with #REF:SUBDIRECTORY; that of an archive; or -, for "
                "an archive or a Dockerfile without any files on standard input. With -f - "
                "the Dockerfile comes from there. What --build-context names goes before "
                "stages and images of that name; an image in a directory is "
                "oci-layout://DIR:TAG. An image that slipway's store has goes before the "
                "registry's of that name, unless there is --pull.\n"
                "\n"
                "With -t the image is kept in slipway's own store: slipway images lists "
                "it, "
                "slipway images save writes it to a file. --push pushes it, --load loads "
                "it "
                "into another engine, --output says what else is made of it. With none of "
                "them and no name the result stays in the cache, and no image is made, "
                "unless --quiet or --iidfile ask for its id. Types of output and their "
                "attributes, which follow with commas:\n"
                "\n"
                "  type=local,dest=DIR   files in a directory; DIR alone says the same\n"
                "  type=tar,dest=FILE    an archive; without dest, or with -, on stdout\n"
                "  type=image,name=NAME  an image in the store; push=true pushes it\n"
                "  type=registry         the same, pushed\n"
                "  type=oci,dest=FILE    an image as an archive, or with tar=false a "
                "directory\n"
                "  type=docker,dest=FILE the same for docker load\n"
                "  type=cacheonly        nothing\n"
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
                "--load is for trying out what was built: it goes to a Docker engine by "
                "its socket ($DOCKER_HOST), to containerd by ctr, or to the store of "
                "podman "
                "and buildah by skopeo, and progress says to which. skopeo copies only the "
                "layers that are not there; Docker is sent all of them, since it cannot be "
                "asked.\n"
                "\n"
                "SOURCE_DATE_EPOCH and the proxies of the environment (HTTP_PROXY, "
                "HTTPS_PROXY, FTP_PROXY, NO_PROXY and ALL_PROXY, in either case) become "
                "build arguments, unless --build-arg gives them; proxies are no part of "
                "the "
                "cache's keys and of the image. The client of docker takes proxies from "
                "its "
                "configuration instead, which is not read.\n"
                "\n"
                "An LLB definition is built in place of a context: --llb FILE, or standard "
                "input. --frontend, --opt and --local are as buildctl has them.\n"
                "\n"
                "  slipway build --llb app.llb --local context=. -o out\n"
                "  slipway build --frontend dockerfile.v0 --local context=. --local "
                "dockerfile=.\n"
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
                "are drawn. Of what a command prints, 2 MiB and 200 KiB a second are "
                "shown, "
                "unless BUILDKIT_STEP_LOG_MAX_SIZE and BUILDKIT_STEP_LOG_MAX_SPEED say "
                "otherwise (in bytes, -1: all); slipway inspect latest names the place "
                "where "
                "all of it is. When a step fails, the last lines it printed, its place in "
                "the "
                "source, the file with all it printed and what to try are told. At the end "
                "of a build that went well stand the longest steps, what was not cached "
                "and why, and where the result is; SLIPWAY_SUMMARY=off leaves that out.\n"
                "\n"
                "Steps that write files or run commands need root. Without it, where "
                "/etc/subuid and /etc/subgid have ids for this user, a user namespace does "
                "as "
                "well: unshare --map-root-user --map-auto --mount slipway build .\n"
                "\n"
                "The first interrupt cancels the build; the third one ends the program at "
                "once. The exit status is 1 when the build fails, 2 when the command line "
                "or the configuration is wrong, 3 when what was built could not be pushed.",
        .flags = build_flags,
        .args = build_args,
        .run = run_build,
};
