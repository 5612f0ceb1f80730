/*
 * slipway/llbstate.h - states: trees still to be made, and the values of commands on them.
 *
 * Part of slipway/llb.h, which says what holds everywhere: ownership, threads, errors.
 */
#ifndef SLIPWAY_LLBSTATE_H
#define SLIPWAY_LLBSTATE_H

#include <slipway/array.h>
#include <slipway/platform.h>

SW_BEGIN_DECLS

typedef struct sw_state sw_state;           /* counted, immutable */
typedef struct sw_source_map sw_source_map; /* counted: a text that vertices come from */

/** sw_state_ref - one more reference to @s, which is returned. */
SW_API sw_state *sw_state_ref(const sw_state *s);
/** sw_state_unref - @s: given; NULL is allowed. Graphs of any depth. */
SW_API void sw_state_unref(sw_state *s);
SW_DEFINE_AUTOPTR(sw_state, sw_state_unref)

/* Let @s be @next (given) instead: sw_state_replace(&s, sw_state_dir(s, "/x")). */
static inline void
sw_state_replace(sw_state **s, sw_state *next)
{
        sw_state_unref(*s);
        *s = next;
}

/* ---- What any vertex may be given ---- */

struct sw_llb_pair {
        const char *key, *value;
};

enum sw_llb_export_cache {
        SW_LLB_EXPORT_CACHE_DEFAULT = 0,
        SW_LLB_EXPORT_CACHE_ON,
        SW_LLB_EXPORT_CACHE_OFF,
};

struct sw_llb_progress_group {
        const char *id, *name;
        bool weak;
};

/* Limits for a command; 0 and NULL leave things alone. Not part of the cache key. */
struct sw_llb_resources {
        int64_t memory, memory_swap; /* bytes; memory_swap may be -1 */
        uint64_t cpu_shares, cpu_period;
        int64_t cpu_quota;
        const char *cpuset_cpus, *cpuset_mems;
};

/* Places in a source map; lines count from 1, characters from 0. */
struct sw_llb_range {
        int32_t start_line, start_character, end_line, end_character;
};
struct sw_llb_location {
        sw_source_map *map;
        const struct sw_llb_range *ranges;
        size_t n_ranges;
};

/* Given to a vertex they hold for that vertex; given to sw_state_marshal() they hold for
 * all, and a vertex's own go first. */
struct sw_llb_opts {
        uint32_t size;
        bool ignore_cache;           /* run even when the cache has it */
        const sw_platform *platform; /* used as it is; see sw_platform_normalize() */
        const char *name;            /* shown instead of the op: "llb.customname" */
        const struct sw_llb_pair *description;
        size_t n_description;
        const char *const *filters; /* what a worker must match */
        enum sw_llb_export_cache export_cache;
        const struct sw_llb_progress_group *group;
        const struct sw_llb_resources *resources; /* commands only */
        const struct sw_llb_location *locations;
        size_t n_locations;
        const char *local_unique; /* local sources without a session; default: random */
        /* sw_state_marshal() only: the capabilities of the daemon that will build; NULL
         * when not known. */
        const char *const *caps;
};
#define SW_LLB_OPTS(...)                                                                   \
        (&(const struct sw_llb_opts){ .size = sizeof(struct sw_llb_opts), __VA_ARGS__ })

/**
 * sw_source_map_new - a text that vertices come from, for error messages.
 * @language: a name that linguist knows ("Dockerfile"); "" when there is none.
 * @state:    the tree that has the file, marshalled along with what refers to it; or NULL.
 */
SW_API sw_source_map *sw_source_map_new(const char *filename, const char *language,
                                        const void *data, size_t len,
                                        const sw_state *state);
/** sw_source_map_ref - one more reference to @m, which is returned. */
SW_API sw_source_map *sw_source_map_ref(sw_source_map *m);
/** sw_source_map_unref - @m: given; NULL is allowed. */
SW_API void sw_source_map_unref(sw_source_map *m);
SW_DEFINE_AUTOPTR(sw_source_map, sw_source_map_unref)

/* ---- Values ---- */

/** sw_state_env - set a variable for later commands; set again, it moves to the end. */
SW_API sw_state *sw_state_env(const sw_state *s, const char *key, const char *value);
/** sw_state_unset - take a variable away. */
SW_API sw_state *sw_state_unset(const sw_state *s, const char *key);
/** sw_state_dir - working directory; a relative one starts at the one before. */
SW_API sw_state *sw_state_dir(const sw_state *s, const char *dir);
/** sw_state_user - "name", "uid", "uid:gid", "name:group". */
SW_API sw_state *sw_state_user(const sw_state *s, const char *user);
/** sw_state_hostname - of the containers of later commands. */
SW_API sw_state *sw_state_hostname(const sw_state *s, const char *name);
/** sw_state_cgroup_parent - the cgroup below which later commands run. */
SW_API sw_state *sw_state_cgroup_parent(const sw_state *s, const char *path);
/** sw_state_platform - normalized; for this state's commands and what is made of them. */
SW_API sw_state *sw_state_platform(const sw_state *s, const sw_platform *p);

