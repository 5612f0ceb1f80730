/*
 * slipway/frontend.h - the frontend kind: options in, results out.
 *
 * A frontend turns its input (a Dockerfile) into definitions and asks the bridge to solve
 * them; it may look at results and go on from there. Where it finds its input is its own
 * matter: the definition of a local source, solved and read, is how a Dockerfile is loaded.
 */
#ifndef SLIPWAY_FRONTEND_H
#define SLIPWAY_FRONTEND_H

#include <slipway/exporter.h>
#include <slipway/platform.h>
#include <slipway/plugin.h>
#include <slipway/session.h>
#include <slipway/source.h>

SW_BEGIN_DECLS

/* A tree that the client gives by name, as a definition (protobuf pb.Definition). */
struct sw_frontend_input {
        const char *name;
        const void *definition;
        size_t len;
};

/* What is to be looked up of a source, without making its tree. Grows at the end only. */
struct sw_bridge_source {
        uint32_t size;
        const char *identifier;      /* "docker-image://docker.io/library/alpine:latest" */
        const struct sw_attr *attrs; /* as in a source op: "image.resolvemode", … */
        size_t n_attrs;
        const sw_platform *platform; /* NULL: the first one of the bridge */
        const char *title;           /* what progress calls it; NULL: it is not shown */
        bool config;                 /* an image's configuration is wanted, too */
};

/* Something that people should know, and a place in a text. Grows at the end only. */
struct sw_bridge_warning {
        uint32_t size;
        const char *vertex; /* digest of the vertex it belongs to; NULL: the text's */
        int level;
        const char *text;                   /* one line */
        const char *const *detail;          /* lines, NULL-ended; or NULL */
        const char *url;                    /* or NULL */
        const struct sw_err_source *source; /* or NULL */
};

/* What the core does for a frontend. Grows at the end only. Calls may be made by several
 * threads at once; they block, and return within SW_CANCEL_GRACE_MS of cancellation
 * (SW_E_CANCELLED). What is passed is borrowed until return. */
struct sw_bridge {
        uint32_t size;
        void *arg;
        /* solve - a marshalled definition to a ref (handed back; NULL: the empty tree). An
         * empty definition is the empty tree. Errors: as sw_build_wait(). */
        sw_err *(*solve)(void *arg, sw_ctx *ctx, const void *def, size_t len, sw_ref **out);
        /* read_file - the regular file @path of @ref; symlinks are followed inside it.
         * Appended to @out. Errors: SW_E_NOT_FOUND, SW_E_INVALID (no regular file),
         * SW_E_LIMIT (more than @max bytes), SW_E_IO. */
        sw_err *(*read_file)(void *arg, sw_ctx *ctx, sw_ref *ref, const char *path,
                             size_t max, sw_buf *out);
        /* resolve - @out: zeroed by the caller but for size; strings are handed back.
         * Errors: SW_E_NOT_FOUND, SW_E_REMOTE, SW_E_DENIED, SW_E_UNSUPPORTED. */
        sw_err *(*resolve)(void *arg, sw_ctx *ctx, const struct sw_bridge_source *req,
                           struct sw_source_meta *out);
        /* warn - everything is copied. Does not block. */
        void (*warn)(void *arg, const struct sw_bridge_warning *w);

        const sw_platform *const *platforms; /* that can be built for, best first;
                                                NULL-ended, at least one */
        const struct sw_frontend_input *inputs;
        size_t n_inputs;
        sw_session *session; /* or NULL */
        /* read_start - as read_file, but at most the first @n bytes; that there is more of
         * it is no error. */
        sw_err *(*read_start)(void *arg, sw_ctx *ctx, sw_ref *ref, const char *path,
                              size_t n, sw_buf *out);
        /* newest - when the regular file of @ref that was changed last was changed, in
         * seconds since the epoch; *found false: it has no regular file. Errors: SW_E_IO,
         * SW_E_CANCELLED.   Since: 0.1 */
        sw_err *(*newest)(void *arg, sw_ctx *ctx, sw_ref *ref, bool *found, int64_t *time);
};

/* What came of it. Everything is given, from malloc; strings of the attrs, too. */
struct sw_frontend_result {
        uint32_t size;
        struct sw_export_ref *refs; /* one per platform; none for a question that was only
                                       answered in @meta */
        size_t n_refs;
        bool multiple;        /* the result is a map of platforms, also when it has one */
        struct sw_attr *meta; /* of the whole: "result.json", "refs.platforms" */
        size_t n_meta;
};

struct sw_frontend_ops {
        struct sw_ops_hdr hdr;
        /**
         * build - Required.
         * @opts:   frontend options ("filename", "target", "build-arg:X"); borrowed.
         * @bridge: borrowed until return.
         * @out:    zeroed by the core but for size; handed back, on success only.
         * Thread: any worker, several jobs at once.   Blocks: yes.
         * Errors: SW_E_INVALID with its place (sw_err_set_source()), whatever the bridge
         * returned.   Since: 0.1
         */
        sw_err *(*build)(void *self, sw_ctx *ctx, const struct sw_attr *opts, size_t n_opts,
                         const struct sw_bridge *bridge, struct sw_frontend_result *out);
};

SW_END_DECLS
#endif
