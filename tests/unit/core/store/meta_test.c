/*
 * tests/unit/core/store/meta_test.c - opening and closing the metadata environment: who
 * may, what is refused, what is set aside, and the stored examples of each schema.
 *
 * SW_SCHEMA_WRITE=FILE writes the example of the schema that is the newest now.
 */
#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <slipway/time.h>

#include "tests/unit/core/store/metatool.h"

static char dir[64];

static void
begin(void)
{
        unit_mkdtemp(dir, sizeof(dir), "meta");
}

static void
end(void)
{
        tool_remove(dir);
}

/* Make an environment with one record in it. */
static void
make_one(void)
{
        sw_meta *m;

        must(sw__meta_open(dir, NULL, &m));
        sw_keystore *ks = sw__keystore_lmdb_new(m);
        tool_record(ks, "key", "w::result", 1);
        must(ks->ops->commit(ks));
        sw__keystore_free(ks);
        sw__meta_close(m);
}

static bool
count_key(void *arg, const char *id)
{
        (void) id;
        ++*(int *) arg;
        return true;
}

static int
count_keys(sw_meta *m)
{
        sw_keystore *ks = sw__keystore_lmdb_new(m);
        int n = 0;

        must(ks->ops->walk_keys(ks, count_key, &n));
        sw__keystore_free(ks);
        return n;
}

/* Open, count the keys, close. */
static int
keys_there(void)
{
        sw_meta *m;

        must(sw__meta_open(dir, NULL, &m));
        const int n = count_keys(m);
        sw__meta_close(m);
        return n;
}

/* ---- who may open ---- */

/* Catches a second opening by the same process, after which closing either would take
 * LMDB's locks from the other. */
START_TEST(refuses_a_second_opening)
{
        char other[64];
        sw_meta *a, *b, *c;

        begin();
        unit_mkdtemp(other, sizeof(other), "meta");
        ok(sw__meta_open(dir, NULL, &a));
        fails(sw__meta_open(dir, NULL, &b), SW_E_BUSY, "this process has it open");
        ok(sw__meta_open(other, NULL, &c));
        sw__meta_close(c);
        fails(sw__meta_open(dir, NULL, &b), SW_E_BUSY, dir);
        sw__meta_close(a);
        ok(sw__meta_open(dir, NULL, &a));
        sw__meta_close(a);
        sw__meta_close(NULL);
        end();
        tool_remove(other);
}
END_TEST

/* Catches errors that do not say what could not be opened, and modes that let others in. */
START_TEST(names_what_cannot_be_opened)
{
        struct stat st;
        sw_meta *m;

        begin();
        sw_auto(sw_str) none = sw_asprintf("%s/none/meta", dir);
        sw_auto(sw_str) file = sw_asprintf("%s/file", dir);
        sw_auto(sw_str) made = sw_asprintf("%s/meta", dir);
        fails(sw__meta_open(none, NULL, &m), SW_E_IO, none);
        tool_write_file(dir, "file", "", 0);
        fails(sw__meta_open(file, NULL, &m), SW_E_IO, file);
        const mode_t mask = umask(0);
        ok(sw__meta_open(made, NULL, &m));
        umask(mask);
        sw__meta_close(m);
        ck_assert_int_eq(stat(made, &st), 0);
        ck_assert_int_eq(st.st_mode & 0777, 0700);
        tool_remove(made);
        end();
}
END_TEST

/* ---- how it was left ---- */

/* Catches a `clean` that goes for more than the file as it was: the next process would map
 * what nobody looked at. */
