/*
 * lib/image/config.c - image configurations, as far as they are needed here; chain ids.
 */
#include <string.h>

#include "lib/image/image_priv.h"

void
sw_image_config_release(sw_image_config *c)
{
        sw_platform_free(c->platform);
        sw_array_release(&c->diff_ids);
        free(c->created);
        *c = (sw_image_config){ .platform = NULL };
}

static sw_err *
parse_rootfs(const sw_json *o, sw_image_config *c)
{
        sw_json *rootfs = NULL, *list = NULL;
        const char *type = "layers";
        sw_err *err = sw_json_obj(o, "rootfs", &rootfs);

        if (err || !rootfs)
                return err;
        err = sw_json_str(rootfs, "type", &type);
        if (!err)
                err = sw_json_arr(rootfs, "diff_ids", &list);
        if (err)
                return err;
        if (*type && strcmp(type, "layers") != 0)
                return sw_err_new(SW_E_UNSUPPORTED, "rootfs of type %s; layers is known",
                                  image_shown(type).text);
        if (json_array_size(list) > SW_IMAGE_LAYERS_MAX)
                return sw_err_new(SW_E_LIMIT, "%zu layers; at most %d are taken",
                                  json_array_size(list), SW_IMAGE_LAYERS_MAX);
        for (size_t i = 0; i < json_array_size(list); i++) {
                const char *s = json_string_value(json_array_get(list, i));
                sw_digest d;

                if (!s)
                        return sw_err_new(SW_E_INVALID, "diff_ids[%zu] is not a string", i);
                err = image_digest_parse(s, &d);
                if (err)
                        return sw_err_wrap(err, "diff_ids[%zu]", i);
                sw_array_push(&c->diff_ids, d);
        }
        return SW_OK;
}

static sw_err *
count_history(const sw_json *o, sw_image_config *c)
{
        sw_json *list = NULL;
        sw_err *err = sw_json_arr(o, "history", &list);

        for (size_t i = 0; i < json_array_size(list) && !err; i++) {
                bool empty = false;

                err = sw_json_bool(json_array_get(list, i), "empty_layer", &empty);
                if (err)
                        return sw_err_wrap(err, "history[%zu]", i);
                c->n_history_layers += !empty;
        }
        return err;
}

static sw_err *
parse(const sw_json *o, sw_image_config *c)
{
        const char *created = NULL;
        sw_err *err;

        if (!json_is_object(o))
                return sw_err_new(SW_E_INVALID, "it is no JSON object");
        err = sw_json_str(o, "created", &created);
        if (!err)
                err = image_platform_parse(o, &c->platform);
        if (!err)
                err = parse_rootfs(o, c);
        if (!err)
                err = count_history(o, c);
        if (err)
                return err;
        if (!c->platform)
                c->platform = sw_platform_copy(&(sw_platform){ .os = NULL });
        c->created = sw_strdup(created);
        return SW_OK;
}

sw_err *
sw_image_config_parse(const void *p, size_t n, sw_image_config *out)
{
        sw_auto(sw_image_config) c = { .platform = NULL };
        sw_autoptr(sw_json) doc = NULL;
        sw_err *err;

        if (n > SW_IMAGE_CONFIG_MAX)
                return sw_err_new(
                        SW_E_LIMIT,
                        "an image configuration of %zu bytes; at most %d are taken", n,
                        SW_IMAGE_CONFIG_MAX);
        err = sw_json_parse("image configuration", p, n, &doc);
        if (!err)
                err = sw_err_wrap(parse(doc, &c), "image configuration");
        if (err)
                return err;
        *out = c;
        c = (sw_image_config){ .platform = NULL };
        return SW_OK;
}

sw_digest
sw_chain_id(const sw_digest *diff_ids, size_t n)
{
        char text[2 * SW_DIGEST_STR_SIZE];
        sw_digest chain = diff_ids[0];

        for (size_t i = 1; i < n; i++) {
                (void) sw_digest_str(&chain, text);
                text[SW_DIGEST_STR_LEN] = ' ';
                (void) sw_digest_str(&diff_ids[i], text + SW_DIGEST_STR_LEN + 1);
                chain = sw_digest_of(text, 2 * SW_DIGEST_STR_LEN + 1);
        }
        return chain;
}
