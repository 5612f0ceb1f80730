/*
 * core/session/local.c - the session of a client that is this process.
 *
 * Directories are opened when they are added and stay open: a build sees the one that was
 * named, whatever is renamed meanwhile.
 * Thread: see slipway/localsession.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include <slipway/id.h>
#include <slipway/text.h>

#include "core/session/local.h"

struct sw_local_session {
        sw_session *session;
        sw_map *dirs;    /* name -> struct dir */
        sw_map *secrets; /* id -> struct sw__secret */
        sw_map *agents;  /* id -> struct sw__ssh */
        struct sw__dockerauth *auth;
};

struct dir {
        sw_fd fd;
};

static void
dir_free(void *p)
{
        struct dir *d = p;

        sw_fd_clear(&d->fd);
        free(d);
}

/* "X is not offered; there are a, b". */
static sw_err *
unknown(const sw_map *m, const char *fmt, const char *name, const char *flag)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;

        sw_buf_adds(&b, fmt);
        sw_buf_addc(&b, ' ');
        sw_buf_add_quoted(&b, name, strlen(name), 128);
        if (sw_map_count(m) > 0)
                sw_buf_adds(&b, " (there is:");
        for (struct sw_map_iter it = SW_MAP_ITER(m); sw_map_next(&it);) {
                sw_buf_addc(&b, ' ');
                sw_buf_adds(&b, it.key);
        }
        if (sw_map_count(m) > 0)
                sw_buf_addc(&b, ')');
        else
                sw_buf_addf(&b, " (none was given: %s)", flag);
        return sw_err_new(SW_E_NOT_FOUND, "%s", b.data);
}

static sw_err *
get_directory(void *self, sw_ctx *ctx, const char *name, int *dirfd)
{
        sw_local_session *l = self;
        const struct dir *d = sw_map_get(l->dirs, name);

        (void) ctx;
        if (!d)
                return unknown(l->dirs, "no access allowed to dir", name,
                               "--local NAME=DIR");
        /* a description of its own: two readers do not share a position */
        *dirfd = openat(d->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (*dirfd < 0)
                return sw_err_sys(SW_E_IO, errno, "open local directory %s", name);
        return SW_OK;
}

static sw_err *
get_secret(void *self, sw_ctx *ctx, const char *id, sw_buf *out)
{
        sw_local_session *l = self;
        const struct sw__secret *s = sw_map_get(l->secrets, id);

        (void) ctx;
        return s ? sw__secret_read(s, out)
                 : unknown(l->secrets, "no secret", id, "--secret id=ID,src=FILE");
}

static sw_err *
get_agent(void *self, sw_ctx *ctx, const char *id, int *fd)
{
        sw_local_session *l = self;
        struct sw__ssh *s = sw_map_get(l->agents, id);

        return s ? sw__ssh_connect(s, ctx, fd)
                 : unknown(l->agents, "unset ssh forward key", id, "--ssh ID");
}

static sw_err *
get_credentials(void *self, sw_ctx *ctx, const char *host, char **user, char **secret)
{
        const sw_local_session *l = self;

        return sw__dockerauth_get(l->auth, ctx, host, user, secret);
}

static void
get_credential_places(void *self, sw_buf *out)
{
        const sw_local_session *l = self;

        sw__dockerauth_places(l->auth, out);
}

static const struct sw_session_ops ops = {
        .size = sizeof(ops),
        .secret = get_secret,
        .agent = get_agent,
        .credentials = get_credentials,
        .credential_places = get_credential_places,
        .directory = get_directory,
};

sw_local_session *
sw_local_session_new(void)
{
        sw_local_session *l = sw_new(sw_local_session);
        char id[SW_ID_SIZE];

        l->dirs = sw_map_new(dir_free);
        l->secrets = sw_map_new(sw__secret_free);
        l->agents = sw_map_new(sw__ssh_free);
        l->auth = sw__dockerauth_new();
        l->session = sw_session_new(sw_id_new(id), &ops, l);
        return l;
}

void
sw_local_session_free(sw_local_session *l)
{
        if (!l)
                return;
        sw_session_free(l->session);
        sw_map_free(l->dirs);
        sw_map_free(l->secrets);
        sw_map_free(l->agents);
        sw__dockerauth_free(l->auth);
        free(l);
}

sw_session *
sw_local_session_get(sw_local_session *l)
{
        return l->session;
}

/* @flag: what is given, for messages; @prefix: before the name, among the directories. */
static sw_err *
add_dir(sw_local_session *l, const char *flag, const char *prefix, const char *spec)
{
        const char *eq = strchr(spec, '=');

        if (!eq || eq == spec || !eq[1])
                return sw_err_new(SW_E_USAGE, "%s %s: give NAME=DIR", flag, spec);
        sw_auto(sw_str) name = sw_asprintf("%s%.*s", prefix, (int) (eq - spec), spec);
        const char *shown = name + strlen(prefix);
        if (sw_map_has(l->dirs, name))
                return sw_err_new(SW_E_USAGE, "%s %s is given twice", flag, shown);
        sw_auto(sw_fd) fd = open(eq + 1, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0) {
                enum sw_code code = errno == ENOENT    ? SW_E_NOT_FOUND
                                    : errno == ENOTDIR ? SW_E_INVALID
                                    : errno == EACCES  ? SW_E_DENIED
                                                       : SW_E_IO;

                return sw_err_sys(code, errno, "%s %s: open directory %s", flag, shown,
                                  eq + 1);
        }
        struct dir *d = sw_new(struct dir);
        d->fd = sw_fd_steal(&fd);
        (void) sw_map_set(l->dirs, name, d);
        return SW_OK;
}

sw_err *
sw_local_session_add_local(sw_local_session *l, const char *spec)
{
        return add_dir(l, "local", "", spec);
}

sw_err *
sw_local_session_add_oci_layout(sw_local_session *l, const char *spec)
{
        return add_dir(l, "oci-layout", "oci:", spec);
}

sw_err *
sw_local_session_add_secret(sw_local_session *l, const char *spec)
{
        sw_auto(sw_str) id = NULL;
        struct sw__secret *s = NULL;
        sw_err *err = sw__secret_parse(spec, &id, &s);

        if (err)
                return err;
        (void) sw_map_set(l->secrets, id, s); /* the last one counts */
        return SW_OK;
}

sw_err *
sw_local_session_add_ssh(sw_local_session *l, const char *spec)
{
        sw_auto(sw_str) id = NULL;
        struct sw__ssh *s = NULL;
        sw_err *err = sw__ssh_parse(spec, &id, &s);

        if (err)
                return err;
        if (sw_map_has(l->agents, id)) {
                sw__ssh_free(s);
                return sw_err_new(SW_E_USAGE, "ssh agent %s is given twice", id);
        }
        (void) sw_map_set(l->agents, id, s);
        return SW_OK;
}
