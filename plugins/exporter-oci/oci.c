/* plugins/exporter-oci/oci.c - one export, whatever it is written to. */
#include "plugins/exporter-oci/oci.h"

#include <slipway/text.h>
#include <slipway/time.h>

/* Names in full: archives are read by programs that take no others. */
static sw_err *
take_names(struct oci_job *j)
{
        const struct oci *o = j->req->resolved;
        sw_auto(sw_strlist) told = { 0 };
        sw_err *err = SW_OK;

        sw_imageexport_names(&o->e, j->req, &told);
        for (size_t i = 0; i < told.n && !err; i++) {
                sw_auto(sw_image_name) n = { .host = NULL };

                err = sw_err_wrap(sw_image_name_parse(told.v[i], &n), "name");
                if (err)
                        return err;
                sw_image_name_default_tag(&n);
                sw_strlist_take(&j->names, sw_image_name_str(&n));
        }
        return err;
}

/* When the image was made, as far as its index says so: whole seconds. */
static void
note_created(struct oci_job *j)
{
        static const char key[] = "org.opencontainers.image.created";
        int64_t seconds =
                j->made->epoch >= 0 ? j->made->epoch : sw_time_now() / SW_NS_PER_SEC;
        char text[SW_TIME_STR_SIZE];

        if (!sw_pairs_get(&j->made->root.annotations, key))
                sw_pairs_set(&j->made->root.annotations, key,
                             sw_time_str(seconds * SW_NS_PER_SEC, text));
}

static sw_err *
run(struct oci_job *j, struct sw_export_result *out)
{
        const struct oci *o = j->req->resolved;
        sw_err *err = take_names(j);

        if (!err && j->docker && j->req->multiple)
                err = sw_err_new(SW_E_UNSUPPORTED,
                                 "docker exporter does not currently support exporting "
                                 "manifest lists; type=oci does");
        if (!err)
                err = sw_imageexport_make(j->ctx, &o->e, j->req, &j->made);
        if (err)
                return err;
        note_created(j);
        err = sw_made_fetch(j->made, j->ctx);
        if (!err)
                err = o->dir ? oci_directory(j) : oci_archive(j);
        if (err)
                return err;
        sw_auto(sw_str) names = sw_strlist_join(&j->names, ",");
        sw_imageexport_answer(j->made, names, out);
        return SW_OK;
}

sw_err *
oci_export(sw_ctx *ctx, const struct sw_export_request *req, struct sw_export_result *out)
{
        struct oci_job j = { .ctx = ctx,
                             .req = req,
                             .docker = sw_str_eq(req->name, "docker") };
        sw_err *err = run(&j, out);

        sw_strlist_release(&j.names);
        if (j.made)
                sw_made_free(j.made);
        return err;
}
