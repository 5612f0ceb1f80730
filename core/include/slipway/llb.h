/*
 * slipway/llb.h - the state builder: makes definitions, the graphs that slipway builds.
 *
 * A *state* is a tree of files still to be made (an output of a vertex, or nothing:
 * scratch) and the values that later commands on it start with: environment, directory,
 * user and so on. States are immutable. Every function makes a new one over an old one, so
 * that a state may be the base of any number of others:
 *
 *      sw_autoptr(sw_state) base = NULL;
 *      sw_autoptr(sw_state) work = NULL;
 *      sw_autoptr(sw_state) built = NULL;
 *      sw_autoptr(sw_run) run = NULL;
 *      sw_auto(sw_buf) def = SW_BUF_INIT;
 *
 *      err = sw_llb_image("alpine", NULL, NULL, &base);
 *      ...
 *      work = sw_state_dir(base, "/src");
 *      run = sw_run_new(work);
 *      err = sw_run_command(run, "make -j2");
 *      ...
 *      err = sw_run_end(run, SW_LLB_OPTS(.name = "compile"), &built);
 *      ...
 *      err = sw_state_marshal(built, NULL, &def);
 *
 * Nothing is looked up while a graph is put together. Values are resolved when the state is
 * marshalled, against the constraints given then: the platform, what the daemon can do. So
 * one state can be marshalled for several platforms. A part that can only be known then is
 * made by a function: sw_state_late().
 *
 * Definitions equal, byte for byte in every op, those that BuildKit's Go client makes of
 * the same graph; maps are written sorted.
 *
 * Strings are UTF-8, which is looked at when the state is marshalled.
 *
 * Ownership: states are counted. States, strings and arrays passed in are borrowed until
 * return; results are handed back. Lists of strings end with NULL.
 * Threads: states, source maps and bound file actions may be used by several threads at
 * once. sw_run and sw_files belong to one thread at a time.
 * Structs of options start with their size, which the macro beside each fills in; they
 * grow at the end only. NULL instead of one means all defaults.
 * Errors everywhere: SW_E_INVALID (bad references, URLs, paths, numbers),
 * SW_E_UNSUPPORTED (an option that this library is too old for), SW_E_LIMIT.
 * Blocks: no, but for what a function given to sw_state_late() does.   Since: 0.1
 */
#ifndef SLIPWAY_LLB_H
#define SLIPWAY_LLB_H

#include <slipway/array.h>
#include <slipway/buf.h>
#include <slipway/platform.h>

SW_BEGIN_DECLS

typedef struct sw_state sw_state;           /* counted, immutable */
typedef struct sw_run sw_run;               /* a command being described */
typedef struct sw_files sw_files;           /* file actions being described */
typedef struct sw_bound sw_bound;           /* counted: file actions on a state */
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
SW_API sw_source_map *sw_source_map_ref(sw_source_map *m);
SW_API void sw_source_map_unref(sw_source_map *m);
SW_DEFINE_AUTOPTR(sw_source_map, sw_source_map_unref)

/* ---- Sources ---- */

/** sw_llb_scratch - the empty tree. */
SW_API sw_state *sw_llb_scratch(void);

/** sw_llb_source - any source by its identifier, "scheme://ref", for schemes that this
 *  header does not know. @attrs: unique keys. */
SW_API SW_NODISCARD sw_err *sw_llb_source(const char *identifier,
                                          const struct sw_llb_pair *attrs, size_t n_attrs,
                                          const struct sw_llb_opts *opts, sw_state **out);

enum sw_llb_resolve {
        SW_LLB_RESOLVE_DEFAULT = 0,
        SW_LLB_RESOLVE_PULL,  /* ask the registry */
        SW_LLB_RESOLVE_LOCAL, /* take what the daemon has, if it has it */
};

/**
 * A function that finds the configuration of an image.
 * @name:     normalized; a result for another platform is an error.
 * @config:   JSON; handed back, from malloc.
 * @digest:   of the manifest, handed back, or NULL when not known.
 */
