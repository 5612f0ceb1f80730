/*
 * Blobs appear under their digest only when they are whole and right; writing can be
 * resumed, by another process too; two writers of one digest both succeed.
 */
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <signal.h>

#include <slipway/mem.h>
#include <slipway/path.h>

#include "core/store/content_priv.h"
#include "tests/unit/tmp.h"

static char dir[256];
static int rootfd;
static sw_content *c;

static void
before(void)
{
        unit_mkdtemp(dir, sizeof(dir), "content");
        rootfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        ok(sw__content_open(rootfd, NULL, false, &c));
}

static void
after(void)
{
        sw_auto(sw_fd) slash = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

        sw__content_close(c);
        close(rootfd);
        ok(sw_path_remove(slash, dir));
}

static int
entries(const char *below)
{
        sw_auto(sw_str) cmd =
                sw_asprintf("test $(ls %s/content/%s | wc -l) -eq 1", dir, below);
        sw_auto(sw_str) none =
                sw_asprintf("test $(ls %s/content/%s | wc -l) -eq 0", dir, below);

        return system(none) == 0 ? 0 : system(cmd) == 0 ? 1 : 2;
}

static void
check_blob(const sw_digest *d, const char *text)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;
        struct sw_blob_info info;
        int fd;

        ok(sw_content_open(c, d, &fd, &info));
        ok(sw_buf_read_fd(&b, fd, 1 << 20, "blob"));
        close(fd);
        ck_assert_str_eq(b.data, text);
        ck_assert_int_eq(info.size, (int64_t) strlen(text));
        ck_assert(sw_digest_eq(&info.digest, d));
}

/* Written in pieces, it is there whole after commit and not before. */
START_TEST(a_blob_goes_in)
{
        const sw_digest d = sw_digest_of("hello world", 11);
        struct sw_blob_info info;
        sw_ingest *i;
        int fd;

        ok(sw_content_ingest(c, NULL, "x", &d, 11, &i));
        ok(sw_ingest_write(i, "hello ", 6));
        fails(sw_content_open(c, &d, &fd, NULL), SW_E_NOT_FOUND, "sha256:");
        ok(sw_ingest_write(i, "world", 5));
        ck_assert_int_eq(sw_ingest_offset(i), 11);
        ok(sw_ingest_commit(i, &d, &info));
        ck_assert_int_eq(info.size, 11);
        check_blob(&d, "hello world");
        ck_assert_int_eq(entries("ingest"), 0);
        fails(sw_content_ingest(c, NULL, "x", &d, 11, &i), SW_E_EXISTS, "is there");
        ok(sw_content_remove(c, &d));
        ok(sw_content_remove(c, &d));
        fails(sw_content_info(c, &d, &info), SW_E_NOT_FOUND, "");
}
END_TEST

/* Sealed, its digest is told while its name is still taken; restarted, it is another's. */
START_TEST(its_digest_is_told_before_its_name_is_free)
{
        const sw_digest d = sw_digest_of("one", 3), e = sw_digest_of("two", 3);
        sw_digest is;
        sw_ingest *i, *other;

        ok(sw_content_ingest(c, NULL, "x", NULL, -1, &i));
        ok(sw_ingest_write(i, "one", 3));
        for (int n = 0; n < 2; n++) {
                is = sw_ingest_seal(i);
                ck_assert(sw_digest_eq(&is, &d));
        }
        fails(sw_content_ingest(c, NULL, "x", NULL, -1, &other), SW_E_BUSY, "x");
        ok(sw_ingest_restart(i));
        ok(sw_ingest_write(i, "two", 3));
        is = sw_ingest_seal(i);
        ck_assert(sw_digest_eq(&is, &e));
        ok(sw_ingest_commit(i, &e, NULL));
        check_blob(&e, "two");
        ck_assert_int_eq(entries("blobs/sha256"), 1);
}
END_TEST

