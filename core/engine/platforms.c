/*
 * core/engine/platforms.c - what can be built for: what the configuration says, or else
 * this machine and what its kernel hands to an emulator.
 * Thread: any.
 */
#include <string.h>

#include <slipway/text.h>

#include "core/base/emulator.h"
#include "core/engine/engine_priv.h"

typedef SW_ARRAY(const sw_platform *) platforms;

static bool
same(const sw_platform *a, const sw_platform *b)
{
        sw_auto(sw_str) x = sw_platform_str(a);
        sw_auto(sw_str) y = sw_platform_str(b);

        return strcmp(x, y) == 0;
}

static void
add(platforms *out, const char *text)
{
        sw_platform *p = NULL;
        sw_err *err = sw_platform_parse(text, &p);

        if (err) {
                sw_err_drop(err, "the configuration was checked, the rest is written here");
                return;
        }
        for (size_t i = 0; i < out->n; i++)
                if (same(out->v[i], p)) {
                        sw_platform_free(p);
                        return;
                }
        sw_array_push(out, p);
}

const sw_platform **
sw__engine_platforms(const sw_engine *e)
{
        const sw_strlist *said = sw_config_list(e->config, "worker.oci.platforms");
        sw_auto(sw_strlist) emulated = { 0 };
        platforms found = { 0 };

        for (size_t i = 0; i < said->n; i++)
                add(&found, said->v[i]);
        if (found.n == 0) {
                sw_array_push(&found, sw_platform_normalize(sw_platform_host()));
                sw__emulated(&emulated);
                for (size_t i = 0; i < emulated.n; i++)
                        add(&found, emulated.v[i]);
        }
        sw_array_push(&found, NULL);
        return found.v;
}
