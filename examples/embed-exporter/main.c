/*
 * main.c - a program that embeds slipway's plugin host and exports a directory.
 *
 *      cc main.c $(pkg-config --cflags --libs slipway) -o embed
 *      ./embed PLUGIN-DIR EXPORTER DIRECTORY
 *
 * What the exporter says goes to stdout.
 */
#include <fcntl.h>
#include <stdio.h>

#include <slipway/exporter.h>
#include <slipway/host.h>

static void
note(void *arg, const char *text)
{
        (void) arg;
        fputs(text, stdout);
}

/* resolve, export, finalize, release: the way of every export. */
static sw_err *
export_ref(const struct sw_exporter *e, sw_ref *ref)
{
        const struct sw_progress_sink sink = { .size = sizeof(sink), .note = note };
        const struct sw_export_ref one = { .platform = "", .ref = ref };
        struct sw_export_request req = {
                .size = sizeof(req), .refs = &one, .n_refs = 1, .source_date_epoch = -1
        };
        sw_autoptr(sw_map) response = sw_map_new(free);
        struct sw_export_result out = { .size = sizeof(out), .response = response };
        sw_autoptr(sw_ctx) ctx = sw_ctx_new(NULL, NULL, &sink, NULL, "embed");
        sw_err *err = sw_exporter_resolve(e, ctx, NULL, 0, &req.resolved);

        if (err)
                return err;
        err = sw_exporter_export(e, ctx, &req, &out);
        if (!err)
                err = sw_exporter_finalize(e, ctx, &req, &out);
        sw_exporter_release(e, req.resolved);
        return err;
}

static sw_err *
run(const char *plugin_dir, const char *exporter, const char *dir)
{
        const char *dirs[] = { plugin_dir, NULL };
        const struct sw_host_opts opts = { .dirs = dirs, .no_default_dir = true };
        sw_autoptr(sw_host) host = NULL;
        struct sw_exporter e;
        sw_err *err = sw_host_new(&opts, &host);

        if (err)
                return err;
        err = sw_host_require(host, SW_KIND_EXPORTER, exporter);
        if (!err)
                err = sw_host_exporter(host, exporter, &e);
        if (err)
                return err;
        int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return sw_err_sys(SW_E_IO, errno, "open %s", dir);
        sw_autoptr(sw_ref) ref = sw_ref_new_dir(dir, fd);
        return export_ref(&e, ref);
}

int
main(int argc, char **argv)
{
        if (argc != 4) {
                fprintf(stderr, "usage: %s PLUGIN-DIR EXPORTER DIRECTORY\n", argv[0]);
                return 2;
        }
        sw_err *err = run(argv[1], argv[2], argv[3]);
        int status = sw_err_exit_status(err);
        if (err)
                fprintf(stderr, "%s: %s\n", argv[0], sw_err_message(err));
        sw_err_free(err);
        return status;
}