START_TEST(says_how_it_was_left)
{
        sw_auto(sw_buf) first = SW_BUF_INIT;
        sw_auto(sw_buf) second = SW_BUF_INIT;
        int status;

        begin();
        make_one();
        tool_read_file(dir, "clean", &first);
        ck_assert_int_eq(keys_there(), 1);
        tool_read_file(dir, "clean", &second);
        ck_assert_str_eq(first.data, second.data);

        /* Changed by one that is killed, while this one has it open: stale until the last
           one leaves, and right after that. */
        sw_meta *m;
        ok(sw__meta_open(dir, NULL, &m));
        const pid_t pid = fork();
        if (pid == 0) {
                sw_meta *mine;

                must(sw__meta_open(dir, NULL, &mine));
                sw_keystore *ks = sw__keystore_lmdb_new(mine);
                tool_fill(ks, 100);
                kill(getpid(), SIGKILL);
        }
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        tool_read_file(dir, "clean", &second);
        ck_assert_str_eq(first.data, second.data);
        sw__meta_close(m);
        tool_read_file(dir, "clean", &second);
        ck_assert_str_ne(first.data, second.data);
        ck_assert_int_gt(keys_there(), 1);
        end();
}
END_TEST

/* Catches a file that is inspected, and set aside, while others have it open and write to
 * it: what is seen then may be half of a commit. */
START_TEST(sets_nothing_aside_that_is_in_use)
{
        int status;
        sw_meta *m;

        begin();
        make_one();
        ok(sw__meta_open(dir, NULL, &m));
        sw_auto(sw_str) path = sw_asprintf("%s/data.mdb", dir);
        ck_assert_int_eq(unlink(path), 0);
        tool_write_file(dir, "data.mdb", "damaged", 7);
        const pid_t pid = fork();
        if (pid == 0) {
                sw_meta *mine;
                sw_err *err = sw__meta_open(dir, NULL, &mine);

                must_be(sw_err_code(err) == SW_E_CORRUPT && tool_set_aside(dir) == 0);
                sw_err_drop(err, "as it should be");
                _exit(0);
        }
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert_int_eq(status, 0);
        sw_auto(sw_str) clean = sw_asprintf("%s/clean", dir);
        ck_assert_int_eq(unlink(clean), 0);
        sw__meta_close(m);
        ck_assert_int_ne(access(clean, F_OK), 0); /* this is not the file that was open */
        ck_assert_int_eq(keys_there(), 0);        /* now it is set aside */
        ck_assert_int_eq(tool_set_aside(dir), 1);
        end();
}
END_TEST

/* Catches a process that maps what nobody looked at, because the one that was looking was
 * killed while it waited. */
START_TEST(looks_when_the_looker_was_killed)
{
        int fds[2], status;
        char byte;

        begin();
        make_one();
        tool_write_file(dir, "data.mdb", "damaged", 7);
        ck_assert_int_eq(pipe(fds), 0);
        const pid_t looker = fork();
        if (looker == 0) {
                sw_auto(sw_str) path = sw_asprintf("%s/users", dir);
                struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1 };
                const int fd = open(path, O_RDWR | O_CLOEXEC);

                must_be(fd >= 0 && fcntl(fd, F_OFD_SETLK, &l) == 0);
                must_be(flock(fd, LOCK_EX | LOCK_NB) == 0);
                must_be(write(fds[1], "x", 1) == 1);
                pause();
        }
        ck_assert_int_eq(read(fds[0], &byte, 1), 1);
        const pid_t waiter = fork();
        if (waiter == 0) {
                must_be(write(fds[1], "y", 1) == 1);
                _exit(keys_there() == 0 && tool_set_aside(dir) == 1 ? 0 : 1);
        }
        ck_assert_int_eq(read(fds[0], &byte, 1), 1);
        const struct timespec t = { 0, 20000000 };
        nanosleep(&t, NULL); /* so that it waits, most of the time; either way it looks */
        ck_assert_int_eq(waitpid(waiter, &status, WNOHANG), 0);
        kill(looker, SIGKILL);
        ck_assert_int_eq(waitpid(waiter, &status, 0), waiter);
        ck_assert_int_eq(status, 0);
        ck_assert_int_eq(waitpid(looker, &status, 0), looker);
        end();
}
END_TEST

/* ---- schema ---- */

/* Do something with the file through LMDB alone, as another version of slipway would. */
static void
with_lmdb(void (*fn)(MDB_txn *txn))
{
        MDB_env *env;
        MDB_txn *txn;

        must_be(mdb_env_create(&env) == 0 && mdb_env_set_maxdbs(env, 20) == 0);
        must_be(mdb_env_open(env, dir, MDB_NOSYNC, 0600) == 0);
        must_be(mdb_txn_begin(env, NULL, 0, &txn) == 0);
        fn(txn);
        must_be(mdb_txn_commit(txn) == 0);
        mdb_env_close(env);
}

