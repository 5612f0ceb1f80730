/*
 * core/session/localsecret.c - secrets from files and environment variables.
 *
 * A file is looked at when it is added and read each time it is asked for. Only regular
 * files: a FIFO gives its contents once, and a device without end.
 * Thread: any.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <slipway/text.h>

#include "core/session/local.h"

void
sw__secret_free(void *p)
{
        struct sw__secret *s = p;

        free(s->file);
        free(s->env);
        free(s);
}

/* Open the file and look at what it is. */
static sw_err *
open_secret(const char *path, int *out)
{
        sw_auto(sw_fd) fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        struct stat st;

        if (fd < 0)
                return sw_err_sys(errno == ENOENT   ? SW_E_NOT_FOUND
                                  : errno == EACCES ? SW_E_DENIED
                                                    : SW_E_IO,
                                  errno, "open secret file %s", path);
        if (fstat(fd, &st) != 0)
                return sw_err_sys(SW_E_IO, errno, "stat secret file %s", path);
        if (!S_ISREG(st.st_mode))
                return sw_err_new(SW_E_INVALID,
                                  "secret file %s is no regular file: a pipe can be read "
                                  "only once; put the secret in a file, or in a variable "
                                  "with env=",
                                  path);
        if (st.st_size > SW_SECRET_MAX)
                return sw_err_new(SW_E_LIMIT, "secret file %s has %lld bytes, more than %d",
                                  path, (long long) st.st_size, SW_SECRET_MAX);
        *out = sw_fd_steal(&fd);
        return SW_OK;
}

/* What "id=x,src=y" says, before it is made sense of. */
struct spec {
        char *id, *src, *env, *type;
};

static void
spec_clear(struct spec *s)
{
        free(s->id);
        free(s->src);
        free(s->env);
        free(s->type);
}
typedef struct spec spec_t;
SW_DEFINE_AUTO(spec_t, spec_clear)

static sw_err *
parse_field(struct spec *s, const char *field)
{
        sw_auto(sw_str) key = NULL;
        const char *value;
        sw_err *err = sw_csv_pair(field, &key, &value);

        if (err)
                return err;
        char **to = strcmp(key, "id") == 0                                  ? &s->id
                    : strcmp(key, "src") == 0 || strcmp(key, "source") == 0 ? &s->src
                    : strcmp(key, "env") == 0                               ? &s->env
                    : strcmp(key, "type") == 0                              ? &s->type
                                                                            : NULL;
        if (!to)
                return sw_err_new(SW_E_USAGE,
                                  "unexpected key '%s' (there is: id, src, source, env, "
                                  "type)",
                                  key);
        free(*to);
        *to = sw_strdup(value);
        return SW_OK;
}

/* Which file or variable is meant. */
static sw_err *
resolve(struct spec *s, struct sw__secret *out)
{
        if (!s->id || !*s->id)
                return sw_err_new(
                        SW_E_USAGE,
                        "secret missing ID: give id=ID,src=FILE or id=ID,env=NAME");
        if (s->type && strcmp(s->type, "file") != 0 && strcmp(s->type, "env") != 0)
                return sw_err_new(SW_E_USAGE, "unsupported secret type %s (file or env)",
                                  s->type);
        if (s->type && strcmp(s->type, "env") == 0 && !s->env)
                s->env = sw_steal(s->src); /* src names the variable then */
        if (s->env && *s->env)
                out->env = sw_steal(s->env);
        else if (s->src && *s->src)
                out->file = sw_steal(s->src);
        else if (getenv(s->id))
                out->env = sw_strdup(s->id);
        else
                out->file = sw_strdup(s->id);
        return SW_OK;
}

static sw_err *
parse(const char *text, struct spec *s, struct sw__secret *out)
{
        sw_auto(sw_strlist) fields = { 0 };
        sw_err *err = sw_csv_split(text, &fields);

        for (size_t i = 0; i < fields.n && !err; i++)
                err = parse_field(s, fields.v[i]);
        if (!err)
                err = resolve(s, out);
        if (!err && out->file) {
                sw_auto(sw_fd) fd = -1;

                err = open_secret(out->file, &fd);
        }
        return err;
}

sw_err *
sw__secret_parse(const char *text, char **id, struct sw__secret **out)
{
        struct sw__secret *secret = sw_new(struct sw__secret);
        sw_auto(spec_t) s = { 0 };
        sw_err *err = parse(text, &s, secret);

        if (err) {
                sw__secret_free(secret);
                return s.id && *s.id ? sw_err_wrap(err, "secret %s", s.id) : err;
        }
        *id = sw_steal(s.id);
        *out = secret;
        return SW_OK;
}

sw_err *
sw__secret_read(const struct sw__secret *s, sw_buf *out)
{
        if (s->env) {
                const char *value = getenv(s->env);

                if (!value)
                        return sw_err_new(SW_E_NOT_FOUND,
                                          "environment variable %s is not set", s->env);
                sw_buf_adds(out, value);
                return SW_OK;
        }
        sw_auto(sw_fd) fd = -1;
        sw_err *err = open_secret(s->file, &fd);
        if (!err)
                err = sw_buf_read_fd(out, fd, SW_SECRET_MAX, s->file);
        return err;
}
