/*
 * main.c - describe how a C program is compiled in a root file system of its own, and print
 * the definition.
 *
 *      ./llb-c-program | slipway build --local toolchain=DIR --local src=src \
 *              --output type=local,dest=out
 *
 * The toolchain is a directory with a compiler in it, such as debootstrap makes; the
 * sources are mounted read-only beside it; what the compiler leaves in /out, and nothing
 * else, is the result. `./dev demo` in slipway's tree does all of it.
 */
#include <stdio.h>

#include <slipway/llb.h>

/* A tree of its own with everything of the directory @name in it. */
static sw_err *
copy_local(const char *name, const char *what, sw_state **out)
{
        sw_autoptr(sw_state) local = NULL;
        sw_autoptr(sw_state) scratch = sw_llb_scratch();
        sw_autoptr(sw_files) files = sw_files_new();
        sw_err *err = sw_llb_local(name, NULL, NULL, &local);

        if (!err)
                err = sw_files_copy(files, local, "/", "/",
                                    SW_LLB_COPY(.contents_only = true));
        return err ? err : sw_state_files(scratch, files, SW_LLB_OPTS(.name = what), out);
}

static sw_err *
compile(const sw_state *tools, const sw_state *sources, sw_state **out)
{
        sw_autoptr(sw_state) work = sw_state_dir(tools, "/src");
        sw_autoptr(sw_state) env =
                sw_state_env(work, "PATH", "/usr/local/bin:/usr/bin:/usr/sbin:/bin:/sbin");
        sw_autoptr(sw_run) run = sw_run_new(env);
        sw_autoptr(sw_state) root = NULL;
        sw_err *err = sw_run_command(run, "sh -c 'cc -O2 -Wall -static -o /out/hello *.c'");

        if (!err)
                err = sw_run_mount(run, "/src", sources, SW_LLB_MOUNT(.readonly = true));
        if (!err)
                err = sw_run_mount(run, "/out", NULL, NULL);
        if (!err)
                err = sw_run_mount(run, "/tmp", NULL, SW_LLB_MOUNT(.tmpfs = true));
        if (!err)
                err = sw_run_end(run, SW_LLB_OPTS(.name = "compile hello"), &root);
        return err ? err : sw_run_result(run, "/out", out);
}

static sw_err *
make_definition(sw_buf *def)
{
        sw_autoptr(sw_state) tools = NULL;
        sw_autoptr(sw_state) sources = NULL;
        sw_autoptr(sw_state) result = NULL;
        sw_err *err = copy_local("toolchain", "copy the toolchain", &tools);

        if (!err)
                err = copy_local("src", "copy the sources", &sources);
        if (!err)
                err = compile(tools, sources, &result);
        return err ? err : sw_state_marshal(result, NULL, def);
}

int
main(void)
{
        sw_auto(sw_buf) def = SW_BUF_INIT;
        sw_err *err = make_definition(&def);

        if (err) {
                fprintf(stderr, "llb-c-program: %s\n", sw_err_message(err));
                sw_err_free(err);
                return 1;
        }
        if (fwrite(def.data, 1, def.len, stdout) != def.len || fflush(stdout) != 0) {
                perror("llb-c-program: standard output");
                return 1;
        }
        return 0;
}
