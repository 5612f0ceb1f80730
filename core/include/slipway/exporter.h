/*
 * slipway/exporter.h - the exporter kind: finished results become an artefact.
 *
 * One export goes: resolve (attributes are checked, before the build runs) ->
 * export_refs -> finalize (after all exporters of the build committed: pushes).
 */
#ifndef SLIPWAY_EXPORTER_H
#define SLIPWAY_EXPORTER_H

#include <slipway/map.h>
#include <slipway/plugin.h>
#include <slipway/ref.h>
#include <slipway/worker.h>

SW_BEGIN_DECLS

/* "k=v" pairs in the order given; keys are unique. */
struct sw_attr {
        const char *key, *value;
};

/* One result: the tree for one platform, and what the frontend said about it. */
struct sw_export_ref {
        const char *platform;       /* "linux/arm64/v8"; "" when the build has just one */
        sw_ref *ref;                /* NULL: an empty result (scratch) */
        const struct sw_attr *meta; /* "containerimage.config" and so on */
        size_t n_meta;
};

/* Where an exporter writes when it writes to the client. Grows at the end only. */
struct sw_export_target {
        uint32_t size;
        /* open_file - a file or pipe on the client's side; *fd is handed back and closed
         * by the exporter; the file appears under its name only after commit(). */
        sw_err *(*open_file)(void *arg, sw_ctx *ctx, int *fd);
        /* open_dir - a directory on the client's side, made if missing; *dirfd is handed
         * back. */
        sw_err *(*open_dir)(void *arg, sw_ctx *ctx, int *dirfd);
        /* commit - everything was written and synced; without it, nothing stays. */
        sw_err *(*commit)(void *arg, sw_ctx *ctx);
        void *arg;
};

struct sw_export_request {
        uint32_t size;
        const struct sw_export_ref *refs; /* at least one */
        size_t n_refs;
        const struct sw_attr *attrs; /* of the request, "type" left out */
        size_t n_attrs;
        int64_t source_date_epoch;             /* seconds; -1: not set */
        const struct sw_export_target *target; /* NULL: there is no client side */
        void *resolved;                        /* what resolve() made; NULL without it */
        /* The name the exporter was asked by: its own, or one it provides. */
        const char *name;
        sw_worker *worker; /* that the refs are of; NULL: they are plain directories */
        bool multiple;     /* the result is a map of platforms, also when it has one */
};

/* Filled by the exporter through sw_export_answer(); shown as the exporter response. */
struct sw_export_result {
        uint32_t size;
        sw_map *response; /* string -> malloc'd string; owned by the core */
};

/** sw_export_answer - put "key: value" into the response; both are copied. */
SW_API void sw_export_answer(struct sw_export_result *out, const char *key,
                             const char *value);
/** sw_attr_get - value of the attribute or NULL. */
SW_API const char *sw_attr_get(const struct sw_attr *a, size_t n, const char *key);

struct sw_exporter_ops {
        struct sw_ops_hdr hdr;

        /**
         * resolve - check the attributes of a request before anything is built.
         * @self:  from init(); NULL if the plugin has none.
         * @ctx:   borrowed.
         * @attrs: borrowed until return.
         * @resolved: handed to export_refs and finalize, released by release_resolved.
         * May be absent: any attributes are taken, resolved stays NULL.
         * Thread: any worker, several jobs at once.   Blocks: no.
         * Errors: SW_E_INVALID naming the attribute, SW_E_UNSUPPORTED.   Since: 0.1
         */
        sw_err *(*resolve)(void *self, sw_ctx *ctx, const struct sw_attr *attrs,
                           size_t n_attrs, void **resolved);
        /** release_resolved - @resolved: given. May be absent. */
        void (*release_resolved)(void *self, void *resolved);

        /**
         * export_refs - turn finished results into an artefact. Required.
         * @req:  borrowed until return.
         * @out:  made by the core; strings are copied into it.
         * Thread: any worker, several jobs at once.
         * Blocks: yes; returns within SW_CANCEL_GRACE_MS of cancellation.
         * Errors: SW_E_CANCELLED, SW_E_IO, SW_E_UNSUPPORTED. Nothing is left behind on
         * error.   Since: 0.1
         */
        sw_err *(*export_refs)(void *self, sw_ctx *ctx, const struct sw_export_request *req,
                               struct sw_export_result *out);

        /**
         * finalize - the step after every exporter of the build is done (push). May be
         * absent. Same rules as export_refs.   Since: 0.1
         */
        sw_err *(*finalize)(void *self, sw_ctx *ctx, const struct sw_export_request *req,
                            struct sw_export_result *out);

        /** title - what progress calls an export by the name @name, its own or one it
         *  provides: "exporting to client directory". Static. May be absent: "exporting to
         *  NAME".   Since: 0.1 */
        const char *(*title)(void *self, const char *name);

        /** finalize_title - what progress calls finalize(): "pushing"; NULL: there is
         *  nothing to be done this time, and it is not called. @resolved: as in a request.
         *  Static. May be absent: "NAME: finishing".   Since: 0.1 */
        const char *(*finalize_title)(void *self, const void *resolved);
};

SW_END_DECLS
#endif
