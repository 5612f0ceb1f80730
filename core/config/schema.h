/*
 * core/config/schema.h - the table of configuration keys.
 *
 * One row per key. The loader, the getters, the environment, `slipway config explain` and
 * the manual page all read this table; nothing else knows a key's name. Rows below one
 * table of the file stand together, which the walk of level.c relies on (a test checks).
 *
 * Paths are dotted. A part in double quotes holds dots itself, <NAME> stands for a name
 * of the user's own, [] for the index of an array of tables:
 *
 *      log.level    frontend."gateway.v0".enabled    registry.<HOST>.keypair.[].key
 */
#ifndef SLIPWAY_CORE_CONFIG_SCHEMA_H
#define SLIPWAY_CORE_CONFIG_SCHEMA_H

#include <slipway/config.h>

/* What a value must look like beyond its type. */
enum sw__config_check {
        SW__CHECK_ANY,        /* any text without NUL bytes */
        SW__CHECK_WORD,       /* not empty, no blanks, no control characters */
        SW__CHECK_LINE,       /* not empty, no control characters */
        SW__CHECK_CHOICE,     /* one of .choices */
        SW__CHECK_PATH,       /* absolute; from flags and environment made so */
        SW__CHECK_PROGRAM,    /* a name to be found in PATH, or an absolute path */
        SW__CHECK_ADDRESS,    /* SCHEME://…, of a scheme that can be listened on */
        SW__CHECK_HOSTPORT,   /* HOST:PORT or such an address */
        SW__CHECK_NAME,       /* [A-Za-z0-9][A-Za-z0-9._-]* */
        SW__CHECK_IP,         /* IPv4 or IPv6 address */
        SW__CHECK_CIDR,       /* address/prefix length */
        SW__CHECK_PLATFORM,   /* OS[/ARCH[/VARIANT]] */
        SW__CHECK_REPOSITORY, /* image repository without tag and digest */
        SW__CHECK_MIRROR,     /* HOST[:PORT][/PATH] */
        SW__CHECK_NATURAL,    /* number or duration >= 0 */
        SW__CHECK_POSITIVE,   /* > 0 */
        SW__CHECK_ID,         /* user or group id */
        SW__CHECK_WINDOWS,    /* known, refused: means something on Windows only */
        SW__CHECK_OPTION,     /* of a plugin: scalar or list, judged by the host */
        SW__CHECK_TREE,       /* a map whose nested tables become dotted names */
};

struct sw__config_key {
        const char *path; /* as above */
        enum sw_config_type type;
        const char *dflt;      /* as text, lists with commas; NULL: none */
        const char *dflt_user; /* of a user who is not root, $XDG_… expanded; NULL: dflt */
        const char *env;       /* environment variable, or NULL */
        const char *choices;   /* of SW__CHECK_CHOICE, separated by blanks; or NULL */
        const char *help;      /* one line, no full stop */
        enum sw__config_check check;
        bool needed; /* each entry of its array of tables must have it */
};

/** sw__config_schema - the rows, in the order they are documented. Static.
 *  Thread: any. */
SW_API const struct sw__config_key *sw__config_schema(size_t *n);

/** sw__config_default_path - the file that is read when none is named:
 *  $(sysconfdir)/slipway/slipway.yaml for root, $XDG_CONFIG_HOME/slipway/slipway.yaml for
 *  others. From malloc; NULL when the user has no home directory. Thread: any. */
SW_API char *sw__config_default_path(void);

#endif
