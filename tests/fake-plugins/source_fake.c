/*
 * tests/fake-plugins/source_fake.c - fake://NAME is looked up, and told how often it was:
 * "fake://missing" is not there, "fake://slow" takes until it is cancelled.
 */
#include <string.h>

#include <slipway/source.h>

static int asked;

static sw_err *
fake_open(void *self, sw_ctx *ctx, const struct sw_source_request *req, void **inst)
{
        (void) self;
        (void) ctx;
        *inst = sw_strdup(req->identifier + strlen("fake://"));
        return SW_OK;
}

static sw_err *
fake_cache_key(void *self, void *inst, sw_ctx *ctx, sw_session *session, unsigned index,
               struct sw_source_key *out)
{
        (void) self;
        (void) ctx;
        (void) session;
        (void) index;
        out->key = sw_strdup(inst);
        return SW_OK;
}

static sw_err *
fake_snapshot(void *self, void *inst, sw_ctx *ctx, sw_session *session, sw_ref **out)
{
        (void) self;
        (void) ctx;
        (void) session;
        (void) out;
        return sw_err_new(SW_E_UNSUPPORTED, "fake://%s has no tree", (char *) inst);
}

static void
fake_close(void *self, void *inst)
{
        (void) self;
        free(inst);
}

static sw_err *
fake_resolve(void *self, void *inst, sw_ctx *ctx, sw_session *session, bool config,
             struct sw_source_meta *out)
{
        int n = __atomic_add_fetch(&asked, 1, __ATOMIC_RELAXED);

        (void) self;
        (void) session;
        if (strcmp(inst, "missing") == 0)
                return sw_err_new(SW_E_NOT_FOUND, "fake://missing is not there");
        if (strcmp(inst, "slow") == 0) {
                (void) sw_cancel_wait(sw_ctx_cancel(ctx), -1);
                return sw_ctx_check(ctx);
        }
        /* Long enough for others to ask the same meanwhile. */
        (void) sw_cancel_wait(sw_ctx_cancel(ctx), 20000000);
        out->digest = sw_asprintf("asked %d", n);
        if (config)
                out->config = sw_strdup("{}");
        return SW_OK;
}

static const char *const schemes[] = { "fake", NULL };

static const struct sw_source_ops ops = {
        .hdr = SW_OPS_SIZE(struct sw_source_ops),
        .schemes = schemes,
        .open = fake_open,
        .cache_key = fake_cache_key,
        .snapshot = fake_snapshot,
        .close = fake_close,
        .resolve = fake_resolve,
};

SW_PLUGIN(source_fake) = {
        SW_PLUGIN_V1(SW_KIND_SOURCE, "fake"),
        .summary = "is looked up and counts",
        .ops = &ops.hdr,
};
