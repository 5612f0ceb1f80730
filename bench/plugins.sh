#!/usr/bin/env bash
# Plugin loading and start-up: 100 modules opened, checked and initialised by the host, against
# plain dlopen of the same files; `slipway version` against `git version` and `true`.
. "${top_srcdir:?}/bench/kit.bash"
export PKG_CONFIG_PATH=$top_builddir/prefix/lib/pkgconfig
read -ra flags < <(pkg-config --cflags slipway)
read -ra libs < <(pkg-config --libs slipway)

mkdir "$work/modules"
for i in $(seq -w 100); do
        sed "s/@N@/$i/g" >"$work/exporter_bench$i.c" <<'END'
#include <slipway/exporter.h>
static sw_err *run(void *self, sw_ctx *ctx, const struct sw_export_request *req, struct sw_export_result *out)
{ (void) self; (void) req; sw_export_answer(out, "n", "@N@"); return sw_ctx_check(ctx); }
static const struct sw_option options[] = { { "level", SW_OPT_INT, "1", "how much" }, { 0 } };
static sw_err *init(const struct sw_plugin_env *env, void **self)
{ int64_t *p = sw_alloc(sizeof(*p)); *p = sw_options_int(env->options, "level"); *self = p; return SW_OK; }
static void stop(void *self) { free(self); }
static const struct sw_exporter_ops ops = { .hdr = SW_OPS_SIZE(struct sw_exporter_ops), .export_refs = run };
SW_PLUGIN(exporter_bench@N@) = { SW_PLUGIN_V1(SW_KIND_EXPORTER, "bench@N@"), .summary = "for the benchmark",
        .options = options, .init = init, .shutdown = stop, .ops = &ops.hdr };
END
done
find "$work" -name '*.c' -print0 | xargs -0 -P 2 -I{} sh -c \
        'gcc -std=gnu11 -O2 -fPIC -shared -Wl,-z,now "$@" -o "$0/modules/$(basename {} .c).so" {}' "$work" "${flags[@]}" "${libs[@]}"

cat >"$work/load.c" <<'END'
#include <dlfcn.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <slipway/host.h>
#include <slipway/time.h>
int main(int argc, char **argv)
{
        (void) argc;
        if (!strcmp(argv[1], "dlopen")) {
                char pattern[4096];
                glob_t g;
                snprintf(pattern, sizeof(pattern), "%s/*.so", argv[2]);
                int64_t t = sw_time_mono();
                glob(pattern, 0, NULL, &g);
                for (size_t i = 0; i < g.gl_pathc; i++)
                        if (!dlopen(g.gl_pathv[i], RTLD_NOW | RTLD_LOCAL)) return 1;
                printf("%lld\n", (long long) (sw_time_mono() - t) / 1000);
                return g.gl_pathc != 100;
        }
        const char *dirs[] = { argv[2], NULL };
        struct sw_host_opts o = { .dirs = dirs, .no_default_dir = true };
        sw_host *h;
        int64_t t = sw_time_mono();
        sw_err *err = sw_host_new(&o, &h);
        if (!err) err = sw_host_load(h);
        if (err) { fprintf(stderr, "%s\n", sw_err_message(err)); return 1; }
        printf("%lld\n", (long long) (sw_time_mono() - t) / 1000);
        size_t ready = 0;
        for (size_t i = 0; i < sw_host_count(h); i++) ready += sw_host_get(h, i)->state == SW_PLUGIN_READY;
        sw_host_free(h);
        return ready != 100;
}
END
gcc -std=gnu11 -O2 "$work/load.c" -o "$work/load" "${flags[@]}" "${libs[@]}" -ldl

loaded() { # MODE: the median of 21 runs, in microseconds
        for _ in $(seq 21); do "$work/load" "$1" "$work/modules"; done | sort -n | sed -n 11p
}
host=$(loaded host)
plain=$(loaded dlopen)
row what measured budget 'compared with'
row '100 modules: open, check, init' "$(calc "$host / 1000") ms" '50 ms' "$(calc "$host / $plain") x dlopen alone ($(calc "$plain / 1000") ms)"
version=$(median 'slipway version' 300)
git=$(median 'git version' 300)
true=$(median true 300)
row 'slipway version, whole process' "$(calc "$version") ms" '5 ms' \
        "$(calc "$version / $git") x git version ($(calc "$git") ms), $(calc "$version / $true") x true ($(calc "$true") ms)"
