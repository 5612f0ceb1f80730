/*
 * slipway/plugin.h - what a plugin is.
 *
 * A plugin is a shared object that exports one const descriptor, written with SW_PLUGIN.
 * Loading it runs no code of its own; init() is called later, after the plugins it needs,
 * with services passed in. The steps, each with its own error:
 *
 *      find -> open -> descriptor -> ABI -> options -> order by needs -> init -> READY
 *
 * File name: <kind>_<name>.so, '-' in the name written as '_'. Module and descriptor:
 * plugins/exporter-discard/ builds exporter_discard.la with SW_PLUGIN(exporter_discard).
 *
 * ABI promise: within one SW_ABI_MAJOR, structs and tables only grow at their end, codes
 * and kinds are never renumbered. A plugin built against minor N runs on every host with
 * minor >= N. Each table starts with its size, and the host looks before it calls. What
 * stands in arrays (sw_need, sw_option, sw_attr, sw_export_ref) does not grow.
 */
#ifndef SLIPWAY_PLUGIN_H
#define SLIPWAY_PLUGIN_H

#include <slipway/array.h>
#include <slipway/buf.h>
#include <slipway/cleanup.h>
#include <slipway/config.h>
#include <slipway/ctx.h>
#include <slipway/error.h>
#include <slipway/mem.h>

SW_BEGIN_DECLS

#define SW_ABI_MAJOR 1
#define SW_ABI_MINOR 0

#define SW_PLUGIN_MAGIC UINT32_C(0x534c5057) /* "SLPW" */

/* Kinds are never renumbered. Names: sw_kind_name(). */
enum sw_kind {
        SW_KIND_SOURCE = 1,      /* "source"       source.h */
        SW_KIND_EXECUTOR = 2,    /* "executor"     executor.h */
        SW_KIND_SNAPSHOTTER = 3, /* "snapshotter"  snapshotter.h */
        SW_KIND_EXPORTER = 4,    /* "exporter"     exporter.h */
        SW_KIND_FRONTEND = 5,    /* "frontend"     frontend.h */
        SW_KIND_CACHE = 6,       /* "cache"        cache.h */
        SW_KIND_API = 7,         /* "api"          apiserver.h */
        SW_KIND_SESSION = 8,     /* "session"      sessionpart.h */
        SW_KIND_COUNT
};

/** sw_kind_name - "exporter"; NULL for numbers that are no kind. Static. */
SW_API const char *sw_kind_name(unsigned kind);
/** sw_kind_parse - the kind of that name; 0 when there is none. */
SW_API unsigned sw_kind_parse(const char *name);

/* First member of every table of operations. */
struct sw_ops_hdr {
        uint32_t size; /* sizeof the table as the plugin was compiled */
};
#define SW_OPS_SIZE(T)                                                                     \
        {                                                                                  \
                .size = sizeof(T)                                                          \
        }

/* Whether the table at @ops, of type T, is long enough to have @member and has it set. */
#define SW_OPS_HAS(ops, T, member)                                                         \
        ((ops)->hdr.size >= offsetof(T, member) + sizeof((ops)->member) &&                 \
         (ops)->member != NULL)

/* Another plugin that must be READY before this one is initialised. */
struct sw_need {
        unsigned kind; /* 0 ends the list */
        const char *name;
};

enum sw_option_type {
        SW_OPT_STRING = 1,
        SW_OPT_BOOL,     /* Go's ParseBool */
        SW_OPT_INT,      /* decimal int64 */
        SW_OPT_SIZE,     /* bytes, "512MB" by 1024 */
        SW_OPT_DURATION, /* ns, "1h30m", bare integers are seconds */
        SW_OPT_LIST,     /* list of strings */
};

struct sw_option {
        const char *name; /* as written in the configuration; NULL ends the list */
        enum sw_option_type type;
        const char *dflt; /* as text; lists: comma-separated; NULL: no default, unset */
        const char *help; /* one line */
};

/* Values of a plugin's options, checked against its descriptor; opaque. */
typedef struct sw_options sw_options;

/* Borrowed getters for init(). Asking for a name the descriptor does not declare, or as
 * another type, is a programmer's mistake and asserts. set: whether it has a value. */
SW_API bool sw_options_set(const sw_options *o, const char *name);
SW_API const char *sw_options_str(const sw_options *o, const char *name); /* or NULL */
SW_API bool sw_options_bool(const sw_options *o, const char *name);       /* unset: false */
SW_API int64_t sw_options_int(const sw_options *o, const char *name);     /* INT, SIZE and
                                                               DURATION; unset: 0 */
SW_API const sw_strlist *sw_options_list(const sw_options *o, const char *name);

/* What init() is given. Grows at the end only; everything is borrowed; what is said to
 * live "as long as the plugin" is good until shutdown() returned. */
struct sw_plugin_env {
        uint32_t size;
        const sw_options *options; /* as long as the plugin */
        sw_log *log;               /* as long as the plugin; may be NULL */
        /* need - the plugin named in .needs: its table and self. Asserts on others. */
        const struct sw_ops_hdr *(*need)(const struct sw_plugin_env *env, unsigned kind,
                                         const char *name, void **self);
        void *host_;             /* private to the host */
        const sw_config *config; /* the whole configuration, for what is not the plugin's
                                    alone (registry.<HOST>); as long as the plugin; may be
                                    NULL.   Since: 0.1 */
};

/* The descriptor. Written with SW_PLUGIN and SW_PLUGIN_V1 only. */
struct sw_plugin {
        uint32_t magic;
        uint16_t abi_major, abi_minor;
        uint32_t size; /* sizeof as compiled */
        uint32_t kind;
        const char *name;                /* [a-z0-9][a-z0-9.-]*, at most 64 bytes */
        const char *version;             /* of the plugin; free text without spaces */
        const char *summary;             /* one line */
        const struct sw_need *needs;     /* or NULL */
        const struct sw_option *options; /* or NULL */
        const char *const *provides;     /* further names it answers to, NULL-ended; or
                                            NULL */
        const struct sw_ops_hdr *ops;    /* the kind's table; required */
        /**
         * init - make the plugin ready.
         * @env:  borrowed until return, but for what lives as long as the plugin.
         * @self: handed to every operation and to shutdown; left NULL when not needed.
         * May be absent. Thread: main, before any worker starts.
         * Errors: any; the plugin is then BROKEN with that reason, and unloaded at exit.
         */
        sw_err *(*init)(const struct sw_plugin_env *env, void **self);
        /* shutdown - release @self. Called once, after the last operation returned, in
         * reverse order of init. May be absent. */
        void (*shutdown)(void *self);
};

/* The descriptor of the module MODULE (file name without ".so"). */
#define SW_PLUGIN(MODULE)                                                                  \
        SW_API extern const struct sw_plugin MODULE##_LTX_sw_plugin;                       \
        const struct sw_plugin MODULE##_LTX_sw_plugin

/* The version of the plugin: define it before this header is included to have another.
 * (Setting .version a second time makes compilers warn.) */
#ifndef SW_PLUGIN_VERSION
#define SW_PLUGIN_VERSION "0.1.0"
#endif

/* The first fields. */
#define SW_PLUGIN_V1(KIND, NAME)                                                           \
        .magic = SW_PLUGIN_MAGIC, .abi_major = SW_ABI_MAJOR, .abi_minor = SW_ABI_MINOR,    \
        .size = sizeof(struct sw_plugin), .kind = (KIND), .name = (NAME),                  \
        .version = SW_PLUGIN_VERSION

SW_END_DECLS
#endif
