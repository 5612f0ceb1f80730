/* cmd/slipway/build/call.c - see call.h. */
#include "cmd/slipway/build/call.h"

#include <string.h>

#include <slipway/text.h>

#include "cmd/slipway/program.h"

static const struct {
        const char *name, *request;
} questions[] = {
        { "check", "frontend.lint" },
        { "lint", "frontend.lint" },
        { "outline", "frontend.outline" },
        { "targets", "frontend.targets" },
        { "convertllb", "frontend.convertllb" },
        { "describe", "frontend.subrequests.describe" },
        { "subrequests.describe", "frontend.subrequests.describe" },
};

static sw_err *
set_request(call *c, const char *name, opts *o)
{
        for (size_t i = 0; i < SW_COUNT(questions); i++)
                if (sw_str_eq(name, questions[i].name)) {
                        c->asked = true;
                        c->lint = sw_str_eq(questions[i].request, "frontend.lint");
                        opts_set(o, "requestid", questions[i].request);
                        opts_add_word(o, "frontend.caps",
                                      "moby.buildkit.frontend.subrequests");
                        return SW_OK;
                }
        if (sw_str_eq(name, "build"))
                return SW_OK;
        return sw_err_new(
                SW_E_USAGE,
                "--call %s: there is build, check, outline, targets, convertllb and "
                "describe",
                name);
}

/* "outline", "check,format=json" */
static sw_err *
take_words(call *c, const char *text, opts *o)
{
        sw_auto(sw_strlist) words = { 0 };
        const char *name = "build";

        sw_strlist_split(&words, text, ',');
        for (size_t i = 0; i < words.n; i++) {
                const char *w = words.v[i];

                if (sw_str_eq(w, "format=json") || sw_str_eq(w, "format=text"))
                        c->json = sw_str_eq(w, "format=json");
                else if (!strchr(w, '=') && i == 0)
                        name = w;
                else
                        return sw_err_new(SW_E_USAGE,
                                          "--call %s: after the name comes format=json or "
                                          "format=text",
                                          text);
        }
        return set_request(c, name, o);
}

sw_err *
call_take(call *c, const struct cli_call *cli, opts *o)
{
        const char *text = cli_str(cli, "call");

        if (cli_bool(cli, "check") && text)
                return sw_err_new(SW_E_USAGE, "--check is --call check: give one of them");
        if (!text && !cli_bool(cli, "check"))
                return SW_OK;
        return take_words(c, text ? text : "check", o);
}

sw_err *
call_print(const call *c, const sw_build *b)
{
        const char *json = sw_build_meta(b, "result.json");
        const char *people = sw_build_meta(b, "result.txt");
        const char *text = c->json || !people ? json : people;
        const char *status = sw_build_meta(b, "result.statuscode");
        sw_auto(sw_buf) out = SW_BUF_INIT;
        sw_err *err;

        if (!text)
                return sw_err_new(SW_E_UNSUPPORTED, "the frontend does not answer that");
        sw_buf_adds(&out, text);
        if (c->lint && !c->json && !*text)
                sw_buf_adds(&out, "Check complete, no warnings found.");
        if (out.len && out.data[out.len - 1] != '\n')
                sw_buf_addc(&out, '\n');
        err = out_text(&out);
        if (!err && status && !sw_str_eq(status, "0"))
                err = sw_err_new(SW_E_INVALID, "the check found what is to be mended");
        return err;
}
