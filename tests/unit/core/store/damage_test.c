/*
 * tests/unit/core/store/damage_test.c - opening a metadata file that was damaged: it is
 * usable as a whole, for reading and writing, or it was set aside with one warning and a
 * new one was begun. Nothing crashes, hangs or fails to start.
 *
 * Every damage is made from a seed, in a child process, because LMDB's way of complaining
 * is SIGSEGV or abort(). SW_DAMAGE=N makes N of each kind; SW_DAMAGE_SEED=N begins with N.
 */
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/core/store/metatool.h"

enum { PAGE = 4096, HANG_SECONDS = 50 };

/* A sound file, made once. */
static sw_buf whole = SW_BUF_INIT;

/* What the children tell: which seed is being done, and how it went. */
struct report {
        unsigned at, usable, set_aside;
};

/* ---- what is done with a file that was opened ---- */

static bool
see_id(void *arg, const char *id)
{
        must_be(*id && strlen(id) <= SW_KEY_TEXT_MAX);
        sw_strlist_add(arg, id);
        return true;
}

static bool
see_record(void *arg, const struct sw_key_record *r)
{
        must_be(*r->result && strlen(r->result) <= SW_RESULT_ID_MAX);
        sw_strlist_add(arg, r->result);
        return true;
}

static bool
see_backlink(void *arg, const char *parent, const struct sw_key_link *l)
{
        must_be(*parent && *l->digest && strlen(parent) <= SW_KEY_TEXT_MAX);
        *(size_t *) arg += strlen(l->selector);
        return true;
}

static bool
see_note(void *arg, uint32_t input, const char *content)
{
        must_be(strlen(content) <= SW_KEY_TEXT_MAX);
        *(size_t *) arg += input;
        return true;
}

/* Every read there is, of everything that is found. */
static void
use_reads(sw_keystore *ks, sw_strlist *results)
{
        static const char *const notes[] = { "sha256:large", "sha256:small",
                                             "sha256:none" };
        const struct sw_key_link link = { 0, 0, "sha256:popular", "" };
        sw_auto(sw_strlist) ids = { 0 };
        size_t n = 0;
        bool b;

        must(ks->ops->walk_keys(ks, see_id, &ids));
        must(ks->ops->walk_links(ks, "base", &link, see_id, &ids));
        for (size_t i = 0; i < ids.n; i++) {
                must(ks->ops->exists(ks, ids.v[i], &b));
                must(ks->ops->walk_backlinks(ks, ids.v[i], see_backlink, &n));
                must(ks->ops->walk_records(ks, ids.v[i], see_record, results));
                must(ks->ops->has_link(ks, "base", &link, ids.v[i], &b));
        }
        sw_auto(sw_strlist) again = { 0 };
        for (size_t i = 0; i < results->n; i += 7)
                must(ks->ops->walk_by_result(ks, results->v[i], see_id, &again));
        for (size_t i = 0; i < SW_COUNT(notes); i++)
                must(ks->ops->recall(ks, notes[i], &b, see_note, &n));
}

/* Add to every database, then take nearly all away. */
static void
use_writes(sw_keystore *ks, const sw_strlist *results)
{
        char id[32];

        for (unsigned i = 0; i < 60; i++) {
                snprintf(id, sizeof(id), "new-%u", i);
                tool_link(ks, "base", 0, "sha256:popular", "", id);
                tool_link(ks, id, 0, "sha256:fan-in", "", "end");
                tool_record(ks, id, "worker::shared", i);
        }
        const char *content[] = { "sha256:x" };
        must(ks->ops->remember(ks, "sha256:large", content, 1));
        must(ks->ops->commit(ks));
        for (size_t i = 0; i < results->n; i += 1 + i / 50)
                must(ks->ops->release(ks, results->v[i]));
        must(ks->ops->release(ks, "worker::shared"));
        must(ks->ops->commit(ks));
        tool_record(ks, "last", "worker::last", 1);
        must(ks->ops->commit(ks));
}

static int
count_lines(const char *dir, const char *part)
{
        sw_auto(sw_buf) log = SW_BUF_INIT;
        int n = 0;

        tool_read_file(dir, "log", &log);
        for (char *p = strstr(log.data, part); p; p = strstr(p + 1, part))
                n++;
        return n;
}

