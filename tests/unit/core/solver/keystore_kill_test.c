/*
 * tests/unit/core/solver/keystore_kill_test.c - the key store on LMDB under kill -9, and
 * with several processes writing at once.
 *
 * A writer makes groups of the same shape, told apart by its name and a number, and says
 * through a pipe when one is committed. A group has links, records and a note, so that each
 * database is in it. SW_KILLS=N kills that many.
 */
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/core/store/metatool.h"

enum { ENTRIES = 12, GROUPS_MAX = 4000 };

/* ---- groups ---- */

static void
names(const char *writer, unsigned group, unsigned entry, char key[40], char result[48])
{
        snprintf(key, 40, "%s-%u-%u", writer, group, entry);
        snprintf(result, 48, "w::%s-%u", writer, group);
}

static void
write_group(sw_keystore *ks, const char *writer, unsigned group)
{
        const char *const content[] = { "sha256:a", "sha256:b" };
        char key[40], result[48];

        for (unsigned i = 0; i < ENTRIES; i++) {
                names(writer, group, i, key, result);
                tool_link(ks, "base", 0, "sha256:d", "", key);
                tool_record(ks, key, result, group);
        }
        must(ks->ops->remember(ks, result + 3, content, 2));
        must(ks->ops->commit(ks));
}

static bool
count_id(void *arg, const char *id)
{
        (void) id;
        ++*(unsigned *) arg;
        return true;
}

static bool
count_record(void *arg, const struct sw_key_record *r)
{
        return count_id(arg, r->result);
}

static bool
count_note(void *arg, uint32_t input, const char *content)
{
        (void) input;
        return count_id(arg, content);
}

/* How many of a whole group's parts are there: 0, all, or something that must not be. */
static unsigned
group_parts(sw_keystore *ks, const char *writer, unsigned group)
{
        const struct sw_key_link link = { 0, 0, "sha256:d", "" };
        char key[40], result[48];
        unsigned n = 0;
        bool b;

        for (unsigned i = 0; i < ENTRIES; i++) {
                names(writer, group, i, key, result);
                must(ks->ops->has_link(ks, "base", &link, key, &b));
                n += b;
                must(ks->ops->walk_records(ks, key, count_record, &n));
        }
        must(ks->ops->walk_by_result(ks, result, count_id, &n));
        must(ks->ops->recall(ks, result + 3, &b, count_note, &n));
        return n;
}

#define WHOLE (3u * ENTRIES + 2)

/* ---- writers ---- */

struct writer {
        pid_t pid;
        int from;
        char name[16];
        unsigned committed; /* groups that it said it committed: 0 .. committed-1 */
};

static void
write_forever(const char *dir, const char *name, unsigned groups, int to)
{
        sw_meta *m;

        must(sw__meta_open(dir, NULL, &m));
        sw_keystore *ks = sw__keystore_lmdb_new(m);
        for (unsigned g = 0; g < groups; g++) {
                write_group(ks, name, g);
                must_be(write(to, "x", 1) == 1);
        }
        sw__keystore_free(ks);
        sw__meta_close(m);
}

static void
start_writer(struct writer *w, const char *dir, unsigned groups)
{
        int fds[2];

        ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
        w->committed = 0;
        w->from = fds[0];
        w->pid = fork();
        ck_assert_int_ge(w->pid, 0);
        if (w->pid == 0) {
                close(fds[0]);
                write_forever(dir, w->name, groups, fds[1]);
                _exit(0);
        }
        close(fds[1]);
}

/* Take what it says until it is gone. Returns its status. */
static int
end_writer(struct writer *w)
{
        char buf[4096];
        ssize_t n;
        int status;

        while ((n = read(w->from, buf, sizeof(buf))) > 0)
                w->committed += (unsigned) n;
        close(w->from);
        ck_assert_int_eq(waitpid(w->pid, &status, 0), w->pid);
        return status;
}

/* What it said is there, whole; the group after that is whole or not there at all. */
static void
check_writer(sw_keystore *ks, const struct writer *w)
{
        for (unsigned g = 0; g < w->committed; g++)
                ck_assert_msg(group_parts(ks, w->name, g) == WHOLE,
                              "%s: group %u of %u committed ones has %u parts", w->name, g,
                              w->committed, group_parts(ks, w->name, g));
        for (unsigned g = w->committed; g < w->committed + 2; g++) {
                const unsigned parts = group_parts(ks, w->name, g);

                ck_assert_msg(parts == 0 || (parts == WHOLE && g == w->committed),
                              "%s: group %u after %u has %u parts", w->name, g,
                              w->committed, parts);
        }
}

