/*
 * cmd/slipway/history/past.c - see past.h. Thread: main.
 */
#include "cmd/slipway/history/past.h"

#include <stdio.h>

sw_err *
past_open(past *p, const struct cli_call *call, bool read_only)
{
        sw_err *err = store_open(&p->store, call, read_only);

        if (!err && p->store.root)
                p->history = sw__history_new(p->store.root, p->store.plugins.log, false);
        return err;
}

void
past_release(past *p)
{
        sw__history_free(p->history);
        p->history = NULL;
        store_release(&p->store);
}

sw_err *
past_builds(past *p, sw_history_list *out)
{
        *out = (sw_history_list){ 0 };
        return p->history ? sw_history_builds(p->history, out) : SW_OK;
}

sw_err *
past_find(past *p, const char *asked, sw_history_list *out)
{
        sw_err *err, *usage;

        if (!p->history)
                return sw_err_new(SW_E_NOT_FOUND, "there is no build in the history");
        err = sw_history_find(p->history, asked, out);
        if (sw_err_code(err) != SW_E_INVALID)
                return err;
        usage = sw_err_new(SW_E_USAGE, "%s", sw_err_message(err));
        sw_err_drop(err, "told as a mistake of the command line");
        return usage;
}

static void
warn_of_damage(const sw_history_story *story, const char *id)
{
        if (sw_history_story_damaged(story))
                (void) fprintf(stderr,
                               "slipway: the story of the build %s is damaged: what "
                               "follows in it is lost\n",
                               id);
}

sw_err *
past_replay(past *p, const char *id,
            void (*fn)(void *arg, const struct sw_progress_batch *b), void *arg)
{
        sw_autoptr(sw_history_story) story = NULL;
        struct sw_progress_batch b;
        sw_err *err = sw_history_story_open(p->history, id, &story);

        if (err)
                return err;
        while (sw_history_story_next(story, &b))
                fn(arg, &b);
        warn_of_damage(story, id);
        return SW_OK;
}
