/*
 * lib/dockerfile/config.h - what is asked of the frontend: its options, checked.
 *
 * Reference section 2. Options that nobody knows are left alone: clients send some for
 * others. Pure; a config is read-only once made, and may be used by several threads.
 */
#ifndef SLIPWAY_LIB_DOCKERFILE_CONFIG_H
#define SLIPWAY_LIB_DOCKERFILE_CONFIG_H

#include <slipway/exporter.h> /* struct sw_attr */
#include <slipway/llb.h>

#include "lib/dockerfile/imageconf.h"
#include "lib/dockerfile/lint.h"

struct sw_df_host {
        const char *name, *ip;
};

struct sw_df_ulimit {
        const char *name;
        int64_t soft, hard;
};

typedef struct sw_df_config {
        const struct sw_attr *opts; /* as given; borrowed */
        size_t n_opts;
        struct sw_df_table build_args, labels;
        const char *target; /* "": the last stage */
        const sw_platform **platforms;
        size_t n_platforms; /* 0: none was asked for */
        const sw_platform *build_platform;
        bool multi_platform; /* names of steps tell the platform, the result is a map */
        enum sw_llb_resolve resolve;
        enum sw_llb_network network;
        const struct sw_df_host *hosts;
        size_t n_hosts;
        const struct sw_df_ulimit *ulimits;
        size_t n_ulimits;
        int64_t shm_size;                     /* bytes; 0: not given */
        const char *hostname, *cgroup_parent; /* "": not given */
        struct sw_llb_resources resources;
        bool has_resources;
        bool no_cache; /* the cache is ignored, at least by some stages */
        struct sw_df_list no_cache_stages; /* these; none: by all */
        const char *cache_namespace;       /* of cache mounts; "" */
        const char *check;                 /* lint options instead of the text's; or NULL */
        struct sw_df_arena *arena;         /* private */
} sw_df_config;

/**
 * sw_df_config_new - check options.
 * @opts: borrowed until sw_df_config_free().
 * @build: platforms that can be built for, best first; NULL-ended; one at least.
 * Errors: SW_E_INVALID, naming the option; SW_E_UNSUPPORTED (attestations of a kind that is
 * not made here).
 */
SW_NODISCARD sw_err *sw_df_config_new(const struct sw_attr *opts, size_t n_opts,
                                      const sw_platform *const *build, sw_df_config **out);
void sw_df_config_free(sw_df_config *c); /* NULL is fine */
SW_DEFINE_AUTOPTR(sw_df_config, sw_df_config_free)

/** sw_df_config_get - an option's value as given, or NULL. */
const char *sw_df_config_get(const sw_df_config *c, const char *key);
/** sw_df_config_ignores_cache - for a stage of this name ("": it has none). */
bool sw_df_config_ignores_cache(const sw_df_config *c, const char *stage);

/** sw_df_platform_text - as the reference names platforms: "linux/arm/v7", and with a
 *  version or features of the system "windows(10.0.1)/amd64". In the arena. */
const char *sw_df_platform_text(struct sw_df_arena *a, const sw_platform *p);
/** sw_df_platform_copy - in the arena. */
const sw_platform *sw_df_platform_copy(struct sw_df_arena *a, const sw_platform *p);

#endif
