/*
 * core/config/internal.h - what the files of core/config share.
 *
 *      schema.c    the table of keys
 *      level.c     walking the table part by part; nearest keys
 *      keypath.c   dotted paths: reading, writing, resolving
 *      check.c     whether one scalar is what its key wants
 *      value.c     one value: items, number, text for `explain`
 *      yaml.c      YAML events with positions; what of YAML is refused
 *      load.c      events + table -> values
 *      default.c   defaults of this user
 *      config.c    the object, getters, environment, flags
 *      merge.c     laying one set of values over another
 *      plugin.c    options of plugins
 *      explain.c   listing every key
 *
 * Values are kept flat, in a map from the whole dotted path. Beside it a map from the
 * path of each table that holds the user's own names ("registry", "worker.oci.gcpolicy")
 * to the set of those names, so that they can be listed in the order written.
 */
#ifndef SLIPWAY_CORE_CONFIG_INTERNAL_H
#define SLIPWAY_CORE_CONFIG_INTERNAL_H

#include <slipway/map.h>
#include <slipway/text.h>

#include "core/config/schema.h"

#define SW__CONFIG_MAX_SIZE    ((size_t) 1 << 20)
#define SW__CONFIG_MAX_DEPTH   16
#define SW__CONFIG_MAX_ERRORS  20   /* told */
#define SW__CONFIG_MAX_COUNTED 1000 /* then reading stops */

/* ---- level.c: a place in the table ---- */

/* Rows [first, end) share their path up to offset off; a leaf has one row, all of it. */
struct sw__node {
        size_t first, end, off;
};

enum sw__node_kind {
        SW__NODE_LEAF,  /* a value */
        SW__NODE_TABLE, /* keys of the table, maybe names of the user's beside them */
        SW__NODE_NAMED, /* names of the user's own only */
        SW__NODE_ARRAY, /* list of tables */
};

struct sw__node sw__node_root(void);
enum sw__node_kind sw__node_kind(struct sw__node n);
/* The row of a leaf. */
const struct sw__config_key *sw__node_row(struct sw__node n);
/* A key of the table by its name, or else the place of the user's names: *user tells. */
bool sw__node_child(struct sw__node n, const char *name, struct sw__node *child,
                    bool *user);
/* Whether the path of a row has names of the user's own or indexes in it. */
bool sw__row_is_dynamic(const struct sw__config_key *row);
/* What the entries of an array are. */
struct sw__node sw__node_item(struct sw__node n);
/* The first part of the paths below @n, in words for messages: "HOST" of <HOST>. */
char *sw__node_part(struct sw__node n);
/* The next child after @prev (zeroed: the first); false at the end. */
bool sw__node_next(struct sw__node n, struct sw__node *child);
/* Whether the last part of the path of @n is of the table: not <NAME>, not []. */
bool sw__node_fixed(struct sw__node parent, struct sw__node child);
/* "unknown key …" for a name that is not below @n: nearest key here or elsewhere. */
SW_NODISCARD sw_err *sw__node_unknown(struct sw__node n, const char *name);
/* Whether @name can stand where the table has <HOST>, <KIND/NAME> or <OPTION>. */
SW_NODISCARD sw_err *sw__node_check_name(struct sw__node child, const char *name);

/* ---- keypath.c ---- */

/* Add a part to a dotted path. @user: always in quotes, as the user's own names are;
 * options of plugins, whose names are the plugin's, have them where needed only. */
void sw__keypath_add(sw_buf *path, const char *part, bool user);
/* Split into parts. Errors: SW_E_CONFIG. */
SW_API SW_NODISCARD sw_err *sw__keypath_split(const char *path, sw_strlist *parts);

/* What a path names. */
struct sw__target {
        struct sw__node node;
        sw_buf path;      /* as values are filed */
        sw_strlist names; /* the user's own and indexes: path of the table, name, … */
        char *entry; /* name of an entry, when the rest of the path was of a map; or NULL */
        bool in_array;     /* below an array of tables */
        bool ends_in_name; /* the last of names is the last part */
};
void sw__target_release(struct sw__target *t);
/* @check_names: refuse names of the user's own that a file could not have.
 * Errors: SW_E_CONFIG, with the nearest key. @t is released by the caller either way. */
SW_NODISCARD sw_err *sw__target_resolve(struct sw__target *t, const char *key,
                                        bool check_names);
typedef struct sw__target sw__target;
SW_DEFINE_AUTO(sw__target, sw__target_release)

/* ---- value.c, check.c ---- */

/* How a scalar was written. */
enum sw__style { SW__PLAIN, SW__QUOTED, SW__ARGUMENT };

struct sw__val {
        const struct sw__config_key *row;
        enum sw_config_type type; /* LIST for an option written as a list */
        char *key;                /* dotted path */
        sw_strlist items;         /* scalar: one; list: all; map: name, value, … */
        int64_t num;              /* BOOL, INT, DURATION, DISKSPACE */
        bool percent;             /* num is a share of the disk */
        char *text;               /* for `explain` */
        enum sw_config_origin origin;
        char *where;
        int line, column;
};