static void
check_all(const char *dir, const struct writer *w, unsigned n)
{
        sw_meta *m;

        tool_forget_clean(dir);
        ok(sw__meta_open(dir, NULL, &m));
        ck_assert_int_eq(tool_set_aside(dir), 0);
        sw_keystore *ks = sw__keystore_lmdb_new(m);
        for (unsigned i = 0; i < n; i++)
                check_writer(ks, &w[i]);
        tool_check_invariants(m);
        sw__keystore_free(ks);
        sw__meta_close(m);
        tool_check_file(dir);
}

/* ---- killed ---- */

static void
sleep_us(unsigned us)
{
        const struct timespec t = { 0, (long) us * 1000 };

        nanosleep(&t, NULL);
}

/* Kill a writer, by chance while it opens, writes, commits or closes. */
static void
kill_one(struct rng *r, const char *dir, struct writer *w)
{
        struct pollfd p = { .events = POLLIN };

        start_writer(w, dir, rng_below(r, 8) ? GROUPS_MAX : 3);
        p.fd = w->from;
        /* One in four is killed early; the others once something was committed. */
        if (rng_below(r, 4))
                ck_assert_int_ge(poll(&p, 1, 20000), 0);
        sleep_us(rng_below(r, 6000));
        kill(w->pid, SIGKILL);
        end_writer(w);
}

/* Catches groups that are lost or halved, and a store that cannot be opened, after kill -9
 * at any moment. */
START_TEST(killed_at_any_moment)
{
        enum { PER_FILE = 40 };
        struct rng r = rng_seed(rounds("SW_KILL_SEED", 1));
        const unsigned kills = effort("SW_KILLS", 80);
        unsigned groups = 0;
        char dir[64];

        for (unsigned k = 0; k < kills; k += PER_FILE) {
                struct writer w[PER_FILE] = { 0 };

                unit_mkdtemp(dir, sizeof(dir), "kill");
                for (unsigned i = 0; i < PER_FILE; i++) {
                        snprintf(w[i].name, sizeof(w[i].name), "k%u", i);
                        kill_one(&r, dir, &w[i]);
                        groups += w[i].committed;
                        check_all(dir, &w[i], 1);
                }
                check_all(dir, w, PER_FILE);
                tool_remove(dir);
        }
        ck_assert_msg(groups > kills / 2, "only %u groups were committed", groups);
}
END_TEST

/* ---- together ---- */

static void
write_together(unsigned n, bool with_kill)
{
        enum { EACH = UNIT_SANITIZED ? 20 : 60 };
        struct rng r = rng_seed(n);
        struct writer w[4], victim = { .name = "victim" };
        char dir[64];
        sw_meta *m;

        unit_mkdtemp(dir, sizeof(dir), "together");
        ok(sw__meta_open(dir, NULL, &m));
        for (unsigned i = 0; i < n; i++) {
                snprintf(w[i].name, sizeof(w[i].name), "w%u", i);
                start_writer(&w[i], dir, EACH);
        }
        for (int i = 0; with_kill && i < 10; i++)
                kill_one(&r, dir, &victim); /* by chance while it holds LMDB's locks */
        for (unsigned i = 0; i < n; i++) {
                ck_assert_int_eq(end_writer(&w[i]), 0);
                ck_assert_uint_eq(w[i].committed, EACH);
        }
        sw_keystore *ks = sw__keystore_lmdb_new(m);
        check_writer(ks, &w[n - 1]); /* seen by who had it open all the time */
        sw__keystore_free(ks);
        sw__meta_close(m);
        check_all(dir, w, n);
        tool_remove(dir);
}

/* Catches writers that lose each other's groups, deadlock, or see half of one. */
START_TEST(two_write_at_once)
{
        write_together(2, false);
}
END_TEST

START_TEST(four_write_at_once)
{
        write_together(4, false);
}
END_TEST

/* Catches a lock that a killed process keeps, or a half-written group of its that another
 * process completes. */
START_TEST(others_go_on_when_one_is_killed)
{
        write_together(3, true);
}
END_TEST

/* Catches a race of many first openings: each must find the schema that the first made. */
START_TEST(many_open_a_new_one_at_once)
{
        for (int round = 0; round < 8; round++) {
                struct writer w[4];
                char dir[64];

                unit_mkdtemp(dir, sizeof(dir), "first");
                for (unsigned i = 0; i < 4; i++) {
                        snprintf(w[i].name, sizeof(w[i].name), "w%u", i);
                        start_writer(&w[i], dir, 2);
                }
                for (unsigned i = 0; i < 4; i++)
                        ck_assert_int_eq(end_writer(&w[i]), 0);
                check_all(dir, w, 4);
                tool_remove(dir);
        }
}
END_TEST

UNIT_MAIN("keystore-kill", killed_at_any_moment, two_write_at_once, four_write_at_once,
          others_go_on_when_one_is_killed, many_open_a_new_one_at_once)
