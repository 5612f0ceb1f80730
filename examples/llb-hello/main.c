/*
 * main.c - describe a build with slipway's state builder and print its definition.
 *
 *      ./llb-hello [PLATFORM] | slipway debug dump-llb --tree
 *      ./llb-hello [PLATFORM] | buildctl build --output type=local,dest=out
 *
 * A script is written into a small image and run there; what it leaves in /out, and nothing
 * else, is the result, together with a file that says what it is made for. Nothing is
 * fetched or run by this program: a definition says only how.
 */
#include <stdio.h>
#include <string.h>

#include <slipway/llb.h>

static const char script[] = "echo \"hello from $(uname -m), $GREETING\" > /out/hello\n";

/* The image with the script in it. */
static sw_err *
make_tools(sw_state **out)
{
        sw_autoptr(sw_state) base = NULL;
        sw_autoptr(sw_state) work = NULL;
        sw_autoptr(sw_files) files = sw_files_new();
        sw_err *err;

        err = sw_llb_image("busybox", NULL, SW_LLB_OPTS(.name = "tools"), &base);
        if (err)
                return err;
        /* States are immutable: base stays as it is, work is base with a directory. */
        work = sw_state_dir(base, "/src");
        err = sw_files_mkfile(files, "hello.sh", 0755, script, strlen(script), NULL);
        if (err)
                return err;
        return sw_state_files(work, files, SW_LLB_OPTS(.name = "write the script"), out);
}

/* What the script leaves in /out, which begins as an empty tree of its own. */
static sw_err *
run_script(const sw_state *tools, sw_state **out)
{
        sw_autoptr(sw_state) env = sw_state_env(tools, "GREETING", "good morning");
        sw_autoptr(sw_run) run = sw_run_new(env);
        sw_autoptr(sw_state) root = NULL;
        sw_err *err;

        err = sw_run_command(run, "sh ./hello.sh");
        if (!err)
                err = sw_run_mount(run, "/out", NULL, NULL);
        if (!err)
                err = sw_run_mount(run, "/tmp", NULL, SW_LLB_MOUNT(.tmpfs = true));
        if (!err)
                err = sw_run_end(run, SW_LLB_OPTS(.name = "run it"), &root);
        return err ? err : sw_run_result(run, "/out", out);
}

/* Called when the state is marshalled: only then is the platform known. */
static sw_err *
add_note(void *arg, const sw_state *s, const struct sw_llb_opts *opts, sw_state **out)
{
        sw_autoptr(sw_files) files = sw_files_new();
        sw_auto(sw_str) platform = sw_platform_str(opts->platform);
        sw_err *err;

        (void) arg;
        err = sw_files_mkfile(files, "/platform", 0644, platform, strlen(platform), NULL);
        return err ? err : sw_state_files(s, files, NULL, out);
}

static sw_err *
make_definition(const char *platform, sw_buf *def)
{
        sw_autoptr(sw_platform) p = NULL;
        sw_autoptr(sw_state) tools = NULL;
        sw_autoptr(sw_state) hello = NULL;
        sw_autoptr(sw_state) result = NULL;
        sw_err *err = platform ? sw_platform_parse(platform, &p) : SW_OK;

        if (!err)
                err = make_tools(&tools);
        if (!err)
                err = run_script(tools, &hello);
        if (err)
                return err;
        result = sw_state_late(hello, add_note, NULL, NULL);
        return sw_state_marshal(result, SW_LLB_OPTS(.platform = p), def);
}

int
main(int argc, char **argv)
{
        sw_auto(sw_buf) def = SW_BUF_INIT;
        sw_err *err = make_definition(argc > 1 ? argv[1] : NULL, &def);

        if (err) {
                fprintf(stderr, "llb-hello: %s\n", sw_err_message(err));
                sw_err_free(err);
                return 1;
        }
        if (fwrite(def.data, 1, def.len, stdout) != def.len || fflush(stdout) != 0) {
                perror("llb-hello: standard output");
                return 1;
        }
        return 0;
}