static void
put_schema(MDB_txn *txn, const char *text)
{
        MDB_val k = { 6, (void *) "schema" }, v = { strlen(text), (void *) text };
        MDB_dbi dbi;

        must_be(mdb_dbi_open(txn, NULL, 0, &dbi) == 0);
        must_be(mdb_put(txn, dbi, &k, &v, 0) == 0);
}

static void
newer(MDB_txn *txn)
{
        put_schema(txn, "2 2");
}

/* And with what this program's check of files does not know. */
static void
newer_and_strange(MDB_txn *txn)
{
        MDB_val k = { 1, (void *) "k" }, v = { 4, (void *) "1234" };
        MDB_dbi dbi;

        must_be(mdb_dbi_open(txn, "strange", MDB_CREATE | MDB_DUPSORT | MDB_DUPFIXED,
                             &dbi) == 0);
        must_be(mdb_put(txn, dbi, &k, &v, 0) == 0);
        put_schema(txn, "1000 1000");
}

static void
same_but_strange(MDB_txn *txn)
{
        newer_and_strange(txn);
        put_schema(txn, "1 1");
}

static void
odd_number(MDB_txn *txn)
{
        put_schema(txn, "2 3");
}

static void
no_number(MDB_txn *txn)
{
        put_schema(txn, "nonsense that is rather long for a number");
}

static void
no_schema(MDB_txn *txn)
{
        MDB_val k = { 6, (void *) "schema" };
        MDB_dbi dbi;

        must_be(mdb_dbi_open(txn, NULL, 0, &dbi) == 0);
        must_be(mdb_del(txn, dbi, &k, NULL) == 0);
}

static void
lacks_one(MDB_txn *txn)
{
        MDB_dbi dbi;

        must_be(mdb_dbi_open(txn, "byresult", 0, &dbi) == 0 && mdb_drop(txn, dbi, 1) == 0);
}

static void
another_kind(MDB_txn *txn)
{
        MDB_dbi dbi;

        lacks_one(txn);
        must_be(mdb_dbi_open(txn, "byresult", MDB_CREATE, &dbi) == 0);
}

/* Catches a newer store that is opened, changed or set aside. */
START_TEST(refuses_a_newer_schema)
{
        void (*const makers[])(MDB_txn *) = { newer, newer_and_strange };

        for (size_t i = 0; i < SW_COUNT(makers); i++)
                for (int seen = 0; seen < 2; seen++) {
                        sw_auto(sw_buf) before = SW_BUF_INIT;
                        sw_auto(sw_buf) after = SW_BUF_INIT;
                        sw_meta *m;

                        begin();
                        make_one();
                        with_lmdb(makers[i]);
                        tool_read_file(dir, "data.mdb", &before);
                        for (int again = 0; again <= seen; again++)
                                fails(sw__meta_open(dir, NULL, &m), SW_E_UNSUPPORTED,
                                      "made by a newer slipway (schema");
                        tool_read_file(dir, "data.mdb", &after);
                        ck_assert_uint_eq(before.len, after.len);
                        ck_assert_mem_eq(before.data, after.data, after.len);
                        ck_assert_int_eq(tool_set_aside(dir), 0);
                        end();
                }
}
END_TEST

/* Catches a start that fails, or a store half of which is missing, where LMDB finds the
 * file well and we do not. */
START_TEST(sets_aside_what_is_not_a_store)
{
        void (*const makers[])(MDB_txn *) = { odd_number, no_number,    no_schema,
                                              lacks_one,  another_kind, same_but_strange };

        for (size_t i = 0; i < SW_COUNT(makers); i++) {
                begin();
                make_one();
                with_lmdb(makers[i]);
                ck_assert_msg(keys_there() == 0, "maker %zu", i);
                ck_assert_int_eq(tool_set_aside(dir), 1);
                make_one();
                ck_assert_int_eq(keys_there(), 1);
                ck_assert_int_eq(tool_set_aside(dir), 1);
                end();
        }
}
END_TEST

