/*
 * cmd/slipway/verb_dump_docs.c - hidden: man pages and completion, for the build.
 *
 *      slipway dump-docs pages            names of the man pages
 *      slipway dump-docs man slipway      one page
 *      slipway dump-docs bash             completion script
 *
 * Fails when the tables are inconsistent, so a wrong one does not get past the build.
 * The date of a page is SOURCE_DATE_EPOCH where set, for reproducible builds.
 * Thread: main.
 */
#include <stdlib.h>
#include <string.h>

#include <slipway/text.h>
#include <slipway/time.h>

#include "cmd/slipway/program.h"

static sw_err *
page_date(int64_t *date)
{
        const char *epoch = getenv("SOURCE_DATE_EPOCH");
        int64_t seconds;

        if (!epoch) {
                *date = sw_time_now();
                return SW_OK;
        }
        sw_err *err = sw_parse_int(epoch, 0, INT64_MAX / SW_NS_PER_SEC, &seconds);
        if (err)
                return sw_err_wrap(err, "SOURCE_DATE_EPOCH");
        *date = seconds * SW_NS_PER_SEC;
        return SW_OK;
}

static void
add_pages(sw_buf *out, const struct cli_program *p)
{
        sw_buf_addf(out, "%s\n", p->name);
        for (size_t i = 0; i < p->n_verbs; i++)
                if (!p->verbs[i]->hidden && cli_is_below(p->verbs[i], ""))
                        sw_buf_addf(out, "%s-%s\n", p->name, p->verbs[i]->name);
}

static sw_err *
run_dump_docs(const struct cli_call *call)
{
        const char *what = cli_argument(call, 0), *page = cli_argument(call, 1);
        sw_auto(sw_buf) out = SW_BUF_INIT;
        int64_t date = 0;
        sw_err *err = cli_check_tables(call->program);

        if (!err)
                err = page_date(&date);
        if (err)
                return err;
        if (strcmp(what, "man") == 0 && page)
                err = cli_add_man(&out, call->program, page, date);
        else if (strcmp(what, "bash") == 0 && !page)
                cli_add_bash(&out, call->program);
        else if (strcmp(what, "pages") == 0 && !page)
                add_pages(&out, call->program);
        else
                err = sw_err_new(SW_E_USAGE, "give: pages, man PAGE or bash");
        return err ? err : out_text(&out);
}

static const struct cli_arg dump_docs_args[] = {
        { .name = "WHAT", .min = 1, .max = 1, .help = "pages, man or bash" },
        { .name = "PAGE", .min = 0, .max = 1, .help = "name of a man page" },
        { .name = NULL },
};

CLI_VERB(dump_docs) = {
        .name = "dump-docs",
        .summary = "write man pages and completion, for the build",
        .args = dump_docs_args,
        .run = run_dump_docs,
        .hidden = true,
};
