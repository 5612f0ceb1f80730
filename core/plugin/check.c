/*
 * core/plugin/check.c - whether a descriptor is sound: OPENED -> CHECKED.
 *
 * In this order: what it is called, so that a listing can name it; ABI minor, since a newer
 * plugin may well have what looks wrong here; name, kind, lists; the kind's table; options.
 * The descriptor was copied by open.c, so members it is too short for are NULL. Strings
 * and tables stay in the module, which is never unloaded.
 *
 * Thread: main.
 */
#include <string.h>

#include <slipway/apiserver.h>
#include <slipway/cache.h>
#include <slipway/executor.h>
#include <slipway/exporter.h>
#include <slipway/frontend.h>
#include <slipway/sessionpart.h>
#include <slipway/snapshotter.h>
#include <slipway/source.h>
#include <slipway/text.h>

#include "core/plugin/host_priv.h"

/* Longest lists and texts of a descriptor; a list without an end is cut off here. */
enum { NEEDS_MAX = 64, PROVIDES_MAX = 64, VERSION_MAX = 64, SUMMARY_MAX = 200 };

/* Operations that a kind cannot do without: pointers at these offsets are set. */
struct required {
        unsigned kind;
        const char *name;
        size_t offset;
};
#define REQUIRED(KIND, T, MEMBER)                                                          \
        {                                                                                  \
                KIND, #MEMBER, offsetof(struct T, MEMBER)                                  \
        }
static const struct required required[] = {
        REQUIRED(SW_KIND_SOURCE, sw_source_ops, schemes),
        REQUIRED(SW_KIND_SOURCE, sw_source_ops, open),
        REQUIRED(SW_KIND_SOURCE, sw_source_ops, cache_key),
        REQUIRED(SW_KIND_SOURCE, sw_source_ops, snapshot),
        REQUIRED(SW_KIND_SOURCE, sw_source_ops, close),
        REQUIRED(SW_KIND_EXECUTOR, sw_executor_ops, run),
        REQUIRED(SW_KIND_SNAPSHOTTER, sw_snapshotter_ops, probe),
        REQUIRED(SW_KIND_SNAPSHOTTER, sw_snapshotter_ops, open),
        REQUIRED(SW_KIND_SNAPSHOTTER, sw_snapshotter_ops, prepare),
        REQUIRED(SW_KIND_SNAPSHOTTER, sw_snapshotter_ops, commit),
        REQUIRED(SW_KIND_SNAPSHOTTER, sw_snapshotter_ops, close),
        REQUIRED(SW_KIND_SNAPSHOTTER, sw_snapshotter_ops, mount),
        REQUIRED(SW_KIND_SNAPSHOTTER, sw_snapshotter_ops, view),
        REQUIRED(SW_KIND_SNAPSHOTTER, sw_snapshotter_ops, unmount),
        REQUIRED(SW_KIND_SNAPSHOTTER, sw_snapshotter_ops, write),
        REQUIRED(SW_KIND_SNAPSHOTTER, sw_snapshotter_ops, diff),
        REQUIRED(SW_KIND_SNAPSHOTTER, sw_snapshotter_ops, usage),
        REQUIRED(SW_KIND_SNAPSHOTTER, sw_snapshotter_ops, remove),
        REQUIRED(SW_KIND_SNAPSHOTTER, sw_snapshotter_ops, list),
        REQUIRED(SW_KIND_EXPORTER, sw_exporter_ops, export_refs),
        REQUIRED(SW_KIND_FRONTEND, sw_frontend_ops, build),
        REQUIRED(SW_KIND_CACHE, sw_cache_ops, open),
        REQUIRED(SW_KIND_API, sw_api_ops, listen),
        REQUIRED(SW_KIND_API, sw_api_ops, stop),
};

/* One line of text that may be shown: valid UTF-8 without control bytes. */
static bool
line_ok(const char *s, size_t max, bool spaces)
{
        size_t n = strnlen(s, max + 1);

        for (size_t i = 0; i < n; i++) {
                unsigned char c = (unsigned char) s[i];

                if (c < ' ' || c == 0x7f || (c == ' ' && !spaces))
                        return false;
        }
        return n <= max && sw_utf8_valid(s, n);
}

/* As much of the identity as is sound goes into info, whatever comes later. */
static void
fill_identity(struct sw__module *m)
{
        const struct sw_plugin *d = &m->desc;

        if (sw_kind_name(d->kind))
                m->info.kind = d->kind;
        if (sw__plugin_name_ok(d->name))
                m->info.name = d->name;
        if (d->version && line_ok(d->version, VERSION_MAX, false))
                m->info.version = d->version;
        if (d->summary && line_ok(d->summary, SUMMARY_MAX, true))
                m->info.summary = d->summary;
}

static bool
bad(struct sw__module *m, const char *what, const char *rule)
{
        return sw__module_break(m, SW_FAULT_BAD_DESCRIPTOR, "its descriptor's %s %s", what,
                                rule);
}

static bool
check_minor(struct sw__module *m)
{
        if (m->desc.abi_minor <= SW_ABI_MINOR)
                return true;
        return sw__module_break(m, SW_FAULT_ABI_MINOR,
                                "built for plugin ABI %u.%u, newer than this slipway's "
                                "%d.%d: use a newer slipway or build it with this one's "
                                "headers",
                                m->desc.abi_major, m->desc.abi_minor, SW_ABI_MAJOR,
                                SW_ABI_MINOR);
}