/* How many of `users` were set aside; -1: `users` itself is no file. */
static int
users_aside(void)
{
        sw_auto(sw_str) path = sw_asprintf("%s/users", dir);
        DIR *d = opendir(dir);
        struct dirent *e;
        struct stat st;
        int n = 0;

        while (d && (e = readdir(d)))
                n += strncmp(e->d_name, "users.damaged-", 14) == 0;
        if (d)
                closedir(d);
        return lstat(path, &st) == 0 && S_ISREG(st.st_mode) ? n : -1;
}

static void
put_odd_users(int kind)
{
        sw_auto(sw_str) path = sw_asprintf("%s/users", dir);
        sw_auto(sw_str) inside = sw_asprintf("%s/users/file", dir);

        must_be(kind > 1 || mkdir(path, 0700) == 0);
        must_be(kind != 1 || mkdir(inside, 0700) == 0);
        must_be(kind != 2 || symlink("data.mdb", path) == 0);
        must_be(kind != 3 || symlink("/none/there", path) == 0);
        must_be(kind != 4 || mkfifo(path, 0600) == 0);
        must_be(kind != 5 || mknod(path, S_IFSOCK | 0600, 0) == 0);
}

/* Catches: a start that fails or waits because the file of locks is something else; what
 * the store knew lost with it. */
START_TEST(makes_an_odd_users_anew)
{
        for (int kind = 0; kind < 6; kind++) {
                begin();
                make_one();
                sw_auto(sw_str) path = sw_asprintf("%s/users", dir);
                ck_assert_int_eq(unlink(path), 0);
                put_odd_users(kind);
                ck_assert_int_eq(keys_there(), 1);
                ck_assert_msg(users_aside() == 1, "kind %d", kind);
                ck_assert_int_eq(tool_set_aside(dir), 0);
                ck_assert_int_eq(keys_there(), 1);
                ck_assert_int_eq(users_aside(), 1);
                sw_auto(sw_fd) fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
                ok(sw_path_remove(fd, dir));
        }
}
END_TEST

/* Catches: of many who find it odd, one that sets aside what another has put right, after
 * which both write to the store. */
START_TEST(one_of_many_makes_users_anew)
{
        enum { MANY = 12 };

        begin();
        make_one();
        sw_auto(sw_str) path = sw_asprintf("%s/users", dir);
        for (int round = 0; round < 20; round++) {
                pid_t pids[MANY];

                (void) unlink(path);
                put_odd_users(4);
                for (int i = 0; i < MANY; i++) {
                        pids[i] = fork();
                        ck_assert_int_ge(pids[i], 0);
                        if (pids[i] == 0)
                                _exit(keys_there() == 1 ? 0 : 1);
                }
                for (int i = 0; i < MANY; i++) {
                        int status;

                        ck_assert_int_eq(waitpid(pids[i], &status, 0), pids[i]);
                        ck_assert_int_eq(status, 0);
                }
                ck_assert_int_eq(users_aside(), round < 3 ? round + 1 : 3);
        }
        end();
}
END_TEST

/* ---- stored examples ---- */

/* What the example of schema 1 holds. */
static void
fill_example(sw_keystore *ks)
{
        const struct sw_key_link link = { 1, 2, "sha256:cachemap", "sha256:selector" };
        const struct sw_key_record rec = { "worker::ref", 1234567890123456789, -5 };
        const char *const content[] = { "sha256:content", "" };
        char id[32];

        must(ks->ops->add_link(ks, "sha256:root", &link, "child"));
        must(ks->ops->add_record(ks, "child", &rec));
        must(ks->ops->remember(ks, "sha256:cachemap", content, 2));
        must(ks->ops->commit(ks));
        for (int i = 0; i < 40; i++) { /* enough for a tree of duplicates */
                snprintf(id, sizeof(id), "child-%02d-with-a-name-of-30-b", i);
                must(ks->ops->add_link(ks, "sha256:root", &link, id));
                tool_record(ks, id, "worker::shared", i);
        }
        must(ks->ops->commit(ks));
}