typedef sw_err *(*sw_llb_resolver)(void *arg, const char *name, const sw_platform *platform,
                                   enum sw_llb_resolve mode, char **config, char **digest);

struct sw_llb_image {
        uint32_t size;
        enum sw_llb_resolve resolve;
        bool internal;        /* not a record of its own in the history of uses */
        int layer_limit;      /* only that many layers from the bottom; 0: all */
        const char *checksum; /* digest the root descriptor must have */
        /* Called late: environment, directory and platform come from the configuration. */
        sw_llb_resolver resolver;
        void *resolver_arg;  /* must live as long as the state */
        bool resolve_digest; /* and the name gets the digest found */
};
#define SW_LLB_IMAGE(...)                                                                  \
        (&(const struct sw_llb_image){ .size = sizeof(struct sw_llb_image), __VA_ARGS__ })

/** sw_llb_image - an image of a registry. @name: as docker pull takes it: "alpine",
 *  "ghcr.io/o/app:v1@sha256:…". */
SW_API SW_NODISCARD sw_err *sw_llb_image(const char *name, const struct sw_llb_image *image,
                                         const struct sw_llb_opts *opts, sw_state **out);

struct sw_llb_oci_layout {
        uint32_t size;
        const char *session, *store; /* whose layout, and its id there */
        int layer_limit;
};
#define SW_LLB_OCI_LAYOUT(...)                                                             \
        (&(const struct sw_llb_oci_layout){ .size = sizeof(struct sw_llb_oci_layout),      \
                                            __VA_ARGS__ })

/** sw_llb_oci_layout - an image in an OCI layout of the client. @ref: "name@digest" or
 *  "name:tag", used as it is. */
SW_API SW_NODISCARD sw_err *sw_llb_oci_layout(const char *ref,
                                              const struct sw_llb_oci_layout *layout,
                                              const struct sw_llb_opts *opts,
                                              sw_state **out);

/* A file made of one blob. */
struct sw_llb_blob {
        uint32_t size;
        const char *filename; /* default: the digest's hexadecimal part */
        int perm;             /* default 0600 */
        int uid, gid;
        const char *session, *store; /* OCI layouts only */
};
#define SW_LLB_BLOB(...)                                                                   \
        (&(const struct sw_llb_blob){ .size = sizeof(struct sw_llb_blob), __VA_ARGS__ })

/** sw_llb_image_blob, sw_llb_oci_layout_blob - one blob, by "name@digest" without tag. */
SW_API SW_NODISCARD sw_err *sw_llb_image_blob(const char *ref,
                                              const struct sw_llb_blob *blob,
                                              const struct sw_llb_opts *opts,
                                              sw_state **out);
SW_API SW_NODISCARD sw_err *sw_llb_oci_layout_blob(const char *ref,
                                                   const struct sw_llb_blob *blob,
                                                   const struct sw_llb_opts *opts,
                                                   sw_state **out);

enum sw_llb_differ {
        SW_LLB_DIFFER_DEFAULT = 0,
        SW_LLB_DIFFER_NONE,
        SW_LLB_DIFFER_METADATA,
};

struct sw_llb_local {
        uint32_t size;
        const char *const *include, *const *exclude, *const *follow;
        const char *session; /* id; without one, the vertex gets a random attribute */
        const char *shared_key_hint;
        enum sw_llb_differ differ;
        bool differ_required; /* fail with a daemon that does not know it */
        bool metadata_only;
        const char *const *metadata_exceptions; /* sent whole nevertheless */
};
#define SW_LLB_LOCAL(...)                                                                  \
        (&(const struct sw_llb_local){ .size = sizeof(struct sw_llb_local), __VA_ARGS__ })

/** sw_llb_local - a directory of the client, by the name it offers it under. */
SW_API SW_NODISCARD sw_err *sw_llb_local(const char *name, const struct sw_llb_local *local,
                                         const struct sw_llb_opts *opts, sw_state **out);

