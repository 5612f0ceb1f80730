/* cmd/slipway/build/load.c - see load.h. */
#include "cmd/slipway/build/load.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <slipway/imagename.h>
#include <slipway/path.h>
#include <slipway/spawn.h>
#include <slipway/text.h>

#include "cmd/slipway/build/load_priv.h"

#define CONTAINERD_SOCKET "/run/containerd/containerd.sock"

enum { SAID_MAX = 16 * 1024 };

enum into { DOCKER, CONTAINERD, STORAGE };
static const char *const engines[] = { "docker", "containerd", "containers-storage" };

struct load {
        enum into into;
        char *name, *tag; /* in full */
        char *socket;     /* Docker's */
        sw_cancel *cancel;
        struct sw_attr attrs[2];
        struct sw_export_target target;
        dockerload *docker;
        sw_child *child; /* ctr */
        int said;        /* what it prints on stderr; -1: none */
        char *dir;       /* a layout, for skopeo; or NULL */
        sw_err *why;
};

/* ---- other programs ---- */

static bool
has_program(const char *name)
{
        sw_auto(sw_strlist) dirs = { 0 };
        const char *path = getenv("PATH");

        sw_strlist_split(&dirs, path ? path : "", ':');
        for (size_t i = 0; i < dirs.n; i++) {
                sw_auto(sw_str) file = sw_path_join(dirs.v[i], name);

                if (file[0] == '/' && access(file, X_OK) == 0)
                        return true;
        }
        return false;
}

static sw_err *
ended(const char *program, const struct sw_exit *e, const sw_buf *said)
{
        sw_auto(sw_buf) words = SW_BUF_INIT;

        if (!e->signalled && e->value == 0)
                return SW_OK;
        sw_buf_add_quoted(&words, said->data, said->len, 500);
        return sw_err_new(SW_E_REMOTE, "%s ended with %s %d: %s", program,
                          e->signalled ? "signal" : "status", e->value, words.data);
}

static sw_err *
ctr_begin(load *l, int *fd)
{
        const char *const argv[] = { "ctr", "images", "import", "-", NULL };
        struct sw_spawn s = SW_SPAWN_INIT;
        sw_auto(sw_fd) in = -1;
        sw_auto(sw_fd) out = -1;
        int ends[2];
        sw_err *err;

        if (pipe2(ends, O_CLOEXEC) < 0)
                return sw_err_sys(SW_E_IO, errno, "make a pipe");
        in = ends[0];
        out = ends[1];
        l->said = memfd_create("ctr", MFD_CLOEXEC);
        s.argv = argv;
        s.flags = SW_SPAWN_SEARCH_PATH;
        s.fds_std[0] = in;
        s.fds_std[2] = l->said;
        err = sw_spawn_start(&s, &l->child);
        if (!err)
                *fd = sw_fd_steal(&out);
        return err;
}

static sw_err *
ctr_end(load *l, sw_ctx *ctx)
{
        sw_auto(sw_buf) said = SW_BUF_INIT;
        struct sw_exit e;
        sw_err *err = sw_child_wait(l->child, sw_ctx_cancel(ctx), &e);

        if (err)
                return err;
        if (l->said >= 0 && lseek(l->said, 0, SEEK_SET) == 0)
                sw_err_drop(sw_buf_read_fd(&said, l->said, SAID_MAX, "ctr"),
                            "the status says enough");
        return ended("ctr", &e, &said);
}

static sw_err *
skopeo_end(load *l, sw_ctx *ctx)
{
        sw_auto(sw_str) from = sw_asprintf("oci:%s:%s", l->dir, l->tag);
        sw_auto(sw_str) to = sw_asprintf("containers-storage:%s", l->name);
        const char *const argv[] = { "skopeo", "copy", "--quiet", from, to, NULL };
        struct sw_spawn s = SW_SPAWN_INIT;
        sw_auto(sw_buf) said = SW_BUF_INIT;
        struct sw_exit e;
        bool cut;
        sw_err *err;

        s.argv = argv;
        s.flags = SW_SPAWN_SEARCH_PATH;
        err = sw_spawn_capture(&s, sw_ctx_cancel(ctx), SAID_MAX, NULL, &said, &cut, &e);
        return err ? err : ended("skopeo", &e, &said);
}

/* ---- targets ---- */

static sw_err *
target_file(void *arg, sw_ctx *ctx, int *fd)
{
        load *l = arg;

        if (l->into == DOCKER) {
                sw_progress_note(ctx,
                                 "loading into the Docker engine at %s, with every layer: "
                                 "it cannot be asked which it has",
                                 l->socket);
                return dockerload_begin(l->cancel, l->socket, &l->docker, fd);
        }
        sw_progress_note(ctx, "loading into containerd with ctr");
        return ctr_begin(l, fd);
}

