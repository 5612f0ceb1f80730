/*
 * plugins/exec-runc/runc.h - what the files of this plugin share.
 *
 * One container is run so:
 *
 *      look up the user in the root, make the working directory and the mount stubs
 *      box: a tmpfs that is attached nowhere, with config.json, hosts and resolv.conf
 *      start the runtime; before its exec the child gets a mount namespace of its own and
 *        attaches there the box and in it the container's trees
 *      wait; on cancel kill the container's first process, and with it its PID namespace
 *      read what the cgroup counted; remove the stubs
 *      remove the cgroup, which nobody waits for (lib/janitor)
 *
 * So nothing that is killed at any moment leaves a mount or a process behind: the runtime
 * dies with us, and with it its PID namespace, which the container's is in, and its mounts.
 * What stays is the empty cgroup, and one small file that names it, locked by whoever runs
 * it; the next executor removes those whose lock is free (state.c).
 *
 * Without a namespace for the runtime (systemd makes the cgroup and is told numbers; or
 * processes are not to be hidden) the container may stay, too, and is killed then.
 *
 * Thread: any; a running container's entry in `live` is guarded by the lock.
 */
#ifndef SLIPWAY_PLUGINS_EXEC_RUNC_H
#define SLIPWAY_PLUGINS_EXEC_RUNC_H

#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/types.h>

#include <slipway/array.h>
#include <slipway/executor.h>
#include <slipway/id.h>
#include <slipway/json.h>
#include <slipway/map.h>
#include <slipway/spawn.h>

#include "lib/janitor/janitor.h"

/* ---- cgroup.c, cgroupstat.c ---- */

#define RUNC_MAX_HIERARCHIES 32

/* One mounted hierarchy. */
struct runc_hierarchy {
        char *path;        /* of the mount */
        char *controllers; /* ",memory," and the like; "" for version 2 */
};

/* How cgroups are set up on this machine; constant once made. */
struct runc_cgroups {
        struct runc_hierarchy h[RUNC_MAX_HIERARCHIES];
        size_t n;
        bool v2;     /* the only one is version 2 */
        bool hybrid; /* version 2 beside version 1, with controllers in it */
        char *hybrid_path;
        bool usable; /* cgroups can be made */
};
void runc_cgroups_find(struct runc_cgroups *c);
void runc_cgroups_release(struct runc_cgroups *c);

/* The cgroup of one container: `outer` is ours, the runtime makes "c" in it and removes
 * that; what it counted stays readable in `outer`. */
struct runc_cgroup {
        const struct runc_cgroups *all;
        char *outer;     /* "/slipway/ID"; NULL: the container has none of its own */
        char *for_spec;  /* linux.cgroupsPath; or NULL */
        bool systemd;    /* the runtime asks systemd for it */
        sw_fd oom_event; /* version 1: counts times that memory ran out; -1: none */
        sw_fd oom_control;
};
SW_NODISCARD sw_err *runc_cgroup_plan(struct runc_cgroup *g, const struct runc_cgroups *all,
                                      const char *parent, const char *id);
/** runc_cgroup_prepare - what has to be there before the runtime: on version 1 the limit of
 *  memory of the outer one, and who is told when it is reached. */
SW_NODISCARD sw_err *runc_cgroup_prepare(struct runc_cgroup *g,
                                         const struct sw_exec_resources *r);
void runc_cgroup_read(const struct runc_cgroup *g, struct sw_exec_status *out);
/** runc_cgroup_kill - SIGKILL to every process in it; whether there was one. */
bool runc_cgroup_kill(const struct runc_cgroups *all, const char *outer);
/** runc_cgroup_remove - kill what is left and remove the directories. Tries for up to
 *  @ms. Errors: SW_E_BUSY. */
SW_NODISCARD sw_err *runc_cgroup_remove(const struct runc_cgroups *all, const char *outer,
                                        int ms);
void runc_cgroup_release(struct runc_cgroup *g);

/* ---- warm.c ---- */

/** runc_warm - have the kernel ready to move the next container into its cgroup. Waits.
 *  @exec: a struct runc_exec that was made ready. */