/* Open what is in @dir, use it, and look at what that left. True: it was set aside. */
static bool
open_and_use(const char *dir)
{
        sw_auto(sw_str) path = sw_asprintf("%s/log", dir);
        sw_auto(sw_fd) fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        sw_autoptr(sw_log) log = sw_log_new(fd, SW_LOG_WARN, SW_LOG_TEXT);
        sw_auto(sw_strlist) results = { 0 };
        sw_meta *m;

        must(sw__meta_open(dir, log, &m));
        const int aside = tool_set_aside(dir);
        must_be(aside <= 1);
        must_be(count_lines(dir, "metadata cannot be used") == aside);
        must_be(count_lines(dir, "\n") == aside);
        tool_read_all(m);
        sw_keystore *ks = sw__keystore_lmdb_new(m);
        use_reads(ks, &results);
        must_be(!aside || results.n == 0);
        use_writes(ks, &results);
        if (aside)
                tool_check_invariants(m);
        sw__keystore_free(ks);
        sw__meta_close(m);
        tool_check_file(dir);
        return aside;
}

/* ---- running damages in children ---- */

/* Change @p, @n bytes; may make @n smaller. */
typedef void damage_fn(struct rng *r, uint8_t *p, size_t *n);

static void
one_damage(damage_fn *damage, unsigned seed, struct report *report)
{
        struct rng r = rng_seed(seed);
        size_t n = whole.len;
        sw_auto(sw_str) copy = sw_memdup(whole.data, n);
        char dir[64];

        unit_mkdtemp(dir, sizeof(dir), "damaged");
        damage(&r, (uint8_t *) copy, &n);
        tool_write_file(dir, "data.mdb", copy, n);
        alarm(HANG_SECONDS);
        const bool aside = open_and_use(dir);
        alarm(0);
        *(aside ? &report->set_aside : &report->usable) += 1;
        tool_remove(dir);
}

/* A child goes on from where the report is; when it dies, the seed is known. */
static void
run_child(damage_fn *damage, unsigned end, struct report *report, const char *what)
{
        int status = 0;
        const pid_t pid = fork();

        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                signal(SIGALRM, SIG_DFL);
                for (; report->at < end; report->at++)
                        one_damage(damage, report->at, report);
                _exit(0);
        }
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert_msg(status == 0, "%s, seed %u: the process ended with %s %d", what,
                      report->at, WIFSIGNALED(status) ? "signal" : "status",
                      WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
}

