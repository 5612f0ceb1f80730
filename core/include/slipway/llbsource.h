/*
 * slipway/llbsource.h - states that begin with a source: images, directories, git, http.
 *
 * Part of slipway/llb.h, which says what holds everywhere: ownership, threads, errors.
 */
#ifndef SLIPWAY_LLBSOURCE_H
#define SLIPWAY_LLBSOURCE_H

#include <slipway/llbstate.h>

SW_BEGIN_DECLS

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

SW_END_DECLS
#endif