void runc_warm(void *exec);
/** runc_warm_path - the directory of the cgroup it is done in: that of the process whose
 *  /proc/PID/cgroup says @lines, which are taken apart. From malloc; NULL: in none. */
char *runc_warm_path(const struct runc_cgroups *c, char *lines);

/* ---- the plugin ---- */

enum runc_flavour { RUNC_IS_CRUN, RUNC_IS_OTHER };

struct runc_runtime {
        char *path;
        enum runc_flavour flavour;
};

struct runc_exec {
        const sw_options *options;
        sw_log *log;
        pthread_mutex_t lock;
        bool ready; /* runtime, cgroups and state_dir were found */
        bool warm;  /* runc_warm() was called for the first container */
        struct runc_runtime runtime;
        sw_fd program; /* of the runtime: runc_program() */
        struct runc_cgroups cgroups;
        char *run_dir;       /* "/run/slipway" */
        sw_fd state_fd;      /* <run_dir>/exec */
        char *box_path;      /* where the box is attached: <run_dir>/box */
        uint64_t caps;       /* those this process may give */
        char *profile;       /* runc_seccomp_text(); NULL: not wanted */
        char *filter;        /* runc_filter(), for runtimes that take it; or NULL */
        struct sw_map *live; /* id -> struct runc_live; borrowed */
        struct janitor *janitor;
};

/* ---- runtime.c ---- */
SW_NODISCARD sw_err *runc_find_runtime(const char *wanted, struct runc_runtime *out);
/** runc_program - a copy of it that cannot be written to, for those that would make one
 *  themselves; or -1. */
int runc_program(const struct runc_runtime *r);
/** runc_warn_if_bad - once per binary: versions that are known to let containers out. */
void runc_warn_if_bad(struct runc_exec *x, sw_ctx *ctx);

/* ---- state.c ---- */
sw_err *runc_sweep(void *self);
void runc_soon(void *self);
/** runc_ready - find runtime and cgroups, make the run directory, sweep; once. */
SW_NODISCARD sw_err *runc_ready(struct runc_exec *x, sw_ctx *ctx);
/** runc_state_claim - the file that names the container; locked while *fd is open. */
SW_NODISCARD sw_err *runc_state_claim(struct runc_exec *x, const char *id,
                                      const char *cgroup, sw_fd *fd);
/** runc_state_note - the runtime that was started for it. */
void runc_state_note(int fd, pid_t monitor);
void runc_state_drop(struct runc_exec *x, const char *id, sw_fd *fd);
/** runc_state_sweep - remove what containers left whose keeper is dead. With the plugin's
 *  lock held, or nobody else there. */
void runc_state_sweep(struct runc_exec *x);

/* ---- user.c ---- */
struct runc_user {
        uint32_t uid, gid;
        SW_ARRAY(uint32_t) groups;
        char *home; /* "/" where nothing is known */
};
SW_NODISCARD sw_err *runc_user_find(int rootfd, const char *user, struct runc_user *out);
void runc_user_release(struct runc_user *u);

/* ---- stubs.c ---- */
struct runc_stub {
        int parent; /* O_PATH */
        char *name;
        bool is_top; /* the thing mounted on, not a directory above it */
        struct stat made, parent_before, parent_after;
};
struct runc_stubs {
        SW_ARRAY(struct runc_stub) v;
};
/** runc_stubs_make - for a mount at @target, which is no symlink's business of the host:
 *  every component is looked up below @rootfd. */
SW_NODISCARD sw_err *runc_stub_make(struct runc_stubs *s, int rootfd, const char *target,
                                    mode_t mode);
/** runc_stubs_remove - those that are as they were made. */
void runc_stubs_remove(struct runc_stubs *s, bool recursive);
void runc_stubs_release(struct runc_stubs *s);
/** runc_make_cwd - 0755 and owned by the user, as far as it is missing. */
SW_NODISCARD sw_err *runc_make_cwd(int rootfd, const char *cwd, const struct runc_user *u);

