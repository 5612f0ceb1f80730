/*
 * cmd/slipway/doctor/programs.c - programs that slipway runs, besides OCI runtimes.
 * Thread: main.
 */
#include <string.h>

#include <slipway/mem.h>

#include "cmd/slipway/doctor/doctor.h"

static void
check_git(doctor *d)
{
        static const char *const argv[] = { "git", "--version", NULL };
        const char *why = NULL;
        sw_auto(sw_str) text = doctor_capture(argv, 4096, DOCTOR_PATIENCE, &why);

        if (text) {
                text[strcspn(text, "\n")] = '\0';
                doctor_add(d, DOCTOR_OK, "git", "%s", text);
                return;
        }
        bool absent = strcmp(why, "not found") == 0;
        doctor_add(d, DOCTOR_WARN, "git",
                   "%s%s: sources in git repositories cannot be used",
                   absent ? "" : "git --version ", why);
        if (absent)
                doctor_remedy_package(d, "git");
        else
                doctor_remedy(d, "run git --version by hand to see why");
}

/* Without root, ranges of ids are mapped by two set-uid programs. */
static void
check_idmap_programs(doctor *d)
{
        static const char *const argv[] = { "sh", "-c",
                                            "command -v newuidmap && command -v newgidmap",
                                            NULL };
        sw_auto(sw_str) text = doctor_capture(argv, 4096, DOCTOR_PATIENCE, NULL);

        if (text) {
                doctor_add(d, DOCTOR_OK, "newuidmap", "newuidmap and newgidmap are there");
                return;
        }
        doctor_add(d, DOCTOR_WARN, "newuidmap",
                   "newuidmap or newgidmap not found: steps can only use one user");
        doctor_remedy_package(d, strstr(d->distro, "fedora") ? "shadow-utils" : "uidmap");
}

void
doctor_programs(doctor *d)
{
        check_git(d);
        if (d->uid != 0)
                check_idmap_programs(d);
}
