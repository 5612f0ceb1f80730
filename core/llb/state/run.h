/*
 * core/llb/state/run.h - what is known of a command: mounts, secrets, agents.
 *
 * Mounts are kept in the order they have in the op: by destination, the root file system
 * among them. Outputs of the vertex are numbered in that order over the mounts that leave
 * something behind.
 */
#ifndef SLIPWAY_CORE_LLB_STATE_RUN_H
#define SLIPWAY_CORE_LLB_STATE_RUN_H

#include "core/llb/state/state.h"

struct mount {
        char *dest;
        struct output source; /* counted */
        sw_state *state;      /* that the source came with; NULL for the root */
        char *selector, *cache_id;
        bool readonly, no_output, tmpfs;
        int64_t tmpfs_size;
        enum sw_llb_content_cache content_cache;
        enum sw_llb_sharing sharing;
        int64_t output; /* number, or -1 */
};

struct secret {
        char *id, *target, *env; /* target or env may be NULL */
        uint32_t uid, gid, mode;
        bool optional;
};

struct ssh {
        char *id, *target;
        uint32_t uid, gid, mode;
        bool optional;
};

struct device {
        char *name;
        bool optional;
};

struct exec {
        sw_state *base; /* counted: where values come from */
        sw_strlist args;
        SW_ARRAY(struct mount) mounts;
        SW_ARRAY(struct secret) secrets;
        SW_ARRAY(struct ssh) ssh;
        SW_ARRAY(struct device) devices;
        SW_ARRAY(int32_t) exit_codes;
        bool has_proxy;
        char *proxy[5]; /* http, https, ftp, no, all; members may be NULL */
};

void sw__llb_exec_release(struct exec *e, struct dead *dead);

/* Words of a line as a shell splits them; added to @out. */
SW_NODISCARD sw_err *sw__llb_split_command(const char *line, sw_strlist *out);

#endif
