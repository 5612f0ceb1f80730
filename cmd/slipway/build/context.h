/*
 * cmd/slipway/build/context.h - where a build's files come from: the CONTEXT of the command
 * line, -f, and --build-context.
 *
 *      context_take      before anything is begun: what stands on the command line
 *      context_read      when there is a root: what comes on standard input
 *
 * A directory becomes a local of the session; a URL is told to the frontend as it is; an
 * archive on standard input becomes an input: a definition that unpacks it.
 * Thread: main.
 */
#ifndef SLIPWAY_CMD_BUILD_CONTEXT_H
#define SLIPWAY_CMD_BUILD_CONTEXT_H

#include <slipway/frontend.h>
#include <slipway/localsession.h>

#include "cmd/slipway/build/opts.h"
#include "cmd/slipway/build/spool.h"

typedef struct context {
        bool dockerfile_on_stdin, any_on_stdin; /* "-f -"; CONTEXT is "-" */
        bool remote;                            /* CONTEXT is a URL */
        const char *dir;                        /* it is this directory; or NULL */
        sw_cancel *cancel;                      /* of the build; borrowed */
        spool *spool;                           /* or NULL */
        sw_buf definition;
        /* An archive, of @definition: the context, and where the Dockerfile is. */
        struct sw_frontend_input inputs[2];
        size_t n_inputs;
} context;

/** context_take - locals go to @client, what the frontend has to know to @o. Errors:
 *  SW_E_USAGE; SW_E_NOT_FOUND: no such directory, no Dockerfile. */
SW_NODISCARD sw_err *context_take(context *c, const struct cli_call *call,
                                  sw_local_session *client, opts *o);
/** context_read - @root: of the engine. Blocks: until standard input ends. */
SW_NODISCARD sw_err *context_read(context *c, const char *root, sw_local_session *client,
                                  opts *o);
/** context_release - what was kept of standard input is removed. */
void context_release(context *c);

/** context_is_url - a git or http reference rather than a directory. */
bool context_is_url(const char *s);
/** context_is_archive - whether the first @n bytes of a file are those of an archive, as
 *  one is unpacked: tar, or something compressed. 512 bytes are enough. */
bool context_is_archive(const void *p, size_t n);

#endif