static bool
is_example_record(void *arg, const struct sw_key_record *r)
{
        *(bool *) arg = !strcmp(r->result, "worker::ref") &&
                        r->created_at == 1234567890123456789 && r->priority == -5;
        return true;
}

static bool
is_example_note(void *arg, uint32_t input, const char *content)
{
        *(int *) arg += strcmp(content, input ? "" : "sha256:content") == 0;
        return true;
}

static void
check_example(sw_meta *m)
{
        const struct sw_key_link link = { 1, 2, "sha256:cachemap", "sha256:selector" };
        sw_keystore *ks = sw__keystore_lmdb_new(m);
        bool b = false;
        int n = 0;

        ok(ks->ops->walk_links(ks, "sha256:root", &link, count_key, &n));
        ck_assert_int_eq(n, 41);
        ok(ks->ops->walk_records(ks, "child", is_example_record, &b));
        ck_assert(b);
        ok(ks->ops->walk_by_result(ks, "worker::shared", count_key, (n = 0, &n)));
        ck_assert_int_eq(n, 40);
        ok(ks->ops->recall(ks, "sha256:cachemap", &b, is_example_note, (n = 0, &n)));
        ck_assert(b);
        ck_assert_int_eq(n, 2);
        tool_check_invariants(m);
        ok(ks->ops->release(ks, "worker::shared"));
        ok(ks->ops->commit(ks));
        ok(ks->ops->walk_links(ks, "sha256:root", &link, count_key, (n = 0, &n)));
        ck_assert_int_eq(n, 1);
        sw__keystore_free(ks);
}

static void
write_example(const char *path)
{
        sw_auto(sw_buf) b = SW_BUF_INIT;
        sw_meta *m;

        begin();
        ok(sw__meta_open(dir, NULL, &m));
        sw_keystore *ks = sw__keystore_lmdb_new(m);
        fill_example(ks);
        sw__keystore_free(ks);
        sw__meta_close(m);
        tool_read_file(dir, "data.mdb", &b);
        FILE *f = fopen(path, "we");
        ck_assert(f && fwrite(b.data, b.len, 1, f) == 1 && fclose(f) == 0);
        end();
}

/* Catches a change of what is stored that forgot to raise the schema or to migrate: what
 * slipway 0.1 wrote is read, with everything in it. */
START_TEST(reads_every_schema)
{
        const char *top = getenv("top_srcdir"), *out = getenv("SW_SCHEMA_WRITE");

        if (out)
                write_example(out);
        for (int schema = 1; schema <= SW_META_SCHEMA; schema++) {
                sw_auto(sw_str) data = sw_asprintf("%s/tests/data/store", top ? top : "..");
                sw_auto(sw_str) name = sw_asprintf("schema-%d.mdb", schema);
                sw_auto(sw_buf) b = SW_BUF_INIT;
                sw_meta *m;

                begin();
                tool_read_file(data, name, &b);
                tool_write_file(dir, "data.mdb", b.data, b.len);
                ok(sw__meta_open(dir, NULL, &m));
                ck_assert_int_eq(tool_set_aside(dir), 0);
                check_example(m);
                sw__meta_close(m);
                end();
        }
}
END_TEST

/* ---- little address space ---- */

enum { SMALL_MAP = 1 << 20 };

/* Add records, a few to each commit, until it fails, or there are @max. How many. */
static int
fill_up(sw_keystore *ks, int max, sw_err **failed)
{
        char id[64];
        int n = 0;

        for (*failed = SW_OK; n < max && !*failed; n++) {
                const struct sw_key_record rec = { "w::r", n, 3 };

                snprintf(id, sizeof(id), "a-key-that-is-of-about-the-usual-length-%d", n);
                *failed = ks->ops->add_record(ks, id, &rec);
                if (!*failed && n % 10 == 9)
                        *failed = ks->ops->commit(ks);
        }
        return n;
}

