/*
 * tests/fake-plugins/fake.h - what the fake plugins share: a table that does nothing, and
 * an init and shutdown that leave a line in the log.
 */
#ifndef SLIPWAY_TESTS_FAKE_H
#define SLIPWAY_TESTS_FAKE_H

#include <slipway/exporter.h>

static SW_UNUSED sw_err *
fake_refs(void *self, sw_ctx *ctx, const struct sw_export_request *req,
          struct sw_export_result *out)
{
        (void) self;
        (void) ctx;
        (void) req;
        (void) out;
        return SW_OK;
}

static SW_UNUSED const struct sw_exporter_ops fake_ops = {
        .hdr = SW_OPS_SIZE(struct sw_exporter_ops),
        .export_refs = fake_refs,
};

/* What an init leaves for shutdown: the log to write to, and as whom. */
struct fake_self {
        sw_log *log;
        const char *id;
};

static SW_UNUSED sw_err *
fake_start(const struct sw_plugin_env *env, const char *id, void **self)
{
        struct fake_self *s = sw_new(struct fake_self);

        s->log = env->log;
        s->id = id;
        sw_log_line(s->log, SW_LOG_INFO, id, "init");
        *self = s;
        return SW_OK;
}

static SW_UNUSED void
fake_stop(void *self)
{
        struct fake_self *s = (struct fake_self *) self;

        sw_log_line(s->log, SW_LOG_INFO, s->id, "shutdown");
        free(s);
}

#endif
