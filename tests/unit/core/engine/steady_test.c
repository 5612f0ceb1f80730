/*
 * One engine, many builds, pruned now and then. Catches: memory or descriptors that each
 * build keeps. TEST_BUILDS: how many (90; the long run is 1000). See also
 * tests/integration/memory.sh.
 */
#include <dirent.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <slipway/engine.h>
#include <slipway/llb.h>
#include <slipway/mem.h>
#include <slipway/path.h>

#include "tests/unit/unit.h"

static char root[] = "/tmp/slipway-steady-XXXXXX";

/* What malloc gave out, in KiB; there is one arena. Not what is resident: that grows by 2
 * MiB while the solver's ring of its last events is written on for the first time. */
static long
own_memory(void)
{
        const struct mallinfo2 m = mallinfo2();

        return (long) ((m.uordblks + m.hblkhd) >> 10);
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

/* Sanitizers and valgrind keep what was freed. */
static bool
memory_counts(void)
{
        const char *preload = getenv("LD_PRELOAD");

        return !UNIT_SANITIZED && !(preload && strstr(preload, "vgpreload"));
}

/* Three steps; two in three builds are new. */
static void
make_definition(unsigned k, sw_buf *def)
{
        sw_auto(sw_str) text = sw_asprintf("build %u\n", k - (k % 3 == 2));
        sw_autoptr(sw_state) scratch = sw_llb_scratch();
        sw_autoptr(sw_state) one = NULL;
        sw_autoptr(sw_state) both = NULL;
        sw_autoptr(sw_files) files = sw_files_new();
        sw_autoptr(sw_files) more = sw_files_new();

        ok(sw_files_mkdir(files, "/d", 0755, NULL));
        ok(sw_files_mkfile(files, "/d/f", 0644, text, strlen(text), NULL));
        ok(sw_state_files(scratch, files, NULL, &one));
        ok(sw_files_copy(more, one, "/d", "/e", NULL));
        ok(sw_state_files(one, more, NULL, &both));
        ok(sw_state_marshal(both, NULL, def));
}

static void
build(sw_engine *e, unsigned k)
{
        const struct sw_build_output drop = { .type = "discard" };
        sw_auto(sw_buf) def = SW_BUF_INIT;
        sw_autoptr(sw_build) b = NULL;
        struct sw_progress_batch batch;

        make_definition(k, &def);
        ok(sw_build_start(e,
                          SW_BUILD_REQUEST(.definition = def.data,
                                           .definition_len = def.len, .outputs = &drop,
                                           .n_outputs = 1),
                          &b));
        sw_subscription *sub = sw_build_subscribe(b);
        while (sw_progress_next(sub, -1, &batch))
                sw_progress_batch_release(&batch);
        sw_subscription_free(sub);
        ok(sw_build_wait(b));
}

START_TEST(builds_keep_nothing)
{
        const char *top = getenv("top_builddir"), *wanted = getenv("TEST_BUILDS");
        const unsigned n = wanted ? (unsigned) atoi(wanted) : 90;
        sw_auto(sw_str) dir = sw_asprintf("%s/plugins/.libs", top ? top : ".");
        const char *dirs[] = { dir, NULL };
        const struct sw_host_opts opts = { .dirs = dirs, .no_default_dir = true };
        long before = 0;
        int files = 0;
        sw_host *host;
        sw_engine *e;

        (void) mallopt(M_ARENA_MAX, 1);
        ck_assert(mkdtemp(root));
        ok(sw_host_new(&opts, &host));
        ok(sw_engine_open(SW_ENGINE_OPTS(.host = host, .root = root), &e));
        for (unsigned k = 0; k < n; k++) {
                build(e, k);
                if (k % 10 == 9) {
                        const struct sw_prune_request all = { .size = sizeof(all),
                                                              .all = k % 20 == 19 };

                        ok(sw_engine_prune(e, NULL, &all, NULL, NULL));
                }
                if (k == n / 3) {
                        before = own_memory();
                        files = open_files();
                }
        }
        const long grown = own_memory() - before;
        printf("# %u builds in one process; in the last two thirds its memory grew by %ld "
               "KiB from %ld KiB, its open files by %d\n",
               n, grown, before, open_files() - files);
        ck_assert_int_le(open_files(), files + 2);
        if (memory_counts())
                ck_assert_int_le(grown, 64);
        sw_engine_close(e);
        sw_host_free(host);
        int tmp = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        ok(sw_path_remove(tmp, root + 5));
        close(tmp);
}
END_TEST

UNIT_MAIN("steady", builds_keep_nothing)