struct sw_llb_git {
        uint32_t size;
        const char *ref, *subdir; /* go before those of the fragment */
        bool keep_git_dir;
        bool skip_submodules;
        bool fetch_by_commit;
        bool checkout_bundle;
        const char *checksum;    /* commit or tag object, or the start of it */
        const char *mtime;       /* "checkout" or "commit" */
        const char *auth_token;  /* names of secrets; NULL: GIT_AUTH_TOKEN and */
        const char *auth_header; /* GIT_AUTH_HEADER; "": none */
        const char *known_hosts; /* for ssh: text of a known_hosts file; never looked up */
        const char *ssh;         /* id of the agent, for ssh; default "default" */
        const char *bundle;      /* "docker-image+blob://…" or "oci-layout+blob://…" */
        const char *bundle_session, *bundle_store;
        const char *sig_pubkey; /* keys the tag or commit must be signed with */
        bool sig_reject_expired, sig_require_tag, sig_ignore_tag;
};
#define SW_LLB_GIT(...)                                                                    \
        (&(const struct sw_llb_git){ .size = sizeof(struct sw_llb_git), __VA_ARGS__ })

/**
 * sw_llb_git - a git repository.
 * @url:      http, https, ssh or git URL, "user@host:path", or "host/path" for https. A
 *            fragment or query in it is an error: branches go to @fragment.
 * @fragment: "ref", "ref:subdir", ":subdir", ""; or NULL.
 */
SW_API SW_NODISCARD sw_err *sw_llb_git(const char *url, const char *fragment,
                                       const struct sw_llb_git *git,
                                       const struct sw_llb_opts *opts, sw_state **out);

struct sw_llb_http {
        uint32_t size;
        const char *checksum; /* digest of the content */
        const char *filename;
        int perm; /* default 0600 */
        int uid, gid;
        const char *auth_header; /* name of a secret */
        const char *accept, *user_agent;
        const char *sig_pubkey, *signature; /* armored, detached */
};
#define SW_LLB_HTTP(...)                                                                   \
        (&(const struct sw_llb_http){ .size = sizeof(struct sw_llb_http), __VA_ARGS__ })

/** sw_llb_http - one file of a web server. @url: http or https. */
SW_API SW_NODISCARD sw_err *sw_llb_http(const char *url, const struct sw_llb_http *http,
                                        const struct sw_llb_opts *opts, sw_state **out);

/* ---- Values ---- */

/** sw_state_env - set a variable for later commands; set again, it moves to the end. */
SW_API sw_state *sw_state_env(const sw_state *s, const char *key, const char *value);
/** sw_state_unset - take a variable away. */
SW_API sw_state *sw_state_unset(const sw_state *s, const char *key);
/** sw_state_dir - working directory; a relative one starts at the one before. */
SW_API sw_state *sw_state_dir(const sw_state *s, const char *dir);
/** sw_state_user - "name", "uid", "uid:gid", "name:group". */
SW_API sw_state *sw_state_user(const sw_state *s, const char *user);
SW_API sw_state *sw_state_hostname(const sw_state *s, const char *name);
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

/* Questions. @opts as for sw_state_marshal(); late functions are called. *out is handed
 * back, from malloc. */
/** sw_state_get_env - NULL when the variable is not set. */
SW_API SW_NODISCARD sw_err *sw_state_get_env(const sw_state *s, const char *key,
                                             const struct sw_llb_opts *opts, char **out);
/** sw_state_get_env_list - adds "key=value" in order. */
SW_API SW_NODISCARD sw_err *sw_state_get_env_list(const sw_state *s,
                                                  const struct sw_llb_opts *opts,
                                                  sw_strlist *out);
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
SW_API SW_NODISCARD sw_err *sw_state_get_network(const sw_state *s,
                                                 const struct sw_llb_opts *opts,
                                                 enum sw_llb_network *out);
SW_API SW_NODISCARD sw_err *sw_state_get_security(const sw_state *s,
                                                  const struct sw_llb_opts *opts,
                                                  enum sw_llb_security *out);
