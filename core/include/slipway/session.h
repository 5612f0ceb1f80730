/*
 * slipway/session.h - what the client of a build offers: directories, secrets, agents,
 * credentials. A plugin asks by name; whether the client is this process or somebody at
 * the other end of a socket makes no difference to it.
 *
 * Thread: any worker.   All calls block and return within SW_CANCEL_GRACE_MS of
 * cancellation. Asking for what the client does not offer is SW_E_NOT_FOUND and names it.
 */
#ifndef SLIPWAY_SESSION_H
#define SLIPWAY_SESSION_H

#include <slipway/buf.h>
#include <slipway/ctx.h>

SW_BEGIN_DECLS

typedef struct sw_session sw_session;

#define SW_SECRET_MAX (500 * 1024) /* bytes */

/* How a client is implemented. Grows at the end only; any member may be NULL: the client
 * does not offer that. Strings and buffers are borrowed until return. */
struct sw_session_ops {
        uint32_t size;
        /* secret - appends the value to @out, at most SW_SECRET_MAX bytes. */
        sw_err *(*secret)(void *self, sw_ctx *ctx, const char *id, sw_buf *out);
        /* agent - a connected socket to the ssh agent named @id; *fd handed back. */
        sw_err *(*agent)(void *self, sw_ctx *ctx, const char *id, int *fd);
        /* credentials - user and secret for a registry host; both handed back, from
         * malloc; both NULL: anonymous. user NULL: secret is an identity token, which a
         * token server changes into others; user "": it is a token for the registry. */
        sw_err *(*credentials)(void *self, sw_ctx *ctx, const char *host, char **user,
                               char **secret);
        /* directory - a local directory when the client is this process; *dirfd handed
         * back. */
        sw_err *(*directory)(void *self, sw_ctx *ctx, const char *name, int *dirfd);
        /* credential_places - where it looks for credentials, for errors that say so:
         * "/root/.docker/config.json"; appended to @out. Does not block.   Since: 0.1 */
        void (*credential_places)(void *self, sw_buf *out);
};

/** sw_session_new - @id: copied; @ops, @self: live as long as the session. */
SW_API sw_session *sw_session_new(const char *id, const struct sw_session_ops *ops,
                                  void *self);
/** sw_session_free - nobody uses it any more. NULL is fine. */
SW_API void sw_session_free(sw_session *s);
SW_API const char *sw_session_id(const sw_session *s); /* borrowed */

/* The calls a plugin makes, as in sw_session_ops; each checks presence and limits.
 * Errors: SW_E_NOT_FOUND, SW_E_LIMIT (a secret), SW_E_CANCELLED, and the client's. What is
 * handed back is set on success only. */
SW_API SW_NODISCARD sw_err *sw_session_secret(sw_session *s, sw_ctx *ctx, const char *id,
                                              sw_buf *out);
SW_API SW_NODISCARD sw_err *sw_session_agent(sw_session *s, sw_ctx *ctx, const char *id,
                                             int *fd);
SW_API SW_NODISCARD sw_err *sw_session_credentials(sw_session *s, sw_ctx *ctx,
                                                   const char *host, char **user,
                                                   char **secret);
/** sw_session_credential_places - appended to @out; nothing when the client does not tell.
 *  @s may be NULL. */
SW_API void sw_session_credential_places(sw_session *s, sw_buf *out);
SW_API SW_NODISCARD sw_err *sw_session_directory(sw_session *s, sw_ctx *ctx,
                                                 const char *name, int *dirfd);

SW_DEFINE_AUTOPTR(sw_session, sw_session_free)

SW_END_DECLS
#endif
