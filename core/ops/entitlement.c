/*
 * core/ops/entitlement.c - what a container may ask for: the only place that says so.
 *
 * Every way to a container passes sw__entitled(): a command of a definition when its graph
 * is made, for every job that names it; a shell in the root of one that failed; containers
 * of a frontend.
 *
 * Thread: any.
 */
#include <string.h>

#include "core/ops/exec.h"

/* "vendor/class" stands for every device of it. */
static bool
may_have(const struct sw_ops_job *job, const char *device)
{
        size_t class_len = strcspn(device, "=");

        if (job->allowed & SW_ALLOW_DEVICE)
                return true;
        for (size_t i = 0; job->devices && i < job->devices->n; i++) {
                const char *d = job->devices->v[i];

                if (strcmp(d, device) == 0 ||
                    (strlen(d) == class_len && strncmp(d, device, class_len) == 0))
                        return true;
        }
        return false;
}

sw_err *
sw__entitled(const struct sw_ops_job *job, const struct sw__exec_wish *wish)
{
        if (wish->network_host && !(job->allowed & SW_ALLOW_NETWORK_HOST))
                return sw_err_new(SW_E_DENIED, "network.host is not allowed");
        if (wish->insecure && !(job->allowed & SW_ALLOW_SECURITY_INSECURE))
                return sw_err_new(SW_E_DENIED, "security.insecure is not allowed");
        if (wish->device && !may_have(job, wish->device))
                return sw_err_new(SW_E_DENIED,
                                  "device %s is requested by the build but not allowed",
                                  wish->device);
        return SW_OK;
}
