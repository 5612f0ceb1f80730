/* lib/dockerfile/run.c - RUN: its flags; mounts are read by mount.c. Pure. */
#include <slipway/text.h>

#include "core/base/utf8.h"
#include "lib/dockerfile/span.h"
#include "lib/dockerfile/typer.h"

enum { MOUNT, NETWORK, SECURITY, DEVICE, FLAGS };

/* --network=X. */
static sw_err *
read_network(const struct sw_df_flag *flag, struct sw_df_run *run)
{
        static const char *const names[] = { [SW_DF_NET_DEFAULT] = "default",
                                             [SW_DF_NET_NONE] = "none",
                                             [SW_DF_NET_HOST] = "host" };
        const char *value = flag->value.text;

        if (!value)
                return SW_OK;
        run->network_given = true;
        for (size_t i = 0; i < SW_COUNT(names); i++)
                if (strcmp(value, names[i]) == 0) {
                        run->network = (enum sw_df_network) i;
                        return SW_OK;
                }
        sw_auto(sw_str) shown = sw__shown(value, SIZE_MAX);

        return sw_err_new(SW_E_INVALID, "invalid network mode %s", shown);
}

/* --security=X. */
static sw_err *
read_security(const struct sw_df_flag *flag, struct sw_df_run *run)
{
        const char *value = flag->value.text;

        if (!value)
                return SW_OK;
        run->security_given = true;
        run->insecure = strcmp(value, "insecure") == 0;
        if (run->insecure || strcmp(value, "sandbox") == 0)
                return SW_OK;
        sw_auto(sw_str) shown = sw__shown(value, SIZE_MAX);

        return sw_err_new(SW_E_INVALID, "security %s is not valid", shown);
}

static sw_err *
set_device_name(struct sw_df_typer *t, const char *name, struct sw_df_device *out)
{
        if (out->name)
                return sw_err_new(SW_E_INVALID, "a device has two names");
        out->name = sw_df_arena_str(t->arena, name, strlen(name));
        return SW_OK;
}

/* One field of --device: "required", "name=NAME", or a name of the CDI, which may have a
 * "=" of its own: vendor.com/class=name. */
static sw_err *
read_device_field(struct sw_df_typer *t, const char *field, struct sw_df_device *out)
{
        size_t n = strcspn(field, "=");
        const char *value = field[n] ? field + n + 1 : NULL;

        if (n == 8 && memcmp(field, "required", n) == 0) {
                out->required = true;
                return value ? sw_parse_bool(value, &out->required) : SW_OK;
        }
        if (value && n == 4 && memcmp(field, "name", n) == 0)
                return set_device_name(t, value, out);
        if (!value || memchr(field, '/', n))
                return set_device_name(t, field, out);
        sw_auto(sw_str) key = sw_strndup(field, n);
        sw_auto(sw_str) shown_key = sw_df_plain(key), shown = sw_df_plain(field);

        return sw_err_new(SW_E_INVALID, "unexpected key '%s' in '%s'", shown_key, shown);
}

static sw_err *
read_device(struct sw_df_typer *t, const char *value, struct sw_df_device *out)
{
        sw_auto(sw_strlist) fields = { 0 };
        sw_err *err = sw_csv_split(value, &fields);

        if (err)
                return sw_err_wrap(err, "failed to parse csv devices");
        for (size_t i = 0; !err && i < fields.n; i++)
                err = read_device_field(t, fields.v[i], out);
        if (!err && (!out->name || !*out->name)) {
                sw_auto(sw_str) shown = sw__shown(value, SIZE_MAX);

                err = sw_err_new(SW_E_INVALID, "device %s has no name", shown);
        }
        return err;
}

static sw_err *
read_devices(struct sw_df_typer *t, const struct sw_df_flag *flag, struct sw_df_run *run)
{
        size_t n = flag->values.n;
        sw_err *err = SW_OK;

        if (!n)
                return SW_OK;
        if (!t->opts || !t->opts->devices)
                return sw_err_new(SW_E_INVALID,
                                  "device feature is only supported in Dockerfile frontend "
                                  "1.14.0-labs or later");
        struct sw_df_device *v = sw_df_arena_take(t->arena, n * sizeof(*v));

        for (size_t i = 0; !err && i < n; i++)
                err = read_device(t, flag->values.v[i], &v[i]);
        run->devices = v;
        run->n_devices = n;
        return err;
}

static sw_err *
check_mounts(const struct sw_df_flag *flag)
{
        sw_err *err = SW_OK;

        for (size_t i = 0; !err && i < flag->values.n; i++)
                err = sw_df_mount_parse(flag->values.v[i], NULL, NULL, NULL);
        return err;
}

static sw_err *
read_values(struct sw_df_typer *t, const struct sw_df_flag *f, struct sw_df_run *run)
{
        sw_err *err = check_mounts(&f[MOUNT]);

        if (err)
                return sw_df_bad(t, &f[MOUNT].value, err);
        err = read_network(&f[NETWORK], run);
        if (err)
                return sw_df_bad(t, &f[NETWORK].value, err);
        err = read_security(&f[SECURITY], run);
        if (err)
                return sw_df_bad(t, &f[SECURITY].value, err);
        return sw_df_bad(t, &f[DEVICE].value, read_devices(t, &f[DEVICE], run));
}

sw_err *
sw_df_type_run(struct sw_df_typer *t, struct sw_df_cmd *out)
{
        struct sw_df_flag f[FLAGS] = {
                [MOUNT] = { .name = "mount", .type = SW_DF_FLAG_STRINGS },
                [NETWORK] = { .name = "network", .type = SW_DF_FLAG_STRING },
                [SECURITY] = { .name = "security", .type = SW_DF_FLAG_STRING },
                [DEVICE] = { .name = "device", .type = SW_DF_FLAG_STRINGS },
        };
        struct sw_df_run *run = &out->run;
        sw_err *err = sw_df_flags_read(t, f, FLAGS);

        run->line = (struct sw_df_line){ sw_df_words_strs(t, 0), !t->node->json };
        run->heredocs = t->node->heredocs;
        run->n_heredocs = t->node->n_heredocs;
        if (!err)
                err = read_values(t, f, run);
        run->mounts = sw_df_flag_strs(t, &f[MOUNT]);
        sw_df_flags_end(f, FLAGS);
        return err;
}
