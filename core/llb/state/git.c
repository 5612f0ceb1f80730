/*
 * core/llb/state/git.c - git repositories as sources.
 *
 * The identifier is made of host and path alone, so that a repository has one name whatever
 * the protocol; what git is really given goes into an attribute. Thread: any.
 */
#include <string.h>

#include <slipway/path.h>

#include "core/llb/giturl.h"
#include "core/llb/state/source.h"

/* Branch and directory, from the fragment unless given apart. Handed back. */
static void
split_fragment(const char *fragment, const struct sw_llb_git *in, char **ref, char **subdir)
{
        const char *colon = fragment ? strchr(fragment, ':') : NULL;
        sw_auto(sw_str) rooted = NULL;

        if (in->ref)
                *ref = sw_strdup(in->ref);
        else if (colon)
                *ref = sw_strndup(fragment, (size_t) (colon - fragment));
        else
                *ref = sw_strdup(fragment ? fragment : "");
        if (in->subdir) {
                *subdir = sw_strdup(in->subdir);
                return;
        }
        rooted = sw_path_join("/", colon ? colon + 1 : "");
        *subdir = sw_strdup(rooted + 1);
}

static char *
git_identifier(const struct git_url *u, const char *ref, const char *subdir)
{
        sw_auto(sw_str) path = sw_path_join("/", u->path);
        bool fragment = *ref || *subdir;

        return sw_asprintf("git://%s%s%s%s%s%s", u->host, path, fragment ? "#" : "",
                           fragment ? ref : "", *subdir ? ":" : "", subdir);
}

/* A secret's name: the default one unless given; "" for none. */
static void
draft_secret(struct draft *d, const char *key, const char *name, const char *otherwise)
{
        if (sw__llb_draft_text(d, key, name ? name : otherwise) && name)
                d->caps |= CAP(GIT_HTTP_AUTH);
}

static void
draft_ssh(struct draft *d, const struct sw_llb_git *in)
{
        sw_auto(sw_str) hosts = NULL;
        size_t n;

        if (in->known_hosts && *in->known_hosts) {
                n = strlen(in->known_hosts);
                hosts = sw_asprintf("%s%s", in->known_hosts,
                                    in->known_hosts[n - 1] == '\n' ? "" : "\n");
        }
        sw__llb_draft_text(d, "git.knownsshhosts", hosts);
        sw__llb_draft_text(d, "git.mountsshsock",
                           in->ssh && *in->ssh ? in->ssh : "default");
        d->caps |= CAP(GIT_KNOWN_HOSTS) | CAP(GIT_MOUNT_SSH);
}

static void
draft_cap(struct draft *d, bool added, capset cap)
{
        if (added)
                d->caps |= cap;
}

static void
git_draft(const struct git_url *u, const struct sw_llb_git *in, struct draft *d)
{
        bool sig = in->sig_pubkey && *in->sig_pubkey;

        d->caps = CAP(GIT);
        draft_cap(d, sw__llb_draft_flag(d, "git.keepgitdir", in->keep_git_dir),
                  CAP(GIT_KEEP_DIR));
        draft_cap(d, sw__llb_draft_text(d, "git.fullurl", u->remote), CAP(GIT_FULL_URL));
        draft_secret(d, "git.authtokensecret", in->auth_token, "GIT_AUTH_TOKEN");
        draft_secret(d, "git.authheadersecret", in->auth_header, "GIT_AUTH_HEADER");
        if (strcmp(u->scheme, "ssh") == 0)
                draft_ssh(d, in);
        draft_cap(d, sw__llb_draft_text(d, "git.checksum", in->checksum),
                  CAP(GIT_CHECKSUM));
        draft_cap(d, sw__llb_draft_flag(d, "git.skipsubmodules", in->skip_submodules),
                  CAP(GIT_SKIP_SUBMODULES));
        draft_cap(d, sw__llb_draft_text(d, "git.mtime", in->mtime), CAP(GIT_MTIME));
        draft_cap(d, sw__llb_draft_flag(d, "git.fetchbycommit", in->fetch_by_commit),
                  CAP(GIT_FETCH_BY_COMMIT));
        draft_cap(d, sw__llb_draft_text(d, "git.bundle", in->bundle), CAP(GIT_BUNDLE));
        sw__llb_draft_text(d, "oci.session", in->bundle_session);
        sw__llb_draft_text(d, "oci.store", in->bundle_store);
        draft_cap(d, sw__llb_draft_flag(d, "git.checkoutbundle", in->checkout_bundle),
                  CAP(GIT_CHECKOUT_BUNDLE));
        draft_cap(d, sw__llb_draft_text(d, "git.sig.pubkey", in->sig_pubkey),
                  CAP(GIT_SIGNATURE));
        sw__llb_draft_flag(d, "git.sig.rejectexpired", sig && in->sig_reject_expired);
        sw__llb_draft_flag(d, "git.sig.requiresignedtag", sig && in->sig_require_tag);
        sw__llb_draft_flag(d, "git.sig.ignoresignedtag", sig && in->sig_ignore_tag);
}

/* What the git source would refuse later, said at the place where it is written. */
static sw_err *
check_git(const char *url, const struct sw_llb_git *in, const char *ref, const char *subdir)
{
        if (ref[0] == '-')
                return sw_err_new(SW_E_INVALID, "git repository %s: ref %s begins with '-'",
                                  sw__llb_shown(url).text, sw__llb_shown(ref).text);
        if (in->mtime && strcmp(in->mtime, "checkout") != 0 &&
            strcmp(in->mtime, "commit") != 0)
                return sw_err_new(
                        SW_E_INVALID,
                        "git repository %s: mtime %s is neither checkout nor commit",
                        sw__llb_shown(url).text, sw__llb_shown(in->mtime).text);
        if (in->bundle && !in->checksum)
                return sw_err_new(SW_E_INVALID,
                                  "git repository %s: a bundle needs a checksum too",
                                  sw__llb_shown(url).text);
        if (in->checkout_bundle && (in->keep_git_dir || *subdir))
                return sw_err_new(SW_E_INVALID,
                                  "git repository %s: checkout_bundle goes neither with "
                                  "keep_git_dir nor with a directory",
                                  sw__llb_shown(url).text);
        return SW_OK;
}

sw_err *
sw_llb_git(const char *url, const char *fragment, const struct sw_llb_git *git,
           const struct sw_llb_opts *opts, sw_state **out)
{
        sw_auto(git_url) u = { NULL, NULL, NULL, NULL };
        sw_auto(sw_str) ref = NULL, subdir = NULL;
        sw_auto(draft) d = { 0 };
        struct sw_llb_git in;
        sw_err *err = sw__llb_take_options("git", &in, sizeof(in), git);

        if (!err)
                err = sw__git_url_parse(url, &u);
        if (err)
                return err;
        split_fragment(fragment, &in, &ref, &subdir);
        err = check_git(u.host, &in, ref, subdir);
        if (err)
                return err;
        git_draft(&u, &in, &d);
        return sw__llb_draft_end(&d, git_identifier(&u, ref, subdir), opts, out);
}
