/* lib/imageexport/imageexport_priv.h - what the files of lib/imageexport share. */
#ifndef SLIPWAY_LIB_IMAGEEXPORT_PRIV_H
#define SLIPWAY_LIB_IMAGEEXPORT_PRIV_H

#include "lib/imageexport/imageexport.h"

/* ---- annotations ---- */

enum note_type { NOTE_MANIFEST, NOTE_MANIFEST_DESC, NOTE_INDEX, NOTE_INDEX_DESC };

struct note {
        enum note_type type;
        char *platform; /* normalized; NULL: all */
        const char *key, *value;
};
typedef SW_ARRAY(struct note) notes;

/** note_parse - an attribute's key. @is: whether it is an annotation at all. *@out has a
 *  platform to be freed. Errors: SW_E_INVALID: "unrecognized annotation type X". */
SW_NODISCARD sw_err *note_parse(const struct sw_attr *a, bool *is, struct note *out);
/** notes_collect - of the request and all results, checked against what is made. */
SW_NODISCARD sw_err *notes_collect(const struct sw_export_request *req,
                                   const struct sw_imageexport *e,
                                   const struct sw_made *made, notes *out);
/** notes_apply - those of a type and platform (NULL: all of the type). */
void notes_apply(const notes *n, enum note_type type, const char *platform, sw_pairs *out);
void notes_release(notes *n);

/* ---- layers ---- */

struct layers_job {
        sw_ctx *ctx;
        const struct sw_imageexport *e;
        sw_worker *worker;
        sw_ref *ref;
        struct sw_made_image *image;
        int64_t epoch;         /* seconds; -1: none */
        const char *base_conf; /* of the image it was FROM; or NULL */
        struct sw_imageexport_task *task;
};
/** layer_describe - what a manifest says of a layer that was packed as asked for. */
void layer_describe(const struct sw_imageexport *e, const struct sw_packed *p,
                    struct sw_made_layer *l);
/** plain_make - the same for a directory that is in no store. */
SW_NODISCARD sw_err *plain_make(const struct layers_job *j);
/** layers_make - fill image->layers from image->chain. */
SW_NODISCARD sw_err *layers_make(const struct layers_job *j);

#endif
