/*
 * tests/tools/rounds.c - the same builds again and again in one process, all of it pruned
 * after each round: what the process keeps then is a leak.
 *
 *      rounds N CONFIG ROOT DEFINITION NAME=DIR...
 *
 * Each round builds the definition without the cache, and once more with it. Says how many
 * builds failed (why is told on stderr), and the memory and files that were in use after
 * half of the rounds and at the end. Modules are searched in SLIPWAY_PLUGIN_PATH.
 */
#include <dirent.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <slipway/engine.h>
#include <slipway/localsession.h>
#include <slipway/mem.h>

enum { DEFINITION_MAX = 1 << 20 };

static void
must(sw_err *err)
{
        if (!err)
                return;
        (void) fprintf(stderr, "rounds: %s\n", sw_err_message(err));
        exit(99);
}

/* What malloc gave out; there is one arena. */
static size_t
memory_in_use(void)
{
        const struct mallinfo2 m = mallinfo2();

        return m.uordblks + m.hblkhd;
}

static int
open_files(void)
{
        DIR *d = opendir("/proc/self/fd");
        int n = 0;

        while (d && readdir(d))
                n++;
        if (d)
                closedir(d);
        return n;
}

/* Whether it went well. */
static bool
build(sw_engine *e, const sw_buf *def, sw_session *session, bool no_cache)
{
        const struct sw_build_output drop = { .type = "discard" };
        sw_autoptr(sw_build) b = NULL;
        struct sw_progress_batch batch;

        must(sw_build_start(e,
                            SW_BUILD_REQUEST(.definition = def->data,
                                             .definition_len = def->len, .session = session,
                                             .outputs = &drop, .n_outputs = 1,
                                             .no_cache = no_cache),
                            &b));
        sw_subscription *sub = sw_build_subscribe(b);
        while (sw_progress_next(sub, -1, &batch))
                sw_progress_batch_release(&batch);
        sw_subscription_free(sub);
        sw_err *err = sw_build_wait(b);
        const bool good = !err;
        if (err)
                (void) fprintf(stderr, "rounds: %s\n", sw_err_message(err));
        sw_err_free(err);
        return good;
}

static void
work(sw_engine *e, unsigned rounds, const sw_buf *def, sw_session *session)
{
        const struct sw_prune_request all = { .size = sizeof(all), .all = true };
        unsigned failed = 0;
        size_t before = 0;
        int files = 0;

        for (unsigned i = 0; i < rounds; i++) {
                failed += !build(e, def, session, true);
                failed += !build(e, def, session, false);
                must(sw_engine_prune(e, NULL, &all, NULL, NULL));
                if (i == rounds / 2) {
                        before = memory_in_use();
                        files = open_files();
                }
        }
        const long grown = (long) memory_in_use() - (long) before;
        printf("failed %u bytes %zu grown %ld files %d\n", failed, before, grown,
               open_files() - files);
}

int
main(int argc, char **argv)
{
        sw_auto(sw_buf) def = SW_BUF_INIT;
        sw_config *config = sw_config_new();
        sw_local_session *l = sw_local_session_new();
        sw_host *host;
        sw_engine *e;

        if (argc < 5) {
                (void) fprintf(stderr,
                               "usage: rounds N CONFIG ROOT DEFINITION NAME=DIR...\n");
                return 99;
        }
        (void) mallopt(M_ARENA_MAX, 1);
        must(sw_config_load(config, argv[2], true));
        must(sw_buf_read_file(&def, AT_FDCWD, argv[4], DEFINITION_MAX));
        for (int i = 5; i < argc; i++)
                must(sw_local_session_add_local(l, argv[i]));
        const struct sw_host_opts opts = { .path = getenv("SLIPWAY_PLUGIN_PATH"),
                                           .config = config,
                                           .no_default_dir = true };
        must(sw_host_new(&opts, &host));
        must(sw_engine_open(SW_ENGINE_OPTS(.host = host, .config = config, .root = argv[3]),
                            &e));
        work(e, (unsigned) strtoul(argv[1], NULL, 10), &def, sw_local_session_get(l));
        sw_engine_close(e);
        sw_host_free(host);
        sw_local_session_free(l);
        sw_config_free(config);
        return 0;
}