/* Catches: a full map that is told in LMDB's words or taken for damage, half of a group
 * that stays, a store that is of no use afterwards. */
START_TEST(says_when_the_map_is_full)
{
        sw_err *err;
        sw_meta *m;

        begin();
        ok(sw__meta_open_within(dir, NULL, SMALL_MAP, &m));
        sw_keystore *ks = sw__keystore_lmdb_new(m);
        const int n = fill_up(ks, 1 << 20, &err);
        ck_assert_int_gt(n, 100);
        fails(err, SW_E_LIMIT, "more than 1 MiB, which is all this process can map");
        const int there = count_keys(m);
        ck_assert_int_eq(there, n / 10 * 10);
        tool_check_invariants(m);
        sw__keystore_free(ks);
        sw__meta_close(m);

        /* the next process may have more; nothing was set aside */
        ok(sw__meta_open(dir, NULL, &m));
        ck_assert_int_eq(tool_set_aside(dir), 0);
        ck_assert_int_eq(count_keys(m), there);
        ks = sw__keystore_lmdb_new(m);
        (void) fill_up(ks, 2 * there, &err);
        ok(err);
        sw__keystore_free(ks);
        sw__meta_close(m);
        end();
}
END_TEST

/* The same when it is others who write more than this process can map. */
START_TEST(says_when_others_outgrow_the_map)
{
        sw_err *err;
        sw_meta *m;
        bool there;

        begin();
        ok(sw__meta_open_within(dir, NULL, SMALL_MAP, &m));
        sw_keystore *ks = sw__keystore_lmdb_new(m);
        tool_record(ks, "key", "w::r", 1);
        ok(ks->ops->commit(ks));
        ok(ks->ops->exists(ks, "key", &there));
        const pid_t pid = fork();
        if (pid == 0) {
                sw_meta *larger;

                must(sw__meta_open(dir, NULL, &larger));
                sw_keystore *other = sw__keystore_lmdb_new(larger);
                (void) fill_up(other, 40000, &err);
                must(err);
                must(other->ops->commit(other));
                _exit(0);
        }
        int status;
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert_int_eq(status, 0);
        fails(ks->ops->exists(ks, "key", &there), SW_E_LIMIT, "the metadata has more than");
        fails(ks->ops->add_record(ks, "other", &(struct sw_key_record){ "w::r", 1, 3 }),
              SW_E_LIMIT, "ulimit -v");
        sw__keystore_free(ks);
        sw__meta_close(m);
        ok(sw__meta_open_within(dir, NULL, SMALL_MAP, &m)); /* as large as the file is */
        ck_assert_int_gt(count_keys(m), 40000);
        sw__meta_close(m);
        end();
}
END_TEST

/* ---- syncing ---- */

/* Catches, under ThreadSanitizer, a race of commits with the thread that syncs behind them;
 * runs for as long as it takes that thread to sync. */
START_TEST(commits_while_it_syncs)
{
        const int64_t until = sw_time_now() + 1300000000;
        char id[32];
        sw_meta *m;

        begin();
        ok(sw__meta_open(dir, NULL, &m));
        sw_keystore *ks = sw__keystore_lmdb_new(m);
        const struct timespec pause = { 0, 2000000 };
        for (int i = 0; sw_time_now() < until; i++) {
                snprintf(id, sizeof(id), "k%d", i);
                tool_record(ks, id, "w::r", i);
                must(ks->ops->commit(ks));
                nanosleep(&pause, NULL);
        }
        sw__keystore_free(ks);
        sw__meta_close(m);
        ck_assert_int_gt(keys_there(), 1);
        end();
}
END_TEST

UNIT_MAIN("meta", refuses_a_second_opening, names_what_cannot_be_opened,
          says_how_it_was_left, sets_nothing_aside_that_is_in_use,
          looks_when_the_looker_was_killed, refuses_a_newer_schema,
          sets_aside_what_is_not_a_store, makes_an_odd_users_anew,
          one_of_many_makes_users_anew, reads_every_schema, says_when_the_map_is_full,
          says_when_others_outgrow_the_map, commits_while_it_syncs)