/** sw_state_get - what sw_state_set() stored; NULL when nothing. */
SW_API SW_NODISCARD sw_err *sw_state_get(const sw_state *s, const char *key,
                                         const struct sw_llb_opts *opts, char **out);

/* ---- Commands ---- */

/** sw_run_new - describe a command on @s. */
SW_API sw_run *sw_run_new(const sw_state *s);
SW_API void sw_run_free(sw_run *r);
SW_DEFINE_AUTOPTR(sw_run, sw_run_free)

/** sw_run_args - program and arguments; the last call counts. */
SW_API void sw_run_args(sw_run *r, const char *const *args);
/** sw_run_command - the same from one line, split as a shell splits words: quotes,
 *  backslashes, comments; nothing is expanded. Errors: SW_E_INVALID for an open quote. */
SW_API SW_NODISCARD sw_err *sw_run_command(sw_run *r, const char *line);
/** sw_run_in - values and root of this command come from @s; the result still has the
 *  values of the state the run was made with. */
SW_API void sw_run_in(sw_run *r, const sw_state *s);
SW_API void sw_run_readonly_root(sw_run *r);
SW_API SW_NODISCARD sw_err *sw_run_valid_exit_codes(sw_run *r, const int *codes, size_t n);

struct sw_llb_proxy {
        uint32_t size;
        const char *http, *https, *ftp, *no, *all;
};
#define SW_LLB_PROXY(...)                                                                  \
        (&(const struct sw_llb_proxy){ .size = sizeof(struct sw_llb_proxy), __VA_ARGS__ })
/** sw_run_proxy - variables that are no part of the cache key. */
SW_API SW_NODISCARD sw_err *sw_run_proxy(sw_run *r, const struct sw_llb_proxy *proxy);

/** sw_run_device - a device by its CDI name, "vendor.com/class=name". */
SW_API SW_NODISCARD sw_err *sw_run_device(sw_run *r, const char *name, bool optional);

enum sw_llb_content_cache {
        SW_LLB_CONTENT_CACHE_DEFAULT = 0,
        SW_LLB_CONTENT_CACHE_ON,
        SW_LLB_CONTENT_CACHE_OFF,
};
enum sw_llb_sharing {
        SW_LLB_SHARED = 0,
        SW_LLB_PRIVATE = 1,
        SW_LLB_LOCKED = 2,
};

struct sw_llb_mount {
        uint32_t size;
        const char *selector; /* path in the source to mount instead of all of it */
        bool readonly;
        bool no_output; /* what is written is thrown away */
        enum sw_llb_content_cache content_cache;
        const char *cache_id; /* a directory kept between builds */
        enum sw_llb_sharing sharing;
        bool tmpfs;
        int64_t tmpfs_size; /* bytes; 0: no limit */
};
#define SW_LLB_MOUNT(...)                                                                  \
        (&(const struct sw_llb_mount){ .size = sizeof(struct sw_llb_mount), __VA_ARGS__ })

/** sw_run_mount - mount @source at @dest (not "/"). @source: NULL is scratch, which a tmpfs
 *  must have. */
SW_API SW_NODISCARD sw_err *sw_run_mount(sw_run *r, const char *dest,
                                         const sw_state *source,
                                         const struct sw_llb_mount *mount);

struct sw_llb_secret {
        uint32_t size;
        const char *id;     /* default: @target, else @env */
        const char *target; /* file; or NULL */
        const char *env;    /* variable; or NULL */
        uint32_t uid, gid;
        uint32_t mode; /* default 0400 */
        bool optional;
};
#define SW_LLB_SECRET(...)                                                                 \
        (&(const struct sw_llb_secret){                                                    \
                .size = sizeof(struct sw_llb_secret), .mode = 0400, __VA_ARGS__ })
/** sw_run_secret - a secret as a file, a variable or both. */
SW_API SW_NODISCARD sw_err *sw_run_secret(sw_run *r, const struct sw_llb_secret *secret);

