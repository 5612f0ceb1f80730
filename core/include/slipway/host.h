/*
 * slipway/host.h - the plugin host: finds, checks, orders, initialises and hands out
 * plugins. One per program, usually.
 *
 *      sw_host_new -> sw_host_load (everything) or sw_host_require (just one)
 *                  -> sw_host_lookup … -> sw_host_free (shutdown in reverse order)
 *
 * States of a plugin:
 *
 *      FOUND -> OPENED -> CHECKED -> READY
 *         \        \         \
 *          +--------+---------+--> BROKEN (with the reason)
 *      DISABLED: switched off in the configuration; not initialised
 *
 * One broken plugin does not stop the others, unless the configuration says `required`.
 * Threads: any; one lock is over each host, so that builds load what they need as they go.
 * Hosts are made and freed by one thread (libltdl is not thread-safe), and the program has
 * one that loads at a time. What an init of a plugin asks of the host is answered.
 */
#ifndef SLIPWAY_HOST_H
#define SLIPWAY_HOST_H

#include <slipway/config.h>
#include <slipway/plugin.h>

SW_BEGIN_DECLS

typedef struct sw_host sw_host;

enum sw_plugin_state {
        SW_PLUGIN_FOUND,
        SW_PLUGIN_OPENED,
        SW_PLUGIN_CHECKED,
        SW_PLUGIN_READY,
        SW_PLUGIN_BROKEN,
        SW_PLUGIN_DISABLED,
};
/** sw_plugin_state_name - "ready", "broken", … Static. */
SW_API const char *sw_plugin_state_name(enum sw_plugin_state s);

/* Why a plugin is BROKEN: stable names in --json, besides the message. */
enum sw_plugin_fault {
        SW_FAULT_NONE,
        SW_FAULT_UNREADABLE,     /* "unreadable"       file cannot be read */
        SW_FAULT_NOT_A_MODULE,   /* "not-a-module"     not an ELF shared object for us */
        SW_FAULT_UNRESOLVED,     /* "unresolved"       symbol or library missing */
        SW_FAULT_NO_DESCRIPTOR,  /* "no-descriptor" */
        SW_FAULT_BAD_DESCRIPTOR, /* "bad-descriptor"   magic, name, kind, size, table */
        SW_FAULT_ABI_MAJOR,      /* "abi-major" */
        SW_FAULT_ABI_MINOR,      /* "abi-minor"        plugin newer than this slipway */
        SW_FAULT_DUPLICATE,      /* "duplicate"        name taken by an earlier file */
        SW_FAULT_UNMET_NEED,     /* "unmet-need" */
        SW_FAULT_NEED_CYCLE,     /* "need-cycle" */
        SW_FAULT_OPTION_TYPE,    /* "option-type" */
        SW_FAULT_OPTION_UNKNOWN, /* "option-unknown" */
        SW_FAULT_INIT,           /* "init-failed" */
};
/** sw_plugin_fault_name - as above; "none" for SW_FAULT_NONE. Static. */
SW_API const char *sw_plugin_fault_name(enum sw_plugin_fault f);

/* What is known of one file. Borrowed from the host; strings live as long as the host.
 * name, version, kind… are "" or 0 when the file never got far enough to tell; a DISABLED
 * or duplicate one is not opened, and its kind and name are those of its file name. */
struct sw_plugin_info {
        unsigned kind;
        const char *name;
        const char *version;
        const char *summary;
        unsigned abi_major, abi_minor;
        const char *file; /* path as found; "(built in)" when preopened */
        enum sw_plugin_state state;
        enum sw_plugin_fault fault;
        const char *reason;                 /* message when BROKEN or DISABLED, else "" */
        const struct sw_plugin *descriptor; /* NULL until it was found sound: CHECKED */
};

struct sw_host_opts {
        const char *const *dirs; /* --plugin-dir, searched first; NULL-ended, or NULL */
        const char *path;        /* SLIPWAY_PLUGIN_PATH, ':'-separated; or NULL */
        const sw_config *config; /* borrowed until sw_host_free; or NULL: defaults. Its
                                    pluginDirs come after @path */
        sw_log *log;             /* borrowed until sw_host_free; or NULL */
        bool no_default_dir;     /* leave out $(libdir)/slipway/plugins */
};

/** sw_host_new - nothing is searched yet. Modules that were linked into the program
 *  (libtool's -dlpreopen) are found without being registered, after the directories given
 *  here and before the installed ones. Errors: SW_E_INTERNAL (lt_dlinit). */
SW_API SW_NODISCARD sw_err *sw_host_new(const struct sw_host_opts *opts, sw_host **out);
/** sw_host_free - shutdown of every READY plugin in reverse order of init. */
SW_API void sw_host_free(sw_host *h);