static sw_err *
target_dir(void *arg, sw_ctx *ctx, int *dirfd)
{
        const char *tmp = getenv("TMPDIR");
        load *l = arg;

        sw_progress_note(ctx,
                         "loading into containers-storage with skopeo: layers that are "
                         "there stay");
        l->dir = sw_asprintf("%s/slipway-load-XXXXXX", tmp && *tmp ? tmp : "/var/tmp");
        if (!mkdtemp(l->dir)) {
                sw_err *err = sw_err_sys(SW_E_IO, errno, "make directory %s", l->dir);

                free(sw_steal(l->dir));
                return err;
        }
        *dirfd = open(l->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return *dirfd >= 0 ? SW_OK : sw_err_sys(SW_E_IO, errno, "open %s", l->dir);
}

static sw_err *
target_commit(void *arg, sw_ctx *ctx)
{
        load *l = arg;
        sw_err *err;

        switch (l->into) {
        case DOCKER: err = dockerload_end(l->docker); break;
        case CONTAINERD: err = ctr_end(l, ctx); break;
        case STORAGE: err = skopeo_end(l, ctx); break;
        default: err = SW_OK;
        }
        return sw_err_wrap(err, "load %s", l->name);
}

/* ---- choosing ---- */

static bool
is_there(const load *l, enum into into)
{
        switch (into) {
        case DOCKER: return l->socket && dockerload_is_there(l->socket);
        case CONTAINERD: return access(CONTAINERD_SOCKET, W_OK) == 0 && has_program("ctr");
        case STORAGE: return has_program("skopeo");
        }
        return false;
}

static sw_err *
choose(load *l, const char *into)
{
        for (size_t i = 0; i < SW_COUNT(engines); i++) {
                l->into = (enum into) i;
                if (sw_str_eq(into, engines[i]) ||
                    ((!into || sw_str_eq(into, "auto")) && is_there(l, l->into)))
                        return SW_OK;
        }
        return sw_err_new(SW_E_NOT_FOUND,
                          "--load: there is no engine to load into: no Docker at %s, no "
                          "containerd at %s with ctr, no skopeo for containers-storage",
                          l->socket ? l->socket : "a socket of this machine",
                          CONTAINERD_SOCKET);
}

static sw_err *
take_name(load *l, const char *name)
{
        sw_auto(sw_image_name) n = { .host = NULL };
        sw_err *err = sw_image_name_parse(name, &n), *usage;

        if (!err && n.has_digest)
                err = sw_err_new(SW_E_INVALID, "what is loaded has a digest of its own");
        if (err) {
                usage = sw_err_new(SW_E_USAGE, "--load %s: %s", name, sw_err_message(err));
                sw_err_drop(err, "told as a wrong command line");
                return usage;
        }
        sw_image_name_default_tag(&n);
        l->name = sw_image_name_str(&n);
        l->tag = sw_strdup(n.tag);
        return SW_OK;
}

sw_err *
load_open(const char *name, const char *into, sw_cancel *cancel, load **out)
{
        sw_autoptr(load) l = sw_new(load);
        sw_err *err;

        l->said = -1;
        l->cancel = cancel;
        l->socket = dockerload_socket();
        err = take_name(l, name);
        if (!err)
                err = choose(l, into);
        if (!err && l->into == DOCKER && !l->socket)
                err = sw_err_new(SW_E_UNSUPPORTED,
                                 "--load: DOCKER_HOST is no unix:// socket");
        if (err)
                return err;
        *out = sw_steal(l);
        return SW_OK;
}

struct sw_build_output
load_output(load *l)
{
        l->attrs[0] = (struct sw_attr){ "name", l->name };
        l->attrs[1] = (struct sw_attr){ "tar", l->into == STORAGE ? "false" : "true" };
        l->target = (struct sw_export_target){ .size = sizeof(l->target),
                                               .open_file = target_file,
                                               .open_dir = target_dir,
                                               .commit = target_commit,
                                               .arg = l };
        return (struct sw_build_output){ .type = l->into == DOCKER ? "docker" : "oci",
                                         .attrs = l->attrs,
                                         .n_attrs = SW_COUNT(l->attrs),
                                         .target = &l->target };
}

sw_err *
load_why(load *l, sw_err *err)
{
        sw_err *why = SW_OK;

        if (l->docker)
                dockerload_free(sw_steal(l->docker), &why);
        if (!err || !why || sw_err_code(err) == SW_E_CANCELLED) {
                sw_err_drop(why, "there is a better word for it, or nothing went wrong");
                return err;
        }
        sw_err_drop(err, "the pipe to the engine broke, of which this is why");
        return sw_err_wrap(why, "load %s", l->name);
}

static void
remove_dir(const char *path)
{
        sw_auto(sw_str) base = sw_path_base(path);
        sw_auto(sw_str) parent =
                sw_strndup(path, strlen(path) - strlen(base)); /* with its '/' */
        sw_auto(sw_fd) fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (fd >= 0)
                sw_err_drop(sw_path_remove(fd, base),
                            "it is in the directory for what is temporary");
}

void
load_free(load *l)
{
        sw_err *why = SW_OK;

        if (l->docker)
                dockerload_free(l->docker, &why);
        sw_err_drop(why, "the build was told");
        if (l->child)
                sw_child_free(l->child);
        sw_fd_clear(&l->said);
        if (l->dir)
                remove_dir(l->dir);
        free(l->dir);
        free(l->name);
        free(l->tag);
        free(l->socket);
        free(l);
}
