/* plugins/exporter-image/names.c - what an image is called. */
#include <string.h>

#include "plugins/exporter-image/image.h"

sw_err *
image_names(struct image *im, const struct sw_export_request *req)
{
        char digest[SW_DIGEST_STR_SIZE];
        sw_err *err = SW_OK;

        sw_imageexport_names(&im->e, req, &im->names);
        im->n_told = im->names.n;
        for (size_t i = 0; i < im->n_told && !err; i++) {
                sw_auto(sw_image_name) n = { .host = NULL };

                err = sw_err_wrap(sw_image_name_parse(im->names.v[i], &n), "name");
        }
        if (!err && im->dangling && !(im->dangling_if_empty && im->n_told))
                sw_strlist_take(&im->names,
                                sw_asprintf("%s@%s", im->dangling,
                                            sw_digest_str(&im->made->root.digest, digest)));
        return err;
}

char *
image_full_name(const char *name)
{
        sw_auto(sw_image_name) n = { .host = NULL };
        sw_err *err = sw_image_name_parse(name, &n);

        if (err) {
                sw_err_drop(err, "a prefix of dangling names may be anything");
                return sw_strdup(name);
        }
        sw_image_name_default_tag(&n);
        return sw_image_name_str(&n);
}
