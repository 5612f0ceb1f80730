/*
 * One graph used by several threads.
 *
 * Catches: anything that is written to a state after it was handed out (with the thread
 * sanitizer), counts that are not atomic.
 */
#include <pthread.h>

#include "tests/unit/core/llb/state/make.h"

enum { THREADS = 4, ROUNDS = 50 };

static sw_err *
late(void *arg, const sw_state *s, const struct sw_llb_opts *opts, sw_state **out)
{
        (void) arg;
        (void) opts;
        *out = sw_state_env(s, "LATE", "1");
        return SW_OK;
}

struct shared {
        sw_state *graph;
        sw_buf want;
};

/* Marshal the graph, build on it, give references back: all the while. */
static void *
work(void *arg)
{
        const struct shared *shared = (const struct shared *) arg;

        for (int i = 0; i < ROUNDS; i++) {
                sw_state *mine = sw_state_ref(shared->graph);
                sw_auto(sw_buf) got = SW_BUF_INIT;

                sw_err_drop(sw_state_marshal(mine, NULL, &got), "compared below");
                if (got.len != shared->want.len ||
                    memcmp(got.data, shared->want.data, got.len) != 0)
                        return arg;
                sw_state_replace(&mine, sw_state_env(mine, "T", "x"));
                sw_state_replace(&mine, sw_state_dir(mine, "sub"));
                sw_state_unref(mine);
        }
        return NULL;
}

START_TEST(shared_graph)
{
        sw_autoptr(sw_state) base = image("base");
        sw_autoptr(sw_state) made = sw_state_late(base, late, NULL, NULL);
        struct shared shared = { .want = SW_BUF_INIT };
        pthread_t threads[THREADS];

        shared.graph = run(made, "0");
        for (int i = 1; i < 50; i++) {
                char arg[16];

                snprintf(arg, sizeof(arg), "%d", i);
                sw_state_replace(&shared.graph, run(shared.graph, arg));
        }
        ok(sw_state_marshal(shared.graph, NULL, &shared.want));
        for (int i = 0; i < THREADS; i++)
                ck_assert_int_eq(pthread_create(&threads[i], NULL, work, &shared), 0);
        for (int i = 0; i < THREADS; i++) {
                void *failed;

                ck_assert_int_eq(pthread_join(threads[i], &failed), 0);
                ck_assert_ptr_null(failed);
        }
        sw_state_unref(shared.graph);
        sw_buf_release(&shared.want);
}
END_TEST

UNIT_MAIN("threads", shared_graph)
