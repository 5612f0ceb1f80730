/* lib/dockerfile/configcheck.c - options that are only looked at. See config_priv.h. */
#include <string.h>
#include <strings.h>

#include <slipway/text.h>

#include "lib/dockerfile/config_priv.h"

/* Capabilities of the frontend that clients may ask for. */
static bool
known_cap(const char *name)
{
        static const char *const known[] = {
                "moby.buildkit.frontend.inputs",
                "moby.buildkit.frontend.subrequests",
                "moby.buildkit.frontend.contexts",
                "moby.buildkit.frontend.gitquerystring",
        };

        for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
                if (strcmp(known[i], name) == 0)
                        return true;
        return false;
}

static sw_err *
check_caps(const char *s)
{
        sw_auto(sw_strlist) names = { NULL, 0, 0 };

        sw_strlist_split(&names, s, ',');
        for (size_t i = 0; i < names.n; i++) {
                char *plus = strchr(names.v[i], '+');

                if (plus)
                        *plus = '\0';
                if (!known_cap(names.v[i]))
                        return sw_df_err(SW_E_UNSUPPORTED,
                                         "unsupported frontend capability %s", names.v[i]);
        }
        return SW_OK;
}

sw_err *
sw_df_config_check_removed(const sw_df_config *c)
{
        const char *fileop = sw_df_config_get(c, "build-arg:BUILDKIT_DISABLE_FILEOP");
        const char *copy = sw_df_config_get(c, "override-copy-image");
        const char *caps = sw_df_config_get(c, "frontend.caps");
        bool yes = false;

        if (copy && *copy)
                return sw_df_err(SW_E_UNSUPPORTED,
                                 "support for \"override-copy-image\" was removed in "
                                 "BuildKit 0.11");
        if (fileop) {
                sw_err *err = sw_parse_bool(fileop, &yes);

                sw_err_drop(err, "what is no boolean is not true");
        }
        if (yes)
                return sw_df_err(SW_E_UNSUPPORTED,
                                 "support for \"BUILDKIT_DISABLE_FILEOP\" build-arg was "
                                 "removed in BuildKit 0.11");
        return caps ? check_caps(caps) : SW_OK;
}

static sw_err *
check_attest(const char *type)
{
        if (strcasecmp(type, "provenance") == 0)
                return SW_OK;
        if (strcasecmp(type, "sbom") == 0)
                return sw_df_err(SW_E_UNSUPPORTED,
                                 "attest:sbom: bills of materials are not made here; leave "
                                 "the attestation out");
        return sw_df_err(SW_E_INVALID, "unknown attestation type \"%s\"", type);
}

sw_err *
sw_df_config_check_attests(const sw_df_config *c)
{
        static const char *const prefixes[] = { "attest:", "build-arg:BUILDKIT_ATTEST_" };
        sw_err *err = SW_OK;

        for (size_t i = 0; i < c->n_opts && !err; i++)
                for (size_t k = 0; k < 2 && !err; k++)
                        if (sw_str_has_prefix(c->opts[i].key, prefixes[k]))
                                err = check_attest(c->opts[i].key + strlen(prefixes[k]));
        return err;
}
