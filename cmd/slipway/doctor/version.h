/*
 * cmd/slipway/doctor/version.h - versions of programs and kernels, and known flaws of OCI
 * runtimes. Thread: main.
 */
#ifndef SLIPWAY_CMD_DOCTOR_VERSION_H
#define SLIPWAY_CMD_DOCTOR_VERSION_H

#include <slipway/buf.h>

struct doctor_version {
        int major, minor, patch;
        int rc;            /* number of the release candidate; INT_MAX for a release */
        const char *extra; /* what follows, such as "+ds1"; borrowed; "" when nothing */
};

/** doctor_version_parse - "1.3.0-rc.2+ds1" and the like. Returns whether it is one. */
bool doctor_version_parse(const char *text, struct doctor_version *out);

/** doctor_add_flaws - append "CVE-…, CVE-…" for those that this version of the upstream
 *  program has. @features: what the program says it was built with ("+LIBKRUN …"). */
void doctor_add_flaws(sw_buf *out, const char *program, const struct doctor_version *v,
                      const char *features);

#endif
