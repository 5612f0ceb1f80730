/*
 * cmd/slipway/verb_images_tag.c - `slipway images tag`: another name for an image.
 * Thread: main.
 */
#include "cmd/slipway/images.h"
#include "core/store/images.h"

static sw_err *
run_tag(const struct cli_call *call)
{
        sw_auto(store) s = STORE_INIT;
        sw_auto(sw_image_list) found = { 0 };
        sw_auto(sw_str) to = NULL;
        sw_err *err = images_full_name(cli_argument(call, 1), &to);

        if (!err)
                err = store_open(&s, call, false);
        if (!err)
                err = image_find(&s, cli_argument(call, 0), &found);
        return err ? err
                   : sw__image_retag(sw__root_worker(s.root), NULL, found.v[0].name, to);
}

static const struct cli_arg tag_args[] = {
        { .name = "NAME",
          .min = 1,
          .max = 1,
          .complete = CLI_IMAGES,
          .help = "an image; app is docker.io/library/app:latest" },
        { .name = "NEW", .min = 1, .max = 1, .help = "the name that it gets, too" },
        { .name = NULL },
};

CLI_VERB(images_tag) = {
        .name = "images tag",
        .summary = "give an image another name",
        .details = "Another image that has the new name loses it.\n",
        .args = tag_args,
        .run = run_tag,
};
