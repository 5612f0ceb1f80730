/*
 * plugins/source-@NAME@/plugin.c - source "@NAME@": @NAME@://PATH is a tree with one file, which
 * a directory of this machine has under PATH (option dir): a store of artefacts, say.
 *
 * The attribute "@NAME@.name" gives the file another name in the tree.
 * Thread: any worker; one instance by one thread at a time.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include <slipway/digest.h>
#include <slipway/path.h>
#include <slipway/source.h>
#include <slipway/text.h>
#include <slipway/time.h>

#define SCHEME "@NAME@://"

/* What the functions get as @self. */
struct site {
        char *dir;
};

struct source {
        const struct site *site;
        char *path;        /* in its directory */
        char *name;        /* in the tree */
        sw_worker *worker; /* borrowed */
};

static const char *const schemes[] = { "@NAME@", NULL };

static void
@ID@_close(void *self, void *inst)
{
        struct source *s = inst;

        (void) self;
        free(s->path);
        free(s->name);
        free(s);
}

/* Takes the identifier apart; whether the file is there, cache_key says. */
static sw_err *
@ID@_open(void *self, sw_ctx *ctx, const struct sw_source_request *req, void **inst)
{
        struct source *s = sw_new(struct source);

        (void) ctx;
        s->site = self;
        s->worker = req->worker;
        s->path = sw_strdup(req->identifier + strlen(SCHEME)); /* the core saw the scheme */
        s->name = sw_path_base(s->path);
        for (size_t i = 0; i < req->n_attrs; i++)
                if (strcmp(req->attrs[i].key, "@NAME@.name") == 0) {
                        free(s->name);
                        s->name = sw_strdup(req->attrs[i].value);
                }
        if (!sw_path_name_ok(s->name)) { /* names come from outside: check them */
                sw_err *err = sw_err_new(SW_E_INVALID, "%s does not name a file",
                                         req->identifier);

                @ID@_close(self, s);
                return err;
        }
        *inst = s;
        return SW_OK;
}

/* No link leads out of the directory: sw_path_open() sees to that. */
static sw_err *
open_file(const struct source *s, int *fd, struct stat *st)
{
        const char *dir = s->site->dir;
        sw_auto(sw_fd) root = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
        sw_auto(sw_fd) file = -1;
        sw_err *err;

        if (root < 0)
                return sw_err_sys(SW_E_CONFIG, errno, "option dir: open %s", dir);
        err = sw_path_open(root, s->path, O_RDONLY | O_NONBLOCK, 0, &file);
        if (err)
                return err;
        if (fstat(file, st) != 0)
                return sw_err_sys(SW_E_IO, errno, "look at %s", s->path);
        if (!S_ISREG(st->st_mode))
                return sw_err_new(SW_E_INVALID, "%s is not a regular file", s->path);
        *fd = sw_fd_steal(&file);
        return SW_OK;
}

/* The key names what the tree will be: equal keys are built once. Here it is made of what is
 * known without reading the file; a digest of what is in it would do as well. */
static sw_err *
@ID@_cache_key(void *self, void *inst, sw_ctx *ctx, sw_session *session, unsigned index,
               struct sw_source_key *out)
{
        const struct source *s = inst;
        sw_auto(sw_fd) fd = -1;
        struct stat st;
        sw_err *err = open_file(s, &fd, &st);

        (void) self;
        (void) ctx;
        (void) session;
        (void) index;
        if (err)
                return err;
        out->key = sw_asprintf("@NAME@:%s:%s:%lld:%lld.%09ld", s->path, s->name,
                               (long long) st.st_size, (long long) st.st_mtim.tv_sec,
                               st.st_mtim.tv_nsec);
        return SW_OK;
}

/* Parents are told before what is in them, the root ("") first. */
static sw_err *
fill(const struct source *s, int fd, const struct stat *st, const struct sw_layer_ops *ops,
     void *w)
{
        struct sw_layer_meta m = { .mode = 0755,
                                   .mtime = sw_time_from_spec(&st->st_mtim) };
        sw_err *err = ops->mkdir(w, "", &m);

        if (err)
                return err;
        m.mode = st->st_mode & 0777;
        return ops->file(w, s->name, &m, fd, 0, st->st_size);
}

static sw_err *
@ID@_snapshot(void *self, void *inst, sw_ctx *ctx, sw_session *session, sw_ref **out)
{
        const struct source *s = inst;
        const struct sw_layer_ops *ops;
        sw_autoptr(sw_layer) layer = NULL; /* abandoned unless it is committed */
        sw_auto(sw_fd) fd = -1;
        struct stat st;
        void *w;
        sw_err *err = open_file(s, &fd, &st);

        (void) self;
        (void) session;
        if (!err)
                err = sw_worker_layer(s->worker, ctx, NULL,
                                      SW_REF_DESC(.description = s->path), &layer);
        if (!err)
                err = sw_layer_write(layer, ctx, &ops, &w);
        if (err)
                return err;
        err = fill(s, fd, &st, ops, w);
        if (err) {
                ops->abandon(w);
                return err;
        }
        err = ops->finish(w);
        return err ? err : sw_layer_commit(sw_steal(layer), ctx, out);
}

static const struct sw_source_ops ops = {
        .hdr = SW_OPS_SIZE(struct sw_source_ops),
        .schemes = schemes,
        .open = @ID@_open,
        .cache_key = @ID@_cache_key,
        .snapshot = @ID@_snapshot,
        .close = @ID@_close,
};

static sw_err *
@ID@_init(const struct sw_plugin_env *env, void **self)
{
        struct site *site = sw_new(struct site);

        site->dir = sw_strdup(sw_options_str(env->options, "dir"));
        *self = site;
        return SW_OK;
}

static void
@ID@_shutdown(void *self)
{
        struct site *site = self;

        free(site->dir);
        free(site);
}

static const struct sw_option options[] = {
        { "dir", SW_OPT_STRING, "/srv/@NAME@", "where the files are" },
        { 0 },
};

SW_PLUGIN(source_@ID@) = {
        SW_PLUGIN_V1(SW_KIND_SOURCE, "@NAME@"),
        .summary = "a file of a directory of this machine",
        .options = options,
        .init = @ID@_init,
        .shutdown = @ID@_shutdown,
        .ops = &ops.hdr,
};