struct sw_llb_ssh {
        uint32_t size;
        const char *id;     /* of the agent; "" is the default one */
        const char *target; /* socket; default: /run/buildkit/ssh_agent.N, N from 0 */
        uint32_t uid, gid;
        uint32_t mode; /* default 0600 */
        bool optional;
};
#define SW_LLB_SSH(...)                                                                    \
        (&(const struct sw_llb_ssh){                                                       \
                .size = sizeof(struct sw_llb_ssh), .mode = 0600, __VA_ARGS__ })
/** sw_run_ssh - the client's ssh agent. The first one's socket becomes SSH_AUTH_SOCK when
 *  that is not set. */
SW_API SW_NODISCARD sw_err *sw_run_ssh(sw_run *r, const struct sw_llb_ssh *ssh);

/**
 * sw_run_end - the description is complete.
 * @root: the root file system after the command, with the values of the state the run was
 *        made with; as before it, when it is readonly.
 * Errors: SW_E_INVALID without arguments. After it, @r only answers sw_run_result().
 */
SW_API SW_NODISCARD sw_err *sw_run_end(sw_run *r, const struct sw_llb_opts *opts,
                                       sw_state **root);
/** sw_run_result - what is mounted at @dest after the command, with the values of its
 *  source. Errors: SW_E_NOT_FOUND; SW_E_INVALID for mounts that leave nothing behind
 *  (tmpfs, cache, no_output). */
SW_API SW_NODISCARD sw_err *sw_run_result(const sw_run *r, const char *dest,
                                          sw_state **out);

/* ---- Files ---- */

/* Whom a file belongs to: "user", "uid", "user:group", "uid:gid"; NULL: root, for a copy
 * the source's owner. Names are looked up in the tree that is written to. */

struct sw_llb_file {
        uint32_t size;
        const char *owner;
        bool has_time;
        int64_t time; /* ns since the epoch, with has_time */
        bool parents; /* mkdir: make missing parents; fine when it is there */
};
#define SW_LLB_FILE(...)                                                                   \
        (&(const struct sw_llb_file){ .size = sizeof(struct sw_llb_file), __VA_ARGS__ })

struct sw_llb_rm {
        uint32_t size;
        bool allow_missing;
        bool wildcard; /* the path is a pattern */
};
#define SW_LLB_RM(...)                                                                     \
        (&(const struct sw_llb_rm){ .size = sizeof(struct sw_llb_rm), __VA_ARGS__ })

struct sw_llb_copy {
        uint32_t size;
        const char *owner;
        bool has_mode;
        uint32_t mode;        /* with has_mode; otherwise the source's */
        const char *mode_str; /* "u+rwX,go=": goes before mode */
        bool has_time;
        int64_t time; /* ns since the epoch, with has_time; otherwise the source's */
        bool follow_symlink;
        bool contents_only; /* of a directory: what is in it, not itself */
        bool unpack;        /* archives are unpacked */
        bool make_parents;  /* missing parents of the destination are made */
        bool wildcard;      /* the source is a pattern */
        bool allow_empty_wildcard;
        bool always_replace;
        const char *const *include, *const *exclude, *const *required;
};
#define SW_LLB_COPY(...)                                                                   \
        (&(const struct sw_llb_copy){ .size = sizeof(struct sw_llb_copy), __VA_ARGS__ })

/** sw_files_new - an empty list of actions; each function adds one that works on what the
 *  ones before made. Relative paths start at the directory of the state they end up on. */
SW_API sw_files *sw_files_new(void);
SW_API void sw_files_free(sw_files *f);
SW_DEFINE_AUTOPTR(sw_files, sw_files_free)

SW_API SW_NODISCARD sw_err *sw_files_mkdir(sw_files *f, const char *path, uint32_t mode,
                                           const struct sw_llb_file *file);
SW_API SW_NODISCARD sw_err *sw_files_mkfile(sw_files *f, const char *path, uint32_t mode,
                                            const void *data, size_t len,
                                            const struct sw_llb_file *file);
/** sw_files_symlink - @path, used as it is, points to @target. */
SW_API SW_NODISCARD sw_err *sw_files_symlink(sw_files *f, const char *target,
                                             const char *path,
                                             const struct sw_llb_file *file);
