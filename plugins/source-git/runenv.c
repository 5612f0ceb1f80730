/*
 * plugins/source-git/runenv.c - what git sees of the world.
 *
 * Settings are handed over in the environment (GIT_CONFIG_KEY_0 …), which git passes on to
 * what it starts. Protocols are limited by GIT_ALLOW_PROTOCOL, which
 * no setting of a repository can widen.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "plugins/source-git/run.h"

struct settings {
        sw_strlist *env;
        size_t n;
};

static void
set(struct settings *s, const char *key, const char *value)
{
        sw_strlist_take(s->env, sw_asprintf("GIT_CONFIG_KEY_%zu=%s", s->n, key));
        sw_strlist_take(s->env, sw_asprintf("GIT_CONFIG_VALUE_%zu=%s", s->n, value));
        s->n++;
}

static void
add_fixed(struct settings *s)
{
        static const char *const fixed[][2] = {
                { "core.hooksPath", "/dev/null" },
                { "core.fsmonitor", "false" },
                { "core.attributesFile", "/dev/null" },
                { "core.excludesFile", "/dev/null" },
                { "core.autocrlf", "false" },
                { "core.symlinks", "true" },
                { "core.protectHFS", "true" },
                { "core.protectNTFS", "true" },
                { "core.logAllRefUpdates", "false" },
                { "credential.helper", "" },
                { "init.defaultBranch", "master" },
                { "advice.detachedHead", "false" },
                { "safe.directory", "*" },
                { "submodule.recurse", "false" },
                { "fetch.recurseSubmodules", "false" },
                { "fetch.writeCommitGraph", "false" },
                /* what is checked of objects, but for mistakes that old programs made and
                 * that do no harm */
                { "fetch.fsckObjects", "true" },
                { "fetch.fsck.badTimezone", "ignore" },
                { "fetch.fsck.missingSpaceBeforeDate", "ignore" },
                { "fetch.fsck.missingSpaceBeforeEmail", "ignore" },
                { "fetch.fsck.missingEmail", "ignore" },
                { "fetch.fsck.badEmail", "ignore" },
                { "fetch.fsck.badName", "ignore" },
                { "fetch.fsck.zeroPaddedFilemode", "ignore" },
                { "fetch.fsck.zeroPaddedDate", "ignore" },
                /* what comes is one file, whose size is limited */
                { "fetch.unpackLimit", "1" },
                /* packs are put together while the repository is ours alone */
                { "gc.autoDetach", "false" },
                { "maintenance.autoDetach", "false" },
                { "gc.autoPackLimit", "50" },
                { "gc.pruneExpire", "now" },
                { "http.lowSpeedLimit", "1" },
                { "http.lowSpeedTime", "60" },
                /* no program of a repository's choosing: large files stay pointers */
                { "filter.lfs.smudge", "" },
                { "filter.lfs.process", "" },
                { "filter.lfs.required", "false" },
        };

        for (size_t i = 0; i < SW_COUNT(fixed); i++)
                set(s, fixed[i][0], fixed[i][1]);
}

/* GitHub's token is good for its other repositories, too, which submodules may be. */
static char *
auth_scope(const char *url)
{
        static const char *const whole[] = { "https://github.com/",
                                             "https://www.github.com/" };

        for (size_t i = 0; i < SW_COUNT(whole); i++)
                if (strncmp(url, whole[i], strlen(whole[i])) == 0)
                        return sw_strdup(whole[i]);
        return sw_strdup(url);
}

bool
auth_reaches(const char *from, const char *to)
{
        sw_auto(sw_str) scope = auth_scope(from);
        const size_t n = strlen(scope);

        return strncmp(to, scope, n) == 0 &&
               (scope[n - 1] == '/' || to[n] == '/' || to[n] == '\0');
}

static void
add_remote(struct settings *s, const struct runner *r)
{
        const struct remote *remote = r->remote;

        set(s, "remote.origin.url", remote->url);
        if (r->plugin->ca)
                set(s, "http.sslCAInfo", r->plugin->ca);
        if (!r->auth)
                return;
        sw_auto(sw_str) scope = auth_scope(remote->url);
        sw_auto(sw_str) header = sw_asprintf("http.%s.extraHeader", scope);
        sw_auto(sw_str) redirects = sw_asprintf("http.%s.followRedirects", scope);
        set(s, header, r->auth);
        /* git would send it along */
        set(s, redirects, "false");
}

