/*
 * tests/fuzz/cli_fuzz.c - command lines: words apart by line ends. What is refused must be
 * a usage error in one short, harmless line; what is accepted must hold what its tables
 * promise. The same bytes are shown as text, versions of runtimes and completion's words.
 */
#include <slipway/text.h>

#include "cmd/slipway/doctor/version.h"
#include "cmd/slipway/term.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/cmd/slipway/program.h"

#define MAX_WORDS 64

static void
check_call(const struct cli_call *call)
{
        size_t least = 0;

        for (size_t i = 0; i < call->values.n; i++) {
                const struct cli_value *v = &call->values.v[i];
                fuzz_check(v->flag->type == CLI_BOOL || *v->text != '\0');
                fuzz_check(cli_given(call, v->flag->name));
        }
        if (!call->verb || !call->verb->run) {
                fuzz_check(call->args.n == 0);
                return;
        }
        sw_err *err = cli_check_args(call);
        fuzz_check(!err || sw_err_code(err) == SW_E_USAGE);
        if (!fuzz_ok(err))
                return;
        for (const struct cli_arg *a = call->verb->args; a && a->name; a++)
                least += a->min;
        fuzz_check(call->args.n >= least);
}

static void
fuzz_command_line(const char *text)
{
        sw_auto(sw_strlist) lines = { 0 };
        struct cli_call call = CLI_CALL_INIT;

        sw_strlist_take(&lines, sw_strdup("prog"));
        for (const char *s = text; *s && lines.n < MAX_WORDS;) {
                size_t n = strcspn(s, "\n");
                sw_strlist_take(&lines, sw_strndup(s, n));
                s += n + (s[n] == '\n');
        }
        sw_err *err = cli_parse(&test_program, (int) lines.n, (const char *const *) lines.v,
                                &call);
        fuzz_check(!err || sw_err_code(err) == SW_E_USAGE);
        fuzz_check(strlen(sw_err_message(err)) < 600);
        if (fuzz_ok(err))
                check_call(&call);
        cli_call_release(&call);
}

/* What reaches a terminal steers nothing, and wrapping loses nothing but blanks. */
static void
fuzz_terminal(const char *text)
{
        sw_auto(sw_buf) shown = SW_BUF_INIT;
        sw_auto(sw_buf) wrapped = SW_BUF_INIT;
        size_t before = 0, after = 0;

        term_add_text(&shown, text);
        fuzz_check(sw_utf8_valid(shown.data, shown.len));
        for (size_t i = 0; i < shown.len; i++) {
                fuzz_check((unsigned char) shown.data[i] >= 0x20 && shown.data[i] != 0x7f);
                before += shown.data[i] != ' ';
        }
        term_add_wrapped(&wrapped, shown.data, 4, 20);
        for (size_t i = 0; i < wrapped.len; i++)
                after += wrapped.data[i] != ' ' && wrapped.data[i] != '\n';
        fuzz_check(before == after);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        sw_auto(sw_str) text = sw_strndup((const char *) data, size);
        struct doctor_version v;

        if (size == 0)
                return 0;
        fuzz_command_line(text);
        fuzz_terminal(text);
        if (doctor_version_parse(text, &v))
                fuzz_check(v.major >= 0 && v.minor >= 0 && v.patch >= 0 && v.rc >= 0);
        return 0;
}
