/*
 * cmd/slipway/doctor/doctor.h - what this machine offers for building.
 *
 * A check is a function that looks at one thing and adds one or more findings. Each
 * finding is a line: ok, warn (works, but worse or not everywhere) or missing (nothing can
 * be built), what was looked at, what was found, and for what is not there the command or
 * setting that brings it. The checks are listed in one table, doctor.c.
 *
 * Mounts are really tried, by a child process in namespaces of its own (trial.h) below a
 * temporary directory; everything made there is gone when doctor_run() returns.
 * Thread: main.
 */
#ifndef SLIPWAY_CMD_DOCTOR_H
#define SLIPWAY_CMD_DOCTOR_H

#include <sys/types.h>

#include <slipway/array.h>
#include <slipway/json.h>

enum doctor_status { DOCTOR_OK, DOCTOR_WARN, DOCTOR_MISSING };

struct doctor_finding {
        enum doctor_status status;
        const char *name; /* stable, for programs: "overlayfs"; static */
        char *detail;
        char *remedy; /* or NULL */
};

typedef struct doctor {
        const char *root; /* of the storage; borrowed */
        uid_t uid;        /* effective */
        char *distro;     /* ID and ID_LIKE of os-release: "ubuntu debian" */
        char *near;       /* nearest existing directory at or above root */
        bool writable;    /* a directory could be made in it */
        sw_json *trial;   /* results by name (trial.h); NULL: it could not be run */
        char *trial_error;
        SW_ARRAY(struct doctor_finding) findings;
} doctor;

/* One row of the table of checks. */
struct doctor_check {
        const char *about; /* for who reads the table */
        void (*run)(doctor *d);
};

/** doctor_run - every check. @root: where slipway stores; borrowed while @d lives.
 *  Errors: SW_E_IO, SW_E_DENIED: what was tried could not be cleaned up. */
SW_NODISCARD sw_err *doctor_run(doctor *d, const char *root);
void doctor_release(doctor *d);
SW_DEFINE_AUTO(doctor, doctor_release)

/** doctor_add - one finding; @fmt: the detail. */
void doctor_add(doctor *d, enum doctor_status status, const char *name, const char *fmt,
                ...) SW_PRINTF(4, 5);
/** doctor_remedy - how to bring what the last finding says is not there. */
void doctor_remedy(doctor *d, const char *fmt, ...) SW_PRINTF(2, 3);
/** doctor_remedy_package - the same: install a package, in the words of the distribution
 *  ("apt-get install crun"). */
void doctor_remedy_package(doctor *d, const char *package);
/** doctor_remedy_upgrade - the same for a package that is there, but too old. */
void doctor_remedy_upgrade(doctor *d, const char *package);
/** doctor_tried - result of a trial: "" it works, otherwise why not; NULL: not known. */
const char *doctor_tried(const doctor *d, const char *name);
/** doctor_read_line - the first line of a small file such as those of /proc, trimmed;
 *  from malloc. NULL: it cannot be read. */
char *doctor_read_line(const char *path);
/** doctor_capture - first @limit bytes of what a program says on stdout; from malloc.
 *  @argv: NULL-ended, looked up in PATH. @seconds: then it is stopped.
 *  @why: may be NULL; else, when NULL is returned, what it did instead: "not found",
 *  "fails", "does not end". */
char *doctor_capture(const char *const *argv, size_t limit, int seconds, const char **why);

/* For a program that has only to say its version. */
#define DOCTOR_PATIENCE 5

/* The checks, one file each. */
void doctor_kernel(doctor *d);   /* kernel.c: version, openat2, mount API, EROFS */
void doctor_overlay(doctor *d);  /* overlay.c: overlayfs and its options, idmap */
void doctor_userns(doctor *d);   /* userns.c */
void doctor_cgroups(doctor *d);  /* cgroup.c */
void doctor_confine(doctor *d);  /* confine.c: seccomp, emulators */
void doctor_runtimes(doctor *d); /* runtime.c */
void doctor_programs(doctor *d); /* programs.c: git and the like */
void doctor_storage(doctor *d);  /* storage.c: root, file system, space, reflink */
void doctor_limits(doctor *d);   /* limits.c */

#endif
