/*
 * lib/registry/certs.c - what the configuration says of trust in a registry, read from the
 * files that it names.
 */
#include "lib/http/tls.h"
#include "lib/registry/client.h"

static const sw_strlist *
list_of(const sw_config *c, const char *name, const char *key)
{
        sw_auto(sw_str) path = sw_config_key("registry", name, key, NULL);

        return sw_config_list(c, path);
}

static sw_err *
load_pairs(const sw_config *c, const char *name, struct sw__tls *tls)
{
        sw_auto(sw_str) path = sw_config_key("registry", name, "keypair", NULL);
        sw_auto(sw_strlist) items = { 0 };
        sw_err *err = SW_OK;

        sw_config_names(c, path, &items);
        for (size_t i = 0; i < items.n && !err; i++) {
                sw_auto(sw_str) cert = sw_config_key("registry", name, "keypair",
                                                     items.v[i], "cert", NULL);
                sw_auto(sw_str) key =
                        sw_config_key("registry", name, "keypair", items.v[i], "key", NULL);

                err = sw__tls_read_pair(tls, sw_config_str(c, cert), sw_config_str(c, key));
        }
        return err;
}

sw_err *
sw__certs_load(const sw_config *c, const char *name, struct sw__tls *tls)
{
        const sw_strlist *ca = list_of(c, name, "ca");
        const sw_strlist *dirs = list_of(c, name, "tlsconfigdir");
        sw_err *err = SW_OK;

        for (size_t i = 0; i < ca->n && !err; i++)
                err = sw__tls_read_certs(ca->v[i], &tls->ca);
        if (!err)
                err = load_pairs(c, name, tls);
        for (size_t i = 0; i < dirs->n && !err; i++)
                err = sw__tls_read_dir(tls, dirs->v[i]);
        if (!err && tls->ca.len > 0)
                sw__tls_add_system(tls);
        return err;
}
