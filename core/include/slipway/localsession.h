/*
 * slipway/localsession.h - the session of a client that is this process: directories,
 * secrets and ssh agents as command lines name them.
 *
 *      sw_local_session_new -> add_local, add_secret, add_ssh ... -> sw_local_session_get
 *                           -> builds -> sw_local_session_free
 *
 * Credentials of registries are those that docker and podman have: the file named by
 * REGISTRY_AUTH_FILE and nothing else, or $DOCKER_CONFIG/config.json (~/.docker),
 * $XDG_RUNTIME_DIR/containers/auth.json, ~/.config/containers/auth.json, whichever first
 * has some for a host; read anew each time. Their credential helpers are run.
 *
 * What is named must be there when it is added; a secret's file is read again each time it
 * is asked for.
 * Thread: adding and freeing by one, before and after builds; the session by any.
 */
#ifndef SLIPWAY_LOCALSESSION_H
#define SLIPWAY_LOCALSESSION_H

#include <slipway/session.h>

SW_BEGIN_DECLS

typedef struct sw_local_session sw_local_session;

/** sw_local_session_new - offers nothing yet. */
SW_API sw_local_session *sw_local_session_new(void);
/** sw_local_session_free - nobody uses its session any more; ends the ssh agents that were
 *  started for it. NULL is fine. */
SW_API void sw_local_session_free(sw_local_session *l);
/** sw_local_session_get - borrowed; lives as long as @l. */
SW_API sw_session *sw_local_session_get(sw_local_session *l);

/** sw_local_session_add_local - "NAME=DIR". Errors: SW_E_USAGE (no '=', name given twice),
 *  SW_E_NOT_FOUND, SW_E_INVALID (no directory), SW_E_DENIED. */
SW_API SW_NODISCARD sw_err *sw_local_session_add_local(sw_local_session *l,
                                                       const char *spec);
/** sw_local_session_add_oci_layout - "NAME=DIR", a directory in the OCI image layout, which
 *  builds name as oci-layout://NAME; among the session's directories it is "oci:NAME".
 *  Errors: as above.   Since: 0.1 */
SW_API SW_NODISCARD sw_err *sw_local_session_add_oci_layout(sw_local_session *l,
                                                            const char *spec);
/** sw_local_session_add_secret - "id=ID[,src=FILE|,env=NAME][,type=file|env]", CSV. Without
 *  src and env: the environment variable named ID, else the file named ID. Errors:
 *  SW_E_USAGE, SW_E_NOT_FOUND, SW_E_INVALID (no regular file), SW_E_LIMIT. */
SW_API SW_NODISCARD sw_err *sw_local_session_add_secret(sw_local_session *l,
                                                        const char *spec);
/**
 * sw_local_session_add_ssh - "ID[=SOCKET[,raw=true]|=KEYFILE,...]"; an empty ID is
 * "default", no path is $SSH_AUTH_SOCK. Unless raw, only listing keys and signing get
 * through to the agent. Key files are served by a private ssh-agent.
 * Errors: SW_E_USAGE, SW_E_NOT_FOUND, SW_E_INVALID, SW_E_LIMIT.
 */
SW_API SW_NODISCARD sw_err *sw_local_session_add_ssh(sw_local_session *l, const char *spec);

SW_DEFINE_AUTOPTR(sw_local_session, sw_local_session_free)

SW_END_DECLS
#endif