/* Nothing wrong ever gets a name: wrong digest, too short, too long. */
START_TEST(what_is_wrong_stays_out)
{
        const sw_digest d = sw_digest_of("right", 5);
        sw_ingest *i;

        ok(sw_content_ingest(c, NULL, "x", &d, 5, &i));
        ok(sw_ingest_write(i, "wrong", 5));
        fails(sw_ingest_commit(i, &d, NULL), SW_E_CORRUPT, "instead of");
        ck_assert_int_eq(entries("ingest"), 0);
        ok(sw_content_ingest(c, NULL, "x", &d, 5, &i));
        ck_assert_int_eq(sw_ingest_offset(i), 0);
        ok(sw_ingest_write(i, "righ", 4));
        fails(sw_ingest_write(i, "tt", 2), SW_E_LIMIT, "5 bytes");
        fails(sw_ingest_commit(i, &d, NULL), SW_E_CORRUPT, "4 bytes instead of 5");
        ck_assert_int_eq(entries("blobs/sha256"), 0);
        fails(sw_content_ingest(c, NULL, "", NULL, -1, &i), SW_E_INVALID, "name");
}
END_TEST

/* A second writer of the name is told so; after closing it goes on where it stopped. */
START_TEST(writing_is_resumed)
{
        const sw_digest d = sw_digest_of("abcdef", 6);
        sw_ingest *i, *j;

        ok(sw_content_ingest(c, NULL, "x", &d, 6, &i));
        fails(sw_content_ingest(c, NULL, "x", &d, 6, &j), SW_E_BUSY, "somebody");
        ok(sw_ingest_write(i, "abc", 3));
        sw_ingest_close(i);
        ok(sw_content_ingest(c, NULL, "x", &d, 6, &i));
        ck_assert_int_eq(sw_ingest_offset(i), 3);
        ok(sw_ingest_write(i, "def", 3));
        ok(sw_ingest_commit(i, &d, NULL));
        check_blob(&d, "abcdef");
}
END_TEST

/* What a killed process wrote is gone on with, and its lock is gone with it. */
START_TEST(a_killed_writer_is_resumed)
{
        const sw_digest d = sw_digest_of("abcdef", 6);
        sw_ingest *i;
        pid_t pid = fork();

        if (pid == 0) {
                ok(sw_content_ingest(c, NULL, "x", &d, 6, &i));
                ok(sw_ingest_write(i, "abcd", 4));
                kill(getpid(), SIGKILL);
        }
        ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
        ok(sw_content_ingest(c, NULL, "x", &d, 6, &i));
        ck_assert_int_eq(sw_ingest_offset(i), 4);
        ok(sw_ingest_write(i, "ef", 2));
        ok(sw_ingest_commit(i, NULL, NULL));
        check_blob(&d, "abcdef");
}
END_TEST

/* Two at once, under different names. */
START_TEST(two_writers_of_one_digest)
{
        const sw_digest d = sw_digest_of("same", 4);
        sw_ingest *i, *j;

        ok(sw_content_ingest(c, NULL, "one", &d, 4, &i));
        ok(sw_content_ingest(c, NULL, "two", &d, 4, &j));
        ok(sw_ingest_write(i, "same", 4));
        ok(sw_ingest_write(j, "same", 4));
        ok(sw_ingest_commit(i, &d, NULL));
        ok(sw_ingest_commit(j, &d, NULL));
        check_blob(&d, "same");
        ck_assert_int_eq(entries("blobs/sha256"), 1);
        ck_assert_int_eq(entries("ingest"), 0);
}
END_TEST

