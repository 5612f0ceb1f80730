/* tests/unit/lib/janitor/janitor_test.c - what nobody waits for is done all the same. */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include <slipway/mem.h>

#include "lib/janitor/janitor.h"
#include "tests/unit/unit.h"

#define N 1000

static struct janitor *j;
static int done[N], n_done; /* of the janitor's thread until it is joined */
static atomic_int added;

static void
job(void *arg)
{
        done[n_done++] = *(int *) arg;
        free(arg);
}

static void
add(int i)
{
        int *arg = sw_new(int);

        *arg = i;
        janitor_add(j, job, arg);
}

/* Catches: jobs that are lost at the end, not waited for, done twice or in another order.
 */
START_TEST(all_are_done_in_order)
{
        j = janitor_new("test");
        janitor_wait(j); /* for nothing */
        for (int i = 0; i < N / 2; i++)
                add(i);
        janitor_wait(j);
        ck_assert_int_eq(n_done, N / 2);
        for (int i = N / 2; i < N; i++)
                add(i);
        janitor_free(j);
        ck_assert_int_eq(n_done, N);
        for (int i = 0; i < N; i++)
                ck_assert_int_eq(done[i], i);
}
END_TEST

static void
check_thread(void *arg)
{
        sigset_t blocked;

        *(bool *) arg = pthread_sigmask(SIG_SETMASK, NULL, &blocked) == 0 &&
                        sigismember(&blocked, SIGTERM) == 1;
        add(0);
}

/* Catches: signals of the program that end up there; a job that adds one and locks up. */
START_TEST(thread_of_its_own)
{
        bool blocked = false;

        j = janitor_new("test");
        janitor_add(j, check_thread, &blocked);
        janitor_free(j);
        ck_assert(blocked);
        ck_assert_int_eq(n_done, 1);
        janitor_free(janitor_new("idle"));
        janitor_free(NULL);
}
END_TEST

static void
count(void *arg)
{
        (void) arg;
        n_done++;
}

static void *
add_many(void *arg)
{
        for (int i = 0; i < N; i++) {
                janitor_add(j, count, NULL);
                atomic_fetch_add(&added, 1);
        }
        return arg;
}

/* Catches: two threads for one queue, or a queue that is not locked (n_done is not). */
START_TEST(several_add)
{
        pthread_t t[4];

        j = janitor_new("test");
        for (size_t i = 0; i < SW_COUNT(t); i++)
                ck_assert_int_eq(pthread_create(&t[i], NULL, add_many, NULL), 0);
        for (size_t i = 0; i < SW_COUNT(t); i++)
                pthread_join(t[i], NULL);
        janitor_free(j);
        ck_assert_int_eq(n_done, added);
}
END_TEST

UNIT_MAIN("janitor", all_are_done_in_order, thread_of_its_own, several_add)
