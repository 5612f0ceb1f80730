/*
 * cmd/slipway/verb_images.c - `slipway images`: what images are kept.
 * Thread: main.
 */
#include <unistd.h>

#include <slipway/text.h>

#include "cmd/slipway/images.h"
#include "cmd/slipway/program.h"
#include "cmd/slipway/table.h"
#include "cmd/slipway/term.h"

#define DIGEST_SHOWN 19 /* on a terminal: sha256: and twelve digits */

/* Members are those of image_json(). */
static const struct template_field fields[] = { { "Name", "name" },
                                                { "Digest", "digest" },
                                                { "Size", "size" },
                                                { "MediaType", "mediaType" },
                                                { "CreatedAt", "createdAt" },
                                                { "UpdatedAt", "updatedAt" },
                                                { NULL, NULL } };

static sw_json *
list_json(sw_worker *w, const sw_image_list *l)
{
        sw_json *list = json_array();

        for (size_t i = 0; i < l->n; i++)
                json_array_append_new(list, image_json(w, &l->v[i]));
        return list;
}

static sw_err *
print_format(sw_worker *w, const sw_image_list *l, const char *format)
{
        sw_autoptr(template) t = NULL;
        sw_autoptr(sw_json) list = NULL;
        sw_auto(sw_buf) out = SW_BUF_INIT;
        sw_err *err = template_parse(format, fields, &t);

        if (err)
                return err;
        list = list_json(w, l);
        err = template_run(t, list, &out);
        sw_buf_addc(&out, '\n');
        return err ? err : out_text(&out);
}

static sw_err *
print_names(const sw_image_list *l)
{
        sw_auto(sw_buf) out = SW_BUF_INIT;

        for (size_t i = 0; i < l->n; i++) {
                term_add_text(&out, l->v[i].name);
                sw_buf_addc(&out, '\n');
        }
        return out_text(&out);
}

/* For people the beginning of a digest is enough; programs get all of it. */
static sw_err *
print_table(sw_worker *w, const sw_image_list *l)
{
        const int shown = isatty(STDOUT_FILENO) ? DIGEST_SHOWN : SW_DIGEST_STR_SIZE;
        static const char *const heads[] = { "NAME", "DIGEST", "SIZE", "CREATED", NULL };
        sw_auto(table) t = TABLE_INIT(heads);
        sw_auto(sw_buf) out = SW_BUF_INIT;

        for (size_t i = 0; i < l->n; i++) {
                char digest[SW_DIGEST_STR_SIZE], size[32], time[SW_TIME_STR_SIZE];

                image_time(l->v[i].created, time);
                table_add(&t, l->v[i].name);
                (void) sw_digest_str(&l->v[i].digest, digest);
                sw_auto(sw_str) part = sw_strndup(digest, (size_t) shown);
                table_add(&t, part);
                table_add(&t, sw_size_str(image_size(w, &l->v[i]), size));
                table_add(&t, time);
        }
        table_print(&t, &out, term_width(STDOUT_FILENO), term_colour(STDOUT_FILENO));
        return out_text(&out);
}

static sw_err *
run_images(const struct cli_call *call)
{
        sw_auto(store) s = STORE_INIT;
        sw_auto(sw_image_list) l = { 0 };
        const char *format = cli_str(call, "format");
        sw_err *err = store_open(&s, call, true);
        sw_worker *w = s.root ? sw__root_worker(s.root) : NULL;

        if (!err && w)
                err = sw_images_list(w, NULL, &l);
        if (err)
                return err;
        if (cli_bool(call, "quiet"))
                return print_names(&l);
        if (cli_bool(call, "json"))
                return out_json(list_json(w, &l));
        return format && *format ? print_format(w, &l, format) : print_table(w, &l);
}

static const struct cli_flag images_flags[] = {
        { .name = "quiet", .letter = 'q', .type = CLI_BOOL, .help = "print names alone" },
        { .name = "json", .type = CLI_BOOL, .help = "print a JSON list" },
        { .name = "format",
          .type = CLI_STRING,
          .value = "TEMPLATE",
          .help = "print the list through a template; json is one" },
        { .name = NULL },
};

CLI_VERB(images) = {
        .name = "images",
        .summary = "show the images that are kept",
        .details =
                "Lists the images in the store: what builds with an output of type image "
                "made. A later build that begins with one of these names finds it without "
                "a registry. What an image needs is not pruned as long as it is there.\n"
                "\n"
                "The size is that of all blobs that the manifest points at, as a registry "
                "would keep them, whether or not they are here; slipway du tells what "
                "takes up space. On a terminal digests are cut short; elsewhere they are "
                "whole.\n"
                "\n"
                "Templates are those of slipway du, with the fields Name, Digest, Size, "
                "MediaType, CreatedAt and UpdatedAt.\n",
        .flags = images_flags,
        .run = run_images,
};