/* Kind and name are legal, and those that the file name tells. */
static bool
check_identity(struct sw__module *m)
{
        const struct sw_plugin *d = &m->desc;

        if (!sw_kind_name(d->kind))
                return sw__module_break(m, SW_FAULT_BAD_DESCRIPTOR,
                                        "its descriptor has kind %u, which is none",
                                        d->kind);
        if (!d->name || !sw__plugin_name_ok(d->name)) {
                sw_auto(sw_buf) shown = SW_BUF_INIT;
                const char *name = d->name ? d->name : "";

                sw_buf_add_quoted(&shown, name, strnlen(name, SW__PLUGIN_NAME_MAX + 1),
                                  SW__PLUGIN_NAME_MAX);
                return sw__module_break(m, SW_FAULT_BAD_DESCRIPTOR,
                                        "its descriptor's name %s is not made of a-z, 0-9, "
                                        "'.' and '-', at most %d of them",
                                        shown.data, SW__PLUGIN_NAME_MAX);
        }
        if (d->version && !line_ok(d->version, VERSION_MAX, false))
                return bad(m, "version", "has spaces, control bytes or more than 64 bytes");
        if (d->summary && !line_ok(d->summary, SUMMARY_MAX, true))
                return bad(m, "summary", "has control bytes or more than 200 bytes");

        sw_auto(sw_str) stem = sw__plugin_stem(d->kind, d->name);
        if (strcmp(stem, m->stem) != 0)
                return sw__module_break(m, SW_FAULT_BAD_DESCRIPTOR,
                                        "it calls itself %s/%s, so its file must be named "
                                        "%s.so",
                                        sw_kind_name(d->kind), d->name, stem);
        return true;
}

static bool
check_lists(struct sw__module *m)
{
        const struct sw_plugin *d = &m->desc;
        size_t i;

        for (i = 0; d->needs && i < NEEDS_MAX && d->needs[i].kind; i++)
                if (!sw_kind_name(d->needs[i].kind) ||
                    !sw__plugin_name_ok(d->needs[i].name))
                        return bad(m, "needs", "name something that cannot be a plugin");
        if (i == NEEDS_MAX)
                return bad(m, "needs", "do not end with {0}");
        for (i = 0; d->provides && i < PROVIDES_MAX && d->provides[i]; i++)
                if (!sw__plugin_name_ok(d->provides[i]))
                        return bad(m, "provides", "has what cannot be a plugin's name");
        if (i == PROVIDES_MAX)
                return bad(m, "provides", "does not end with NULL");
        return true;
}

/* Whether the pointer at that offset of a table is there and set. */
static bool
has_operation(const struct sw_ops_hdr *ops, size_t offset)
{
        void *p = NULL;

        if (ops->size >= offset + sizeof(p))
                memcpy(&p, (const char *) ops + offset, sizeof(p));
        return p != NULL;
}

static bool
check_table(struct sw__module *m)
{
        const struct sw_ops_hdr *ops = m->desc.ops;
        const size_t session_end =
                offsetof(struct sw_sessionpart_ops, offers.size) + sizeof(uint32_t);

        if (!ops)
                return sw__module_break(m, SW_FAULT_BAD_DESCRIPTOR,
                                        "has no table of operations: set .ops");
        if (ops->size < sizeof(*ops))
                return sw__module_break(m, SW_FAULT_BAD_DESCRIPTOR,
                                        "its table of operations says it has %u bytes: set "
                                        ".hdr = SW_OPS_SIZE(…)",
                                        ops->size);
        for (size_t i = 0; i < SW_COUNT(required); i++)
                if (required[i].kind == m->desc.kind &&
                    !has_operation(ops, required[i].offset))
                        return sw__module_break(m, SW_FAULT_BAD_DESCRIPTOR,
                                                "lacks %s, which every %s must have",
                                                required[i].name,
                                                sw_kind_name(m->desc.kind));
        if (m->desc.kind == SW_KIND_SESSION && ops->size < session_end)
                return sw__module_break(m, SW_FAULT_BAD_DESCRIPTOR,
                                        "lacks offers, which every session must have");
        return true;
}

static bool
check_options(struct sw__module *m, const sw_config *config)
{
        enum sw_plugin_fault fault = SW_FAULT_NONE;
        struct sw__given given;
        sw_autoptr(sw_err) err = sw__options_declared(m->desc.options);

        if (err)
                return sw__module_break(m, SW_FAULT_BAD_DESCRIPTOR, "its descriptor's %s",
                                        sw_err_message(err));
        sw__given_make(m->desc.kind, m->id, m->desc.options, config, &given);
        err = sw__options_make(m->id, m->desc.options, given.v, given.n, &m->options,
                               &fault);
        sw__given_release(&given);
        return !err || sw__module_break(m, fault, "%s", sw_err_message(err));
}

bool
sw__module_check(struct sw__module *m, const sw_config *config)
{
        fill_identity(m);
        if (!check_minor(m) || !check_identity(m) || !check_lists(m) || !check_table(m) ||
            !check_options(m, config))
                return false;
        m->info.descriptor = &m->desc;
        sw__module_enter(m, SW_PLUGIN_CHECKED);
        return true;
}