SW_API SW_NODISCARD sw_err *sw_files_rm(sw_files *f, const char *path,
                                        const struct sw_llb_rm *rm);
/** sw_files_copy - @src of @from to @dest; @dest ending in "/" is a directory. */
SW_API SW_NODISCARD sw_err *sw_files_copy(sw_files *f, const sw_state *from,
                                          const char *src, const char *dest,
                                          const struct sw_llb_copy *copy);
/** sw_files_copy_bound - the same from a tree that other actions of the vertex make. */
SW_API SW_NODISCARD sw_err *sw_files_copy_bound(sw_files *f, sw_bound *from,
                                                const char *src, const char *dest,
                                                const struct sw_llb_copy *copy);

/** sw_files_bind - the actions so far, done on @s, to copy from. Used twice in a vertex,
 *  they are done once. */
SW_API SW_NODISCARD sw_err *sw_files_bind(const sw_files *f, const sw_state *s,
                                          sw_bound **out);
SW_API sw_bound *sw_bound_ref(sw_bound *b);
SW_API void sw_bound_unref(sw_bound *b);
SW_DEFINE_AUTOPTR(sw_bound, sw_bound_unref)

/** sw_state_files - the tree after the actions of @f, which may be used again. Errors:
 *  SW_E_INVALID for an empty list. */
SW_API SW_NODISCARD sw_err *sw_state_files(const sw_state *s, const sw_files *f,
                                           const struct sw_llb_opts *opts, sw_state **out);

/* ---- Putting trees together ---- */

/** sw_llb_merge - the trees laid over one another, later ones on top. Scratch is left out;
 *  of nothing is scratch, of one is that one. */
SW_API SW_NODISCARD sw_err *sw_llb_merge(const sw_state *const *states, size_t n,
                                         const struct sw_llb_opts *opts, sw_state **out);
/** sw_llb_diff - what @upper changes of @lower, with the values of @lower; @upper itself
 *  when @lower is scratch. */
SW_API SW_NODISCARD sw_err *sw_llb_diff(const sw_state *lower, const sw_state *upper,
                                        const struct sw_llb_opts *opts, sw_state **out);
/** sw_state_requires - @s, once @deps are made too. @id names the vertex. */
SW_API SW_NODISCARD sw_err *sw_state_requires(const sw_state *s, const char *id,
                                              const sw_state *const *deps, size_t n,
                                              const struct sw_llb_opts *opts,
                                              sw_state **out);

struct sw_llb_pass {
        const sw_state *state;
        bool output; /* comes out again */
};
/** sw_llb_passthrough - a vertex whose outputs are some of its inputs.
 *  @out: room for one state per output, in order; all are handed back. */
SW_API SW_NODISCARD sw_err *sw_llb_passthrough(const char *id,
                                               const struct sw_llb_pass *inputs, size_t n,
                                               const struct sw_llb_opts *opts,
                                               sw_state **out);
/** sw_state_build - the result of the definition in the file @filename of @s (NULL:
 *  "buildkit.llb.definition"). */
SW_API SW_NODISCARD sw_err *sw_state_build(const sw_state *s, const char *filename,
                                           const struct sw_llb_opts *opts, sw_state **out);

/* ---- Definitions ---- */

/**
 * sw_state_marshal - write the definition of @s: a protobuf message pb.Definition, as
 * the build API, buildctl and `slipway debug dump-llb` take it.
 * @opts: for all vertices; the platform is the host's when not given.
 * @out:  appended to, on success only. Nothing for scratch. How large it may get is for the
 *        reader to say: sw_definition_decode() and the API of daemons take 16 MiB.
 * Errors: those of late functions; SW_E_INVALID or SW_E_LIMIT, naming the vertex.
 */
SW_API SW_NODISCARD sw_err *sw_state_marshal(const sw_state *s,
                                             const struct sw_llb_opts *opts, sw_buf *out);

SW_END_DECLS
#endif