/* ---- names.c ---- */
/** runc_hosts, runc_resolv_conf - what the files are to say. */
void runc_hosts(const struct sw_exec_container *c, const char *hostname, sw_buf *out);
SW_NODISCARD sw_err *runc_resolv_conf(const struct runc_exec *x, bool host_network,
                                      sw_buf *out);

/* ---- caps.c ---- */
uint64_t runc_caps_here(void); /* the bounding set of this process */
json_t *runc_caps_json(uint64_t caps);
#define RUNC_DEFAULT_CAPS runc_caps_default()
#define RUNC_CAP_MKNOD    (UINT64_C(1) << 27)
uint64_t runc_caps_default(void);

/* ---- seccomp.c ---- */

/* A call that is allowed, or fails with @err, depending on an argument. */
struct runc_call {
        const char *name;
        int err; /* 0: allowed */
        enum runc_call_op {
                RUNC_ANY,
                RUNC_EQUAL,
                RUNC_NOT_EQUAL,
                RUNC_MASKED_EQUAL /* to b in the bits of a */
        } op;
        uint64_t a, b;
        unsigned arg; /* which argument */
};
/* All others fail with EPERM. */
struct runc_profile {
        const char *const *allowed;
        size_t n_allowed;
        const struct runc_call *conditional;
        size_t n_conditional;
        const char *const *archs; /* "SCMP_ARCH_X86_64"; none: that of this machine */
        size_t n_archs;
};
void runc_seccomp_profile(struct runc_profile *out);
/** runc_seccomp_text - the profile as config.json has it. From malloc. */
char *runc_seccomp_text(void);

/* ---- filter.c ---- */
/** runc_filter - the profile as the kernel's program in base64, or NULL: it is not known
 *  how to make it here, and the runtime has to. From malloc. @dirfd: the place below which
 *  it is kept. @profile: runc_seccomp_text(). */
char *runc_filter(int dirfd, const char *profile);

/* ---- box.c ---- */
struct runc_box {
        sw_fd fd;         /* the detached tmpfs */
        const char *path; /* where the child attaches it; borrowed */
        bool nodev;       /* device nodes on its mounts are none */
        SW_ARRAY(struct sw_spawn_mount) mounts;
        SW_ARRAY(int) owned; /* descriptors to close */
        sw_strlist texts;    /* targets */
        sw_strlist sources;  /* of the container's mounts, in their order; "" for tmpfs */
        char *root;          /* path of the root */
};
/** runc_box_open - @hide: a directory over which an empty one is put, or NULL. @nodev:
 *  nothing else keeps the container from devices. */
SW_NODISCARD sw_err *runc_box_open(struct runc_box *b, const char *path,
                                   const struct sw_exec_container *c, const char *hide,
                                   bool nodev);
SW_NODISCARD sw_err *runc_box_write(int box_fd, const char *name, const void *p, size_t n);
void runc_box_release(struct runc_box *b);

/* ---- spec.c, speclinux.c ---- */
struct runc_spec {
        const struct runc_exec *x;
        const struct sw_exec_container *c;
        const struct sw_exec_process *p;
        const struct runc_user *user;
        const struct runc_box *box;
        const struct runc_cgroup *cgroup;
        const char *hostname;
        bool host_network;
        char mark[SW_ID_SIZE]; /* nobody can know it: see runc_raw_json() */
};
SW_NODISCARD sw_err *runc_spec_json(const struct runc_spec *s, sw_buf *out);
/** runc_process_json - the process alone: for exec(). */
SW_NODISCARD sw_err *runc_process_json(const struct runc_spec *s, bool insecure,
                                       json_t **out);
/* What is not taken through jansson: a number that it has not, and long texts that are the
 * same for every container. */
enum runc_raw { RUNC_UNLIMITED = 'u', RUNC_PROFILE = 'p', RUNC_FILTER = 'f' };
/** runc_raw_json - stands for it until runc_json_dump(). */
json_t *runc_raw_json(const struct runc_spec *s, enum runc_raw raw);
/** runc_json_dump - @o as text, appended. */
SW_NODISCARD sw_err *runc_json_dump(const struct runc_spec *s, const json_t *o,
                                    sw_buf *out);