/* By numbers of this process, so that there is nothing in it that a shell could read as
 * more than one word. */
static void
add_ssh(sw_strlist *env, const struct runner *r)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;

        sw_buf_adds(&b, "GIT_SSH_COMMAND=ssh -F /dev/null -o BatchMode=yes "
                        "-o ConnectTimeout=30 -o ServerAliveInterval=15 "
                        "-o ServerAliveCountMax=4 -o ForwardAgent=no "
                        "-o PermitLocalCommand=no -o IdentityFile=none "
                        "-o GlobalKnownHostsFile=/dev/null ");
        if (r->known_hosts >= 0)
                sw_buf_addf(&b,
                            "-o StrictHostKeyChecking=yes "
                            "-o UserKnownHostsFile=/proc/%ld/fd/%d",
                            (long) getpid(), r->known_hosts);
        else
                sw_buf_adds(&b, "-o StrictHostKeyChecking=no "
                                "-o UserKnownHostsFile=/dev/null -o LogLevel=ERROR");
        sw_strlist_take(env, sw_buf_detach(&b));
        sw_strlist_add(env, "GIT_SSH_VARIANT=ssh");
        if (r->agent)
                sw_strlist_take(env, sw_asprintf("SSH_AUTH_SOCK=%s", agent_path(r->agent)));
}

static void
add_ours(sw_strlist *env)
{
        static const char *const kept[] = { "PATH",       "TMPDIR",      "http_proxy",
                                            "HTTP_PROXY", "https_proxy", "HTTPS_PROXY",
                                            "all_proxy",  "ALL_PROXY",   "no_proxy",
                                            "NO_PROXY" };

        for (size_t i = 0; i < SW_COUNT(kept); i++) {
                const char *value = getenv(kept[i]);

                if (value)
                        sw_strlist_take(env, sw_asprintf("%s=%s", kept[i], value));
        }
}

void
runenv_make(const struct runner *r, const struct run *q, sw_strlist *out)
{
        static const char *const fixed[] = {
                "LC_ALL=C",
                "HOME=/dev/null",
                "GIT_CONFIG_NOSYSTEM=1",
                "GIT_CONFIG_GLOBAL=/dev/null",
                "GIT_CONFIG_SYSTEM=/dev/null",
                "GIT_ATTR_NOSYSTEM=1",
                "GIT_TERMINAL_PROMPT=0",
                "GIT_ASKPASS=",
                "SSH_ASKPASS=",
                "SSH_ASKPASS_REQUIRE=never",
                "GIT_LFS_SKIP_SMUDGE=1",
                "GIT_EDITOR=:",
                "GIT_PAGER=",
                "GIT_OPTIONAL_LOCKS=0",
                "GIT_NO_REPLACE_OBJECTS=1",
                "GIT_PROTOCOL_FROM_USER=0",
        };
        static const char *const reach[] = {
                [RUN_ALONE] = "GIT_ALLOW_PROTOCOL=none",
                [RUN_REMOTE] = "GIT_ALLOW_PROTOCOL=http:https:git:ssh",
                [RUN_FILE] = "GIT_ALLOW_PROTOCOL=file",
        };
        struct settings s = { out, 0 };

        add_ours(out);
        for (size_t i = 0; i < SW_COUNT(fixed); i++)
                sw_strlist_add(out, fixed[i]);
        sw_strlist_add(out, reach[q->reach]);
        if (q->git_dir)
                sw_strlist_take(out, sw_asprintf("GIT_DIR=%s", q->git_dir));
        if (q->work_tree)
                sw_strlist_take(out, sw_asprintf("GIT_WORK_TREE=%s", q->work_tree));
        add_fixed(&s);
        if (q->reach == RUN_REMOTE) {
                add_remote(&s, r);
                add_ssh(out, r);
        }
        sw_strlist_take(out, sw_asprintf("GIT_CONFIG_COUNT=%zu", s.n));
}

void
runenv_release(sw_strlist *env)
{
        for (size_t i = 0; i < env->n; i++)
                explicit_bzero(env->v[i], strlen(env->v[i]));
        sw_strlist_release(env);
}
