/*
 * lib/registry/registry.c - making and freeing a client, and what its calls share.
 */
#include <string.h>

#include <slipway/mem.h>
#include <slipway/time.h>

#include "lib/registry/client.h"

enum { CONCURRENCY = 4, CONNECT_S = 30, STALL_S = 60, RETRY_MS = 500 };

sw_err *
sw_registry_new(const struct sw_registry_opts *opts, sw_registry **out)
{
        int64_t limit = CONCURRENCY;
        struct sw__http_opts http = {
                .user_agent = opts->user_agent ?: "slipway/" PACKAGE_VERSION,
                .connect_s = CONNECT_S,
        };
        sw__http *h;

        if (opts->config)
                limit = sw_config_int(opts->config, "system.maxRegistryConcurrency");
        sw_err *err = sw__http_new(&http, &h);
        if (err)
                return err;
        sw_registry *r = sw_new(sw_registry);
        r->http = h;
        r->log = opts->log;
        r->stall_s = opts->stall_s ? opts->stall_s : STALL_S;
        r->retry_ns = (opts->retry_ms ? opts->retry_ms : RETRY_MS) * SW_NS_PER_MS;
        sw__hosts_init(&r->hosts, opts->config);
        sw__auth_init(&r->auth);
        sw__slots_init(&r->slots, limit > 0 && limit < 10000 ? (unsigned) limit : 1);
        *out = r;
        return SW_OK;
}

void
sw_registry_free(sw_registry *r)
{
        if (!r)
                return;
        sw__http_free(r->http); /* the thread ends; nothing uses the rest any more */
        sw__slots_release(&r->slots);
        sw__auth_release(&r->auth);
        sw__hosts_release(&r->hosts);
        free(r);
}
