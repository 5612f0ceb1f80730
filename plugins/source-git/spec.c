/*
 * plugins/source-git/spec.c - what is asked for, and its cache key.
 *
 *      git://URL[#REF[:SUBDIR]]      the URL as the attribute git.fullurl has it, if there
 */
#include <string.h>

#include <slipway/path.h>
#include <slipway/text.h>

#include "plugins/source-git/git.h"

enum { MAX_SUBDIR = 4000, MAX_CHECKSUM = 64, MAX_HOSTS = 1024 * 1024, MAX_NAME = 300 };

static sw_err *
set_fragment(struct spec *s, const char *fragment)
{
        const char *colon = strchr(fragment, ':');
        sw_auto(sw_str) ref = colon ? sw_strndup(fragment, (size_t) (colon - fragment))
                                    : sw_strdup(fragment);
        const char *subdir = colon ? colon + 1 : "";

        if (strnlen(subdir, MAX_SUBDIR + 1) > MAX_SUBDIR)
                return sw_err_new(SW_E_LIMIT, "a subdirectory of more than %d bytes",
                                  MAX_SUBDIR);
        sw_auto(sw_str) clean = sw_path_clean(subdir);
        if (strcmp(clean, "/") == 0 || strcmp(clean, ".") == 0)
                subdir = "";
        s->subdir = sw_strdup(subdir);
        sw_err *err = *ref ? ref_check(ref) : SW_OK;
        s->ref = sw_steal(ref);
        return err;
}

static void
set_text(char **to, const char *value)
{
        free(*to);
        *to = *value ? sw_strdup(value) : NULL;
}

static bool
is_true(const char *value)
{
        return strcmp(value, "true") == 0;
}

static sw_err *
set_checksum(struct spec *s, const char *value)
{
        const size_t n = strnlen(value, MAX_CHECKSUM + 1);

        if (n > MAX_CHECKSUM || strspn(value, "0123456789abcdefABCDEF") != n)
                return sw_err_new(SW_E_INVALID,
                                  "invalid checksum %.70s for Git URL, expected hex commit "
                                  "hash",
                                  value);
        set_text(&s->checksum, value);
        return SW_OK;
}

static sw_err *
refuse(const char *what, const char *instead)
{
        return sw_err_new(SW_E_UNSUPPORTED, "%s: not possible here: %s", what, instead);
}

static sw_err *
set_attr(struct spec *s, const char *key, const char *value)
{
        if (strcmp(key, "git.keepgitdir") == 0)
                s->keep_git_dir = is_true(value);
        else if (strcmp(key, "git.skipsubmodules") == 0)
                s->skip_submodules = is_true(value);
        else if (strcmp(key, "git.fetchbycommit") == 0)
                s->fetch_by_commit = is_true(value);
        else if (strcmp(key, "git.authheadersecret") == 0)
                set_text(&s->header_secret, value);
        else if (strcmp(key, "git.authtokensecret") == 0)
                set_text(&s->token_secret, value);
        else if (strcmp(key, "git.mountsshsock") == 0)
                set_text(&s->ssh, value);
        else if (strcmp(key, "git.knownsshhosts") == 0) {
                if (strnlen(value, MAX_HOSTS + 1) > MAX_HOSTS)
                        return sw_err_new(SW_E_LIMIT, "%s is far too long", key);
                set_text(&s->known_hosts, value);
        } else if (strcmp(key, "git.checksum") == 0)
                return set_checksum(s, value);
        else if (strcmp(key, "git.mtime") == 0) {
                s->commit_time = strcmp(value, "commit") == 0;
                if (!s->commit_time && *value && strcmp(value, "checkout") != 0)
                        return sw_err_new(SW_E_INVALID,
                                          "%s: %.32s is neither checkout nor commit", key,
                                          value);
        } else if ((strcmp(key, "git.bundle") == 0 && *value) ||
                   (strcmp(key, "git.checkoutbundle") == 0 && is_true(value)))
                return refuse(key, "name the repository itself");
        else if (strcmp(key, "git.sig.pubkey") == 0 && *value)
                return refuse(key, "pin the commit by its checksum");
        return SW_OK;
}

static sw_err *
set_remote(struct spec *s, const char *url, const struct sw_source_request *req)
{
        const char *full = sw_attr_get(req->attrs, req->n_attrs, "git.fullurl");

        return remote_parse(full && *full ? full : url, &s->remote);
}

static sw_err *
check_names(const struct spec *s)
{
        const char *const names[] = { s->header_secret, s->token_secret, s->ssh };

        for (size_t i = 0; i < SW_COUNT(names); i++)
                if (names[i] && strnlen(names[i], MAX_NAME + 1) > MAX_NAME)
                        return sw_err_new(SW_E_LIMIT, "the name of a secret or agent is "
                                                      "far too long");
        if (s->fetch_by_commit && !ref_is_commit(s->ref))
                return sw_err_new(SW_E_INVALID, "fetching by commit needs a whole commit "
                                                "hash for a ref");
        return SW_OK;
}

sw_err *
spec_init(struct spec *s, const struct sw_source_request *req)
{
        const char *text = strstr(req->identifier, "://");

        text = text ? text + 3 : req->identifier;
        const char *hash = strchr(text, '#');
        sw_auto(sw_str) url =
                hash ? sw_strndup(text, (size_t) (hash - text)) : sw_strdup(text);
        sw_err *err = set_remote(s, url, req);

        if (err)
                return err;
        err = set_fragment(s, hash ? hash + 1 : "");
        for (size_t i = 0; i < req->n_attrs && !err; i++)
                err = set_attr(s, req->attrs[i].key, req->attrs[i].value);
        if (!err)
                err = check_names(s);
        return sw_err_wrap(err, "%s", s->remote.url);
}

void
spec_release(struct spec *s)
{
        remote_release(&s->remote);
        free(s->ref);
        free(s->subdir);
        free(s->checksum);
        free(s->header_secret);
        free(s->token_secret);
        free(s->known_hosts);
        free(s->ssh);
}

char *
spec_cache_key(const struct spec *s, const struct resolved *r)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;

        /* where nothing of a tag stays, its commit is as good, and found more often */
        sw_buf_adds(&b, *r->commit && !s->keep_git_dir ? r->commit : r->sha);
        if (s->keep_git_dir)
                sw_buf_addf(&b, ".git%s%s", *r->ref ? "#" : "", r->ref);
        if (*s->subdir)
                sw_buf_addf(&b, ":%s", s->subdir);
        if (s->skip_submodules)
                sw_buf_adds(&b, "(skip-submodules)");
        if (s->commit_time)
                sw_buf_adds(&b, "(mtime=commit)");
        return sw_buf_detach(&b);
}

sw_err *
check_checksum(const struct spec *s, const char *sha, const char *commit)
{
        const size_t n = s->checksum ? strlen(s->checksum) : 0;

        if (n == 0 || strncasecmp(sha, s->checksum, n) == 0 ||
            (*commit && strncasecmp(commit, s->checksum, n) == 0))
                return SW_OK;
        return sw_err_new(SW_E_INVALID, "expected checksum to match %s, got %s%s%s",
                          s->checksum, sha, *commit ? " or " : "", commit);
}
