/*
 * cmd/slipway/doctor/limits.c - resource limits this process was given. Thread: main.
 */
#include <sys/resource.h>

#include "cmd/slipway/doctor/doctor.h"

static const struct {
        int which;
        const char *name, *option, *what;
        rlim_t least;
} limits[] = {
        { RLIMIT_NOFILE, "open-files", "-n", "open files", 4096 },
        { RLIMIT_NPROC, "processes", "-u", "processes and threads", 1024 },
};

static void
check_limit(doctor *d, size_t i)
{
        struct rlimit r;

        if (getrlimit((__rlimit_resource_t) limits[i].which, &r) != 0)
                return;
        if (r.rlim_max == RLIM_INFINITY) {
                doctor_add(d, DOCTOR_OK, limits[i].name, "any number of %s",
                           limits[i].what);
                return;
        }
        bool enough = r.rlim_max >= limits[i].least;
        doctor_add(d, enough ? DOCTOR_OK : DOCTOR_WARN, limits[i].name, "at most %llu %s",
                   (unsigned long long) r.rlim_max, limits[i].what);
        if (!enough)
                doctor_remedy(d, "ulimit -H %s %llu, as root before slipway is started",
                              limits[i].option, (unsigned long long) limits[i].least);
}

void
doctor_limits(doctor *d)
{
        for (size_t i = 0; i < SW_COUNT(limits); i++)
                check_limit(d, i);
}
