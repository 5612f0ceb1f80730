/*
 * core/session/local.h - what the files of the local session share: local.c has it
 * together, the others do one part each.
 */
#ifndef SLIPWAY_CORE_SESSION_LOCAL_H
#define SLIPWAY_CORE_SESSION_LOCAL_H

#include <slipway/json.h>
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

/* ---- credentials of registries ---- */

/* Where they are looked for and what helpers said. Any thread. */
struct sw__dockerauth;
struct sw__dockerauth *sw__dockerauth_new(void);
void sw__dockerauth_free(struct sw__dockerauth *a); /* NULL is fine */
/* As sw_session_ops.credentials and credential_places. */
SW_NODISCARD sw_err *sw__dockerauth_get(struct sw__dockerauth *a, sw_ctx *ctx,
                                        const char *host, char **user, char **secret);
void sw__dockerauth_places(const struct sw__dockerauth *a, sw_buf *out);

/* What one file has for a host; {0}: nothing. */
struct sw__dockercred {
        char *user, *secret; /* as sw_session_ops.credentials */
        char *helper;        /* the program that has them: its NAME; or NULL */
};
SW_API void sw__dockercred_release(struct sw__dockercred *c);
/** sw__dockerconfig_find - look a host up in the text of a config.json. @file: for errors.
 *  Errors: SW_E_INVALID, naming file and place. */
SW_API SW_NODISCARD sw_err *sw__dockerconfig_find(const char *file, const char *text,
                                                  size_t n, const char *host,
                                                  struct sw__dockercred *out);
/* By what name a host's credentials are kept. */
const char *sw__dockerconfig_server(const char *host);

/* As sw_json_parse(), but what stands where it is wrong is not shown. */
SW_NODISCARD sw_err *sw__parse_secret_json(const char *what, const char *p, size_t n,
                                           sw_json **out);

/** sw__credhelper_get - ask docker-credential-NAME for @server. Both NULL: it has none.
 *  Errors: SW_E_NOT_FOUND (program), SW_E_TIMEOUT, SW_E_INVALID, SW_E_BROKEN: with what
 *  it said. */
SW_NODISCARD sw_err *sw__credhelper_get(sw_ctx *ctx, const char *name, const char *server,
                                        char **user, char **secret);

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