struct sw__val *sw__val_new(const struct sw__config_key *row, const char *key,
                            enum sw_config_origin origin, const char *where);
void sw__val_free(void *val);
/* Check one scalar and take it: the value, or one more item of a list. */
SW_NODISCARD sw_err *sw__val_add(struct sw__val *v, const char *s, size_t len,
                                 enum sw__style style);
/* One more entry of a map. */
SW_NODISCARD sw_err *sw__val_add_pair(struct sw__val *v, const char *name, const char *s,
                                      size_t len, enum sw__style style);
/* The value of an entry of a map, or NULL. */
const char *sw__val_entry(const struct sw__val *v, const char *name);
/* Write text anew after the last item. */
void sw__val_finish(struct sw__val *v);

/* Check @s against @row; number and percent for the types that have them. @out: the text
 * to keep, from malloc. Errors: SW_E_CONFIG, saying what is wrong but not where. */
SW_NODISCARD sw_err *sw__check_scalar(const struct sw__config_key *row,
                                      enum sw_config_type type, const char *s,
                                      enum sw__style style, struct sw__val *v, char **out);
/* Whether @s consists of letters, digits and those of @more, and is not empty. */
bool sw__made_of(const char *s, const char *more);
/* Whether @s is [A-Za-z0-9][A-Za-z0-9._-]*. */
bool sw__check_name(const char *s);

/* ---- yaml.c ---- */

/* Mistakes of one file, a line each; behind the first SW__CONFIG_MAX_ERRORS their number.
 */
struct sw__report {
        const char *name; /* of the file */
        sw_buf lines;
        size_t n;   /* also of those that are not told */
        bool nomem; /* libyaml ran out of memory: the mistakes do not matter */
};
void sw__report_add(struct sw__report *r, int line, int column, const char *key,
                    sw_err *err); /* err: given */
void sw__report_too_large(struct sw__report *r);
/* The report as one error; SW_OK when empty. Releases it. */
SW_NODISCARD sw_err *sw__report_take(struct sw__report *r);

struct sw__yaml;

enum sw__event { SW__EV_SCALAR, SW__EV_LIST, SW__EV_MAP, SW__EV_END, SW__EV_ALIAS };

/* The event at hand; borrowed until the next one. */
struct sw__event_info {
        enum sw__event type;
        const char *text; /* of a scalar */
        size_t len;
        enum sw__style style;
        bool null; /* nothing, ~ or null */
        int line, column;
};

/* @text: borrowed until free. Mistakes go to @r. */
struct sw__yaml *sw__yaml_new(const char *text, size_t len, struct sw__report *r);
void sw__yaml_free(struct sw__yaml *y);
/* First event of the document; false when there is none or it cannot be read. */
bool sw__yaml_begin(struct sw__yaml *y);
/* The next event; false when the file cannot be read on. @key: for messages. */
bool sw__yaml_next(struct sw__yaml *y, const char *key);
const struct sw__event_info *sw__yaml_event(const struct sw__yaml *y);
/* Report the value at hand. When what follows shows that this value was not even valid
 * YAML, only that is told: it is one mistake. @err: given. */
void sw__yaml_complain(struct sw__yaml *y, const char *key, sw_err *err);
/* Pass over what begins with the event at hand. */
void sw__yaml_skip(struct sw__yaml *y, const char *key);
/* After the document: nothing may follow. */
void sw__yaml_finish(struct sw__yaml *y);
typedef struct sw__yaml sw__yaml;
SW_DEFINE_AUTOPTR(sw__yaml, sw__yaml_free)

/* ---- config.c, load.c, merge.c, default.c, plugin.c ---- */

struct sw_config {
        sw_map *vals;    /* dotted path -> struct sw__val */
        sw_map *names;   /* path of a table -> sw_map of names, the values mean nothing */
        sw_map *plugins; /* KIND/NAME -> options, made from vals */
};

/* Without defaults. */
SW_API sw_config *sw__config_empty(void);
/* File a value (given) that is not there yet. */
void sw__config_put(sw_config *c, struct sw__val *v);
/* Note a name of the user's own below @path. */
void sw__config_name(sw_config *c, const char *path, const char *name);
/* Note a table that may hold names. */
sw_map *sw__config_names_of(sw_config *c, const char *path);
/* Read a whole file into an empty config. */
void sw__config_read(sw_config *into, const char *text, size_t len, struct sw__report *r);
/* Lay @over (given) upon @c; later origins win. */
void sw__config_merge(sw_config *c, sw_config *over);
/* The defaults of this user. */
void sw__config_defaults(sw_config *c);
/* Make the options of plugins anew from the values. */
void sw__config_index_plugins(sw_config *c);
void sw__plugin_options_free(void *options);

#endif