SW_NODISCARD sw_err *runc_linux_json(const struct runc_spec *s, json_t **out);
/** runc_json_text - a string; SW_E_INVALID when it is no UTF-8. @what names it. */
SW_NODISCARD sw_err *runc_json_text(const char *what, const char *s, json_t **out);
/** runc_spec_stubs - stubs for all the mounts of the spec. */
SW_NODISCARD sw_err *runc_spec_stubs(const struct runc_spec *s, struct runc_stubs *stubs);

/* Where the processes of a container are looked up: the runtime has a PID namespace of its
 * own, and the numbers it tells are those in there. */
struct runc_procs {
        sw_fd proc;    /* its /proc; -1: not open */
        pid_t runtime; /* the runtime's number in there */
};

/* ---- process.c ---- */

/* A container whose runtime runs. */
struct runc_live {
        const char *id;
        int box_fd; /* borrowed from the box */
        int rootfd; /* borrowed */
        int master; /* our side of the terminal the runtime got; -1: none */
        pid_t runtime;
        struct runc_procs procs;
        bool insecure;
        bool ended;     /* its number may be somebody else's */
        unsigned users; /* calls that use it; its end waits for them */
        pthread_cond_t unused;
        unsigned n_execs;
};
/** runc_live_add - @l is found by its id until runc_live_remove(), which waits until nobody
 *  uses it. */
void runc_live_add(struct runc_exec *x, struct runc_live *l);
void runc_live_remove(struct runc_exec *x, struct runc_live *l);

sw_err *runc_exec(void *self, sw_ctx *ctx, const char *id, const struct sw_exec_process *p,
                  struct sw_exec_status *out);
sw_err *runc_signal(void *self, sw_ctx *ctx, const char *id, int sig);
sw_err *runc_resize(void *self, sw_ctx *ctx, const char *id, unsigned rows,
                    unsigned columns);

/* ---- wait.c ---- */

/* Waiting for a runtime, with or without a terminal between it and the caller. */
struct runc_wait {
        sw_child *child;
        const struct sw_exec_process *p;
        int master; /* -1: none */
        sw_cancel *cancel;
        int box_fd;
        const char *pid_file;
        const struct runc_procs *procs;
        const struct runc_cgroups *cgroups;
        const char *outer;          /* cgroup to kill, too; or NULL */
        void (*started)(void *arg); /* or NULL */
        void *started_arg;
};
/** runc_wait - until it ended; cancellation kills it. It is not reaped.
 *  Errors: SW_E_IO. */
SW_NODISCARD sw_err *runc_wait(struct runc_wait *w);
/** runc_terminal - a new terminal: our side, and the runtime's. */
SW_NODISCARD sw_err *runc_terminal(sw_fd *master, sw_fd *slave);
/** runc_first_pid - the process that the runtime wrote to @pid_file; 0: not yet. */
pid_t runc_first_pid(int box_fd, const char *pid_file);
/** runc_procs_open - those of the runtime @child; @own_ns: it has a PID namespace. */
SW_NODISCARD sw_err *runc_procs_open(struct runc_procs *p, const sw_child *child,
                                     bool own_ns);
void runc_procs_release(struct runc_procs *p);
/** runc_signal_pid - to @pid, if it is a child of the runtime; whether it was. */
bool runc_signal_pid(const struct runc_procs *p, pid_t pid, int sig);
/** runc_resize_pid - the terminal that is the standard input of @pid. */
void runc_resize_pid(const struct runc_procs *p, pid_t pid, const struct winsize *size);

/* ---- run.c ---- */
sw_err *runc_run(void *self, sw_ctx *ctx, const struct sw_exec_container *c,
                 const struct sw_exec_process *p, void (*started)(void *arg), void *arg,
                 struct sw_exec_status *out);
/** runc_argv - the runtime, what is the same in all of its commands, and @command. */
void runc_argv(const struct runc_exec *x, const char *command, bool systemd,
               sw_strlist *argv);
/** runc_env - the environment of a runtime. */
void runc_env(sw_strlist *env);
/** runc_failure - why the runtime started nothing, from its log. */
SW_NODISCARD sw_err *runc_failure(const struct runc_exec *x, int box_fd, int status);

#endif