/* @n seeds; returns what became of them. */
static struct report
run_damage(damage_fn *damage, unsigned n, const char *what)
{
        struct report *report = mmap(NULL, sizeof(*report), PROT_READ | PROT_WRITE,
                                     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        const unsigned first = rounds("SW_DAMAGE_SEED", 0);

        ck_assert_ptr_ne(report, MAP_FAILED);
        report->at = first;
        run_child(damage, first + n, report, what);
        ck_assert_uint_eq(report->usable + report->set_aside, n);
        const struct report was = *report;
        munmap(report, sizeof(*report));
        if (getenv("SW_DAMAGE"))
                printf("# %s: %u usable, %u set aside (%zu bytes)\n", what, was.usable,
                       was.set_aside, whole.len);
        return was;
}

static unsigned
number(unsigned normal)
{
        return effort("SW_DAMAGE", normal);
}

/* ---- kinds of damage ---- */

static void
no_damage(struct rng *r, uint8_t *p, size_t *n)
{
        (void) r;
        (void) p;
        (void) n;
}

/* Catches a check that calls a sound file damaged; without this the rest could pass by
 * setting everything aside. */
START_TEST(leaves_a_sound_file)
{
        tool_make(300, &whole);
        ck_assert_uint_eq(run_damage(no_damage, 1, "none").usable, 1);
}
END_TEST

/* Bytes of no meaning anywhere. */
static void
flip_bits(struct rng *r, uint8_t *p, size_t *n)
{
        for (unsigned i = 1 + rng_below(r, 3); i; i--)
                p[rng_below(r, (unsigned) *n)] ^= (uint8_t) (1u << rng_below(r, 8));
}

START_TEST(flipped_bits)
{
        tool_make(300, &whole);
        const struct report was = run_damage(flip_bits, number(200), "flipped bits");
        /* Some hit the structure, some do not: both ways were gone. */
        ck_assert(was.usable > 0 && was.set_aside > 0);
}
END_TEST

/* Bytes where they hurt: page headers, node pointers, node headers, database records. */
static void
hit_structure(struct rng *r, uint8_t *p, size_t *n)
{
        static const uint8_t nasty[] = { 0x00, 0x01, 0x02, 0x04, 0x06, 0x10,
                                         0x20, 0x40, 0x7f, 0x80, 0xfe, 0xff };
        uint8_t *page = p + (size_t) PAGE * rng_below(r, (unsigned) (*n / PAGE));
        const unsigned nodes = (page[12] | page[13] << 8) / 2;
        unsigned at = rng_below(r, 16);

        if (rng_below(r, 3) && nodes > 8 && nodes < PAGE / 4) {
                const unsigned slot = 16 + 2 * rng_below(r, nodes - 8);
                const unsigned node = page[slot] | page[slot + 1] << 8;

                at = rng_below(r, 4) == 0 ? slot + rng_below(r, 2) : node + rng_below(r, 8);
                if (rng_below(r, 4) == 0) /* into the value: sub-pages, records */
                        at += 8 + rng_below(r, 100);
        } else if (page < p + (size_t) 2 * PAGE) {
                at = rng_below(r, 16 + 24 + 2 * 48 + 16);
        }
        page[at % PAGE] = rng_below(r, 2) ? nasty[rng_below(r, sizeof(nasty))]
                                          : (uint8_t) rng_next(r);
}

START_TEST(structure_hit)
{
        tool_make(300, &whole);
        const struct report was = run_damage(hit_structure, number(300), "structure");
        ck_assert(was.usable > 0 && was.set_aside > 0);
}
END_TEST

static void
zero_page(struct rng *r, uint8_t *p, size_t *n)
{
        memset(p + (size_t) PAGE * rng_below(r, (unsigned) (*n / PAGE)), 0, PAGE);
}

static void
swap_pages(struct rng *r, uint8_t *p, size_t *n)
{
        uint8_t *a = p + (size_t) PAGE * rng_below(r, (unsigned) (*n / PAGE));
        uint8_t *b = p + (size_t) PAGE * rng_below(r, (unsigned) (*n / PAGE));
        uint8_t keep[PAGE];

        memcpy(keep, a, PAGE);
        memcpy(a, b, PAGE);
        memcpy(b, keep, PAGE);
        if (rng_below(r, 2)) { /* with the numbers that belong there */
                memcpy(keep, a, 8);
                memcpy(a, b, 8);
                memcpy(b, keep, 8);
        }
}

/* Half of a page from another. */
static void
tear_page(struct rng *r, uint8_t *p, size_t *n)
{
        uint8_t *a = p + (size_t) PAGE * rng_below(r, (unsigned) (*n / PAGE));
        const uint8_t *b = p + (size_t) PAGE * rng_below(r, (unsigned) (*n / PAGE));
        const unsigned at = 512 * rng_below(r, 8);

        memmove(a + at, b + at, 512 * (1 + rng_below(r, 8 - at / 512)));
}

START_TEST(pages_lost_swapped_and_torn)
{
        tool_make(300, &whole);
        run_damage(zero_page, number(60), "zeroed page");
        run_damage(swap_pages, number(120), "swapped pages");
        run_damage(tear_page, number(120), "torn page");
}
END_TEST

static void
truncate_at_page(struct rng *r, uint8_t *p, size_t *n)
{
        (void) p;
        *n = (size_t) PAGE * rng_below(r, (unsigned) (*n / PAGE));
}

static void
truncate_anywhere(struct rng *r, uint8_t *p, size_t *n)
{
        (void) p;
        *n = rng_below(r, rng_below(r, 2) ? (unsigned) *n : 3 * PAGE);
}

START_TEST(truncated)
{
        tool_make(300, &whole);
        run_damage(truncate_at_page, number(100), "truncated at a page");
        run_damage(truncate_anywhere, number(100), "truncated anywhere");
}
END_TEST

static void
garbage_meta(struct rng *r, uint8_t *p, size_t *n)
{
        const unsigned which = rng_below(r, 3);
        (void) n;

        for (unsigned i = 0; i < PAGE; i++) {
                if (which != 1)
                        p[i] = (uint8_t) rng_next(r);
                if (which != 0)
                        p[PAGE + i] = (uint8_t) rng_next(r);
        }
}

/* The meta page of an older state over the newer one, or both the same. */
static void
old_meta(struct rng *r, uint8_t *p, size_t *n)
{
        const unsigned what = rng_below(r, 4);
        (void) n;

        if (what < 2)
                memcpy(p + PAGE * what + 16, p + PAGE * !what + 16, 136);
        else
                memset(p + PAGE * (what - 2) + 144, (int) rng_below(r, 3), 8);
}

static void
noise(struct rng *r, uint8_t *p, size_t *n)
{
        *n = rng_below(r, 20000);
        for (size_t i = 0; i < *n; i++)
                p[i] = (uint8_t) rng_next(r);
}

START_TEST(meta_pages)
{
        tool_make(300, &whole);
        run_damage(garbage_meta, number(40), "garbage meta");
        run_damage(old_meta, number(40), "old meta");
        ck_assert_uint_eq(run_damage(noise, number(30), "noise").usable, 0);
}
END_TEST

/* ---- what is not a file of bytes ---- */

static void
begin_dir(char dir[64], sw_buf *path)
{
        unit_mkdtemp(dir, 64, "odd");
        sw_buf_addf(path, "%s/data.mdb", dir);
}

/* In a child as another user where we are root, so that modes count. */
static void
open_in_child(const char *dir, bool as_nobody, bool *aside)
{
        int status;
        const pid_t pid = fork();

        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                if (as_nobody && geteuid() == 0 &&
                    (chown(dir, 65534, 65534) < 0 || setgid(65534) < 0 ||
                     setuid(65534) < 0))
                        _exit(9);
                alarm(HANG_SECONDS);
                _exit(open_and_use(dir) ? 3 : 4);
        }
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert_msg(WIFEXITED(status) && (WEXITSTATUS(status) | 7) == 7 &&
                              WEXITSTATUS(status) >= 3,
                      "opening ended with %#x", (unsigned) status);
        *aside = WEXITSTATUS(status) == 3;
}

