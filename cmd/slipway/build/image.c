/* cmd/slipway/build/image.c - see image.h. */
#include "cmd/slipway/build/image.h"

#include <string.h>

#include <slipway/imagename.h>
#include <slipway/text.h>

static bool
is_image(const struct output *o)
{
        return sw_str_eq(o->type, "image") || sw_str_eq(o->type, "oci") ||
               sw_str_eq(o->type, "docker");
}

static sw_err *
check_tags(const sw_strlist *tags)
{
        for (size_t i = 0; i < tags->n; i++) {
                sw_auto(sw_image_name) n = { .host = NULL };
                sw_err *err = sw_image_name_parse(tags->v[i], &n);

                if (!err && n.has_digest)
                        err = sw_err_new(SW_E_INVALID,
                                         "an image that is made has a digest of its own");
                if (err) {
                        sw_err *wrong = sw_err_new(SW_E_USAGE, "--tag %s: %s", tags->v[i],
                                                   sw_err_message(err));
                        sw_err_drop(err, "told as a wrong command line");
                        return wrong;
                }
        }
        return SW_OK;
}

static bool
is_one_of(const char *name, const sw_strlist *names)
{
        for (size_t i = 0; i < names->n; i++)
                if (sw_str_eq(names->v[i], name))
                        return true;
        return false;
}

/* Names of -t beside those that --output has; each once. */
static void
add_tags(struct output *o, const sw_strlist *tags)
{
        const char *old = sw_attr_get(o->attrs.v, o->attrs.n, "name");
        sw_auto(sw_strlist) names = { 0 };
        sw_auto(sw_str) all = NULL;

        if (tags->n == 0 || sw_str_eq(old, "*"))
                return;
        if (old && *old)
                sw_strlist_split(&names, old, ',');
        for (size_t i = 0; i < tags->n; i++)
                if (!is_one_of(tags->v[i], &names))
                        sw_strlist_add(&names, tags->v[i]);
        all = sw_strlist_join(&names, ",");
        output_set(o, "name", all);
}

/* Names for nothing: who gave them would look for the image in vain. */
static sw_err *
check_named(const image *im, const sw_strlist *tags)
{
        bool any = tags->n == 0;

        for (size_t i = 0; i < im->outputs.all.n; i++)
                any = any || is_image(im->outputs.all.v[i]) ||
                      sw_str_eq(im->outputs.all.v[i]->type, "cacheonly");
        if (any)
                return SW_OK;
        return sw_err_new(
                SW_E_USAGE,
                "--tag %s: no --output makes an image: leave the name out, or add "
                "-o type=image",
                tags->v[0]);
}

static sw_err *
add_annotations(image *im, const struct cli_call *call)
{
        sw_auto(sw_strlist) given = { 0 };
        bool any = false;

        cli_list(call, "annotation", &given);
        for (size_t i = 0; i < given.n; i++) {
                const char *text = given.v[i], *eq = strchr(text, '='), *colon;

                colon = eq ? memchr(text, ':', (size_t) (eq - text)) : NULL;
                if (!eq || eq == text || colon == text || (colon && colon + 1 == eq))
                        return sw_err_new(
                                SW_E_USAGE,
                                "--annotation %s: give KEY=VALUE, or TYPE:KEY=VALUE "
                                "where TYPE is manifest, index or "
                                "manifest-descriptor",
                                text);
                sw_auto(sw_str) key =
                        colon ? sw_asprintf("annotation-%.*s.%.*s", (int) (colon - text),
                                            text, (int) (eq - colon - 1), colon + 1)
                              : sw_asprintf("annotation.%.*s", (int) (eq - text), text);
                for (size_t k = 0; k < im->outputs.all.n; k++)
                        if (is_image(im->outputs.all.v[k])) {
                                output_set(im->outputs.all.v[k], key, eq + 1);
                                any = true;
                        }
        }
        if (given.n && !any)
                return sw_err_new(SW_E_USAGE,
                                  "--annotation is for images, and none is made: "
                                  "name one with -t, or say -o type=oci");
        return SW_OK;
}

