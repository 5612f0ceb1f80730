/*
 * core/engine/gcpolicy.c - the rules of garbage collection: those of the configuration, or
 * four that are right for most: what is cheap to make again goes first, then what was not
 * used for long, then build cache, then everything, each time only as far as space demands.
 *
 * Thread: any.
 */
#include <string.h>

#include "core/engine/engine_priv.h"

#define W           "worker.oci."
#define GB          INT64_C(1000000000)
#define MB          INT64_C(1000000)
#define HOUR        (INT64_C(3600) * 1000000000)
#define UNKNOWN_MAX (2 * GB) /* of a disk whose size is not known */

/* How much of the disk may be used, after configuration or by default. */
struct caps {
        int64_t reserved, used, free;
};

static int64_t
smaller(int64_t a, int64_t b)
{
        return a < b ? a : b;
}

static int64_t
space(const sw_config *c, const char *key, int64_t total, int64_t otherwise)
{
        return sw_config_has(c, key) ? sw_config_diskspace(c, key, total) : otherwise;
}

static struct caps
caps_of(const sw_config *c, int64_t total)
{
        struct caps k;

        if (total <= 0) {
                k = (struct caps){ .reserved = UNKNOWN_MAX };
        } else {
                k = (struct caps){
                        .reserved = smaller(total / 10, 10 * GB),
                        .used = smaller(total / 10 * 8, 100 * GB),
                        .free = total / 5,
                };
        }
        k.reserved = space(c, W "gckeepstorage", total, k.reserved);
        k.reserved = space(c, W "reservedSpace", total, k.reserved);
        k.used = space(c, W "maxUsedSpace", total, k.used);
        k.free = space(c, W "minFreeSpace", total, k.free);
        return k;
}

static void
add_capped(sw__gc_rules *out, const struct caps *k, int64_t keep, bool all)
{
        sw_array_push(out, (struct sw__gc_rule){
                                   .all = all,
                                   .keep_duration = keep,
                                   .reserved_space = k->reserved,
                                   .max_used_space = k->used,
                                   .min_free_space = k->free,
                           });
}

static void
add_defaults(const sw_config *c, int64_t total, sw__gc_rules *out)
{
        const struct caps k = caps_of(c, total);
        struct sw__gc_rule cheap = { .keep_duration = 48 * HOUR,
                                     .max_used_space = 512 * MB };

        sw_strlist_add(&cheap.filters, "type==source.local");
        sw_strlist_add(&cheap.filters, "type==exec.cachemount");
        sw_strlist_add(&cheap.filters, "type==source.git.checkout");
        sw_array_push(out, cheap);
        add_capped(out, &k, 60 * 24 * HOUR, false);
        add_capped(out, &k, 0, false);
        add_capped(out, &k, 0, true);
}

/* The rule called @name of the configuration's list. */
static void
add_configured(const sw_config *c, const char *name, int64_t total, sw__gc_rules *out)
{
        struct sw__gc_rule r = { .all = false };
        const struct {
                const char *key;
                int64_t *value;
        } spaces[] = {
                { "keepBytes", &r.reserved_space },
                { "reservedSpace", &r.reserved_space },
                { "maxUsedSpace", &r.max_used_space },
                { "minFreeSpace", &r.min_free_space },
        };

        for (size_t i = 0; i < SW_COUNT(spaces); i++) {
                sw_auto(sw_str) key = sw_asprintf(W "gcpolicy.%s.%s", name, spaces[i].key);
                *spaces[i].value = space(c, key, total, *spaces[i].value);
        }
        sw_auto(sw_str) all = sw_asprintf(W "gcpolicy.%s.all", name);
        sw_auto(sw_str) keep = sw_asprintf(W "gcpolicy.%s.keepDuration", name);
        sw_auto(sw_str) filters = sw_asprintf(W "gcpolicy.%s.filters", name);
        r.all = sw_config_bool(c, all);
        r.keep_duration = sw_config_has(c, keep) ? sw_config_int(c, keep) : 0;
        const sw_strlist *list = sw_config_list(c, filters);
        for (size_t i = 0; i < list->n; i++)
                sw_strlist_add(&r.filters, list->v[i]);
        sw_array_push(out, r);
}

void
sw__gc_rules_of(const sw_config *config, int64_t disk_total, sw__gc_rules *out)
{
        sw_auto(sw_strlist) names = { 0 };

        if (!sw_config_bool(config, W "gc"))
                return;
        sw_config_names(config, W "gcpolicy", &names);
        for (size_t i = 0; i < names.n; i++)
                add_configured(config, names.v[i], disk_total, out);
        if (names.n == 0)
                add_defaults(config, disk_total, out);
}

void
sw__gc_rules_release(sw__gc_rules *r)
{
        for (size_t i = 0; i < r->n; i++)
                sw_strlist_release(&r->v[i].filters);
        sw_array_release(r);
}