/* From files, whole and in part, and from pipes. */
START_TEST(files_and_pipes_are_copied)
{
        sw_auto(sw_str) path = sw_asprintf("%s/file", dir);
        int fd = open(path, O_CREAT | O_RDWR, 0600), fds[2];
        const sw_digest all = sw_digest_of("0123456789", 10), part = sw_digest_of("345", 3);
        sw_ingest *i;

        ck_assert_int_eq(write(fd, "0123456789", 10), 10);
        ok(sw_content_ingest(c, NULL, "a", &all, 10, &i));
        ok(sw_ingest_copy(i, NULL, fd, 0, -1));
        ok(sw_ingest_commit(i, &all, NULL));
        ok(sw_content_ingest(c, NULL, "a", &part, -1, &i));
        ok(sw_ingest_copy(i, NULL, fd, 3, 3));
        ok(sw_ingest_commit(i, &part, NULL));
        ok(sw_content_ingest(c, NULL, "b", NULL, 4, &i));
        fails(sw_ingest_copy(i, NULL, fd, 0, -1), SW_E_LIMIT, "4 bytes");
        fails(sw_ingest_copy(i, NULL, fd, 8, 4), SW_E_IO, "");
        sw_ingest_abort(i);
        ck_assert_int_eq(pipe(fds), 0);
        ck_assert_int_eq(write(fds[1], "pipe", 4), 4);
        close(fds[1]);
        ok(sw_content_ingest(c, NULL, "b", NULL, 4, &i));
        ok(sw_ingest_copy(i, NULL, fds[0], 0, -1));
        ok(sw_ingest_commit(i, NULL, NULL));
        close(fds[0]);
        close(fd);
        ck_assert_int_eq(entries("ingest"), 0);
}
END_TEST

/* Ingests that nobody writes are swept after a day; one that is being written is not. */
START_TEST(old_ingests_are_swept)
{
        sw_content *second;
        sw_ingest *i, *j, *k;

        ok(sw_content_ingest(c, NULL, "forgotten", NULL, -1, &i));
        sw_ingest_close(i);
        ok(sw_content_ingest(c, NULL, "busy", NULL, -1, &j));
        ok(sw__content_open(rootfd, NULL, false, &second));
        ck_assert_int_eq(entries("ingest"), 2);
        sw_auto(sw_str) cmd = sw_asprintf("touch -d 2001-01-01 %s/content/ingest/*", dir);
        ck_assert_int_eq(system(cmd), 0);
        ok(sw__content_sweep(second, (int64_t) 3600 * 1000000000));
        ck_assert_int_eq(entries("ingest"), 1);
        fails(sw_content_ingest(second, NULL, "busy", NULL, -1, &k), SW_E_BUSY, "");
        sw_ingest_abort(j);
        sw__content_close(second);
}
END_TEST

static bool
count(void *arg, const struct sw_blob_info *info)
{
        int64_t *sum = arg;

        *sum += info->size;
        return true;
}

/* A walk tells of every blob and of nothing else; a store that is not there is empty. */
START_TEST(a_walk_tells_all)
{
        sw_auto(sw_str) cmd = sw_asprintf("touch %s/content/blobs/sha256/stray", dir);
        sw_auto(sw_str) bare = sw_asprintf("%s/bare", dir);
        int64_t sum = 0;
        sw_content *none;
        sw_ingest *i;

        ck_assert_int_eq(system(cmd), 0);
        for (int n = 1; n <= 3; n++) {
                ok(sw_content_ingest(c, NULL, "x", NULL, -1, &i));
                ok(sw_ingest_write(i, "aaaa", (size_t) n));
                ok(sw_ingest_commit(i, NULL, NULL));
        }
        ok(sw_content_walk(c, NULL, count, &sum));
        ck_assert_int_eq(sum, 6);
        ck_assert_int_eq(mkdir(bare, 0700), 0);
        int fd = open(bare, O_RDONLY | O_DIRECTORY);
        ok(sw__content_open(fd, NULL, true, &none));
        ok(sw_content_walk(none, NULL, count, &sum));
        ck_assert_int_eq(sum, 6);
        sw__content_close(none);
        close(fd);
}
END_TEST

/* ---- processes that are killed ---- */

enum { BLOBS = 5, BLOB_BYTES = 300000, WRITERS = 4, KILLS = 20 };

static void
fill(char *p, unsigned which)
{
        uint32_t x = which * 2654435761u + 1;

        for (int i = 0; i < BLOB_BYTES; i++, x = x * 1664525u + 1013904223u)
                p[i] = (char) (x >> 24);
}

