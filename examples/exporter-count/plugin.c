/*
 * plugin.c - exporter "count": tells how many files a result has, and how large they are.
 *
 * The descriptor, and the way from slipway's table to the work in count.c. Nothing here
 * keeps state, so any number of builds may export at once.
 */
#define SW_PLUGIN_VERSION "1.0.0" /* before slipway's headers */

#include <stdio.h>
#include <string.h>

#include <slipway/exporter.h>
#include <slipway/text.h>

#include "count.h"

/* What resolve() found in the attributes of one export. */
struct request {
        bool json;
};

static sw_err *
count_resolve(void *self, sw_ctx *ctx, const struct sw_attr *attrs, size_t n,
              void **resolved)
{
        struct request *r = sw_new(struct request);

        (void) self;
        (void) ctx;
        for (size_t i = 0; i < n; i++) {
                if (!strcmp(attrs[i].key, "dest"))
                        continue; /* where the client puts the file is its own business */
                if (strcmp(attrs[i].key, "format") != 0) {
                        free(r);
                        return sw_err_new(SW_E_INVALID,
                                          "attribute \"%s\" is unknown; there is: format",
                                          attrs[i].key);
                }
                r->json = !strcmp(attrs[i].value, "json");
                if (!r->json && strcmp(attrs[i].value, "text") != 0) {
                        free(r);
                        return sw_err_new(SW_E_INVALID,
                                          "attribute format=%s: must be text or json",
                                          attrs[i].value);
                }
        }
        *resolved = r;
        return SW_OK;
}

static void
count_release(void *self, void *resolved)
{
        (void) self;
        free(resolved);
}

static void
report(sw_buf *b, const struct request *r, const char *platform, const struct count *n)
{
        const char *form =
                r->json ? "{\"platform\":\"%s\",\"files\":%lld,\"directories\":%lld,"
                          "\"others\":%lld,\"bytes\":%lld}\n"
                        : "%s\t%lld files\t%lld directories\t%lld others\t%lld bytes\n";

        sw_buf_addf(b, form, platform, n->files, n->directories, n->others, n->bytes);
}

/* Write all of @b to the client's file. */
static sw_err *
deliver(sw_ctx *ctx, const struct sw_export_target *target, const sw_buf *b)
{
        sw_auto(sw_fd) fd = -1;
        sw_err *err = target->open_file(target->arg, ctx, &fd);

        if (err)
                return err;
        for (size_t done = 0; done < b->len;) {
                ssize_t n = write(fd, b->data + done, b->len - done);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return sw_err_sys(SW_E_IO, errno, "write the counts");
                done += (size_t) n;
        }
        if (close(sw_fd_steal(&fd)) < 0)
                return sw_err_sys(SW_E_IO, errno, "write the counts");
        return target->commit(target->arg, ctx);
}

static sw_err *
count_refs(void *self, sw_ctx *ctx, const struct sw_export_request *req,
           struct sw_export_result *out)
{
        sw_auto(sw_buf) text = SW_BUF_INIT;
        long long files = 0;
        char number[32];

        (void) self;
        for (size_t i = 0; i < req->n_refs; i++) {
                struct count n = { 0 };
                sw_err *err = count_tree(ctx, req->refs[i].ref, &n);

                if (err)
                        return sw_err_wrap(err, "count the files of %s",
                                           req->refs[i].ref ? sw_ref_id(req->refs[i].ref)
                                                            : "an empty result");
                report(&text, req->resolved, req->refs[i].platform, &n);
                files += n.files;
        }
        snprintf(number, sizeof(number), "%lld", files);
        sw_export_answer(out, "count.files", number);
        if (req->target)
                return deliver(ctx, req->target, &text);
        sw_progress_note(ctx, "%s", text.data);
        return sw_ctx_check(ctx);
}

static const struct sw_exporter_ops ops = {
        .hdr = SW_OPS_SIZE(struct sw_exporter_ops),
        .resolve = count_resolve,
        .release_resolved = count_release,
        .export_refs = count_refs,
};

SW_PLUGIN(exporter_count) = {
        SW_PLUGIN_V1(SW_KIND_EXPORTER, "count"),
        .summary = "count the files of a result; an example",
        .ops = &ops.hdr,
};
