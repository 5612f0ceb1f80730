/*
 * cmd/slipway/history/verb_change.c - `slipway history rm`, `pin` and `unpin`.
 * Thread: main.
 */
#include <slipway/text.h>

#include "cmd/slipway/history/past.h"
#include "cmd/slipway/program.h"

typedef sw_err *change_fn(sw_history *h, const char *id);

static sw_err *
pin(sw_history *h, const char *id)
{
        return sw_history_pin(h, id, true);
}

static sw_err *
unpin(sw_history *h, const char *id)
{
        return sw_history_pin(h, id, false);
}

static sw_err *
change_one(past *p, const char *asked, change_fn *fn)
{
        sw_auto(sw_history_list) found = { 0 };
        sw_auto(sw_buf) out = SW_BUF_INIT;
        sw_err *err = past_find(p, asked, &found);

        if (!err)
                err = fn(p->history, found.v[0].id);
        if (err)
                return err;
        sw_buf_addf(&out, "%s\n", found.v[0].id);
        return out_text(&out);
}

/* The others are changed also when one is not there. What they name is found first: ^1 is
 * the same before and after latest is gone. */
static sw_err *
change_all(const struct cli_call *call, past *p, change_fn *fn)
{
        sw_auto(sw_strlist) ids = { 0 };
        sw_err *first = SW_OK;

        for (size_t i = 0; i < call->args.n; i++) {
                sw_auto(sw_history_list) found = { 0 };
                sw_err *err = past_find(p, cli_argument(call, i), &found);

                if (!err)
                        sw_strlist_add(&ids, found.v[0].id);
                else if (first)
                        sw_err_drop(err, "the first one is told");
                else
                        first = err;
        }
        for (size_t i = 0; i < ids.n; i++) {
                sw_err *err = change_one(p, ids.v[i], fn);

                if (first)
                        sw_err_drop(err, "the first one is told");
                else
                        first = err;
        }
        return first;
}

static sw_err *
remove_unpinned(past *p)
{
        sw_auto(sw_history_list) all = { 0 };
        sw_err *err = past_builds(p, &all);

        for (size_t i = 0; i < all.n && !err; i++)
                if (!all.v[i].pinned && all.v[i].state != SW_HISTORY_RUNNING)
                        err = change_one(p, all.v[i].id, sw_history_remove);
        return err;
}

static sw_err *
run_rm(const struct cli_call *call)
{
        sw_auto(past) p = PAST_INIT;
        const bool all = cli_bool(call, "all");
        sw_err *err;

        if (all == (call->args.n > 0))
                return sw_err_new(SW_E_USAGE, "name builds, or give --all");
        err = past_open(&p, call, false);
        if (err)
                return err;
        return all ? remove_unpinned(&p) : change_all(call, &p, sw_history_remove);
}

static sw_err *
run_pin(const struct cli_call *call)
{
        sw_auto(past) p = PAST_INIT;
        sw_err *err = past_open(&p, call, false);

        return err ? err : change_all(call, &p, pin);
}

static sw_err *
run_unpin(const struct cli_call *call)
{
        sw_auto(past) p = PAST_INIT;
        sw_err *err = past_open(&p, call, false);

        return err ? err : change_all(call, &p, unpin);
}

static const struct cli_flag rm_flags[] = {
        { .name = "all",
          .type = CLI_BOOL,
          .help = "all builds that neither run nor are pinned" },
        { .name = NULL },
};

static const struct cli_arg rm_args[] = {
        { .name = "BUILD",
          .min = 0,
          .max = CLI_MANY,
          .complete = CLI_BUILDS,
          .help = "an id or its beginning, latest, or ^N for the N-th before that" },
        { .name = NULL },
};

static const struct cli_arg pin_args[] = {
        PAST_ARG(CLI_MANY),
        { .name = NULL },
};

CLI_VERB(history_rm) = {
        .name = "history rm",
        .summary = "forget builds",
        .details = "Prints the id of each build that was forgotten. What it built stays: "
                   "see slipway images rm and slipway prune.\n",
        .flags = rm_flags,
        .args = rm_args,
        .run = run_rm,
};

CLI_VERB(history_pin) = {
        .name = "history pin",
        .summary = "keep builds in the history for ever",
        .args = pin_args,
        .run = run_pin,
};

CLI_VERB(history_unpin) = {
        .name = "history unpin",
        .summary = "let builds be forgotten with time",
        .args = pin_args,
        .run = run_unpin,
};