static sw_err *
add_push(image *im, const sw_strlist *tags)
{
        bool any = false;
        sw_err *err = SW_OK;

        for (size_t i = 0; i < im->outputs.all.n; i++) {
                struct output *o = im->outputs.all.v[i];

                if (!sw_str_eq(o->type, "image"))
                        continue;
                any = true;
                output_set(o, "push", "true");
        }
        if (any)
                return SW_OK;
        if (tags->n == 0)
                return sw_err_new(SW_E_USAGE, "--push needs a name to push to: -t NAME");
        err = outputs_add(&im->outputs, "type=image");
        if (!err)
                output_set(im->outputs.all.v[im->outputs.all.n - 1], "push", "true");
        return err;
}

static sw_err *
add_loads(image *im, const struct cli_call *call, const sw_strlist *tags, sw_cancel *cancel)
{
        const char *into = cli_str(call, "load-into");
        sw_err *err = SW_OK;

        if (tags->n == 0)
                return sw_err_new(SW_E_USAGE, "--load needs a name for the image: -t NAME");
        for (size_t i = 0; i < tags->n && !err; i++) {
                load *l = NULL;

                err = load_open(tags->v[i], into, cancel, &l);
                if (!err)
                        sw_array_push(&im->loads, l);
        }
        return err;
}

static bool
id_wanted(const struct cli_call *call)
{
        return cli_bool(call, "quiet") || cli_str(call, "iidfile");
}

sw_err *
image_take(image *im, const struct cli_call *call, sw_cancel *cancel)
{
        sw_auto(sw_strlist) specs = { 0 };
        sw_auto(sw_strlist) tags = { 0 };
        bool loads = cli_bool(call, "load"), push = cli_bool(call, "push");
        sw_err *err;

        cli_list(call, "tag", &tags);
        cli_list(call, "output", &specs);
        err = check_tags(&tags);
        for (size_t i = 0; i < specs.n && !err; i++)
                err = outputs_add(&im->outputs, specs.v[i]);
        if (!err && push)
                err = add_push(im, &tags);
        if (!err && specs.n == 0 && !push && !loads && (tags.n || id_wanted(call)))
                err = outputs_add(&im->outputs, "type=image");
        for (size_t i = 0; i < im->outputs.all.n && !err; i++)
                if (is_image(im->outputs.all.v[i]))
                        add_tags(im->outputs.all.v[i], &tags);
        if (!err && !loads)
                err = check_named(im, &tags);
        if (!err)
                err = add_annotations(im, call);
        if (!err && loads)
                err = add_loads(im, call, &tags, cancel);
        if (err)
                return err;
        outputs_ready(&im->outputs);
        for (size_t i = 0; i < im->loads.n; i++)
                sw_array_push(&im->outputs.asked, load_output(im->loads.v[i]));
        return SW_OK;
}

sw_err *
image_why(image *im, sw_err *err)
{
        for (size_t i = 0; i < im->loads.n; i++)
                err = load_why(im->loads.v[i], err);
        return err;
}

const char *
image_id(const image *im, const sw_build *b)
{
        static const char *const keys[] = { "containerimage.config.digest",
                                            "containerimage.digest" };

        for (size_t k = 0; k < SW_COUNT(keys); k++)
                for (size_t i = 0; i < im->outputs.asked.n; i++) {
                        const sw_map *response = sw_build_response(b, i);
                        const char *id = response ? sw_map_get(response, keys[k]) : NULL;

                        if (id)
                                return id;
                }
        return NULL;
}

void
image_release(image *im)
{
        outputs_release(&im->outputs);
        for (size_t i = 0; i < im->loads.n; i++)
                load_free(im->loads.v[i]);
        sw_array_release(&im->loads);
}
