/*
 * cmd/slipway/doctor/runtime.c - OCI runtimes: which are there, and are they safe?
 *
 * A runtime whose version has a known flaw does not count, unless a distribution built it:
 * those carry fixes back without changing the version, so the version alone cannot tell.
 * Thread: main.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <slipway/text.h>

#include "cmd/slipway/doctor/doctor.h"
#include "cmd/slipway/doctor/version.h"

/* In the order they are preferred. */
static const char *const runtimes[] = { "crun", "runc" };

/* Where PATH leads to, or NULL. */
static char *
find_program(const char *name)
{
        const char *path = getenv("PATH");
        sw_auto(sw_strlist) dirs = { 0 };

        sw_strlist_split(&dirs, path ? path : "/usr/sbin:/usr/bin:/sbin:/bin", ':');
        for (size_t i = 0; i < dirs.n; i++) {
                sw_auto(sw_str) file = sw_asprintf("%s/%s", dirs.v[i], name);
                if (access(file, X_OK) == 0)
                        return sw_steal(file);
        }
        return NULL;
}

/* The word after "NAME version " in what `NAME --version` says; from malloc. */
static char *
version_word(const char *name, const char *text)
{
        sw_auto(sw_str) intro = sw_asprintf("%s version ", name);
        const char *found = strstr(text, intro);

        if (!found)
                return NULL;
        found += strlen(intro);
        return sw_strndup(found, strcspn(found, " \n"));
}

/* Whether a distribution built it: it says so in its version, or it lies where only the
 * distribution installs and its packages do not say so. */
static bool
from_distribution(const doctor *d, const char *path, const struct doctor_version *v)
{
        static const char *const silent[] = { "fedora", "rhel", "suse", "arch", "alpine" };

        if (*v->extra)
                return true;
        if (strncmp(path, "/usr/bin/", 9) != 0 && strncmp(path, "/usr/sbin/", 10) != 0)
                return false;
        for (size_t i = 0; i < SW_COUNT(silent); i++)
                if (strstr(d->distro, silent[i]))
                        return true;
        return false;
}

/* One finding for the runtime at @path. Returns whether it can be used. */
static bool
judge(doctor *d, const char *name, const char *path, const char *text)
{
        struct doctor_version v;
        sw_auto(sw_str) word = version_word(name, text);
        sw_auto(sw_buf) flaws = SW_BUF_INIT;

        if (!word || !doctor_version_parse(word, &v)) {
                doctor_add(d, DOCTOR_WARN, name, "%s: its version cannot be told", path);
                doctor_remedy(d, "look at the output of: %s --version", path);
                return true;
        }
        doctor_add_flaws(&flaws, name, &v, text);
        if (flaws.len == 0) {
                doctor_add(d, DOCTOR_OK, name, "%s at %s", word, path);
                return true;
        }
        bool unsure = from_distribution(d, path, &v);
        doctor_add(d, DOCTOR_WARN, name,
                   unsure ? "%s at %s: upstream, this version has %s; the version alone "
                            "cannot tell, the distribution may have fixed it"
                          : "%s at %s has %s: a step can break out of its container",
                   word, path, flaws.data);
        if (unsure)
                doctor_remedy_upgrade(d, name);
        else
                doctor_remedy(d, "put a later version at %s, or remove it", path);
        return unsure;
}

/* Returns whether it can be used. @path: NULL if it is not there. */
static bool
check_runtime(doctor *d, const char *name, const char *path)
{
        const char *why = NULL;

        if (!path)
                return false;
        const char *const argv[] = { path, "--version", NULL };
        sw_auto(sw_str) text = doctor_capture(argv, 64 * 1024, DOCTOR_PATIENCE, &why);
        if (!text) {
                doctor_add(d, DOCTOR_WARN, name, "%s --version %s", path, why);
                doctor_remedy(d, "run it by hand to see why");
                return false;
        }
        return judge(d, name, path, text);
}

void
doctor_runtimes(doctor *d)
{
        const char *absent = NULL; /* the one to install */
        bool usable = false;

        for (size_t i = 0; i < SW_COUNT(runtimes); i++) {
                sw_auto(sw_str) path = find_program(runtimes[i]);

                if (!path && !absent)
                        absent = runtimes[i];
                usable = check_runtime(d, runtimes[i], path) || usable;
        }
        if (usable)
                return;
        doctor_add(d, DOCTOR_MISSING, "runtime",
                   "no OCI runtime that is safe to use: neither crun nor runc");
        if (absent)
                doctor_remedy_package(d, absent);
        else
                doctor_remedy(d, "do for one of them what is said above");
}
