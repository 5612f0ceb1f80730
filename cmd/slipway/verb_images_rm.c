/*
 * cmd/slipway/verb_images_rm.c - `slipway images rm`: forget names of images.
 * Thread: main.
 */
#include "cmd/slipway/images.h"
#include "cmd/slipway/program.h"
#include "cmd/slipway/term.h"

static sw_err *
remove_one(store *s, const char *asked)
{
        sw_auto(sw_image_list) found = { 0 };
        sw_auto(sw_buf) out = SW_BUF_INIT;
        sw_err *err = image_find(s, asked, &found);

        if (!err)
                err = sw_images_remove(sw__root_worker(s->root), NULL, found.v[0].name);
        if (err)
                return err;
        term_add_text(&out, found.v[0].name);
        sw_buf_addc(&out, '\n');
        return out_text(&out);
}

/* The others are removed also when one is not there. */
static sw_err *
run_rm(const struct cli_call *call)
{
        sw_auto(store) s = STORE_INIT;
        sw_err *first = store_open(&s, call, false);

        if (first)
                return first;
        for (size_t i = 0; i < call->args.n; i++) {
                sw_err *err = remove_one(&s, cli_argument(call, i));

                if (first)
                        sw_err_drop(err, "the first one is told");
                else
                        first = err;
        }
        return first;
}

static const struct cli_arg rm_args[] = {
        { .name = "NAME",
          .min = 1,
          .max = CLI_MANY,
          .complete = CLI_IMAGES,
          .help = "an image; app is docker.io/library/app:latest" },
        { .name = NULL },
};

CLI_VERB(images_rm) = {
        .name = "images rm",
        .summary = "forget images by their names",
        .details = "Prints each name that was removed. What an image kept can be pruned "
                   "after that, if nothing else needs it.\n",
        .args = rm_args,
        .run = run_rm,
};