/* Write what is missing of one blob, under a name that all share or one of its own. */
static void
write_one(sw_content *mine, const char *data, unsigned which, bool shared)
{
        const sw_digest d = sw_digest_of(data, BLOB_BYTES);
        sw_auto(sw_str) name = shared ? sw_asprintf("blob %u", which)
                                      : sw_asprintf("blob %u of %d", which, getpid());
        sw_ingest *i;
        sw_err *err = sw_content_ingest(mine, NULL, name, &d, BLOB_BYTES, &i);
        const int code = sw_err_code(err);

        sw_err_free(err);
        if (code == SW_E_EXISTS || code == SW_E_BUSY)
                return;
        ck_assert_int_eq(code, 0);
        for (int64_t at = sw_ingest_offset(i); at < BLOB_BYTES; at += 10000) {
                const int64_t n = BLOB_BYTES - at < 10000 ? BLOB_BYTES - at : 10000;

                ok(sw_ingest_write(i, data + at, (size_t) n));
        }
        ok(sw_ingest_commit(i, NULL, NULL));
}

static pid_t
start_writer(unsigned seed)
{
        pid_t pid = fork();

        if (pid != 0)
                return pid;
        char *data = sw_alloc(BLOB_BYTES);
        sw_content *mine;

        ok(sw__content_open(rootfd, NULL, false, &mine));
        for (unsigned k = seed;; k = k * 1664525u + 1013904223u) {
                const unsigned which = (k >> 16) % BLOBS;

                fill(data, which);
                const sw_digest d = sw_digest_of(data, BLOB_BYTES);

                write_one(mine, data, which, (k >> 24) & 1);
                if ((k >> 26) & 1) /* or there soon is nothing to write */
                        ok(sw_content_remove(mine, &d));
        }
}

/* Catches: a blob under its name that is not whole, an ingest that nobody can go on with, a
 * lock that outlives its owner. */
START_TEST(writers_that_are_killed)
{
        pid_t pids[WRITERS];
        char *data = sw_alloc(BLOB_BYTES);

        for (unsigned i = 0; i < WRITERS; i++)
                pids[i] = start_writer(i + 1);
        for (unsigned k = 0; k < KILLS; k++) {
                usleep(3000 + k * 7919 % 9000);
                kill(pids[k % WRITERS], SIGKILL);
                waitpid(pids[k % WRITERS], NULL, 0);
                pids[k % WRITERS] = start_writer(k + 100);
        }
        for (unsigned i = 0; i < WRITERS; i++) {
                kill(pids[i], SIGKILL);
                waitpid(pids[i], NULL, 0);
        }
        for (unsigned which = 0; which < BLOBS; which++) {
                fill(data, which);
                write_one(c, data, which, true);

                const sw_digest d = sw_digest_of(data, BLOB_BYTES);
                sw_auto(sw_buf) b = SW_BUF_INIT;
                struct sw_blob_info info;
                int fd;

                ok(sw_content_open(c, &d, &fd, &info));
                ok(sw_buf_read_fd(&b, fd, 1 << 20, "blob"));
                close(fd);
                ck_assert_uint_eq(b.len, BLOB_BYTES);
                ck_assert_int_eq(memcmp(b.data, data, BLOB_BYTES), 0);
        }
        free(data);
}
END_TEST

/* Who knows a digest must not get at a private layer, in stores of earlier versions either.
 */
START_TEST(it_is_closed_to_others)
{
        struct stat st;

        for (int i = 0; i < 2; i++) {
                ck_assert_int_eq(fstatat(rootfd, "content", &st, 0), 0);
                ck_assert_uint_eq(st.st_mode & 07777, 0700);
                ck_assert_int_eq(fchmodat(rootfd, "content", 0711, 0), 0);
                sw__content_close(c);
                ok(sw__content_open(rootfd, NULL, false, &c));
        }
}
END_TEST

UNIT_MAIN_WITH("content", before, after, a_blob_goes_in,
               its_digest_is_told_before_its_name_is_free, it_is_closed_to_others,
               what_is_wrong_stays_out, writing_is_resumed, a_killed_writer_is_resumed,
               two_writers_of_one_digest, files_and_pipes_are_copied, old_ingests_are_swept,
               a_walk_tells_all, writers_that_are_killed)
