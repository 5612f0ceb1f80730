/*
 * core/session/localssh.c - ssh agents that a build may use: a socket, passed through or
 * filtered, or key files.
 * Thread: any.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <slipway/text.h>

#include "core/session/local.h"

struct sw__ssh {
        char *socket;
        bool raw;
};

void
sw__ssh_free(void *p)
{
        struct sw__ssh *s = p;

        free(s->socket);
        free(s);
}

sw_err *
sw__ssh_parse(const char *spec, char **id, struct sw__ssh **out)
{
        (void) id;
        (void) out;
        return sw_err_new(SW_E_UNSUPPORTED, "ssh agent %s", spec);
}

sw_err *
sw__ssh_connect(struct sw__ssh *s, sw_ctx *ctx, int *fd)
{
        (void) ctx;
        (void) fd;
        return sw_err_new(SW_E_UNSUPPORTED, "ssh agent at %s", s->socket);
}
