/*
 * core/plugin/kind.c - names: of kinds, states and faults, and of a plugin's file.
 *
 * A plugin's name has no '_', its file name has no '-': so the one follows from the other
 * without asking the file. Thread: any; everything here is constant.
 */
#include <string.h>

#include "core/plugin/host_priv.h"

static const char *const kind_names[SW_KIND_COUNT] = {
        [SW_KIND_SOURCE] = "source",
        [SW_KIND_EXECUTOR] = "executor",
        [SW_KIND_SNAPSHOTTER] = "snapshotter",
        [SW_KIND_EXPORTER] = "exporter",
        [SW_KIND_FRONTEND] = "frontend",
        [SW_KIND_CACHE] = "cache",
        [SW_KIND_API] = "api",
        [SW_KIND_SESSION] = "session",
};

static const char *const state_names[] = {
        [SW_PLUGIN_FOUND] = "found",     [SW_PLUGIN_OPENED] = "opened",
        [SW_PLUGIN_CHECKED] = "checked", [SW_PLUGIN_READY] = "ready",
        [SW_PLUGIN_BROKEN] = "broken",   [SW_PLUGIN_DISABLED] = "disabled",
};

static const char *const fault_names[] = {
        [SW_FAULT_NONE] = "none",
        [SW_FAULT_UNREADABLE] = "unreadable",
        [SW_FAULT_NOT_A_MODULE] = "not-a-module",
        [SW_FAULT_UNRESOLVED] = "unresolved",
        [SW_FAULT_NO_DESCRIPTOR] = "no-descriptor",
        [SW_FAULT_BAD_DESCRIPTOR] = "bad-descriptor",
        [SW_FAULT_ABI_MAJOR] = "abi-major",
        [SW_FAULT_ABI_MINOR] = "abi-minor",
        [SW_FAULT_DUPLICATE] = "duplicate",
        [SW_FAULT_UNMET_NEED] = "unmet-need",
        [SW_FAULT_NEED_CYCLE] = "need-cycle",
        [SW_FAULT_OPTION_TYPE] = "option-type",
        [SW_FAULT_OPTION_UNKNOWN] = "option-unknown",
        [SW_FAULT_INIT] = "init-failed",
};

const char *
sw_kind_name(unsigned kind)
{
        return kind < SW_COUNT(kind_names) ? kind_names[kind] : NULL;
}

unsigned
sw_kind_parse(const char *name)
{
        for (unsigned k = 1; name && k < SW_KIND_COUNT; k++)
                if (strcmp(name, kind_names[k]) == 0)
                        return k;
        return 0;
}

const char *
sw_plugin_state_name(enum sw_plugin_state s)
{
        return (size_t) s < SW_COUNT(state_names) ? state_names[s] : "unknown";
}

const char *
sw_plugin_fault_name(enum sw_plugin_fault f)
{
        return (size_t) f < SW_COUNT(fault_names) ? fault_names[f] : "unknown";
}

bool
sw__plugin_name_ok(const char *name)
{
        static const char first[] = "abcdefghijklmnopqrstuvwxyz0123456789";
        static const char rest[] = "abcdefghijklmnopqrstuvwxyz0123456789.-";
        size_t n = name ? strnlen(name, SW__PLUGIN_NAME_MAX + 1) : 0;

        return n > 0 && n <= SW__PLUGIN_NAME_MAX && strchr(first, name[0]) != NULL &&
               strspn(name, rest) == n;
}

char *
sw__plugin_stem(unsigned kind, const char *name)
{
        char *stem = sw_asprintf("%s_%s", sw_kind_name(kind), name);

        for (char *p = stem; *p; p++)
                if (*p == '-')
                        *p = '_';
        return stem;
}

unsigned
sw__plugin_of_stem(const char *stem, char **name)
{
        const char *rest = strchr(stem, '_');
        if (!rest || strchr(rest, '-'))
                return 0;

        sw_auto(sw_str) prefix = sw_strndup(stem, (size_t) (rest - stem));
        unsigned kind = sw_kind_parse(prefix);
        sw_auto(sw_str) found = sw_strdup(rest + 1);
        for (char *p = found; *p; p++)
                if (*p == '_')
                        *p = '-';
        if (!kind || !sw__plugin_name_ok(found))
                return 0;
        *name = sw_steal(found);
        return kind;
}
