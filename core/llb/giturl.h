/*
 * core/llb/giturl.h - URLs of git repositories, in every form git takes them.
 *
 *   https://host/path.git     http, https, ssh, git
 *   git@host:path.git         ssh, as scp writes it
 *   host/path.git             https
 */
#ifndef SLIPWAY_CORE_LLB_GITURL_H
#define SLIPWAY_CORE_LLB_GITURL_H

#include <slipway/error.h>

struct git_url {
        char *scheme; /* "http", "https", "ssh" or "git" */
        char *host;   /* with the port; without the user */
        char *path;   /* decoded; may be without the leading "/" */
        char *remote; /* what git is given */
};

/** sw__git_url_parse - @out: handed back, to be released.
 *  Errors: SW_E_INVALID: unknown protocol, malformed, or a fragment, which is not part of
 *  what git knows. */
SW_API SW_NODISCARD sw_err *sw__git_url_parse(const char *s, struct git_url *out);
SW_API void sw__git_url_release(struct git_url *u);

typedef struct git_url git_url;
SW_DEFINE_AUTO(git_url, sw__git_url_release)

#endif
