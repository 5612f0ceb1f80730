/*
 * plugins/source-http/plugin.c - http:// and https://: one file each.
 */
#include <slipway/source.h>
#include <slipway/time.h>

#include "lib/http/tls.h"
#include "plugins/source-http/source.h"

enum { CONNECT_S = 30 };

static void
http_shutdown(void *self)
{
        struct web *w = self;

        sw__http_free(w->http);
        sw__tls_release(&w->tls);
        free(w);
}

static sw_err *
check_numbers(const struct web *w)
{
        if (w->max_size <= 0)
                return sw_err_new(SW_E_CONFIG, "option maxSize: no file is that small");
        if (w->retry_ns < 0 || w->retry_ns > 60 * SW_NS_PER_SEC)
                return sw_err_new(SW_E_CONFIG, "option retryWait: 0s to 60s");
        return SW_OK;
}

static sw_err *
http_init(const struct sw_plugin_env *env, void **self)
{
        const struct sw__http_opts opts = {
                .user_agent = "slipway/" PACKAGE_VERSION,
                .connect_s = CONNECT_S,
        };
        const sw_strlist *ca = sw_options_list(env->options, "ca");
        struct web *w = sw_new(struct web);
        sw_err *err = SW_OK;

        sw__tls_init(&w->tls);
        w->log = env->log;
        w->max_size = sw_options_int(env->options, "maxSize");
        w->retry_ns = sw_options_int(env->options, "retryWait");
        for (size_t i = 0; i < ca->n && !err; i++)
                err = sw__tls_read_certs(ca->v[i], &w->tls.ca);
        if (!err && ca->n > 0)
                sw__tls_add_system(&w->tls);
        err = err ? sw_err_wrap(err, "option ca") : check_numbers(w);
        if (!err)
                err = sw__http_new(&opts, &w->http);
        if (err) {
                http_shutdown(w);
                return err;
        }
        *self = w;
        return SW_OK;
}

static const struct sw_option options[] = {
        { "ca", SW_OPT_LIST, NULL,
          "files with certificates (PEM) that are trusted besides the system's" },
        { "maxSize", SW_OPT_SIZE, "64GB", "most bytes of a file" },
        { "retryWait", SW_OPT_DURATION, "500ms",
          "before what failed is tried again; doubles each time" },
        { NULL, 0, NULL, NULL },
};

static const char *const schemes[] = { "http", "https", NULL };

static const struct sw_source_ops ops = {
        .hdr = SW_OPS_SIZE(struct sw_source_ops),
        .schemes = schemes,
        .open = http_open,
        .cache_key = http_key,
        .snapshot = http_snapshot,
        .close = http_close,
        .resolve = http_resolve,
};

SW_PLUGIN(source_http) = {
        SW_PLUGIN_V1(SW_KIND_SOURCE, "http"),
        .summary = "files of web servers",
        .options = options,
        .ops = &ops.hdr,
        .init = http_init,
        .shutdown = http_shutdown,
};
