/*
 * core/session/local.h - what the files of the local session share: local.c has it
 * together, localsecret.c, localssh.c and sshfilter.c do one part each.
 */
#ifndef SLIPWAY_CORE_SESSION_LOCAL_H
#define SLIPWAY_CORE_SESSION_LOCAL_H

#include <slipway/localsession.h>
#include <slipway/map.h>

/* ---- secrets ---- */

/* One of file and env is set. */
struct sw__secret {
        char *file, *env;
};
/* @id: handed back. */
SW_NODISCARD sw_err *sw__secret_parse(const char *spec, char **id, struct sw__secret **out);
SW_NODISCARD sw_err *sw__secret_read(const struct sw__secret *s, sw_buf *out);
void sw__secret_free(void *secret);

/* ---- ssh agents ---- */

struct sw__ssh;
SW_NODISCARD sw_err *sw__ssh_parse(const char *spec, char **id, struct sw__ssh **out);
/* A connected socket; what runs behind it ends with @s. */
SW_NODISCARD sw_err *sw__ssh_connect(struct sw__ssh *s, sw_ctx *ctx, int *fd);
void sw__ssh_free(void *ssh);

struct sw__sshfilter;
struct sw__sshfilter *sw__sshfilter_new(void);
/* Ends all connections. NULL is fine. */
void sw__sshfilter_free(struct sw__sshfilter *f);
/* @agent: a connection to an agent, given. @out: what of it a build may use. */
SW_NODISCARD sw_err *sw__sshfilter_start(struct sw__sshfilter *f, int agent, int *out);

#endif