/**
 * sw_host_load - find and open every plugin of the search path, check, order, init.
 * Broken ones are kept with their reason. A directory that does not exist is skipped; one
 * that cannot be read is an error. A second call does nothing.
 * Errors: SW_E_IO, SW_E_DENIED (directory); the reason of a plugin that the configuration
 * calls `required`; SW_E_CONFIG: options for a plugin that is not there.
 */
SW_API SW_NODISCARD sw_err *sw_host_load(sw_host *h);
/** sw_host_scan - as load, but stops before init and leaves the configuration's wishes
 *  (`required`, options for nobody) to load: for listings. Errors: SW_E_IO, SW_E_DENIED;
 *  everything found elsewhere is there all the same. */
SW_API SW_NODISCARD sw_err *sw_host_scan(sw_host *h);
/**
 * sw_host_check_config - after load or scan: is what the configuration says below "plugins"
 * about plugins that are there? Whether options are right is told by each plugin's fault.
 * Errors: SW_E_CONFIG: the first thing wrong; SW_E_NOT_FOUND: a required plugin.
 * Since: 0.1
 */
SW_API SW_NODISCARD sw_err *sw_host_check_config(const sw_host *h);

/**
 * sw_host_require - make just this plugin, and what it needs, READY: by its file name,
 * falling back to a full search for names that another plugin provides.
 * Errors: as sw_host_lookup.
 * Thread: any, also while others look up.
 */
SW_API SW_NODISCARD sw_err *sw_host_require(sw_host *h, unsigned kind, const char *name);

/** sw_host_count, sw_host_get - plugins in the order found (search path, then file name);
 *  @i < sw_host_count(). */
SW_API size_t sw_host_count(const sw_host *h);
SW_API const struct sw_plugin_info *sw_host_get(const sw_host *h, size_t i);
/** sw_host_find - by kind and name or provided name, whatever its state; or NULL. */
SW_API const struct sw_plugin_info *sw_host_find(const sw_host *h, unsigned kind,
                                                 const char *name);

/**
 * sw_host_lookup - table and self of a READY plugin.
 * @ops, @self: borrowed, until sw_host_free; either may be NULL.
 * Errors: SW_E_NOT_FOUND (names kind and name, near names, plugins of that kind that are
 * there, directories searched, the package to install: slipway-KIND-NAME); for one that
 * is BROKEN its own reason: SW_E_BROKEN, SW_E_ABI, SW_E_UNMET, SW_E_CONFIG; SW_E_CONFIG
 * for one that is switched off.
 * Thread: any.
 */
SW_API SW_NODISCARD sw_err *sw_host_lookup(const sw_host *h, unsigned kind,
                                           const char *name, const struct sw_ops_hdr **ops,
                                           void **self);

/** sw_host_dirs - directories in the order they are searched, missing ones included. */
SW_API void sw_host_dirs(const sw_host *h, sw_strlist *out);

/* A resolved exporter: table, self and name together, and the only way the core calls it.
 * Presence of each operation is checked; errors carry the plugin's name. */
struct sw_exporter {
        const struct sw_exporter_ops *ops;
        void *self;
        const char *name;
};
struct sw_attr;
struct sw_export_request;
struct sw_export_result;

/** sw_host_exporter - look-up and checks (export_refs must be there). Errors: lookup. */
SW_API SW_NODISCARD sw_err *sw_host_exporter(const sw_host *h, const char *name,
                                             struct sw_exporter *out);
/** sw_exporter_resolve, _release, _export, _finalize - the operations of exporter.h, which
 *  has their rules; those that are absent do nothing. */
SW_API SW_NODISCARD sw_err *sw_exporter_resolve(const struct sw_exporter *e, sw_ctx *ctx,
                                                const struct sw_attr *attrs, size_t n,
                                                void **resolved);
/** sw_exporter_title - what an export by the name @name is called; from malloc. */
SW_API char *sw_exporter_title(const struct sw_exporter *e, const char *name);
SW_API void sw_exporter_release(const struct sw_exporter *e, void *resolved);
/** sw_exporter_finalize_title - what finalizing is called, from malloc; NULL: there is
 *  nothing to be finalized. */
SW_API char *sw_exporter_finalize_title(const struct sw_exporter *e, const void *resolved,
                                        const char *name);
SW_API SW_NODISCARD sw_err *sw_exporter_export(const struct sw_exporter *e, sw_ctx *ctx,
                                               const struct sw_export_request *req,
                                               struct sw_export_result *out);
SW_API SW_NODISCARD sw_err *sw_exporter_finalize(const struct sw_exporter *e, sw_ctx *ctx,
                                                 const struct sw_export_request *req,
                                                 struct sw_export_result *out);

SW_DEFINE_AUTOPTR(sw_host, sw_host_free)

SW_END_DECLS
#endif
