/*
 * slipway/llbrun.h - commands: what they run, mount, and may see.
 *
 * Part of slipway/llb.h, which says what holds everywhere: ownership, threads, errors.
 */
#ifndef SLIPWAY_LLBRUN_H
#define SLIPWAY_LLBRUN_H

#include <slipway/llbstate.h>

SW_BEGIN_DECLS

typedef struct sw_run sw_run; /* a command being described */

/** sw_run_new - describe a command on @s. */
SW_API sw_run *sw_run_new(const sw_state *s);
/** sw_run_free - @r: given; NULL is allowed. */
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
/** sw_run_readonly_root - the command cannot write to its root file system. */
SW_API void sw_run_readonly_root(sw_run *r);
/** sw_run_valid_exit_codes - the statuses with which the command has succeeded; without a
 *  call only 0. The last call counts. */
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

SW_END_DECLS
#endif
