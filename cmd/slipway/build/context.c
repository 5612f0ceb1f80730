/* cmd/slipway/build/context.c - see context.h. */
#include "cmd/slipway/build/context.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <slipway/io.h>
#include <slipway/llb.h>
#include <slipway/path.h>
#include <slipway/text.h>

#include "cmd/slipway/build/input.h"
#include "cmd/slipway/build/named.h"

#define LOCAL_ARCHIVE "slipway-stdin"
#define ARCHIVE       "context.tar"
#define HEAD          512

/* ---- What it is ---- */

static bool
is_dir(const char *path)
{
        struct stat st;

        return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

bool
context_is_url(const char *s)
{
        static const char *const prefixes[] = { "http://", "https://",    "git://",
                                                "ssh://",  "github.com/", "git@" };

        for (size_t i = 0; i < SW_COUNT(prefixes); i++)
                if (sw_str_has_prefix(s, prefixes[i]) && s[strlen(prefixes[i])])
                        return true;
        return false;
}

bool
context_is_archive(const void *bytes, size_t n)
{
        static const struct {
                const char *magic;
                size_t n;
        } kinds[] = {
                { "\x1f\x8b\x08", 3 },
                { "BZh", 3 },
                { "\xfd"
                  "7zXZ\0",
                  6 },
                { "\x28\xb5\x2f\xfd", 4 },
        };

        for (size_t i = 0; i < SW_COUNT(kinds); i++)
                if (n >= kinds[i].n && memcmp(bytes, kinds[i].magic, kinds[i].n) == 0)
                        return true;
        return sw_tar_starts(bytes, n);
}

/* ---- Locals ---- */

sw_err *
context_check_dir(const char *dir, const char *what)
{
        struct stat st;
        int missing = stat(dir, &st) != 0 ? errno : 0;
        enum sw_code code = missing == ENOENT   ? SW_E_NOT_FOUND
                            : missing == EACCES ? SW_E_DENIED
                                                : SW_E_IO;

        if (missing)
                return sw_err_sys(code, missing, "%s", what);
        return S_ISDIR(st.st_mode) ? SW_OK : sw_err_sys(SW_E_INVALID, ENOTDIR, "%s", what);
}

sw_err *
context_add_local(sw_local_session *client, const char *name, const char *dir)
{
        sw_auto(sw_str) spec = sw_asprintf("%s=%s", name, dir);

        return sw_local_session_add_local(client, spec);
}

/* A Dockerfile by name: as a path, or below the context if there is none at that path. */
static sw_err *
take_file(const char *file, const char *dir, sw_local_session *client, opts *o)
{
        sw_auto(sw_str) path = sw_strdup(file);
        sw_auto(sw_str) below = sw_path_join(dir, file);
        sw_auto(sw_str) parent = NULL;
        struct stat st;
        const char *slash;

        if (stat(path, &st) != 0 && file[0] != '/' && stat(below, &st) == 0) {
                free(path);
                path = sw_steal(below);
        }
        if (stat(path, &st) != 0)
                return sw_err_sys(SW_E_NOT_FOUND, errno, "--file %s", file);
        if (S_ISDIR(st.st_mode))
                return sw_err_sys(SW_E_INVALID, EISDIR, "--file %s", file);
        slash = strrchr(path, '/');
        parent = slash ? sw_strndup(path, (size_t) (slash - path) + 1) : sw_strdup(".");
        opts_set(o, "filename", slash ? slash + 1 : path);
        return context_add_local(client, "dockerfile", parent);
}

/* Other frontends may have other ideas of what the file is called. */
static sw_err *
check_dockerfile(const struct cli_call *call, const char *dir)
{
        sw_auto(sw_str) big = sw_path_join(dir, "Dockerfile");
        sw_auto(sw_str) small = sw_path_join(dir, "dockerfile");

        if (cli_str(call, "frontend") || access(big, F_OK) == 0 || access(small, F_OK) == 0)
                return SW_OK;
        return sw_err_new(
                SW_E_NOT_FOUND,
                "there is no Dockerfile in %s: name another with -f FILE, or -f - "
                "for standard input",
                dir);
}

/* Nobody builds by it; the history says with it what was built. */
static void
tell_name(const char *dir, opts *o)
{
        static const char key[] = "vcs:localdir:context";
        sw_auto(sw_str) path = realpath(dir, NULL);
        const char *slash = path ? strrchr(path, '/') : NULL;

        if (slash && !opts_get(o, key))
                opts_set(o, key, slash[1] ? slash + 1 : path);
}

static sw_err *
take_dir(context *c, const struct cli_call *call, const char *dir, const char *file,
         sw_local_session *client, opts *o)
{
        sw_auto(sw_str) what = sw_asprintf("context %s", dir);
        sw_err *err = context_check_dir(dir, what);

        c->dir = dir;
        if (sw_err_code(err) == SW_E_INVALID) {
                sw_err_drop(err, "told in other words");
                return sw_err_new(SW_E_INVALID,
                                  "context %s is no directory; a Dockerfile by another "
                                  "name is given with -f",
                                  dir);
        }
        if (!err)
                err = context_add_local(client, "context", dir);
        tell_name(dir, o);
        if (err || c->dockerfile_on_stdin)
                return err;
        if (file)
                return take_file(file, dir, client, o);
        err = opts_get(o, "filename") ? SW_OK : check_dockerfile(call, dir);
        return err ? err : context_add_local(client, "dockerfile", dir);
}

sw_err *
context_take(context *c, const struct cli_call *call, sw_local_session *client, opts *o)
{
        const char *where = cli_argument(call, 0), *file = cli_str(call, "file");

        c->dockerfile_on_stdin = sw_str_eq(file, "-");
        c->any_on_stdin = sw_str_eq(where, "-");
        if (c->any_on_stdin && c->dockerfile_on_stdin)
                return sw_err_new(SW_E_USAGE, "the context and the Dockerfile cannot both "
                                              "come from standard input");
        if ((c->any_on_stdin || c->dockerfile_on_stdin) && isatty(STDIN_FILENO))
                return sw_err_new(SW_E_USAGE,
                                  "standard input is a terminal: give %s with <",
                                  c->any_on_stdin ? "an archive or a Dockerfile"
                                                  : "a Dockerfile");
        c->remote = !is_dir(where) && context_is_url(where);
        if (c->remote)
                opts_set(o, "context", where);
        if ((c->remote || c->any_on_stdin) && file && !c->dockerfile_on_stdin)
                opts_set(o, "filename", file);
        if (!c->remote && !c->any_on_stdin) {
                sw_err *err = take_dir(c, call, where, file, client, o);

                if (err)
                        return err;
        }
        return named_take(call, client, o);
}

/* ---- Standard input ---- */

/* The archive as a tree: what BuildKit makes of one that it downloads. */
static sw_err *
define_archive(context *c, sw_local_session *client)
{
        static const char *const only[] = { ARCHIVE, NULL };
        static const char *const names[] = { "context", "dockerfile" };
        const char *session = sw_session_id(sw_local_session_get(client));
        sw_autoptr(sw_state) archive = NULL;
        sw_autoptr(sw_state) tree = NULL;
        sw_autoptr(sw_state) scratch = sw_llb_scratch();
        sw_autoptr(sw_files) f = sw_files_new();
        sw_err *err = sw_llb_local(
                LOCAL_ARCHIVE,
                SW_LLB_LOCAL(.session = session, .include = only,
                             .shared_key_hint = LOCAL_ARCHIVE),
                SW_LLB_OPTS(.name = "[internal] load archive from standard input"),
                &archive);

        if (!err)
                err = sw_files_copy(f, archive, "/" ARCHIVE, "/",
                                    SW_LLB_COPY(.unpack = true, .make_parents = true));
        if (!err)
                err = sw_state_files(
                        scratch, f,
                        SW_LLB_OPTS(.name = "[internal] unpack the build context"), &tree);
        if (!err)
                err = sw_state_marshal(tree, NULL, &c->definition);
        if (err)
                return err;
        for (size_t i = 0; i < SW_COUNT(names); i++)
                c->inputs[c->n_inputs++] =
                        (struct sw_frontend_input){ .name = names[i],
                                                    .definition = c->definition.data,
                                                    .len = c->definition.len };
        return SW_OK;
}

static sw_err *
put(context *c, sw_local_session *client, const char *local, const char *name,
    const sw_buf *head)
{
        sw_auto(sw_str) path = NULL;
        sw_err *err = spool_dir(c->spool, local, &path);

        if (!err)
                err = spool_put(c->spool, local, name, head->data, head->len, c->cancel);
        return err ? err : context_add_local(client, local, path);
}

static sw_err *
read_head(const context *c, sw_buf *out)
{
        char head[HEAD];
        size_t got = 1;
        sw_err *err = SW_OK;

        while (!err && got > 0 && out->len < HEAD) {
                err = input_read(c->cancel, head, HEAD - out->len, &got);
                if (!err)
                        sw_buf_add(out, head, got);
        }
        if (!err && out->len == 0)
                err = sw_err_new(SW_E_INVALID, "standard input is empty: an archive or a "
                                               "Dockerfile was to come from it");
        return err;
}

/* A Dockerfile without a context has an empty one. */
static sw_err *
read_dockerfile(context *c, sw_local_session *client, opts *o, const sw_buf *head)
{
        sw_auto(sw_str) path = NULL;
        sw_err *err = put(c, client, "dockerfile", "Dockerfile", head);

        opts_set(o, "filename", "Dockerfile");
        if (c->remote)
                opts_set(o, "dockerfilekey", "dockerfile");
        if (err || !c->any_on_stdin)
                return err;
        err = spool_dir(c->spool, "empty", &path);
        return err ? err : context_add_local(client, "context", path);
}

sw_err *
context_read(context *c, const char *root, sw_local_session *client, opts *o)
{
        sw_auto(sw_buf) head = SW_BUF_INIT;
        sw_err *err;

        if (!c->any_on_stdin && !c->dockerfile_on_stdin)
                return SW_OK;
        err = read_head(c, &head);
        if (!err)
                err = spool_new(root, &c->spool);
        if (err)
                return err;
        if (c->dockerfile_on_stdin || !context_is_archive(head.data, head.len))
                return read_dockerfile(c, client, o, &head);
        err = put(c, client, LOCAL_ARCHIVE, ARCHIVE, &head);
        return err ? err : define_archive(c, client);
}

void
context_release(context *c)
{
        spool_free(sw_steal(c->spool));
        sw_buf_release(&c->definition);
}
