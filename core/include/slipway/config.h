/*
 * slipway/config.h - the configuration: YAML file, environment, flags, defaults.
 *
 * Keys form a tree and are written as dotted paths; parts that are names of the user's
 * own stand in double quotes: registry."docker.io".mirrors, plugins."exporter/image".
 * The keys and their types come from one table (core/config/schema.c). A value knows
 * where it came from, so that `slipway config explain` and every error can tell. Later
 * origins win: default < file < environment < flag.
 *
 * A config is filled by one thread and read-only afterwards.
 */
#ifndef SLIPWAY_CONFIG_H
#define SLIPWAY_CONFIG_H

#include <slipway/array.h>
#include <slipway/error.h>

SW_BEGIN_DECLS

typedef struct sw_config sw_config;

enum sw_config_origin { SW_FROM_DEFAULT, SW_FROM_FILE, SW_FROM_ENV, SW_FROM_FLAG };

enum sw_config_type {
        SW_CONFIG_STRING,
        SW_CONFIG_BOOL,
        SW_CONFIG_INT,
        SW_CONFIG_DURATION,  /* Go syntax or integer seconds; value in ns */
        SW_CONFIG_DISKSPACE, /* integer bytes, "10GB", or "10%" of the disk */
        SW_CONFIG_LIST,      /* of strings */
        SW_CONFIG_MAP,       /* string to string, keys free */
};

/* One value in force. Borrowed from the config. */
struct sw_config_value {
        const char *key; /* dotted path */
        enum sw_config_type type;
        const char *text; /* as `explain` prints it; lists as YAML flow */
        enum sw_config_origin origin;
        const char *where; /* file path, "--root", "SLIPWAY_ROOT"; or "" */
        int line, column;  /* 1-based; 0 unless from a file */
        bool set;          /* false: no value and no default */
        const char *help;  /* one line, from the table */
};

/** sw_config_new - only defaults, those of the user who runs the program. A user without a
 *  home directory has none for "root". */
SW_API sw_config *sw_config_new(void);
SW_API void sw_config_free(sw_config *c);

/**
 * sw_config_load - read a YAML file on top of what is there.
 * @required: false: a missing file is fine.
 * Errors: SW_E_CONFIG, its message "FILE:LINE:COLUMN: KEY: what is wrong (did you mean
 * NEAR?)"; SW_E_NOT_FOUND; SW_E_IO. All mistakes of the file are reported, one message a
 * line, at most 20. On error the config is as it was before.
 */
SW_API SW_NODISCARD sw_err *sw_config_load(sw_config *c, const char *path, bool required);
/** sw_config_load_text - the same for text already read, @len bytes of it; @name stands for
 *  the path. Errors: SW_E_CONFIG. */
SW_API SW_NODISCARD sw_err *sw_config_load_text(sw_config *c, const char *name,
                                                const char *text, size_t len);
/** sw_config_load_env - the environment variables of the table (SLIPWAY_ROOT, …).
 *  @env: NULL-terminated "K=V". Errors: SW_E_CONFIG naming the variable. */
SW_API SW_NODISCARD sw_err *sw_config_load_env(sw_config *c, const char *const *env);
/** sw_config_set - one scalar, from a flag or the like; lists: repeated calls with the
 *  same @where append. Errors: SW_E_CONFIG naming @where. */
SW_API SW_NODISCARD sw_err *sw_config_set(sw_config *c, const char *key, const char *value,
                                          enum sw_config_origin origin, const char *where);

/** sw_config_key - a dotted path of the given parts, the last one NULL; parts that need
 *  quotes get them, so that they may come from outside. From malloc. */
SW_API char *sw_config_key(const char *part, ...) __attribute__((sentinel));

/* Getters: the key must be in the table and of that type (asserts); parts that are the
 * user's own names are looked up as given. An entry of a MAP is a STRING of its own:
 * worker.oci.labels."NAME". What is not set is NULL, false, 0 or an empty list. Results are
 * borrowed. Thread: any, once the config is filled. Errors: none. */
/** sw_config_has - whether a value is set, default included, or a table of the user's own
 *  names or list of tables is there. */
SW_API bool sw_config_has(const sw_config *c, const char *key);
SW_API const char *sw_config_str(const sw_config *c, const char *key);
SW_API bool sw_config_bool(const sw_config *c, const char *key);
SW_API int64_t sw_config_int(const sw_config *c, const char *key); /* INT, DURATION (ns) */
SW_API const sw_strlist *sw_config_list(const sw_config *c, const char *key); /* not NULL */
/** sw_config_diskspace - bytes; percentages are taken of @disk_total. */
SW_API int64_t sw_config_diskspace(const sw_config *c, const char *key, int64_t disk_total);
/** sw_config_names - the user's own names below a key, such as the hosts of "registry",
 *  the plugins of "plugins", "0", "1"… of an array of tables, or the entries of a MAP.
 *  Added to @out. */
SW_API void sw_config_names(const sw_config *c, const char *key, sw_strlist *out);
/** sw_config_value - one value with its origin; false when there is no such key. What is
 *  unset has the caller's @key as its key. */
SW_API bool sw_config_value(const sw_config *c, const char *key,
                            struct sw_config_value *out);
/** sw_config_each - every key in the order of the table, unset ones included. What @fn is
 *  given is borrowed until it returns. */
SW_API void sw_config_each(const sw_config *c,
                           void (*fn)(void *arg, const struct sw_config_value *v),
                           void *arg);

/* Options of plugins below "plugins": kept as written, checked by the host against the
 * plugin's descriptor. One entry per option; lists have several values. */
struct sw_config_option {
        const char *name;
        const char *const *values;
        size_t n_values;
        bool is_list; /* written as a YAML list */
        const char *where;
        int line, column;
};
/** sw_config_plugin - options given for @kind_slash_name; NULL and 0 when none. The
 *  reserved names "enabled" and "required" are left out. Borrowed. */
SW_API const struct sw_config_option *sw_config_plugin(const sw_config *c,
                                                       const char *kind_slash_name,
                                                       size_t *n);
/** Whether the plugin is switched off, or its failing must stop the program. */
SW_API bool sw_config_plugin_enabled(const sw_config *c, const char *kind_slash_name);
SW_API bool sw_config_plugin_required(const sw_config *c, const char *kind_slash_name);

SW_DEFINE_AUTOPTR(sw_config, sw_config_free)

SW_END_DECLS
#endif
