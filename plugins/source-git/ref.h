/*
 * plugins/source-git/ref.h - names that git is given and text that it prints, checked and
 * taken apart. Pure; input is hostile.
 */
#ifndef SLIPWAY_SOURCE_GIT_REF_H
#define SLIPWAY_SOURCE_GIT_REF_H

#include <slipway/buf.h>

/** ref_check - whether @s can be the name of a ref, as git check-ref-format has it, and is
 *  no option. Errors: SW_E_INVALID: "invalid git ref". */
SW_NODISCARD sw_err *ref_check(const char *s);
/** ref_is_commit - 40 or 64 lower-case hexadecimal digits. */
bool ref_is_commit(const char *s);

/* Where a repository is. */
enum remote_kind { REMOTE_HTTP = 1, REMOTE_SSH, REMOTE_GIT };
struct remote {
        enum remote_kind kind;
        char *url;  /* as git is given it; nothing secret in it */
        char *host; /* with its port */
        char *user; /* "user:password" that an http URL named, as it stood there; or NULL */
};
/** remote_parse - "https://host/path", "ssh://…", "git://…", "user@host:path", "host/path"
 *  (https). Errors: SW_E_INVALID, SW_E_UNSUPPORTED (another protocol). */
SW_NODISCARD sw_err *remote_parse(const char *s, struct remote *out);
void remote_release(struct remote *r);
typedef struct remote git_remote;
SW_DEFINE_AUTO(git_remote, remote_release)

/* What a ref stands for. */
struct resolved {
        char sha[65];    /* of the ref: a commit, or an annotated tag's object */
        char commit[65]; /* of the commit behind that tag; "": @sha is it */
        char *ref;       /* the full name: "refs/heads/main"; a commit as it was given */
};
/**
 * resolved_read - what git ls-remote said.
 * @ref:  that was asked for; "": the default branch, asked for with --symref HEAD.
 * Errors: SW_E_NOT_FOUND: it is not in it; SW_E_REMOTE: that is no list of refs.
 */
SW_NODISCARD sw_err *resolved_read(const char *text, const char *ref, struct resolved *out);

/** received_read - of "Receiving objects:  45% (9/20), 1.20 MiB | 3.00 MiB/s": how many
 *  bytes came so far. *end: that were all. False: it is another line, or none are told. */
bool received_read(const char *line, int64_t *bytes, bool *end);
/** is_counting - whether a line only tells how a server or git gets on. */
bool is_counting(const char *line);

#endif