enum sw_llb_network {
        SW_LLB_NETWORK_SANDBOX = 0,
        SW_LLB_NETWORK_HOST = 1,
        SW_LLB_NETWORK_NONE = 2,
};
enum sw_llb_security {
        SW_LLB_SECURITY_SANDBOX = 0,
        SW_LLB_SECURITY_INSECURE = 1,
};
/** sw_state_network, sw_state_security - what later commands run with; all but the first of
 *  each needs an entitlement of the build, save SW_LLB_NETWORK_NONE. */
SW_API sw_state *sw_state_network(const sw_state *s, enum sw_llb_network mode);
SW_API sw_state *sw_state_security(const sw_state *s, enum sw_llb_security mode);

/** sw_state_add_host - a line of /etc/hosts. @ip: IPv4 or IPv6. */
SW_API SW_NODISCARD sw_err *sw_state_add_host(const sw_state *s, const char *host,
                                              const char *ip, sw_state **out);
/** sw_state_ulimit - @name: "nofile", "nproc" and so on; -1 is no limit. */
SW_API SW_NODISCARD sw_err *sw_state_ulimit(const sw_state *s, const char *name,
                                            int64_t soft, int64_t hard, sw_state **out);
/** sw_state_set - a value of the caller's own. @key: "owner.name". */
SW_API sw_state *sw_state_set(const sw_state *s, const char *key, const char *value);

/** sw_state_reset - the tree of @s with the values of @other, but directory "/" (the
 *  platform of @s stays when its vertex was given one; then @other's directory holds). */
SW_API sw_state *sw_state_reset(const sw_state *s, const sw_state *other);
/** sw_state_bare - the tree of @s with no values but directory "/". */
SW_API sw_state *sw_state_bare(const sw_state *s);

/** sw_state_image_config - environment, directory and platform of an image configuration
 *  (JSON) as values. */
SW_API SW_NODISCARD sw_err *sw_state_image_config(const sw_state *s, const char *json,
                                                  size_t len, sw_state **out);

/**
 * A function that makes a state when it is needed.
 * @s:    the state that sw_state_late() was given; borrowed.
 * @opts: the constraints of the marshalling or of the question; platform is set.
 * @out:  handed back.
 *        May not be made of the late state itself, which would have no end.
 * Called once per marshalling, from its thread; several may run at once.
 */
typedef sw_err *(*sw_late_fn)(void *arg, const sw_state *s, const struct sw_llb_opts *opts,
                              sw_state **out);

/** sw_state_late - a state that @fn makes of @s. @free_arg is called with @arg when nothing
 *  refers to the state any more; may be NULL. */
SW_API sw_state *sw_state_late(const sw_state *s, sw_late_fn fn, void *arg,
                               void (*free_arg)(void *));

/* ---- Questions ---- */

/* @opts as for sw_state_marshal(); late functions are called. *out is handed
 * back, from malloc. */
/** sw_state_get_env - NULL when the variable is not set. */
SW_API SW_NODISCARD sw_err *sw_state_get_env(const sw_state *s, const char *key,
                                             const struct sw_llb_opts *opts, char **out);
/** sw_state_get_env_list - adds "key=value" in order. */
SW_API SW_NODISCARD sw_err *sw_state_get_env_list(const sw_state *s,
                                                  const struct sw_llb_opts *opts,
                                                  sw_strlist *out);
/** sw_state_get_dir - absolute; "" when none was set. */
SW_API SW_NODISCARD sw_err *sw_state_get_dir(const sw_state *s,
                                             const struct sw_llb_opts *opts, char **out);
/** sw_state_get_user, _hostname - "" when not set. */
SW_API SW_NODISCARD sw_err *sw_state_get_user(const sw_state *s,
                                              const struct sw_llb_opts *opts, char **out);
SW_API SW_NODISCARD sw_err *sw_state_get_hostname(const sw_state *s,
                                                  const struct sw_llb_opts *opts,
                                                  char **out);
/** sw_state_get_platform - NULL when no state below says. */
SW_API SW_NODISCARD sw_err *sw_state_get_platform(const sw_state *s,
                                                  const struct sw_llb_opts *opts,
                                                  sw_platform **out);
/** sw_state_get_network, _security - the first of each when none was set. */
SW_API SW_NODISCARD sw_err *sw_state_get_network(const sw_state *s,
                                                 const struct sw_llb_opts *opts,
                                                 enum sw_llb_network *out);
SW_API SW_NODISCARD sw_err *sw_state_get_security(const sw_state *s,
                                                  const struct sw_llb_opts *opts,
                                                  enum sw_llb_security *out);
/** sw_state_get - what sw_state_set() stored; NULL when nothing. */
SW_API SW_NODISCARD sw_err *sw_state_get(const sw_state *s, const char *key,
                                         const struct sw_llb_opts *opts, char **out);

SW_END_DECLS
#endif
