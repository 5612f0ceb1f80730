/*
 * core/ops/entitlement.c - what a container may ask for: the only place that says so.
 *
 * Every way to a container passes sw__entitled(): a command of a definition when its graph
 * is made, for every job that names it; a shell in the root of one that failed; containers
 * of a frontend.
 *
 * Thread: any.
 */
#include "core/ops/exec.h"

sw_err *
sw__entitled(unsigned allowed, const struct sw__exec_wish *wish)
{
        if (wish->network_host && !(allowed & SW_ALLOW_NETWORK_HOST))
                return sw_err_new(SW_E_DENIED, "network.host is not allowed");
        if (wish->insecure && !(allowed & SW_ALLOW_SECURITY_INSECURE))
                return sw_err_new(SW_E_DENIED, "security.insecure is not allowed");
        if (wish->device && !(allowed & SW_ALLOW_DEVICE))
                return sw_err_new(SW_E_DENIED,
                                  "device %s is requested by the build but not allowed",
                                  wish->device_name ? wish->device_name : "access");
        return SW_OK;
}
