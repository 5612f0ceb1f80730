/*
 * tests/unit/core/plugin/exporter_test.c - the wrappers the core calls exporters through.
 */
#include <slipway/exporter.h>
#include <slipway/host.h>

#include "tests/unit/unit.h"

static int released;

static sw_err *
resolve(void *self, sw_ctx *ctx, const struct sw_attr *attrs, size_t n, void **resolved)
{
        (void) ctx;
        if (sw_attr_get(attrs, n, "bad"))
                return sw_err_new(SW_E_INVALID, "attribute bad");
        *resolved = self;
        return SW_OK;
}

static void
release(void *self, void *resolved)
{
        ck_assert_ptr_eq(self, resolved);
        released++;
}

static sw_err *
export_refs(void *self, sw_ctx *ctx, const struct sw_export_request *req,
            struct sw_export_result *out)
{
        (void) self;
        (void) ctx;
        sw_export_answer(out, "key", "value");
        sw_export_answer(out, "key", "other");
        return req->n_refs ? SW_OK : sw_err_new(SW_E_IO, "nothing to export");
}

static const struct sw_exporter_ops full = {
        .hdr = SW_OPS_SIZE(struct sw_exporter_ops),
        .resolve = resolve,
        .release_resolved = release,
        .export_refs = export_refs,
};
/* As compiled before finalize was added; what follows in memory must not be called. */
static const struct sw_exporter_ops old = {
        .hdr = { .size = offsetof(struct sw_exporter_ops, finalize) },
        .export_refs = export_refs,
        .finalize = export_refs,
};

/* Would catch: errors that do not say whose they are. */
START_TEST(errors_name_the_exporter)
{
        int self;
        const struct sw_exporter e = { &full, &self, "fake" };
        const struct sw_attr attrs[] = { { "good", "1" }, { "bad", "2" } };
        struct sw_export_request req = { .size = sizeof(req) };
        struct sw_export_result out = { .size = sizeof(out), .response = sw_map_new(free) };
        void *resolved = &req;
        sw_err *err = sw_exporter_resolve(&e, NULL, attrs, 2, &resolved);

        ck_assert_int_eq(sw_err_code(err), SW_E_INVALID);
        ck_assert_str_eq(sw_err_plugin(err), "exporter/fake");
        ck_assert_ptr_eq(resolved, &req); /* set on success only */
        sw_err_free(err);
        err = sw_exporter_export(&e, NULL, &req, &out);
        ck_assert_int_eq(sw_err_code(err), SW_E_IO);
        ck_assert_str_eq(sw_err_plugin(err), "exporter/fake");
        sw_err_free(err);
        ck_assert_str_eq(sw_map_get(out.response, "key"), "other");
        sw_map_free(out.response);
}
END_TEST

/* Would catch: a call of what the plugin does not have. */
START_TEST(absent_operations_are_not_called)
{
        const struct sw_exporter e = { &old, NULL, "old" };
        struct sw_export_request req = { .size = sizeof(req) };
        struct sw_export_result out = { .size = sizeof(out) };
        void *resolved = &req;

        ok(sw_exporter_resolve(&e, NULL, NULL, 0, &resolved));
        ck_assert_ptr_null(resolved);
        sw_exporter_release(&e, &req);
        ok(sw_exporter_finalize(&e, NULL, &req, &out));
}
END_TEST

static const char *
title_of(void *self, const void *resolved)
{
        (void) self;
        return resolved ? "pushing" : NULL;
}

/* Would catch: a step shown, or a call made, when an exporter says that nothing is left to
 * do. */
START_TEST(finalizing_has_a_name_or_is_left_out)
{
        int self;
        struct sw_exporter_ops ops = full;
        const struct sw_exporter e = { &ops, &self, "fake" };
        struct sw_export_request req = { .size = sizeof(req), .n_refs = 1 };
        struct sw_export_result out = { .size = sizeof(out), .response = sw_map_new(free) };

        ops.finalize = export_refs;
        ops.finalize_title = title_of;
        ck_assert_ptr_null(sw_exporter_finalize_title(&e, NULL, "fake"));
        ok(sw_exporter_finalize(&e, NULL, &req, &out));
        ck_assert_ptr_null(sw_map_get(out.response, "key"));
        req.resolved = &self;
        sw_auto(sw_str) named = sw_exporter_finalize_title(&e, &self, "fake");
        ck_assert_str_eq(named, "pushing");
        ok(sw_exporter_finalize(&e, NULL, &req, &out));
        ck_assert_str_eq(sw_map_get(out.response, "key"), "other");
        ops.finalize_title = NULL;
        sw_auto(sw_str) plain = sw_exporter_finalize_title(&e, NULL, "fake");
        ck_assert_str_eq(plain, "fake: finishing");
        sw_map_free(out.response);
}
END_TEST

START_TEST(resolved_is_released)
{
        int self;
        const struct sw_exporter e = { &full, &self, "fake" };
        void *resolved = NULL;

        ok(sw_exporter_resolve(&e, NULL, NULL, 0, &resolved));
        ck_assert_ptr_eq(resolved, &self);
        sw_exporter_release(&e, resolved);
        sw_exporter_release(&e, NULL);
        ck_assert_int_eq(released, 1);
}
END_TEST

/* Would catch: an export that starts although the build was cancelled. */
START_TEST(cancelled_builds_export_nothing)
{
        int self;
        const struct sw_exporter e = { &full, &self, "fake" };
        struct sw_export_request req = { .size = sizeof(req), .n_refs = 1 };
        struct sw_export_result out = { .size = sizeof(out), .response = sw_map_new(free) };
        sw_cancel *c = sw_cancel_new(NULL);
        sw_ctx *ctx = sw_ctx_new(c, NULL, NULL, NULL, NULL);

        ok(sw_exporter_export(&e, ctx, &req, &out));
        sw_map_remove(out.response, "key");
        sw_cancel_now(c, "no longer wanted");
        fails(sw_exporter_export(&e, ctx, &req, &out), SW_E_CANCELLED, "no longer wanted");
        fails(sw_exporter_finalize(&e, ctx, &req, &out), SW_E_CANCELLED, "");
        ck_assert_uint_eq(sw_map_count(out.response), 0);
        sw_ctx_free(ctx);
        sw_cancel_unref(c);
        sw_map_free(out.response);
}
END_TEST

UNIT_MAIN("exporter", errors_name_the_exporter, absent_operations_are_not_called,
          finalizing_has_a_name_or_is_left_out, resolved_is_released,
          cancelled_builds_export_nothing)
