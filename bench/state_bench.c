/*
 * bench/state_bench.c - describe, marshal and release graphs of 1,000 to 100,000 vertices
 * with the state builder: commands and file actions in turn, on one another.
 */
#include <math.h>
#include <stdio.h>

#include <slipway/llb.h>
#include <slipway/time.h>

enum { ROUNDS = 5 };

static void
must(sw_err *err)
{
        if (!err)
                return;
        fprintf(stderr, "state_bench: %s\n", sw_err_message(err));
        exit(1);
}

static void
add_run(sw_state **s, size_t i)
{
        sw_autoptr(sw_run) r = sw_run_new(*s);
        char step[32];
        sw_state *root;

        snprintf(step, sizeof(step), "make step-%zu", i);
        sw_run_args(r, (const char *const[]){ "/bin/sh", "-c", step, NULL });
        must(sw_run_end(r, NULL, &root));
        sw_state_replace(s, root);
}

static void
add_file(sw_state **s, const sw_state *from, size_t i)
{
        sw_autoptr(sw_files) f = sw_files_new();
        char path[32];
        sw_state *after;

        snprintf(path, sizeof(path), "out/%zu", i);
        must(sw_files_copy(f, from, "/a/*", path, SW_LLB_COPY(.wildcard = true)));
        must(sw_state_files(*s, f, NULL, &after));
        sw_state_replace(s, after);
}

static sw_state *
describe(size_t n)
{
        sw_autoptr(sw_state) base = NULL;
        sw_state *s;

        must(sw_llb_image("busybox", NULL, NULL, &base));
        sw_state_replace(&base, sw_state_env(base, "PATH", "/usr/bin:/bin"));
        s = sw_state_dir(base, "/src");
        for (size_t i = 1; i < n; i++) {
                if (i % 2)
                        add_run(&s, i);
                else
                        add_file(&s, base, i);
        }
        return s;
}

/* The fastest of a few rounds, in ms: describe, marshal, release. */
static void
measure(size_t n, double ms[3])
{
        ms[0] = ms[1] = ms[2] = 1e9;
        for (int k = 0; k < ROUNDS; k++) {
                sw_auto(sw_buf) out = SW_BUF_INIT;
                int64_t t[4];
                sw_state *s;

                t[0] = sw_time_mono();
                s = describe(n);
                t[1] = sw_time_mono();
                must(sw_state_marshal(s, NULL, &out));
                t[2] = sw_time_mono();
                sw_state_unref(s);
                t[3] = sw_time_mono();
                for (int i = 0; i < 3; i++) {
                        double took = (double) (t[i + 1] - t[i]) / 1e6;

                        ms[i] = took < ms[i] ? took : ms[i];
                }
        }
}

int
main(void)
{
        static const size_t sizes[] = { 1000, 10000, 100000 };
        double ms[SW_COUNT(sizes)][3];

        for (size_t i = 0; i < SW_COUNT(sizes); i++) {
                measure(sizes[i], ms[i]);
                printf("marshal %zu vertices | %.2f ms | %s | describe %.2f ms, release "
                       "%.2f ms\n",
                       sizes[i], ms[i][1], sizes[i] == 10000 ? "40 ms" : "", ms[i][0],
                       ms[i][2]);
        }
        printf("marshal, growth from 1,000 to 100,000 | n^%.2f | linear |\n",
               log(ms[2][1] / ms[0][1]) / log(100));
        return 0;
}
