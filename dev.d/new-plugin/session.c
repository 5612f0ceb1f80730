/*
 * plugins/session-@NAME@/plugin.c - session part "@NAME@": secrets are files of a directory.
 */
#include <fcntl.h>
#include <unistd.h>

#include <slipway/id.h>
#include <slipway/sessionpart.h>

static sw_err *
@ID@_secret(void *self, sw_ctx *ctx, const char *id, sw_buf *out)
{
        const int *dirfd = self;
        sw_err *err = sw_id_check("secret", id);

        (void) ctx;
        if (err)
                return err;
        return sw_buf_read_file(out, *dirfd, id, SW_SECRET_MAX);
}

static sw_err *
@ID@_init(const struct sw_plugin_env *env, void **self)
{
        const char *dir = sw_options_str(env->options, "dir");
        int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (fd < 0)
                return sw_err_sys(SW_E_CONFIG, errno, "option dir: open %s", dir);
        *self = sw_memdup(&fd, sizeof(fd));
        return SW_OK;
}

static void
@ID@_shutdown(void *self)
{
        close(*(int *) self);
        free(self);
}

static const struct sw_option options[] = {
        { "dir", SW_OPT_STRING, "/", "directory with one file for each secret" },
        { NULL, 0, NULL, NULL },
};

static const struct sw_sessionpart_ops ops = {
        .hdr = SW_OPS_SIZE(struct sw_sessionpart_ops),
        .offers = { .size = sizeof(struct sw_session_ops), .secret = @ID@_secret },
};

SW_PLUGIN(session_@ID@) = {
        SW_PLUGIN_V1(SW_KIND_SESSION, "@NAME@"),
        .summary = "secrets from a directory",
        .options = options,
        .ops = &ops.hdr,
        .init = @ID@_init,
        .shutdown = @ID@_shutdown,
};