/* Catches an opening that fails, hangs or follows where data.mdb is something else. */
START_TEST(odd_files)
{
        static const char *const kinds[] = { "directory", "full directory",
                                             "symlink",   "dangling symlink",
                                             "fifo",      "unreadable",
                                             "read-only", "empty" };
        for (size_t i = 0; i < SW_COUNT(kinds); i++) {
                sw_auto(sw_buf) path = SW_BUF_INIT;
                sw_auto(sw_str) inside = NULL;
                char dir[64];
                bool aside;

                begin_dir(dir, &path);
                inside = sw_asprintf("%s/file", path.data);
                if (i < 2)
                        ck_assert_int_eq(mkdir(path.data, 0700), 0);
                if (i == 1)
                        ck_assert_int_eq(mkdir(inside, 0700), 0);
                if (i == 2 || i == 3)
                        ck_assert_int_eq(symlink(i == 2 ? "/etc/passwd" : "/none/there",
                                                 path.data),
                                         0);
                if (i == 4)
                        ck_assert_int_eq(mkfifo(path.data, 0600), 0);
                if (i >= 5)
                        tool_write_file(dir, "data.mdb", "hello", i == 7 ? 0 : 5);
                if (i == 5 || i == 6)
                        ck_assert_int_eq(chmod(path.data, i == 5 ? 0 : 0400), 0);
                open_in_child(dir, i == 5 || i == 6, &aside);
                ck_assert_msg(aside == (i != 7), "%s", kinds[i]);
                sw_auto(sw_str) all = sw_asprintf("rm -rf %s", dir);
                ck_assert_int_eq(system(all), 0);
        }
}
END_TEST

/* Catches an opening that fails because of LMDB's lock file, which holds nothing. */
START_TEST(odd_lock_files)
{
        for (int kind = 0; kind < 5; kind++) {
                sw_auto(sw_buf) path = SW_BUF_INIT;
                uint8_t junk[9000];
                char dir[64];
                bool aside;

                unit_mkdtemp(dir, sizeof(dir), "odd");
                sw_buf_addf(&path, "%s/lock.mdb", dir);
                memset(junk, 0xa5, sizeof(junk));
                if (kind == 0)
                        ck_assert_int_eq(mkdir(path.data, 0700), 0);
                if (kind == 1)
                        ck_assert_int_eq(symlink("/none/there", path.data), 0);
                if (kind >= 2)
                        tool_write_file(dir, "lock.mdb", junk, kind == 2 ? 0 : 9000);
                if (kind == 4)
                        ck_assert_int_eq(chmod(path.data, 0), 0);
                open_in_child(dir, kind == 4, &aside);
                ck_assert(!aside);
                tool_remove(dir);
        }
}
END_TEST

UNIT_MAIN("damage", leaves_a_sound_file, flipped_bits, structure_hit,
          pages_lost_swapped_and_torn, truncated, meta_pages, odd_files, odd_lock_files)
