/*
 * core/ops/execfail.c - how a command ended, in words; what it used.
 * Thread: the one that runs the command.
 */
#include <signal.h>
#include <string.h>

#include <slipway/text.h>
#include <slipway/time.h>

#include "core/base/emulator.h"
#include "core/ops/exec.h"

#define SHOWN_MAX 4096

/* As Go's %q would have it, for what a command line usually holds. */
static void
add_command(sw_buf *b, const char *s)
{
        size_t n = 0;

        sw_buf_addc(b, '"');
        for (; *s && n < SHOWN_MAX; s++, n++) {
                unsigned char c = (unsigned char) *s;

                switch (c) {
                case '"':
                case '\\': sw_buf_addf(b, "\\%c", c); break;
                case '\n': sw_buf_adds(b, "\\n"); break;
                case '\t': sw_buf_adds(b, "\\t"); break;
                case '\r': sw_buf_adds(b, "\\r"); break;
                default:
                        if (c < ' ' || c == 0x7f)
                                sw_buf_addf(b, "\\x%02x", c);
                        else
                                sw_buf_addc(b, (char) c);
                }
        }
        sw_buf_adds(b, *s ? "…\"" : "\"");
}

/* A platform whose programs this machine cannot run. What failed need not be one of them,
 * but most of them fail. */
static bool
is_foreign(const sw_platform *p)
{
        const sw_platform *host = sw_platform_host();
        sw_auto(sw_strlist) emulated = { 0 };

        if (!p || strcmp(p->os, host->os) != 0 || strcmp(p->arch, host->arch) == 0 ||
            (strcmp(host->arch, "amd64") == 0 && strcmp(p->arch, "386") == 0) ||
            (strcmp(host->arch, "arm64") == 0 && strcmp(p->arch, "arm") == 0))
                return false;
        sw__emulated(&emulated);
        for (size_t i = 0; i < emulated.n; i++) {
                const char *arch = strchr(emulated.v[i], '/') + 1;
                size_t n = strcspn(arch, "/");

                if (strncmp(arch, p->arch, n) == 0 && p->arch[n] == 0)
                        return false;
        }
        return true;
}

/* What the number says to those who know; NULL: nothing. */
static const char *
reason(const struct sw_exec_status *s)
{
        int sig = s->signalled ? s->value : s->value - 128;

        if (s->out_of_memory)
                return "out of memory: the step's memory limit was reached";
        if (!s->signalled && s->value == 127)
                return "command not found";
        if (!s->signalled && s->value == 126)
                return "command cannot be executed";
        switch (sig) {
        case SIGKILL: return "killed by SIGKILL";
        case SIGSEGV: return "killed by SIGSEGV";
        case SIGABRT: return "killed by SIGABRT";
        case SIGTERM: return "killed by SIGTERM";
        case SIGBUS: return "killed by SIGBUS";
        case SIGILL: return "killed by SIGILL: an instruction this processor does not have";
        case SIGFPE: return "killed by SIGFPE";
        case SIGSYS: return "killed by SIGSYS: a system call that is not allowed";
        case SIGPIPE: return "killed by SIGPIPE";
        default: return NULL;
        }
}

static bool
is_valid(const Pb__Meta *m, const struct sw_exec_status *s)
{
        if (s->signalled)
                return false;
        if (!m->n_validexitcodes)
                return s->value == 0;
        for (size_t i = 0; i < m->n_validexitcodes; i++)
                if (m->validexitcodes[i] == s->value)
                        return true;
        return false;
}

sw_err *
sw__exec_judge(struct sw__exec *x)
{
        const struct sw_exec_status *s = &x->status;
        int code = s->signalled ? 128 + s->value : s->value;
        const char *why = reason(s);
        sw_auto(sw_buf) b = SW_BUF_INIT;
        sw_auto(sw_str) platform = NULL;

        if (is_valid(x->pb->meta, s))
                return SW_OK;
        sw_buf_adds(&b, "process ");
        add_command(&b, x->command);
        sw_buf_addf(&b, " did not complete successfully: exit code: %d", code);
        if (why) {
                sw_buf_addf(&b, " (%s)", why);
        } else if (is_foreign(x->platform)) {
                platform = sw_platform_str(x->platform);
                sw_buf_addf(&b, " (this machine has no emulator for %s)", platform);
        }
        return sw_err_new(SW_E_STEP, "%s", b.data);
}

sw_err *
sw__exec_failed(const struct sw__exec *x, sw_err *err)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;

        if (sw_err_code(err) != SW_E_STEP && sw_err_code(err) != SW_E_BROKEN)
                return err;
        sw_buf_adds(&b, "process ");
        add_command(&b, x->command);
        return sw_err_wrap(err, "%s did not complete successfully", b.data);
}

/* In the progress record of the step, for programs: names begin with "usage.". */
static void
tell(const struct sw__exec *x, const char *id, int64_t n)
{
        int64_t now = sw_time_now();

        if (n >= 0)
                sw_progress_status(x->ctx, &(const struct sw_progress){ .id = id,
                                                                        .current = n,
                                                                        .started = now,
                                                                        .completed = now });
}

void
sw__exec_tell_usage(const struct sw__exec *x)
{
        tell(x, "usage.cpu_ns", x->status.cpu_ns);
        tell(x, "usage.memory_peak", x->status.memory_peak);
        tell(x, "usage.io_read", x->status.io_read);
        tell(x, "usage.io_written", x->status.io_written);
}
