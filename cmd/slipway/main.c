/*
 * cmd/slipway/main.c - start and end of the command `slipway`.
 *
 * Verbs are in files of their own, found through CLI_VERB (cli.h). Here: standard streams
 * that are there, help and version, running the verb, one line for an error, exit status.
 * stdout is written with out_text() only, whose errors are errors of the command.
 * Thread: main.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <slipway/text.h>

#include "cmd/slipway/program.h"
#include "cmd/slipway/term.h"

/* A closed 0, 1 or 2 would be given to the next file opened, and that file then read or
 * overwritten by mistake. Put something there that fails when it is used. */
static void
hold_standard_streams(void)
{
        for (int fd = 0; fd < 3; fd++) {
                if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF)
                        continue;
                if (open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) != fd)
                        _exit(1); /* no way left to say why */
        }
}

/* "VERB VERB VERB" that can follow where the command line ended. */
static sw_err *
verb_is_missing(const struct cli_call *call)
{
        const struct cli_program *p = call->program;
        const char *path = call->verb ? call->verb->name : "";
        sw_auto(sw_strlist) names = { 0 };

        for (size_t i = 0; i < p->n_verbs; i++)
                if (cli_is_below(p->verbs[i], path) && !p->verbs[i]->hidden)
                        sw_strlist_add(&names, cli_last_word(p->verbs[i]));
        sw_auto(sw_str) list = sw_strlist_join(&names, ", ");
        return sw_err_new(SW_E_USAGE, "a command is missing: %s; see '%s%s%s --help'", list,
                          p->name, *path ? " " : "", path);
}

static sw_err *
run(const struct cli_call *call)
{
        if (cli_bool(call, "help")) {
                sw_auto(sw_buf) help = SW_BUF_INIT;
                size_t width = term_width(STDOUT_FILENO);
                cli_add_help(&help, call->program, call->verb,
                             width == 0 || width > 100 ? 80 : width);
                return out_text(&help);
        }
        const struct cli_verb *verb = call->verb;
        if (cli_bool(call, "version"))
                verb = cli_find_verb(call->program, "version");
        if (!verb || !verb->run)
                return verb_is_missing(call);
        if (verb == call->verb) {
                sw_err *err = cli_check_args(call);
                if (err)
                        return err;
        }
        return verb->run(call);
}

/* Some file systems tell only here that they lost what was written. */
static sw_err *
close_stdout(void)
{
        if (close(STDOUT_FILENO) != 0 && errno != EINTR)
                return sw_err_sys(SW_E_IO, errno, "write to standard output");
        return SW_OK;
}

/* Whether @err comes from stdout being a pipe that nobody reads any more: the reader had
 * enough (`slipway plugins | head -1`), which needs no words. */
static bool
reader_is_gone(const sw_err *err)
{
        struct pollfd p = { .fd = STDOUT_FILENO, .events = POLLOUT };

        return sw_err_errno(err) == EPIPE && poll(&p, 1, 0) == 1 && (p.revents & POLLERR);
}

/* One line per line of @text, or just one whatever is in it. */
static void
add_lines(sw_buf *out, const char *prefix, const char *text, bool several)
{
        while (*text) {
                size_t n = several ? strcspn(text, "\n") : strlen(text);
                sw_auto(sw_str) line = sw_strndup(text, n);
                sw_buf_addf(out, "%s: ", prefix);
                term_add_text(out, line);
                sw_buf_addc(out, '\n');
                text += n + (text[n] == '\n');
        }
}

static void
report(const struct cli_call *call, const sw_err *err)
{
        const char *name = call->program->name;
        bool usage = sw_err_code(err) == SW_E_USAGE && call->verb;
        sw_auto(sw_str) prefix =
                usage ? sw_asprintf("%s %s", name, call->verb->name) : sw_strdup(name);
        sw_auto(sw_buf) out = SW_BUF_INIT;

        /* a configuration file can have several mistakes; all else has one line */
        add_lines(&out, prefix, sw_err_message(err), sw_err_code(err) == SW_E_CONFIG);
        if (cli_bool(call, "debug")) {
                sw_auto(sw_str) trace = sw_err_trace(err);
                add_lines(&out, "  at", trace ? trace : "(no memory for the trace)", true);
        }
        (void) fwrite(out.data, 1, out.len, stderr);
}

int
main(int argc, char **argv)
{
        struct cli_program program;
        struct cli_call call = CLI_CALL_INIT;

        hold_standard_streams();
        /* The engine writes to pipes and sockets: a reader that goes away is an error
         * there, and no reason to die in the middle of a build. */
        (void) signal(SIGPIPE, SIG_IGN);
        program_init(&program);

        sw_err *err = cli_parse(&program, argc, (const char *const *) argv, &call);
        if (!err)
                err = run(&call);
        bool quiet = reader_is_gone(err);
        sw_err *closed = close_stdout();
        if (!err)
                err = sw_steal(closed);
        sw_err_drop(closed, "the first error is the one to tell");

        int status = sw_err_exit_status(err);
        if (err && !quiet)
                report(&call, err);
        sw_err_free(err);
        cli_call_release(&call);
        program_release(&program);
        return status;
}
