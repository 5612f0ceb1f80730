/* tests/fake-plugins/exporter_options.c - has an option of each type, and logs what init
 * gets of them. */
#include "fake.h"

static const struct sw_option options[] = {
        { "text", SW_OPT_STRING, NULL, "any text" },
        { "switch", SW_OPT_BOOL, "true", "yes or no" },
        { "level", SW_OPT_INT, "-3", "how much" },
        { "most", SW_OPT_SIZE, "2k", "bytes" },
        { "wait", SW_OPT_DURATION, "1m30s", "how long" },
        { "names", SW_OPT_LIST, "a,b", "several" },
        { 0 },
};

static sw_err *
init(const struct sw_plugin_env *env, void **self)
{
        const sw_options *o = env->options;
        const sw_strlist *names = sw_options_list(o, "names");
        const char *text = sw_options_str(o, "text");

        sw_log_line(env->log, SW_LOG_INFO, "exporter/options",
                    "text=%s/%d switch=%d level=%lld most=%lld wait=%lld names=%zu:%s",
                    text ? text : "-", sw_options_set(o, "text"),
                    sw_options_bool(o, "switch"), (long long) sw_options_int(o, "level"),
                    (long long) sw_options_int(o, "most"),
                    (long long) sw_options_int(o, "wait"), names->n,
                    names->n ? names->v[0] : "");
        *self = NULL;
        return SW_OK;
}

SW_PLUGIN(exporter_options) = {
        SW_PLUGIN_V1(SW_KIND_EXPORTER, "options"),
        .summary = "one option of each type",
        .options = options,
        .ops = &fake_ops.hdr,
        .init = init,
};
