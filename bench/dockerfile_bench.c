/*
 * bench/dockerfile_bench.c - parse, convert and marshal Dockerfiles of 1,000 and 10,000
 * lines: half commands, the rest copies, variables, directories, labels. Nothing is built:
 * the bridge has one image and no files (tests/unit/lib/dockerfile/fakebridge.h).
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "tests/unit/lib/dockerfile/fakebridge.h"

enum { LINES = 200000 }; /* of all rounds: a busy machine has quiet moments */

static void
must(sw_err *err)
{
        if (!err)
                return;
        fprintf(stderr, "dockerfile_bench: %s\n", sw_err_message(err));
        exit(1);
}

static void
add_line(sw_buf *b, int i)
{
        switch (i % 10) {
        case 0: /* few variables, many lines: as people write them */
                sw_buf_addf(b, "ENV VAR_%d=value-%d\n", i % 200, i);
                return;
        case 1: sw_buf_addf(b, "COPY src/file%d /dst/dir%d/\n", i, i); return;
        case 2:
                sw_buf_addf(b, "RUN --mount=type=cache,target=/k make t%d ${VAR_%d:-x}\n",
                            i, (i - 2) % 200);
                return;
        case 3: sw_buf_addf(b, "WORKDIR /w/d%d\n", i); return;
        case 4: sw_buf_addf(b, "LABEL org.example.l%d=\"text %d\"\n", i, i); return;
        default:
                sw_buf_addf(b, "RUN apt-get install -y package-%d && echo done %d\n", i, i);
        }
}

static double
cpu_ms(void)
{
        struct timespec t;

        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
        return (double) t.tv_sec * 1e3 + (double) t.tv_nsec / 1e6;
}

static void
keep_least(double *least, double ms)
{
        if (ms < *least)
                *least = ms;
}

/* ms: parse, convert, convert and marshal. The bytes of the definition. */
static size_t
round_of(struct fake *f, const sw_df_config *config, double ms[3])
{
        size_t bytes = 0;

        for (int marshal = 0; marshal < 2; marshal++) {
                sw_autoptr(sw_df_client) client = NULL;
                sw_autoptr(sw_df_tree) tree = NULL;
                sw_autoptr(sw_df_program) program = NULL;
                sw_autoptr(sw_df_result) r = NULL;
                struct sw_df_lint lint = { .found = 0 };
                double t[3];

                must(sw_df_client_new(NULL, &f->bridge, config, &client));
                must(sw_df_client_load(client));
                t[0] = cpu_ms();
                must(sw_df_parse(&client->text, &tree));
                must(sw_df_program_new(tree, NULL, &lint, &program));
                t[1] = cpu_ms();
                must(sw_df_convert(&(struct sw_df_convert){ .client = client,
                                                            .program = program,
                                                            .lint = &lint,
                                                            .no_marshal = !marshal },
                                   &r));
                t[2] = cpu_ms();
                keep_least(&ms[0], t[1] - t[0]);
                keep_least(&ms[1 + marshal], t[2] - t[1]);
                sw_df_lint_release(&lint);
                bytes = r->definition.len;
        }
        return bytes;
}

static double
measure(int lines, const char *budget)
{
        double ms[3] = { 1e9, 1e9, 1e9 };
        sw_df_config *config = NULL;
        sw_buf text = SW_BUF_INIT;
        struct fake f;
        size_t bytes = 0;

        sw_buf_adds(&text, "FROM busybox\n");
        for (int i = 0; i < lines - 1; i++)
                add_line(&text, i);
        fake_init(&f);
        (void) sw_map_set(f.files, "Dockerfile", sw_buf_detach(&text));
        must(sw_df_config_new(NULL, 0, f.bridge.platforms, &config));
        for (int k = 0; k < LINES / lines; k++)
                bytes = round_of(&f, config, ms);
        printf("Dockerfile of %d lines: parse, convert, marshal | %.2f ms | %s | "
               "%.2f + %.2f + %.2f ms; %.2f MB\n",
               lines, ms[0] + ms[2], budget, ms[0], ms[1], ms[2] - ms[1],
               (double) bytes / 1e6);
        sw_df_config_free(config);
        fake_release(&f);
        return (ms[0] + ms[2]) / (double) bytes;
}

int
main(void)
{
        double small = measure(1000, "5 ms"), large = measure(10000, "");

        /* each command has all variables set so far, so it is not ten times the definition
         */
        printf("Dockerfile, ten times the lines, for a byte | %.1f x | 1 x |\n",
               large / small);
        return 0;
}
